/* Unit test of tools/queue_walk.c: the same order, however few entries there is
 * room for. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "t/scratch.h"
#include "tools/queue_tool.h"

#define ITEMS 60

static struct queue_tool t;
static struct buf seen = BUF_INIT(1 << 16);

static void
put(const char *folder, unsigned i, const char *more)
{
	char path[200], text[500];
	int fd;

	snprintf(path, sizeof(path), "%s", folder);
	CHECK_EQ(file_mkdirs(scratch_fd, path, 0700, NULL), 0);
	snprintf(path, sizeof(path), "%s/%018x.1", folder, i);
	fd = openat(scratch_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	snprintf(text, sizeof(text),
	    "mox-item 1\nqueued 2026-11-30T15:04:05Z\nfrom a@a.example\n"
	    "size 9\nto x@x.example\noffset 99\n%s",
	    more);
	CHECK_EQ(file_write(fd, slice_str(text), NULL), 0);
	close(fd);
}

/* Now, at seven times, on hold until three others, with a runner. */
static void
fill(void)
{
	char text[100], folder[100];

	for (unsigned i = 0; i < ITEMS; i++) {
		unsigned k = i * 37 % ITEMS;

		snprintf(folder, sizeof(folder), "due/202612%02uT0000Z",
		    1 + k % 7);
		snprintf(text, sizeof(text), "until 2026-12-%02uT12:00:00Z\n",
		    2 + k % 3);
		if (i % 3 == 0)
			put("due/now", k, "");
		else if (i % 3 == 1)
			put(folder, k, "");
		else if (i % 2 == 0)
			put("hold", k, text);
		else
			put("active/r.1", k, "");
	}
}

static int
note(void *ctx, const struct queue_entry *entry, const struct item *it)
{
	(void)ctx, (void)it;
	buf_addf(&seen, "%s/%s\n", entry->folder, entry->name);
	return 1;
}

static struct slice
walk(size_t kept, struct arena *arena)
{
	struct err e = ERR_INIT;

	buf_reset(&seen);
	t.kept = kept;
	if (queue_walk(&t, ~0U, note, NULL, &e) < 0)
		UNIT_FAIL("%s", e.text);
	return arena_dup(arena, buf_slice(&seen));
}

static size_t
lines(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

static void
test_order(void)
{
	static const char *const sorts[] = { "queued", "nextattempt" };
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < 4; i++) {
		struct slice all;

		t.sort = sorts[i / 2];
		t.ascending = i % 2;
		all = walk(0, arena);
		CHECK_EQ(lines(all), ITEMS);
		for (size_t kept = 1; kept <= ITEMS + 1; kept += 4)
			CHECK_SLICE(walk(kept, arena), all);
	}
	arena_free(&arena);
}

static void
test_enough(void)
{
	struct arena *arena = arena_new(0);
	struct slice all;

	t.sort = "nextattempt";
	t.ascending = true;
	all = walk(0, arena);
	t.filter.n = 17;
	for (size_t kept = 1; kept < 20; kept += 6) {
		struct slice some = walk(kept, arena);

		CHECK_EQ(lines(some), 17);
		CHECK(slice_starts(all, some));
	}
	t.filter.n = 0;
	arena_free(&arena);
}

int
main(void)
{
	struct queue_filter_text text = { 0 };
	struct err e = ERR_INIT;

	scratch_begin();
	t.arena = arena_new(0);
	t.step = arena_new(0);
	t.q.fd = scratch_fd;
	if (queue_filter_parse(&text, 0, t.arena, &t.filter, &e) < 0)
		UNIT_FAIL("%s", e.text);
	fill();
	RUN(test_order);
	RUN(test_enough);
	free(t.text);
	arena_free(&t.arena);
	arena_free(&t.step);
	buf_free(&seen);
	scratch_end();
	return unit_done();
}
