/* iprev - forward-confirmed reverse names. */
#include "iprev/iprev.h"

const char *
iprev_status_name(enum iprev_status status)
{
	static const char *const names[] = { "pass", "fail", "temperror",
		"permerror" };

	return names[status];
}

static bool
has_address(const struct dns_answer *a, const struct ip *ip)
{
	for (size_t i = 0; i < a->n; i++)
		if (ip_eq(&a->v[i].ip, ip))
			return true;
	return false;
}

/* Keep the names, and ask for their addresses all at once. */
static void
take_names(struct dns *dns, struct arena *arena, const struct dns_answer *ptr,
    enum dns_type type, struct iprev_result *r)
{
	size_t n = ptr->n < IPREV_NAMES ? ptr->n : IPREV_NAMES;
	struct slice *names = arena_array(arena, n, sizeof(*names));

	for (size_t i = 0; i < n; i++) {
		names[i] = ptr->v[i].host;
		dns_start(dns, names[i], type);
	}
	r->names = names;
	r->nnames = n;
}

static void
set_problem(struct iprev_result *r, struct arena *arena, const struct err *e)
{
	r->status = IPREV_TEMPERROR;
	r->problem = arena_dup(arena, slice_str(e->text));
}

void
iprev_check(struct dns *dns, struct arena *arena, const struct ip *ip,
    struct iprev_result *r)
{
	enum dns_type type = ip->family == 4 ? DNS_A : DNS_AAAA;
	struct dns_answer ptr, a;
	struct err e = ERR_INIT;
	int rc = dns_reverse(dns, arena, ip, &ptr, &e);
	bool secure = rc >= 0 && ptr.secure;

	*r = (struct iprev_result){ .status = IPREV_PERMERROR,
		.secure = secure };
	if (rc < 0)
		set_problem(r, arena, &e);
	if (rc <= 0)
		return;
	take_names(dns, arena, &ptr, type, r);
	r->status = IPREV_FAIL;
	for (size_t i = 0; i < r->nnames; i++) {
		rc = dns_query(dns, arena, r->names[i], type, &a, &e);
		if (rc > 0 && has_address(&a, ip)) {
			r->status = IPREV_PASS;
			r->name = r->names[i];
			r->secure = ptr.secure && a.secure;
			r->problem = SLICE_NULL;
			return;
		}
		/* A name that cannot be has no address. */
		if (rc < 0 && e.kind == ERR_TEMP)
			set_problem(r, arena, &e);
		secure = secure && rc >= 0 && a.secure;
	}
	r->secure = secure;
}
