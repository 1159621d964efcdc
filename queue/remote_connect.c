/* remote_connect - a connection to a host of a domain. */
#include "base/log.h"
#include "queue/remote.h"

#define SESSION_MS (30 * 60 * 1000)

/* ---- addresses ---- */

/* Those of the families that the transport allows. */
static void
limit_families(const struct remote *r, struct gather_addresses *a)
{
	const struct conf_transport_direct *d =
	    r->transport ? r->transport->direct : NULL;
	size_t n = 0;

	for (size_t i = 0; d && i < a->n; i++)
		if (!(a->ips[i].family == 4 ? d->disable_ipv4
					    : d->disable_ipv6))
			a->ips[n++] = a->ips[i];
	if (d)
		a->n = n;
}

static bool
has_family(const struct gather_addresses *a, unsigned char family)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->ips[i].family == family)
			return true;
	return false;
}

/* From the loopback address of a listener nothing but loopback is reached. */
static struct ip
source_for(const struct ip *source, const struct gather_addresses *a)
{
	static const struct ip none;

	if (source->family != 4 && source->family != 6)
		return none;
	for (size_t i = 0; i < a->n && ip_is_loopback(source); i++)
		if (a->ips[i].family == source->family &&
		    !ip_is_loopback(&a->ips[i]))
			return none;
	return *source;
}

static int
fail(struct remote *r, struct smtp_result *result, enum smtp_outcome outcome,
    const char *why)
{
	*result = (struct smtp_result){ .outcome = outcome,
		.step = SMTP_STEP_CONNECT,
		.why = arena_dup(r->group.arena, slice_str(why)) };
	return -1;
}

/* ---- connecting ---- */

static int
dial(struct remote *r, const struct gather_addresses *a,
    struct smtp_result *result)
{
	struct dial_opts opts = r->source;
	struct err e = r->resolve;
	size_t which;
	int fd = -1;

	opts.ips = a->ips;
	opts.n = a->n;
	opts.port = r->port;
	opts.local4 = source_for(&r->source.local4, a);
	opts.local6 = source_for(&r->source.local6, a);
	if (!opts.socks || opts.socks->n)
		fd = net_dial(&opts, &which, &e);
	if (fd < 0)
		return fail(r, result, SMTP_RES_CONNECT, e.text);
	r->ip = a->ips[which];
	return fd;
}

static int
open_session(struct remote *r, const struct remote_host *h,
    enum smtp_tls_mode mode, struct smtp_result *result)
{
	struct smtp_client_opts opts = { .hello = r->hello,
		.tls_mode = mode,
		.tls = r->tls,
		.expect = { .sni = slice_str(r->host) } };
	int fd = dial(r, &h->addresses, result);

	if (fd < 0)
		return -1;
	r->client = smtp_client_new(fd, &opts);
	smtp_client_limit_ms(r->client, SESSION_MS);
	if (smtp_client_open(r->client, r->group.arena, result) == 0)
		return 0;
	smtp_client_free(&r->client);
	return -1;
}

int
remote_connect(struct remote *r, struct remote_host *h,
    const struct transfer *t, struct smtp_result *result)
{
	struct gather_addresses *a = &h->addresses;

	slice_cstr(slice_head(h->name, sizeof(r->host) - 1), r->host,
	    sizeof(r->host));
	r->ip = (struct ip){ 0 };
	r->fallback = false;
	if (a->status != GATHER_OK)
		return fail(r, result,
		    a->status == GATHER_PERM ? SMTP_RES_PERM : SMTP_RES_TEMP,
		    arena_cstr(r->group.arena, a->why));
	r->dual = has_family(a, 4) && has_family(a, 6);
	limit_families(r, a);
	if (open_session(r, h, SMTP_TLS_OPPORTUNISTIC, result) == 0)
		return 0;
	/* RFC 7435: what may be read by all may be sent to all; but not
	 * reports, which tell who gets mail from whom. */
	if (result->outcome != SMTP_RES_TLS || t->items[0].it.m.report)
		return -1;
	log_line(QUEUE_TOPIC, LOG_INFO, "TLS failed, trying without",
	    LOG_Z("host", r->host), LOG_S("why", result->why));
	r->fallback = true;
	return open_session(r, h, SMTP_TLS_NONE, result);
}
