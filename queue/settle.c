/* settle - what becomes of an item that is not with a worker. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "queue/runner.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US (86400 * SECOND_US)
#define BACKOFF_JITTER_S 5
#define DOUBLED_MAX 12   /* times: 21 days between attempts */
#define DELAY_ATTEMPTS 5 /* then the sender is told of the delay */
#define TELL_AGAIN_US (3600 * SECOND_US)
#define NO_ITEM_US (QUEUE_BACKOFF_S * SECOND_US)
#define TELL_FOR_US \
	(7 * DAY_US) /* a DSN that cannot be delivered is given up */
#define TMP_AGE_S 86400

/* ---- moving ---- */

/* "due/BUCKET" or "hold". */
static const char *
folder_of(const struct job *job, struct arena *arena)
{
	return slice_is(slice_str(job->bucket), "hold")
	    ? "hold"
	    : arena_printf(arena, "due/%s", job->bucket).p;
}

/* A folder that a power cut took back would take its items with it. */
static int
make_folder(struct runner *r, const char *folder, struct err *e)
{
	const char *above = arena_printf(r->arena, "%s/..", folder).p;
	int fd, rc;

	if (file_mkdirs(r->q.fd, folder, 0700, e) < 0)
		return -1;
	fd = openat(r->q.fd, above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "queue/%s", above);
	rc = db_fsync_dir(fd, above, e);
	close(fd);
	return rc;
}

/* From active/ to a folder, which is made if it is missing: whoever emptied it
 * may just have removed it. */
static void
move(struct runner *r, const char *name, const char *folder)
{
	struct err e = ERR_INIT;
	struct slice to = arena_printf(r->arena, "%s/%s", folder, name);
	int rc = db_move(r->dir, name, r->q.fd, to.p, &e);

	for (int tries = 0; tries < 3 && rc == 0 && errno == ENOENT; tries++) {
		rc = make_folder(r, folder, &e);
		if (rc == 0)
			rc = db_move(r->dir, name, r->q.fd, to.p, &e);
	}
	if (rc <= 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot move item",
		    LOG_Z("item", name), LOG_Z("to", folder), LOG_E(&e));
}

/* Retired items are found by the day they go. */
static const char *
retired_folder(struct runner *r, int64_t keep_us)
{
	char bucket[QUEUE_BUCKET];

	queue_bucket(keep_us + DAY_US, bucket);
	return arena_printf(r->arena, "retired/%.8s", bucket).p;
}

void
runner_place(struct runner *r, struct job *job)
{
	struct slice message =
	    queue_message_path(r->arena, slice_str(job->name));

	if (job->state == JOB_STAY)
		move(r, job->name, folder_of(job, r->arena));
	else {
		if (job->linked)
			db_unlink(r->q.fd, message.p, NULL);
		if (job->keep_us)
			move(r, job->name, retired_folder(r, job->keep_us));
		else if (!job->inside)
			db_unlink(r->dir, job->name, NULL);
	}
	r->jobs--;
	free(job);
}

/* At once, or when the envelope is dropped. */
static void
place(struct runner *r, struct job *job, enum job_state state)
{
	job->state = state;
	if (!job->envelope) {
		runner_place(r, job);
		return;
	}
	job->envelope->open--;
	if (state == JOB_STAY || job->envelope->open == 0)
		runner_mark_envelope(r, job->envelope);
}

void
runner_put_off(struct runner *r, struct job *job, int64_t us)
{
	queue_bucket(us, job->bucket);
	if (us < r->next_due_us)
		r->next_due_us = us;
	place(r, job, JOB_STAY);
}

void
runner_hold(struct runner *r, struct job *job)
{
	snprintf(job->bucket, sizeof(job->bucket), "hold");
	place(r, job, JOB_STAY);
}

/* ---- lines ---- */

static void
append(struct runner *r, const struct job *job, const char *word, int64_t us,
    const char *text)
{
	struct err e = ERR_INIT;
	int fd;

	if (item_open(r->dir, job->name, &fd, &e) <= 0 ||
	    item_append(fd, word, us, &e, "%s", text) < 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot write item",
		    LOG_Z("item", job->name), LOG_E(&e));
	if (fd >= 0)
		close(fd);
}

static void
log_outcome(const struct job *job, const struct item *it)
{
	log_line(QUEUE_TOPIC, LOG_INFO,
	    it->state == ITEM_DELIVERED     ? "delivered"
		: it->state == ITEM_FAILED  ? "failed"
		: it->state == ITEM_DROPPED ? "dropped"
					    : "delayed",
	    LOG_Z("item", job->name), LOG_S("account", it->m.account),
	    LOG_S("from", it->m.from), LOG_S("to", it->rcpt.to),
	    LOG_S("host", it->last.host), LOG_S("reply", it->last.text),
	    LOG_U("attempts", it->nattempts));
}

/* ---- the sender is told ---- */

/* RFC 3461, 4.1; never about DSNs and reports. */
static bool
wants(const struct item *it, unsigned notify, bool by_default)
{
	if (it->m.from.n == 0 || it->m.report)
		return false;
	return it->rcpt.notify ? it->rcpt.notify & notify : by_default;
}

/* True: the job is with mox-local, to tell. */
static bool
tell(struct runner *r, struct job *job, const struct item *it, enum job_act act,
    unsigned told, bool wanted)
{
	if (!wanted || it->told & told)
		return false;
	job->act = act;
	runner_enqueue(r, job, it);
	return true;
}

/* ---- addresses that nothing is sent to ---- */

/* What the account's user sent. What is passed on for others, and told to them,
 * is not: a forgery that is refused must not end the forwarding. */
static bool
is_own(const struct item *it)
{
	return it->m.account.n > 0 && it->m.from.n > 0 && it->m.nvia == 0 &&
	    !it->m.report;
}

bool
runner_is_suppressed(struct runner *r, const struct item *it,
    const char **why_r)
{
	struct suppress_entry entry;
	struct err e = ERR_INIT;
	char since[CLOCK_TEXT];
	int rc;

	if (!is_own(it))
		return false;
	rc = suppress_find(r->suppress, it->m.account, it->rcpt.to, r->arena,
	    &entry, &e);
	if (rc < 0)
		runner_failed("list of suppressed addresses", it->m.account,
		    &e);
	if (rc <= 0)
		return false;
	clock_rfc3339(entry.created_us, since);
	if (why_r)
		*why_r = arena_printf(r->arena,
		    "- suppressed: nothing is sent to %.*s since %s%s%.*s",
		    SLICE_FMT(slice_head(entry.base, 320)),
		    entry.created_us ? since : "long",
		    entry.reason.n ? ", when it said " : "",
		    SLICE_FMT(entry.reason))
			     .p;
	return true;
}

/* Did a server refuse it, at last or until its time was over? */
static bool
was_remote(const struct item *it)
{
	for (size_t i = 0; i < it->nattempts; i++)
		if (it->attempts[i].host.n)
			return true;
	return false;
}

/* What this result says of the address. Not of those of this host: what is
 * wrong with them its admin knows. */
static void
note_result(struct runner *r, const struct job *job, const struct item *it,
    enum settle_when when)
{
	struct err e = ERR_INIT;
	int rc;

	if (when == SETTLE_CLAIMED || job->act != JOB_SEND || !is_own(it) ||
	    !was_remote(it))
		return;
	rc = it->state == ITEM_FAILED
	    ? suppress_failed(r->suppress, it->m.account, it->rcpt.to,
		  it->last.text, &e)
	    : suppress_delivered(r->suppress, it->m.account, it->rcpt.to, &e);
	if (rc < 0)
		runner_failed("list of suppressed addresses", it->m.account,
		    &e);
	if (rc > 0)
		log_line(QUEUE_TOPIC, LOG_INFO, "suppressed",
		    LOG_Z("item", job->name), LOG_S("account", it->m.account),
		    LOG_S("to", it->rcpt.to), LOG_S("reply", it->last.text));
}

/* ---- deciding ---- */

static void
finish(struct runner *r, struct job *job, const struct item *it)
{
	const struct conf_account *account;

	if (it->state != ITEM_DELIVERED) /* that was logged by the worker */
		log_outcome(job, it);
	job->keep_us = 0;
	if (lookup_account(r->lookup, r->arena, it->m.account, &account, NULL) >
		0 &&
	    account->keep_retired_message_period > 0)
		job->keep_us = clock_us(r->q.clock) +
		    account->keep_retired_message_period / 1000;
	place(r, job, JOB_DONE);
}

static void
settle_failed(struct runner *r, struct job *job, const struct item *it,
    enum settle_when when)
{
	int64_t now = clock_us(r->q.clock);
	bool tried = job->act == JOB_TELL_FAILURE && when != SETTLE_CLAIMED;

	/* A DSN that could not be delivered: later. */
	if (tried && !(it->told & ITEM_TOLD_FAILURE) &&
	    now - it->queued_us < TELL_FOR_US) {
		runner_put_off(r, job, now + TELL_AGAIN_US);
		return;
	}
	if (tried ||
	    !tell(r, job, it, JOB_TELL_FAILURE, ITEM_TOLD_FAILURE,
		wants(it, QUEUE_NOTIFY_FAILURE, true)))
		finish(r, job, it);
}

static void
settle_delivered(struct runner *r, struct job *job, const struct item *it,
    enum settle_when when)
{
	bool tried = job->act == JOB_TELL_SUCCESS && when != SETTLE_CLAIMED;

	if (tried ||
	    !tell(r, job, it, JOB_TELL_SUCCESS, ITEM_TOLD_SUCCESS,
		wants(it, QUEUE_NOTIFY_SUCCESS, false)))
		finish(r, job, it);
}

static int64_t
backoff_us(const struct runner *r, unsigned tries)
{
	int64_t s = QUEUE_BACKOFF_S - BACKOFF_JITTER_S +
	    (int64_t)rand_below(r->q.rand, 2 * BACKOFF_JITTER_S + 1);

	if (tries > DOUBLED_MAX)
		tries = DOUBLED_MAX + 1;
	return (s * SECOND_US) << (tries > 1 ? tries - 1 : 0);
}

/* Temporary failure: tell of the delay once, then later again. When even that
 * could not be written, the disk is full, say, it is later, too. */
static void
settle_delayed(struct runner *r, struct job *job, const struct item *it)
{
	int64_t now = clock_us(r->q.clock);
	bool known = job->act != JOB_SEND || it->nattempts > job->seen;
	int64_t next = (known ? it->last.us : now) + backoff_us(r, it->tries);

	if (job->act == JOB_SEND) {
		log_outcome(job, it);
		append(r, job, "next", next, "");
		if (it->tries >= DELAY_ATTEMPTS &&
		    tell(r, job, it, JOB_TELL_DELAY, ITEM_TOLD_DELAY,
			wants(it, QUEUE_NOTIFY_DELAY, true)))
			return;
	}
	runner_put_off(r, job, it->next_us > next ? it->next_us : next);
}

/* Lines of the item that say in other words that it failed, or that somebody
 * died over it, become such. True: the item has to be read again. */
static bool
add_outcome(struct runner *r, const struct job *job, const struct item *it,
    enum settle_when when)
{
	int64_t now = clock_us(r->q.clock);
	const char *why;
	unsigned most = it->m.attempts ? it->m.attempts : QUEUE_ATTEMPTS;
	bool sent = when != SETTLE_CLAIMED && when != SETTLE_UNSEEN &&
	    job->act == JOB_SEND;

	if (it->state == ITEM_CANCELED)
		append(r, job, "failed", now,
		    "- delivery canceled by administrator");
	else if (it->state == ITEM_TRYING ||
	    (sent && it->state == ITEM_WAITING && it->nattempts == job->seen))
		append(r, job, "lost", now,
		    "- the delivery ended without a result");
	else if (it->state == ITEM_WAITING && it->tries >= most)
		append(r, job, "failed", now,
		    arena_printf(r->arena, "- after %u attempts: %.*s",
			it->tries, SLICE_FMT(it->last.text))
			.p);
	else if (it->state == ITEM_WAITING && when == SETTLE_CLAIMED &&
	    runner_is_suppressed(r, it, &why))
		append(r, job, "failed", now, why);
	else
		return false;
	return true;
}

static void
follow(struct runner *r, struct job *job, const struct item *it,
    enum settle_when when)
{
	if (it->state == ITEM_DELIVERED || it->state == ITEM_FAILED)
		note_result(r, job, it, when);
	switch (it->state) {
	case ITEM_DELIVERED:
		settle_delivered(r, job, it, when);
		break;
	case ITEM_FAILED:
		settle_failed(r, job, it, when);
		break;
	case ITEM_DROPPED:
		finish(r, job, it);
		break;
	default:
		if (when != SETTLE_CLAIMED &&
		    !(when == SETTLE_UNSEEN && it->nattempts == job->seen)) {
			settle_delayed(r, job, it);
			break;
		}
		job->act = JOB_SEND;
		job->seen = it->nattempts;
		runner_enqueue(r, job, it);
	}
}

/* Of an item that was in its envelope: true if that is over. */
static bool
settle_inside(struct runner *r, struct job *job)
{
	struct err e = ERR_INIT;
	int rc = runner_write_inside(r, job, &e);

	if (rc == 0)
		place(r, job, JOB_DONE);
	else if (rc < 0) {
		/* A full disk: it is written when the envelope is dropped. */
		runner_failed("no item now", slice_str(job->name), &e);
		runner_put_off(r, job, clock_us(r->q.clock) + NO_ITEM_US);
	}
	return rc <= 0;
}

void
runner_settle(struct runner *r, struct job *job, enum settle_when when)
{
	struct err e = ERR_INIT;
	struct item it;
	int rc;

	if (job->inside && settle_inside(r, job))
		return;
	rc = item_read(r->dir, job->name, r->arena, &it, &e);
	/* At most two lines are added: lost, and failed by that. */
	for (int i = 0; i < 3 && rc > 0; i++) {
		if (!add_outcome(r, job, &it, when))
			break;
		rc = item_read(r->dir, job->name, r->arena, &it, &e);
	}
	if (rc > 0)
		follow(r, job, &it, when);
	else if (rc == 0)
		place(r, job, JOB_DONE); /* somebody removed it */
	else {
		log_line(QUEUE_TOPIC, LOG_ERROR, "item is held: not readable",
		    LOG_Z("item", job->name), LOG_E(&e));
		runner_hold(r, job);
	}
}

/* ---- now and then ---- */

static void
remove_retired(struct runner *r)
{
	char today[QUEUE_BUCKET];
	struct slice *days;
	size_t n;

	queue_bucket(clock_us(r->q.clock), today);
	if (file_list(r->q.fd, "retired", r->arena, &days, &n, NULL) <= 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (days[i].n == 8 &&
		    slice_cmp(days[i], slice_of(today, 8)) < 0)
			file_remove_tree(r->q.fd,
			    arena_printf(r->arena, "retired/%.*s",
				SLICE_FMT(days[i]))
				.p,
			    NULL);
}

void
runner_hourly(struct runner *r)
{
	int tmp = openat(r->q.fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	remove_retired(r);
	if (tmp >= 0) {
		db_tmp_sweep(tmp, TMP_AGE_S, NULL);
		close(tmp);
	}
}
