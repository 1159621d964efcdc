/* Unit test of service_look (lib/service/park.c): what times tell of folders, and
 * paths that are none. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "service/service.h"
#include "t/scratch.h"
#include "t/unit.h"

static const char *const names[] = { "new", "log", NULL };

#define PATHS(lit) slice_of(lit, sizeof(lit) - 1)

static uint64_t
look(struct slice folders)
{
	int64_t newest_s;

	return service_look(names, scratch_fd, folders, &newest_s);
}

static void
touch(const char *path, time_t s)
{
	const struct timespec times[2] = { { s, 0 }, { s, 0 } };
	int fd = openat(scratch_fd, path, O_CREAT | O_WRONLY, 0600);

	futimens(fd, times);
	close(fd);
}

static void
test_changes(void)
{
	struct slice itself = SLICE(""), both = PATHS("a\0b/c\0");
	uint64_t here, there;
	int64_t newest_s;

	mkdirat(scratch_fd, "a", 0700);
	mkdirat(scratch_fd, "b", 0700);
	mkdirat(scratch_fd, "b/c", 0700);
	here = look(itself);
	there = look(both);
	CHECK(here == look(itself));
	CHECK(there == look(both));
	CHECK(look(PATHS("a\0")) != look(PATHS("b\0")));
	/* A name that comes, changes, and one that is not asked for. */
	touch("b/c/log", 5000);
	CHECK(there != look(both));
	CHECK(here == look(itself));
	there = look(both);
	touch("b/c/log", 6000);
	CHECK(there != look(both));
	touch("b/c/other", 7000);
	there = look(both);
	touch("b/c/other", 8000);
	CHECK(there == look(both));
	touch("log", 5000);
	CHECK(here != look(itself));
	service_look(names, scratch_fd, both, &newest_s);
	CHECK(newest_s >
	    1000000000); /* when it was done, not what touch said */
}

/* They are of a session that may be another's by now. */
static void
test_hostile(void)
{
	const struct {
		const char *name;
		struct slice folders;
	} rows[] = {
		{ "up", PATHS("..\0") },
		{ "up and down", PATHS("a/../../a\0") },
		{ "up at the end", PATHS("a/..\0") },
		{ "from the root", PATHS("/etc\0") },
		{ "empty", PATHS("\0") },
		{ "without end", PATHS("a") },
		{ "empty part", PATHS("a//b\0") },
	};
	struct slice both = PATHS("a\0../a\0");

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ROW(rows[i].name);
		CHECK_EQ(look(rows[i].folders), 1);
	}
	ROW("good, then bad");
	CHECK(look(both) == look(PATHS("a\0")));
}

int
main(void)
{
	scratch_begin();
	RUN(test_changes);
	RUN(test_hostile);
	scratch_end();
	return unit_done();
}
