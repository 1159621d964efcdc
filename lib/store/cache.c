/*
 * cache.c - records of messages in segments, mox.cache.N.
 *
 * A segment is mapped at its full size once: what is appended later shows up
 * behind the end known before. Which entries were checked is a bit for each
 * 16 bytes of the segment, so no entry is checked twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/le.h"
#include "message/record.h"
#include "store/store_int.h"

#define MAGIC "mxc1"
#define HEAD 16
#define ALIGN 16

struct segment {
	uint32_t number;
	const char *map; /* CACHE_SEGMENT bytes */
	uint64_t size;   /* of the file, as last seen */
	ino_t inode;
	unsigned char *checked;
};

struct cache {
	int dirfd;
	mode_t mode;
	uint32_t last; /* highest segment that was appended to */
	struct segment *v;
	size_t n;
};

struct cache *
cache_new(int dirfd, mode_t mode)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	c->dirfd = dirfd;
	c->mode = mode;
	return c;
}

static void
unmap(struct segment *s)
{
	munmap((void *)s->map, CACHE_SEGMENT);
	free(s->checked);
}

void
cache_idle(struct cache *c)
{
	for (size_t i = 0; i < c->n; i++)
		unmap(&c->v[i]);
	free(c->v);
	c->v = NULL;
	c->n = 0;
}

void
cache_free(struct cache **cp)
{
	if (!*cp)
		return;
	cache_idle(*cp);
	free(*cp);
	*cp = NULL;
}

int
cache_dir(const struct cache *c)
{
	return c->dirfd;
}

mode_t
cache_mode(const struct cache *c)
{
	return c->mode;
}

void
cache_name(uint32_t segment, char name_r[CACHE_NAME])
{
	snprintf(name_r, CACHE_NAME, CACHE_PREFIX "%" PRIu32, segment);
}

/* ---- entries ---- */

static uint32_t
checksum(const unsigned char *head, const char *payload, size_t n)
{
	uLong crc = crc32(0, head + 4, 8);

	return (uint32_t)crc32(crc, (const unsigned char *)payload, (uInt)n);
}

uint64_t
cache_entry_size(size_t record)
{
	return HEAD + ((uint64_t)record + ALIGN - 1) / ALIGN * ALIGN;
}

static bool
cacheable(const struct cache_entry *entry)
{
	return entry->record.n > 0 && entry->record.n <= MSGREC_MAX;
}

static void
add_entry(struct buf *b, const struct cache_entry *entry)
{
	static const char zeros[ALIGN];
	unsigned char head[HEAD] = MAGIC;
	size_t n = entry->record.n;

	le_put32(head + 4, entry->uid);
	le_put32(head + 8, (uint32_t)n);
	le_put32(head + 12, checksum(head, entry->record.p, n));
	buf_add(b, slice_of((const char *)head, HEAD));
	buf_add(b, entry->record);
	buf_add(b, slice_of(zeros, cache_entry_size(n) - HEAD - n));
}

/* ---- appending ---- */

/* Open the segment to append to, with room for size bytes, and its end. */
static int
open_last(struct cache *c, uint32_t last, uint64_t size, uint64_t *end_r,
    struct err *e)
{
	char name[CACHE_NAME];
	struct stat s;
	int fd;

	if (c->last < last)
		c->last = last;
	if (c->last == 0)
		c->last = 1;
	for (;; c->last++) {
		cache_name(c->last, name);
		fd = openat(c->dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC,
		    c->mode);
		if (fd < 0 || fstat(fd, &s) != 0)
			break;
		/* A cut off write may have left any size. */
		*end_r = ((uint64_t)s.st_size + ALIGN - 1) / ALIGN * ALIGN;
		if (*end_r + size <= CACHE_SEGMENT)
			return fd;
		close(fd);
	}
	err_sys(e, "%s", name);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* How many of the entries fit into one segment together. */
static size_t
batch(const struct cache_entry *entries, size_t n, uint64_t *size_r)
{
	uint64_t size = 0, more;
	size_t i;

	for (i = 0; i < n; i++) {
		more = cacheable(&entries[i])
		    ? cache_entry_size(entries[i].record.n)
		    : 0;
		if (size + more > CACHE_SEGMENT)
			break;
		size += more;
	}
	*size_r = size;
	return i;
}

static int
write_batch(struct cache *c, uint32_t last, const struct cache_entry *entries,
    size_t n, uint64_t size, struct cache_place *places_r, struct err *e)
{
	struct buf b = BUF_INIT(CACHE_SEGMENT);
	uint64_t end;
	ssize_t done;
	int fd = open_last(c, last, size, &end, e);

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!cacheable(&entries[i]))
			continue;
		places_r[i].segment = c->last;
		places_r[i].offset = (uint32_t)(end + b.n);
		add_entry(&b, &entries[i]);
	}
	done = pwrite(fd, b.p, b.n, (off_t)end);
	if (done >= 0 && done < (ssize_t)b.n)
		errno = ENOSPC;
	if (done != (ssize_t)b.n)
		err_sys(e, "write cache");
	n = b.n;
	close(fd);
	buf_free(&b);
	return done == (ssize_t)n ? 0 : -1;
}

int
cache_append(struct cache *c, uint32_t last, const struct cache_entry *entries,
    size_t n, struct cache_place *places_r, struct err *e)
{
	uint64_t size;
	size_t now;

	memset(places_r, 0, n * sizeof(*places_r));
	for (size_t i = 0; i < n; i += now) {
		now = batch(entries + i, n - i, &size);
		if (size > 0 &&
		    write_batch(c, last, entries + i, now, size, places_r + i,
			e) < 0) {
			memset(places_r, 0, n * sizeof(*places_r));
			return -1;
		}
	}
	return 0;
}

/* ---- reading ---- */

/* See how far a segment reaches by now. Another inode is a file begun anew;
 * slices of this one may be in use. */
static bool
look_again(const struct cache *c, struct segment *s)
{
	char name[CACHE_NAME];
	struct stat st;

	cache_name(s->number, name);
	if (fstatat(c->dirfd, name, &st, 0) != 0 || st.st_ino != s->inode)
		return false;
	s->size = (uint64_t)st.st_size;
	return true;
}

static bool
map_segment(const struct cache *c, struct segment *s)
{
	char name[CACHE_NAME];
	struct stat st;
	void *map;
	int fd;

	cache_name(s->number, name);
	fd = openat(c->dirfd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	map = fstat(fd, &st) != 0
	    ? MAP_FAILED
	    : mmap(NULL, CACHE_SEGMENT, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	s->map = map;
	s->size = (uint64_t)st.st_size;
	s->inode = st.st_ino;
	s->checked = xcalloc(CACHE_SEGMENT / ALIGN / 8, 1);
	return true;
}

static struct segment *
find_segment(struct cache *c, uint32_t number)
{
	struct segment s = { .number = number };

	for (size_t i = c->n; i > 0; i--) {
		if (c->v[i - 1].number == number)
			return &c->v[i - 1];
	}
	if (!map_segment(c, &s))
		return NULL;
	c->v = xreallocarray(c->v, c->n + 1, sizeof(*c->v));
	c->v[c->n] = s;
	return &c->v[c->n++];
}

/* The entry's head, when all of the entry is in the file. */
static const unsigned char *
find_entry(struct cache *c, struct cache_place place, struct segment **s_r,
    uint64_t *size_r)
{
	struct segment *s = place.segment > 0 && place.offset % ALIGN == 0
	    ? find_segment(c, place.segment)
	    : NULL;
	uint64_t end = (uint64_t)place.offset + HEAD;

	/* Twice: first the head, then all. */
	for (int i = 0; s && i < 2; i++) {
		if (end > CACHE_SEGMENT ||
		    (end > s->size && (!look_again(c, s) || end > s->size)))
			return NULL;
		*size_r = le_get32(s->map + place.offset + 8);
		end = (uint64_t)place.offset + HEAD + *size_r;
	}
	*s_r = s;
	return s ? (const unsigned char *)s->map + place.offset : NULL;
}

bool
cache_get(struct cache *c, struct cache_place place, uint32_t uid,
    struct slice *record_r)
{
	const unsigned char *head;
	struct segment *s;
	unsigned char *byte,
	    bit = (unsigned char)(1u << place.offset / ALIGN % 8);
	uint64_t size;

	head = find_entry(c, place, &s, &size);
	if (!head || memcmp(head, MAGIC, 4) != 0 || le_get32(head + 4) != uid)
		return false;
	*record_r = slice_of((const char *)head + HEAD, size);
	byte = &s->checked[place.offset / ALIGN / 8];
	if (!(*byte & bit) &&
	    (size == 0 || size > MSGREC_MAX ||
		checksum(head, record_r->p, size) != le_get32(head + 12) ||
		!msgrec_in_bounds(*record_r)))
		return false;
	*byte |= bit;
	return true;
}

uint64_t
cache_size(struct cache *c, struct cache_place place)
{
	struct segment *s;
	uint64_t size;

	return find_entry(c, place, &s, &size) ? cache_entry_size(size) : 0;
}
