/*
 * mapfile - a file of fixed size that processes share by mapping it.
 *
 * For lib/limit only. The first bytes are a struct mapfile_head; a file of
 * another kind, version or size is replaced by a new one, while processes that
 * have the old one mapped keep it until they end.
 */
#ifndef LIMIT_MAPFILE_H
#define LIMIT_MAPFILE_H

#include "base/err.h"
#include "base/slice.h"

struct mapfile_head {
	char magic[16]; /* "mox limits 1\n" */
	uint64_t size;  /* of the file */
	uint64_t seed;  /* random */
};

/* Map path, made (mode 0600) or replaced if need be, all zeros behind the
 * head. NULL with e. */
void *mapfile_open(const char *path, const char *magic, size_t size,
    struct err *e);
/* The same in memory that this process and its children share. */
void *mapfile_private(const char *magic, size_t size);

#endif
