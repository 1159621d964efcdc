/* tlsrpt_record - does a domain want reports, and where? */
#include "base/scan.h"
#include "dns/name.h"
#include "tlsrpt/tlsrpt_int.h"

#define NAME_BYTES 32 /* RFC 8460, 3: tlsrpt-ext-name */

static const bool is_name[256] = {
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
	['0' ... '9'] = true,
	['_'] = true,
	['-'] = true,
	['.'] = true,
};

/* tlsrpt-version and its delimiter, which make a text a record. */
static bool
scan_version(struct scan *sc)
{
	return scan_lit(sc, SLICE("v=TLSRPTv1")) &&
	    (scan_skip(sc, scan_wsp), scan_char(sc, ';'));
}

/* RFC 3986, 3.1; and at least one byte behind the colon. */
static bool
is_uri(struct slice s)
{
	struct scan sc = scan_of(s);
	struct slice scheme;

	if (!scan_take(&sc, scan_alnum, &scheme) ||
	    !scan_alpha[(unsigned char)s.p[0]] || !scan_char(&sc, ':') ||
	    scan_end(&sc))
		return false;
	scan_skip(&sc, scan_print);
	return scan_end(&sc);
}

static int
parse_rua(struct slice value, struct arena *arena, struct tlsrpt_record *r,
    struct err *e)
{
	struct slice uri;
	bool more;

	do {
		more = slice_cut(value, ',', &uri, &value);
		uri = slice_trim(uri);
		if (!is_uri(uri))
			return err_set(e, ERR_SYNTAX,
			    "tlsrpt record: no address at \"%.*s\"",
			    SLICE_FMT(slice_head(uri, 60)));
		if (r->nrua == TLSRPT_RUA_MAX)
			return err_set(e, ERR_SYNTAX,
			    "tlsrpt record: more than %d addresses",
			    TLSRPT_RUA_MAX);
		r->rua = tlsrpt_room(arena, r->rua, r->nrua, sizeof(*r->rua));
		r->rua[r->nrua++] = uri;
	} while (more);
	return 0;
}

int
tlsrpt_record_parse(struct slice text, struct arena *arena,
    struct tlsrpt_record *record_r, struct err *e)
{
	struct scan sc = scan_of(text);
	struct slice name, value;

	*record_r = (struct tlsrpt_record){ NULL, 0 };
	if (!scan_version(&sc))
		return err_set(e, ERR_SYNTAX,
		    "tlsrpt record: does not begin with v=TLSRPTv1;");
	while (scan_skip(&sc, scan_wsp), !scan_end(&sc)) {
		if (!scan_take(&sc, is_name, &name) || name.n > NAME_BYTES ||
		    !scan_char(&sc, '='))
			return err_set(e, ERR_SYNTAX,
			    "tlsrpt record: no field name= at \"%.*s\"",
			    SLICE_FMT(slice_head(scan_rest(&sc), 60)));
		value = slice_trim(scan_until(&sc, ';'));
		scan_char(&sc, ';');
		/* As with MTA-STS, of several the first counts. */
		if (slice_is(name, "rua") && record_r->nrua == 0 &&
		    parse_rua(value, arena, record_r, e) < 0)
			return -1;
	}
	if (record_r->nrua > 0)
		return 0;
	return err_set(e, ERR_SYNTAX, "tlsrpt record: no rua=");
}

size_t
tlsrpt_record_count(const struct dns_answer *answer, struct slice *text_r)
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

int
tlsrpt_lookup(struct dns *dns, struct arena *arena, struct slice domain,
    struct tlsrpt_record *record_r, struct slice *text_r, struct err *e)
{
	struct slice name =
	    arena_printf(arena, "_smtp._tls.%.*s", SLICE_FMT(domain));
	struct dns_answer answer;

	*record_r = (struct tlsrpt_record){ NULL, 0 };
	*text_r = SLICE_NULL;
	if (!dns_name_valid(name))
		return 0;
	if (dns_query(dns, arena, name, DNS_TXT, &answer, e) < 0)
		return err_prefix(e, "%.*s", SLICE_FMT(name));
	if (tlsrpt_record_count(&answer, text_r) != 1) {
		*text_r = SLICE_NULL;
		return 0;
	}
	return tlsrpt_record_parse(*text_r, arena, record_r, e) < 0 ? -1 : 1;
}
