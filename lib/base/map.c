/*
 * map - hash map with string keys, iterated in order of insertion.
 *
 * Entries stand in an array in order of insertion; an open-addressing table
 * of indexes into it finds them. Removed entries keep their place, without a
 * key, until the next growth packs the array.
 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rand.h"

#define MAP_FIRST 8 /* slots of the first table; a power of two */

struct entry {
	char *key; /* NULL once removed */
	size_t n;
	uint64_t hash;
	void *value;
};

struct map {
	struct entry *entries;
	size_t used;     /* entries in the array, removed ones too */
	size_t count;    /* entries there */
	uint32_t *slots; /* index into entries plus one; 0 free */
	size_t nslots;
	uint64_t seed[2];
};

/* ---- SipHash-1-3 (Aumasson, Bernstein 2012) ---- */

static uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static uint64_t
sip_hash(const uint64_t seed[2], struct slice key)
{
	uint64_t v[4] = {
		seed[0] ^ 0x736f6d6570736575,
		seed[1] ^ 0x646f72616e646f6d,
		seed[0] ^ 0x6c7967656e657261,
		seed[1] ^ 0x7465646279746573,
	};
	uint64_t word, last = (uint64_t)key.n << 56;

	for (; key.n >= 8; key = slice_skip(key, 8)) {
		memcpy(&word, key.p, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < key.n; i++)
		last |= (uint64_t)(unsigned char)key.p[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the map ---- */

struct map *
map_new(void)
{
	struct map *m = xcalloc(1, sizeof(*m));
	rand_fill(NULL, m->seed, sizeof(m->seed));
	return m;
}

void
map_free(struct map **m)
{
	if (*m == NULL)
		return;
	for (size_t i = 0; i < (*m)->used; i++)
		free((*m)->entries[i].key);
	free((*m)->entries);
	free((*m)->slots);
	free(*m);
	*m = NULL;
}

size_t
map_count(const struct map *m)
{
	return m->count;
}

static bool
entry_is(const struct entry *e, uint64_t hash, struct slice key)
{
	return e->hash == hash && e->key != NULL &&
	    slice_eq(slice_of(e->key, e->n), key);
}

static struct entry *
find(const struct map *m, uint64_t hash, struct slice key)
{
	size_t mask = m->nslots - 1;

	if (m->nslots == 0)
		return NULL;
	for (size_t i = hash & mask; m->slots[i] != 0; i = (i + 1) & mask) {
		struct entry *e = &m->entries[m->slots[i] - 1];
		if (entry_is(e, hash, key))
			return e;
	}
	return NULL;
}

static void
put_slot(struct map *m, uint64_t hash, size_t index)
{
	size_t mask = m->nslots - 1, i = hash & mask;

	while (m->slots[i] != 0)
		i = (i + 1) & mask;
	m->slots[i] = (uint32_t)index + 1;
}

/* Pack the entries, then room for as many again; half the slots are free. */
static void
grow(struct map *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->used; i++)
		if (m->entries[i].key != NULL)
			m->entries[n++] = m->entries[i];
	m->used = n;
	free(m->slots);
	m->nslots = MAP_FIRST;
	while (m->nslots < 4 * n)
		m->nslots *= 2;
	m->slots = xcalloc(m->nslots, sizeof(*m->slots));
	m->entries =
	    xreallocarray(m->entries, m->nslots / 2, sizeof(*m->entries));
	for (size_t i = 0; i < n; i++)
		put_slot(m, m->entries[i].hash, i);
}

static void *
entry_value(const struct entry *e)
{
	return e == NULL ? NULL : e->value;
}

void *
map_get(const struct map *m, struct slice key)
{
	return entry_value(find(m, sip_hash(m->seed, key), key));
}

bool
map_has(const struct map *m, struct slice key)
{
	return find(m, sip_hash(m->seed, key), key) != NULL;
}

void *
map_set(struct map *m, struct slice key, void *value)
{
	uint64_t hash = sip_hash(m->seed, key);
	struct entry *e = find(m, hash, key);
	void *old = entry_value(e);

	if (e == NULL) {
		if (m->used == m->nslots / 2)
			grow(m);
		put_slot(m, hash, m->used);
		e = &m->entries[m->used++];
		*e = (struct entry){ xmalloc(key.n), key.n, hash, NULL };
		if (key.n > 0)
			memcpy(e->key, key.p, key.n);
		m->count++;
	}
	e->value = value;
	return old;
}

void *
map_del(struct map *m, struct slice key)
{
	struct entry *e = find(m, sip_hash(m->seed, key), key);

	if (e == NULL)
		return NULL;
	free(e->key);
	e->key = NULL;
	m->count--;
	return e->value;
}

bool
map_next(const struct map *m, size_t *i, struct slice *key_r, void **value_r)
{
	while (*i < m->used) {
		const struct entry *e = &m->entries[(*i)++];
		if (e->key == NULL)
			continue;
		*key_r = slice_of(e->key, e->n);
		*value_r = e->value;
		return true;
	}
	return false;
}
