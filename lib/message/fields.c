/* fields - the header fields that a record says something of. */
#include "message/fields.h"

#include "message/header.h"
#include "message/record_int.h"

/*
 * What a field does that comes again, though it may not (RFC 5322, 3.6): of
 * the message the last counts, which is the one that DKIM signs first (RFC
 * 6376, 5.4.2), of a part the first. Lists of addresses are joined, so that
 * searches find them all. COUNT: its value is not kept at all.
 */
enum again { FIRST, LAST, JOIN, COUNT };

static const struct {
	struct slice name;
	enum again again;
} table[FIELDS] = {
	[FIELD_DATE] = { SLICE("Date"), LAST },
	[FIELD_SUBJECT] = { SLICE("Subject"), LAST },
	[FIELD_FROM] = { SLICE("From"), JOIN },
	[FIELD_SENDER] = { SLICE("Sender"), LAST },
	[FIELD_REPLY_TO] = { SLICE("Reply-To"), JOIN },
	[FIELD_TO] = { SLICE("To"), JOIN },
	[FIELD_CC] = { SLICE("Cc"), JOIN },
	[FIELD_BCC] = { SLICE("Bcc"), JOIN },
	[FIELD_IN_REPLY_TO] = { SLICE("In-Reply-To"), LAST },
	[FIELD_MESSAGE_ID] = { SLICE("Message-ID"), LAST },
	[FIELD_REFERENCES] = { SLICE("References"), LAST },
	[FIELD_RECEIVED] = { SLICE("Received"), COUNT },
	[FIELD_LIST_ID] = { SLICE("List-Id"), COUNT },
	[FIELD_LIST_POST] = { SLICE("List-Post"), COUNT },
	[FIELD_TYPE] = { SLICE("Content-Type"), FIRST },
	[FIELD_ENCODING] = { SLICE("Content-Transfer-Encoding"), FIRST },
	[FIELD_ID] = { SLICE("Content-ID"), FIRST },
	[FIELD_DESCRIPTION] = { SLICE("Content-Description"), FIRST },
	[FIELD_MD5] = { SLICE("Content-MD5"), FIRST },
	[FIELD_DISPOSITION] = { SLICE("Content-Disposition"), FIRST },
	[FIELD_LANGUAGE] = { SLICE("Content-Language"), FIRST },
	[FIELD_LOCATION] = { SLICE("Content-Location"), FIRST },
};

static enum field
find(struct slice name, enum field from)
{
	while (from < FIELDS && !slice_eqi(table[from].name, name))
		from++;
	return from;
}

bool
msgrec_field_matters(struct slice name)
{
	return find(name, 0) < FIELDS;
}

void
fields_init(struct fields *f)
{
	*f = (struct fields){ .open = NULL };
	for (size_t i = 0; i < FIELDS; i++)
		f->value[i] = (struct buf)BUF_INIT(FIELD_MAX);
}

void
fields_reset(struct fields *f)
{
	for (size_t i = 0; i < FIELDS; i++) {
		buf_reset(&f->value[i]);
		f->count[i] = 0;
	}
	f->open = NULL;
}

void
fields_free(struct fields *f)
{
	for (size_t i = 0; i < FIELDS; i++)
		buf_free(&f->value[i]);
}

void
fields_start(struct fields *f, struct slice line, bool mime_only)
{
	struct slice name, value;
	enum field which;

	f->open = NULL;
	if (!header_split(line, &name, &value))
		return;
	which = find(name, mime_only ? FIELD_TYPE : 0);
	if (which == FIELDS)
		return;
	f->count[which]++;
	if (table[which].again == COUNT ||
	    (table[which].again == FIRST && f->count[which] > 1))
		return;
	f->open = &f->value[which];
	if (table[which].again == LAST)
		buf_reset(f->open);
	else if (f->count[which] > 1)
		buf_add(f->open, SLICE(", "));
	while (value.n > 0 && scan_wsp[(unsigned char)value.p[0]])
		value = slice_skip(value, 1);
	fields_more(f, value);
}

/* As header_unfold, but fills the buf to its last byte, so that what is kept
 * does not depend on the pieces that text comes in. */
void
fields_more(struct fields *f, struct slice text)
{
	struct buf *b = f->open;

	while (b != NULL && text.n > 0 && !b->over) {
		size_t n = 0, room = b->max - b->n;

		while (n < text.n && text.p[n] != '\r' && text.p[n] != '\n' &&
		    text.p[n] != '\t')
			n++;
		buf_add(b, slice_head(text, n < room ? n : room));
		if (n > room)
			b->over = true;
		if (n < text.n && text.p[n] == '\t')
			buf_addc(b, ' ');
		text = slice_skip(text, n + 1);
	}
}

struct slice
fields_get(const struct fields *f, enum field which)
{
	if (f->count[which] == 0)
		return SLICE_NULL;
	return f->value[which].n == 0 ? SLICE("") : buf_slice(&f->value[which]);
}

bool
fields_cut(const struct fields *f)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (f->value[i].over)
			return true;
	return false;
}
