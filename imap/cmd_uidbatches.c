/* UIDBATCHES (RFC 10022): UID ranges of about as many messages each, from the
 * newest down to UID 1. */
#include "imap/imap.h"

/* RFC 10022, 3.1.3.2: smaller ones would be message numbers in disguise. */
#define BATCH_MIN 500

struct batches {
	uint32_t size;
	uint32_t first, last; /* those asked for, from 1 */
};

static bool
batches_args(struct imap_parse *p, struct batches *b)
{
	*b = (struct batches){ 0, 1, UINT32_MAX };
	if (!imap_sp(p) || !imap_number(p, &b->size))
		return imap_wrong(p, "expected size of batches");
	if (!imap_char(p, ' '))
		return imap_end(p);
	return (imap_number(p, &b->first) && b->first && imap_char(p, ':') &&
		   imap_number(p, &b->last) && b->last && imap_end(p)) ||
	    imap_wrong(p, "expected first:last batch");
}

/* Batch i, counted from 0: the messages up to `high`, its UIDs join those of
 * its neighbours. */
static void
put_batch(struct imap_session *s, uint32_t high, uint32_t size)
{
	uint32_t count = mailbox_count(s->mb), top, bottom = 1;

	/* The UIDs between two batches belong to the older one. */
	top = high == count ? mailbox_msg(s->mb, high)->uid
			    : mailbox_msg(s->mb, high + 1)->uid - 1;
	if (high > size)
		bottom = mailbox_msg(s->mb, high - size + 1)->uid;
	buf_addu(&s->out, top);
	buf_addc(&s->out, ':');
	buf_addu(&s->out, bottom);
}

static void
put_batches(struct imap_session *s, const struct batches *b)
{
	uint64_t skip = (uint64_t)(b->first - 1) * b->size;
	uint32_t count = mailbox_count(s->mb), high, left;

	if (skip >= count)
		return;
	high = count - (uint32_t)skip;
	for (left = b->last - b->first + 1; left > 0; left--) {
		buf_addc(&s->out, high == count - skip ? ' ' : ',');
		put_batch(s, high, b->size);
		if (high <= b->size)
			return;
		high -= b->size;
	}
}

enum imap_result
imap_cmd_uidbatches(struct imap_session *s, struct imap_command *c)
{
	struct batches b;

	if (!batches_args(&c->p, &b))
		return imap_bad_args(c);
	if (b.size < BATCH_MIN)
		return imap_no(c, "TOOFEW", "minimum batch size is %d",
		    BATCH_MIN);
	if (b.first > b.last) {
		imap_code(c, "CLIENTBUG");
		return imap_bad(c, "the first batch is behind the last");
	}
	buf_addz(&s->out, "* UIDBATCHES (TAG ");
	imap_put_string(&s->out, c->tag);
	buf_addc(&s->out, ')');
	put_batches(s, &b);
	buf_addz(&s->out, "\r\n");
	return IMAP_OK;
}
