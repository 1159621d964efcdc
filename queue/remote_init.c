/* remote_init - where messages go: the transport of mox.conf. */
#include <fcntl.h>

#include "base/file.h"
#include "base/log.h"
#include "host/host_tls.h"
#include "queue/remote.h"
#include "text/idna.h"

static const struct conf_transport *
find_transport(const struct config *config, struct slice name)
{
	const struct conf_transports *all = &config->mox.transports;

	for (size_t i = 0; i < all->n; i++)
		if (slice_eq(all->v[i].name, name))
			return &all->v[i];
	return NULL;
}

/* A reply for every message, in place of a connection. */
static void
set_refusal(struct remote *r, struct arena *arena,
    const struct conf_transport_fail *fail)
{
	int code = fail->smtp_code ? fail->smtp_code : 554;

	r->refuse = arena_printf(arena, "%d %s %.*s", code,
	    code < 500 ? "4.7.0" : "5.7.0",
	    fail->smtp_message.n ? (int)fail->smtp_message.n : 100,
	    fail->smtp_message.n
		? fail->smtp_message.p
		: "no delivery by this route, as the configuration says");
}

static void
set_method(struct remote *r, struct arena *arena)
{
	const struct conf_transport *t = r->transport;

	if (t->submissions)
		r->server = t->submissions, r->immediate = true, r->port = 465;
	else if (t->submission)
		r->server = t->submission, r->port = 587;
	else if (t->smtp)
		r->server = t->smtp, r->port = 25;
	else if (t->fail)
		set_refusal(r, arena, t->fail);
	if (r->server && r->server->port)
		r->port = (uint16_t)r->server->port;
}

/* Of an unreachable name server the next attempt may know nothing. */
static void
resolve(struct remote *r, struct arena *arena)
{
	struct slice ascii;
	ssize_t n;

	if (idna_ascii(arena, r->server->host, &ascii, NULL) < 0)
		ascii = r->server->host; /* an address */
	slice_cstr(ascii, r->host, sizeof(r->host));
	r->names[0] = slice_str(r->host);
	n = net_resolve(r->host, r->ips, REMOTE_IPS, &r->resolve);
	r->nips = n < 0 ? 0 : (size_t)n;
}

/* ---- folders ---- */

static int
open_folder(int data_fd, const char *name, int *fd_r, struct err *e)
{
	if (file_mkdirs(data_fd, name, 0700, e) < 0)
		return -1;
	*fd_r = openat(data_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd_r < 0 ? err_sys(e, "%s", name) : 0;
}

int
remote_open(struct remote *r, int data_fd, struct err *e)
{
	if (open_folder(data_fd, "mtasts", &r->mtasts_fd, e) < 0 ||
	    open_folder(data_fd, "tlsresults", &r->tlsresults_fd, e) < 0)
		return -1;
	return open_folder(data_fd, "rcpttls", &r->rcpttls_fd, e);
}

/* ---- TLS ---- */

struct tls_client *
remote_tls(struct remote *r, bool pkix, struct err *e)
{
	const struct tls_client_opts nobody = { .ca_file = "" };
	struct tls_client **tls = pkix ? &r->trust.pkix : &r->trust.none;

	if (*tls && tls_client_stale(*tls))
		tls_client_free(tls);
	if (!*tls)
		*tls = pkix ? host_tls_client(r->config, e)
			    : tls_client_new(&nobody, e);
	return *tls;
}

static int
load_tls(struct remote *r, struct err *e)
{
	if (!r->server || (r->server->no_starttls && !r->immediate))
		return 0;
	r->tls = remote_tls(r, !r->server->starttls_insecure_skip_verify, e);
	return r->tls ? 0 : -1;
}

/* ---- the destination ---- */

static int
set_transport(struct remote *r, struct slice name, struct arena *arena,
    struct err *e)
{
	r->transport = find_transport(r->config, name);
	if (!r->transport) {
		r->refuse = arena_printf(arena,
		    "451 4.3.5 no transport %.*s in mox.conf", SLICE_FMT(name));
		return 0;
	}
	set_method(r, arena);
	if (r->server || r->refuse.n || r->domain.n)
		return 0;
	return err_set(e, ERR_SYNTAX,
	    "transport %.*s has no server of its own: say \"mx DOMAIN %.*s\"",
	    SLICE_FMT(name), SLICE_FMT(name));
}

static int
set_destination(struct remote *r, struct slice destination, struct arena *arena,
    struct err *e)
{
	struct slice kind, name;

	slice_cut(destination, ' ', &kind, &name);
	if (slice_is(kind, "mx"))
		slice_cut(name, ' ', &r->domain, &name);
	if (r->domain.n == 0 && !slice_is(kind, "transport"))
		return err_set(e, ERR_SYNTAX,
		    "destination must be \"transport NAME\", \"mx DOMAIN\" or "
		    "\"mx DOMAIN NAME\"");
	return r->domain.n && name.n == 0 ? 0
					  : set_transport(r, name, arena, e);
}

int
remote_init(struct remote *r, struct slice destination, struct arena *arena,
    struct err *e)
{
	if (set_destination(r, destination, arena, e) < 0)
		return -1;
	if (r->refuse.n)
		return 0;
	if (!r->server)
		return remote_init_domain(r, arena, e);
	resolve(r, arena);
	return load_tls(r, e);
}

/* Of the hosts of a domain some have to be verified: which, is only known when
 * they are looked up. */
void
remote_prepare(struct remote *r, struct slice destination)
{
	struct arena *arena = arena_new(0);
	struct remote copy = *r;

	if (set_destination(&copy, destination, arena, NULL) == 0) {
		load_tls(&copy, NULL);
		if (!copy.server && copy.refuse.n == 0) {
			remote_tls(&copy, false, NULL);
			remote_tls(&copy, true, NULL);
		}
	}
	r->trust = copy.trust;
	arena_free(&arena);
}
