/*
 * edit_int - what the files of edit share.
 */
#ifndef CONFIG_EDIT_INT_H
#define CONFIG_EDIT_INT_H

#include "config/check.h"
#include "config/edit.h"
#include "db/lock.h"

struct edit_protected {
	struct slice address; /* in its one spelling */
	struct slice why;
};

struct edit_state {
	struct db_lock lock;
	struct config_domains *before;
	struct edit_protected *protected;
	size_t nprotected;
	/* DKIM keys: files made, to be removed if nothing comes of it, and
	 * files to be put aside once they are not named any more. */
	struct conf_strings made, unused;
};

/*
 * An address, or @domain, as written into the file: domain in unicode form,
 * localpart in NFC. -1 with e: no address.
 */
int edit_address_text(struct edit *edit, struct slice address,
    struct slice *text_r, struct err *e);
int edit_domain_text(struct edit *edit, struct slice domain,
    struct slice *text_r, struct err *e);

/* The one spelling of an address or @domain, of a domain in the file as it
 * was; empty if it is none. */
struct slice edit_canonical(const struct edit *edit, struct slice address);
/* Its owner as the file was, or NULL. */
const struct check_address *edit_owner(const struct edit *edit,
    struct slice address);

/* 0, or -1 with e if the address (one spelling) is protected. */
int edit_check_protected(const struct edit *edit, struct slice canonical,
    struct err *e);

/* Take the address of an account away from it, from aliases and
 * FromIDLoginAddresses. -1 with e if it is the last member of an alias. */
int edit_drop_address(struct edit *edit, const struct check_address *address,
    struct err *e);

/* Arrays of conf: append one, and the element is returned; take one out. */
#define EDIT_APPEND(edit, array) \
	((array)->v = arena_grow((edit)->arena, (array)->v, (array)->n, \
	     (array)->n + 1, sizeof(*(array)->v)), \
	    &(array)->v[(array)->n++])
#define EDIT_DELETE(array, i) \
	(memmove(&(array)->v[i], &(array)->v[(i) + 1], \
	     ((array)->n - (i)-1) * sizeof(*(array)->v)), \
	    (array)->n--)

/* ---- DKIM key files, edit_keys.c ---- */

/* A new RSA key for a selector, on disk; *file_r is its name in domains.conf. */
int edit_key_make(struct edit *edit, struct slice selector, struct slice domain,
    struct slice *file_r, struct err *e);
/* Remove what was made. */
void edit_keys_undo(struct edit *edit);
/* Move keys named no more into old/. Failures are warnings in errors. */
void edit_keys_put_aside(struct edit *edit, struct sconf_errors *errors);

#endif
