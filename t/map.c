/* Unit test of lib/base/map.c. */
#include "base/map.h"
#include "t/unit.h"

static void
test_basics(void)
{
	struct map *m = map_new();
	int one = 1, two = 2;
	struct slice key = SLICE("k");

	CHECK(map_get(m, key) == NULL && !map_has(m, key));
	CHECK(map_del(m, key) == NULL);
	CHECK(map_set(m, key, &one) == NULL);
	CHECK(map_get(m, key) == &one);
	CHECK(map_set(m, key, &two) == &one);
	CHECK_EQ(map_count(m), 1);
	CHECK(map_set(m, SLICE_NULL, NULL) == NULL); /* empty key, NULL value */
	CHECK(map_has(m, SLICE("")) && map_get(m, SLICE("")) == NULL);
	CHECK(map_get(m, SLICE("k\0")) == NULL); /* bytes, not C strings */
	CHECK(map_del(m, key) == &two);
	CHECK(!map_has(m, key));
	CHECK_EQ(map_count(m), 1);
	map_free(&m);
	CHECK(m == NULL);
	map_free(&m);
}

static struct slice
number(char text[16], size_t i)
{
	return slice_of(text, (size_t)snprintf(text, 16, "key %zu", i));
}

static void
test_many(void)
{
	enum { MANY = 5000 };
	static size_t values[MANY];
	struct map *m = map_new();
	struct slice key;
	char text[16];
	void *value;
	size_t want = 0;

	for (size_t i = 0; i < MANY; i++) {
		values[i] = i;
		map_set(m, number(text, i), &values[i]);
	}
	for (size_t i = 0; i < MANY; i++)
		CHECK(map_get(m, number(text, i)) == &values[i]);
	/* In order of insertion; removing the current one is allowed. */
	for (size_t i = 0; map_next(m, &i, &key, &value); want++) {
		CHECK_EQ(*(size_t *)value, want);
		if (want % 3 != 0)
			map_del(m, key);
	}
	CHECK_EQ(want, MANY);
	CHECK_EQ(map_count(m), (MANY + 2) / 3);
	/* Churn reuses the room of removed ones. */
	for (size_t i = 0; i < 10 * MANY; i++) {
		map_set(m, SLICE("again"), &values[0]);
		map_del(m, SLICE("again"));
	}
	want = 0;
	for (size_t i = 0; map_next(m, &i, &key, &value); want += 3)
		CHECK_EQ(*(size_t *)value, want);
	CHECK_EQ(map_count(m), (MANY + 2) / 3);
	map_free(&m);
}

int
main(void)
{
	RUN(test_basics);
	RUN(test_many);
	return unit_done();
}
