/* ended - processes of connections that ended, and so connections. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "service/parent.h"

/* Of a process, which may have ended but is not reaped. */
struct slot *
parent_slot(const struct parent *p, pid_t pid)
{
	pid_t group = getpgid(pid);

	return group < 0 ? NULL : map_get(p->slots, SPLIT_OF(group));
}

static void
crashed(struct parent *p, uint64_t cid, const struct ip *ip, int status)
{
	char text[IP_TEXT];

	log_set_cid(cid);
	log_line(SERVICE_TOPIC, LOG_ERROR, "connection crashed",
	    LOG_Z("ip", ip_text(ip, text)),
	    LOG_I("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	log_set_cid(0);
	admit_crashed(p->sv, ip);
	metrics_add(metrics_get(p->sv->metrics, "mox_service_crashes_total"),
	    1);
}

static void
end_slot(struct parent *p, struct slot *slot)
{
	admit_close(p->admit, &slot->ip, slot->unauthenticated);
	p->gone -= slot->gone;
	if (slot->group != 0)
		map_del(p->slots, SPLIT_OF(slot->group));
	free((char *)(uintptr_t)slot->who.p);
	free(slot);
}

/*
 * Reap what ended of the group of a slot that has no back. Such fronts are
 * ours, this process being subreaper. True when the group is empty. As long as
 * it is not, its number cannot be another's.
 */
static bool
reap_group(struct parent *p, struct slot *slot)
{
	int status;
	pid_t pid;

	if (slot->group == 0)
		return true;
	while ((pid = waitpid(-slot->group, &status, WNOHANG)) > 0) {
		if (service_is_crash(status))
			crashed(p, slot->client.cid, &slot->ip, status);
		if (pid == slot->pid)
			slot->pid = 0;
	}
	return pid < 0;
}

/* Groups whose back is gone: over, or to be killed. */
void
parent_sweep(struct parent *p)
{
	int64_t now = clock_mono_ms(NULL);
	struct slice key;
	void *value;

	for (size_t i = 0;
	     p->gone > 0 && map_next(p->slots, &i, &key, &value);) {
		struct slot *slot = value;
		if (!slot->gone)
			continue;
		if (reap_group(p, slot))
			end_slot(p, slot);
		else if (now >= slot->end_ms)
			kill(-slot->group, SIGKILL);
	}
}

/* It has no back, and will have none. */
void
parent_close_slot(struct parent *p, struct slot *slot)
{
	if (slot->parked)
		map_del(p->parked, SPLIT_OF(slot->client.cid));
	slot->parked = false;
	slot->gone = true;
	slot->end_ms = clock_mono_ms(NULL) + PARENT_STOP_MS;
	p->gone++;
	if (reap_group(p, slot))
		end_slot(p, slot);
}

/* The connection is of this group from here on. */
void
parent_set_group(struct parent *p, struct slot *slot, pid_t group)
{
	if (group == slot->group)
		return;
	if (slot->group != 0)
		map_del(p->slots, SPLIT_OF(slot->group));
	slot->group = group;
	if (group != 0)
		map_set(p->slots, SPLIT_OF(group), slot);
}

/* Its number may be another's from here on. */
static void
drop_empty_group(struct parent *p, struct slot *slot)
{
	if (reap_group(p, slot))
		parent_set_group(p, slot, 0);
}

/* The back, or a relay that another back left. */
static void
member_ended(struct parent *p, struct slot *slot, pid_t pid, int status)
{
	bool leader = pid == slot->pid;

	if (service_is_crash(status)) {
		crashed(p, slot->client.cid, &slot->ip, status);
		if (leader)
			pool_distrust(p->sv->pool, slot->client.cid);
	}
	if (leader)
		slot->pid = 0;
	if (slot->gone && reap_group(p, slot))
		end_slot(p, slot);
	else if (slot->parked)
		drop_empty_group(p, slot);
	else if (leader && !slot->gone)
		parent_close_slot(p, slot);
}

static void
worker_ended(struct parent *p, struct worker *w, int status)
{
	const struct slot *slot = parent_slot(p, w->front);

	if (service_is_crash(status) && w->serial != 0)
		crashed(p, w->cid, &w->ip, status);
	/* Its front is told at once, as PDEATHSIG tells others. */
	if (slot != NULL && slot->client.cid == w->cid)
		kill(w->front, SIGTERM);
	pool_del(p->sv->pool, w);
}

/* All that was parked is lost with the process that had it. */
static void
parking_lost(struct parent *p, int status)
{
	struct slice key;
	void *value;

	if (p->stop_ms == 0)
		log_line(SERVICE_TOPIC, LOG_ERROR,
		    "the process with parked sessions died: they end",
		    LOG_U("sessions", map_count(p->parked)),
		    LOG_I("signal",
			WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	for (size_t i = 0; map_next(p->parked, &i, &key, &value);)
		parent_close_slot(p, value);
}

static void
errand_ended(struct parent *p, struct errand *errand, int status)
{
	if (service_is_crash(status))
		crashed(p, errand->cid, &errand->ip, status);
	errand->pid = 0;
}

void
parent_reap(struct parent *p)
{
	siginfo_t info;

	/* Look before reaping: until then it has its group. */
	for (;;) {
		struct worker *worker;
		struct errand *errand;
		struct slot *slot;
		int status;
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid == 0)
			return;
		slot = parent_slot(p, info.si_pid);
		worker = pool_find(p->sv->pool, info.si_pid);
		errand = parent_errand_of(p, info.si_pid);
		waitpid(info.si_pid, &status, 0);
		if (slot != NULL)
			member_ended(p, slot, info.si_pid, status);
		else if (worker != NULL)
			worker_ended(p, worker, status);
		else if (errand != NULL)
			errand_ended(p, errand, status);
		else if (parking_ended(p->sv->parking, info.si_pid))
			parking_lost(p, status);
		else /* or nothing is left to be known of it */
			shared_ended(p->sv, info.si_pid);
	}
}
