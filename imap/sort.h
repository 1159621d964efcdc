/*
 * sort - the order of messages (RFC 5256, BASE.6.4.SORT; RFC 5957).
 */
#ifndef IMAP_SORT_H
#define IMAP_SORT_H

#include "imap/search.h"

enum sort_kind {
	SORT_ARRIVAL,
	SORT_DATE,
	SORT_SIZE,
	SORT_SUBJECT,
	SORT_FROM,
	SORT_TO,
	SORT_CC,
	SORT_DISPLAYFROM,
	SORT_DISPLAYTO,
	SORT_RELEVANCY, /* RFC 6203, 5: the most relevant first */
};

#define SORT_KEYS_MAX 20 /* each kind twice, and some */

struct sort {
	struct sort_key {
		enum sort_kind kind;
		bool reverse;
	} keys[SORT_KEYS_MAX];
	unsigned n;
};

/* "(SUBJECT REVERSE DATE)" */
bool imap_sort_parse(struct imap_parse *p, struct sort *sort_r);

/* Put what was found, ascending by number, into order. 0 or -1 with e. */
int imap_sort(struct imap_session *s, const struct sort *sort,
    struct search_found *found, struct err *e);

/* Sent date and time (RFC 5256, 2.2): that of Date, or else INTERNALDATE.
 * record may be empty. */
int64_t imap_sent_date(const struct store_msg *m, struct slice record);

#endif
