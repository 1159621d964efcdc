/* starter_periodic - programs that are started from time to time. */
#include <stdlib.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/proc.h"
#include "queue/queue.h"
#include "queue/starter.h"

#define FIRST_MS (5 * 60 * 1000) /* behind our start: not in its rush */
#define ARGS_MAX 2

/* What they do may be done too often; so nobody has to remember when it was. */
static const struct {
	const char *program;
	const char *args[ARGS_MAX];
	int64_t period_s;
} table[STARTER_PERIODIC] = {
	/* Cached policies of MTA-STS, over three hours. */
	{ "mox-mtasts", { "refresh", "-spread=10800" }, 86400 },
};

static pid_t
spawn(const struct starter *s, size_t i, struct err *e)
{
	const char *argv[ARGS_MAX + 5] = { table[i].program };
	size_t n = 1;

	while (n <= ARGS_MAX && table[i].args[n - 1] != NULL) {
		argv[n] = table[i].args[n - 1];
		n++;
	}
	argv[n++] = "-config";
	argv[n++] = s->config->path;
	if (s->nosandbox)
		argv[n++] = "-nosandbox";
	return proc_spawn((char *const *)argv, NULL, NULL, 0,
	    PROC_DIES_WITH_PARENT, e);
}

void
starter_periodic_start(struct starter *s, int64_t now_ms)
{
	for (size_t i = 0; i < STARTER_PERIODIC; i++) {
		struct starter_periodic *p = &s->periodic[i];
		struct err e = ERR_INIT;

		if (p->next_ms == 0)
			p->next_ms = now_ms + FIRST_MS;
		if (now_ms < p->next_ms || p->pid != 0)
			continue;
		p->next_ms = now_ms + table[i].period_s * 1000;
		p->pid = spawn(s, i, &e);
		if (p->pid > 0)
			continue;
		p->pid = 0;
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot start program",
		    LOG_E(&e));
	}
}

bool
starter_periodic_ended(struct starter *s, pid_t pid, int status)
{
	size_t i = 0;

	while (i < STARTER_PERIODIC && s->periodic[i].pid != pid)
		i++;
	if (i == STARTER_PERIODIC)
		return false;
	s->periodic[i].pid = 0;
	if (status != 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "periodic program failed",
		    LOG_Z("program", table[i].program),
		    LOG_I("exit", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
		    LOG_I("signal",
			WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	return true;
}
