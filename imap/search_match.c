/* search_match - does a message match a search program? */
#include <string.h>

#include "base/clock.h"
#include "imap/search.h"
#include "message/body.h"
#include "message/date.h"
#include "message/encword.h"
#include "message/header.h"
#include "message/section.h"
#include "text/unicode.h"

#define DAY_S 86400
#define PIECE 65536
#define HEADER_MAX (16 << 20) /* header bytes looked through */

struct match {
	struct mailbox *mb;
	uint32_t seq;
	struct err *e;
};

/* Looked up each time: reading may refresh the mailbox. */
static const struct store_msg *
msg_of(const struct match *x)
{
	return mailbox_msg(x->mb, x->seq);
}

static int match_key(struct match *x, const struct search_key *key);

static bool
contains(struct slice folded, struct slice needle)
{
	return needle.n == 0 ||
	    (folded.n >= needle.n &&
		memmem(folded.p, folded.n, needle.p, needle.n) != NULL);
}

/* Folds text and looks for the needle; ASCII is what most headers are. */
static bool
text_contains(struct slice text, struct slice needle)
{
	struct buf folded = BUF_INIT(8 * text.n + 64);
	bool found;

	if (unicode_is_ascii(text))
		return slice_findi(text, needle) >= 0;
	unicode_fold(&folded, text);
	found = contains(buf_slice(&folded), needle);
	buf_free(&folded);
	return found;
}

/* ---- the index and the record ---- */

/* The record; 0 if the message is gone. */
static int
record_of(struct match *x, struct slice *record_r)
{
	return mailbox_record(x->mb, msg_of(x), record_r, x->e);
}

/* RFC 9051, 6.4.4: the date as shown, time and zone disregarded. */
static bool
match_day(const struct search_key *key, int64_t at)
{
	at += clock_zone_s(at);
	switch (key->kind) {
	case SEARCH_BEFORE:
	case SEARCH_SAVEDBEFORE:
		return at < key->day;
	case SEARCH_ON:
	case SEARCH_SAVEDON:
		return at >= key->day && at < key->day + DAY_S;
	default:
		return at >= key->day;
	}
}

/*
 * The day of the Date field as it is written. The record has the moment in
 * UTC; only near the day's edges the zone matters, and then the ENVELOPE has
 * the text.
 */
static int64_t
sent_day(struct slice record, int64_t near)
{
	int64_t at = msgrec_date(record);
	struct slice text = msgrec_text(record, MSGREC_ENVELOPE);
	struct date date;
	struct tm tm = { 0 };

	if (at < near - DAY_S || at > near + 2 * DAY_S)
		return at;
	slice_cut(slice_skip(text, 2), '"', &text, &(struct slice){ 0 });
	if (!date_parse(text, &date))
		return at;
	tm.tm_year = date.year - 1900;
	tm.tm_mon = date.month - 1;
	tm.tm_mday = date.day;
	return timegm(&tm);
}

static int
match_sent(struct match *x, const struct search_key *key)
{
	struct slice record;
	int64_t day;
	int rc = record_of(x, &record);

	if (rc <= 0 || !(msgrec_flags(record) & MSGREC_DATE))
		return rc < 0 ? -1 : 0;
	day = sent_day(record, key->day);
	switch (key->kind) {
	case SEARCH_SENTBEFORE:
		return day < key->day;
	case SEARCH_SENTON:
		return day >= key->day && day < key->day + DAY_S;
	default:
		return day >= key->day;
	}
}

static int
match_field(struct match *x, const struct search_key *key)
{
	struct slice record;
	int rc = record_of(x, &record);

	if (rc <= 0)
		return rc;
	return text_contains(msgrec_text(record, (enum msgrec_text)key->field),
	    key->text);
}

static bool
match_keyword(const struct match *x, const struct search_key *key)
{
	int bit = mailbox_keyword(x->mb, key->name);

	return bit >= 0 && msg_of(x)->keywords & UINT64_C(1) << bit;
}

/* ---- the file ---- */

/* Wire bytes from..from+size to put, which says true when it has enough. */
static int
read_range(struct match *x, struct msgrec_pos from, uint64_t size,
    bool (*put)(void *ctx, struct slice wire), void *ctx)
{
	struct mailbox_reader *reader = NULL;
	struct slice piece;
	int rc = mailbox_read_open(&reader, x->mb, msg_of(x), x->e);

	if (rc <= 0)
		return rc;
	if (size && mailbox_read_seek(reader, from.off, from.breaks, x->e) < 0)
		rc = -1;
	while (rc > 0 && size) {
		rc = mailbox_read(reader, size < PIECE ? (size_t)size : PIECE,
		    &piece, x->e);
		if (rc <= 0)
			break;
		size -= piece.n;
		if (put(ctx, piece))
			break;
	}
	mailbox_read_close(&reader);
	return rc < 0 ? -1 : 1;
}

static bool
collect(void *ctx, struct slice wire)
{
	struct buf *b = ctx;

	buf_add(b, wire);
	return b->over;
}

static bool
value_contains(struct slice value, struct slice needle)
{
	struct buf flat = BUF_INIT(HEADER_MAX), text = BUF_INIT(HEADER_MAX);
	bool found;

	header_unfold(&flat, value);
	encword_decode(&text, buf_slice(&flat));
	found = text_contains(buf_slice(&text), needle);
	buf_free(&flat);
	buf_free(&text);
	return found;
}

/* Any field named name (any name if empty) with the text in it. */
static bool
block_contains(struct slice block, struct slice name, struct slice needle)
{
	struct header_field field;

	while (header_next(&block, &field))
		if ((name.n == 0 || slice_eqi(field.name, name)) &&
		    (value_contains(field.value, needle) ||
			(name.n == 0 && value_contains(field.raw, needle))))
			return true;
	return false;
}

/* Part i of the message, good until something is read. 1, 0 gone, -1. */
static int
find_part(struct match *x, uint32_t i, struct msgrec_part *part_r)
{
	struct slice record;
	int rc = record_of(x, &record);

	if (rc > 0 && i >= msgrec_parts(record))
		rc = 0;
	if (rc > 0)
		msgrec_part(record, i, part_r);
	return rc;
}

/* Any field of the header of part i. */
static int
header_contains(struct match *x, uint32_t i, struct slice name,
    struct slice needle)
{
	struct buf block = BUF_INIT(HEADER_MAX);
	struct msgrec_part part;
	int rc = find_part(x, i, &part);

	if (rc > 0)
		rc = read_range(x, part.header, part.body.off - part.header.off,
		    collect, &block);
	if (rc > 0)
		rc = block_contains(buf_slice(&block), name, needle);
	buf_free(&block);
	return rc;
}

/* ---- text of parts ---- */

/* A decoded part as it streams by, with what a match may begin in kept. */
struct stream {
	struct body *body;
	struct buf text, folded;
	struct slice needle;
	bool found;
};

static void
stream_look(struct stream *st, bool last)
{
	size_t partial = last ? 0 : unicode_partial(buf_slice(&st->text));
	size_t whole = st->text.n - partial;

	unicode_fold(&st->folded, slice_head(buf_slice(&st->text), whole));
	buf_consume(&st->text, whole);
	st->found |= contains(buf_slice(&st->folded), st->needle);
	if (st->folded.n > st->needle.n)
		buf_consume(&st->folded, st->folded.n - st->needle.n);
}

static bool
stream_put(void *ctx, struct slice wire)
{
	struct stream *st = ctx;

	body_push(st->body, wire, &st->text);
	stream_look(st, false);
	return st->found;
}

static int
body_contains(struct match *x, uint32_t i, struct slice needle)
{
	struct stream st = {
		.text = BUF_INIT(32 * PIECE),
		.folded = BUF_INIT(64 * PIECE),
		.needle = needle,
	};
	struct msgrec_part part;
	int rc = find_part(x, i, &part);

	if (rc <= 0 || part.kind != MSGREC_LEAF ||
	    !slice_starts(part.type, SLICE("text/")))
		return rc < 0 ? -1 : 0;
	/* Unknown encodings are searched as they stand. */
	st.body = body_new(part.encoding,
	    part.charset.n ? part.charset : SLICE("utf-8"));
	if (!st.body)
		st.body = body_new(MSGREC_8BIT, SLICE("utf-8"));
	rc = read_range(x, part.body, part.end.off - part.body.off, stream_put,
	    &st);
	if (rc > 0) {
		body_end(st.body, &st.text);
		stream_look(&st, true);
		rc = st.found;
	}
	body_free(&st.body);
	buf_free(&st.text);
	buf_free(&st.folded);
	return rc;
}

/* Is part i a message, so that its header is text to be searched? */
static bool
is_message(struct slice record, uint32_t i)
{
	struct msgrec_part part;

	msgrec_part(record, i, &part);
	if (part.parent == MSGREC_NONE)
		return true;
	msgrec_part(record, part.parent, &part);
	return part.kind == MSGREC_MESSAGE;
}

/* TEXT looks into all headers, BODY only into those of messages within. */
static int
match_text(struct match *x, const struct search_key *key)
{
	struct slice record;
	uint32_t n = 1;

	for (uint32_t i = 0; i < n; i++) {
		bool header = i > 0 || key->kind == SEARCH_TEXT;
		int rc = record_of(x, &record);
		if (rc <= 0)
			return rc;
		n = msgrec_parts(record);
		rc = 0;
		if (header && i < n && is_message(record, i))
			rc = header_contains(x, i, SLICE_NULL, key->text);
		if (rc == 0)
			rc = body_contains(x, i, key->text);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* ---- the tree ---- */

static int
match_all(struct match *x, const struct search_key *key)
{
	for (size_t i = 0; i < key->nkeys; i++) {
		int rc = match_key(x, key->keys[i]);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

static int
match_any(struct match *x, const struct search_key *key)
{
	for (size_t i = 0; i < key->nkeys; i++) {
		int rc = match_key(x, key->keys[i]);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* What the index decides alone. */
static bool
match_index(const struct match *x, const struct search_key *key)
{
	const struct store_msg *m = msg_of(x);

	switch (key->kind) {
	case SEARCH_UIDS:
		return uidset_has(&key->uids, m->uid);
	case SEARCH_FLAGS:
		return (m->flags & key->mask) == key->value;
	case SEARCH_KEYWORD:
		return match_keyword(x, key);
	case SEARCH_LARGER:
		return m->wire_size > key->number;
	case SEARCH_SMALLER:
		return m->wire_size < key->number;
	case SEARCH_MODSEQ:
		return m->modseq >= key->number;
	case SEARCH_OLDER:
		return m->received <= (int64_t)key->number;
	case SEARCH_YOUNGER:
		return m->received >= (int64_t)key->number;
	case SEARCH_EMAILID:
		return slice_eq(key->name, slice_of(m->emailid, STORE_EMAILID));
	case SEARCH_THREADID:
		return key->number && m->thread == key->number;
	case SEARCH_SAVEDBEFORE:
	case SEARCH_SAVEDON:
	case SEARCH_SAVEDSINCE:
		return match_day(key, m->saved);
	case SEARCH_BEFORE:
	case SEARCH_ON:
	case SEARCH_SINCE:
		return match_day(key, m->received);
	default:
		return key->kind == SEARCH_ALL;
	}
}

static int
match_plain(struct match *x, const struct search_key *key)
{
	switch (key->kind) {
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		return match_sent(x, key);
	case SEARCH_FIELD:
		return match_field(x, key);
	case SEARCH_HEADER:
		return header_contains(x, 0, key->name, key->text);
	case SEARCH_BODY:
	case SEARCH_TEXT:
		return match_text(x, key);
	case SEARCH_AND:
		return match_all(x, key);
	case SEARCH_OR:
		return match_any(x, key);
	default:
		return match_index(x, key);
	}
}

/* Depth is bounded by SEARCH_DEPTH_MAX. */
static int
match_key(struct match *x, const struct search_key *key)
{
	int rc = match_plain(x, key);

	return rc >= 0 && key->not ? !rc : rc;
}

int
imap_search_match(struct mailbox *mb, const struct search *search, uint32_t seq,
    struct err *e)
{
	struct match x = { mb, seq, e };

	return match_key(&x, search->program);
}
