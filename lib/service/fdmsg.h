/*
 * fdmsg - one datagram with descriptors, between processes of a service.
 */
#ifndef SERVICE_FDMSG_H
#define SERVICE_FDMSG_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/slice.h"

#define FDMSG_FDS 4 /* most descriptors of one message */

/* What came with a message. */
struct fdmsg {
	pid_t pid; /* of the sender, from the kernel (SO_PASSCRED); else 0 */
	int fds[FDMSG_FDS];
	size_t nfds;
};

/*
 * Send head, then rest, and the descriptors, which stay the caller's. flags as
 * of sendmsg. False with errno: nothing was sent.
 */
bool fdmsg_send(int sock, struct slice head, struct slice rest, const int *fds,
    size_t nfds, int flags);

/*
 * Receive into head, all of it, and up to rest_n bytes into rest. The number of
 * those, or -1: nothing came, it was too short or too long, or descriptors were
 * too many or could not be had; errno is 0 at the end of the connection. The
 * descriptors are the caller's, close-on-exec; with -1 there are none.
 */
ssize_t fdmsg_receive(int sock, void *head, size_t head_n, void *rest,
    size_t rest_n, struct fdmsg *m_r, int flags);

/* Close what was not taken; m->fds[i] = -1 takes one. */
void fdmsg_close(struct fdmsg *m);

#endif
