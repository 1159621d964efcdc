/*
 * faultshim - what the files of the shim share.
 */
#ifndef T_FAULTSHIM_H
#define T_FAULTSHIM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHIM_RULES 16
#define SHIM_FD 200 /* ours are at or above: out of the way of the program's */

struct shim_rule {
	char call[24], pattern[256];
	uint64_t first, last; /* which matching calls fail, from 1 */
	int error;
};

/* Shared by all processes of a run. */
struct shim_state {
	uint64_t calls;            /* mutating calls begun */
	uint64_t written;          /* bytes */
	uint64_t hits[SHIM_RULES]; /* matching calls of each rule */
};

/* From the environment; t/README. */
extern struct shim {
	bool on, marks;
	char dir[PATH_MAX];
	size_t dir_n;
	struct shim_rule rules[SHIM_RULES];
	int nrules;
	uint64_t kill_at, full; /* 0: never; UINT64_MAX: never */
	char kill_when;         /* 'b'efore, 'a'fter, 'h'alf */
	int state_fd, trace_fd; /* trace -1: not recorded */
	struct shim_state *state;
} shim;

_Noreturn void shim_die(const char *what);

/* Where a call goes. */
struct place {
	char path[PATH_MAX]; /* absolute */
	const char *name;    /* below FAULT_DIR, for patterns */
	const char *base;    /* last part of path */
	uint64_t dir;        /* inode of the folder of base */
};

/* Is it below FAULT_DIR? A file without a name counts where it had one. */
bool shim_place_fd(int fd, struct place *at);
bool shim_place_name(int dirfd, const char *name, struct place *at);
uint64_t shim_inode(int dirfd, const char *name, int flags);
uint64_t shim_inode_fd(int fd);

/*
 * Around each call. enter returns -1 with errno if the call is to fail; then
 * there is no leave. What was recorded between them goes into the trace if
 * the result given to leave is no error.
 */
int shim_enter(const char *call, const struct place *at);
long shim_leave(long result);

/* The line of the call: words, names and data in hex. */
void shim_record(const char *format, ...) __attribute__((format(printf, 1, 2)));
void shim_record_hex(const void *data, size_t n);
void shim_record_name(const struct place *at);
/* A call that makes or removes a name: the file, the folder, the name. */
void shim_record_entry(const char *call, const struct place *at);
/* Write the line, or forget it. */
void shim_record_end(bool keep);

/* Output that may be an acknowledgement. */
void shim_mark(const void *text, size_t n);

#endif
