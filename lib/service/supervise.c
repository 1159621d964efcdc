#include "service/supervise.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define DELAY_MAX_MS 60000
#define STABLE_MS 60000 /* up for so long: the next restart is at once */
#define TOPIC "supervise"

extern char **environ;

struct running {
	const struct supervise_service *service;
	pid_t pid;  /* 0: not running */
	int notify; /* read end; -1 once ready or gone */
	bool was_ready;
	int64_t started_ms;
	int64_t restart_ms; /* when to start again, if pid is 0 */
	int64_t delay_ms;   /* before the restart after the next one */
};

struct supervisor {
	struct running *v;
	size_t n;
	int signals, commands;
	bool stopping;
};

/* This environment with LISTEN_* for one service. */
static char **
service_environment(const struct supervise_service *s, struct arena *arena)
{
	struct buf names = BUF_INIT(4096);
	size_t n = 0, out = 0;
	char **env;

	while (environ[n])
		n++;
	env = arena_array(arena, n + 3, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "LISTEN_", 7) != 0 &&
		    strncmp(environ[i], "NOTIFY_SOCKET=", 14) != 0)
			env[out++] = environ[i];
	for (size_t i = 0; i < s->nsockets; i++)
		buf_addf(&names, "%s%s", i ? ":" : "", s->sockets[i].name);
	env[out++] =
	    (char *)arena_printf(arena, "LISTEN_FDS=%zu", s->nsockets).p;
	env[out++] = (char *)arena_printf(arena, "LISTEN_FDNAMES=%.*s",
	    SLICE_FMT(buf_slice(&names)))
			 .p;
	buf_free(&names);
	return env;
}

static char **
service_arguments(const struct supervise_service *s, struct arena *arena)
{
	size_t n = 0;
	char **argv;

	while (s->argv[n])
		n++;
	argv = arena_array(arena, n + 3, sizeof(*argv));
	for (size_t i = 0; i < n; i++)
		argv[i] = arena_cstr(arena, slice_str(s->argv[i]));
	argv[n] = arena_cstr(arena, SLICE("-notify-fd"));
	argv[n + 1] =
	    (char *)arena_printf(arena, "%zu", FIRST_FD + s->nsockets).p;
	return argv;
}

static int
service_start(struct running *r, struct err *e)
{
	const struct supervise_service *s = r->service;
	struct arena *arena = arena_new(0);
	struct proc_fd *fds;
	int notify[2];

	if (pipe2(notify, O_CLOEXEC | O_NONBLOCK) < 0) {
		arena_free(&arena);
		return err_sys(e, "%s: pipe", s->name);
	}
	file_nonblock(notify[1], false);
	fds = arena_array(arena, s->nsockets + 1, sizeof(*fds));
	for (size_t i = 0; i < s->nsockets; i++)
		fds[i] =
		    (struct proc_fd){ s->sockets[i].fd, FIRST_FD + (int)i };
	fds[s->nsockets] =
	    (struct proc_fd){ notify[1], FIRST_FD + (int)s->nsockets };
	r->pid = proc_spawn(service_arguments(s, arena),
	    service_environment(s, arena), fds, s->nsockets + 1,
	    PROC_DIES_WITH_PARENT, e);
	arena_free(&arena);
	close(notify[1]);
	if (r->pid < 0) {
		r->pid = 0;
		close(notify[0]);
		return err_prefix(e, "%s", s->name);
	}
	r->notify = notify[0];
	r->started_ms = clock_mono_ms(NULL);
	return 0;
}

/* It ended: start it again now, or later the more often that happens. */
static void
service_ended(struct running *r, int status)
{
	int64_t now = clock_mono_ms(NULL);

	log_line(TOPIC, LOG_ERROR, "service ended",
	    LOG_Z("service", r->service->name), LOG_I("pid", r->pid),
	    WIFSIGNALED(status) ? LOG_I("signal", WTERMSIG(status))
				: LOG_I("exit", WEXITSTATUS(status)));
	r->pid = 0;
	if (r->notify >= 0)
		close(r->notify);
	r->notify = -1;
	if (now - r->started_ms >= STABLE_MS)
		r->delay_ms = 0;
	r->restart_ms = now + r->delay_ms;
	r->delay_ms = r->delay_ms ? r->delay_ms * 2 : 1000;
	if (r->delay_ms > DELAY_MAX_MS)
		r->delay_ms = DELAY_MAX_MS;
}

/* ---- all of them ---- */

static void
signal_all(const struct supervisor *sv, int sig)
{
	for (size_t i = 0; i < sv->n; i++)
		if (sv->v[i].pid)
			kill(sv->v[i].pid, sig);
}

/* Returns -1 with e set if a service ended that never was ready. */
static int
reap(struct supervisor *sv, struct err *e)
{
	pid_t pid;
	int status, rc = 0;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < sv->n; i++) {
			struct running *r = &sv->v[i];
			if (r->pid != pid)
				continue;
			if (sv->stopping) {
				r->pid = 0;
				continue;
			}
			service_ended(r, status);
			if (!r->was_ready)
				rc = err_set(e, ERR_PERM, "%s did not start",
				    r->service->name);
		}
	}
	return rc;
}

static int
take_signals(struct supervisor *sv, struct err *e)
{
	unsigned char sig;
	int rc = 0;

	while (read(sv->signals, &sig, 1) == 1) {
		if (sig == SIGCHLD)
			rc = reap(sv, e) < 0 ? -1 : rc;
		else if (sig == SIGHUP)
			signal_all(sv, SIGHUP);
		else
			sv->stopping = true;
	}
	return rc;
}

static void
take_commands(struct supervisor *sv)
{
	char command;

	while (read(sv->commands, &command, 1) == 1) {
		if (command == SUPERVISE_RELOAD)
			signal_all(sv, SIGHUP);
		if (command == SUPERVISE_STOP)
			sv->stopping = true;
	}
}

/* A newline says ready; the end of the file means it will say nothing. */
static void
take_notify(struct running *r)
{
	char b[64];
	ssize_t n = read(r->notify, b, sizeof(b));

	if (n < 0)
		return;
	if (n > 0 && !memchr(b, '\n', (size_t)n))
		return;
	r->was_ready |= n > 0;
	close(r->notify);
	r->notify = -1;
}

static void
start_due(struct supervisor *sv)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sv->n; i++) {
		struct running *r = &sv->v[i];
		if (r->pid || clock_mono_ms(NULL) < r->restart_ms)
			continue;
		if (service_start(r, &e) < 0) {
			log_line(TOPIC, LOG_ERROR, "cannot start", LOG_E(&e));
			r->restart_ms = clock_mono_ms(NULL) + DELAY_MAX_MS;
		}
	}
}

static int
until_next_start(const struct supervisor *sv)
{
	int64_t now = clock_mono_ms(NULL), wait = -1;

	for (size_t i = 0; i < sv->n; i++) {
		int64_t left = sv->v[i].restart_ms - now;
		if (sv->v[i].pid)
			continue;
		if (left < 0)
			left = 0;
		if (wait < 0 || left < wait)
			wait = left;
	}
	return (int)wait;
}

/* Wait for signals, commands, and services to say that they are ready. */
static int
wait_once(struct supervisor *sv, int timeout_ms, struct err *e)
{
	struct pollfd *fds = xcalloc(sv->n + 2, sizeof(*fds));
	int rc = 0;

	fds[0] = (struct pollfd){ .fd = sv->signals, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = sv->commands, .events = POLLIN };
	for (size_t i = 0; i < sv->n; i++)
		fds[i + 2] =
		    (struct pollfd){ .fd = sv->v[i].notify, .events = POLLIN };
	if (poll(fds, sv->n + 2, timeout_ms) > 0) {
		for (size_t i = 0; i < sv->n; i++)
			if (fds[i + 2].revents)
				take_notify(&sv->v[i]);
		if (fds[1].revents)
			take_commands(sv);
		if (fds[0].revents)
			rc = take_signals(sv, e);
	}
	free(fds);
	return rc;
}

static bool
all_ready(const struct supervisor *sv)
{
	for (size_t i = 0; i < sv->n; i++)
		if (!sv->v[i].was_ready)
			return false;
	return true;
}

static size_t
alive(const struct supervisor *sv)
{
	size_t n = 0;

	for (size_t i = 0; i < sv->n; i++)
		n += sv->v[i].pid != 0;
	return n;
}

static void
stop_all(struct supervisor *sv)
{
	int64_t end = clock_mono_ms(NULL) + SUPERVISE_STOP_MS;

	sv->stopping = true;
	signal_all(sv, SIGTERM);
	while (alive(sv) && clock_mono_ms(NULL) < end)
		wait_once(sv, (int)(end - clock_mono_ms(NULL)), NULL);
	if (alive(sv)) {
		log_line(TOPIC, LOG_WARN, "killing services that do not stop");
		signal_all(sv, SIGKILL);
		while (alive(sv))
			wait_once(sv, 1000, NULL);
	}
}

int
supervise_run(const struct supervise *s, struct err *e)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, 0 };
	struct supervisor sv = { .n = s->n, .commands = s->commands };
	bool told = s->tell == NULL;
	int rc = 0;

	sv.signals = proc_signals(signals, e);
	if (sv.signals < 0)
		return -1;
	sv.v = xcalloc(s->n, sizeof(*sv.v));
	for (size_t i = 0; i < s->n; i++) {
		sv.v[i].service = &s->services[i];
		sv.v[i].notify = -1;
	}
	for (size_t i = 0; i < s->n && rc == 0; i++)
		rc = service_start(&sv.v[i], e);
	while (rc == 0 && !sv.stopping) {
		rc = wait_once(&sv, until_next_start(&sv), e);
		if (rc == 0 && !sv.stopping)
			start_due(&sv);
		if (!told && all_ready(&sv)) {
			s->tell(s->ctx, SUPERVISE_READY);
			told = true;
		}
	}
	if (s->tell != NULL)
		s->tell(s->ctx, SUPERVISE_STOPPING);
	stop_all(&sv);
	free(sv.v);
	return rc;
}
