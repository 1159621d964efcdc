/* describe - header fields to the texts of a record. */
#include "message/describe.h"

#include "message/address.h"
#include "message/date.h"
#include "message/encword.h"
#include "message/imapform.h"
#include "message/lex.h"
#include "message/param.h"
#include "message/thread.h"
#include "text/unicode.h"

/* Limits, so that no message has a record of more than MSGREC_MAX. */
#define ADDRESSES_MAX 4000 /* of one field; FIELD_MAX has about 3,000 */
#define ADDRESSES_SIZE (160 * 1024) /* their ENVELOPE form */
#define STRING_MAX (16 * 1024)      /* a value in ENVELOPE, BODYSTRUCTURE */
#define SEARCH_MAX (64 * 1024)      /* a decoded value */
#define IDS_MAX 50                  /* references that are kept */
#define ID_MAX 250                  /* of one; store keys are of this size */

static struct slice
bounded(const struct fields *f, enum field which)
{
	return slice_head(fields_get(f, which), STRING_MAX);
}

static struct slice
keep_buf(struct arena *arena, struct buf *b)
{
	struct slice s = arena_dup(arena, buf_slice(b));

	buf_free(b);
	return s;
}

/* ---- ENVELOPE (RFC 9051, 7.5.2) ---- */

/* The forms of Dovecot: a missing part must not be NIL, which means groups. */
static struct slice
or_missing(struct slice s, struct slice missing)
{
	return s.n > 0 ? s : missing;
}

static struct slice
or_nil(struct slice s)
{
	return s.n > 0 ? s : SLICE_NULL;
}

static void
add_address(struct buf *out, const struct address *a)
{
	buf_addc(out, '(');
	switch (a->kind) {
	case ADDRESS_GROUP:
		buf_addz(out, "NIL NIL ");
		imapform_string(out, a->name);
		buf_addz(out, " NIL");
		break;
	case ADDRESS_END:
		buf_addz(out, "NIL NIL NIL NIL");
		break;
	case ADDRESS_MAILBOX:
		imapform_nstring(out, or_nil(a->name));
		buf_addc(out, ' ');
		imapform_nstring(out, or_nil(a->route));
		buf_addc(out, ' ');
		imapform_string(out,
		    or_missing(a->local, SLICE("MISSING_MAILBOX")));
		buf_addc(out, ' ');
		imapform_string(out,
		    or_missing(a->domain, SLICE("MISSING_DOMAIN")));
		break;
	}
	buf_addc(out, ')');
}

/* Up to ADDRESSES_SIZE; a group that is cut gets its end. */
static void
add_addresses(struct buf *out, const struct address_list *list)
{
	size_t start = out->n;
	bool in_group = false;

	buf_addc(out, '(');
	for (size_t i = 0; i < list->n; i++) {
		if (out->n - start > ADDRESSES_SIZE)
			break;
		add_address(out, &list->v[i]);
		if (list->v[i].kind != ADDRESS_MAILBOX)
			in_group = list->v[i].kind == ADDRESS_GROUP;
	}
	if (in_group)
		add_address(out, &(struct address){ .kind = ADDRESS_END });
	buf_addc(out, ')');
}

static void
add_field_addresses(struct buf *out, struct arena *arena,
    const struct fields *f, enum field which, enum field instead)
{
	struct address_list list;

	address_parse(arena, fields_get(f, which), ADDRESSES_MAX, &list);
	if (list.n == 0 && instead != which)
		address_parse(arena, fields_get(f, instead), ADDRESSES_MAX,
		    &list);
	buf_addc(out, ' ');
	if (list.n == 0)
		buf_addz(out, "NIL");
	else
		add_addresses(out, &list);
}

void
describe_envelope(struct arena *arena, const struct fields *f, struct buf *out)
{
	static const struct {
		enum field which, instead;
	} lists[] = {
		{ FIELD_FROM, FIELD_FROM },
		{ FIELD_SENDER, FIELD_FROM },
		{ FIELD_REPLY_TO, FIELD_FROM },
		{ FIELD_TO, FIELD_TO },
		{ FIELD_CC, FIELD_CC },
		{ FIELD_BCC, FIELD_BCC },
	};

	buf_addc(out, '(');
	imapform_nstring(out, bounded(f, FIELD_DATE));
	buf_addc(out, ' ');
	imapform_nstring(out, slice_trim(bounded(f, FIELD_SUBJECT)));
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		add_field_addresses(out, arena, f, lists[i].which,
		    lists[i].instead);
	buf_addc(out, ' ');
	imapform_nstring(out, bounded(f, FIELD_IN_REPLY_TO));
	buf_addc(out, ' ');
	imapform_nstring(out, bounded(f, FIELD_MESSAGE_ID));
	buf_addc(out, ')');
}

/* ---- BODYSTRUCTURE (RFC 9051, 7.5.2) ---- */

static void
add_params(struct buf *out, const struct param_field *field, bool text)
{
	bool charset = false;
	size_t n = 0;

	for (size_t i = 0; i < field->n; i++) {
		buf_addc(out, n++ == 0 ? '(' : ' ');
		imapform_upper(out, field->v[i].name);
		buf_addc(out, ' ');
		imapform_string(out, slice_head(field->v[i].value, STRING_MAX));
		charset |= slice_is(field->v[i].name, "charset") ||
		    slice_is(field->v[i].name, "charset*");
	}
	/* The default of all text (RFC 2045, 5.2). */
	if (text && !charset) {
		buf_addc(out, n++ == 0 ? '(' : ' ');
		buf_addz(out, "\"CHARSET\" \"us-ascii\"");
	}
	buf_addz(out, n == 0 ? "NIL" : ")");
}

/* The token that value is, or that stands before a semicolon (RFC 2045, 5.1);
 * comments apart. Empty if there is anything else. */
static struct slice
token_of(struct slice value)
{
	struct scan sc = scan_of(value);
	struct slice token;

	lex_skip(&sc);
	if (!scan_take(&sc, param_token, &token))
		return SLICE_NULL;
	lex_skip(&sc);
	if (!scan_end(&sc) && *sc.p != ';')
		return SLICE_NULL;
	return slice_head(token, STRING_MAX);
}

static enum msgrec_encoding
encoding_of(struct slice name)
{
	static const struct {
		const char *name;
		enum msgrec_encoding encoding;
	} names[] = {
		{ "7bit", MSGREC_7BIT },
		{ "8bit", MSGREC_8BIT },
		{ "binary", MSGREC_BINARY },
		{ "base64", MSGREC_BASE64 },
		{ "quoted-printable", MSGREC_QP },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_isi(name, names[i].name))
			return names[i].encoding;
	return MSGREC_ENCODING_OTHER;
}

/* body-fld-lang: a list of tags. */
static void
add_languages(struct buf *out, struct slice value)
{
	struct slice tag;
	size_t n = 0;

	while (slice_next(&value, ',', &tag)) {
		tag = token_of(tag);
		if (tag.n == 0)
			continue;
		buf_addc(out, n++ == 0 ? '(' : ' ');
		imapform_string(out, tag);
	}
	buf_addz(out, n == 0 ? "NIL" : ")");
}

static void
add_tail(struct arena *arena, const struct fields *f, struct mime *m,
    struct buf *out)
{
	struct param_field disposition;
	struct slice token;

	if (m->kind != MSGREC_MULTIPART) {
		imapform_nstring(out, bounded(f, FIELD_MD5));
		buf_addc(out, ' ');
	}
	param_parse(arena, fields_get(f, FIELD_DISPOSITION), &disposition);
	token = token_of(disposition.value);
	m->attachment = slice_isi(token, "attachment");
	if (token.n > 0) {
		buf_addc(out, '(');
		imapform_upper(out, token);
		buf_addc(out, ' ');
		add_params(out, &disposition, false);
		buf_addc(out, ')');
	} else
		buf_addz(out, "NIL");
	buf_addc(out, ' ');
	add_languages(out, bounded(f, FIELD_LANGUAGE));
	buf_addc(out, ' ');
	imapform_nstring(out, bounded(f, FIELD_LOCATION));
}

static enum msgrec_kind
kind_of(struct slice type, struct slice subtype)
{
	if (slice_is(type, "multipart"))
		return MSGREC_MULTIPART;
	if (slice_is(type, "message") &&
	    (slice_is(subtype, "rfc822") || slice_is(subtype, "global")))
		return MSGREC_MESSAGE;
	return MSGREC_LEAF;
}

void
describe_mime(struct arena *arena, const struct fields *f, bool in_digest,
    struct mime *m, struct buf *head_r, struct buf *tail_r)
{
	struct slice type = in_digest ? SLICE("message") : SLICE("text");
	struct slice subtype = in_digest ? SLICE("rfc822") : SLICE("plain");
	struct slice encoding = token_of(fields_get(f, FIELD_ENCODING));
	struct param_field params;

	*m = (struct mime){ .encoding = MSGREC_7BIT };
	param_parse(arena, fields_get(f, FIELD_TYPE), &params);
	if (params.value.n > 0 &&
	    !param_media_type(arena, params.value, &type, &subtype)) {
		type = SLICE("text"); /* RFC 2045, 5.2 */
		subtype = SLICE("plain");
	}
	type = slice_head(type, STRING_MAX);
	subtype = slice_head(subtype, STRING_MAX);
	m->kind = kind_of(type, subtype);
	m->type = arena_printf(arena, "%.*s/%.*s", SLICE_FMT(type),
	    SLICE_FMT(subtype));
	m->charset = slice_head(param_get(&params, "charset"), ID_MAX);
	m->boundary = param_get(&params, "boundary");
	m->dsn = slice_is(m->type, "multipart/report") &&
	    slice_isi(param_get(&params, "report-type"), "delivery-status");
	if (encoding.n > 0)
		m->encoding = encoding_of(encoding);
	add_tail(arena, f, m, tail_r);

	if (m->kind == MSGREC_MULTIPART) {
		imapform_upper(head_r, subtype);
		buf_addc(head_r, ' ');
		add_params(head_r, &params, false);
		return;
	}
	imapform_upper(head_r, type);
	buf_addc(head_r, ' ');
	imapform_upper(head_r, subtype);
	buf_addc(head_r, ' ');
	add_params(head_r, &params, slice_is(type, "text"));
	buf_addc(head_r, ' ');
	imapform_nstring(head_r, bounded(f, FIELD_ID));
	buf_addc(head_r, ' ');
	imapform_nstring(head_r, bounded(f, FIELD_DESCRIPTION));
	buf_addc(head_r, ' ');
	imapform_upper(head_r, encoding.n > 0 ? encoding : SLICE("7BIT"));
}

/* ---- the message itself ---- */

/* For look-ups: no control characters, UTF-8. */
static struct slice
clean(struct arena *arena, struct slice s)
{
	struct buf b = BUF_INIT(3 * ID_MAX);

	unicode_repair(&b, slice_head(s, ID_MAX));
	lex_blank_controls(&b, 0);
	return keep_buf(arena, &b);
}

static struct slice
decoded(struct arena *arena, struct slice value, unsigned *flags)
{
	struct buf b = BUF_INIT(SEARCH_MAX);

	encword_decode(&b, value);
	if (b.over)
		*flags |= MSGREC_CUT;
	buf_cut(&b, b.n - unicode_partial(buf_slice(&b)));
	return keep_buf(arena, &b);
}

/* Canonical, clean id. */
static struct slice
id_of(struct arena *arena, struct slice id)
{
	struct buf b = BUF_INIT(FIELD_MAX);
	struct slice s;

	thread_canonical_id(&b, id);
	s = clean(arena, buf_slice(&b));
	buf_free(&b);
	return s;
}

static struct slice
message_id(struct arena *arena, const struct fields *f)
{
	struct slice value = fields_get(f, FIELD_MESSAGE_ID), rest = value, id;

	return id_of(arena,
	    thread_next_id(&rest, &id) ? id : slice_trim(value));
}

/* The last IDS_MAX of References, else the first of In-Reply-To. */
static struct slice
references(struct arena *keep, struct arena *tmp, const struct fields *f)
{
	struct buf b = BUF_INIT(IDS_MAX * 4 * ID_MAX);
	struct slice rest = fields_get(f, FIELD_REFERENCES), id;
	size_t skip = 0;

	while (thread_next_id(&rest, &id))
		skip++;
	skip = skip > IDS_MAX ? skip - IDS_MAX : 0;
	rest = fields_get(f, FIELD_REFERENCES);
	while (thread_next_id(&rest, &id)) {
		if (skip > 0) {
			skip--;
			continue;
		}
		if (b.n > 0)
			buf_addc(&b, ' ');
		buf_add(&b, id_of(tmp, id));
	}
	rest = fields_get(f, FIELD_IN_REPLY_TO);
	if (b.n == 0 && thread_next_id(&rest, &id))
		buf_add(&b, id_of(tmp, id));
	return keep_buf(keep, &b);
}

static void
describe_from(struct arena *keep, struct arena *tmp, const struct fields *f,
    struct msgrec_draft *d)
{
	struct address_list list;

	address_parse(tmp, fields_get(f, FIELD_FROM), ADDRESSES_MAX, &list);
	for (size_t i = 0; i < list.n; i++) {
		if (list.v[i].kind != ADDRESS_MAILBOX)
			continue;
		if (d->froms++ > 0)
			continue;
		d->texts[MSGREC_FROM_LOCAL] = clean(keep, list.v[i].local);
		d->texts[MSGREC_FROM_DOMAIN] = clean(keep, list.v[i].domain);
	}
}

static void
describe_subject(struct arena *keep, const struct fields *f,
    struct msgrec_draft *d)
{
	struct buf base = BUF_INIT(SEARCH_MAX);
	struct slice s;

	s = decoded(keep, fields_get(f, FIELD_SUBJECT), &d->flags);
	d->texts[MSGREC_SUBJECT] = s;
	if (thread_base_subject(&base, s))
		d->flags |= MSGREC_REPLY;
	buf_cut(&base, base.n - unicode_partial(buf_slice(&base)));
	d->texts[MSGREC_SUBJECT_BASE] = keep_buf(keep, &base);
}

void
describe_main(struct arena *keep, struct arena *tmp, const struct fields *f,
    struct msgrec_draft *d)
{
	struct date date;

	describe_subject(keep, f, d);
	describe_from(keep, tmp, f, d);
	for (enum msgrec_text i = MSGREC_FROM; i <= MSGREC_BCC; i++) {
		static const enum field fields[] = { FIELD_FROM, FIELD_TO,
			FIELD_CC, FIELD_BCC };

		d->texts[i] = decoded(keep,
		    fields_get(f, fields[i - MSGREC_FROM]), &d->flags);
	}
	d->texts[MSGREC_MSGID] = message_id(keep, f);
	d->texts[MSGREC_REFERENCES] = references(keep, tmp, f);
	if (date_parse(fields_get(f, FIELD_DATE), &date) &&
	    date.s >= MSGREC_DATE_MIN && date.s <= MSGREC_DATE_MAX) {
		d->date = date.s;
		d->flags |= MSGREC_DATE;
	}
	if (f->count[FIELD_LIST_ID] + f->count[FIELD_LIST_POST] > 0)
		d->flags |= MSGREC_LIST;
	if (fields_cut(f))
		d->flags |= MSGREC_CUT;
	d->received = f->count[FIELD_RECEIVED];
}
