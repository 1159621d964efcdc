/*
 * secret - a small file of random bytes, made when it is first wanted: keys
 * that only this installation knows.
 */
#ifndef DB_SECRET_H
#define DB_SECRET_H

#include "base/err.h"
#include "base/rand.h"

#define DB_SECRET_MAX 64

/*
 * Read the file name in the folder dirfd, n bytes (at most DB_SECRET_MAX) to p;
 * if it is missing, make one with random contents, mode 0600. Of two processes
 * doing so, both get the same. 0, or -1 with e: ERR_SYNTAX if it has another
 * size.
 */
int db_secret(int dirfd, const char *name, struct rand *rand, void *p, size_t n,
    struct err *e);

#endif
