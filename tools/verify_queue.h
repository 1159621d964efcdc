/*
 * verify_queue - compare the files of the queue with themselves, and mend.
 *
 * May run beside mox-queued: what moves meanwhile is looked for again.
 */
#ifndef TOOLS_VERIFY_QUEUE_H
#define TOOLS_VERIFY_QUEUE_H

#include "store/verify.h"

/* Report what is wrong with data/queue, if there is one. 0, or -1 with e: it
 * could not go on. */
int verify_queue(struct verify *v, struct err *e);

#endif
