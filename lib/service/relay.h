/*
 * relay - a front after login: TLS to the client on one side, plaintext to
 * the session on the other.
 */
#ifndef SERVICE_RELAY_H
#define SERVICE_RELAY_H

#include "net/conn.h"

/*
 * Copy both ways between conn (its read buffer empty) and fd, until either
 * side ends; what is under way is written out first, for at most the write
 * deadline of 5 minutes a wait. No other time-outs: those are the session's.
 * Memory: 16 KB each way while bytes pass, none when idle.
 */
void relay_run(struct conn *c, int fd);

#endif
