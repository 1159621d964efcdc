/*
 * reassign.c - new UIDs for all messages of a mailbox: the line `g`
 * (renumber.c), then their records in the cache under the new UIDs. Those that
 * a crash leaves out are parsed when they are needed.
 */
#include <stdlib.h>

#include "store/repair_int.h"

/* Bytes of records copied under one lock. */
#define RECACHE_BYTES (1 << 20)
/* Time for files of expunged messages, so that they need no UIDs. */
#define UNLINK_MS 10000

/* The message that got UID i + 1. */
struct was {
	uint32_t uid;
	struct cache_place cache;
};

/* ---- the line ---- */

static struct was *
take_places(const struct mailbox *mb, uint32_t *n_r)
{
	const struct record *r;
	struct was *v =
	    xreallocarray(NULL, (size_t)index_end(&mb->ix) + 1, sizeof(*v));
	uint32_t uid = 0;

	for (*n_r = 0; (r = repair_next(mb, &uid)) != NULL; ++*n_r)
		v[*n_r] = (struct was){ r->msg.uid, r->cache };
	return v;
}

static int
renumber(struct mailbox *mb, uint32_t uidvalidity, struct was **was_r,
    uint32_t *n_r, struct err *e)
{
	struct lines ls = LINES_INIT;
	struct line l = { .type = 'g', .uidvalidity = uidvalidity };
	int rc = index_lock(mb, e);

	*was_r = NULL;
	if (rc != 0)
		return -1;
	*was_r = take_places(mb, n_r);
	l.modseq = mb->ix.modseq + 1;
	lines_add(&ls, &l);
	rc = index_append(mb, &ls, e);
	index_unlock(mb);
	lines_free(&ls);
	if (rc == 0)
		rc = index_sync(mb, NULL, e);
	if (rc == 0)
		store_poke(mb->st);
	return rc;
}

/* ---- the cache ---- */

struct batch {
	struct arena *arena;
	struct cache_entry *entries;
	struct cache_place *places;
	size_t n, bytes;
};

/* Entry i of was, if the record is still in the old place. */
static void
choose(struct batch *b, struct mailbox *mb, const struct was *was, uint32_t i)
{
	const struct record *r = index_get(&mb->ix, i + 1);
	struct cache_entry *entry = &b->entries[b->n];

	if (r == NULL || was[i].uid == i + 1 ||
	    r->cache.segment != was[i].cache.segment ||
	    r->cache.offset != was[i].cache.offset ||
	    !cache_get(mb->cache, was[i].cache, was[i].uid, &entry->record))
		return;
	entry->uid = i + 1;
	b->bytes += entry->record.n;
	b->n++;
}

/* Under the lock: from i on; returns where the next batch begins. */
static uint32_t
recache_batch(struct batch *b, struct mailbox *mb, const struct was *was,
    uint32_t i, uint32_t n, struct err *e)
{
	struct lines ls = LINES_INIT;

	arena_reset(b->arena);
	b->entries = arena_array(b->arena, REPAIR_BATCH, sizeof(*b->entries));
	b->places = arena_array(b->arena, REPAIR_BATCH, sizeof(*b->places));
	b->n = b->bytes = 0;
	while (i < n && b->n < REPAIR_BATCH && b->bytes < RECACHE_BYTES)
		choose(b, mb, was, i++);
	if (cache_append(mb->cache, mb->ix.segment, b->entries, b->n, b->places,
		e) < 0)
		return 0;
	for (size_t k = 0; k < b->n; k++) {
		const struct record *r = index_get(&mb->ix, b->entries[k].uid);

		repair_cache_line(&ls, r, b->places[k], r->msg.thread);
	}
	if (repair_append(mb, &ls, e) < 0)
		i = 0;
	lines_free(&ls);
	return i;
}

static int
recache(struct mailbox *mb, const struct was *was, uint32_t n, struct err *e)
{
	struct batch b = { .arena = arena_new(0) };
	uint32_t uidvalidity = mb->ix.uidvalidity;
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0;) {
		rc = index_lock(mb, e);
		if (rc != 0)
			break;
		/* Given anew once more, by another process. */
		i = mb->ix.uidvalidity != uidvalidity
		    ? n
		    : recache_batch(&b, mb, was, i, n, e);
		index_unlock(mb);
		rc = i == 0 ? -1 : store_progress(mb->st, i, n, e);
		mailbox_tidy(mb, 0);
	}
	arena_free(&b.arena);
	return rc;
}

/* ---- all ---- */

static int
reassign(struct repair *r, struct mailbox *mb, struct err *e)
{
	uint32_t uidvalidity, n = 0;
	struct was *was = NULL;
	int rc;

	mb->reader = true;
	mailbox_tidy(mb, UNLINK_MS);
	mb->reader = false;
	rc = store_next_uidvalidity(mb->st, &uidvalidity, e);
	if (rc == 0)
		rc = renumber(mb, uidvalidity, &was, &n, e);
	if (rc == 0) {
		repair_tell(r, mb,
		    (struct repair_note){ .messages = n,
			.changed = n,
			.uidvalidity = uidvalidity },
		    "uids of \"%s\" reassigned: %u messages, uid validity %u",
		    mb->name, (unsigned)n, (unsigned)uidvalidity);
		/* So that who opens it need not renumber. */
		rc = index_fold(mb, e) < 0 ? -1 : 0;
	}
	if (rc == 0)
		rc = recache(mb, was, n, e);
	free(was);
	return rc;
}

int
repair_reassign_uids(struct repair *r, struct err *e)
{
	return repair_each(r, repair_open, reassign, e);
}
