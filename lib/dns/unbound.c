/* unbound - libunbound on an event loop. */
#include "dns/unbound.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unbound-event.h>
#include <unistd.h>

struct unbound {
	struct ub_ctx *ctx;
	struct job *jobs;
};

struct job { /* a question */
	struct unbound *u;
	struct job *prev, *next;
	unbound_done done;
	void *ctx;
	bool asking; /* unbound_ask has not returned */
	bool over;
};

/* ---- set-up ---- */

static bool
validates(const struct resolver_conf *conf)
{
	return conf->trust_anchor == NULL ||
	    strcmp(conf->trust_anchor, "none") != 0;
}

static const char *
anchor(const struct resolver_conf *conf)
{
	return conf->trust_anchor != NULL ? conf->trust_anchor
					  : RESOLVER_ANCHOR;
}

/* "192.0.2.1" or "192.0.2.1@53" */
static bool
is_server(struct slice s)
{
	struct slice address, port;
	uint32_t n = 1;
	struct ip ip;

	return (!slice_cut(s, '@', &address, &port) ||
		   (slice_u32(port, &n) && n > 0 && n <= UINT16_MAX)) &&
	    ip_parse(address, &ip);
}

int
unbound_check(const struct resolver_conf *conf, struct err *e)
{
	if (validates(conf) && access(anchor(conf), R_OK) < 0)
		return err_sys(e,
		    "dns: trust anchor %s (package dns-root-data has the "
		    "usual one; DNS.TrustAnchor in mox.conf names another)",
		    anchor(conf));
	for (size_t i = 0; conf->servers != NULL && conf->servers[i] != NULL;
	     i++)
		if (!is_server(slice_str(conf->servers[i])))
			return err_set(e, ERR_SYNTAX,
			    "dns: \"%s\" is no address of a resolver",
			    conf->servers[i]);
	return 0;
}

static int
set_options(struct ub_ctx *ctx)
{
	static const char *const options[][2] = {
		/* A resolver on this machine is a usual one. */
		{ "do-not-query-localhost:", "no" },
		/* Names of private addresses are whoever's we ask. */
		{ "unblock-lan-zones:", "yes" },
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (rc == 0)
			rc = ub_ctx_set_option(ctx, options[i][0],
			    options[i][1]);
	return rc;
}

static int
set_servers(struct ub_ctx *ctx, const struct resolver_conf *conf)
{
	int rc = 0;

	if (conf->servers == NULL || conf->servers[0] == NULL) {
		/* If there is none it asks the root servers itself. */
		ub_ctx_resolvconf(ctx, NULL);
		return 0;
	}
	for (size_t i = 0; rc == 0 && conf->servers[i] != NULL; i++)
		rc = ub_ctx_set_fwd(ctx, conf->servers[i]);
	return rc;
}

struct unbound *
unbound_new(const struct resolver_conf *conf, struct event_base *base,
    struct err *e)
{
	struct unbound *u;
	int rc;

	if (unbound_check(conf, e) < 0)
		return NULL;
	u = xcalloc(1, sizeof(*u));
	u->ctx = ub_ctx_create_event(base);
	if (u->ctx == NULL) {
		err_set(e, ERR_TEMP, "dns: libunbound does not start");
		unbound_free(&u);
		return NULL;
	}
	rc = set_options(u->ctx);
	if (rc == 0 && validates(conf))
		rc = ub_ctx_add_ta_file(u->ctx, anchor(conf));
	if (rc == 0)
		rc = set_servers(u->ctx, conf);
	if (rc != 0) {
		err_set(e, ERR_PERM, "dns: libunbound: %s", ub_strerror(rc));
		unbound_free(&u);
	}
	return u;
}

/* ---- questions ---- */

static void
end(struct job *job)
{
	if (job->prev != NULL)
		job->prev->next = job->next;
	else
		job->u->jobs = job->next;
	if (job->next != NULL)
		job->next->prev = job->prev;
	free(job);
}

/* libunbound says 0 when it has an answer, whatever that says. */
static int
header_rcode(int rcode, const void *packet, int n)
{
	return rcode == 0 && n > 3 ? ((const unsigned char *)packet)[3] & 15
				   : rcode;
}

/* security: 0 insecure, 1 bogus, 2 secure. */
static void
answered(void *ctx, int rcode, void *packet, int packet_n, int security,
    char *why, int rate_limited)
{
	struct job *job = ctx;
	const struct dns_reply reply = {
		.rcode = header_rcode(rcode, packet, packet_n),
		.secure = security == 2,
		.bogus = security == 1,
		.why = rate_limited ? SLICE("rate limited") : slice_str(why),
		.packet = slice_of(packet, packet_n > 0 ? (size_t)packet_n : 0),
	};

	job->over = true;
	job->done(job->ctx, &reply);
	if (!job->asking)
		end(job);
}

int
unbound_ask(struct unbound *u, const char *name, enum dns_type type,
    unbound_done done, void *ctx, struct err *e)
{
	struct job *job = xcalloc(1, sizeof(*job));
	int rc;

	*job = (struct job){ .u = u,
		.next = u->jobs,
		.done = done,
		.ctx = ctx,
		.asking = true };
	if (u->jobs != NULL)
		u->jobs->prev = job;
	u->jobs = job;
	rc = ub_resolve_event(u->ctx, name, (int)type, 1, job, answered, NULL);
	job->asking = false;
	if (rc != 0 || job->over)
		end(job);
	if (rc == 0)
		return 0;
	return err_set(e, ERR_TEMP, "dns: libunbound: %s", ub_strerror(rc));
}

void
unbound_free(struct unbound **up)
{
	const struct dns_reply none = { .timeout = true };
	struct unbound *u = *up;

	if (u == NULL)
		return;
	if (u->ctx != NULL)
		ub_ctx_delete(u->ctx);
	for (struct job *job = u->jobs, *next; job != NULL; job = next) {
		next = job->next;
		job->done(job->ctx, &none);
		free(job);
	}
	free(u);
	*up = NULL;
}
