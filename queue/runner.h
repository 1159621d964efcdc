/*
 * runner - what mox-queued knows: claimed items, where they go, and the
 * programs that deliver them. README says what is on disk meanwhile.
 *
 *	todo/, due/  --claim.c-->  jobs  --dispatch.c-->  mox-remote, mox-local
 *	                                                        |
 *	due/, hold/, retired/, nothing  <--settle.c--  ready ---+
 *
 * One process, jailed to the queue's folders; programs are started by the
 * starter (starter.h). Memory is bounded by JOBS_MAX, not by the queue.
 */
#ifndef QUEUE_RUNNER_H
#define QUEUE_RUNNER_H

#include "base/map.h"
#include "config/lookup.h"
#include "db/lock.h"
#include "db/watch.h"
#include "queue/item.h"
#include "queue/starter.h"
#include "queue/suppress.h"

#define JOBS_MAX 20000     /* items claimed at once; 200 bytes each */
#define CLAIM_MAX 1000     /* in one round: then deliveries are started */
#define DEST_JOBS_MAX 8000 /* of one destination: others wait in due/ */
#define DEST_JOBS_MIN 50   /* ... even when there is little room */
#define POLL_MS 5000       /* without a poke, folders are looked at */
#define WORKERS_MAX 40
#define WORKERS_FIRST 10 /* of these, kept for destinations that have none */
#define DEST_WORKERS_MAX 10
#define GROUP_MAX 1000    /* recipients in one `send` line */
#define MTIME_S 2         /* an mtime older than that has settled */
#define IDLE_MS 3000      /* a connection is kept for the next message */
#define ENVELOPE_MS 30000 /* then its items are made durable, done or not */
#define WORKER_LINE_MAX 4096

enum job_state {
	JOB_OPEN, /* waits for a worker, or is with one */
	JOB_DONE, /* over; its files go with the envelope */
	JOB_STAY, /* moves to `bucket` once the envelope is dropped */
};
/* What a worker is asked to do with it. */
enum job_act { JOB_SEND, JOB_TELL_FAILURE, JOB_TELL_DELAY, JOB_TELL_SUCCESS };

/* An item in active/. */
struct job {
	struct job *next; /* in the line of its destination, or its group */
	struct envelope *envelope; /* NULL: the item stands by itself */
	enum job_state state;
	enum job_act act;
	bool linked; /* has its link in msg/ */
	bool inside; /* has no file: it is in its envelope, as the only one */
	enum queue_tls requiretls; /* groups have one */
	size_t seen;               /* attempts before this one */
	int64_t keep_us;           /* DONE: retired until then, 0: removed */
	char bucket[QUEUE_BUCKET]; /* STAY: of due/; "hold" */
	char name[QUEUE_ITEM_NAME];
};

/* An envelope in active/: nothing of it needs to be durable yet. */
struct envelope {
	struct envelope *next, *prev;
	struct job **jobs;
	size_t n, open; /* jobs; those not done */
	int64_t since_ms;
	bool drop; /* at the end of this round: it is in the other list */
	char id[QUEUE_ID + 1];
};

struct worker {
	struct worker *next;
	struct dest *dest;
	int in, out;       /* its stdin and stdout */
	struct job *group; /* what it is at; NULL: idle */
	bool served;       /* it was ready once */
	bool good;         /* ... the last time without complaint */
	struct buf line;   /* begun on stdout */
	int64_t idle_ms;   /* since when */
};

/* Where a group of messages goes: one program with the same arguments. */
struct dest {
	struct slice key; /* malloced: "local", "transport NAME", "mx DOMAIN" */
	struct job *first, **last;
	size_t waiting;
	struct worker *workers;
	unsigned nworkers;
	unsigned limit;    /* of workers: grows as deliveries succeed */
	bool cut;          /* it was less than it had been: from then on it */
	unsigned streak;   /* grows once in so many successes */
	unsigned troubles; /* one after the other, of all workers */
};

struct runner {
	struct queue q;
	const struct config *config;
	struct lookup *lookup;
	int starter; /* socket to the starter */
	bool localserve;
	char name[128]; /* HOST.RANDOM, below active/ */
	int dir;        /* that folder */
	int todo, active;
	struct db_lock lock;
	struct db_watch watch;
	struct map *dests;
	struct suppress *suppress;
	struct envelope *envelopes, *oldest; /* a list, the newest first */
	struct envelope *dropping;           /* another: those marked */
	size_t jobs;
	unsigned workers;
	size_t budget; /* items that this round may still claim */
	bool more; /* claims were cut short: look again when there is room */
	bool anew; /* a sync has failed: items are written anew before one */
	int64_t next_due_us; /* the earliest bucket of the future */
	struct stat
	    due_seen; /* due/, when that was found out; no inode: anew */
	bool due_cut; /* not all of what was due was claimed then */
	int64_t look_ms, recover_ms, hourly_ms; /* when next */
	int64_t recover_every_ms;
	struct arena *arena; /* of one step */
};

/* Open the folders, make our own. 0, or -1 with e. */
int runner_open(struct runner *r, struct err *e);
/* Until SIGTERM or SIGINT come as bytes from signals, or the starter is gone.
 * What is not finished is recovered by whoever comes next. */
void runner_run(struct runner *r, int signals);

/* ---- claim.c ---- */

/* Take up what is new and what is due, as far as there is room. all: look at
 * every bucket, though due/ seems to be as it was. */
void runner_claim(struct runner *r, bool all);
/* Names of items, or of envelopes, in a folder, sorted: the oldest first. At
 * most max of them; then *more_r is set, which else is left alone. */
struct slice *runner_names(int at, const char *path, bool items, size_t max,
    struct arena *arena, size_t *n_r, bool *more_r);

/* ---- recover.c ---- */

/* Items of runners that are no more, to due/now. */
void runner_recover(struct runner *r);

/* ---- envelope.c ---- */

/* Read a claimed envelope. One that is none is held, where an administrator
 * sees it, and stands in nobody's way. 1, 0 it is gone, -1. */
int runner_read_envelope(struct runner *r, int dir, struct slice id,
    struct item *it, struct err *e);
/* msg/NN/ID.N for an item of an envelope in dir, unless it is there. */
int runner_link_message(struct runner *r, int dir, const char *envelope,
    struct slice item, struct err *e);
/* Write the item of recipient n, from 1, and link the message, unless that is
 * done already. Not synced. */
int runner_write_item(struct runner *r, int dir, const char *envelope,
    const struct item *it, unsigned n, struct slice *name_r, struct err *e);
/* Write the item of a job that is in its envelope. 1, 0 the envelope is gone:
 * delivered; -1. */
int runner_write_inside(struct runner *r, struct job *job, struct err *e);
/* Copy an item, synced: after a sync that failed the next one may say that all
 * is well though nothing was written. Nobody may have the item open. 1, 0 it is
 * gone, -1. */
int runner_renew_item(int dir, const char *name, struct err *e);
/* With room for n jobs; in the list. */
struct envelope *runner_new_envelope(struct runner *r, struct slice id,
    size_t n);
/* An item has to stay, or all are done: it goes at the end of this round. */
void runner_mark_envelope(struct runner *r, struct envelope *env);
/* Make durable what stays of envelopes that are marked or too old, and forget
 * them: their items stand by themselves. */
void runner_drop_envelopes(struct runner *r);
/* Log an error about a file. */
void runner_failed(const char *what, struct slice name, const struct err *e);

/* ---- settle.c ---- */

/* Why runner_settle is called. */
enum settle_when {
	SETTLE_CLAIMED, /* the item was just claimed */
	SETTLE_READY,   /* a worker is done with it */
	SETTLE_ENDED,   /* its worker ended instead */
	SETTLE_UNSEEN,  /* ... or had ended before it got it */
};

/*
 * Look at a job's item and do what follows: into the line of a destination,
 * or to where it belongs, and the job is forgotten.
 */
void runner_settle(struct runner *r, struct job *job, enum settle_when when);
/* Is nothing sent to this address any more? Then settling the item makes it
 * fail. *why_r (NULL: no matter) is what it says, in r->arena. */
bool runner_is_suppressed(struct runner *r, const struct item *it,
    const char **why_r);
/* Put the item into due/ for a time, into hold/. The job is forgotten, at the
 * latest when its envelope is. */
void runner_put_off(struct runner *r, struct job *job, int64_t us);
void runner_hold(struct runner *r, struct job *job);
/* The files of a job that is JOB_DONE or JOB_STAY, and the job itself. */
void runner_place(struct runner *r, struct job *job);
/* Remove what was retired long enough, empty buckets, old temporary files. */
void runner_hourly(struct runner *r);

/* ---- dispatch.c ---- */

/* A job into the line of its destination, by its act and its routes. */
void runner_enqueue(struct runner *r, struct job *job, const struct item *it);
/* Give waiting jobs to workers, start and end workers. */
void runner_dispatch(struct runner *r);
/* A worker wrote something, or ended. */
void runner_worker_ready(struct runner *r, struct worker *w);

/* ---- route.c ---- */

/*
 * Where does the message go next: key as in struct dest. 0, or -1 with e when
 * that cannot be told now (domains.cdb).
 */
int runner_route(struct runner *r, const struct item *it, struct slice *key_r,
    struct err *e);

#endif
