/*
 * map - hash map with string keys, iterated in order of insertion.
 *
 * Keys are copied; values are pointers the caller owns. Seeded from the
 * kernel's randomness, so keys may come from outside.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/slice.h"

struct map;

struct map *map_new(void);
void map_free(struct map **m);
size_t map_count(const struct map *m);

void *map_get(const struct map *m, struct slice key); /* NULL: not there */
bool map_has(const struct map *m, struct slice key);
/* Set or replace; returns the value that was there, or NULL. */
void *map_set(struct map *m, struct slice key, void *value);
/* Remove; returns the value that was there, or NULL. */
void *map_del(struct map *m, struct slice key);

/*
 * for (size_t i = 0; map_next(m, &i, &key, &value);)
 * The map must not change meanwhile, except map_del of the current key.
 */
bool map_next(const struct map *m, size_t *i, struct slice *key_r,
    void **value_r);

#endif
