/* dnscheck_status - what decides which records a domain should have. */
#include "dns/name.h"
#include "host/dnscheck.h"

#define CAA_LEVELS 8 /* names that are asked, from the domain up */

static void
start(struct dns *dns, struct slice host, struct slice domain)
{
	dns_start(dns, host, DNS_A);
	dns_start(dns, domain, DNS_NS);
	for (int i = 0; i < CAA_LEVELS && domain.n > 0; i++) {
		dns_start(dns, domain, DNS_CAA);
		dns_name_parent(domain, &domain);
	}
}

/* As dns_query, and the first that fails is kept. */
static int
ask(struct dns *dns, struct arena *arena, struct slice name, enum dns_type type,
    struct dns_answer *a, struct dnscheck_status *s)
{
	struct err e = ERR_INIT;
	int rc = dns_query(dns, arena, name, type, a, &e);

	if (rc < 0 && s->why.n == 0)
		s->why = arena_dup(arena, slice_str(e.text));
	return rc;
}

/* RFC 8659, 3: the first name with records, from the domain upwards. */
static bool
has_caa(struct dns *dns, struct arena *arena, struct slice name,
    struct dnscheck_status *s)
{
	struct dns_answer a;

	for (int i = 0; i < CAA_LEVELS && name.n > 0; i++) {
		if (ask(dns, arena, name, DNS_CAA, &a, s) > 0)
			return true;
		dns_name_parent(name, &name);
	}
	return false;
}

void
dnscheck_status(struct dns *dns, struct arena *arena, struct slice host,
    struct slice domain, struct dnscheck_status *status_r)
{
	struct dns_answer a;

	*status_r = (struct dnscheck_status){ .why = SLICE_NULL };
	start(dns, host, domain);
	/* Whether the name is there yet does not matter. */
	if (ask(dns, arena, host, DNS_A, &a, status_r) >= 0)
		status_r->host_signed = a.secure;
	if (ask(dns, arena, domain, DNS_NS, &a, status_r) >= 0)
		status_r->domain_signed = a.secure;
	status_r->has_caa = has_caa(dns, arena, domain, status_r);
}
