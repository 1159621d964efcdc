/* reparse.c - records of messages made anew, and the text index. */
#include "store/repair_int.h"
#include "store/text.h"

/* Mappings of the cache are given back after so many messages. */
#define IDLE_EVERY (16 * REPAIR_BATCH)

struct work {
	struct repair *r;
	uint64_t done, changed;
	bool stopped;
	struct err *e;
};

static int
pause_between(struct work *w, struct mailbox *mb)
{
	if (++w->done % REPAIR_BATCH != 0)
		return 0;
	if (w->done % IDLE_EVERY == 0)
		mailbox_idle(mb);
	mailbox_tidy(mb, 0); /* lines `c` make the log long */
	return store_progress(w->r->st, w->done, mb->ix.counts.messages, w->e);
}

static int
parse_messages(struct work *w, struct mailbox *mb, bool all)
{
	const struct record *r;
	uint32_t uid = 0;
	int rc;

	while ((r = repair_next(mb, &uid)) != NULL) {
		rc = all || !message_cached(mb, r)
		    ? message_reparse(mb, uid, w->e)
		    : 0;
		if (rc < 0 || pause_between(w, mb) < 0)
			return -1;
		w->changed += rc == 1;
	}
	return 0;
}

static bool
goes_on(void *ctx, uint32_t done, uint32_t total)
{
	struct work *w = ctx;

	w->stopped = store_progress(w->r->st, done, total, w->e) < 0;
	return !w->stopped;
}

/* 0 as well when another process is indexing. */
static int
index_texts(struct work *w, struct mailbox *mb, bool all)
{
	int rc = all ? mailbox_text_anew(mb, goes_on, w, w->e)
		     : mailbox_text_update(mb, false, goes_on, w, w->e);

	return rc < 0 || w->stopped ? -1 : 0;
}

static int
work(struct repair *r, struct mailbox *mb, bool all, struct err *e)
{
	struct work w = { .r = r, .e = e };
	struct repair_note n;

	if (parse_messages(&w, mb, all) < 0 || index_texts(&w, mb, all) < 0)
		return -1;
	n = (struct repair_note){ .messages = w.done, .changed = w.changed };
	if (w.changed == 0)
		repair_tell(r, mb, n, NULL);
	else
		repair_tell(r, mb, n, "%s: %llu of %llu messages %s", mb->name,
		    (unsigned long long)w.changed, (unsigned long long)w.done,
		    all ? "had no record, or another one" : "parsed");
	return 0;
}

static int
reparse(struct repair *r, struct mailbox *mb, struct err *e)
{
	return work(r, mb, true, e);
}

static int
ensure_parsed(struct repair *r, struct mailbox *mb, struct err *e)
{
	return work(r, mb, false, e);
}

/* With a view: the text index is of what that has. */
int
repair_reparse(struct repair *r, struct err *e)
{
	return repair_each(r, mailbox_open, reparse, e);
}

int
repair_ensure_parsed(struct repair *r, struct err *e)
{
	return repair_each(r, mailbox_open, ensure_parsed, e);
}
