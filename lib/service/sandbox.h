/*
 * sandbox - give up rights for good: seccomp for system calls, Landlock for
 * files, both without privileges.
 *
 * A jail is made ready once, in the parent, and entered by any child: the
 * filter is compiled and the rules are open, so entering costs microseconds.
 * Jails stack and only narrow; children and exec inherit them. sandbox.c has
 * the table of what each profile may do.
 *
 * Rules name folders, never files that get replaced. Landlock below ABI 2
 * (Linux 5.19) is done without, and a log line says so; seccomp is not.
 */
#ifndef SERVICE_SANDBOX_H
#define SERVICE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Programs built with sanitizers: jails and limits are a little wider, so that
 * they can say what they found. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZERS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZERS 1
#endif
#endif

enum sandbox_profile {
	/* Accepts and forks; all that those below may, too. */
	SANDBOX_PARENT,
	/* Its descriptors, memory and time: no file, socket, process, signal. */
	SANDBOX_FRONT,
	/* Files; no new socket, no process, no exec. */
	SANDBOX_BACK,
	/* As FRONT, and waits for many descriptors, and asks for the times of
	 * files: the process with parked sessions. */
	SANDBOX_PARK,
	/* A network client: as BACK, and sockets. Resolver, mox-remote. */
	SANDBOX_CLIENT,
	SANDBOX_PROFILES
};

enum sandbox_right {
	SANDBOX_READ = 1,  /* read files, list folders */
	SANDBOX_WRITE = 2, /* also make, change, link, rename, remove */
};

struct sandbox_path {
	const char *path; /* a folder; one that is not there, or out of
			   * reach anyway, is passed over */
	int rights;
};

struct sandbox;

/* For -nosandbox: jails made after this do nothing. */
void sandbox_off(void);

/*
 * Make a jail ready. paths is what may be reached below those folders; none
 * for FRONT. Returns NULL with e when this system has no seccomp.
 */
struct sandbox *sandbox_new(enum sandbox_profile profile,
    const struct sandbox_path *paths, size_t n, struct err *e);
void sandbox_free(struct sandbox **sb);

/* Enter; no way back. On -1 with e the process must end. */
int sandbox_enter(const struct sandbox *sb, struct err *e);

/* Narrow the files of this process, in whatever jail it is, to paths. */
int sandbox_narrow(const struct sandbox_path *paths, size_t n, struct err *e);

#endif
