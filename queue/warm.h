/*
 * warm - the parent of deliveries: has loaded what all of them need, and forks
 * a child for each request of the starter (starter.h).
 */
#ifndef QUEUE_WARM_H
#define QUEUE_WARM_H

#include "queue/starter.h"

struct warm_work {
	/* In the parent: load what this destination needs and is not there
	 * yet, for this child and those to come. What fails, the child finds
	 * out again. */
	void (*prepare)(void *ctx, struct slice destination);
	/* In the child, whose stdin and stdout are the runner's pipes; fds are
	 * those of the request, from the third on. Returns its exit code. */
	int (*deliver)(void *ctx, struct slice destination, const int *fds);
	void *ctx;
};

/*
 * Serve requests that come on fd until its other end is closed and the last
 * child has ended, or until SIGTERM. Children are told SIGTERM when this
 * process ends. 0, or -1 with e.
 */
int warm_serve(int fd, const struct warm_work *work, struct err *e);

#endif
