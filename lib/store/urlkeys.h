/*
 * urlkeys - the keys an account signs URLs of its messages with, one of a
 * mailbox (RFC 4467, 2.2), made when it is first wanted.
 *
 * A key belongs to a UIDVALIDITY: a mailbox that is made anew under the same
 * name, or whose UIDs mean other messages now, has none of before. README has
 * the format of the file, which nobody but its owner can read.
 */
#ifndef STORE_URLKEYS_H
#define STORE_URLKEYS_H

#include "store/store.h"

#define URLKEY 32 /* bytes of a key */
/* Of an account; the oldest goes when there would be more. */
#define URLKEYS_MAX 1000

/* The key of the mailbox with this UIDVALIDITY; if it has none and make, a new
 * one, durable. 1, 0 it has none, -1 with e set. The caller wipes it. */
int urlkey_get(struct store *st, uint32_t uidvalidity, bool make,
    unsigned char key_r[URLKEY], struct err *e);

/* Forget the key of a mailbox, durably; 0: those of all. 0 or -1 with e set. */
int urlkey_reset(struct store *st, uint32_t uidvalidity, struct err *e);

/* Lines of the file that make no sense; no file: none. 0 or -1. */
int urlkeys_bad_lines(struct store *st, size_t *bad_r, struct err *e);

#endif
