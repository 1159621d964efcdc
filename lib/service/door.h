/*
 * door - a program that works for many processes, kept by one: mox-resolver,
 * mox-mtasts serve.
 *
 * The door is a pair of sockets (SOCK_SEQPACKET). Those who want something send
 * one end of a pair of their own through it (dns/ask.h does), and the program
 * reads the other end of the door. While it does not run, its keeper waits for
 * something to come through: so it is not started before it is needed, and one
 * that died is replaced when somebody asks again. As a program of its own it has
 * nothing of its keeper's in its memory, nor its keeper its libraries.
 *
 * In the keeper's loop:
 *
 *	poll door_watch(d) for input   -> door_wanted(d)
 *	waitpid() gave a pid           -> door_ended(d, pid, status)
 */
#ifndef SERVICE_DOOR_H
#define SERVICE_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define DOOR_ARGS 12 /* most arguments besides -door=3 */

struct door {
	/* Set by the caller; all must live as long as the door. */
	const char *program; /* "mox-resolver" */
	const char *self;    /* our argv[0]: it is beside us, or in PATH */
	/* Its arguments, NULL behind the last; "-door=3" is added to them. */
	const char *args[DOOR_ARGS];

	int ask; /* the end for those who ask; -1: there is no door */
	/* Its own: */
	int inner; /* the end that the program reads */
	pid_t pid; /* 0: none runs */
	int64_t started_ms, not_before_ms;
	unsigned failures; /* one after the other */
};

/* Make the pair; both ends are close-on-exec. 0, or -1 with e. */
int door_open(struct door *d, struct err *e);
/* In a process that does not keep it: only `ask` stays. */
void door_not_here(struct door *d);
/* What to poll for input, or -1. */
int door_watch(const struct door *d);
/* Poll found something: start the program. */
void door_wanted(struct door *d);
/* A child ended; false if it was another one. */
bool door_ended(struct door *d, pid_t pid, int status);

/*
 * For a process without a loop: open the door, and fork a keeper that lives as
 * long as anybody has `ask`. It keeps no other descriptor but stderr.
 */
int door_keep_alone(struct door *d, struct err *e);

#endif
