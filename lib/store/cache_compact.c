/*
 * cache_compact.c - give back the space of records that are not needed.
 *
 * A segment that is mostly dead is left behind: what lives is appended to a
 * new segment, of a number that nobody writes to yet, and the file is removed
 * once the index says so. Who still follows an old place parses again.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/store_int.h"

#define SAMPLES 64         /* entries looked at to learn a segment's average */
#define DEAD_MIN (1 << 20) /* bytes; for less it is not worth it */
#define BATCH (1 << 20)    /* bytes copied with one write */

static int
by_segment(const void *a, const void *b)
{
	const struct cache_file *x = a, *y = b;

	return x->segment < y->segment ? -1 : x->segment > y->segment;
}

int
cache_files(int dirfd, struct arena *arena, struct cache_file **files_r,
    size_t *n_r, struct err *e)
{
	struct slice *names, prefix = SLICE(CACHE_PREFIX);
	struct stat s;
	size_t n = 0;

	*n_r = 0;
	if (file_list(dirfd, ".", arena, &names, &n, e) < 0)
		return -1;
	*files_r = arena_array(arena, n, sizeof(**files_r));
	for (size_t i = 0; i < n; i++) {
		struct cache_file *f = &(*files_r)[*n_r];

		if (!slice_starts(names[i], prefix) ||
		    !slice_u32(slice_skip(names[i], prefix.n), &f->segment) ||
		    f->segment == 0 ||
		    fstatat(dirfd, arena_cstr(arena, names[i]), &s, 0) != 0)
			continue;
		f->size = (uint64_t)s.st_size;
		++*n_r;
	}
	qsort(*files_r, *n_r, sizeof(**files_r), by_segment);
	return 0;
}

static void
remove_segment(int dirfd, uint32_t segment)
{
	char name[CACHE_NAME];

	cache_name(segment, name);
	unlinkat(dirfd, name, 0);
}

void
cache_clear(int dirfd)
{
	struct arena *arena = arena_new(0);
	struct cache_file *files;
	size_t n;

	if (cache_files(dirfd, arena, &files, &n, NULL) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++)
		remove_segment(dirfd, files[i].segment);
	arena_free(&arena);
}

/* ---- compaction ---- */

/* About how many bytes of the segment are still needed. */
static uint64_t
live_bytes(struct cache *c, uint32_t segment, const struct cache_live *live,
    size_t n)
{
	uint64_t count = 0, sampled = 0, bytes = 0;
	size_t step;

	for (size_t i = 0; i < n; i++)
		count += live[i].place.segment == segment;
	step = count / SAMPLES + 1;
	for (size_t i = 0, k = 0; i < n; i++) {
		if (live[i].place.segment != segment || k++ % step != 0)
			continue;
		bytes += cache_size(c, live[i].place);
		sampled++;
	}
	return sampled > 0 ? bytes * count / sampled : 0;
}

static bool
mostly_dead(struct cache *c, const struct cache_file *f,
    const struct cache_live *live, size_t n)
{
	uint64_t alive = live_bytes(c, f->segment, live, n);

	return f->size > alive && f->size - alive >= DEAD_MIN &&
	    alive < f->size / 2;
}

/* Append the records of up to n of live[] that are in segment from, and enter
 * their new places. Returns how many of live[] were passed, or -1. */
static ssize_t
move_batch(struct cache *c, uint32_t from, uint32_t to, struct cache_live *live,
    size_t n, struct arena *arena, struct err *e)
{
	struct cache_entry *entries = NULL;
	size_t *moved = NULL; /* positions in live */
	struct cache_place *places;
	size_t i, k = 0, bytes = 0;

	for (i = 0; i < n && bytes < BATCH; i++) {
		struct cache_entry entry = { .uid = live[i].uid };

		if (live[i].place.segment != from)
			continue;
		if (!cache_get(c, live[i].place, entry.uid, &entry.record))
			entry.record = SLICE_NULL; /* damaged: no more */
		entries = store_push(arena, entries, k, sizeof(*entries));
		moved = store_push(arena, moved, k, sizeof(*moved));
		entries[k] = entry;
		moved[k++] = i;
		bytes += entry.record.n;
	}
	places = arena_array(arena, k, sizeof(*places));
	if (k > 0 && cache_append(c, to, entries, k, places, e) < 0)
		return -1;
	for (size_t m = 0; m < k; m++)
		live[moved[m]].place = places[m];
	return (ssize_t)i;
}

/* So that it is the highest even if nothing is moved to it. */
static int
begin_segment(int dirfd, uint32_t segment, mode_t mode, struct err *e)
{
	char name[CACHE_NAME];
	int fd;

	cache_name(segment, name);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(e, "%s", name);
	close(fd);
	return 0;
}

static int
move_segment(struct cache *c, uint32_t from, uint32_t to,
    struct cache_live *live, size_t n, struct err *e)
{
	struct arena *arena = arena_new(0);
	ssize_t passed = 0;

	for (size_t at = 0; at < n && passed >= 0; at += (size_t)passed) {
		arena_reset(arena);
		passed = move_batch(c, from, to, live + at, n - at, arena, e);
		if (passed < 0)
			break;
	}
	arena_free(&arena);
	return passed < 0 ? -1 : 0;
}

int
cache_compact(struct cache *c, struct cache_live *live, size_t n, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct cache_file *files;
	size_t nfiles;
	uint32_t to;
	int moved = 0, rc, dirfd = cache_dir(c);

	rc = cache_files(dirfd, arena, &files, &nfiles, e);
	for (size_t i = 0; rc == 0 && i < nfiles; i++) {
		if (!mostly_dead(c, &files[i], live, n))
			continue;
		to = files[nfiles - 1].segment + 1;
		rc = begin_segment(dirfd, to, cache_mode(c), e);
		if (rc == 0)
			rc = move_segment(c, files[i].segment, to, live, n, e);
		moved = 1;
	}
	cache_idle(c);
	arena_free(&arena);
	return rc < 0 ? -1 : moved;
}

void
cache_sweep(int dirfd, const struct cache_live *live, size_t n)
{
	struct arena *arena = arena_new(0);
	struct cache_file *files;
	size_t nfiles, k;

	if (cache_files(dirfd, arena, &files, &nfiles, NULL) < 0)
		nfiles = 0;
	for (size_t i = 0; i + 1 < nfiles; i++) {
		for (k = 0; k < n; k++) {
			if (live[k].place.segment == files[i].segment)
				break;
		}
		if (k == n)
			remove_segment(dirfd, files[i].segment);
	}
	arena_free(&arena);
}
