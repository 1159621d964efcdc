/* dmarc - is the domain in From behind this message? */
#include "dmarc/dmarc.h"

#include "dns/name.h"
#include "dns/orgdomain.h"
#include "text/idna.h"

#define WALK_MAX 8 /* questions of a tree walk (DMARCbis, 4.10) */

const char *
dmarc_status_name(enum dmarc_status status)
{
	static const char *names[] = {
		[DMARC_NONE] = "none",
		[DMARC_PASS] = "pass",
		[DMARC_FAIL] = "fail",
		[DMARC_TEMPERROR] = "temperror",
		[DMARC_PERMERROR] = "permerror",
	};

	return names[status];
}

/* ---- records ---- */

static void
not_found(struct arena *arena, struct dmarc_found *f, enum dmarc_status status,
    const struct err *e)
{
	f->status = status;
	f->why = arena_dup(arena, slice_str(e->text));
}

/* The answer to a question for records: one is wanted. Returns whether there
 * was any. */
static bool
take_answer(struct arena *arena, const struct dns_answer *answer,
    struct dmarc_found *f)
{
	struct err e = ERR_INIT;
	struct dmarc_record record;
	size_t n = 0;

	for (size_t i = 0; i < answer->n; i++) {
		int rc =
		    dmarc_record_parse(arena, answer->v[i].text, &record, &e);

		if (rc < 0) {
			not_found(arena, f, DMARC_PERMERROR, &e);
			return true;
		}
		if (rc == 1 && n++ == 0)
			f->record = record;
	}
	if (n == 1) {
		f->status = DMARC_PASS;
		return true;
	}
	err_set(&e, ERR_PERM, n == 0 ? "no record" : "several records");
	not_found(arena, f, DMARC_NONE, &e);
	f->record = (struct dmarc_record){ .percent = 100 };
	return n > 1;
}

/* The record at a name. Returns whether there was any, good or not: then no
 * other is looked for (RFC 7489, 6.6.3). */
static bool
look_at(struct dns *dns, struct arena *arena, struct slice domain,
    struct dmarc_found *f)
{
	struct dns_answer answer;
	struct err e = ERR_INIT;
	struct slice name;

	*f = (struct dmarc_found){ .domain = domain };
	name = arena_printf(arena, "_dmarc.%.*s", SLICE_FMT(domain));
	if (dns_query(dns, arena, name, DNS_TXT, &answer, &e) < 0) {
		not_found(arena, f,
		    e.kind == ERR_TEMP ? DMARC_TEMPERROR : DMARC_PERMERROR, &e);
		return true;
	}
	f->secure = answer.secure;
	return take_answer(arena, &answer, f);
}

/* DMARCbis, 4.10, steps 4 and 7. */
static bool
walk_up(struct slice *domain)
{
	do {
		if (!dns_name_parent(*domain, domain) || domain->n == 0)
			return false;
	} while (dns_name_labels(*domain) > WALK_MAX - 1);
	return true;
}

/*
 * DMARCbis, 4.10.2: the organizational domain is the highest with a record,
 * unless psd= says where it is. *top_r is the record that a domain without one
 * of its own has. Returns false if an answer failed: *top_r says how.
 */
static bool
tree_walk(struct dns *dns, struct arena *arena, struct slice domain,
    struct slice *org_r, struct dmarc_found *top_r)
{
	struct slice at = domain, below = domain;
	struct dmarc_found f;
	bool secure = true;

	*top_r = (struct dmarc_found){ .status = DMARC_NONE };
	*org_r = domain;
	for (int i = 0; i < WALK_MAX; i++) {
		look_at(dns, arena, at, &f);
		f.secure = secure = secure && f.secure;
		if (f.status == DMARC_TEMPERROR) {
			*top_r = f;
			return false;
		}
		if (f.status == DMARC_PASS) {
			*top_r = f;
			*org_r = at;
			if (f.record.psd == DMARC_PSD_YES && i > 0)
				*org_r = below;
			if (f.record.psd != DMARC_PSD_UNKNOWN)
				return true;
		}
		below = at;
		if (!walk_up(&at))
			break;
	}
	if (top_r->status == DMARC_NONE) {
		*top_r = f;
		top_r->status = DMARC_NONE;
		top_r->why = SLICE("no record");
	}
	return true;
}

static void
lookup_ascii(struct dns *dns, struct arena *arena, struct slice domain,
    bool walk, struct dmarc_found *f)
{
	struct slice org;
	bool secure;

	if (look_at(dns, arena, domain, f) &&
	    (!walk || f->status == DMARC_PASS))
		return;
	if (walk) {
		tree_walk(dns, arena, domain, &org, f);
		return;
	}
	org = dns_orgdomain(domain);
	if (dns_name_eq(org, domain))
		return;
	secure = f->secure;
	look_at(dns, arena, org, f);
	f->secure = f->secure && secure;
}

void
dmarc_lookup(struct dns *dns, struct arena *arena, struct slice domain,
    bool walk, struct dmarc_found *found_r)
{
	struct err e = ERR_INIT;
	struct slice ascii;

	*found_r = (struct dmarc_found){ .domain = domain };
	if (idna_ascii(arena, domain, &ascii, &e) < 0)
		not_found(arena, found_r, DMARC_PERMERROR, &e);
	else
		lookup_ascii(dns, arena, ascii, walk, found_r);
}

void
dmarc_start(struct dns *dns, struct arena *arena, struct slice domain)
{
	struct slice ascii, org;

	if (idna_ascii(arena, domain, &ascii, NULL) < 0)
		return;
	dns_start(dns, arena_printf(arena, "_dmarc.%.*s", SLICE_FMT(ascii)),
	    DNS_TXT);
	org = dns_orgdomain(ascii);
	if (!dns_name_eq(org, ascii))
		dns_start(dns,
		    arena_printf(arena, "_dmarc.%.*s", SLICE_FMT(org)),
		    DNS_TXT);
}

/* ---- alignment ---- */

struct alignment {
	struct dns *dns;
	struct arena *arena;
	struct slice from; /* ASCII */
	bool walk;
};

static struct slice
organization(const struct alignment *a, struct slice domain)
{
	struct dmarc_found top;
	struct slice org;

	if (!a->walk)
		return dns_orgdomain(domain);
	tree_walk(a->dns, a->arena, domain, &org, &top);
	return org;
}

/* RFC 7489, 3.1 */
static bool
is_aligned(const struct alignment *a, struct slice domain, bool strict)
{
	struct slice ascii;

	if (idna_ascii(a->arena, domain, &ascii, NULL) < 0)
		return false;
	if (dns_name_eq(ascii, a->from))
		return true;
	return !strict &&
	    dns_name_eq(organization(a, ascii), organization(a, a->from));
}

/* What the record says of this domain. */
static enum dmarc_policy
policy_for(const struct alignment *a, const struct dmarc_found *found)
{
	const struct dmarc_record *r = &found->record;
	struct dns_answer answer;

	if (dns_name_eq(found->domain, a->from))
		return r->policy;
	if (a->walk && r->nonexistent_policy != DMARC_POLICY_UNSET &&
	    dns_query(a->dns, a->arena, a->from, DNS_A, &answer, NULL) == 0 &&
	    answer.nxdomain)
		return r->nonexistent_policy;
	if (r->subdomain_policy != DMARC_POLICY_UNSET)
		return r->subdomain_policy;
	return r->policy;
}

/* RFC 7489, 6.6.4. DMARCbis, 4.7: t=y asks for a step less. */
static bool
is_spared(const struct dmarc_args *args, const struct dmarc_record *r)
{
	if (args->tree_walk)
		return r->testing;
	return !args->all && r->percent < 100 &&
	    rand_below(args->rand, 100) >= r->percent;
}

static void
judge(const struct alignment *a, const struct dmarc_args *args,
    struct dmarc_result *r)
{
	const struct dmarc_record *record = &r->found.record;
	bool spf_own = (args->spf_pass || args->spf_temperror) &&
	    is_aligned(a, args->spf_domain, record->spf_strict);
	/* Another's must not save a forged message from its policy. */
	bool temperror = spf_own && args->spf_temperror;

	r->policy = policy_for(a, &r->found);
	r->spf_aligned = spf_own && args->spf_pass;
	for (size_t i = 0; args->dkim != NULL && i < args->dkim->n; i++) {
		const struct dkim_result *d = &args->dkim->v[i];

		if ((d->status != DKIM_PASS && d->status != DKIM_TEMPERROR) ||
		    !is_aligned(a, d->sig.domain, record->dkim_strict))
			continue;
		if (d->status == DKIM_PASS)
			r->dkim_aligned = true;
		else
			temperror = true;
	}
	if (r->spf_aligned || r->dkim_aligned) {
		r->status = DMARC_PASS;
	} else if (temperror) { /* what failed might have passed */
		r->status = DMARC_TEMPERROR;
	} else {
		r->status = DMARC_FAIL;
		r->spared =
		    r->policy > DMARC_POLICY_NONE && is_spared(args, record);
		r->reject = r->policy > DMARC_POLICY_NONE && !r->spared;
	}
}

void
dmarc_verify(struct dns *dns, struct arena *arena,
    const struct dmarc_args *args, struct dmarc_result *result_r)
{
	struct alignment a = {
		.dns = dns, .arena = arena, .walk = args->tree_walk
	};

	*result_r = (struct dmarc_result){ .policy = DMARC_POLICY_UNSET };
	dmarc_lookup(dns, arena, args->from_domain, args->tree_walk,
	    &result_r->found);
	result_r->status = result_r->found.status;
	if (result_r->found.status == DMARC_PASS &&
	    idna_ascii(arena, args->from_domain, &a.from, NULL) == 0)
		judge(&a, args, result_r);
}

/* ---- telling it ---- */

/* ---- reports ---- */

void
dmarc_report_accepted(struct dns *dns, struct arena *arena, struct slice domain,
    struct slice to_domain, struct dmarc_report_check *check_r)
{
	struct dmarc_report_check *c = check_r;
	struct slice from, to;
	struct dns_answer answer;
	struct dmarc_record record;
	struct err e = ERR_INIT;
	int rc;

	*c = (struct dmarc_report_check){ .status = DMARC_PERMERROR };
	if (idna_ascii(arena, domain, &from, &e) < 0 ||
	    idna_ascii(arena, to_domain, &to, &e) < 0)
		goto failed;
	if (dns_same_org(from, to)) {
		c->status = DMARC_PASS;
		c->internal = true;
		return;
	}
	c->name = arena_printf(arena, "%.*s._report._dmarc.%.*s",
	    SLICE_FMT(from), SLICE_FMT(to));
	if (dns_query(dns, arena, c->name, DNS_TXT, &answer, &e) < 0)
		goto failed;
	c->secure = answer.secure;
	c->status = DMARC_FAIL;
	c->why = SLICE("no record");
	for (size_t i = 0; i < answer.n; i++) {
		rc = dmarc_record_parse_report(arena, answer.v[i].text, &record,
		    &e);
		if (rc < 0)
			goto failed;
		if (rc == 1) {
			c->status = DMARC_PASS;
			c->text = record.text;
			c->rua = record.rua;
			c->why = SLICE_NULL;
		}
	}
	return;
failed:
	c->status = e.kind == ERR_TEMP ? DMARC_TEMPERROR : DMARC_PERMERROR;
	c->why = arena_dup(arena, slice_str(e.text));
}
