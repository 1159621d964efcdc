/*
 * errand - what a session asks of another account: the parent forks a back that
 * does this one thing, with the rights of that account, and ends.
 *
 * The parent reads no byte of a request. It says who asks, as it was told at the
 * log-in, and bounds what a session can cost: one errand at a time, of which it
 * may begin another only by ending the last one; a limit for all; and a time.
 */
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "service/fdmsg.h"
#include "service/parent.h"

/* The errand of this connection, or one that is free. NULL: too many run. */
static struct errand *
find(struct parent *p, uint64_t cid)
{
	struct errand *free_one = NULL;

	for (size_t i = 0; i < ERRANDS; i++) {
		struct errand *errand = &p->errands[i];
		if (errand->pid != 0 && errand->cid == cid)
			return errand;
		if (errand->pid == 0 && free_one == NULL)
			free_one = errand;
	}
	return free_one;
}

/* Its place is free: what is left of it is reaped as any other child. */
static void
end(struct errand *errand)
{
	if (errand->pid != 0)
		kill(-errand->pid, SIGKILL);
	errand->pid = 0;
}

void
parent_errand(struct parent *p, const struct slot *slot,
    const struct control *c, struct slice rest, const struct fdmsg *got)
{
	struct errand *errand = find(p, slot->client.cid);
	struct service_client client = slot->client;
	struct service_errand asked = { .account = slice_head(rest, c->text_n),
		.request = slice_skip(rest, c->text_n) };
	pid_t pid;

	if (p->stop_ms != 0 || p->sv->service->errand == NULL ||
	    slot->who.n == 0 || got->nfds != 1 || c->text_n > rest.n)
		return;
	if (errand == NULL) {
		log_set_cid(slot->client.cid);
		log_line(SERVICE_TOPIC, LOG_WARN, "too many errands at once",
		    LOG_U("most", ERRANDS));
		log_set_cid(0);
		return;
	}
	/* It has answered, or nobody waits for that any more. */
	end(errand);
	parent_refresh_if_due(p);
	client.who = slot->who;
	pid = shared_fork(0);
	if (pid == 0) {
		shared_leave_parent(p->sv);
		asked.fd = got->fds[0];
		_exit(child_errand(p->sv, &client, &asked));
	}
	if (pid < 0) {
		log_line(SERVICE_TOPIC, LOG_ERROR, "fork for an errand");
		return;
	}
	*errand = (struct errand){ .pid = pid,
		.cid = client.cid,
		.ip = slot->ip,
		.end_ms = clock_mono_ms(NULL) + SERVICE_ERRAND_MS };
	metrics_add(metrics_get(p->sv->metrics, "mox_service_errands_total"),
	    1);
}

struct errand *
parent_errand_of(struct parent *p, pid_t pid)
{
	for (size_t i = 0; i < ERRANDS; i++)
		if (p->errands[i].pid == pid)
			return &p->errands[i];
	return NULL;
}

int
parent_errands_expire(struct parent *p, int64_t now_ms)
{
	int64_t soonest = -1;

	for (size_t i = 0; i < ERRANDS; i++) {
		struct errand *errand = &p->errands[i];
		int64_t left = errand->end_ms - now_ms;
		if (errand->pid == 0)
			continue;
		if (left <= 0) {
			log_set_cid(errand->cid);
			log_line(SERVICE_TOPIC, LOG_ERROR,
			    "an errand took too long");
			log_set_cid(0);
			end(errand);
		} else if (soonest < 0 || left < soonest)
			soonest = left;
	}
	return (int)soonest;
}

void
parent_errands_kill(struct parent *p)
{
	for (size_t i = 0; i < ERRANDS; i++)
		end(&p->errands[i]);
}
