/*
 * cdb.c - map constant data bases and build them. See cdb.h.
 */
#include "db/cdb.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "db/newfile.h"
#include "db/sync.h"

/* ---- reading ---- */

struct db_cdb {
	struct cdb map; /* tinycdb's; look-ups work on copies */
};

/* Put a private mapping where tinycdb has its shared one. */
static int
remap_private(struct cdb *map, int fd)
{
	void *at = (void *)(uintptr_t)map->cdb_mem;
	void *got = mmap(at, map->cdb_fsize, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_FIXED, fd, 0);

	return got == at ? 0 : -1;
}

static int
open_map(struct db_cdb **c_r, int dirfd, const char *name, bool private,
    struct err *e)
{
	struct db_cdb *c;
	int fd, rc;

	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", name);
	c = xcalloc(1, sizeof(*c));
	rc = cdb_init(&c->map, fd);
	if (rc == 0 && private) {
		rc = remap_private(&c->map, fd);
		if (rc != 0)
			cdb_free(&c->map);
	}
	if (rc != 0) {
		err_sys(e, "%s", name);
		if (errno == EPROTO)
			err_set(e, ERR_SYNTAX, "%s: not a cdb", name);
		free(c);
	} else {
		*c_r = c;
	}
	close(fd);
	return rc == 0 ? 1 : -1;
}

int
db_cdb_open(struct db_cdb **c_r, int dirfd, const char *name, struct err *e)
{
	return open_map(c_r, dirfd, name, false, e);
}

int
db_cdb_open_private(struct db_cdb **c_r, int dirfd, const char *name,
    struct err *e)
{
	return open_map(c_r, dirfd, name, true, e);
}

void
db_cdb_close(struct db_cdb **c)
{
	if (*c == NULL)
		return;
	cdb_free(&(*c)->map);
	free(*c);
	*c = NULL;
}

size_t
db_cdb_size(const struct db_cdb *c)
{
	return c == NULL ? 0 : c->map.cdb_fsize;
}

int
db_cdb_get(const struct db_cdb *c, struct slice key, struct slice *value_r,
    struct err *e)
{
	struct cdb at;
	int found;

	if (c == NULL)
		return 0;
	at = c->map;
	found = cdb_find(&at, key.p, (unsigned)key.n);
	if (found == 0)
		return 0;
	value_r->n = cdb_datalen(&at);
	value_r->p = found > 0 ? cdb_getdata(&at) : NULL;
	if (value_r->p == NULL)
		return err_set(e, ERR_SYNTAX, "damaged cdb");
	return 1;
}

bool
db_cdb_next(const struct db_cdb *c, unsigned *pos, struct slice *key_r,
    struct slice *value_r)
{
	unsigned before;
	struct cdb at;

	if (c == NULL)
		return false;
	at = c->map;
	if (*pos == 0)
		cdb_seqinit(pos, &at);
	for (;;) {
		before = *pos;
		/* Lengths in a damaged file may wrap around and lead back. */
		if (cdb_seqnext(pos, &at) <= 0 || *pos <= before)
			return false;
		*key_r = slice_of(cdb_getkey(&at), cdb_keylen(&at));
		*value_r = slice_of(cdb_getdata(&at), cdb_datalen(&at));
		if (key_r->n > 0 && key_r->p != NULL && value_r->p != NULL)
			return true;
	}
}

/* ---- building ---- */

#define HEAD 2048 /* 256 tables, position and length each */
#define BLOCK (64 * 1024)
#define ALIGN 8
#define SIZE_TOP UINT32_MAX /* offsets have 32 bits */

struct slot {
	uint32_t hash, pos;
};

struct db_cdb_make {
	struct db_newfile file;
	char name[NAME_MAX + 1];
	uint64_t pos;  /* file offset of the next byte */
	uint64_t owed; /* bytes of the begun value still to come */
	struct slot *slots;
	size_t nslots, size;
	struct err err; /* the first failure; later calls do nothing */
	size_t used;
	char block[BLOCK];
};

static void
fail(struct db_cdb_make *m, enum err_kind kind, const char *why)
{
	if (m->err.kind == ERR_NONE)
		err_set(&m->err, kind, "%s: %s", m->name, why);
}

static void
flush(struct db_cdb_make *m)
{
	if (m->err.kind == ERR_NONE)
		file_write(m->file.fd, slice_of(m->block, m->used), &m->err);
	m->used = 0;
}

static void
put(struct db_cdb_make *m, struct slice s)
{
	if (m->pos + s.n > SIZE_TOP)
		fail(m, ERR_LIMIT, "cdb above 4 GB");
	if (m->err.kind != ERR_NONE)
		return;
	m->pos += s.n;
	if (s.n > BLOCK - m->used)
		flush(m);
	if (s.n > BLOCK) {
		file_write(m->file.fd, s, &m->err);
		return;
	}
	if (s.n > 0)
		memcpy(m->block + m->used, s.p, s.n);
	m->used += s.n;
}

static void
put_pair(struct db_cdb_make *m, uint32_t a, uint32_t b)
{
	unsigned char bytes[8];

	cdb_pack(a, bytes);
	cdb_pack(b, bytes + 4);
	put(m, slice_of((const char *)bytes, sizeof(bytes)));
}

int
db_cdb_make_start(struct db_cdb_make **m_r, int dirfd, const char *name,
    mode_t mode, struct err *e)
{
	static const char zeros[HEAD];
	struct db_cdb_make *m = xcalloc(1, sizeof(*m));

	if (!slice_cstr(slice_str(name), m->name, sizeof(m->name)) ||
	    db_newfile_begin(&m->file, dirfd, name, mode, e) != 0) {
		free(m);
		return err_prefix(e, "%s", name);
	}
	put(m, slice_of(zeros, HEAD));
	*m_r = m;
	return 0;
}

/* The head of a record and its place in the tables. */
static void
begin_record(struct db_cdb_make *m, struct slice key, uint64_t size)
{
	if (m->owed > 0)
		fail(m, ERR_PERM, "value too short");
	if (m->pos + 8 + key.n + size > SIZE_TOP)
		fail(m, ERR_LIMIT, "cdb above 4 GB");
	if (m->err.kind != ERR_NONE)
		return;
	if (m->nslots == m->size) {
		m->size = m->size ? m->size * 2 : 64;
		m->slots = xreallocarray(m->slots, m->size, sizeof(*m->slots));
	}
	m->slots[m->nslots++] =
	    (struct slot){ cdb_hash(key.p, (unsigned)key.n), (uint32_t)m->pos };
	put_pair(m, (uint32_t)key.n, (uint32_t)size);
	put(m, key);
	m->owed = size;
}

void
db_cdb_make_write(struct db_cdb_make *m, struct slice piece)
{
	if (piece.n > m->owed)
		fail(m, ERR_PERM, "value too long");
	if (m->err.kind != ERR_NONE)
		return;
	m->owed -= piece.n;
	put(m, piece);
}

void
db_cdb_make_add(struct db_cdb_make *m, struct slice key, struct slice value)
{
	begin_record(m, key, value.n);
	db_cdb_make_write(m, value);
}

void
db_cdb_make_begin(struct db_cdb_make *m, struct slice key, uint64_t size)
{
	static const char zeros[ALIGN];
	size_t past = (m->pos + 8 + key.n) % ALIGN;

	if (past != 0)
		db_cdb_make_add(m, SLICE(""), slice_of(zeros, ALIGN - past));
	begin_record(m, key, size);
}

/* Write table n of the slots with that low byte, by open addressing. */
static void
put_table(struct db_cdb_make *m, const struct slot *slots, size_t n)
{
	size_t size = n * 2;
	struct slot *table = xcalloc(size + 1, sizeof(*table));

	for (size_t i = 0; i < n; i++) {
		size_t at = (slots[i].hash >> 8) % size;

		while (table[at].pos != 0)
			at = at + 1 == size ? 0 : at + 1;
		table[at] = slots[i];
	}
	for (size_t i = 0; i < size; i++)
		put_pair(m, table[i].hash, table[i].pos);
	free(table);
}

/* Slots grouped by low byte of the hash, in the order of adding, so that the
 * first of equal keys is found first. counts_r gets the size of each group. */
static struct slot *
group_slots(const struct db_cdb_make *m, size_t counts_r[256])
{
	struct slot *sorted = xcalloc(m->nslots + 1, sizeof(*sorted));
	size_t next[256], sum = 0;

	memset(counts_r, 0, 256 * sizeof(counts_r[0]));
	for (size_t i = 0; i < m->nslots; i++)
		counts_r[m->slots[i].hash & 255]++;
	for (int b = 0; b < 256; b++) {
		next[b] = sum;
		sum += counts_r[b];
	}
	for (size_t i = 0; i < m->nslots; i++)
		sorted[next[m->slots[i].hash & 255]++] = m->slots[i];
	return sorted;
}

static void
put_tables(struct db_cdb_make *m, unsigned char head[HEAD])
{
	size_t counts[256], done = 0;
	struct slot *sorted = group_slots(m, counts);

	for (int b = 0; b < 256; b++) {
		cdb_pack((unsigned)m->pos, head + 8 * b);
		cdb_pack((unsigned)counts[b] * 2, head + 8 * b + 4);
		put_table(m, sorted + done, counts[b]);
		done += counts[b];
	}
	free(sorted);
}

int
db_cdb_make_finish(struct db_cdb_make *m, struct err *e)
{
	unsigned char head[HEAD];

	if (m->owed > 0)
		fail(m, ERR_PERM, "value too short");
	put_tables(m, head);
	flush(m);
	if (m->err.kind == ERR_NONE &&
	    pwrite(m->file.fd, head, HEAD, 0) != HEAD)
		err_sys(&m->err, "%s", m->name);
	if (m->err.kind == ERR_NONE)
		db_newfile_sync(&m->file, &m->err);
	if (m->err.kind == ERR_NONE)
		return 0;
	return err_set(e, m->err.kind, "%s", m->err.text);
}

int
db_cdb_make_place(struct db_cdb_make *m, struct err *e)
{
	return db_newfile_replace(&m->file, m->name, e);
}

int
db_cdb_make_commit(struct db_cdb_make *m, struct err *e)
{
	if (db_cdb_make_finish(m, e) != 0 || db_cdb_make_place(m, e) != 0)
		return -1;
	return db_fsync_dir(m->file.dirfd, m->name, e);
}

void
db_cdb_make_free(struct db_cdb_make **m)
{
	if (*m == NULL)
		return;
	db_newfile_end(&(*m)->file);
	free((*m)->slots);
	free(*m);
	*m = NULL;
}
