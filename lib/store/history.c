/*
 * history - the state of the pair: what the CDB has, and what its log adds.
 *
 * Lines, after lib/db's checksums:
 *
 *	add NUMBER FACTS          a message; numbers count up
 *	judge EMAILID VERDICT     0 none, 1 junk, 2 not junk
 */
#include "store/history.h"

#include <stdlib.h>
#include <string.h>

#include "store/history_int.h"

#define LINE_SIZE (64 * 1024) /* all fields, every byte escaped */

/* ---- state ---- */

static int
reset(void *arg, const struct db_cdb *next, struct err *e)
{
	struct history *h = arg;
	struct slice value = SLICE_NULL;

	map_free(&h->tails);
	map_free(&h->facts);
	map_free(&h->verdicts);
	h->tails = map_new();
	h->facts = map_new();
	h->verdicts = map_new();
	arena_reset(h->arena);
	h->lines = NULL;
	h->n = h->indexed = 0;
	h->last = 0;
	if (db_cdb_get(next, SLICE("last"), &value, e) < 0)
		return -1;
	slice_u64(value, &h->last);
	return 0;
}

static void
push(struct history *h, struct slice key, struct history_entry entry)
{
	struct history_tail *t = map_get(h->tails, key);

	if (!t) {
		t = arena_alloc(h->arena, sizeof(*t));
		map_set(h->tails, key, t);
	}
	t->v = store_push(h->arena, t->v, t->n, sizeof(*t->v));
	t->v[t->n++] = entry;
}

/* "m EMAILID" */
static struct slice
facts_key(struct arena *arena, struct slice emailid)
{
	return arena_printf(arena, "m %.*s", SLICE_FMT(emailid));
}

static void
line_add(struct history *h, struct slice rest, struct arena *arena)
{
	struct history_key keys[HISTORY_KEYS_OF_MAX];
	struct history_message m;
	struct slice number, facts, *kept;
	size_t n;

	slice_cut(rest, ' ', &number, &facts);
	if (!history_facts_parse(facts, arena, &m))
		return;
	kept = arena_alloc(h->arena, sizeof(*kept));
	*kept = rest;
	map_set(h->facts, facts_key(arena, slice_of(m.emailid, STORE_EMAILID)),
	    kept);
	n = history_keys(&m, arena, keys);
	for (size_t i = 0; i < n; i++)
		push(h, history_key_text(&keys[i], arena),
		    history_entry_of(&m));
}

static void
line_judge(struct history *h, struct slice rest)
{
	struct slice emailid, number;
	uint32_t verdict;

	slice_cut(rest, ' ', &emailid, &number);
	if (slice_u32(number, &verdict) && verdict <= HISTORY_NOTJUNK)
		map_set(h->verdicts, emailid, (void *)(uintptr_t)(verdict + 1));
}

void
history_index(struct history *h)
{
	struct arena *arena = arena_new(0);
	struct slice verb, rest;

	for (; h->indexed < h->n; h->indexed++) {
		slice_cut(h->lines[h->indexed], ' ', &verb, &rest);
		if (slice_is(verb, "add"))
			line_add(h, rest, arena);
		else if (slice_is(verb, "judge"))
			line_judge(h, rest);
		arena_reset(arena);
	}
	arena_free(&arena);
}

/* All that every process does with each line of all others: little. */
static int
take_line(void *arg, struct slice payload, uint64_t unit_end, struct err *e)
{
	struct history *h = arg;
	struct slice verb, number, rest;
	uint64_t n;

	(void)unit_end, (void)e;
	slice_cut(payload, ' ', &verb, &rest);
	slice_cut(rest, ' ', &number, &rest);
	if (slice_is(verb, "add") && slice_u64(number, &n) && n > h->last)
		h->last = n;
	h->lines = store_push(h->arena, h->lines, h->n, sizeof(*h->lines));
	h->lines[h->n++] = arena_dup(h->arena, payload);
	return 0;
}

static const struct db_pair_ops ops = {
	.magic = HISTORY_MAGIC,
	.reset = reset,
	.line = take_line,
	.build = history_build,
};

/* ---- open ---- */

/* Open, making or discarding as need be, as tables do. */
static int
open_pair(struct history *h, struct store *store, struct err *e)
{
	mode_t mode = store->env->file_mode;

	for (int i = 0; i < 4; i++) {
		int rc = db_pair_open(&h->pair, store->fd, "history", mode,
		    &ops, h, e);
		if (rc == 1)
			return 0;
		if (rc < 0 &&
		    (e->kind != ERR_SYNTAX ||
			db_pair_discard(store->fd, "history", e) != 0))
			return -1;
		if (db_pair_create(store->fd, "history", mode, &ops, NULL, 0,
			e) < 0)
			return -1;
	}
	return err_set(e, ERR_TEMP, "history: changes all the time");
}

struct history *
history_open(struct store *store, struct err *e)
{
	struct history *h = xcalloc(1, sizeof(*h));
	struct err own = ERR_INIT;

	h->env = store->env;
	h->arena = arena_new(0);
	if (open_pair(h, store, e ? e : &own) < 0)
		history_close(&h);
	return h;
}

void
history_close(struct history **hp)
{
	struct history *h = *hp;

	if (!h)
		return;
	db_pair_close(&h->pair);
	map_free(&h->tails);
	map_free(&h->facts);
	map_free(&h->verdicts);
	arena_free(&h->arena);
	free(h);
	*hp = NULL;
}

void
history_tidy(struct history *h)
{
	if (db_pair_due(&h->pair))
		db_pair_fold(&h->pair, NULL);
}

/* ---- changing ---- */

int
history_add(struct history *h, const struct history_message *m, struct err *e)
{
	struct buf line = BUF_INIT(LINE_SIZE);
	struct slice payload;
	int rc;

	if (db_pair_lock(&h->pair, DB_LOCK_MS, e) < 0)
		return -1;
	buf_addf(&line, "add %llu ", (unsigned long long)h->last + 1);
	history_facts_write(&line, m);
	payload = buf_slice(&line);
	rc = db_pair_append(&h->pair, &payload, 1, e);
	db_pair_unlock(&h->pair);
	buf_free(&line);
	return rc;
}

int
history_judge(struct history *h, const char emailid[STORE_EMAILID],
    enum history_verdict verdict, struct err *e)
{
	struct buf line = BUF_INIT(64);
	struct slice payload;
	int rc;

	buf_addf(&line, "judge %.*s %d", STORE_EMAILID, emailid, (int)verdict);
	payload = buf_slice(&line);
	if (db_pair_lock(&h->pair, DB_LOCK_MS, e) < 0)
		rc = -1;
	else {
		rc = db_pair_append(&h->pair, &payload, 1, e);
		db_pair_unlock(&h->pair);
	}
	buf_free(&line);
	return rc;
}

/* ---- looking ---- */

int
history_message(struct history *h, const char emailid[STORE_EMAILID],
    struct arena *arena, struct history_message *m_r, struct err *e)
{
	struct slice key = facts_key(arena, slice_of(emailid, STORE_EMAILID));
	struct slice value, number, facts;
	const struct slice *tail;

	if (db_pair_refresh(&h->pair, e) < 0)
		return -1;
	history_index(h);
	tail = map_get(h->facts, key);
	if (tail)
		value = *tail;
	else {
		int rc = db_cdb_get(h->pair.cdb, key, &value, e);
		if (rc <= 0)
			return rc;
	}
	slice_cut(value, ' ', &number, &facts);
	return history_facts_parse(facts, arena, m_r);
}

int
history_list(struct history *h, const struct history_key *key,
    struct arena *arena, struct history_entry **v_r, size_t *n_r, struct err *e)
{
	*v_r = NULL;
	*n_r = 0;
	if (db_pair_refresh(&h->pair, e) < 0)
		return -1;
	history_index(h);
	return history_merge(h, history_key_text(key, arena), key->kind, arena,
	    v_r, n_r, e);
}
