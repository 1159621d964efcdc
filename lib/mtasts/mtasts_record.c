/* mtasts_record - is there a policy, and which? */
#include "base/scan.h"
#include "dns/name.h"
#include "mtasts/mtasts.h"

#define ID_MAX 32       /* RFC 8461, 3.1: sts-id */
#define EXT_NAME_MAX 32 /* ... and sts-ext-name */

/* RFC 8461, 3.1, sts-ext-name; alnum alone for its first character. */
static const bool is_name[256] = {
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
	['0' ... '9'] = true,
	['_'] = true,
	['-'] = true,
	['.'] = true,
};

/* sts-ext-value: printable but for "=" and ";". */
static const bool is_value[256] = {
	['!' ... ':'] = true,
	['<'] = true,
	['>' ... '~'] = true,
};

/* sts-version and its delimiter, which make a text a record. */
static bool
scan_version(struct scan *sc)
{
	return scan_lit(sc, SLICE("v=STSv1")) &&
	    (scan_skip(sc, scan_wsp), scan_char(sc, ';'));
}

static bool
scan_field(struct scan *sc, struct slice *name_r, struct slice *value_r)
{
	return scan_take(sc, is_name, name_r) && name_r->n <= EXT_NAME_MAX &&
	    scan_alnum[(unsigned char)name_r->p[0]] && scan_char(sc, '=') &&
	    scan_take(sc, is_value, value_r);
}

static bool
is_id(struct slice s)
{
	struct scan sc = scan_of(s);
	struct slice id;

	return s.n <= ID_MAX && scan_take(&sc, scan_alnum, &id) &&
	    scan_end(&sc);
}

bool
mtasts_record_parse(struct slice text, struct slice *id_r)
{
	struct scan sc = scan_of(text);
	struct slice name, value;

	*id_r = SLICE_NULL;
	if (!scan_version(&sc))
		return false;
	while (scan_skip(&sc, scan_wsp), !scan_end(&sc)) {
		if (!scan_field(&sc, &name, &value))
			return false;
		/* 3.2: of several the first counts */
		if (slice_is(name, "id") && id_r->n == 0) {
			if (!is_id(value))
				return false;
			*id_r = value;
		}
		scan_skip(&sc, scan_wsp);
		if (!scan_end(&sc) && !scan_char(&sc, ';'))
			return false;
	}
	return id_r->n > 0;
}

static struct slice
record_name(struct arena *arena, struct slice domain)
{
	return arena_printf(arena, "_mta-sts.%.*s", SLICE_FMT(domain));
}

void
mtasts_start(struct dns *dns, struct arena *arena, struct slice domain)
{
	dns_start(dns, record_name(arena, domain), DNS_TXT);
}

/* RFC 8461, 3.1: others are discarded. */
size_t
mtasts_record_count(const struct dns_answer *answer, struct slice *text_r)
{
	size_t n = 0;

	*text_r = SLICE_NULL;
	for (size_t i = 0; i < answer->n; i++) {
		struct scan sc = scan_of(answer->v[i].text);
		if (scan_version(&sc) && n++ == 0)
			*text_r = answer->v[i].text;
	}
	return n;
}

enum mtasts_record
mtasts_record_lookup(struct dns *dns, struct arena *arena, struct slice domain,
    struct slice *text_r, struct slice *id_r, struct slice *why_r)
{
	struct slice name = record_name(arena, domain);
	struct err e = ERR_INIT;
	struct dns_answer answer;
	size_t n;

	*text_r = *id_r = *why_r = SLICE_NULL;
	if (!dns_name_valid(name)) {
		*why_r = SLICE("no name that can have a record");
		return MTASTS_RECORD_NONE;
	}
	if (dns_query(dns, arena, name, DNS_TXT, &answer, &e) < 0) {
		*why_r =
		    arena_printf(arena, "%.*s: %s", SLICE_FMT(name), e.text);
		return MTASTS_RECORD_TEMP;
	}
	n = mtasts_record_count(&answer, text_r);
	if (n != 1) {
		*text_r = SLICE_NULL;
		*why_r = n == 0 ? SLICE("no record") : SLICE("several records");
		return MTASTS_RECORD_NONE;
	}
	if (mtasts_record_parse(*text_r, id_r))
		return MTASTS_RECORD_OK;
	*id_r = SLICE_NULL;
	*why_r = SLICE("the record is malformed");
	return MTASTS_RECORD_INVALID;
}
