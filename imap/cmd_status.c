/* STATUS (RFC 9051, 6.3.11), also for LIST RETURN (STATUS ...). */
#include "imap/box.h"
#include "imap/imap.h"

enum {
	ITEM_MESSAGES = 1,
	ITEM_UIDNEXT = 2,
	ITEM_UIDVALIDITY = 4,
	ITEM_UNSEEN = 8,
	ITEM_DELETED = 16,
	ITEM_SIZE = 32,
	ITEM_RECENT = 64,
	ITEM_APPENDLIMIT = 128,
	ITEM_HIGHESTMODSEQ = 256,
	ITEM_DELETED_STORAGE = 512,
	ITEM_MAILBOXID = 1024,
};

static const struct {
	const char *name;
	unsigned bit;
} items[] = {
	{ "MESSAGES", ITEM_MESSAGES },
	{ "UIDNEXT", ITEM_UIDNEXT },
	{ "UIDVALIDITY", ITEM_UIDVALIDITY },
	{ "UNSEEN", ITEM_UNSEEN },
	{ "DELETED", ITEM_DELETED },
	{ "SIZE", ITEM_SIZE },
	{ "RECENT", ITEM_RECENT },
	{ "APPENDLIMIT", ITEM_APPENDLIMIT },
	{ "HIGHESTMODSEQ", ITEM_HIGHESTMODSEQ },
	{ "DELETED-STORAGE", ITEM_DELETED_STORAGE },
	{ "MAILBOXID", ITEM_MAILBOXID },
};

#define ITEMS (sizeof(items) / sizeof(*items))

bool
imap_status_items(struct imap_parse *p, unsigned *items_r)
{
	*items_r = 0;
	if (!imap_char(p, '('))
		return imap_wrong(p, "expected ( before status items");
	do {
		size_t i = 0;
		while (i < ITEMS && !imap_word(p, items[i].name))
			i++;
		if (i == ITEMS)
			return imap_wrong(p, "unknown status item");
		*items_r |= items[i].bit;
	} while (imap_char(p, ' '));
	return imap_char(p, ')') || imap_wrong(p, "expected )");
}

static uint64_t
value_of(const struct mailbox_status *st, unsigned bit)
{
	switch (bit) {
	case ITEM_MESSAGES:
		return st->counts.messages;
	case ITEM_UIDNEXT:
		return st->uidnext;
	case ITEM_UIDVALIDITY:
		return st->uidvalidity;
	case ITEM_UNSEEN:
		return st->counts.unseen;
	case ITEM_DELETED:
		return st->counts.deleted;
	case ITEM_SIZE:
		return st->counts.size;
	case ITEM_HIGHESTMODSEQ:
		return st->modseq;
	case ITEM_APPENDLIMIT:
		return IMAP_APPEND_MAX; /* RFC 7889: the same for all */
	case ITEM_DELETED_STORAGE:
		return st->counts.deleted_size;
	default:
		return 0; /* RECENT: never (RFC 9051 has done away with it) */
	}
}

int
imap_tell_status(struct imap_session *s, struct slice name, unsigned wanted,
    struct err *e)
{
	struct mailbox_status st;
	bool first = true;
	struct imap_box box;
	int rc = imap_resolve(s, name, &box, e);

	if (rc == 1)
		rc = box.rights & ACL_READ
		    ? mailbox_status(box.store, box.name,
			  wanted & (ITEM_SIZE | ITEM_DELETED_STORAGE), &st, e)
		    : 0;
	if (rc != 1)
		return rc;
	buf_addz(&s->out, "* STATUS ");
	imap_put_mailbox(s, box.full);
	buf_addz(&s->out, " (");
	for (size_t i = 0; i < ITEMS; i++) {
		if (!(wanted & items[i].bit))
			continue;
		buf_addf(&s->out, "%s%s ", first ? "" : " ", items[i].name);
		first = false;
		if (items[i].bit == ITEM_MAILBOXID)
			buf_addf(&s->out, "(%.*s)", STORE_MAILBOXID, st.id);
		else
			buf_addu(&s->out, value_of(&st, items[i].bit));
	}
	buf_addz(&s->out, ")\r\n");
	return 1;
}

enum imap_result
imap_cmd_status(struct imap_session *s, struct imap_command *c)
{
	struct err e = ERR_INIT;
	struct imap_box box;
	struct slice name;
	unsigned wanted;
	int rc;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_sp(&c->p) ||
	    !imap_status_items(&c->p, &wanted) || !imap_end(&c->p))
		return imap_bad_args(c);
	/* RFC 7162, 3.1.2.2: asking for HIGHESTMODSEQ enables CONDSTORE. */
	if (wanted & ITEM_HIGHESTMODSEQ)
		imap_enable_condstore(s);
	if (imap_box(s, c, name, ACL_READ, &box) != IMAP_OK)
		return IMAP_NO;
	rc = imap_tell_status(s, name, wanted, &e);
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0)
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	return IMAP_OK;
}
