#include "imap/sort.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "imap/envelope.h"
#include "message/encword.h"
#include "text/unicode.h"

static const struct {
	const char *name;
	enum sort_kind kind;
} kinds[] = {
	{ "ARRIVAL", SORT_ARRIVAL },
	{ "CC", SORT_CC },
	{ "DATE", SORT_DATE },
	{ "DISPLAYFROM", SORT_DISPLAYFROM },
	{ "DISPLAYTO", SORT_DISPLAYTO },
	{ "FROM", SORT_FROM },
	{ "RELEVANCY", SORT_RELEVANCY },
	{ "SIZE", SORT_SIZE },
	{ "SUBJECT", SORT_SUBJECT },
	{ "TO", SORT_TO },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static bool
parse_key(struct imap_parse *p, struct sort *sort)
{
	struct sort_key *key = &sort->keys[sort->n];

	if (sort->n == SORT_KEYS_MAX)
		return imap_wrong(p, "too many sort keys");
	key->reverse = imap_word(p, "REVERSE");
	if (key->reverse && !imap_sp(p))
		return false;
	for (size_t i = 0; i < KINDS; i++)
		if (imap_word(p, kinds[i].name)) {
			key->kind = kinds[i].kind;
			sort->n++;
			return true;
		}
	return imap_wrong(p, "unknown sort key");
}

bool
imap_sort_parse(struct imap_parse *p, struct sort *sort_r)
{
	sort_r->n = 0;
	if (!imap_char(p, '('))
		return imap_wrong(p, "expected ( before sort keys");
	do {
		if (!parse_key(p, sort_r))
			return false;
	} while (imap_char(p, ' '));
	return imap_char(p, ')') || imap_wrong(p, "expected )");
}

/* ---- values ---- */

/* What a message is sorted by: for each key a number, or a text, of which the
 * number is the begin. */
struct value {
	int64_t number;
	struct slice text;
};

struct row {
	uint64_t first; /* of the first key, in the order that is asked for */
	uint32_t i;     /* as found */
};

struct sorter {
	struct imap_session *s;
	const struct sort *sort;
	struct search_found *found;
	struct value *values;  /* sort->n for each found */
	struct arena *scratch; /* of one message */
};

int64_t
imap_sent_date(const struct store_msg *m, struct slice record)
{
	if (record.n && msgrec_flags(record) & MSGREC_DATE)
		return msgrec_date(record);
	return m->received;
}

#define BYTES(c) (0x0101010101010101u * (uint64_t)(c))

/* Eight characters, those of a to z in upper case. */
static uint64_t
upper(uint64_t v)
{
	uint64_t low = v & BYTES(0x7f);
	uint64_t from_a = low + BYTES(0x80 - 'a');
	uint64_t behind_z = low + BYTES(0x7f - 'z');

	return v ^ ((from_a & ~behind_z & ~v & BYTES(0x80)) >> 2);
}

/* As i;unicode-casemap orders (RFC 5051): "_" is behind letters. text is
 * folded, or ASCII. */
static struct slice
collated(struct sorter *x, struct slice text)
{
	char *p = arena_alloc(x->s->arena, text.n + sizeof(uint64_t));
	uint64_t v;

	memcpy(p, text.p, text.n);
	memset(p + text.n, 0, sizeof(v));
	for (size_t i = 0; i < text.n; i += sizeof(v)) {
		memcpy(&v, p + i, sizeof(v));
		v = upper(v);
		memcpy(p + i, &v, sizeof(v));
	}
	return slice_of(p, text.n);
}

/* In the order of the texts, as far as it goes; most are told apart by it. Of
 * what `collated` made: zeros are behind it. */
static int64_t
text_number(struct slice text)
{
	uint64_t n = 0;

	if (text.n > 0)
		memcpy(&n, text.p, sizeof(n));
	return (int64_t)(be64toh(n) >> 1);
}

static struct slice
folded(struct sorter *x, struct slice text)
{
	struct buf b = BUF_INIT(8 * text.n + 64);
	struct slice copy;

	if (unicode_is_ascii(text))
		return collated(x, text);
	unicode_fold(&b, text);
	copy = collated(x, buf_slice(&b));
	buf_free(&b);
	return copy;
}

static struct slice
decoded(struct sorter *x, struct slice text)
{
	struct buf b = BUF_INIT(4 * text.n + 64);
	struct slice copy;

	if (!encword_needed(text))
		return text;
	encword_decode(&b, text);
	copy = arena_dup(x->scratch, buf_slice(&b));
	buf_free(&b);
	return copy;
}

static struct slice
joined(struct sorter *x, const struct envelope_address *a)
{
	struct buf b = BUF_INIT(a->mailbox.n + 1 + a->host.n);
	struct slice copy;

	buf_add(&b, a->mailbox);
	buf_add(&b, SLICE("@"));
	buf_add(&b, a->host);
	copy = arena_dup(x->scratch, buf_slice(&b));
	buf_free(&b);
	return copy;
}

/* RFC 5957, 3: the name that is shown, else the address; of a group its name. */
static struct slice
display(struct sorter *x, const struct envelope_address *a)
{
	if (a->name.n)
		return decoded(x, a->name);
	return a->host.n ? joined(x, a) : a->mailbox;
}

static struct slice
address_value(struct sorter *x, enum sort_kind kind, struct slice record)
{
	static const enum envelope_field fields[] = {
		[SORT_FROM] = ENVELOPE_FROM,
		[SORT_TO] = ENVELOPE_TO,
		[SORT_CC] = ENVELOPE_CC,
		[SORT_DISPLAYFROM] = ENVELOPE_FROM,
		[SORT_DISPLAYTO] = ENVELOPE_TO,
	};
	struct slice envelope = msgrec_text(record, MSGREC_ENVELOPE), mailbox;
	struct envelope_address a;

	if (kind < SORT_DISPLAYFROM)
		return imap_envelope_mailbox(x->scratch, envelope, fields[kind],
			   &mailbox)
		    ? folded(x, mailbox)
		    : SLICE_NULL;
	return imap_envelope_first(x->scratch, envelope, fields[kind], &a)
	    ? folded(x, display(x, &a))
	    : SLICE_NULL;
}

/* Is the record looked at, or only the index? */
static bool
needs_record(const struct sort *sort)
{
	for (unsigned i = 0; i < sort->n; i++)
		if (sort->keys[i].kind != SORT_ARRIVAL &&
		    sort->keys[i].kind != SORT_SIZE &&
		    sort->keys[i].kind != SORT_RELEVANCY)
			return true;
	return false;
}

static void
set_value(struct sorter *x, enum sort_kind kind, const struct store_msg *m,
    struct slice record, struct value *v)
{
	switch (kind) {
	case SORT_ARRIVAL:
		v->number = m->received;
		break;
	case SORT_DATE:
		v->number = imap_sent_date(m, record);
		break;
	case SORT_SUBJECT:
		if (record.n)
			v->text = collated(x,
			    msgrec_text(record, MSGREC_SUBJECT_BASE));
		v->number = text_number(v->text);
		break;
	default:
		if (record.n)
			v->text = address_value(x, kind, record);
		v->number = text_number(v->text);
	}
}

/* Of a message that is gone the size is 0. */
static int
set_size(struct mailbox *mb, uint32_t seq, struct value *v, struct err *e)
{
	uint64_t size = 0;
	int rc = mailbox_wire_size(mb, mailbox_msg(mb, seq), &size, e);

	v->number = (int64_t)size;
	return rc < 0 ? -1 : 0;
}

/* Of a message that is gone the texts are empty. */
static int
fill_values(struct sorter *x, uint32_t i, bool record_needed, struct err *e)
{
	struct mailbox *mb = x->s->mb;
	struct value *values = &x->values[(size_t)i * x->sort->n];
	struct slice record = SLICE_NULL;
	uint32_t seq = x->found->seqs[i];

	if (record_needed) {
		int rc = mailbox_record(mb, mailbox_msg(mb, seq), &record, e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			record = SLICE_NULL;
	}
	for (unsigned k = 0; k < x->sort->n; k++)
		if (x->sort->keys[k].kind == SORT_RELEVANCY)
			values[k].number =
			    x->found->scores ? -x->found->scores[i] : 0;
		else if (x->sort->keys[k].kind == SORT_SIZE) {
			if (set_size(mb, seq, &values[k], e) != 0)
				return -1;
		} else
			set_value(x, x->sort->keys[k].kind,
			    mailbox_msg(mb, seq), record, &values[k]);
	arena_reset(x->scratch);
	return 0;
}

/* ---- order ---- */

static int
compare(const void *a, const void *b, void *arg)
{
	const struct row *r = a, *s = b;
	const struct sorter *x = arg;
	const struct sort *sort = x->sort;

	if (r->first != s->first)
		return r->first < s->first ? -1 : 1;
	for (unsigned i = 0; i < sort->n; i++) {
		const struct value *v = &x->values[(size_t)r->i * sort->n + i];
		const struct value *w = &x->values[(size_t)s->i * sort->n + i];
		int c = v->number != w->number
		    ? (v->number < w->number ? -1 : 1)
		    : slice_cmp(v->text, w->text);
		if (c != 0)
			return sort->keys[i].reverse ? -c : c;
	}
	/* REVERSE does not concern the order of equal ones. */
	return r->i < s->i ? -1 : r->i > s->i;
}

#define RADIX_MIN 256u /* fewer are compared sooner than counted */

/* By `first`, a byte at a time from the lowest; those on which all agree are
 * passed over. The order of equal ones stays. Into rows or other: returned. */
static struct row *
by_bytes(struct row *rows, struct row *other, uint32_t n)
{
	uint32_t counts[8][256] = { 0 };

	for (uint32_t i = 0; i < n; i++)
		for (unsigned b = 0; b < 8; b++)
			counts[b][rows[i].first >> 8 * b & 0xff]++;
	for (unsigned b = 0; b < 8; b++) {
		struct row *swap = rows;
		uint32_t *count = counts[b], at = 0;

		if (count[rows[0].first >> 8 * b & 0xff] == n)
			continue;
		for (unsigned v = 0; v < 256; v++) {
			uint32_t here = count[v];

			count[v] = at;
			at += here;
		}
		for (uint32_t i = 0; i < n; i++)
			other[count[rows[i].first >> 8 * b & 0xff]++] = rows[i];
		rows = other;
		other = swap;
	}
	return rows;
}

/* Often all are equal: of one mailing list, to one address. */
static bool
in_order(struct sorter *x, const struct row *rows, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (compare(&rows[i - 1], &rows[i], x) > 0)
			return false;
	return true;
}

static void
by_all_keys(struct sorter *x, struct row *rows, uint32_t n)
{
	for (uint32_t i = 0, next; i < n; i = next) {
		for (next = i + 1;
		     next < n && rows[next].first == rows[i].first; next++)
			;
		if (!in_order(x, rows + i, next - i))
			qsort_r(rows + i, next - i, sizeof(*rows), compare, x);
	}
}

static void
put_order(struct sorter *x, const struct row *rows)
{
	struct search_found *found = x->found;
	uint32_t *seqs = arena_array(x->s->arena, found->count, sizeof(*seqs));
	uint8_t *scores =
	    found->scores ? arena_alloc(x->s->arena, found->count) : NULL;

	for (uint32_t i = 0; i < found->count; i++) {
		seqs[i] = found->seqs[rows[i].i];
		if (scores)
			scores[i] = found->scores[rows[i].i];
	}
	found->seqs = seqs;
	found->scores = scores;
}

int
imap_sort(struct imap_session *s, const struct sort *sort,
    struct search_found *found, struct err *e)
{
	uint32_t n = found->count;
	struct sorter x = { s, sort, found, NULL, NULL };
	struct row *rows = arena_array(s->arena, n, 2 * sizeof(*rows));
	bool record_needed = needs_record(sort);
	uint64_t flip = sort->keys[0].reverse ? UINT64_MAX : 0;
	int rc = 0;

	x.values =
	    arena_array(s->arena, (size_t)n * sort->n, sizeof(*x.values));
	x.scratch = arena_new(0);
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		rc = fill_values(&x, i, record_needed, e);
		rows[i].i = i;
		rows[i].first =
		    ((uint64_t)x.values[(size_t)i * sort->n].number ^
			1ull << 63) ^
		    flip;
	}
	arena_free(&x.scratch);
	if (rc < 0)
		return -1;
	if (n < RADIX_MIN)
		qsort_r(rows, n, sizeof(*rows), compare, &x);
	else {
		rows = by_bytes(rows, rows + n, n);
		by_all_keys(&x, rows, n);
	}
	put_order(&x, rows);
	return 0;
}
