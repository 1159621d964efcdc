/*
 * metadata - annotations of mailboxes and of the account (RFC 5464): entries
 * with a name, as "/private/comment", and a value of any bytes.
 *
 * Those of a mailbox are in its folder, so they are renamed and removed with
 * it; README has the format. Names are kept in lower case.
 */
#ifndef STORE_METADATA_H
#define STORE_METADATA_H

#include "store/store.h"

/* Of an account with all its mailboxes; bytes are those of names and values. */
#define METADATA_ENTRIES_MAX 1000
#define METADATA_BYTES_MAX 1000000
#define METADATA_NAME_MAX 1000

struct metadata_entry {
	struct slice name;
	struct slice value; /* p NULL in a change: remove the entry */
};

/* RFC 5464, 3.2: NULL, or what is wrong with this name. */
const char *metadata_name_wrong(struct slice name);
/* The same for one that is to be set: it begins with /private/ or /shared/, and
 * those of vendors have a name below the vendor's. */
const char *metadata_new_wrong(struct slice name);

/*
 * Entries of a mailbox, or with an empty name of the account itself, sorted by
 * name, in the arena. Returns 1, 0 if there is no such mailbox, -1 with e set.
 */
int metadata_read(struct store *st, struct slice mailbox, struct arena *arena,
    struct metadata_entry **v_r, size_t *n_r, struct err *e);

enum metadata_code {
	METADATA_OK,
	METADATA_NONEXISTENT, /* no such mailbox */
	METADATA_TOOMANY,     /* over METADATA_ENTRIES_MAX */
	METADATA_TOOLARGE,    /* over METADATA_BYTES_MAX */
	METADATA_FAILED,      /* e says why */
};

/*
 * Set and remove entries, in order, all or none, durably. Names are checked
 * and in lower case. What makes it no larger is always possible. Pokes.
 */
enum metadata_code metadata_change(struct store *st, struct slice mailbox,
    const struct metadata_entry *changes, size_t n, struct err *e);

#endif
