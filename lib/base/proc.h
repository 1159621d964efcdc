/*
 * proc - start programs and children, signals as bytes on a pipe.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <sys/types.h>

#include "base/err.h"

/* How a program ends. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_LATER = 111 };

/* EXIT_LATER for ERR_TEMP, EXIT_FAILED otherwise. */
int proc_exit_code(const struct err *e);
/* "name: text" on stderr and exit with proc_exit_code. */
void proc_die(const char *name, const struct err *e) __attribute__((noreturn));

#define PROC_FDS 64 /* most descriptors a program is given */

struct proc_fd {
	int parent; /* descriptor in this process */
	int child;  /* number it gets in the program */
};

/* Flag: the program gets SIGTERM when the thread that started it ends. */
enum { PROC_DIES_WITH_PARENT = 1 };

/*
 * Start argv[0] (looked up in PATH if it has no slash) with exactly the
 * descriptors of fds (0-2 are inherited unless named). env: NULL for ours, or
 * the whole environment. Blocks until exec has happened. Returns the pid, or
 * -1 with e set, also when exec fails; the caller waits for the pid.
 */
pid_t proc_spawn(char *const argv[], char *const env[],
    const struct proc_fd *fds, size_t nfds, unsigned flags, struct err *e);

/*
 * Self-pipe: after this the listed signals (ended by 0) arrive as one byte
 * each on the returned non-blocking descriptor. Forked children call
 * proc_signals_reset before anything else.
 */
int proc_signals(const int *signals, struct err *e);
void proc_signals_reset(void);

#endif
