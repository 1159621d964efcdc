/*
 * watch - wake those who wait for a change (fifodirs, as in s6).
 *
 * Waiters of a topic have a FIFO each in run/watch/TOPIC/; whoever changes
 * something writes a byte into each. Only a hint: correctness never depends
 * on it, and waiters also look every few seconds. This host only. Programs
 * that poke ignore SIGPIPE: a waiter may die at any moment.
 */
#ifndef DB_WATCH_H
#define DB_WATCH_H

#include <limits.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct db_watch {
	int run_fd;
	int fd;              /* poll for reading; -1 when closed */
	char path[PATH_MAX]; /* of the FIFO, below run_fd */
};

#define DB_WATCH_INIT \
	{ \
		-1, -1, "" \
	}

/* Start waiting. run_fd (the run folder) stays open. topic: any bytes, escaped
 * at most NAME_MAX long. Look at the state after this, not before. */
int db_watch_open(struct db_watch *w, int run_fd, struct slice topic,
    struct err *e);
/* Forget the pokes so far; then look at the state. */
void db_watch_drain(struct db_watch *w);
/*
 * The same, and what the pokes were about: appends their words to *words, a NUL
 * behind each. False if somebody poked without a word, or if words may be lost
 * because many had come: then anything may have changed.
 */
bool db_watch_words(struct db_watch *w, struct buf *words);
/*
 * Go on where another process began: name is what db_watch_name gave there, fd
 * its descriptor, taken over (also by a failure). Neither is trusted: a name of
 * another form fails.
 */
int db_watch_resume(struct db_watch *w, int run_fd, struct slice topic,
    struct slice name, int fd, struct err *e);
/* Of the FIFO; empty if there is none. */
struct slice db_watch_name(const struct db_watch *w);
/* Stop; removes the FIFO. */
void db_watch_close(struct db_watch *w);

/* Wake all waiters of topic and remove FIFOs of dead ones. Never blocks,
 * never fails; with nobody waiting it costs one open. */
void db_poke(int run_fd, struct slice topic);
/* The same, with a word about what changed: at most DB_WORD_MAX bytes, none of
 * them NUL; a longer one is left out. */
#define DB_WORD_MAX 255
void db_poke_word(int run_fd, struct slice topic, struct slice word);

#endif
