/*
 * name - addresses and domains of the configuration in one spelling.
 *
 * Domains are compared in ASCII form, localparts in normal form C; whether
 * case and what follows a separator count is said by the domain.
 */
#ifndef CONFIG_NAME_H
#define CONFIG_NAME_H

#include "base/arena.h"
#include "config/schema.h"

/* A localpart without quotes, in NFC, and a domain in ASCII form. The local
 * part is empty in a catchall, "@example.org". */
struct name_address {
	struct slice local;
	struct slice domain;
};

/* How the addresses of a domain are told apart. */
struct name_rules {
	bool case_sensitive;
	struct conf_strings separators;
	struct conf_strings reports; /* localparts separators do not cut */
};

/* Is it a domain in unicode form (no A-labels)? If so its ASCII form. */
bool name_domain(struct arena *arena, struct slice domain,
    struct slice *ascii_r);

/* A localpart as written in a file, perhaps quoted. False if it is none. */
bool name_localpart(struct arena *arena, struct slice text,
    struct slice *local_r);

/* An address as written in a file: local@domain or, with catchall, @domain. */
bool name_parse(struct arena *arena, struct slice text, bool catchall,
    struct name_address *address_r);

/* NFC of text; text itself if it has no such form (is not UTF-8). */
struct slice name_nfc(struct arena *arena, struct slice text);

/* The localpart under which an address is known: folded, cut. */
struct slice name_canonical(struct arena *arena, const struct name_rules *rules,
    struct slice local);

/* local@domain, the local part unquoted. */
struct slice name_join(struct arena *arena, struct slice local,
    struct slice domain);
/* a, the character, b. Look-ups do this too often for printf. */
struct slice name_glue(struct arena *arena, struct slice a, char between,
    struct slice b);

#endif
