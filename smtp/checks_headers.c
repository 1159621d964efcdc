/*
 * checks_headers - what was found, in the header: Authentication-Results
 * (RFC 8601) and Received-SPF (RFC 7208, 9.1).
 */
#include "message/authres.h"
#include "message/smtpaddr.h"
#include "smtp/back.h"

static struct slice
dnssec(bool secure)
{
	return secure ? SLICE("with dnssec") : SLICE("without dnssec");
}

/* The comment of a result: why, if there is something to say. */
static void
say(const struct smtp_back *b, struct authres_method *m, bool secure,
    struct slice why)
{
	m->comment = dnssec(secure);
	if (why.n > 0)
		m->comment = arena_printf(b->arena, "%.*s, %.*s",
		    SLICE_FMT(m->comment), SLICE_FMT(why));
}

static void
add_iprev(const struct smtp_back *b, struct authres *a)
{
	const struct iprev_result *r = &b->checks.iprev;
	struct authres_method *m =
	    authres_add(b->arena, a, "iprev", iprev_status_name(r->status));
	char ip[IP_TEXT];

	say(b, m, r->secure, r->problem);
	ip_text(&b->login.client->ip, ip);
	authres_add_prop(b->arena, m, "policy", "iprev",
	    arena_dup(b->arena, slice_str(ip)));
}

/* RFC 8601, 2.7.1; header.b tells signatures of a domain apart (RFC 6008). */
static void
add_dkim(const struct smtp_back *b, struct authres *a)
{
	const struct dkim_results *all = &b->checks.dkim;

	if (all->n == 0)
		authres_add(b->arena, a, "dkim", "none");
	for (size_t i = 0; i < all->n; i++) {
		const struct dkim_result *r = &all->v[i];
		struct authres_method *m = authres_add(b->arena, a, "dkim",
		    dkim_status_name(r->status));

		say(b, m, r->secure, r->why);
		authres_add_prop(b->arena, m, "header", "d", r->sig.domain);
		authres_add_prop(b->arena, m, "header", "s", r->sig.selector);
		authres_add_prop(b->arena, m, "header", "a", r->sig.algorithm);
		authres_add_prop(b->arena, m, "header", "b",
		    r->sig.signature_text);
		authres_add_prop(b->arena, m, "header", "i", r->sig.identity);
	}
}

static void
add_spf(const struct smtp_back *b, struct authres *a)
{
	const struct spf_result *r = &b->checks.spf;
	struct authres_method *m =
	    authres_add(b->arena, a, "spf", spf_status_name(r->status));
	struct buf from = BUF_INIT(2048);
	struct smtpaddr addr = { .local = b->from_local,
		.domain = b->from_domain };

	say(b, m, r->secure, r->problem);
	if (r->helo) {
		authres_add_prop(b->arena, m, "smtp", "helo", b->helo);
		return;
	}
	smtpaddr_write(&from, &addr);
	authres_add_prop(b->arena, m, "smtp", "mailfrom",
	    arena_dup(b->arena, buf_slice(&from)));
	buf_free(&from);
}

/* RFC 8617, 10.2: header.oldest-pass. */
static void
add_arc(const struct smtp_back *b, bool for_seal, struct authres *a)
{
	const struct smtp_arc_result *r = &b->checks.arc;
	struct authres_method *m =
	    authres_add(b->arena, a, "arc", arc_status_name(r->is.status));
	char ip[IP_TEXT];

	m->comment = r->why;
	if (for_seal)
		authres_add_prop(b->arena, m, "smtp", "remote-ip",
		    arena_dup(b->arena,
			slice_str(ip_text(&b->login.client->ip, ip))));
	if (r->is.status != ARC_PASS)
		return;
	m->comment = arena_printf(b->arena, "i=%u, sealed by %.*s", r->is.n,
	    SLICE_FMT(r->domain));
	authres_add_prop(b->arena, m, "header", "oldest-pass",
	    arena_printf(b->arena, "%u", r->is.oldest_pass));
}

static void
add_dmarc(const struct smtp_back *b, struct authres *a)
{
	const struct dmarc_result *r = &b->checks.dmarc;
	struct authres_method *m =
	    authres_add(b->arena, a, "dmarc", dmarc_status_name(r->status));
	struct slice why = r->found.why;

	if (r->found.status == DMARC_PASS)
		why = arena_printf(b->arena, "p=%s%s",
		    dmarc_policy_name(r->policy),
		    r->spared ? ", spared by pct" : "");
	say(b, m, r->found.secure, why);
	authres_add_prop(b->arena, m, "header", "from", b->checks.from_domain);
}

void
smtp_checks_results(const struct smtp_back *b, bool for_seal,
    struct authres *results_r)
{
	const struct smtp_checks *c = &b->checks;
	struct authres *a = results_r;

	*a = (struct authres){
		.id = config_listener_hostname(b->login.host->config, b->conf,
		    b->arena)
	};
	if (c->dns == NULL)
		return;
	add_iprev(b, a);
	add_dkim(b, a);
	add_spf(b, a);
	if (for_seal || c->arc.is.status != ARC_NONE)
		add_arc(b, for_seal, a);
	if (c->has_dmarc)
		add_dmarc(b, a);
}

void
smtp_checks_headers(const struct smtp_back *b, struct buf *out)
{
	const struct smtp_checks *c = &b->checks;
	struct authres a;

	smtp_checks_results(b, false, &a);
	authres_write(out, "Authentication-Results:", &a);
	if (c->dns != NULL)
		spf_received(out, &c->spf_args, &c->spf);
}
