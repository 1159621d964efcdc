/*
 * group - the dialogue of a delivery program with the runner: groups of items
 * of one message come on stdin, results go into the items and to stdout
 * (README, "Attempts").
 */
#ifndef QUEUE_GROUP_H
#define QUEUE_GROUP_H

#include "queue/item.h"

struct group {
	int queue_fd;        /* data/queue */
	int dir;             /* active/RUNNER in it */
	int signals;         /* readable: to end behind this group; or -1 */
	struct arena *arena; /* of one group; reset behind it */
	const struct clock *clock;
};

/* An item of the group, open. */
struct group_item {
	struct slice name;
	int fd; /* -1: it is in its envelope, as long as all goes well */
	struct item it;
};

/* Is it the name of a folder below active/? */
bool group_runner_ok(const char *runner);
/* data_fd: the data folder. 0, or -1 with e. */
int group_init(struct group *g, int data_fd, const char *runner,
    const struct clock *clock, struct err *e);

/*
 * Call fn for each line, split at its first space, and answer with what it
 * set *answer to ("ready" at first). Until stdin ends, there is something to
 * read on g->signals, fn returns -1, or *answer is NULL: that is the last group, answered with "ready". idle (may be
 * NULL) is called when the runner has its answer. 0, or -1 with e.
 */
typedef int group_fn(void *ctx, struct slice word, struct slice rest,
    const char **answer, struct err *e);
int group_serve(struct group *g, group_fn *fn, void (*idle)(void *ctx),
    void *ctx, struct err *e);

/* Open and parse those of the items named that are still there, in g->arena;
 * to be given to group_close. */
size_t group_open(struct group *g, struct slice names,
    struct group_item **items_r);
void group_close(struct group_item *items, size_t n);

/*
 * Before they are tried, unless they are in their envelope: `trying` into each that is not delivered, with room on the
 * disk for the result. Others, and those that cannot be written (who would
 * know that they were sent?), are closed; the runner puts them off. Returns
 * how many are left.
 */
size_t group_begin(const struct group *g, struct group_item *items, size_t n);

/* Append a line to an item; what fails is logged. */
void group_append(const struct group *g, const struct group_item *item,
    const char *word, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A result: `word TIME HOST text`; also said on stdout. host may be empty. Of
 * an item in its envelope `delivered` is that the envelope goes; for any other
 * line it is written. */
void group_result(const struct group *g, const struct group_item *item,
    const char *word, struct slice host, struct slice text);

/* The file of the message of the group, for reading, by the link of whichever
 * item has one; it begins at items[0].it.offset. 1, 0 it is gone, -1. */
int group_message(const struct group *g, const struct group_item *items,
    size_t n, int *fd_r, struct err *e);

#endif
