/*
 * pool - the backs that serve one connection after another.
 *
 * The last that began to wait is taken first: what it has opened is freshest,
 * and those that are not needed grow old.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/map.h"
#include "service/service_int.h"

#define WAITING_MAX 32  /* what a burst leaves; each takes memory */
#define WAIT_MS 60000   /* then one that waits ends */
#define SERVED_MAX 1000 /* connections: bounds what may leak */

struct pool {
	struct map *all;      /* pid to struct worker */
	struct worker *first; /* that waits, the latest */
	size_t waiting;
	unsigned generation;
};

struct pool *
pool_new(void)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	pool->all = map_new();
	return pool;
}

struct worker *
pool_add(struct pool *pool, pid_t pid, int fd)
{
	struct worker *w = xcalloc(1, sizeof(*w));

	w->pid = pid;
	w->fd = fd;
	w->generation = pool->generation;
	map_set(pool->all, SPLIT_OF(pid), w);
	return w;
}

struct worker *
pool_take(struct pool *pool)
{
	struct worker *w = pool->first;

	if (w == NULL)
		return NULL;
	pool->first = w->next;
	pool->waiting--;
	w->next = NULL;
	return w;
}

/* It reads that as the end, and stays in the map until it is reaped. */
static void
dismiss(struct worker *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* No longer among those that wait. */
static void
withdraw(struct pool *pool, const struct worker *w)
{
	struct worker **at = &pool->first;

	while (*at != NULL && *at != w)
		at = &(*at)->next;
	if (*at == w) {
		*at = w->next;
		pool->waiting--;
	}
}

void
pool_put(struct pool *pool, struct worker *w, int64_t now_ms)
{
	w->serial = 0;
	if (w->distrusted || w->generation != pool->generation ||
	    ++w->served >= SERVED_MAX || pool->waiting >= WAITING_MAX) {
		dismiss(w);
		return;
	}
	w->since_ms = now_ms;
	w->next = pool->first;
	pool->first = w;
	pool->waiting++;
}

struct worker *
pool_find(const struct pool *pool, pid_t pid)
{
	return map_get(pool->all, SPLIT_OF(pid));
}

void
pool_del(struct pool *pool, struct worker *w)
{
	withdraw(pool, w);
	dismiss(w);
	map_del(pool->all, SPLIT_OF(w->pid));
	free(w);
}

void
pool_renew(struct pool *pool)
{
	struct worker *w;

	pool->generation++;
	while ((w = pool_take(pool)) != NULL)
		dismiss(w);
}

void
pool_distrust(struct pool *pool, uint64_t cid)
{
	struct slice key;
	void *value;

	for (size_t i = 0; map_next(pool->all, &i, &key, &value);) {
		struct worker *w = value;
		if (w->cid != cid)
			continue;
		w->distrusted = true;
		if (w->serial == 0) {
			withdraw(pool, w);
			dismiss(w);
		}
	}
}

int
pool_expire(struct pool *pool, int64_t now_ms)
{
	struct worker *w = pool->first, *next;
	int64_t oldest_ms = -1;

	for (; w != NULL; w = next) {
		next = w->next;
		if (now_ms - w->since_ms >= WAIT_MS) {
			withdraw(pool, w);
			dismiss(w);
		} else {
			oldest_ms = w->since_ms; /* later in the list */
		}
	}
	return oldest_ms < 0 ? -1 : (int)(oldest_ms + WAIT_MS - now_ms);
}

size_t
pool_count(const struct pool *pool)
{
	return map_count(pool->all);
}

void
pool_kill(const struct pool *pool, int number)
{
	struct slice key;
	void *value;

	for (size_t i = 0; map_next(pool->all, &i, &key, &value);)
		kill(((struct worker *)value)->pid, number);
}

void
pool_close(struct pool *pool)
{
	struct slice key;
	void *value;

	for (size_t i = 0; map_next(pool->all, &i, &key, &value);)
		dismiss(value);
}
