/* remote_connect - a connection to a host of a domain. */
#include <stdarg.h>

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

/* What did not take it before comes later. */
static void
order(struct gather_addresses *a, struct slice host, const struct item *it)
{
	struct ip last = { 0 };
	unsigned same = 0;

	for (size_t i = 0; i < it->ndialed; i++) {
		const struct item_dialed *d = &it->dialed[i];
		if (!slice_eq(d->host, host))
			continue;
		same = d->ip.family == last.family ? same + 1 : 1;
		last = d->ip;
	}
	gather_order(a, &last, same);
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

int
remote_fail(struct remote *r, struct smtp_result *result,
    enum smtp_outcome outcome, const char *enhanced, const char *fmt, ...)
{
	va_list ap;

	*result = (struct smtp_result){ .outcome = outcome,
		.step = SMTP_STEP_CONNECT,
		.answer.enhanced = slice_str(enhanced) };
	va_start(ap, fmt);
	result->why = arena_vprintf(r->group.arena, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- connecting ---- */

static int
dial(struct remote *r, const struct gather_addresses *a,
    struct smtp_result *result)
{
	struct dial_opts opts = r->source;
	struct err e = r->resolve;
	size_t which = 0;
	uint16_t port;
	int fd = -1;

	opts.ips = a->ips;
	opts.n = a->n;
	opts.port = r->port;
	opts.local4 = source_for(&r->source.local4, a);
	opts.local6 = source_for(&r->source.local6, a);
	if (!opts.socks || opts.socks->n)
		fd = net_dial(&opts, &which, &e);
	if (a->n)
		r->ip = a->ips[which];
	if (fd < 0)
		return remote_fail(r, result, SMTP_RES_CONNECT, "", "%s",
		    e.text);
	ip_local(fd, &r->local, &port);
	return fd;
}

static int
open_session(struct remote *r, const struct remote_host *h,
    const struct remote_plan *plan, struct smtp_result *result)
{
	struct smtp_client_opts opts = { .hello = r->hello,
		.tls_mode = plan->mode,
		.expect = plan->expect };
	struct err e = ERR_INIT;
	int fd;

	opts.tls = remote_tls(r, plan->pkix, &e);
	if (!opts.tls)
		return remote_fail(r, result, SMTP_RES_TEMP, "4.3.0", "%s",
		    e.text);
	fd = dial(r, &h->addresses, result);
	if (fd < 0)
		return -1;
	r->client = smtp_client_new(fd, &opts);
	smtp_client_limit_ms(r->client, SESSION_MS);
	return smtp_client_open(r->client, r->group.arena, result);
}

/* What no policy forbids goes on without TLS where TLS fails: one more
 * connection. */
static int
go_without(struct remote *r, const struct remote_host *h,
    struct remote_plan *plan, struct smtp_result *result)
{
	log_line(QUEUE_TOPIC, LOG_INFO, "TLS failed, trying without",
	    LOG_Z("host", r->host), LOG_S("why", result->why));
	smtp_client_free(&r->client);
	plan->mode = SMTP_TLS_NONE;
	r->fallback = true;
	return open_session(r, h, plan, result);
}

static void
begin(struct remote *r, struct slice host)
{
	slice_cstr(slice_head(host, sizeof(r->host) - 1), r->host,
	    sizeof(r->host));
	r->ip = r->local = (struct ip){ 0 };
	r->fallback = r->relaxed = r->verified = false;
	if (!r->session)
		r->session = arena_new(0);
	arena_reset(r->session);
	r->noted = SLICE_NULL;
}

int
remote_connect(struct remote *r, struct remote_route *route,
    struct remote_host *h, struct smtp_result *result)
{
	struct gather_addresses *a = &h->addresses;
	struct remote_plan plan;
	int rc;

	begin(r, h->name);
	if (a->status != GATHER_OK)
		return remote_fail(r, result,
		    a->status == GATHER_PERM ? SMTP_RES_PERM : SMTP_RES_TEMP,
		    a->status == GATHER_PERM ? "5.4.4" : "4.4.3", "%.*s",
		    SLICE_FMT(a->why));
	r->dual = has_family(a, 4) && has_family(a, 6);
	limit_families(r, a);
	order(a, h->name, route->item);
	if (remote_policy_plan(r, route, h, &plan, result) < 0)
		return -1;
	rc = open_session(r, h, &plan, result);
	if (r->client) {
		remote_report_session(r, route, h, &plan, result);
		if (result->outcome == SMTP_RES_TLS && plan.clear)
			rc = go_without(r, h, &plan, result);
		else if (result->outcome == SMTP_RES_TLS)
			result->answer.enhanced = SLICE("4.7.5");
	}
	if (rc < 0)
		smtp_client_free(&r->client);
	else
		r->offered = (struct rcpttls){
			.starttls = smtp_client_had_starttls(r->client),
			.requiretls = smtp_client_offers(r->client)->requiretls,
		};
	r->verified = plan.verified;
	r->relaxed = plan.relaxed;
	return rc;
}
