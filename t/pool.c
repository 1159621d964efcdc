/* Unit test of lib/service/pool.c: which back is taken, and which ends. */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/service_int.h"
#include "t/unit.h"

static pid_t last = 1000000; /* no such processes */

/* A parent has one for life, so there is no pool_free; here they are kept for
 * leak checkers. */
static struct pool *
new_pool(void)
{
	static struct pool *all[8];
	static size_t n;

	return all[n++] = pool_new();
}

static struct worker *
add(struct pool *pool)
{
	return pool_add(pool, ++last, open("/dev/null", O_RDONLY));
}

/* A worker whose end is closed has been told to end. */
static bool
told(const struct worker *w)
{
	return w->fd < 0;
}

static void
test_latest_first(void)
{
	struct pool *pool = new_pool();
	struct worker *a = add(pool), *b = add(pool);

	CHECK(pool_take(pool) == NULL);
	CHECK(pool_find(pool, a->pid) == a);
	CHECK(pool_find(pool, 1) == NULL);
	pool_put(pool, a, 0);
	pool_put(pool, b, 1);
	CHECK(pool_take(pool) == b);
	CHECK(pool_take(pool) == a);
	CHECK(pool_take(pool) == NULL);
	CHECK_EQ(pool_count(pool), 2);
	pool_del(pool, a);
	pool_del(pool, b);
	CHECK_EQ(pool_count(pool), 0);
}

static void
test_old_ones_end(void)
{
	struct pool *pool = new_pool();
	struct worker *a = add(pool), *b = add(pool);

	CHECK_EQ(pool_expire(pool, 0), -1);
	pool_put(pool, a, 0);
	pool_put(pool, b, 1000);
	CHECK_EQ(pool_expire(pool, 1000), 59000);
	CHECK_EQ(pool_expire(pool, 60000), 1000);
	CHECK(told(a) && !told(b));
	CHECK_EQ(pool_expire(pool, 61000), -1);
	CHECK(told(b) && pool_take(pool) == NULL);
	pool_del(pool, a);
	pool_del(pool, b);
}

/* Those that wait at once, those that serve when they are done. */
static void
test_renew(void)
{
	struct pool *pool = new_pool();
	struct worker *a = add(pool), *b = add(pool), *c;

	pool_put(pool, a, 0);
	pool_renew(pool);
	CHECK(told(a) && !told(b));
	pool_put(pool, b, 0);
	CHECK(told(b) && pool_take(pool) == NULL);
	c = add(pool);
	pool_put(pool, c, 0);
	CHECK(!told(c) && pool_take(pool) == c);
}

static void
test_distrust(void)
{
	struct pool *pool = new_pool();
	struct worker *a = add(pool), *b = add(pool);

	a->serial = a->cid = 7;
	b->serial = b->cid = 8;
	pool_put(pool, b, 0); /* its front is reaped later */
	pool_distrust(pool, 7);
	CHECK(!told(a) && !told(b));
	pool_put(pool, a, 0);
	CHECK(told(a));
	pool_distrust(pool, 8);
	CHECK(told(b) && pool_take(pool) == NULL);
}

static void
test_bounds(void)
{
	struct pool *pool = new_pool();
	struct worker *w = NULL;
	int n = 0;

	for (int i = 0; i < 33; i++) {
		w = add(pool);
		pool_put(pool, w, i);
	}
	CHECK(told(w)); /* 32 wait */
	while (pool_take(pool) != NULL)
		n++;
	CHECK_EQ(n, 32);
	w = add(pool);
	for (n = 0; !told(w); n++) {
		pool_put(pool, w, 0);
		CHECK(n == 999 || pool_take(pool) == w);
	}
	CHECK_EQ(n, 1000);
}

int
main(void)
{
	RUN(test_latest_first);
	RUN(test_old_ones_end);
	RUN(test_renew);
	RUN(test_distrust);
	RUN(test_bounds);
	return unit_done();
}
