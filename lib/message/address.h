/*
 * address - address lists of header fields (RFC 5322, 3.4 and 4.4; RFC 6532).
 *
 * Forgiving: takes any bytes and makes the best of them, as needed for mail
 * that is here already. Strict: what we are asked to send must be right.
 * Reentrant; strings are slices of the input where possible, else in the
 * arena.
 */
#ifndef MESSAGE_ADDRESS_H
#define MESSAGE_ADDRESS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum address_kind {
	ADDRESS_MAILBOX,
	ADDRESS_GROUP, /* start of a group; its name in name */
	ADDRESS_END,   /* end of the group */
};

struct address {
	enum address_kind kind;
	bool broken;         /* forgiving only: something was missing */
	struct slice name;   /* unquoted; encoded words as they came */
	struct slice route;  /* obsolete "@a,@b", without colon */
	struct slice local;  /* unquoted */
	struct slice domain; /* with brackets if a literal */
};

struct address_list {
	struct address *v;
	size_t n;
	bool cut; /* there were more than max */
};

/*
 * Parse the value of a field (folded or not), up to max entries and the end of
 * a group. A broken entry has empty strings for what is missing. A name in a comment behind
 * the address ("a@b (A B)") is taken if there is no other.
 */
void address_parse(struct arena *arena, struct slice value, size_t max,
    struct address_list *list_r);

/* RFC 5322 without obsolete forms. 0, or -1 with e (SYNTAX, LIMIT). */
int address_parse_strict(struct arena *arena, struct slice value, size_t max,
    struct address_list *list_r, struct err *e);

/* One addr-spec and nothing else, "local@domain", strict. */
bool address_parse_spec(struct arena *arena, struct slice text,
    struct slice *local_r, struct slice *domain_r);

/* local@domain, with the local part quoted if it needs it. */
void address_write_spec(struct buf *out, struct slice local,
    struct slice domain);

#endif
