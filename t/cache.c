/* Unit test of lib/store/cache.c and cache_compact.c. */
#include "message/parse.h"
#include "message/record.h"
#include "store/store_int.h"
#include "t/scratch.h"

/* A record that differs by n and has at least pad bytes. */
static struct slice
make_record(struct arena *arena, unsigned n, size_t pad)
{
	struct buf record = BUF_INIT(MSGREC_MAX), message = BUF_INIT(SIZE_MAX);
	struct slice s;

	buf_addf(&message, "Subject: %u ", n);
	for (size_t i = 0; i < pad; i++)
		buf_addc(&message, (char)('a' + i % 26));
	buf_addz(&message, "\r\n\r\nbody\r\n");
	msgparse_all(buf_slice(&message), NULL, &record);
	s = arena_dup(arena, buf_slice(&record));
	buf_free(&record);
	buf_free(&message);
	return s;
}

static void
clear(void)
{
	cache_clear(scratch_fd);
	CHECK(!scratch_has("mox.cache.1"));
}

static void
test_append_get(void)
{
	struct arena *arena = arena_new(0);
	struct cache *c = cache_new(scratch_fd, 0600), *reader;
	struct cache_entry entries[4] = { { 1, make_record(arena, 1, 0) },
		{ 2, SLICE_NULL }, { 3, make_record(arena, 3, 500) },
		{ 4, make_record(arena, 4, 1) } };
	struct cache_place places[4], more[4];
	struct slice got;

	CHECK_EQ(cache_append(c, 0, entries, 3, places, NULL), 0);
	CHECK_EQ(places[0].segment, 1);
	CHECK_EQ(places[0].offset, 0);
	CHECK_EQ(places[1].segment, 0);
	CHECK_EQ(places[2].segment, 1);
	CHECK_EQ(places[2].offset, cache_entry_size(entries[0].record.n));
	reader = cache_new(scratch_fd, 0600);
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			continue;
		CHECK(cache_get(c, places[i], entries[i].uid, &got));
		CHECK_SLICE(got, entries[i].record);
		CHECK(cache_get(reader, places[i], entries[i].uid, &got));
		CHECK(cache_get(reader, places[i], entries[i].uid, &got));
		CHECK_SLICE(got, entries[i].record);
		CHECK_EQ(cache_size(c, places[i]),
		    cache_entry_size(entries[i].record.n));
	}
	CHECK(!cache_get(c, places[1], 2, &got));
	CHECK(!cache_get(c, places[0], 2, &got));
	/* What another process appends shows up; get outlives append. */
	CHECK(cache_get(reader, places[0], 1, &got));
	CHECK_EQ(cache_append(c, 1, entries + 3, 1, more, NULL), 0);
	CHECK_SLICE(got, entries[0].record);
	CHECK(cache_get(reader, more[0], 4, &got));
	CHECK_SLICE(got, entries[3].record);
	cache_idle(reader);
	CHECK(cache_get(reader, more[0], 4, &got));
	/* A segment that is not there. */
	CHECK(!cache_get(reader, (struct cache_place){ 9, 0 }, 4, &got));
	/* The index knows of a later segment. */
	CHECK_EQ(cache_append(c, 5, entries, 1, more, NULL), 0);
	CHECK_EQ(more[0].segment, 5);
	CHECK(cache_get(reader, more[0], 1, &got));
	CHECK(cache_get(reader, places[0], 1, &got));
	cache_free(&c);
	cache_free(&reader);
	cache_free(&reader);
	arena_free(&arena);
	clear();
}

static void
test_damage(void)
{
	struct arena *arena = arena_new(0);
	struct cache *c = cache_new(scratch_fd, 0600);
	struct cache_entry entry = { 7, make_record(arena, 7, 100) };
	struct cache_place place;
	struct buf b = BUF_INIT(SIZE_MAX);
	struct slice file, got;

	CHECK_EQ(cache_append(c, 0, &entry, 1, &place, NULL), 0);
	file = scratch_get("mox.cache.1", &b);
	for (size_t i = 0; i < 16 + entry.record.n; i++) {
		char was = file.p[i];

		b.p[i] ^= 4;
		scratch_put("mox.cache.1", file);
		cache_idle(c);
		CHECK(!cache_get(c, place, 7, &got));
		b.p[i] = was;
	}
	for (size_t n = 0; n < 16 + entry.record.n; n += 9) {
		scratch_put("mox.cache.1", slice_head(file, n));
		cache_idle(c);
		CHECK(!cache_get(c, place, 7, &got));
	}
	/* The next entry goes behind the torn one. */
	CHECK_EQ(cache_append(c, 0, &entry, 1, &place, NULL), 0);
	CHECK(place.offset > 0 && place.offset % 16 == 0);
	CHECK(cache_get(c, place, 7, &got));
	CHECK_SLICE(got, entry.record);
	for (uint32_t i = 1; i < 16; i++)
		CHECK(!cache_get(c, (struct cache_place){ 1, place.offset + i },
		    7, &got));
	CHECK(!cache_get(c, (struct cache_place){ 1, UINT32_MAX }, 7, &got));
	CHECK(!cache_get(c, (struct cache_place){ 1, UINT32_MAX - 15 }, 7,
	    &got));
	buf_free(&b);
	cache_free(&c);
	arena_free(&arena);
	clear();
}

/* The index begins anew while a reader has the old file. */
static void
test_replaced(void)
{
	struct arena *arena = arena_new(0);
	struct cache *c = cache_new(scratch_fd, 0600);
	struct cache *reader = cache_new(scratch_fd, 0600);
	struct cache_entry entries[2] = { { 1, make_record(arena, 1, 0) },
		{ 2, make_record(arena, 2, 50) } };
	struct cache_place places[2];
	struct slice old, got;

	CHECK_EQ(cache_append(c, 0, entries, 1, places, NULL), 0);
	CHECK(cache_get(reader, places[0], 1, &old));
	cache_clear(scratch_fd);
	scratch_put("mox.cache.0", SLICE("not ours"));
	CHECK_EQ(cache_append(c, 0, entries, 2, places, NULL), 0);
	CHECK(!cache_get(reader, places[1], 2, &got));
	CHECK_SLICE(old, entries[0].record);
	cache_idle(reader);
	CHECK(cache_get(reader, places[1], 2, &got));
	cache_free(&c);
	cache_free(&reader);
	arena_free(&arena);
	clear();
	unlinkat(scratch_fd, "mox.cache.0", 0);
}

#define MANY 4000 /* more than enough */

/* Segments fill up; most of what is in the first dies. */
static void
test_segments(void)
{
	struct arena *arena = arena_new(0);
	struct cache *c = cache_new(scratch_fd, 0600);
	static struct cache_entry entries[MANY];
	static struct cache_place places[MANY];
	static struct cache_live live[MANY];
	struct cache_file *files;
	struct slice big = make_record(arena, 1, 25000), got;
	size_t n, nlive = 0;
	uint32_t last = 0, many;

	many = CACHE_SEGMENT / (uint32_t)cache_entry_size(big.n) * 4 / 3;
	CHECK(many < MANY);
	for (uint32_t i = 0; i < many; i++)
		entries[i] = (struct cache_entry){ i + 1, big };
	CHECK_EQ(cache_append(c, 0, entries, many, places, NULL), 0);
	CHECK_EQ(cache_files(scratch_fd, arena, &files, &n, NULL), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(files[0].segment, 1);
	CHECK(files[0].size <= CACHE_SEGMENT);
	for (uint32_t i = 0; i < many; i++) {
		CHECK(places[i].segment >= last);
		last = places[i].segment;
		CHECK(cache_get(c, places[i], i + 1, &got));
		if (i % 3 == 0 || last == 2)
			live[nlive++] = (struct cache_live){ i + 1, places[i] };
	}
	CHECK_EQ(last, 2);
	CHECK_EQ(cache_compact(c, live, nlive, NULL), 1);
	for (size_t i = 0; i < nlive; i++) {
		CHECK(live[i].place.segment >= 2);
		CHECK(cache_get(c, live[i].place, live[i].uid, &got));
	}
	cache_sweep(scratch_fd, live, nlive);
	CHECK_EQ(cache_files(scratch_fd, arena, &files, &n, NULL), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(files[0].segment, 2);
	CHECK_EQ(files[1].segment, 3);
	CHECK_EQ(cache_compact(c, live, nlive, NULL), 0);
	/* With nothing left there is an empty one, so that numbers go on. */
	CHECK_EQ(cache_compact(c, live, 0, NULL), 1);
	cache_sweep(scratch_fd, live, 0);
	CHECK_EQ(cache_files(scratch_fd, arena, &files, &n, NULL), 0);
	CHECK_EQ(n, 1);
	CHECK_EQ(files[0].segment, 4);
	CHECK_EQ(files[0].size, 0);
	cache_free(&c);
	arena_free(&arena);
	clear();
}

int
main(void)
{
	scratch_begin();
	RUN(test_append_get);
	RUN(test_damage);
	RUN(test_replaced);
	RUN(test_segments);
	scratch_end();
	return unit_done();
}
