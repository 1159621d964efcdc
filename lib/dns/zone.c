/* zone - DNS answers from a text. */
#include "dns/zone.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scan.h"
#include "dns/name.h"

#define ZONE_MAX (16 * 1024 * 1024) /* tests have a few lines */
#define TTL 300
#define CNAMES_MAX 8 /* then it is a loop: ERR_TEMP, as resolvers say */

/* Beside record types: what is said of names. */
enum { ZONE_FAIL = 0x10000, ZONE_BOGUS, ZONE_SECURE };

struct entry {
	struct slice name;
	int type; /* enum dns_type or the above */
	int only; /* of FAIL and BOGUS: for this type; 0: for all */
	struct dns_record record;
};

struct zone {
	struct dns dns; /* first: a handle is one */
	struct arena *arena;
	struct entry *v;
	size_t n, size;
};

/* ---- reading ---- */

/* Up to the quote that ends a text, past escaped ones. */
static bool
quoted(struct scan *sc, struct slice *field_r)
{
	const char *start = sc->p;

	while (!scan_end(sc) && *sc->p != '"')
		sc->p += *sc->p == '\\' && sc->p + 1 < sc->end ? 2 : 1;
	*field_r = slice_of(start, (size_t)(sc->p - start));
	return scan_char(sc, '"');
}

/* RFC 1035, 5.1: \DDD is a byte, \X is X. */
static bool
unescape(struct buf *out, struct slice s)
{
	struct scan sc = scan_of(s);
	unsigned byte;

	while (!scan_end(&sc)) {
		if (!scan_char(&sc, '\\'))
			buf_addc(out, *sc.p++);
		else if (scan_digits(&sc, 3, &byte) && byte <= UINT8_MAX)
			buf_addc(out, (char)byte);
		else if (!scan_end(&sc) && !scan_digit[(unsigned char)*sc.p])
			buf_addc(out, *sc.p++);
		else
			return false;
	}
	return true;
}

/* The next field; a quoted one may hold blanks. */
static bool
field(struct scan *sc, struct slice *field_r)
{
	struct scan start;

	scan_skip(sc, scan_wsp);
	start = *sc;
	if (scan_char(sc, '"'))
		return quoted(sc, field_r);
	while (!scan_end(sc) && *sc->p != ' ' && *sc->p != '\t')
		sc->p++;
	*field_r = slice_of(start.p, (size_t)(sc->p - start.p));
	return field_r->n > 0;
}

static bool
number(struct scan *sc, uint32_t max, uint32_t *v_r)
{
	struct slice text;

	return field(sc, &text) && slice_u32(text, v_r) && *v_r <= max;
}

static bool
number16(struct scan *sc, uint16_t *v_r)
{
	uint32_t v;

	if (!number(sc, UINT16_MAX, &v))
		return false;
	*v_r = (uint16_t)v;
	return true;
}

static bool
host(struct scan *sc, struct slice *host_r)
{
	if (!field(sc, host_r))
		return false;
	if (slice_is(*host_r, ".")) { /* RFC 7505: null MX */
		*host_r = SLICE_NULL;
		return true;
	}
	return dns_name_valid(*host_r);
}

static bool
text(struct arena *arena, struct scan *sc, struct slice *text_r)
{
	struct buf b = BUF_INIT(64 * 1024);
	struct slice part;
	bool ok = true;

	while (ok && (scan_skip(sc, scan_wsp), !scan_end(sc))) {
		ok = field(sc, &part) && unescape(&b, part);
	}
	*text_r = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return ok;
}

static bool
hex(struct arena *arena, struct scan *sc, struct slice *data_r)
{
	struct slice digits;
	uint64_t byte;
	char *p;

	if (!field(sc, &digits) || digits.n % 2 != 0)
		return false;
	p = arena_alloc(arena, digits.n / 2);
	for (size_t i = 0; i < digits.n / 2; i++) {
		if (!slice_hex64(slice_sub(digits, 2 * i, 2 * i + 2), &byte))
			return false;
		p[i] = (char)byte;
	}
	*data_r = slice_of(p, digits.n / 2);
	return true;
}

static bool
tlsa(struct arena *arena, struct scan *sc, struct dns_record *r)
{
	uint32_t usage, selector, matching;

	if (!number(sc, UINT8_MAX, &usage) ||
	    !number(sc, UINT8_MAX, &selector) ||
	    !number(sc, UINT8_MAX, &matching))
		return false;
	r->tlsa.usage = (uint8_t)usage;
	r->tlsa.selector = (uint8_t)selector;
	r->tlsa.matching = (uint8_t)matching;
	return hex(arena, sc, &r->tlsa.data);
}

/* RFC 8659, 4.2 */
static bool
caa(struct arena *arena, struct scan *sc, struct dns_record *r)
{
	uint32_t flags;

	if (!number(sc, UINT8_MAX, &flags) || !field(sc, &r->caa.tag))
		return false;
	r->caa.flags = (uint8_t)flags;
	return text(arena, sc, &r->caa.value);
}

static bool
data(struct arena *arena, struct scan *sc, int type, struct dns_record *r)
{
	struct slice address;

	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		return field(sc, &address) && ip_parse(address, &r->ip) &&
		    r->ip.family == (type == DNS_A ? 4 : 6);
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
		return host(sc, &r->host);
	case DNS_MX:
		return number16(sc, &r->mx.preference) && host(sc, &r->mx.host);
	case DNS_TXT:
		return text(arena, sc, &r->text);
	case DNS_SRV:
		return number16(sc, &r->srv.priority) &&
		    number16(sc, &r->srv.weight) &&
		    number16(sc, &r->srv.port) && host(sc, &r->srv.host);
	case DNS_TLSA:
		return tlsa(arena, sc, r);
	case DNS_CAA:
		return caa(arena, sc, r);
	default:
		return true;
	}
}

static bool
type_of(struct slice name, int *type_r)
{
	enum dns_type type;

	if (slice_is(name, "FAIL"))
		*type_r = ZONE_FAIL;
	else if (slice_is(name, "BOGUS"))
		*type_r = ZONE_BOGUS;
	else if (slice_is(name, "SECURE"))
		*type_r = ZONE_SECURE;
	else if (dns_type_parse(name, &type))
		*type_r = (int)type;
	else
		return false;
	return true;
}

/* What follows FAIL and BOGUS, perhaps. */
static bool
only(struct scan *sc, int *type_r)
{
	enum dns_type type = 0;
	struct slice name;

	scan_skip(sc, scan_wsp);
	if (scan_end(sc))
		return true;
	if (!field(sc, &name) || !dns_type_parse(name, &type))
		return false;
	*type_r = (int)type;
	return true;
}

static bool
add_line(struct zone *z, struct slice line)
{
	struct scan sc = scan_of(line);
	struct entry entry = { .record.ttl = TTL };
	struct slice type;

	if (line.n == 0 || line.p[0] == '#')
		return true;
	if (!field(&sc, &entry.name) || !dns_name_valid(entry.name) ||
	    !field(&sc, &type) || !type_of(type, &entry.type) ||
	    !data(z->arena, &sc, entry.type, &entry.record) ||
	    ((entry.type == ZONE_FAIL || entry.type == ZONE_BOGUS) &&
		!only(&sc, &entry.only)))
		return false;
	scan_skip(&sc, scan_wsp);
	if (!scan_end(&sc))
		return false;
	if (z->n == z->size) {
		z->size = z->size * 2 + 16;
		z->v = xreallocarray(z->v, z->size, sizeof(*z->v));
	}
	z->v[z->n++] = entry;
	return true;
}

/* ---- answering ---- */

/* Is name at or below one of which this was said, for this type? */
static bool
is_said(const struct zone *z, struct slice name, int what, enum dns_type type)
{
	for (size_t i = 0; i < z->n; i++)
		if (z->v[i].type == what &&
		    (z->v[i].only == 0 || z->v[i].only == (int)type) &&
		    (what == ZONE_SECURE ? dns_name_within(name, z->v[i].name)
					 : dns_name_eq(name, z->v[i].name)))
			return true;
	return false;
}

/* Has the name, or one below it, any record? */
static bool
exists(const struct zone *z, struct slice name)
{
	for (size_t i = 0; i < z->n; i++)
		if (z->v[i].type < ZONE_FAIL &&
		    dns_name_within(z->v[i].name, name))
			return true;
	return false;
}

static void
collect(const struct zone *z, struct arena *arena, struct slice name,
    enum dns_type type, struct dns_answer *a)
{
	a->v = arena_array(arena, z->n, sizeof(*a->v));
	a->n = 0;
	for (size_t i = 0; i < z->n; i++)
		if (z->v[i].type == (int)type &&
		    dns_name_eq(z->v[i].name, name))
			a->v[a->n++] = z->v[i].record;
}

static int
zone_query(struct dns *dns, struct arena *arena, struct slice name,
    enum dns_type type, struct dns_answer *a, struct err *e)
{
	const struct zone *z = (const struct zone *)dns;
	struct dns_answer alias;
	bool secure = true;

	for (int i = 0; i < CNAMES_MAX; i++) {
		a->name = name;
		a->bogus = is_said(z, name, ZONE_BOGUS, type);
		if (a->bogus || is_said(z, name, ZONE_FAIL, type)) {
			a->why = slice_str(a->bogus ? "said to be" : "");
			return err_set(e, ERR_TEMP, "dns: %s for %.*s",
			    a->bogus ? "bogus answer" : "no answer",
			    SLICE_FMT(name));
		}
		secure = secure && is_said(z, name, ZONE_SECURE, type);
		a->secure = secure;
		collect(z, arena, name, type, a);
		if (a->n > 0)
			return 1;
		collect(z, arena, name, DNS_CNAME, &alias);
		if (alias.n == 0) {
			a->nxdomain = !exists(z, name);
			return 0;
		}
		name = alias.v[0].host;
	}
	return err_set(e, ERR_TEMP, "dns: CNAME loop");
}

/* ---- handles ---- */

static void
zone_free(struct dns *dns)
{
	struct zone *z = (struct zone *)dns;

	arena_free(&z->arena);
	free(z->v);
	free(z);
}

struct dns *
dns_zone_new(struct slice zone, struct err *e)
{
	struct zone *z = xcalloc(1, sizeof(*z));
	struct dns *dns = &z->dns;
	struct slice rest, line;
	unsigned n = 0;

	z->dns.query = zone_query;
	z->dns.free = zone_free;
	z->arena = arena_new(0);
	rest = arena_dup(z->arena, zone);
	while (dns != NULL && slice_line(&rest, &line)) {
		n++;
		if (!add_line(z, slice_trim(line))) {
			err_set(e, ERR_SYNTAX, "zone: line %u is wrong", n);
			dns_zone_free(&dns);
		}
	}
	return dns;
}

struct dns *
dns_zone_load(const char *path, struct err *e)
{
	struct buf b = BUF_INIT(ZONE_MAX);
	struct dns *dns = NULL;
	int rc = file_read(AT_FDCWD, path, &b, e);

	if (rc == 0)
		err_set(e, ERR_PERM, "%s: no such file", path);
	if (rc > 0)
		dns = dns_zone_new(buf_slice(&b), e);
	buf_free(&b);
	return dns;
}

void
dns_zone_free(struct dns **dns)
{
	dns_free(dns);
}
