/*
 * passcache - passwords that were verified in the last minutes, so that a
 * client that logs in every minute costs one HMAC instead of a PBKDF2.
 *
 * Anonymous shared memory, made by the parent of a service before it forks
 * and lost with it. It holds a random key and a fixed table of 128 bit tags,
 * HMAC-SHA-256(key, period, version, account, password), no password and no
 * name. The period is part of the tag, so entries end by themselves, 7.5 to
 * 15 minutes after the check; the version is a digest of the account's
 * credentials, so a changed password ends them at once.
 *
 * No locks: a tag is two atomic words, and one torn by a concurrent writer or
 * a killed process matches nothing.
 *
 * The memory is locked (never swapped) and left out of core dumps. The front
 * of a connection must not have it, and closes it before it reads a byte.
 */
#ifndef AUTH_PASSCACHE_H
#define AUTH_PASSCACHE_H

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"

struct passcache;

#define PASSCACHE_VERSION 32 /* bytes of a version */

/* Returns NULL with e if there is no memory that can be locked; NULL is a
 * cache that never has anything, for all functions here. */
struct passcache *passcache_new(const struct clock *clock, struct err *e);
/* Unmap from this process. */
void passcache_close(struct passcache **pc);

/* Was this password verified lately? */
bool passcache_has(const struct passcache *pc,
    const unsigned char version[PASSCACHE_VERSION], struct slice account,
    struct slice password);
/* It has just been verified. */
void passcache_add(struct passcache *pc,
    const unsigned char version[PASSCACHE_VERSION], struct slice account,
    struct slice password);

#endif
