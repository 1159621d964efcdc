/*
 * copy - mend a copy of data/queue that was made while the queue was in use.
 *
 * Items move while they are copied, so a copy may have one twice, or one whose
 * message is gone since it was settled. Nothing that waits is ever removed
 * altogether; what is wrong is rather sent twice.
 */
#ifndef QUEUE_COPY_H
#define QUEUE_COPY_H

#include <stdbool.h>

#include "base/err.h"

struct queue_copy {
	bool mend; /* remove what is found */
	/* path below data/, and why it is superfluous. */
	void (*found)(void *ctx, const char *path, const char *why);
	void *ctx;
};

/* Nobody may use the queue meanwhile. 0, or -1 with e set; a data folder
 * without a queue is fine. */
int queue_copy_check(const struct queue_copy *c, int data_fd, struct err *e);

#endif
