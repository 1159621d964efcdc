/*
 * parse - the arguments of an IMAP command (RFC 9051, 9).
 *
 * Works on a whole command as the reader put it together: literals stand in
 * the text as they were sent, "{3}" CRLF "abc". Every function that takes
 * returns false and leaves the cursor where it was when the input does not
 * match. Slices point into the command or, where decoding was needed, into
 * the arena.
 */
#ifndef IMAP_PARSE_H
#define IMAP_PARSE_H

#include "base/arena.h"
#include "base/scan.h"
#include "store/mailbox.h"

struct imap_parse {
	struct scan sc;
	struct arena *arena;
	bool utf8;         /* UTF8=ACCEPT or IMAP4rev2 is on: RFC 6855 */
	const char *wrong; /* what was not understood, for BAD; or NULL */
	const char *code;  /* response code for it, or NULL */
};

extern const bool imap_is_atom[256];    /* ATOM-CHAR */
extern const bool imap_is_astring[256]; /* ASTRING-CHAR */
extern const bool imap_is_tag[256];
extern const bool imap_is_pattern[256]; /* list-char */

/* The tag that a command begins with; "*" and false if there is none. */
bool imap_tag(struct scan *sc, struct slice *tag_r);

bool imap_end(struct imap_parse *p); /* nothing follows */
bool imap_sp(struct imap_parse *p);
bool imap_char(struct imap_parse *p, char c);
bool imap_word(struct imap_parse *p, const char *word); /* case ignored */
bool imap_peek(const struct imap_parse *p, char c);

bool imap_atom(struct imap_parse *p, struct slice *s_r);
bool imap_string(struct imap_parse *p, struct slice *s_r); /* or literal */
bool imap_astring(struct imap_parse *p, struct slice *s_r);
/* NIL is the empty slice with p NULL. */
bool imap_nstring(struct imap_parse *p, struct slice *s_r);
bool imap_number(struct imap_parse *p, uint32_t *v_r);
bool imap_number64(struct imap_parse *p, uint64_t *v_r);

/* The argument of ID: NIL or pairs of strings (RFC 2971, 3.1 and 3.3). */
bool imap_id(struct imap_parse *p);

/* A mailbox name, decoded from modified UTF-7 or taken as UTF-8, checked by
 * store_name_check. A name that is not allowed sets p->code to CANNOT. */
bool imap_mailbox(struct imap_parse *p, struct slice *name_r);
/* The same for a pattern of LIST: not checked, only decoded. */
bool imap_pattern(struct imap_parse *p, struct slice *pattern_r);
/* Decode a name or pattern of the wire to UTF-8; false if it is no such. */
bool imap_decode_name(struct imap_parse *p, struct slice wire,
    struct slice *name_r);

/* "(\Seen $Junk word)", one space after "(" allowed, or the same without
 * parentheses (bare). */
bool imap_flags(struct imap_parse *p, bool bare, struct store_flags *flags_r);
/* One flag or keyword added to flags; false for a system flag we do not
 * store (\Recent) or a bad keyword. */
bool imap_flag(struct imap_parse *p, struct store_flags *flags);

/* "21-Nov-2026", quoted or not: seconds of its midnight, as if UTC. */
bool imap_date(struct imap_parse *p, int64_t *midnight_r);
/* "\"21-Nov-2026 07:00:00 +0100\"": seconds since 1970. */
bool imap_date_time(struct imap_parse *p, int64_t *s_r);

/* Note what is wrong for the BAD answer; returns false. */
bool imap_wrong(struct imap_parse *p, const char *what);

#endif
