/*
 * history_fold - lists as they stand in CDB and log, and all of them into a
 * new CDB, without what nobody will look at again.
 */
#include <string.h>

#include "store/history_int.h"

#define DAY_S 86400
#define UNJUDGED_S (60 * DAY_S) /* who judges does so by then */
/* For choosing among too many lists: days since the newest entry, and a year
 * on top if no user cared. */
#define RANKS (3 * 365 + 365 + 2)

/* ---- one list ---- */

static bool
parse_entry(struct slice line, struct history_entry *entry_r)
{
	struct slice time, id, verdict, local;
	uint64_t number;
	uint32_t v;

	if (!slice_cut(line, ' ', &time, &line) ||
	    !slice_cut(line, ' ', &id, &line) ||
	    !slice_cut(line, ' ', &verdict, &local) ||
	    !slice_i64(time, &entry_r->received) || id.n != STORE_EMAILID ||
	    !slice_u32(verdict, &v) || v > HISTORY_NOTJUNK ||
	    !slice_hex64(local, &number))
		return false;
	memcpy(entry_r->emailid, id.p, STORE_EMAILID);
	entry_r->verdict = (enum history_verdict)v;
	entry_r->local = (uint32_t)number;
	return true;
}

/* Entries taken so far, and what may still be taken. */
struct taking {
	const struct history *h;
	const struct history_limits *limits;
	int64_t now_s;
	struct history_entry *v;
	size_t n, judged;
};

static void
take(struct taking *t, struct history_entry entry)
{
	const void *verdict =
	    map_get(t->h->verdicts, slice_of(entry.emailid, STORE_EMAILID));
	int64_t age_s = t->now_s - entry.received;
	bool judged;

	if (verdict)
		entry.verdict = (enum history_verdict)((uintptr_t)verdict - 1);
	judged = entry.verdict != HISTORY_UNJUDGED;
	if (age_s > t->limits->age_s || (!judged && age_s > UNJUDGED_S) ||
	    (judged ? t->judged : t->n - t->judged) >= t->limits->n)
		return;
	t->judged += judged;
	t->v[t->n++] = entry;
}

int
history_merge(const struct history *h, struct slice key, enum history_kind kind,
    struct arena *arena, struct history_entry **v_r, size_t *n_r, struct err *e)
{
	const struct history_tail *tail = map_get(h->tails, key);
	struct taking t = { .h = h,
		.limits = &history_limits[kind],
		.now_s = clock_s(h->env->clock) };
	struct history_entry entry;
	struct slice old = SLICE_NULL, line;

	t.v = arena_array(arena, 2 * t.limits->n, sizeof(*t.v));
	for (size_t i = tail ? tail->n : 0; i-- > 0;)
		take(&t, tail->v[i]);
	if (db_cdb_get(h->pair.cdb, key, &old, e) < 0)
		return -1;
	while (slice_next(&old, '\n', &line))
		if (parse_entry(line, &entry))
			take(&t, entry);
	*v_r = t.v;
	*n_r = t.n;
	return 0;
}

/* ---- all of them ---- */

typedef void list_fn(void *ctx, struct slice key, const struct history_entry *v,
    size_t n);

static int
call(const struct history *h, struct slice key, struct arena *arena,
    list_fn *fn, void *ctx, struct err *e)
{
	struct history_entry *v;
	enum history_kind kind;
	size_t n;

	if (!history_key_kind(key, &kind))
		return 0;
	arena_reset(arena);
	if (history_merge(h, key, kind, arena, &v, &n, e) < 0)
		return -1;
	if (n > 0)
		fn(ctx, key, v, n);
	return 0;
}

static int
each_list(const struct history *h, list_fn *fn, void *ctx, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct slice key, value;
	unsigned pos = 0;
	size_t i = 0;
	void *tail;
	int rc = 0;

	while (rc == 0 && db_cdb_next(h->pair.cdb, &pos, &key, &value))
		rc = call(h, key, arena, fn, ctx, e);
	while (rc == 0 && map_next(h->tails, &i, &key, &tail))
		if (db_cdb_get(h->pair.cdb, key, &value, NULL) != 1)
			rc = call(h, key, arena, fn, ctx, e);
	arena_free(&arena);
	return rc;
}

/* ---- which stay ---- */

struct building {
	struct db_cdb_make *make;
	int64_t now_s;
	size_t lists, counts[RANKS];
	size_t max_rank; /* lists of a higher one go */
};

static size_t
rank_of(const struct building *b, const struct history_entry *v, size_t n)
{
	int64_t days = (b->now_s - v[0].received) / DAY_S;
	bool judged = false;

	for (size_t i = 0; i < n; i++)
		judged |= v[i].verdict != HISTORY_UNJUDGED;
	if (days < 0)
		days = 0;
	days += judged ? 0 : 365;
	return days < RANKS ? (size_t)days : RANKS - 1;
}

static void
count(void *ctx, struct slice key, const struct history_entry *v, size_t n)
{
	struct building *b = ctx;

	(void)key;
	b->lists++;
	b->counts[rank_of(b, v, n)]++;
}

/* Then there is room for a while; a single day may be too much, though: of
 * that, none stays. */
static void
choose(struct building *b)
{
	size_t sum = 0, rank = 0;

	b->max_rank = RANKS;
	if (b->lists <= HISTORY_KEYS_MAX)
		return;
	while (rank < RANKS &&
	    sum + b->counts[rank] <= HISTORY_KEYS_MAX / 4 * 3)
		sum += b->counts[rank++];
	b->max_rank = rank;
}

static void
write_list(void *ctx, struct slice key, const struct history_entry *v, size_t n)
{
	struct building *b = ctx;
	struct buf text = BUF_INIT(SIZE_MAX);

	if (rank_of(b, v, n) >= b->max_rank)
		return;
	history_entries_write(&text, v, n);
	db_cdb_make_add(b->make, key, buf_slice(&text));
	buf_free(&text);
}

/* ---- lines of messages ---- */

static void
write_facts(const struct history *h, struct db_cdb_make *m, struct slice key,
    struct slice value)
{
	struct slice number, rest;
	uint64_t n;

	slice_cut(value, ' ', &number, &rest);
	if (slice_u64(number, &n) && n + HISTORY_FACTS_MAX > h->last)
		db_cdb_make_add(m, key, value);
}

static void
write_messages(const struct history *h, struct db_cdb_make *m)
{
	struct slice key, value;
	unsigned pos = 0;
	size_t i = 0;
	void *facts;

	while (db_cdb_next(h->pair.cdb, &pos, &key, &value))
		if (slice_starts(key, SLICE("m ")) && !map_has(h->facts, key))
			write_facts(h, m, key, value);
	while (map_next(h->facts, &i, &key, &facts))
		write_facts(h, m, key, *(struct slice *)facts);
}

int
history_build(void *arg, struct db_cdb_make *m, struct err *e)
{
	struct history *h = arg;
	struct building b = { .make = m, .now_s = clock_s(h->env->clock) };
	struct buf last = BUF_INIT(32);

	history_index(h);
	buf_addu(&last, h->last);
	db_cdb_make_add(m, SLICE("last"), buf_slice(&last));
	buf_free(&last);
	write_messages(h, m);
	if (each_list(h, count, &b, e) < 0)
		return -1;
	choose(&b);
	return each_list(h, write_list, &b, e);
}
