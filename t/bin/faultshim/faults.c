/*
 * faults.c - the variables, and what happens around each call.
 *
 * One process at a time is between enter and leave (a POSIX lock on the state
 * file, which the kernel drops if we are killed), so the trace has the calls
 * of all processes in their true order.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "t/bin/faultshim/faultshim.h"

struct shim shim;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- setup ---- */

void
shim_die(const char *what)
{
	dprintf(2, "faultshim: %s: %s\n", what, strerror(errno));
	_exit(99);
}

static int
error_number(const char *name)
{
	for (int i = 1; i < 200; i++) {
		const char *known = strerrorname_np(i);

		if (known != NULL && strcmp(known, name) == 0)
			return i;
	}
	errno = EINVAL;
	shim_die(name);
}

/* CALL:PATTERN:WHICH:ERRNO, WHICH being N, N+ or *. */
static void
add_rule(char *text)
{
	struct shim_rule *r = &shim.rules[shim.nrules++];
	char *part[4], *rest;

	for (int i = 0; i < 4; i++)
		part[i] = strtok_r(i == 0 ? text : NULL, ":", &rest);
	errno = EINVAL;
	if (part[3] == NULL || shim.nrules == SHIM_RULES)
		shim_die("FAULT_FAIL");
	snprintf(r->call, sizeof(r->call), "%s", part[0]);
	snprintf(r->pattern, sizeof(r->pattern), "%s", part[1]);
	r->first = part[2][0] == '*' ? 1 : strtoull(part[2], &rest, 10);
	r->last = part[2][0] == '*' || *rest == '+' ? UINT64_MAX : r->first;
	r->error = error_number(part[3]);
}

static int
open_ours(const char *path, int flags)
{
	int high,
	    fd = (int)syscall(SYS_openat, AT_FDCWD, path,
		O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);

	high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SHIM_FD);
	if (high < 0)
		shim_die(path);
	syscall(SYS_close, fd);
	return high;
}

static void
map_state(void)
{
	char path[256];
	const char *name = getenv("FAULT_STATE"), *tmp = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/faultshim.%d",
	    tmp != NULL ? tmp : "/tmp", (int)getpid());
	shim.state_fd = open_ours(name != NULL ? name : path, 0);
	if (name == NULL)
		syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	if (syscall(SYS_ftruncate, shim.state_fd, sizeof(struct shim_state)) !=
	    0)
		shim_die("state");
	shim.state = mmap(NULL, sizeof(struct shim_state),
	    PROT_READ | PROT_WRITE, MAP_SHARED, shim.state_fd, 0);
	if (shim.state == MAP_FAILED)
		shim_die("state");
}

static uint64_t
number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

__attribute__((constructor)) static void
setup(void)
{
	const char *dir = getenv("FAULT_DIR"), *program = getenv("FAULT_PROG");
	const char *fail = getenv("FAULT_FAIL"), *when;
	char rules[4096], *rule, *rest;

	if (dir == NULL ||
	    (program != NULL &&
		fnmatch(program, program_invocation_short_name, 0) != 0))
		return;
	if (realpath(dir, shim.dir) == NULL)
		shim_die(dir);
	shim.dir_n = strlen(shim.dir);
	snprintf(rules, sizeof(rules), "%s", fail != NULL ? fail : "");
	for (rule = strtok_r(rules, " ", &rest); rule != NULL;
	     rule = strtok_r(NULL, " ", &rest))
		add_rule(rule);
	shim.kill_at = number("FAULT_KILL", 0);
	when = getenv("FAULT_KILL_WHEN");
	shim.kill_when = when != NULL ? when[0] : 'b';
	shim.full = number("FAULT_FULL", UINT64_MAX);
	shim.marks = getenv("FAULT_MARKS") != NULL;
	map_state();
	shim.trace_fd = getenv("FAULT_TRACE") == NULL
	    ? -1
	    : open_ours(getenv("FAULT_TRACE"), O_APPEND);
	shim.on = true;
}

/* ---- around each call ---- */

static void
lock(short type)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET };

	while (fcntl(shim.state_fd, F_SETLKW, &fl) != 0 && errno == EINTR)
		;
}

static bool
is_call(const struct shim_rule *r, const char *call)
{
	return strcmp(r->call, call) == 0 || strcmp(r->call, "*") == 0 ||
	    (strcmp(r->call, "sync") == 0 && strstr(call, "sync") != NULL);
}

/* Begin a call. Returns 0, or -1 with errno if it is to fail; then there is
 * no leave. */
int
shim_enter(const char *call, const struct place *at)
{
	int error = 0;

	pthread_mutex_lock(&mutex);
	lock(F_WRLCK);
	if (++shim.state->calls == shim.kill_at && shim.kill_when == 'b')
		raise(SIGKILL);
	for (int i = 0; i < shim.nrules; i++) {
		const struct shim_rule *r = &shim.rules[i];
		uint64_t hit;

		if (!is_call(r, call) || fnmatch(r->pattern, at->name, 0) != 0)
			continue;
		hit = ++shim.state->hits[i];
		if (hit >= r->first && hit <= r->last)
			error = r->error;
	}
	if (error == 0)
		return 0;
	lock(F_UNLCK);
	pthread_mutex_unlock(&mutex);
	errno = error;
	return -1;
}

/* End it, with its result; what was recorded counts if that is no error. */
long
shim_leave(long result)
{
	int saved = errno;

	shim_record_end(result >= 0);
	if (shim.state->calls == shim.kill_at)
		raise(SIGKILL);
	lock(F_UNLCK);
	pthread_mutex_unlock(&mutex);
	errno = saved;
	return result;
}

/* For tests, which declare it weak: what was acknowledged, into the trace. */
void fault_mark(const char *text);

void
shim_mark(const void *text, size_t n)
{
	int saved = errno;

	pthread_mutex_lock(&mutex);
	lock(F_WRLCK);
	shim_record("mark");
	shim_record_hex(text, n);
	shim_record_end(true);
	lock(F_UNLCK);
	pthread_mutex_unlock(&mutex);
	errno = saved;
}

void
fault_mark(const char *text)
{
	if (shim.on)
		shim_mark(text, strlen(text));
}
