/*
 * queue_tool - what the commands of mox-queue share: which items are meant,
 * and going through them.
 *
 * Everything is done with the files of the queue, by renames, as an
 * administrator could with mv (queue/README). Items that somebody else moved
 * meanwhile are left alone.
 */
#ifndef TOOLS_QUEUE_TOOL_H
#define TOOLS_QUEUE_TOOL_H

#include "config/config.h"
#include "queue/holdrules.h"
#include "queue/suppress.h"
#include "text/json_write.h"

enum queue_place {
	PLACE_DUE,
	PLACE_HOLD,
	PLACE_ACTIVE, /* a runner has it */
	PLACE_TODO,   /* no runner has seen it yet */
	PLACE_RETIRED,
};

/* A recipient of a message, wherever it is. */
struct queue_entry {
	char name[QUEUE_ITEM_NAME]; /* ID.N; in todo/: ID */
	enum queue_place place;
	const char *folder; /* below queue/: "due/20261130T1504Z" */
	int64_t next_us;    /* of its bucket, 0: now; of a held item */
};

/* ---- queue_filter.c ---- */

/* As options say them; NULL: does not matter. */
struct queue_filter_text {
	const char *ids, *account, *from, *to, *submitted, *nextattempt,
	    *lastactivity, *hold, *transport, *result;
	long n;
};

enum queue_side { SIDE_ANY, SIDE_BEFORE, SIDE_AFTER };

struct queue_time_filter {
	enum queue_side side;
	int64_t us;
};

struct queue_filter {
	struct slice *ids; /* each ID or ID.N */
	size_t nids;
	const char *account, *from, *to, *transport;
	struct queue_time_filter submitted, nextattempt, lastactivity;
	int hold, success;     /* -1: does not matter, else bool */
	long n;                /* most entries; 0: all */
	struct holdrule *rule; /* what it would hold; NULL: no matter */
};

/* 0, or -1 with e: which option must be what. */
int queue_filter_parse(const struct queue_filter_text *text, int64_t now_us,
    struct arena *arena, struct queue_filter *f_r, struct err *e);
/* What the name says; what the place says, before a file is opened; what its
 * text rules out, before it is parsed; the rest. */
bool queue_filter_name(const struct queue_filter *f, struct slice name);
bool queue_filter_entry(const struct queue_filter *f,
    const struct queue_entry *entry);
bool queue_filter_raw(const struct queue_filter *f, struct slice text);
bool queue_filter_item(const struct queue_filter *f,
    const struct queue_entry *entry, const struct item *it);

/* ---- queue_walk.c ---- */

struct queue_tool {
	struct config *config;
	struct queue q;
	int64_t now_us;
	struct arena *arena; /* as long as the program */
	struct arena *step;  /* of one entry; reset after each */
	char *text;          /* of the item just read */
	struct queue_filter filter;
	const char *sort; /* "nextattempt", "queued" or "lastactivity" */
	bool ascending;
	size_t kept; /* entries in memory, and as many again; 0: enough */
	bool failed; /* something could not be read; the rest was done */
};

/* Print "mox-queue: text" and remember that it failed. */
void queue_tool_complain(struct queue_tool *t, const struct err *e);

/* When the next attempt is: 0 for now. */
int64_t queue_entry_next_us(const struct queue_entry *entry,
    const struct item *it);

/* 1 it counts (for the limit of the filter), 0 it does not, -1 stop. */
typedef int queue_entry_fn(void *ctx, const struct queue_entry *entry,
    const struct item *it);
/*
 * Call fn for what the filter means, in its order. places: bits 1 << PLACE_*.
 * In todo/ each recipient of an envelope is an entry of its own.
 */
int queue_walk(struct queue_tool *t, unsigned places, queue_entry_fn *fn,
    void *ctx, struct err *e);

/* ---- commands: exit codes ---- */

int queue_list(struct queue_tool *t, bool json);
int queue_list_retired(struct queue_tool *t, bool json);
int queue_print_retired(struct queue_tool *t, const char *id);
int queue_dump(struct queue_tool *t, const char *id);

int queue_hold(struct queue_tool *t);
int queue_unhold(struct queue_tool *t);
int queue_schedule(struct queue_tool *t, const char *duration, bool from_now);
int queue_transport(struct queue_tool *t, const char *transport);
int queue_requiretls(struct queue_tool *t, const char *value);
int queue_fail(struct queue_tool *t);
int queue_drop(struct queue_tool *t);
/* How many were put into hold/, without a word. */
size_t queue_hold_quietly(struct queue_tool *t);
/* The same for messages that are to fail, as queue_fail does. */
size_t queue_fail_quietly(struct queue_tool *t);

int queue_holdrules_list(struct queue_tool *t, bool json);
int queue_holdrules_add(struct queue_tool *t, const char *account,
    const char *sender, const char *recipient);
int queue_holdrules_remove(struct queue_tool *t, const char *id);

/* account NULL or empty: of all. */
int queue_suppress_list(struct queue_tool *t, const char *account, bool json);
int queue_suppress_lookup(struct queue_tool *t, const char *account,
    const char *address, bool json);
int queue_suppress_add(struct queue_tool *t, const char *account,
    const char *address);
int queue_suppress_remove(struct queue_tool *t, const char *account,
    const char *address);

#endif
