/* spf_parse - records, both ways: RFC 7208, 4.5, 4.6.1, 5, 6 and 12. */
#include <string.h>

#include "spf/spf_int.h"

/* Bytes; those that work at all are far shorter (RFC 7208, 3.4). */
#define RECORD_MAX (16 * 1024)

/* What may stand behind the name of a mechanism. */
enum { NOTHING, DOMAIN, DOMAIN_CIDR, NETWORK };

static const struct {
	const char *name;
	int argument;
	bool required;
} mechanisms[] = {
	[SPF_ALL] = { "all", NOTHING, false },
	[SPF_INCLUDE] = { "include", DOMAIN, true },
	[SPF_A] = { "a", DOMAIN_CIDR, false },
	[SPF_MX] = { "mx", DOMAIN_CIDR, false },
	[SPF_PTR] = { "ptr", DOMAIN, false },
	[SPF_IP4] = { "ip4", NETWORK, true },
	[SPF_IP6] = { "ip6", NETWORK, true },
	[SPF_EXISTS] = { "exists", DOMAIN, true },
};

#define MECHANISMS (sizeof(mechanisms) / sizeof(mechanisms[0]))

/* ---- parts of terms ---- */

/* 0 to max, without leading zeros. */
static bool
cidr_length(struct slice digits, unsigned max, unsigned *bits_r)
{
	uint32_t n;

	if (!slice_u32(digits, &n) || n > max ||
	    (digits.n > 1 && digits.p[0] == '0'))
		return false;
	*bits_r = n;
	return true;
}

/* Where "/digits" at the end of s begins; -1 if it has none. A domain-spec may
 * have slashes too, so this is looked for from behind. */
static ssize_t
slash_digits(struct slice s)
{
	size_t i = s.n;

	while (i > 0 && scan_digit[(unsigned char)s.p[i - 1]])
		i--;
	return i > 0 && i < s.n && s.p[i - 1] == '/' ? (ssize_t)i - 1 : -1;
}

/* Cut dual-cidr-length off the end of *s. False when it is wrong. */
static bool
dual_cidr(struct slice *s, struct spf_directive *d)
{
	ssize_t slash = slash_digits(*s);

	if (slash > 0 && s->p[slash - 1] == '/') {
		if (!cidr_length(slice_skip(*s, (size_t)slash + 1), 128,
			&d->bits6))
			return false;
		*s = slice_head(*s, (size_t)slash - 1);
		slash = slash_digits(*s);
	}
	if (slash < 0)
		return true;
	if (!cidr_length(slice_skip(*s, (size_t)slash + 1), 32, &d->bits4))
		return false;
	*s = slice_head(*s, (size_t)slash);
	return true;
}

/* RFC 7208, 5: an IPv4-mapped address in ip6 is an IPv6 address that no client
 * has. */
static void
unmap(struct ip *ip)
{
	if (ip->family != 4)
		return;
	memmove(ip->b + 12, ip->b, 4);
	memset(ip->b, 0, 10);
	memset(ip->b + 10, 0xff, 2);
	ip->family = 6;
}

static bool
network(struct slice s, struct spf_directive *d)
{
	bool v6 = d->mechanism == SPF_IP6;
	struct slice address, length;

	if (slice_cut(s, '/', &address, &length) &&
	    !cidr_length(length, v6 ? 128 : 32, v6 ? &d->bits6 : &d->bits4))
		return false;
	if (!ip_parse(address, &d->ip) || (slice_chr(address, ':') >= 0) != v6)
		return false;
	if (v6)
		unmap(&d->ip);
	return true;
}

/* rest: what stands behind the name, from ":" or "/" on. */
static bool
argument(struct slice rest, struct spf_directive *d)
{
	bool given;

	if (mechanisms[d->mechanism].argument == NOTHING)
		return rest.n == 0;
	if (mechanisms[d->mechanism].argument == DOMAIN_CIDR &&
	    !dual_cidr(&rest, d))
		return false;
	given = rest.n > 0 && rest.p[0] == ':';
	if (!given)
		return rest.n == 0 && !mechanisms[d->mechanism].required;
	rest = slice_skip(rest, 1);
	if (mechanisms[d->mechanism].argument == NETWORK)
		return network(rest, d);
	d->domain = rest;
	return spf_is_domain_spec(rest);
}

/* ---- terms ---- */

static bool
directive(struct slice term, struct spf_directive *d)
{
	struct scan sc = scan_of(term);
	struct slice name;

	*d = (struct spf_directive){
		.qualifier = '+', .bits4 = 32, .bits6 = 128, .text = term
	};
	if (!scan_end(&sc) && strchr("+-~?", *sc.p) != NULL && *sc.p != '\0')
		d->qualifier = *sc.p++;
	if (!scan_take(&sc, scan_alnum, &name))
		return false;
	for (size_t i = 0; i < MECHANISMS; i++)
		if (slice_isi(name, mechanisms[i].name)) {
			d->mechanism = (enum spf_mechanism)i;
			return argument(scan_rest(&sc), d);
		}
	return false;
}

/* name "=" value; false when term is no modifier. */
static bool
split_modifier(struct slice term, struct spf_modifier *m)
{
	struct scan sc = scan_of(term);

	if (scan_end(&sc) || !scan_alpha[(unsigned char)*sc.p])
		return false;
	while (!scan_end(&sc) &&
	    (scan_alnum[(unsigned char)*sc.p] || *sc.p == '-' || *sc.p == '_' ||
		*sc.p == '.'))
		sc.p++;
	m->name = slice_head(term, (size_t)(sc.p - term.p));
	if (!scan_char(&sc, '='))
		return false;
	m->value = scan_rest(&sc);
	return true;
}

/* Known ones must not be there twice (6). */
static bool
modifier(struct spf_record *r, const struct spf_modifier *m)
{
	struct slice *known = slice_isi(m->name, "redirect") ? &r->redirect
	    : slice_isi(m->name, "exp")                      ? &r->exp
							     : NULL;

	if (known == NULL) {
		r->others[r->nothers++] = *m;
		return spf_is_macro_string(m->value, false);
	}
	if (known->n > 0 || !spf_is_domain_spec(m->value))
		return false;
	*known = m->value;
	return true;
}

/* ---- records ---- */

static const struct slice version = { "v=spf1", 6 };

bool
spf_is_record(struct slice text)
{
	return slice_startsi(text, version) &&
	    (text.n == version.n || text.p[version.n] == ' ');
}

static size_t
count_terms(struct slice rest)
{
	struct slice term;
	size_t n = 0;

	while (slice_next(&rest, ' ', &term))
		n += term.n > 0;
	return n;
}

int
spf_parse(struct arena *arena, struct slice text, struct spf_record *r,
    struct err *e)
{
	struct slice rest = slice_skip(text, version.n), term;
	size_t max = count_terms(rest);

	*r = (struct spf_record){ 0 };
	if (!spf_is_record(text))
		return err_set(e, ERR_SYNTAX,
		    "spf: does not begin with v=spf1");
	if (text.n > RECORD_MAX)
		return err_set(e, ERR_SYNTAX, "spf: record too long");
	r->directives = arena_array(arena, max, sizeof(*r->directives));
	r->others = arena_array(arena, max, sizeof(*r->others));
	while (slice_next(&rest, ' ', &term)) {
		struct spf_modifier m;
		if (term.n == 0)
			continue;
		if (split_modifier(term, &m)
			? !modifier(r, &m)
			: !directive(term, &r->directives[r->ndirectives++]))
			return err_set(e, ERR_SYNTAX,
			    "spf: \"%.*s\" is no valid term",
			    SLICE_FMT(slice_head(term, 100)));
	}
	return 0;
}

static void
write_directive(struct buf *out, const struct spf_directive *d)
{
	char text[IP_TEXT];

	buf_addc(out, ' ');
	if (d->qualifier != '+')
		buf_addc(out, d->qualifier);
	buf_addz(out, mechanisms[d->mechanism].name);
	if (d->domain.n > 0) {
		buf_addc(out, ':');
		buf_add(out, d->domain);
	}
	if (d->mechanism == SPF_IP4 || d->mechanism == SPF_IP6)
		buf_addf(out, ":%s", ip_text(&d->ip, text));
	if (d->bits4 != 32)
		buf_addf(out, "/%u", d->bits4);
	if (d->bits6 != 128)
		buf_addf(out, d->mechanism == SPF_IP6 ? "/%u" : "//%u",
		    d->bits6);
}

static void
write_modifier(struct buf *out, struct slice name, struct slice value)
{
	buf_addc(out, ' ');
	buf_add(out, name);
	buf_addc(out, '=');
	buf_add(out, value);
}

void
spf_write(struct buf *out, const struct spf_record *record)
{
	buf_add(out, version);
	for (size_t i = 0; i < record->ndirectives; i++)
		write_directive(out, &record->directives[i]);
	if (record->redirect.n > 0)
		write_modifier(out, SLICE("redirect"), record->redirect);
	if (record->exp.n > 0)
		write_modifier(out, SLICE("exp"), record->exp);
	for (size_t i = 0; i < record->nothers; i++)
		write_modifier(out, record->others[i].name,
		    record->others[i].value);
}
