/* packet - answers as they come over the wire. */
#include "dns/packet.h"

#include "base/scan.h"
#include "dns/name.h"

#define HEADER 12
#define RECORDS_MAX 2000 /* in an answer; 64 KB hold some thousands */
#define CNAMES_MAX 16
#define NAME_TEXT_MAX (4 * 255) /* all of it as \DDD */

struct packet {
	const unsigned char *p;
	size_t n;
	struct arena *arena;
};

struct record {
	struct slice owner;
	unsigned type, class;
	uint32_t ttl;
	size_t at, n; /* its data */
};

/* ---- numbers and names ---- */

static unsigned
get16(const struct packet *pk, size_t at)
{
	return (unsigned)pk->p[at] << 8 | pk->p[at + 1];
}

static void
add_label(struct buf *out, const unsigned char *p, size_t n)
{
	if (out->n > 0)
		buf_addc(out, '.');
	for (size_t i = 0; i < n; i++)
		if (!scan_print[p[i]] || p[i] == '.' || p[i] == '\\')
			buf_addf(out, "\\%03u", p[i]);
		else
			buf_addc(out, (char)p[i]);
}

/*
 * The name at *at, which moves behind it. Pointers lead backwards only (RFC
 * 1035, 4.1.4), so this ends. The root is the empty text.
 */
static bool
take_name(const struct packet *pk, size_t *at, struct slice *name_r)
{
	struct buf text = BUF_INIT(NAME_TEXT_MAX);
	size_t pos = *at, lowest = pos;
	bool jumped = false, ok = false;

	while (pos < pk->n) {
		unsigned length = pk->p[pos];
		if (length == 0) {
			if (!jumped)
				*at = pos + 1;
			ok = !text.over;
			break;
		}
		if ((length & 0xc0) == 0xc0) {
			size_t to;
			if (pk->n - pos < 2)
				break;
			to = get16(pk, pos) & 0x3fff;
			if (!jumped)
				*at = pos + 2;
			jumped = true;
			if (to >= lowest)
				break;
			lowest = pos = to;
			continue;
		}
		if (length > DNS_LABEL_MAX || length >= pk->n - pos)
			break;
		add_label(&text, pk->p + pos + 1, length);
		pos += length + 1;
	}
	*name_r = ok ? arena_dup(pk->arena, buf_slice(&text)) : SLICE_NULL;
	buf_free(&text);
	return ok;
}

/* ---- data by type ---- */

/* A name that fills the data from at on. */
static bool
only_name(const struct packet *pk, size_t at, size_t end, struct slice *name_r)
{
	return take_name(pk, &at, name_r) && at == end;
}

/* Strings, each behind a byte with its length, joined. */
static bool
text_data(const struct packet *pk, size_t at, size_t end, struct slice *text_r)
{
	char *out = arena_alloc(pk->arena, end - at);
	size_t n = 0;

	while (at < end) {
		size_t length = pk->p[at++];
		if (length > end - at)
			return false;
		for (size_t i = 0; i < length; i++)
			out[n++] = (char)pk->p[at++];
	}
	*text_r = slice_of(out, n);
	return true;
}

static bool
tlsa_data(const struct packet *pk, size_t at, size_t end, struct dns_record *r)
{
	if (end - at < 3)
		return false;
	r->tlsa.usage = pk->p[at];
	r->tlsa.selector = pk->p[at + 1];
	r->tlsa.matching = pk->p[at + 2];
	r->tlsa.data = arena_dup(pk->arena,
	    slice_of((const char *)pk->p + at + 3, end - at - 3));
	return true;
}

/* RFC 8659, 4.1: the value is all that is left. */
static bool
caa_data(const struct packet *pk, size_t at, size_t end, struct dns_record *r)
{
	const char *p = (const char *)pk->p;
	size_t tag;

	if (end - at < 2)
		return false;
	r->caa.flags = pk->p[at];
	tag = pk->p[at + 1];
	at += 2;
	if (tag == 0 || tag > end - at)
		return false;
	r->caa.tag = arena_dup(pk->arena, slice_of(p + at, tag));
	r->caa.value =
	    arena_dup(pk->arena, slice_of(p + at + tag, end - at - tag));
	return true;
}

static bool
data(const struct packet *pk, const struct record *rr, struct dns_record *r)
{
	size_t at = rr->at, end = rr->at + rr->n;

	r->ttl = rr->ttl;
	switch (rr->type) {
	case DNS_A:
		if (rr->n != 4)
			return false;
		r->ip = ip_from_bytes(4, pk->p + at);
		return true;
	case DNS_AAAA:
		if (rr->n != 16)
			return false;
		r->ip = ip_from_bytes(6, pk->p + at);
		return true;
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
		return only_name(pk, at, end, &r->host);
	case DNS_MX:
		if (rr->n < 3)
			return false;
		r->mx.preference = (uint16_t)get16(pk, at);
		return only_name(pk, at + 2, end, &r->mx.host);
	case DNS_SRV:
		if (rr->n < 7)
			return false;
		r->srv.priority = (uint16_t)get16(pk, at);
		r->srv.weight = (uint16_t)get16(pk, at + 2);
		r->srv.port = (uint16_t)get16(pk, at + 4);
		return only_name(pk, at + 6, end, &r->srv.host);
	case DNS_TXT:
		return text_data(pk, at, end, &r->text);
	case DNS_TLSA:
		return tlsa_data(pk, at, end, r);
	case DNS_CAA:
		return caa_data(pk, at, end, r);
	default:
		return false;
	}
}

/* ---- sections ---- */

static bool
take_record(const struct packet *pk, size_t *at, struct record *rr)
{
	if (!take_name(pk, at, &rr->owner) || pk->n - *at < 10)
		return false;
	rr->type = get16(pk, *at);
	rr->class = get16(pk, *at + 2);
	rr->ttl = (uint32_t)get16(pk, *at + 4) << 16 | get16(pk, *at + 6);
	rr->n = get16(pk, *at + 8);
	rr->at = *at + 10;
	*at = rr->at + rr->n;
	return *at <= pk->n;
}

/* The one question and all of the answer section. */
static bool
take_sections(const struct packet *pk, struct slice *question_r,
    struct record **v_r, size_t *n_r)
{
	size_t at = HEADER, n;

	if (pk->n < HEADER || get16(pk, 4) != 1)
		return false;
	n = get16(pk, 6);
	if (n > RECORDS_MAX || !take_name(pk, &at, question_r) ||
	    pk->n - at < 4)
		return false;
	at += 4;
	*v_r = arena_array(pk->arena, n, sizeof(**v_r));
	for (size_t i = 0; i < n; i++)
		if (!take_record(pk, &at, &(*v_r)[i]))
			return false;
	*n_r = n;
	return true;
}

static bool
is(const struct record *rr, struct slice name, unsigned type)
{
	return rr->type == type && rr->class == 1 &&
	    dns_name_eq(rr->owner, name);
}

/* Whose records answer a question about name: behind CNAMEs. */
static bool
follow(const struct packet *pk, const struct record *v, size_t n,
    struct slice *name)
{
	for (int hops = 0; hops < CNAMES_MAX; hops++) {
		size_t i = 0;
		while (i < n && !is(&v[i], *name, DNS_CNAME))
			i++;
		if (i == n)
			return true;
		if (!only_name(pk, v[i].at, v[i].at + v[i].n, name))
			return false;
	}
	return false;
}

int
dns_packet_parse(struct slice packet, struct arena *arena, enum dns_type type,
    struct dns_answer *a)
{
	const struct packet pk = { (const unsigned char *)packet.p, packet.n,
		arena };
	struct slice name;
	struct record *v;
	size_t n;

	if (!take_sections(&pk, &name, &v, &n) ||
	    (type != DNS_CNAME && !follow(&pk, v, n, &name)))
		return -1;
	a->name = name;
	a->n = 0;
	a->v = arena_array(arena, n, sizeof(*a->v));
	for (size_t i = 0; i < n; i++)
		if (is(&v[i], name, type) && !data(&pk, &v[i], &a->v[a->n++]))
			return -1;
	return 0;
}

/* ---- replies ---- */

static const char *
rcode_name(int rcode)
{
	static const char *const names[] = { "no error", "FORMERR", "SERVFAIL",
		"NXDOMAIN", "NOTIMP", "REFUSED" };

	return rcode >= 0 && rcode < (int)(sizeof(names) / sizeof(names[0]))
	    ? names[rcode]
	    : "an error";
}

/* What went wrong, as an error. */
static int
failure(const struct dns_reply *r, struct slice name, struct err *e)
{
	struct slice why = slice_head(r->why, 150);
	const char *colon = why.n > 0 ? ": " : "";

	if (r->timeout)
		return err_set(e, ERR_TEMP, "dns: no answer in time for %.*s",
		    SLICE_FMT(name));
	if (r->bogus)
		return err_set(e, ERR_TEMP, "dns: bogus answer for %.*s%s%.*s",
		    SLICE_FMT(name), colon, SLICE_FMT(why));
	return err_set(e, ERR_TEMP, "dns: %s for %.*s%s%.*s",
	    rcode_name(r->rcode), SLICE_FMT(name), colon, SLICE_FMT(why));
}

int
dns_reply_answer(const struct dns_reply *r, struct arena *arena,
    struct slice name, enum dns_type type, struct dns_answer *a, struct err *e)
{
	*a = (struct dns_answer){ .name = name,
		.bogus = r->bogus,
		.timeout = r->timeout,
		.why = arena_dup(arena, r->why) };
	if (r->bogus || r->timeout ||
	    (r->rcode != DNS_NOERROR && r->rcode != DNS_NXDOMAIN))
		return failure(r, name, e);
	if (dns_packet_parse(r->packet, arena, type, a) < 0) {
		a->n = 0;
		return err_set(e, ERR_TEMP, "dns: malformed answer for %.*s",
		    SLICE_FMT(name));
	}
	a->secure = r->secure;
	a->nxdomain = r->rcode == DNS_NXDOMAIN;
	return a->n > 0;
}
