/*
 * forward - where an account has its mail passed on to: a file `forward` in its
 * folder, for an editor.
 *
 *	# to the office, and a copy here
 *	keep
 *	anna@example.net
 *
 * An address a line, `keep` to have mail in the mailbox as well. A file without
 * addresses is as none: mail is kept. A line that is neither is an error, and
 * mail waits at its sender until it is mended: rather than in a mailbox nobody
 * reads any more.
 */
#ifndef STORE_FORWARD_H
#define STORE_FORWARD_H

#include "store/store.h"

#define FORWARD_MAX 100 /* addresses: more is a list */
#define FORWARD_BYTES (64 * 1024)

struct forward {
	bool keep;
	struct slice *to; /* local@domain, quoted where needed; each once */
	size_t n;         /* 0: mail is kept, nothing else */
};

/* Strings in the arena. -1 with e: ERR_SYNTAX with the number of the line,
 * ERR_LIMIT. */
int forward_parse(struct arena *arena, struct slice text,
    struct forward *forward_r, struct err *e);

/* That of an account: 1; 0 none, *forward_r keeps; -1 as above, or ERR_TEMP. */
int forward_read(const struct store_env *env, struct slice account,
    struct arena *arena, struct forward *forward_r, struct err *e);

#endif
