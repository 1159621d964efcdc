/*
 * srs - senders of forwarded mail: an address of ours that says whose mail it
 * is, so that SPF speaks for who forwards, and notifications find their way
 * back (Sender Rewriting Scheme, as libsrs2 and others have it).
 *
 *	SRS0=HASH=DAY=domain=local            of an address local@domain
 *	SRS1=HASH=first==HASH=DAY=domain=local  of an SRS0 address at first
 *
 * HASH is ours: HMAC-SHA256 of what follows and of the domain that forwards, in
 * lower case, its first 40 bits in base32; DAY is the day modulo 1024. Who does
 * not know the key cannot make an address, and none is good for ever.
 *
 * Reentrant. Depends on lib/base and lib/db. Not an RFC; what the parts of an
 * SRS0 address of others mean is not looked at.
 */
#ifndef SRS_SRS_H
#define SRS_SRS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rand.h"

#define SRS_DAYS 21 /* an address is good for; others give up after 5 */
/* Bytes of a new local part and its domain: a path has 256 (RFC 5321,
 * 4.5.3.1.3). Local parts beyond the 64 of 4.5.3.1.1 are usual for SRS. */
#define SRS_ADDRESS_MAX 253

struct srs {
	unsigned char key[32];
};

/* The key in a file of the folder, made if it is missing (db/secret.h). */
int srs_load(int dirfd, const char *name, struct rand *rand, struct srs *srs_r,
    struct err *e);

/*
 * Append the local part, at the domain by, that stands for local@domain (both
 * unquoted; domains in ASCII form). now_s: seconds since 1970. -1 with e,
 * ERR_LIMIT, and nothing added, if the address would be too long; ERR_SYNTAX if
 * domain is none that can be written so.
 */
int srs_forward(const struct srs *srs, struct slice local, struct slice domain,
    struct slice by, int64_t now_s, struct buf *out, struct err *e);

enum srs_status {
	SRS_NONE,   /* no address of this kind */
	SRS_OK,     /* ours: for local@domain */
	SRS_FORGED, /* not made by us, or not for this domain */
	SRS_OLD,    /* made by us, too long ago */
};

/* Whose is local@by? *local_r and *domain_r are slices of local, but the local
 * part of an SRS1 address, which is in buf. Any case. */
enum srs_status srs_reverse(const struct srs *srs, struct slice local,
    struct slice by, int64_t now_s, struct buf *buf, struct slice *local_r,
    struct slice *domain_r);

#endif
