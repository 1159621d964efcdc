/*
 * filter - sets of mailboxes in arguments: "personal", "subtree (a b)" (RFC
 * 5465, 6; RFC 7377, 2.2).
 */
#ifndef IMAP_FILTER_H
#define IMAP_FILTER_H

#include "imap/imap.h"

#define FILTER_NAMES_MAX 1000 /* in one filter */

enum filter_kind {
	FILTER_SELECTED,
	FILTER_SELECTED_DELAYED, /* RFC 5465, 6.1.2 */
	FILTER_INBOXES,          /* Inbox and what is below it */
	FILTER_PERSONAL,
	FILTER_SUBSCRIBED,
	FILTER_SUBTREE,
	FILTER_SUBTREE_ONE,
	FILTER_MAILBOXES,
};
#define FILTER_KINDS (FILTER_MAILBOXES + 1)

struct imap_filter {
	enum filter_kind kind;
	struct slice *names; /* of the last three */
	size_t n;
};

/* Take one; names are in the parser's arena. */
bool imap_filter(struct imap_parse *p, struct imap_filter *f_r);
/* Is a mailbox in it? selected: it is the selected one. */
bool imap_filter_has(const struct imap_filter *f, struct slice name,
    bool subscribed, bool selected);

#endif
