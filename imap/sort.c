#include "imap/sort.h"

#include <stdlib.h>

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

/* What a message is sorted by: a number for each key, or a text, of which the
 * number is the begin. */
struct value {
	int64_t number;
	struct slice text;
};

struct row {
	uint32_t seq;
	uint8_t score;
	struct value *values;
};

struct sorter {
	struct imap_session *s;
	const struct sort *sort;
	struct arena *scratch; /* of one message */
};

int64_t
imap_sent_date(const struct store_msg *m, struct slice record)
{
	if (record.n && msgrec_flags(record) & MSGREC_DATE)
		return msgrec_date(record);
	return m->received;
}

/* As i;unicode-casemap orders (RFC 5051): "_" is behind letters. text is
 * folded. */
static struct slice
collated(struct sorter *x, struct slice text)
{
	char *p = arena_alloc(x->s->arena, text.n);

	for (size_t i = 0; i < text.n; i++)
		p[i] = (char)(text.p[i] >= 'a' && text.p[i] <= 'z'
			? text.p[i] - 'a' + 'A'
			: text.p[i]);
	return slice_of(p, text.n);
}

/* In the order of the texts, as far as it goes; most are told apart by it. */
static int64_t
text_number(struct slice text)
{
	uint64_t n = 0;

	for (size_t i = 0; i < 8; i++)
		n = n << 8 | (i < text.n ? (unsigned char)text.p[i] : 0);
	return (int64_t)(n >> 1);
}

static struct slice
folded(struct sorter *x, struct slice text)
{
	struct buf b = BUF_INIT(8 * text.n + 64);
	struct slice copy;

	unicode_fold(&b, text);
	copy = collated(x, buf_slice(&b));
	buf_free(&b);
	return copy;
}

/* RFC 5957, 3: the name that is shown, else the address. */
static struct slice
display(struct sorter *x, const struct envelope_address *a)
{
	struct buf name = BUF_INIT(4 * a->name.n + 64);
	struct slice text;

	if (a->name.n) {
		encword_decode(&name, a->name);
		text = arena_dup(x->scratch, buf_slice(&name));
	} else if (a->host.n)
		text = arena_printf(x->scratch, "%.*s@%.*s",
		    SLICE_FMT(a->mailbox), SLICE_FMT(a->host));
	else
		text = a->mailbox; /* a group's name */
	buf_free(&name);
	return text;
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
	struct envelope_address a;
	struct slice envelope = msgrec_text(record, MSGREC_ENVELOPE);

	if (!imap_envelope_first(x->scratch, envelope, fields[kind], &a))
		return SLICE_NULL;
	return folded(x, kind < SORT_DISPLAYFROM ? a.mailbox : display(x, &a));
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
	case SORT_SIZE:
		v->number = (int64_t)m->wire_size;
		break;
	case SORT_RELEVANCY: /* set already */
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

/* Of a message that is gone the texts are empty. */
static int
fill_row(struct sorter *x, struct row *row, bool record_needed, struct err *e)
{
	struct mailbox *mb = x->s->mb;
	struct slice record = SLICE_NULL;

	if (record_needed) {
		int rc =
		    mailbox_record(mb, mailbox_msg(mb, row->seq), &record, e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			record = SLICE_NULL;
	}
	for (unsigned i = 0; i < x->sort->n; i++)
		if (x->sort->keys[i].kind == SORT_RELEVANCY)
			row->values[i].number = -row->score;
	for (unsigned i = 0; i < x->sort->n; i++)
		set_value(x, x->sort->keys[i].kind, mailbox_msg(mb, row->seq),
		    record, &row->values[i]);
	arena_reset(x->scratch);
	return 0;
}

/* ---- order ---- */

static int
compare(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	const struct sort *sort = arg;

	for (unsigned i = 0; i < sort->n; i++) {
		const struct value *v = &x->values[i], *w = &y->values[i];
		int c = v->number != w->number
		    ? (v->number < w->number ? -1 : 1)
		    : slice_cmp(v->text, w->text);
		if (c != 0)
			return sort->keys[i].reverse ? -c : c;
	}
	/* REVERSE does not concern the order of equal ones. */
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

int
imap_sort(struct imap_session *s, const struct sort *sort,
    struct search_found *found, struct err *e)
{
	struct sorter x = { s, sort, arena_new(0) };
	struct row *rows = arena_array(s->arena, found->count, sizeof(*rows));
	struct value *values = arena_array(s->arena,
	    (size_t)found->count * sort->n, sizeof(*values));
	bool record_needed = needs_record(sort);
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < found->count; i++) {
		rows[i].seq = found->seqs[i];
		rows[i].values = values + (size_t)i * sort->n;
		rows[i].score = found->scores ? found->scores[i] : 0;
		rc = fill_row(&x, &rows[i], record_needed, e);
	}
	arena_free(&x.scratch);
	if (rc < 0)
		return -1;
	qsort_r(rows, found->count, sizeof(*rows), compare, (void *)sort);
	for (uint32_t i = 0; i < found->count; i++) {
		found->seqs[i] = rows[i].seq;
		if (found->scores)
			found->scores[i] = rows[i].score;
	}
	return 0;
}
