/* dane - the TLSA records of a host. */
#include "dane/dane.h"

#include "base/buf.h"
#include "dns/name.h"

const char *
dane_status_name(enum dane_status status)
{
	static const char *const names[] = { "none", "usable", "unusable",
		"fail" };

	return names[status];
}

/* ---- where to look ---- */

/* RFC 7672, 2.2.2: the names that may have records, the better one first. */
static size_t
bases(const struct dane_host *host, struct slice v[2])
{
	size_t n = 0;

	if (host->secure)
		v[n++] = host->expanded;
	if (host->name_secure && !(n > 0 && dns_name_eq(v[0], host->name)))
		v[n++] = host->name;
	return n;
}

/* RFC 6698, 3. */
static struct slice
tlsa_name(struct arena *arena, struct slice base, uint16_t port)
{
	return arena_printf(arena, "_%u._tcp.%.*s", port, SLICE_FMT(base));
}

/* ---- what is there ---- */

static void
take(struct arena *arena, const struct dns_answer *a, struct dane_result *r)
{
	r->all = arena_array(arena, a->n, sizeof(*r->all));
	r->v = arena_array(arena, a->n, sizeof(*r->v));
	for (; r->nall < a->n; r->nall++) {
		struct tls_tlsa tlsa = dane_record(&a->v[r->nall]);
		r->all[r->nall] = tlsa;
		if (dane_usable(&tlsa))
			r->v[r->n++] = tlsa;
	}
	r->status = r->n > 0 ? DANE_USABLE : DANE_UNUSABLE;
	r->why = r->n > 0 ? SLICE_NULL
			  : arena_printf(arena,
				"none of the %zu TLSA records of %.*s can be "
				"used for SMTP",
				r->nall, SLICE_FMT(r->base));
}

/* True: this name decides. */
static bool
look(struct dns *dns, struct arena *arena, struct slice base, uint16_t port,
    struct dane_result *r)
{
	struct slice name = tlsa_name(arena, base, port);
	struct dns_answer a;
	struct err e = ERR_INIT;
	int rc;

	/* A host so long-named that the record's name is none has no record. */
	if (!dns_name_valid(name))
		return false;
	rc = dns_query(dns, arena, name, DNS_TLSA, &a, &e);
	if (rc < 0) {
		r->status = DANE_FAIL;
		r->bogus = a.bogus;
		r->why = arena_printf(arena, "TLSA records: %s", e.text);
		return true;
	}
	if (rc == 0 || !a.secure) {
		r->why = arena_printf(arena, "%s at %.*s",
		    rc == 0 ? "no TLSA records"
			    : "TLSA records not secured by DNSSEC",
		    SLICE_FMT(name));
		return false;
	}
	r->base = base;
	take(arena, &a, r);
	return true;
}

void
dane_lookup(struct dns *dns, struct arena *arena, const struct dane_host *host,
    uint16_t port, struct dane_result *r)
{
	struct slice v[2];
	size_t n = bases(host, v);

	*r = (struct dane_result){ .status = DANE_NONE,
		.why = SLICE("the addresses of the host are not secured by "
			     "DNSSEC") };
	for (size_t i = 0; i < n; i++)
		if (look(dns, arena, v[i], port, r))
			return;
}
