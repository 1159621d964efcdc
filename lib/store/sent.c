/* sent - whom an account has written to, and how much lately. */
#include "store/sent.h"

#include <stdlib.h>

#include "db/table.h"
#include "store/store_int.h"

#define HOUR_S 3600
#define HOURS 24 /* counted by the hour: the oldest one is left out */

struct sent {
	struct db_table *table;
	const struct clock *clock;
};

struct sent *
sent_open(struct store *store, struct err *e)
{
	struct sent *s = xcalloc(1, sizeof(*s));

	s->clock = store->env->clock;
	if (db_table_open(&s->table, store->fd, "sent", store->env->file_mode,
		e) < 0)
		sent_close(&s);
	return s;
}

void
sent_close(struct sent **s)
{
	if (!*s)
		return;
	db_table_close(&(*s)->table);
	free(*s);
	*s = NULL;
}

void
sent_tidy(struct sent *s)
{
	db_table_tidy(s->table, NULL);
}

/* ---- values: two numbers ---- */

struct numbers {
	int64_t a, b;
};

static bool
get(struct sent *s, struct slice key, struct numbers *v_r)
{
	struct slice value, a, b;

	*v_r = (struct numbers){ 0, 0 };
	return db_table_get(s->table, key, &value, NULL) == 1 &&
	    slice_cut(value, ' ', &a, &b) && slice_i64(a, &v_r->a) &&
	    slice_i64(b, &v_r->b);
}

static void
put(struct sent *s, struct arena *arena, struct slice key, struct numbers v)
{
	db_table_put(s->table, key,
	    arena_printf(arena, "%lld %lld", (long long)v.a, (long long)v.b));
}

static struct slice
hour_key(struct arena *arena, int64_t hour)
{
	return arena_printf(arena, "h %lld", (long long)hour);
}

/* Case does not tell people apart. */
static struct slice
address_key(struct arena *arena, struct slice address)
{
	struct slice key = arena_printf(arena, "r %.*s", SLICE_FMT(address));

	for (size_t i = 2; i < key.n; i++)
		if (key.p[i] >= 'A' && key.p[i] <= 'Z')
			((char *)key.p)[i] += 'a' - 'A';
	return key;
}

/* ---- counting ---- */

static struct numbers
last_day(struct sent *s, struct arena *arena, int64_t hour)
{
	struct numbers sum = { 0, 0 }, one;

	for (int64_t h = hour - HOURS + 1; h <= hour; h++)
		if (get(s, hour_key(arena, h), &one)) {
			sum.a += one.a;
			sum.b += one.b;
		}
	return sum;
}

/* Whoever is named for the first time, in the open transaction. */
static int64_t
remember(struct sent *s, struct arena *arena, const struct slice *rcpts,
    size_t n, int64_t now)
{
	int64_t fresh = 0;
	struct numbers v;

	for (size_t i = 0; i < n; i++) {
		struct slice key = address_key(arena, rcpts[i]);
		if (!get(s, key, &v)) {
			v.a = now;
			fresh++;
		}
		v.b = now;
		put(s, arena, key, v);
	}
	return fresh;
}

static enum sent_code
take(struct sent *s, struct arena *arena, const struct slice *rcpts, size_t n,
    const struct sent_limits *limits)
{
	int64_t now = clock_s(s->clock), hour = now / HOUR_S;
	struct numbers day = last_day(s, arena, hour), this_hour;
	int64_t fresh = remember(s, arena, rcpts, n, now);

	if (day.a + (int64_t)n > limits->messages)
		return SENT_MESSAGES;
	if (fresh && day.b + fresh > limits->first_time)
		return SENT_FIRST_TIME;
	get(s, hour_key(arena, hour), &this_hour);
	this_hour.a += (int64_t)n;
	this_hour.b += fresh;
	put(s, arena, hour_key(arena, hour), this_hour);
	/* What no look-up will ask for again. */
	for (int64_t h = hour - 2 * HOURS; h < hour - HOURS; h++)
		if (get(s, hour_key(arena, h), &this_hour))
			db_table_delete(s->table, hour_key(arena, h));
	return SENT_OK;
}

enum sent_code
sent_take(struct sent *s, const struct slice *rcpts, size_t n,
    const struct sent_limits *limits, struct err *e)
{
	struct arena *arena = arena_new(0);
	enum sent_code code = SENT_FAILED;

	if (db_table_begin(s->table, e) == 0) {
		code = take(s, arena, rcpts, n, limits);
		if (code != SENT_OK)
			db_table_cancel(s->table);
		else if (db_table_commit(s->table, e) < 0)
			code = SENT_FAILED;
	}
	arena_free(&arena);
	return code;
}

int64_t
sent_last(struct sent *s, struct slice address)
{
	struct arena *arena = arena_new(0);
	struct numbers v = { 0, 0 };

	db_table_refresh(s->table, NULL);
	get(s, address_key(arena, address), &v);
	arena_free(&arena);
	return v.b;
}
