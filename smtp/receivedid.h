/*
 * receivedid - the id in Received lines: the connection id, encrypted, so
 * that only this host can relate a message to its log lines.
 *
 * AES-128 of one block, 8 random bytes then the cid in network order, as raw
 * base64url (22 characters); the same as mox, and the same key file. Depends on
 * lib/base, lib/text and lib/db.
 */
#ifndef SMTP_RECEIVEDID_H
#define SMTP_RECEIVEDID_H

#include "base/err.h"
#include "base/rand.h"
#include "base/slice.h"

#define RECEIVEDID_TEXT 23 /* with the NUL */

/* The contents of receivedid.key: AES key, then the prefix of the block. */
struct receivedid {
	unsigned char key[16];
	unsigned char prefix[8];
};

/*
 * Read the file name in the folder dir_fd; if it is missing, make one with
 * random contents, mode 0600. Of two processes doing so, both get the same.
 * -1 with e: ERR_SYNTAX if it has another size.
 */
int receivedid_load(int dir_fd, const char *name, struct rand *rand,
    struct receivedid *rid_r, struct err *e);

void receivedid_encode(const struct receivedid *rid, uint64_t cid,
    char text[RECEIVEDID_TEXT]);

/* False if text is no id of this host. */
bool receivedid_decode(const struct receivedid *rid, struct slice text,
    uint64_t *cid_r);

#endif
