/*
 * serve_control - how a running mox-serve is found and told to stop: a lock and a
 * FIFO in run/.
 *
 *	run/serve.lock     held by mox-serve as long as it runs
 *	run/serve          FIFO, commands of a byte: t stop, h reload
 */
#ifndef TOOLS_SERVE_CONTROL_H
#define TOOLS_SERVE_CONTROL_H

#include "config/config.h"
#include "db/lock.h"

/* The run folder beside data/, in arena. */
const char *serve_run_dir(const struct config *config, struct arena *arena);

/* Be the one mox-serve of run_dir: 1, or 0 if there is another, or -1; with e
 * set for both. */
int serve_lock(const char *run_dir, struct db_lock *lock, struct err *e);

/* Make the FIFO, under the lock; returns its descriptor, or -1 with e. */
int serve_open(const char *run_dir, struct err *e);
/* Remove the FIFO. */
void serve_close(const char *run_dir);

/* Send a command: 1, or 0 if no mox-serve runs, or -1 with e. */
int serve_send(const char *run_dir, char command, struct err *e);

/* Wait until no mox-serve runs: 1, or 0 after timeout_ms, or -1 with e. */
int serve_wait(const char *run_dir, int timeout_ms, struct err *e);

#endif
