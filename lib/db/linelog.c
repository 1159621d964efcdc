/*
 * linelog.c - append to and replay a text log. See linelog.h.
 */
#include "db/linelog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/file.h"

#define CHECKSUM 8     /* hex digits */
#define BLOCK_MIN 4096 /* most refreshes find a line or two */
#define BLOCK_MAX (256 * 1024)
#define HEADER_MAX 256 /* MAGIC GENERATION SP CHECKSUM LF */
#define COPY_FLUSH (256 * 1024)

/* ---- lines and units ---- */

static uint32_t
seed_of(uint64_t gen)
{
	unsigned char b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (unsigned char)(gen >> 8 * i);
	return (uint32_t)crc32(0, b, sizeof(b));
}

/* sum is the seed for the first line of a unit, the checksum of the line
 * before for the others. */
static uint32_t
checksum(uint32_t sum, struct slice payload)
{
	return (uint32_t)crc32_z(sum, (const unsigned char *)payload.p,
	    payload.n);
}

static void
line_add(struct buf *b, struct slice payload, uint32_t sum, bool more)
{
	static const char hex[] = "0123456789abcdef";
	char tail[CHECKSUM + 3];
	size_t n = 0;

	tail[n++] = ' ';
	for (int shift = 28; shift >= 0; shift -= 4)
		tail[n++] = hex[sum >> shift & 15];
	if (more)
		tail[n++] = '+';
	tail[n++] = '\n';
	buf_add(b, payload);
	buf_add(b, slice_of(tail, n));
}

/* Take a line (without LF) apart. False if it does not look like one. */
static bool
line_cut(struct slice line, struct slice *payload_r, uint32_t *sum_r,
    bool *more_r)
{
	uint64_t sum;

	*more_r = line.n > 0 && line.p[line.n - 1] == '+';
	if (*more_r)
		line.n--;
	if (line.n < CHECKSUM + 2 || line.p[line.n - CHECKSUM - 1] != ' ')
		return false;
	if (!slice_hex64(slice_skip(line, line.n - CHECKSUM), &sum))
		return false;
	*sum_r = (uint32_t)sum;
	*payload_r = slice_head(line, line.n - CHECKSUM - 1);
	return true;
}

enum unit { UNIT_WHOLE, UNIT_SHORT, UNIT_BAD };

/* Check the unit that s begins with: whole (and its length), bad, or more
 * bytes are needed to tell. */
static enum unit
unit_check(uint32_t seed, struct slice s, size_t *n_r)
{
	struct slice line, rest = s, payload;
	uint32_t sum = seed, found;
	bool more = true;

	while (more) {
		if (!slice_cut(rest, '\n', &line, &rest))
			return UNIT_SHORT;
		if (!line_cut(line, &payload, &found, &more))
			return UNIT_BAD;
		sum = checksum(sum, payload);
		if (sum != found)
			return UNIT_BAD;
	}
	*n_r = s.n - rest.n;
	return UNIT_WHOLE;
}

/* The next line of a unit that was found whole. False at its end. */
static bool
unit_line(struct slice *unit, struct slice *payload_r, bool *more_r)
{
	struct slice line;
	uint32_t sum;

	return slice_cut(*unit, '\n', &line, unit) &&
	    line_cut(line, payload_r, &sum, more_r);
}

/* ---- header ---- */

static void
set_trail(struct db_log *l, const char *end)
{
	memcpy(l->trail, end - DB_LOG_TRAIL, DB_LOG_TRAIL);
}

int
db_log_start(struct db_log *l, int fd, const char *magic, uint64_t gen,
    struct err *e)
{
	struct buf b = BUF_INIT(HEADER_MAX);
	int rc;

	*l = (struct db_log)DB_LOG_INIT;
	buf_addf(&b, "%s %llu", magic, (unsigned long long)gen);
	line_add(&b, SLICE_NULL, checksum(seed_of(gen), buf_slice(&b)), false);
	rc = file_write(fd, buf_slice(&b), e);
	if (rc == 0) {
		l->fd = fd;
		l->gen = gen;
		l->first = l->end = b.n;
		set_trail(l, b.p + b.n);
	}
	buf_free(&b);
	return rc;
}

/* The first line must be whole and of this kind. */
static bool
read_header(struct db_log *l, struct slice text, const char *magic)
{
	struct slice line, rest, payload, gen;
	uint32_t sum;
	bool more;
	size_t n;

	if (!slice_cut(text, '\n', &line, &rest) ||
	    !line_cut(line, &payload, &sum, &more) ||
	    !slice_starts(payload, slice_str(magic)))
		return false;
	gen = slice_skip(payload, strlen(magic));
	if (!slice_starts(gen, SLICE(" ")) ||
	    !slice_u64(slice_skip(gen, 1), &l->gen))
		return false;
	if (unit_check(seed_of(l->gen), text, &n) != UNIT_WHOLE ||
	    n != line.n + 1)
		return false;
	l->first = l->end = n;
	set_trail(l, text.p + n);
	return true;
}

int
db_log_open(struct db_log *l, int dirfd, const char *name, const char *magic,
    struct err *e)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW;
	char text[HEADER_MAX];
	ssize_t n;

	*l = (struct db_log)DB_LOG_INIT;
	l->fd = openat(dirfd, name, O_RDWR | flags);
	if (l->fd < 0 && (errno == EACCES || errno == EROFS))
		l->fd = openat(dirfd, name, O_RDONLY | flags);
	if (l->fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", name);
	n = pread(l->fd, text, sizeof(text), 0);
	if (n < 0)
		err_sys(e, "%s", name);
	else if (!read_header(l, slice_of(text, (size_t)n), magic))
		err_set(e, ERR_SYNTAX, "%s: not a log of kind \"%s\"", name,
		    magic);
	else
		return 1;
	db_log_close(l);
	return -1;
}

void
db_log_close(struct db_log *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

int
db_log_seek(struct db_log *l, uint64_t offset, struct err *e)
{
	l->end = offset;
	return file_pread(l->fd, l->trail, DB_LOG_TRAIL,
	    (off_t)offset - DB_LOG_TRAIL, e);
}

/* ---- replay ---- */

/* A window of the file: block[at..n) is not looked at yet. */
struct reader {
	int fd;
	uint64_t offset; /* of block[0] in the file */
	char *block;
	size_t at, n, size;
	bool eof;
};

static void
reader_open(struct reader *r, int fd, uint64_t offset, uint64_t expected)
{
	*r = (struct reader){ .fd = fd, .offset = offset };
	r->size = expected < BLOCK_MIN ? BLOCK_MIN
	    : expected < BLOCK_MAX     ? (size_t)expected
				       : BLOCK_MAX;
	r->block = xmalloc(r->size);
}

static struct slice
reader_rest(const struct reader *r)
{
	return slice_of(r->block + r->at, r->n - r->at);
}

static uint64_t
reader_offset(const struct reader *r)
{
	return r->offset + r->at;
}

/* Read more behind what is there; grows for a unit larger than the window.
 * Sets eof when there is no more. */
static int
reader_fill(struct reader *r, struct err *e)
{
	ssize_t n;

	memmove(r->block, r->block + r->at, r->n - r->at);
	r->offset += r->at;
	r->n -= r->at;
	r->at = 0;
	if (r->n == r->size) {
		r->size *= 2;
		r->block = xrealloc(r->block, r->size);
	}
	n = pread(r->fd, r->block + r->n, r->size - r->n,
	    (off_t)(r->offset + r->n));
	if (n < 0)
		return err_sys(e, "read of log");
	r->n += (size_t)n;
	r->eof = n == 0;
	return 0;
}

/* The next unit, as unit_check; UNIT_SHORT only at the end of the file. */
static int
reader_unit(struct reader *r, uint32_t seed, enum unit *unit_r, size_t *n_r,
    struct err *e)
{
	while ((*unit_r = unit_check(seed, reader_rest(r), n_r)) ==
	    UNIT_SHORT) {
		if (r->eof)
			return 0;
		if (r->n - r->at >= DB_UNIT_MAX) {
			*unit_r = UNIT_BAD;
			return 0;
		}
		if (reader_fill(r, e) != 0)
			return -1;
	}
	return 0;
}

/* Pass over the line under the cursor, or over the window if it is longer: a
 * checksum does not fit to the rest of a line either. */
static void
reader_skip_line(struct reader *r)
{
	ssize_t lf = slice_chr(reader_rest(r), '\n');

	r->at = lf < 0 ? r->n : r->at + (size_t)lf + 1;
}

/* Called with each valid unit. Returns > 0 to stop before it, < 0 to fail. */
typedef int unit_fn(void *arg, struct slice unit, uint64_t end, struct err *e);

struct walk {
	uint32_t seed;
	bool salvage;
	bool unnamed; /* the next log may have taken the name */
	uint64_t bad; /* bytes passed over */
	unit_fn *fn;
	void *arg;
};

/* From r on; the end and trail of l follow what was passed. */
static enum db_log_state
walk_units(struct walk *w, struct reader *r, struct db_log *l, struct err *e)
{
	uint64_t bad_from = UINT64_MAX; /* of the bad lines just before r */
	enum unit unit;
	size_t n;
	int rc;

	for (;;) {
		if (reader_unit(r, w->seed, &unit, &n, e) != 0)
			return DB_LOG_FAILED;
		if (unit != UNIT_WHOLE) {
			if (r->at == r->n)
				return bad_from == UINT64_MAX ? DB_LOG_CLEAN
							      : DB_LOG_TORN;
			if (bad_from == UINT64_MAX)
				bad_from = reader_offset(r);
			reader_skip_line(r);
			continue;
		}
		if (bad_from != UINT64_MAX) {
			if (!w->salvage)
				return DB_LOG_DAMAGED;
			w->bad += reader_offset(r) - bad_from;
			bad_from = UINT64_MAX;
		}
		rc = w->fn(w->arg, slice_head(reader_rest(r), n),
		    reader_offset(r) + n, e);
		if (rc != 0)
			return rc < 0 ? DB_LOG_FAILED : DB_LOG_ENDED;
		r->at += n;
		l->end = reader_offset(r);
		set_trail(l, r->block + r->at);
	}
}

/* Is what was replayed last still there? 1, 0, -1. */
static int
pass_trail(const struct db_log *l, struct reader *r, struct err *e)
{
	if (reader_fill(r, e) != 0)
		return -1;
	if (r->n < DB_LOG_TRAIL ||
	    memcmp(r->block, l->trail, DB_LOG_TRAIL) != 0)
		return 0;
	r->at = DB_LOG_TRAIL;
	return 1;
}

static enum db_log_state
walk(struct walk *w, struct db_log *l, struct err *e)
{
	enum db_log_state state;
	struct reader r;
	struct stat st;
	int stands;

	if (fstat(l->fd, &st) != 0)
		return err_sys(e, "log");
	if ((st.st_nlink == 0 && !w->unnamed) || (uint64_t)st.st_size < l->end)
		return DB_LOG_REPLACED;
	if ((uint64_t)st.st_size == l->end)
		return DB_LOG_CLEAN;
	w->seed = seed_of(l->gen);
	reader_open(&r, l->fd, l->end - DB_LOG_TRAIL,
	    (uint64_t)st.st_size - l->end + DB_LOG_TRAIL);
	stands = pass_trail(l, &r, e);
	state = stands < 0 ? DB_LOG_FAILED
	    : stands == 0  ? DB_LOG_REPLACED
			   : walk_units(w, &r, l, e);
	free(r.block);
	return state;
}

/* ---- lines of units ---- */

struct replay {
	struct db_log *l;
	db_line_fn *fn;
	void *arg;
};

/* A line of the log's own. 1: the log ends here. */
static int
own_line(struct db_log *l, struct slice payload)
{
	if (slice_starts(payload, SLICE("@end ")))
		return 1;
	if (slice_is(payload, "@placed"))
		l->placed = true;
	if (slice_is(payload, "@suspect"))
		l->suspect = true;
	return 0;
}

static int
replay_unit(void *arg, struct slice unit, uint64_t end, struct err *e)
{
	struct replay *rp = arg;
	struct slice payload;
	bool more;

	while (unit_line(&unit, &payload, &more)) {
		if (slice_starts(payload, SLICE("@"))) {
			if (own_line(rp->l, payload))
				return 1;
		} else if (rp->fn(rp->arg, payload, end, e) < 0) {
			return -1;
		}
	}
	return 0;
}

enum db_log_state
db_log_replay(struct db_log *l, bool salvage, uint64_t *bad_r, db_line_fn *fn,
    void *arg, struct err *e)
{
	struct replay rp = { l, fn, arg };
	struct walk w = { .salvage = salvage, .fn = replay_unit, .arg = &rp };
	enum db_log_state state = walk(&w, l, e);

	if (bad_r != NULL)
		*bad_r = w.bad;
	return state;
}

bool
db_log_finish(struct db_log *l, db_line_fn *fn, void *arg, struct err *e)
{
	struct replay rp = { l, fn, arg };
	struct walk w = { .unnamed = true, .fn = replay_unit, .arg = &rp };

	return walk(&w, l, e) == DB_LOG_ENDED;
}

/* ---- append ---- */

static int
append_bytes(struct db_log *l, struct slice s, struct err *e)
{
	ssize_t n = pwrite(l->fd, s.p, s.n, (off_t)l->end);

	if (n != (ssize_t)s.n) {
		if (n >= 0)
			errno = ENOSPC;
		err_sys(e, "append to log");
		/* If even this fails, it is a torn tail. */
		if (n > 0)
			db_log_cut(l, l->end, NULL);
		return -1;
	}
	l->end += s.n;
	set_trail(l, s.p + s.n);
	return 0;
}

static bool
payload_ok(struct slice payload)
{
	return payload.n > 0 && slice_chr(payload, '\n') < 0;
}

int
db_log_append(struct db_log *l, const struct slice *lines, size_t n,
    struct err *e)
{
	struct buf b = BUF_INIT(DB_UNIT_MAX);
	uint32_t sum = seed_of(l->gen);
	int rc = -1;

	for (size_t i = 0; i < n; i++) {
		if (!payload_ok(lines[i])) {
			err_set(e, ERR_SYNTAX, "log: line empty or with LF");
			goto out;
		}
		sum = checksum(sum, lines[i]);
		line_add(&b, lines[i], sum, i + 1 < n);
	}
	if (b.over)
		err_set(e, ERR_LIMIT, "log: too much in one unit");
	else
		rc = b.n > 0 ? append_bytes(l, buf_slice(&b), e) : 0;
out:
	buf_free(&b);
	return rc;
}

int
db_log_cut(struct db_log *l, uint64_t end, struct err *e)
{
	if (ftruncate(l->fd, (off_t)end) != 0)
		return err_sys(e, "truncate of log");
	return db_log_seek(l, end, e);
}

int
db_log_replace(struct db_log *l, uint64_t end, struct slice line, struct err *e)
{
	struct db_log as_it_was = *l;

	if (db_log_seek(l, end, e) == 0 && db_log_append(l, &line, 1, e) == 0)
		return db_log_cut(l, l->end, e);
	*l = as_it_was;
	return -1;
}

/* ---- copy ---- */

struct copy {
	struct db_log *to;
	struct buf out;
};

static int
copy_flush(struct copy *c, struct err *e)
{
	int rc = c->out.n > 0 ? append_bytes(c->to, buf_slice(&c->out), e) : 0;

	buf_reset(&c->out);
	return rc;
}

static int
copy_unit(void *arg, struct slice unit, uint64_t end, struct err *e)
{
	struct copy *c = arg;
	uint32_t sum = seed_of(c->to->gen);
	struct slice payload;
	bool more;

	(void)end;
	if (slice_starts(unit, SLICE("@")))
		return slice_starts(unit, SLICE("@end "));
	while (unit_line(&unit, &payload, &more)) {
		sum = checksum(sum, payload);
		line_add(&c->out, payload, sum, more);
	}
	return c->out.n < COPY_FLUSH ? 0 : copy_flush(c, e);
}

int
db_log_copy(struct db_log *to, const struct db_log *from, uint64_t offset,
    struct err *e)
{
	struct copy c = { to, BUF_INIT(SIZE_MAX) };
	struct walk w = { .salvage = true, .fn = copy_unit, .arg = &c };
	struct db_log source = *from;
	int rc = -1;

	if (db_log_seek(&source, offset, e) == 0 &&
	    walk(&w, &source, e) != DB_LOG_FAILED)
		rc = copy_flush(&c, e);
	buf_free(&c.out);
	return rc;
}

static int
count_unit(void *arg, struct slice unit, uint64_t end, struct err *e)
{
	(void)end, (void)e;
	if (slice_starts(unit, SLICE("@")))
		return slice_starts(unit, SLICE("@end "));
	*(uint64_t *)arg += unit.n;
	return 0;
}

int
db_log_copied(const struct db_log *from, uint64_t offset, uint64_t *n_r,
    struct err *e)
{
	struct walk w = {
		.salvage = true, .unnamed = true, .fn = count_unit, .arg = n_r
	};
	struct db_log source = *from;

	*n_r = 0;
	return db_log_seek(&source, offset, e) == 0 &&
		walk(&w, &source, e) != DB_LOG_FAILED
	    ? 0
	    : -1;
}
