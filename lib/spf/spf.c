/*
 * spf - check_host(): RFC 7208, 4 and 5.
 *
 * One evaluation is a struct check; records of include and redirect are
 * evaluated by recursion, which the limit of terms bounds.
 */
#include "spf/spf.h"

#include <string.h>

#include "dns/name.h"
#include "spf/spf_int.h"

#define TERMS_MAX 10 /* that ask DNS: 4.6.4 */
#define VOIDS_MAX 2
#define NAMES_MAX 10      /* of MX and PTR records */
#define EXPANDED_MAX 8192 /* a name of many macros, before it is cut to 253 */
#define EXPLANATION_MAX 1024

struct check {
	struct dns *dns;
	struct arena *arena;
	const struct spf_args *args;
	struct spf_result *r;
	struct slice local, sender_domain;
	struct slice domain; /* current: of the record being evaluated */
	/* Names of the client's address that have it (5.5), once asked for. */
	bool validated;
	struct slice names[NAMES_MAX];
	size_t nnames;
};

const char *
spf_status_name(enum spf_status status)
{
	static const char *const names[] = { "none", "neutral", "pass", "fail",
		"softfail", "temperror", "permerror" };

	return names[status];
}

/* ---- DNS ---- */

static enum spf_status
problem(struct check *c, enum spf_status status, const char *text)
{
	c->r->problem = arena_dup(c->arena, slice_str(text));
	return status;
}

static int
query(struct check *c, struct slice name, enum dns_type type,
    struct dns_answer *a, struct err *e)
{
	int rc = dns_query(c->dns, c->arena, name, type, a, e);

	c->r->secure = c->r->secure && rc >= 0 && a->secure;
	return rc;
}

/* 4.6.4: a mechanism or modifier that asks DNS. */
static bool
count_term(struct check *c)
{
	if (++c->r->lookups <= TERMS_MAX)
		return true;
	problem(c, SPF_PERMERROR, "too many DNS look-ups");
	return false;
}

/*
 * A question of a term: 1 records, 0 none, and what to end with in *status_r
 * for -1. Names that cannot be have no records (4.3, 4.8).
 */
static int
term_query(struct check *c, struct slice name, enum dns_type type,
    struct dns_answer *a, enum spf_status *status_r)
{
	struct err e = ERR_INIT;
	int rc = 0;

	*a = (struct dns_answer){ 0 };
	if (dns_name_valid(name))
		rc = query(c, name, type, a, &e);
	if (rc < 0) {
		*status_r = problem(c, SPF_TEMPERROR, e.text);
	} else if (rc == 0 && ++c->r->voids > VOIDS_MAX) {
		*status_r = problem(c, SPF_PERMERROR,
		    "too many DNS look-ups without an answer");
		rc = -1;
	}
	return rc;
}

static enum dns_type
address_type(const struct check *c)
{
	return c->args->ip.family == 4 ? DNS_A : DNS_AAAA;
}

int
spf_lookup(struct dns *dns, struct arena *arena, struct slice domain,
    struct slice *text_r, bool *secure_r, struct err *e)
{
	struct dns_answer a;
	int rc = dns_query(dns, arena, domain, DNS_TXT, &a, e);
	int found = 0;

	*text_r = SLICE_NULL;
	*secure_r = rc >= 0 && a.secure;
	for (size_t i = 0; rc > 0 && i < a.n; i++)
		if (spf_is_record(a.v[i].text)) {
			*text_r = a.v[i].text;
			found++;
		}
	if (found > 1)
		return err_set(e, ERR_SYNTAX,
		    "spf: %.*s has more than one SPF record",
		    SLICE_FMT(domain));
	return rc < 0 ? -1 : found;
}

/* ---- names of the client's address ---- */

static bool
has_address(const struct check *c, const struct dns_answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (ip_eq(&a->v[i].ip, &c->args->ip))
			return true;
	return false;
}

/*
 * 5.5: those of the first 10 names that have the address. Errors are as if
 * there were no names. They are not void look-ups of 4.6.4: whether there are
 * names is the client's doing, who would have a fail become a permerror.
 */
static void
validate_names(struct check *c)
{
	struct dns_answer ptr, a;
	int rc;

	if (c->validated)
		return;
	c->validated = true;
	rc = dns_reverse(c->dns, c->arena, &c->args->ip, &ptr, NULL);
	c->r->secure = c->r->secure && rc >= 0 && ptr.secure;
	if (rc < 0)
		return;
	if (ptr.n > NAMES_MAX)
		ptr.n = NAMES_MAX;
	for (size_t i = 0; i < ptr.n; i++)
		dns_start(c->dns, ptr.v[i].host, address_type(c));
	for (size_t i = 0; i < ptr.n; i++)
		if (query(c, ptr.v[i].host, address_type(c), &a, NULL) > 0 &&
		    has_address(c, &a))
			c->names[c->nnames++] = ptr.v[i].host;
}

/* %{p}: best the domain itself, then one below it, then any. */
static struct slice
validated_name(void *ctx)
{
	struct check *c = ctx;
	struct slice best = SLICE("unknown");
	int rank = 0;

	validate_names(c);
	for (size_t i = 0; i < c->nnames; i++) {
		int is = dns_name_eq(c->names[i], c->domain)  ? 3
		    : dns_name_within(c->names[i], c->domain) ? 2
							      : 1;
		if (is > rank) {
			best = c->names[i];
			rank = is;
		}
	}
	return best;
}

/* ---- macros ---- */

static void
expand(struct check *c, struct buf *out, struct slice macros)
{
	const struct spf_macros m = {
		.args = c->args,
		.local = c->local,
		.sender_domain = c->sender_domain,
		.domain = c->domain,
		.validated = validated_name,
		.ctx = c,
	};

	spf_macro_expand(out, macros, &m);
}

/* As a name is asked for: bytes that are not printable as \DDD. */
static void
add_name_bytes(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];
		if (!scan_print[b] || b == '\\')
			buf_addf(out, "\\%03u", b);
		else
			buf_addc(out, (char)b);
	}
}

/* A domain-spec as a name; 7.3: labels on the left are cut until it fits. */
static struct slice
target_name(struct check *c, struct slice spec)
{
	struct buf expanded = BUF_INIT(EXPANDED_MAX);
	struct buf escaped = BUF_INIT(EXPANDED_MAX * 4);
	struct slice name;

	if (spec.n == 0)
		return c->domain;
	expand(c, &expanded, spec);
	name = buf_slice(&expanded);
	if (slice_ends(name, SLICE(".")))
		name = slice_head(name, name.n - 1);
	while (name.n > DNS_NAME_MAX && dns_name_parent(name, &name))
		;
	if (!expanded.over)
		add_name_bytes(&escaped, name);
	name = arena_dup(c->arena, buf_slice(&escaped));
	buf_free(&expanded);
	buf_free(&escaped);
	return name;
}

/* ---- mechanisms ---- */

/*
 * Each returns 1 for a match, 0 for none, -1 to end with *status_r.
 */
typedef int (*matcher)(struct check *c, const struct spf_directive *d,
    enum spf_status *status_r);

static enum spf_status check_host(struct check *c, struct slice domain,
    bool included);

static bool
in_network(const struct check *c, const struct ip *ip,
    const struct spf_directive *d)
{
	const struct ip *client = &c->args->ip;
	unsigned bits = client->family == 4 ? d->bits4 : d->bits6;
	struct ip a = ip_mask(ip, bits), b = ip_mask(client, bits);

	return ip->family == client->family && ip_eq(&a, &b);
}

static int
match_all(struct check *c, const struct spf_directive *d,
    enum spf_status *status_r)
{
	(void)c;
	(void)d;
	(void)status_r;
	return 1;
}

static int
match_ip(struct check *c, const struct spf_directive *d,
    enum spf_status *status_r)
{
	(void)status_r;
	return in_network(c, &d->ip, d);
}

/* Has a name an address in the directive's network? */
static int
match_host(struct check *c, struct slice name, const struct spf_directive *d,
    enum spf_status *status_r)
{
	struct dns_answer a;
	int rc = term_query(c, name, address_type(c), &a, status_r);

	for (size_t i = 0; rc > 0 && i < a.n; i++)
		if (in_network(c, &a.v[i].ip, d))
			return 1;
	return rc < 0 ? -1 : 0;
}

static int
match_a(struct check *c, const struct spf_directive *d,
    enum spf_status *status_r)
{
	return match_host(c, target_name(c, d->domain), d, status_r);
}

static int
match_mx(struct check *c, const struct spf_directive *d,
    enum spf_status *status_r)
{
	struct dns_answer mx;
	int rc =
	    term_query(c, target_name(c, d->domain), DNS_MX, &mx, status_r);

	if (rc < 0)
		return -1;
	if (mx.n > NAMES_MAX) {
		*status_r = problem(c, SPF_PERMERROR, "too many MX records");
		return -1;
	}
	for (size_t i = 0; i < mx.n; i++)
		if (mx.v[i].mx.host.n > 0)
			dns_start(c->dns, mx.v[i].mx.host, address_type(c));
	for (size_t i = 0; i < mx.n; i++) {
		if (mx.v[i].mx.host.n == 0)
			continue; /* null MX */
		rc = match_host(c, mx.v[i].mx.host, d, status_r);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
match_ptr(struct check *c, const struct spf_directive *d,
    enum spf_status *status_r)
{
	struct slice target = target_name(c, d->domain);

	(void)status_r;
	validate_names(c);
	for (size_t i = 0; i < c->nnames; i++)
		if (dns_name_within(c->names[i], target))
			return 1;
	return 0;
}

static int
match_exists(struct check *c, const struct spf_directive *d,
    enum spf_status *status_r)
{
	struct dns_answer a;

	return term_query(c, target_name(c, d->domain), DNS_A, &a, status_r);
}

/* 5.2 */
static int
match_include(struct check *c, const struct spf_directive *d,
    enum spf_status *status_r)
{
	struct slice outer = c->domain;
	enum spf_status status = check_host(c, target_name(c, d->domain), true);

	c->domain = outer;
	switch (status) {
	case SPF_PASS:
		return 1;
	case SPF_TEMPERROR:
	case SPF_PERMERROR:
		*status_r = status;
		return -1;
	case SPF_NONE:
		*status_r = problem(c, SPF_PERMERROR,
		    "an included domain has no SPF record");
		return -1;
	default:
		return 0;
	}
}

static const struct {
	matcher match;
	bool counts; /* as a term that asks DNS */
} mechanisms[] = {
	[SPF_ALL] = { match_all, false },
	[SPF_INCLUDE] = { match_include, true },
	[SPF_A] = { match_a, true },
	[SPF_MX] = { match_mx, true },
	[SPF_PTR] = { match_ptr, true },
	[SPF_IP4] = { match_ip, false },
	[SPF_IP6] = { match_ip, false },
	[SPF_EXISTS] = { match_exists, true },
};

static enum spf_status
qualified(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

/* ---- records ---- */

/* 6.2: nothing but exactly one TXT record with a good text counts. */
static void
explain(struct check *c, struct slice exp)
{
	struct buf text = BUF_INIT(EXPLANATION_MAX);
	struct slice name = target_name(c, exp);
	struct dns_answer a;

	if (dns_name_valid(name) && query(c, name, DNS_TXT, &a, NULL) == 1 &&
	    a.n == 1 && spf_is_macro_string(a.v[0].text, true)) {
		expand(c, &text, a.v[0].text);
		if (!text.over)
			c->r->explanation =
			    arena_dup(c->arena, buf_slice(&text));
	}
	buf_free(&text);
}

/* 6.1 */
static enum spf_status
redirect(struct check *c, struct slice spec, bool included)
{
	enum spf_status status;

	if (!count_term(c))
		return SPF_PERMERROR;
	status = check_host(c, target_name(c, spec), included);
	if (status == SPF_NONE)
		return problem(c, SPF_PERMERROR,
		    "the domain redirected to has no SPF record");
	return status;
}

static enum spf_status
evaluate(struct check *c, const struct spf_record *record, bool included)
{
	for (size_t i = 0; i < record->ndirectives; i++) {
		const struct spf_directive *d = &record->directives[i];
		enum spf_status status = SPF_PERMERROR;
		int rc = -1;
		if (!mechanisms[d->mechanism].counts || count_term(c))
			rc = mechanisms[d->mechanism].match(c, d, &status);
		if (rc == 0)
			continue;
		if (rc > 0)
			status = qualified(d->qualifier);
		if (!included) {
			c->r->mechanism = d->text;
			if (status == SPF_FAIL && record->exp.n > 0)
				explain(c, record->exp);
		}
		return status;
	}
	if (record->redirect.n > 0)
		return redirect(c, record->redirect, included);
	if (!included)
		c->r->mechanism = SLICE("default");
	return SPF_NEUTRAL; /* 4.7 */
}

/* 4.3 to 4.6. Leaves c->domain changed. */
static enum spf_status
check_host(struct check *c, struct slice domain, bool included)
{
	struct err e = ERR_INIT;
	struct spf_record record;
	struct slice text;
	bool secure;
	int rc;

	if (!dns_name_valid(domain) || dns_name_labels(domain) < 2 ||
	    domain.p[0] == '[')
		return SPF_NONE;
	c->domain = domain;
	rc = spf_lookup(c->dns, c->arena, domain, &text, &secure, &e);
	c->r->secure = c->r->secure && secure;
	if (rc < 0)
		return problem(c,
		    e.kind == ERR_TEMP ? SPF_TEMPERROR : SPF_PERMERROR, e.text);
	if (rc == 0)
		return SPF_NONE;
	if (spf_parse(c->arena, text, &record, &e) < 0)
		return problem(c, SPF_PERMERROR, e.text);
	return evaluate(c, &record, included);
}

/* 2.3 and 2.4 */
static struct slice
identity(const struct spf_args *args)
{
	return args->domain.n > 0 ? args->domain : args->helo;
}

void
spf_start(struct dns *dns, const struct spf_args *args)
{
	dns_start(dns, identity(args), DNS_TXT);
}

void
spf_verify(struct dns *dns, struct arena *arena, const struct spf_args *args,
    struct spf_result *result_r)
{
	struct check c = {
		.dns = dns,
		.arena = arena,
		.args = args,
		.r = result_r,
		.sender_domain = identity(args),
		.local = args->domain.n > 0 && args->local.n > 0
		    ? args->local
		    : SLICE("postmaster"), /* 4.3 */
	};

	*result_r = (struct spf_result){
		.helo = args->domain.n == 0,
		.domain = identity(args),
		.secure = true,
	};
	result_r->status = check_host(&c, identity(args), false);
	if (result_r->status == SPF_NONE)
		result_r->secure = false;
}
