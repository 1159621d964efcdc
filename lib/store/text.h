/*
 * text - what is written in a message: the text that searches look at, and the
 * index that says where looking is worth while.
 *
 * Texts are header fields (as they are written on one line, and with encoded
 * words decoded) and the decoded parts of type text/; a search finds what lies
 * within one of them. All are folded (text/unicode.h), and so must be what is
 * looked for.
 *
 * The index (README, Text index) only narrows: what it names may have the
 * text, and has to be looked at. It is made for mailboxes that are searched.
 */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include "store/mailbox.h"

enum mailbox_text {
	MAILBOX_TEXT_ALL,
	MAILBOX_TEXT_BODY, /* without the message's own header */
};

struct text_sink {
	bool (*put)(void *ctx, struct slice folded); /* true: enough */
	void (*end)(void *ctx); /* what follows belongs to another text */
	void *ctx;
};

/* All texts of a message, in pieces that end between characters. Bounded
 * memory. 1, 0 the message is gone, -1 with e set. */
int mailbox_text(struct mailbox *mb, const struct store_msg *m,
    enum mailbox_text which, const struct text_sink *sink, struct err *e);

/* Is needle in one of them? 1, 0 no, or the message is gone; -1. */
int mailbox_text_contains(struct mailbox *mb, const struct store_msg *m,
    enum mailbox_text which, struct slice needle, struct err *e);

/* Needles shorter than this are not narrowed by the index. */
#define TEXT_NEEDLE_MIN 2

/*
 * Which messages of the view may have every one of the needles? Those left out
 * have not: they are in the index and it knows. Without an index all may.
 * Costs a few ms for 100,000 messages.
 */
void mailbox_text_may(struct mailbox *mb, const struct slice *needles, size_t n,
    struct uidset *may_r);

/* Asked between two messages: go on? done of total messages are indexed; 0 of
 * 0 while segments are merged. */
typedef bool mailbox_text_goes_on(void *ctx, uint32_t done, uint32_t total);

/* Fewer new messages than this, and fewer bytes of them, are not worth a
 * segment: searches read them. */
#define TEXT_UPDATE_MESSAGES 64
#define TEXT_UPDATE_BYTES (4u << 20)

/*
 * Has this mailbox been searched before, so that an index is worth while? One
 * search is done sooner by reading. From now on it has.
 */
bool mailbox_text_searched(struct mailbox *mb);

/*
 * Take the messages of the view that are not indexed yet into the index, if
 * they are enough; one process at a time, and nothing is waited for. begin: make
 * an index if there is none. The view must not be refreshed meanwhile. Returns 1
 * if there is nothing left to do, 0 if there may be (it was stopped, or another
 * process is at it), -1 with e set.
 */
int mailbox_text_update(struct mailbox *mb, bool begin,
    mailbox_text_goes_on *goes_on, void *ctx, struct err *e);
/* Forget the index, if there is one, and make it again. Returns as
 * mailbox_text_update; stopped, the rest is made after the next search. */
int mailbox_text_anew(struct mailbox *mb, mailbox_text_goes_on *goes_on,
    void *ctx, struct err *e);

#endif
