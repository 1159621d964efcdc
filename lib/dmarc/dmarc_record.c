/* dmarc_record - what a domain says it wants done. */
#include "dmarc/dmarc_record.h"

#include "base/scan.h"
#include "dkim/dkim_tags.h"
#include "message/address.h"

#define DAY 86400

static const char *const policies[] = {
	[DMARC_POLICY_UNSET] = "",
	[DMARC_POLICY_NONE] = "none",
	[DMARC_POLICY_QUARANTINE] = "quarantine",
	[DMARC_POLICY_REJECT] = "reject",
};

const char *
dmarc_policy_name(enum dmarc_policy policy)
{
	return policies[policy];
}

/* ---- reading ---- */

/* False if it is there and wrong. */
static bool
parse_policy(struct slice text, enum dmarc_policy *policy_r)
{
	*policy_r = DMARC_POLICY_UNSET;
	if (text.n == 0)
		return true;
	for (int i = DMARC_POLICY_NONE; i <= DMARC_POLICY_REJECT; i++)
		if (slice_isi(text, policies[i])) {
			*policy_r = (enum dmarc_policy)i;
			return true;
		}
	return false;
}

static int
parse_alignment(const struct dkim_tags *tags, const char *name, bool *strict_r,
    struct err *e)
{
	struct slice value = dkim_tags_value(tags, name);

	*strict_r = slice_isi(value, "s");
	if (value.n > 0 && !*strict_r && !slice_isi(value, "r"))
		return err_set(e, ERR_SYNTAX, "dmarc record: %s= is not r or s",
		    name);
	return 0;
}

/* RFC 7489, 6.4: dmarc-uri, "!" and a size in bytes, or k, m, g, t of them. */
static bool
parse_size(struct slice text, uint64_t *bytes_r)
{
	static const char units[] = "kmgt";
	unsigned shift = 0;

	for (unsigned i = 0; text.n > 0 && i < 4; i++)
		if ((text.p[text.n - 1] | 0x20) == units[i]) {
			shift = 10 * (i + 1);
			text.n--;
			break;
		}
	if (!slice_u64(text, bytes_r) || *bytes_r > UINT64_MAX >> shift)
		return false;
	*bytes_r <<= shift;
	return true;
}

static bool
parse_uri(struct slice text, struct dmarc_uri *uri_r)
{
	struct scan sc = scan_of(text);
	struct slice size, scheme;
	ssize_t bang = slice_chr(text, '!'); /* in the URI it is %21 */

	uri_r->uri = text;
	uri_r->max_bytes = 0;
	if (bang >= 0) {
		uri_r->uri = slice_trim(slice_head(text, (size_t)bang));
		size = slice_trim(slice_skip(text, (size_t)bang + 1));
		if (!parse_size(size, &uri_r->max_bytes))
			return false;
	}
	return scan_take(&sc, scan_alnum, &scheme) && scan_char(&sc, ':');
}

static int
parse_uris(struct arena *arena, const struct dkim_tags *tags, const char *name,
    struct dmarc_uris *uris_r, struct err *e)
{
	const struct dkim_tag *tag = dkim_tags_get(tags, name);
	struct slice rest, item;

	if (tag == NULL)
		return 0;
	rest = tag->value;
	uris_r->v = arena_array(arena, DMARC_URIS_MAX, sizeof(*uris_r->v));
	while (dkim_list_next(&rest, ',', &item)) {
		if (uris_r->n == DMARC_URIS_MAX)
			return err_set(e, ERR_SYNTAX,
			    "dmarc record: more than %d addresses in %s=",
			    DMARC_URIS_MAX, name);
		if (!parse_uri(item, &uris_r->v[uris_r->n++]))
			return err_set(e, ERR_SYNTAX,
			    "dmarc record: no address in %s= at \"%.*s\"", name,
			    SLICE_FMT(slice_head(item, 60)));
	}
	return 0;
}

static int
parse_numbers(const struct dkim_tags *tags, struct dmarc_record *r,
    struct err *e)
{
	struct slice pct = dkim_tags_value(tags, "pct");
	struct slice ri = dkim_tags_value(tags, "ri");
	uint32_t percent = 100;

	r->interval_s = DAY;
	if (pct.n > 0 && (!slice_u32(pct, &percent) || percent > 100))
		return err_set(e, ERR_SYNTAX,
		    "dmarc record: pct= is not 0 to 100");
	r->percent = percent;
	if (ri.n > 0 && !slice_u32(ri, &r->interval_s))
		return err_set(e, ERR_SYNTAX, "dmarc record: ri= is no number");
	return 0;
}

static struct slice
value_or(const struct dkim_tags *tags, const char *name, const char *other)
{
	struct slice value = dkim_tags_value(tags, name);

	return value.n > 0 ? value : slice_str(other);
}

static int
parse_tags(struct arena *arena, const struct dkim_tags *tags,
    struct dmarc_record *r, struct err *e)
{
	struct slice psd = dkim_tags_value(tags, "psd");

	if (parse_alignment(tags, "adkim", &r->dkim_strict, e) < 0 ||
	    parse_alignment(tags, "aspf", &r->spf_strict, e) < 0 ||
	    parse_numbers(tags, r, e) < 0 ||
	    parse_uris(arena, tags, "rua", &r->rua, e) < 0 ||
	    parse_uris(arena, tags, "ruf", &r->ruf, e) < 0)
		return -1;
	r->failure_options = value_or(tags, "fo", "0");
	r->report_formats = value_or(tags, "rf", "afrf");
	r->psd = slice_isi(psd, "y") ? DMARC_PSD_YES
	    : slice_isi(psd, "n")    ? DMARC_PSD_NO
				     : DMARC_PSD_UNKNOWN;
	r->testing = slice_isi(dkim_tags_value(tags, "t"), "y");
	return 0;
}

/* Is it a record at all? RFC 7489, 6.6.3: v=DMARC1 begins it, case matters. */
static bool
is_record(struct slice text)
{
	struct scan sc = scan_of(slice_trim(text));

	if (!scan_lit(&sc, SLICE("v")))
		return false;
	scan_skip(&sc, scan_wsp);
	if (!scan_char(&sc, '='))
		return false;
	scan_skip(&sc, scan_wsp);
	if (!scan_lit(&sc, SLICE("DMARC1")))
		return false;
	scan_skip(&sc, scan_wsp);
	return scan_end(&sc) || scan_peek(&sc) == ';';
}

static int
parse(struct arena *arena, struct slice text, struct dkim_tags *tags_r,
    struct dmarc_record *r, struct err *e)
{
	*r = (struct dmarc_record){ .text = text };
	if (!is_record(text))
		return 0;
	if (dkim_tags_parse(text, tags_r, e) < 0)
		return err_prefix(e, "dmarc record");
	return parse_tags(arena, tags_r, r, e) < 0 ? -1 : 1;
}

int
dmarc_record_parse_report(struct arena *arena, struct slice text,
    struct dmarc_record *record_r, struct err *e)
{
	struct dkim_tags tags;

	return parse(arena, text, &tags, record_r, e);
}

int
dmarc_record_parse(struct arena *arena, struct slice text,
    struct dmarc_record *record_r, struct err *e)
{
	struct dmarc_record *r = record_r;
	struct dkim_tags tags;
	int rc = parse(arena, text, &tags, r, e);
	bool ok;

	if (rc != 1)
		return rc;
	ok = parse_policy(dkim_tags_value(&tags, "p"), &r->policy) &&
	    r->policy != DMARC_POLICY_UNSET &&
	    parse_policy(dkim_tags_value(&tags, "sp"), &r->subdomain_policy);
	/* np= came later: a wrong one is as if it was not there. */
	parse_policy(dkim_tags_value(&tags, "np"), &r->nonexistent_policy);
	if (ok)
		return 1;
	if (r->rua.n == 0)
		return err_set(e, ERR_SYNTAX,
		    "dmarc record: no policy in p= "
		    "or a wrong one in sp=");
	r->policy = DMARC_POLICY_NONE;
	r->subdomain_policy = r->nonexistent_policy = DMARC_POLICY_UNSET;
	return 1;
}

/* ---- writing ---- */

static void
write_uris(struct buf *out, const char *name, const struct dmarc_uris *uris)
{
	if (uris->n > 0)
		buf_addf(out, ";%s=", name);
	for (size_t i = 0; i < uris->n; i++) {
		if (i > 0)
			buf_addc(out, ',');
		buf_add(out, uris->v[i].uri);
		if (uris->v[i].max_bytes > 0)
			buf_addf(out, "!%llu",
			    (unsigned long long)uris->v[i].max_bytes);
	}
}

static void
write_policy(struct buf *out, const char *name, enum dmarc_policy policy)
{
	if (policy != DMARC_POLICY_UNSET)
		buf_addf(out, ";%s=%s", name, policies[policy]);
}

void
dmarc_record_write(const struct dmarc_record *r, struct buf *out)
{
	buf_addz(out, "v=DMARC1");
	write_policy(out, "p", r->policy);
	write_policy(out, "sp", r->subdomain_policy);
	write_policy(out, "np", r->nonexistent_policy);
	write_uris(out, "rua", &r->rua);
	write_uris(out, "ruf", &r->ruf);
	if (r->dkim_strict)
		buf_addz(out, ";adkim=s");
	if (r->spf_strict)
		buf_addz(out, ";aspf=s");
	if (r->interval_s != DAY)
		buf_addf(out, ";ri=%u", r->interval_s);
	if (r->failure_options.n > 0 && !slice_is(r->failure_options, "0"))
		buf_addf(out, ";fo=%.*s", SLICE_FMT(r->failure_options));
	if (r->report_formats.n > 0 && !slice_isi(r->report_formats, "afrf"))
		buf_addf(out, ";rf=%.*s", SLICE_FMT(r->report_formats));
	if (r->percent != 100)
		buf_addf(out, ";pct=%u", r->percent);
	if (r->psd != DMARC_PSD_UNKNOWN)
		buf_addf(out, ";psd=%c", r->psd == DMARC_PSD_YES ? 'y' : 'n');
	if (r->testing)
		buf_addz(out, ";t=y");
}

/* ---- addresses ---- */

/* RFC 3986, 2.1 */
static struct slice
percent_decode(struct arena *arena, struct slice text)
{
	char *p = arena_alloc(arena, text.n);
	uint64_t byte;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '%' && i + 2 < text.n &&
		    slice_hex64(slice_sub(text, i + 1, i + 3), &byte)) {
			p[n++] = (char)byte;
			i += 2;
		} else {
			p[n++] = text.p[i];
		}
	}
	return slice_of(p, n);
}

bool
dmarc_uri_address(struct arena *arena, struct slice uri, struct slice *local_r,
    struct slice *domain_r)
{
	struct slice address, query;

	if (!slice_startsi(uri, SLICE("mailto:")))
		return false;
	slice_cut(slice_skip(uri, 7), '?', &address, &query);
	return address_parse_spec(arena, percent_decode(arena, address),
	    local_r, domain_r);
}
