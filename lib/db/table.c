/*
 * table.c - keyed table over a pair. See table.h.
 *
 * State: the CDB, and a map of the keys changed since with their values.
 */
#include "db/table.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "db/escape.h"
#include "db/pair.h"

/* In the map of the tail: the value of a key; deleted ones hide the CDB's. */
struct entry {
	struct slice value;
	bool deleted;
};

struct db_table {
	struct db_pair pair;
	struct map *tail;    /* key -> struct entry in arena */
	struct arena *arena; /* until the next reset; bounded by the log */
	struct map *changes; /* of the open transaction, in its arena */
	struct arena *transaction;
	bool bad_key; /* a put had a key that cannot be */
};

/* ---- state: reset, line, build ---- */

static int
table_reset(void *arg, const struct db_cdb *next, struct err *e)
{
	struct db_table *t = arg;

	(void)next;
	(void)e;
	map_free(&t->tail);
	t->tail = map_new();
	arena_reset(t->arena);
	return 0;
}

static void
change(struct map *map, struct arena *arena, struct slice key,
    struct slice value, bool deleted)
{
	struct entry *entry = arena_alloc(arena, sizeof(*entry));

	entry->value = arena_dup(arena, value);
	entry->deleted = deleted;
	map_set(map, key, entry);
}

/* `set KEY VALUE` or `del KEY`; anything else is of a later version. */
static int
table_line(void *arg, struct slice payload, uint64_t unit_end, struct err *e)
{
	struct db_table *t = arg;
	struct slice verb, key, value;
	struct buf raw = BUF_INIT(DB_UNIT_MAX);
	size_t key_n;

	(void)unit_end;
	(void)e;
	slice_cut(payload, ' ', &verb, &payload);
	slice_cut(payload, ' ', &key, &value);
	if (db_unescape(&raw, key)) {
		key_n = raw.n;
		if (slice_is(verb, "set") && db_unescape(&raw, value))
			change(t->tail, t->arena,
			    slice_head(buf_slice(&raw), key_n),
			    slice_skip(buf_slice(&raw), key_n), false);
		else if (slice_is(verb, "del"))
			change(t->tail, t->arena, buf_slice(&raw), SLICE_NULL,
			    true);
	}
	buf_free(&raw);
	return 0;
}

static int
table_build(void *arg, struct db_cdb_make *m, struct err *e)
{
	struct db_table *t = arg;
	struct db_table_iter it = DB_TABLE_ITER;
	struct slice key, value;

	(void)e;
	while (db_table_next(t, &it, &key, &value))
		db_cdb_make_add(m, key, value);
	return 0;
}

static const struct db_pair_ops table_ops = {
	.magic = "mox-table 1",
	.reset = table_reset,
	.line = table_line,
	.build = table_build,
};

/* ---- open ---- */

/* Open, making or discarding as need be. Two tries suffice but for races. */
static int
open_pair(struct db_table *t, int dirfd, const char *name, mode_t mode,
    struct err *e)
{
	int rc = -1;

	for (int i = 0; i < 4; i++) {
		rc =
		    db_pair_open(&t->pair, dirfd, name, mode, &table_ops, t, e);
		if (rc == 1)
			return 0;
		if (rc < 0 &&
		    (e->kind != ERR_SYNTAX ||
			db_pair_discard(dirfd, name, e) != 0))
			return -1;
		if (db_pair_create(dirfd, name, mode, &table_ops, NULL, 0, e) <
		    0)
			return -1;
	}
	return err_set(e, ERR_TEMP, "%s: changes all the time", name);
}

int
db_table_open(struct db_table **t_r, int dirfd, const char *name, mode_t mode,
    struct err *e)
{
	struct db_table *t = xcalloc(1, sizeof(*t));
	struct err own = ERR_INIT;

	t->arena = arena_new(0);
	t->transaction = arena_new(0);
	if (open_pair(t, dirfd, name, mode, e != NULL ? e : &own) != 0) {
		db_table_close(&t);
		return -1;
	}
	*t_r = t;
	return 0;
}

void
db_table_close(struct db_table **tp)
{
	struct db_table *t = *tp;

	if (t == NULL)
		return;
	db_pair_close(&t->pair);
	map_free(&t->tail);
	map_free(&t->changes);
	arena_free(&t->arena);
	arena_free(&t->transaction);
	free(t);
	*tp = NULL;
}

/* ---- look ---- */

int
db_table_refresh(struct db_table *t, struct err *e)
{
	return db_pair_refresh(&t->pair, e) < 0 ? -1 : 0;
}

int
db_table_get(struct db_table *t, struct slice key, struct slice *value_r,
    struct err *e)
{
	const struct entry *entry = NULL;

	if (t->changes != NULL)
		entry = map_get(t->changes, key);
	if (entry == NULL)
		entry = map_get(t->tail, key);
	if (entry == NULL)
		return db_cdb_get(t->pair.cdb, key, value_r, e);
	*value_r = entry->value;
	return !entry->deleted;
}

bool
db_table_next(const struct db_table *t, struct db_table_iter *it,
    struct slice *key_r, struct slice *value_r)
{
	void *entry;

	while (!it->tail) {
		it->tail = !db_cdb_next(t->pair.cdb, &it->pos, key_r, value_r);
		if (!it->tail && key_r->p[0] != '\0' &&
		    !map_has(t->tail, *key_r))
			return true;
	}
	while (map_next(t->tail, &it->i, key_r, &entry)) {
		*value_r = ((struct entry *)entry)->value;
		if (!((struct entry *)entry)->deleted)
			return true;
	}
	return false;
}

/* ---- change ---- */

int
db_table_begin(struct db_table *t, struct err *e)
{
	if (db_pair_lock(&t->pair, DB_LOCK_MS, e) != 0)
		return -1;
	t->changes = map_new();
	t->bad_key = false;
	return 0;
}

void
db_table_cancel(struct db_table *t)
{
	db_pair_unlock(&t->pair);
	map_free(&t->changes);
	arena_reset(t->transaction);
}

static void
put(struct db_table *t, struct slice key, struct slice value, bool deleted)
{
	if (key.n == 0 || key.n > DB_KEY_MAX || key.p[0] == '\0')
		t->bad_key = true;
	else
		change(t->changes, t->transaction, key, value, deleted);
}

void
db_table_put(struct db_table *t, struct slice key, struct slice value)
{
	put(t, key, value, false);
}

void
db_table_delete(struct db_table *t, struct slice key)
{
	put(t, key, SLICE_NULL, true);
}

static int
append(struct db_table *t, struct err *e)
{
	size_t n = 0, i = 0, *ends;
	struct buf text = BUF_INIT(DB_UNIT_MAX);
	struct slice key, *lines;
	void *value;
	int rc = -1;

	ends =
	    arena_array(t->transaction, map_count(t->changes), sizeof(*ends));
	lines =
	    arena_array(t->transaction, map_count(t->changes), sizeof(*lines));
	while (map_next(t->changes, &i, &key, &value)) {
		const struct entry *entry = value;

		buf_addz(&text, entry->deleted ? "del " : "set ");
		db_escape(&text, key);
		if (!entry->deleted) {
			buf_addc(&text, ' ');
			db_escape(&text, entry->value);
		}
		ends[n++] = text.n;
	}
	for (size_t k = 0; k < n; k++)
		lines[k] =
		    slice_sub(buf_slice(&text), k ? ends[k - 1] : 0, ends[k]);
	if (text.over)
		err_set(e, ERR_LIMIT, "table: too much in one transaction");
	else
		rc = db_pair_append(&t->pair, lines, n, e);
	buf_free(&text);
	return rc;
}

int
db_table_commit(struct db_table *t, struct err *e)
{
	int rc;

	if (t->bad_key)
		rc = err_set(e, ERR_LIMIT, "table: key empty or too long");
	else
		rc = append(t, e);
	db_table_cancel(t);
	return rc;
}

int
db_table_tidy(struct db_table *t, struct err *e)
{
	if (!db_pair_due(&t->pair))
		return 0;
	return db_pair_fold(&t->pair, e) < 0 ? -1 : 0;
}
