/* dispatch - destinations, and the programs that deliver to them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "queue/runner.h"

#define FIRST_LIMIT 2
#define TROUBLES 4 /* then not even one at once is wanted */
#define ROUTE_AGAIN_US (60 * INT64_C(1000000))
#define FULL_AGAIN_US (60 * INT64_C(1000000))

/* ---- lines of jobs ---- */

static struct dest *
dest_of(struct runner *r, struct slice key)
{
	struct dest *d = map_get(r->dests, key);

	if (d)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->key = slice_of(memcpy(xmalloc(key.n + 1), key.p, key.n), key.n);
	d->last = &d->first;
	d->limit = FIRST_LIMIT;
	map_set(r->dests, d->key, d);
	return d;
}

static void
push(struct dest *d, struct job *job)
{
	job->next = NULL;
	*d->last = job;
	d->last = &job->next;
	d->waiting++;
}

static struct job *
pop(struct dest *d)
{
	struct job *job = d->first;

	d->first = job->next;
	if (!d->first)
		d->last = &d->first;
	d->waiting--;
	job->next = NULL;
	return job;
}

/* One destination has no more than half of what is left: there is always room
 * for others, however many are slow. */
static size_t
line_max(const struct runner *r)
{
	size_t half = r->jobs < JOBS_MAX ? (JOBS_MAX - r->jobs) / 2 : 0;

	return half < DEST_JOBS_MIN ? DEST_JOBS_MIN
	    : half < DEST_JOBS_MAX  ? half
				    : DEST_JOBS_MAX;
}

void
runner_enqueue(struct runner *r, struct job *job, const struct item *it)
{
	struct slice key = SLICE("local");
	struct err e = ERR_INIT;
	int64_t now = clock_us(r->q.clock);
	struct dest *d;

	job->state = JOB_OPEN;
	job->requiretls = it->m.requiretls;
	if (job->act == JOB_SEND && runner_route(r, it, &key, &e) < 0) {
		log_line(QUEUE_TOPIC, LOG_ERROR, "no route now",
		    LOG_Z("item", job->name), LOG_E(&e));
		runner_put_off(r, job, now + ROUTE_AGAIN_US);
		return;
	}
	d = dest_of(r, key);
	if (job->act == JOB_SEND && d->waiting >= line_max(r))
		runner_put_off(r, job, now + FULL_AGAIN_US);
	else
		push(d, job);
}

/* ---- workers ---- */

static struct slice
id_of(const struct job *job)
{
	return slice_of(job->name, QUEUE_ID);
}

static int
start_worker(struct runner *r, struct dest *d, struct err *e)
{
	bool local = slice_is(d->key, "local");
	int in[2], out[2], rc;
	struct worker *w;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return err_sys(e, "pipe");
	}
	rc = starter_ask(r->starter, local ? STARTER_LOCAL : STARTER_REMOTE,
	    local ? SLICE_NULL : d->key, in[0], out[1], r->lock.fd, e);
	close(in[0]);
	close(out[1]);
	if (rc < 0) {
		close(in[1]);
		close(out[0]);
		return -1;
	}
	file_nonblock(out[0], true);
	w = xcalloc(1, sizeof(*w));
	*w = (struct worker){ .next = d->workers,
		.dest = d,
		.in = in[1],
		.out = out[0],
		.line = BUF_INIT(2 * WORKER_LINE_MAX) };
	d->workers = w;
	d->nworkers++;
	r->workers++;
	return 0;
}

/* Its end of input; that of its output follows. */
static void
let_end(struct worker *w)
{
	if (w->in >= 0)
		close(w->in);
	w->in = -1;
}

static struct worker *
idle_worker(struct dest *d)
{
	for (struct worker *w = d->workers; w; w = w->next)
		if (!w->group && w->in >= 0)
			return w;
	return NULL;
}

/* One that has nothing to do makes room for another destination. */
static void
make_room(struct runner *r)
{
	struct worker *oldest = NULL, *w;
	struct slice key;
	void *d;

	for (size_t i = 0; map_next(r->dests, &i, &key, &d);) {
		w = ((struct dest *)d)->waiting ? NULL : idle_worker(d);
		if (w && (!oldest || w->idle_ms < oldest->idle_ms))
			oldest = w;
	}
	if (oldest)
		let_end(oldest);
}

/* ---- a group ---- */

static const char *const commands[] = {
	[JOB_SEND] = "send",
	[JOB_TELL_FAILURE] = "dsn failure",
	[JOB_TELL_DELAY] = "dsn delay",
	[JOB_TELL_SUCCESS] = "dsn success",
};

/* May it go with the first of a group? Whether TLS is required may have been
 * said for some recipients anew. */
static bool
goes_with(const struct job *job, const struct job *first)
{
	return job->act == first->act && job->requiretls == first->requiretls;
}

/* The next jobs of one message, which stand one behind the other, into
 * w->group; others of it stay in the line. Their names to the command. */
static void
take_group(struct dest *d, struct worker *w, struct buf *line)
{
	struct job **at = &d->first, **last = &w->group, *first = d->first,
		   *job;

	for (int n = 0; n < GROUP_MAX && (job = *at) &&
	     slice_eq(id_of(job), id_of(first));) {
		if (!goes_with(job, first)) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		if (!*at)
			d->last = at;
		d->waiting--;
		job->next = NULL;
		*last = job;
		last = &job->next;
		buf_addf(line, " %s", job->name);
		n++;
	}
}

static void
give(struct dest *d, struct worker *w)
{
	struct buf line = BUF_INIT(GROUP_MAX * (QUEUE_ITEM_NAME + 1) + 32);
	struct err e = ERR_INIT;

	buf_addz(&line, commands[d->first->act]);
	take_group(d, w, &line);
	buf_addc(&line, '\n');
	/* It has read all before: the pipe has room. That it is gone, its
	 * output tells. */
	if (file_write(w->in, buf_slice(&line), &e) < 0 && errno != EPIPE)
		log_line(QUEUE_TOPIC, LOG_ERROR, "writing to a delivery",
		    LOG_E(&e));
	buf_free(&line);
}

static void
give_idle(struct dest *d)
{
	struct worker *w;

	while (d->waiting && (w = idle_worker(d)))
		give(d, w);
}

/* Give to one more. False: it cannot be started now. */
static bool
give_new(struct runner *r, struct dest *d)
{
	struct err e = ERR_INIT;

	if (start_worker(r, d, &e) < 0) {
		log_line(QUEUE_TOPIC, LOG_ERROR, "no delivery started",
		    LOG_E(&e));
		return false;
	}
	give(d, d->workers);
	return true;
}

/* The last ones are for destinations that have none. */
static void
give_more(struct runner *r, struct dest *d)
{
	while (d->waiting && d->nworkers < d->limit &&
	    r->workers < WORKERS_MAX - WORKERS_FIRST && give_new(r, d))
		;
}

static void
end_idle(struct dest *d, int64_t now_ms)
{
	for (struct worker *w = d->workers; w; w = w->next)
		if (!w->group && now_ms - w->idle_ms >= IDLE_MS)
			let_end(w);
}

static void
forget_dest(struct runner *r, struct dest *d)
{
	map_del(r->dests, d->key);
	free((void *)d->key.p);
	free(d);
}

/* First everybody has one; only when nobody waits for that, some have more. */
void
runner_dispatch(struct runner *r)
{
	int64_t now_ms = clock_mono_ms(NULL);
	size_t without = 0;
	struct slice key;
	void *p;

	for (size_t i = 0; map_next(r->dests, &i, &key, &p);) {
		struct dest *d = p;
		give_idle(d);
		if (d->waiting && !d->nworkers)
			without += r->workers >= WORKERS_MAX || !give_new(r, d);
		end_idle(d, now_ms);
		if (!d->workers && !d->waiting)
			forget_dest(r, d);
	}
	if (without)
		make_room(r);
	else
		for (size_t i = 0; map_next(r->dests, &i, &key, &p);)
			give_more(r, p);
}

/* ---- what they answer ---- */

static void
settle_group(struct runner *r, struct worker *w, enum settle_when when)
{
	struct job *job;

	w->idle_ms = clock_mono_ms(NULL);
	while ((job = w->group)) {
		w->group = job->next;
		runner_settle(r, job, when);
	}
}

/* Those who end after long, or with their connection, may not have seen what
 * they were just given: then others begin with it, at once. */
static enum settle_when
how_it_ended(const struct worker *w)
{
	return w->served && w->group->act == JOB_SEND ? SETTLE_UNSEEN
						      : SETTLE_ENDED;
}

/* The host of the last failure is not there: no need for all others to wait
 * for that, too. They have failed like the one that was tried. */
static void
host_failed(struct runner *r, struct dest *d, const char *tried)
{
	struct err e = ERR_INIT;
	struct item it;
	size_t n = d->waiting;

	if (item_read(r->dir, tried, r->arena, &it, &e) <= 0 ||
	    !slice_is(it.last.result, "delayed"))
		return;
	for (; n; n--) {
		struct job *job = pop(d);
		int fd = -1;
		if (job->act != JOB_SEND) {
			push(d, job);
			continue;
		}
		if ((!job->inside || runner_write_inside(r, job, &e) > 0) &&
		    item_open(r->dir, job->name, &fd, &e) > 0)
			item_append(fd, "delayed", it.last.us, &e, "%.*s %.*s",
			    it.last.host.n ? (int)it.last.host.n : 1,
			    it.last.host.n ? it.last.host.p : "-",
			    SLICE_FMT(it.last.text));
		if (fd >= 0)
			close(fd);
		runner_settle(r, job, SETTLE_READY);
	}
}

/* ---- how many at once ---- */

/* Quickly at first; once that was too much, by one for a success of each. */
static void
grow(struct dest *d)
{
	if (d->limit >= DEST_WORKERS_MAX || (d->cut && ++d->streak < d->limit))
		return;
	d->streak = 0;
	d->limit++;
}

/* Half of them; but not once more for each of those that were too many. */
static void
shrink(struct dest *d, struct worker *w)
{
	if (d->nworkers <= d->limit)
		d->limit = d->limit > 1 ? d->limit / 2 : 1;
	d->cut = true;
	d->streak = 0;
	if (d->nworkers > d->limit)
		let_end(w);
}

/* Is another one at work, with success? */
static bool
others_are_good(const struct dest *d, const struct worker *than)
{
	for (const struct worker *w = d->workers; w; w = w->next)
		if (w != than && w->good && w->in >= 0)
			return true;
	return false;
}

enum answer { ANSWER_READY, ANSWER_BUSY, ANSWER_FAILED, ANSWER_NONE };

static enum answer
answer_of(struct slice line)
{
	return slice_is(line, "ready")            ? ANSWER_READY
	    : slice_is(line, "ready busy")        ? ANSWER_BUSY
	    : slice_is(line, "ready host-failed") ? ANSWER_FAILED
						  : ANSWER_NONE;
}

static void
take_line(struct runner *r, struct worker *w, struct slice line)
{
	char tried[QUEUE_ITEM_NAME] = "";
	enum answer answer = answer_of(line);
	struct dest *d = w->dest;

	if (answer == ANSWER_NONE)
		return; /* the item says it, too */
	/* A host that does not want so many refuses some, or is silent. One
	 * that does not even want one is as good as down. */
	if (answer == ANSWER_FAILED && others_are_good(d, w))
		answer = ANSWER_BUSY;
	d->troubles = answer == ANSWER_READY ? 0 : d->troubles + 1;
	if (answer == ANSWER_BUSY && d->limit == 1 && d->troubles >= TROUBLES)
		answer = ANSWER_FAILED;
	w->served = true;
	w->good = answer == ANSWER_READY;
	if (w->group)
		memcpy(tried, w->group->name, sizeof(tried));
	/* Of envelopes and items nothing goes before the end of the round, so
	 * that what was tried can still be read. */
	if (answer == ANSWER_READY)
		grow(d);
	else
		shrink(d, w);
	if (answer == ANSWER_FAILED && *tried)
		host_failed(r, d, tried);
	settle_group(r, w, SETTLE_READY);
}

static void
worker_ended(struct runner *r, struct worker *w)
{
	struct worker **at = &w->dest->workers;

	if (w->group)
		settle_group(r, w, how_it_ended(w));
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	w->dest->nworkers--;
	r->workers--;
	let_end(w);
	close(w->out);
	buf_free(&w->line);
	free(w);
}

void
runner_worker_ready(struct runner *r, struct worker *w)
{
	char bytes[WORKER_LINE_MAX];
	struct slice line, rest;
	ssize_t n = read(w->out, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		worker_ended(r, w);
		return;
	}
	buf_add(&w->line, slice_of(bytes, (size_t)n));
	while (slice_cut(buf_slice(&w->line), '\n', &line, &rest)) {
		size_t used = line.n + 1;
		take_line(r, w, line);
		buf_consume(&w->line, used);
	}
	if (w->line.n >= WORKER_LINE_MAX)
		buf_reset(&w->line); /* too long to be one of ours */
}
