/*
 * mtasts_door - the side of `mox-mtasts serve` of the door that mtasts_ask
 * sends through: one end of a pipe, with a domain and the id of its record.
 */
#ifndef MTASTS_MTASTS_DOOR_H
#define MTASTS_MTASTS_DOOR_H

#include <stdint.h>

#include "base/err.h"

#define MTASTS_DOOR_DOMAIN 256 /* bytes; DNS has 253 at most */
#define MTASTS_DOOR_ID 32      /* RFC 8461, 3.1 */

/* Somebody who waits. */
struct mtasts_asked {
	int fd; /* where the answer goes; -1: nobody waits any more */
	uint32_t ndomain, nid;
	char domain[MTASTS_DOOR_DOMAIN];
	char id[MTASTS_DOOR_ID];
};

/* Take what came, without blocking: 1 and *asked_r; 0 nothing, or nothing of
 * use; -1 all other ends of the door are closed. */
int mtasts_door_take(int door, struct mtasts_asked *asked_r);

/* Tell it: e of kind ERR_NONE says that the cache knows, others why not.
 * Closes asked->fd. */
void mtasts_door_answer(struct mtasts_asked *asked, const struct err *e);

#endif
