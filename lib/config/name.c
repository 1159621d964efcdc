#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>

#include "config/name.h"
#include "message/smtpaddr.h"
#include "text/idna.h"
#include "text/unicode.h"

bool
name_domain(struct arena *arena, struct slice domain, struct slice *ascii_r)
{
	struct slice rest = domain, label;

	if (!smtpaddr_domain(domain, true))
		return false;
	while (slice_next(&rest, '.', &label))
		if (slice_startsi(label, SLICE("xn--")))
			return false;
	return idna_ascii(arena, domain, ascii_r, NULL) == 0;
}

bool
name_localpart(struct arena *arena, struct slice text, struct slice *local_r)
{
	struct slice address = name_join(arena, text, SLICE("x"));
	struct smtpaddr parsed;

	if (smtpaddr_mailbox(arena, address, SMTPADDR_UTF8, &parsed, NULL) < 0)
		return false;
	*local_r = name_nfc(arena, parsed.local);
	return slice_is(parsed.domain, "x");
}

bool
name_parse(struct arena *arena, struct slice text, bool catchall,
    struct name_address *address_r)
{
	ssize_t at = slice_rchr(text, '@');

	if (at < 0 || (at == 0 && !catchall))
		return false;
	address_r->local = SLICE_NULL;
	return name_domain(arena, slice_skip(text, (size_t)at + 1),
		   &address_r->domain) &&
	    (at == 0 ||
		name_localpart(arena, slice_head(text, (size_t)at),
		    &address_r->local));
}

struct slice
name_nfc(struct arena *arena, struct slice text)
{
	struct buf nfc = BUF_INIT(SIZE_MAX);
	struct slice r = text;

	if (unicode_is_ascii(text))
		return text;
	if (unicode_nfc(&nfc, text))
		r = arena_dup(arena, buf_slice(&nfc));
	buf_free(&nfc);
	return r;
}

/* Lower case, in NFC. */
static struct slice
lower(struct arena *arena, struct slice text)
{
	struct slice r;
	uint8_t *low;
	size_t n;
	char *p;

	if (unicode_is_ascii(text)) {
		r = arena_dup(arena, text);
		p = (char *)r.p;
		for (size_t i = 0; i < r.n; i++)
			if (p[i] >= 'A' && p[i] <= 'Z')
				p[i] += 'a' - 'A';
		return r;
	}
	low = u8_tolower((const uint8_t *)text.p, text.n, NULL, UNINORM_NFC,
	    NULL, &n);
	if (!low)
		return text;
	r = arena_dup(arena, slice_of((const char *)low, n));
	free(low);
	return r;
}

/* Is local the address of reports, or that and a separator with more? */
static bool
is_reports(const struct name_rules *rules, struct slice local,
    struct slice reports)
{
	struct slice rest = slice_skip(local, reports.n);

	if (!slice_starts(local, reports))
		return false;
	if (rest.n == 0)
		return true;
	for (size_t i = 0; i < rules->separators.n; i++)
		if (slice_starts(rest, rules->separators.v[i]))
			return true;
	return false;
}

struct slice
name_canonical(struct arena *arena, const struct name_rules *rules,
    struct slice local)
{
	ssize_t at;

	if (slice_isi(local, "postmaster")) /* RFC 5321, 4.5.1 */
		return SLICE("postmaster");
	if (!rules->case_sensitive)
		local = lower(arena, local);
	for (size_t i = 0; i < rules->reports.n; i++)
		if (is_reports(rules, local, rules->reports.v[i]))
			return rules->reports.v[i];
	for (size_t i = 0; i < rules->separators.n; i++) {
		at = slice_find(local, rules->separators.v[i]);
		/* "+list" is an address, not the empty one with a detail. */
		if (at > 0)
			local = slice_head(local, (size_t)at);
	}
	return local;
}

struct slice
name_join(struct arena *arena, struct slice local, struct slice domain)
{
	return name_glue(arena, local, '@', domain);
}

struct slice
name_glue(struct arena *arena, struct slice a, char between, struct slice b)
{
	char *p = arena_alloc(arena, a.n + 1 + b.n);

	if (a.n > 0)
		memcpy(p, a.p, a.n);
	p[a.n] = between;
	if (b.n > 0)
		memcpy(p + a.n + 1, b.p, b.n);
	return slice_of(p, a.n + 1 + b.n);
}
