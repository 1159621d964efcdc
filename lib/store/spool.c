/*
 * spool.c - take in a message, with CRLF turned into LF on the way.
 *
 * As long as every line ended in CRLF, what is kept can be turned back; so at
 * the first bare CR or LF it is, once, and the rest is kept as it comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/file.h"
#include "store/store_int.h"

#define PIECE (64 * 1024) /* bytes read or converted at a time */

struct spool {
	const struct store_env *env;
	uint64_t limit;
	uint64_t wire, stored;
	bool verbatim;
	bool cr; /* a CR at the end of what came, not yet kept */
	struct err failed;
	int fd;         /* -1 while in memory */
	struct buf mem; /* all of it, or what is to be written to fd next */
	struct buf out; /* the piece that spool_read gave */
	uint64_t read_wire, read_stored; /* how far spool_read came */
};

struct spool *
spool_new(const struct store_env *env, uint64_t limit)
{
	struct spool *sp = xcalloc(1, sizeof(*sp));

	sp->env = env;
	sp->limit = limit > 0 ? limit : INT64_MAX;
	sp->fd = -1;
	sp->mem = (struct buf)BUF_INIT(SPOOL_MEMORY);
	sp->out = (struct buf)BUF_INIT(2 * PIECE);
	return sp;
}

void
spool_free(struct spool **spp)
{
	struct spool *sp = *spp;

	if (!sp)
		return;
	if (sp->fd >= 0)
		close(sp->fd);
	buf_free(&sp->mem);
	buf_free(&sp->out);
	free(sp);
	*spp = NULL;
}

/* ---- keeping bytes ---- */

/* A file without a name in data/tmp; where the file system cannot, one that
 * loses its name at once. */
int
spool_unnamed(const struct store_env *env, struct err *e)
{
	char name[LAYOUT_NAME], path[LAYOUT_NAME + 4];
	int fd;

	file_mkdirs(env->data_fd, "tmp", store_folder_mode(env), NULL);
	fd = openat(env->data_fd, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	layout_tmp(env, name);
	snprintf(path, sizeof(path), "tmp/%s", name);
	fd = openat(env->data_fd, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return err_sys(e, "make a spool file");
	unlinkat(env->data_fd, path, 0);
	return fd;
}

static int
flush(struct spool *sp, struct err *e)
{
	if (sp->fd < 0 && (sp->fd = spool_unnamed(sp->env, e)) < 0)
		return -1;
	if (file_write(sp->fd, buf_slice(&sp->mem), e) < 0)
		return -1;
	buf_reset(&sp->mem);
	return 0;
}

/* Room for some of n > 0 bytes: how many, or 0 with e set. */
static size_t
make_room(struct spool *sp, size_t n, struct err *e)
{
	if (sp->mem.n == SPOOL_MEMORY && flush(sp, e) < 0)
		return 0;
	if (n > SPOOL_MEMORY - sp->mem.n)
		n = SPOOL_MEMORY - sp->mem.n;
	return n;
}

static int
keep(struct spool *sp, struct slice s, struct err *e)
{
	size_t n;

	for (; s.n > 0; s = slice_skip(s, n)) {
		n = make_room(sp, s.n, e);
		if (n == 0)
			return -1;
		buf_add(&sp->mem, slice_head(s, n));
		sp->stored += n;
	}
	return 0;
}

/* ---- CRLF to LF ---- */

/*
 * Copy p[0..n) to dst with LF for CRLF, up to a bare CR or LF, or a CR that
 * is the last byte. Returns how many bytes were taken, *dst_n how many made.
 */
static size_t
convert(const char *p, size_t n, char *dst, size_t *dst_n)
{
	const char *start = p, *end = p + n, *lf, *cr;
	char *out = dst;

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		cr = memchr(p, '\r', (size_t)((lf ? lf : end) - p));
		n = (size_t)((cr ? cr : lf ? lf : end) - p);
		memcpy(out, p, n);
		out += n;
		if (!lf || !cr || cr + 1 != lf) {
			p += n;
			break;
		}
		*out++ = '\n';
	}
	*dst_n = (size_t)(out - dst);
	return (size_t)(p - start);
}

/* ---- back to wire form ---- */

static void
expand(struct buf *out, struct slice s)
{
	struct slice line;
	bool more;

	while (s.n > 0) {
		more = slice_cut(s, '\n', &line, &s);
		buf_add(out, line);
		if (more)
			buf_add(out, SLICE("\r\n"));
	}
}

/* Read up to PIECE stored bytes at offset; they are valid until the next
 * call. Once all is in the file, mem serves as window. */
static int
stored_piece(int fd, struct buf *mem, uint64_t offset, struct slice *piece_r,
    struct err *e)
{
	ssize_t n;

	if (fd < 0) {
		*piece_r =
		    slice_head(slice_skip(buf_slice(mem), offset), PIECE);
		return 0;
	}
	buf_reset(mem);
	do {
		n = pread(fd, buf_space(mem, PIECE), PIECE, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read spool file");
	mem->n = (size_t)n;
	*piece_r = buf_slice(mem);
	return 0;
}

/* A bare CR or LF came: keep in wire form what was converted so far. */
static int
become_verbatim(struct spool *sp, struct err *e)
{
	struct buf old = sp->mem, wire = BUF_INIT(2 * PIECE);
	uint64_t size = sp->stored, offset = 0;
	struct slice piece;
	int fd = sp->fd, rc = 0;

	if (fd >= 0)
		rc = file_write(fd, buf_slice(&old), e);
	sp->mem = (struct buf)BUF_INIT(SPOOL_MEMORY);
	sp->fd = -1;
	sp->stored = 0;
	sp->verbatim = true;
	while (rc == 0 && offset < size) {
		rc = stored_piece(fd, &old, offset, &piece, e);
		if (rc == 0 && piece.n == 0)
			rc = err_set(e, ERR_TEMP, "spool file is cut off");
		offset += piece.n;
		buf_reset(&wire);
		expand(&wire, piece);
		if (rc == 0)
			rc = keep(sp, buf_slice(&wire), e);
	}
	if (fd >= 0)
		close(fd);
	buf_free(&old);
	buf_free(&wire);
	return rc;
}

/* ---- taking in ---- */

/* A CR was held back, and what follows is no LF, or nothing. */
static int
bare_cr(struct spool *sp, struct err *e)
{
	sp->cr = false;
	return become_verbatim(sp, e) < 0 ? -1 : keep(sp, SLICE("\r"), e);
}

/* Convert some of s. If it begins with a bare CR or LF, nothing is taken but
 * from now on all is kept as it comes. */
static int
take_some(struct spool *sp, struct slice *s, struct err *e)
{
	size_t room = make_room(sp, s->n, e), taken, made;

	if (room == 0)
		return -1;
	taken = convert(s->p, room, buf_space(&sp->mem, room), &made);
	sp->mem.n += made;
	sp->stored += made;
	*s = slice_skip(*s, taken);
	if (taken == room)
		return 0;
	if (taken + 1 < room || s->p[0] != '\r')
		return become_verbatim(sp, e);
	sp->cr = true;
	*s = slice_skip(*s, 1);
	return 0;
}

static int
take(struct spool *sp, struct slice s, struct err *e)
{
	int rc = 0;

	while (s.n > 0 && !sp->verbatim && rc == 0) {
		if (!sp->cr)
			rc = take_some(sp, &s, e);
		else if (s.p[0] != '\n')
			rc = bare_cr(sp, e);
		else {
			sp->cr = false;
			rc = keep(sp, slice_head(s, 1), e);
			s = slice_skip(s, 1);
		}
	}
	return rc == 0 ? keep(sp, s, e) : -1;
}

static int
fail(struct spool *sp, struct err *e)
{
	if (e)
		*e = sp->failed;
	return -1;
}

int
spool_add(struct spool *sp, struct slice wire, struct err *e)
{
	if (sp->failed.kind != ERR_NONE)
		return fail(sp, e);
	if (wire.n > sp->limit - sp->wire) {
		err_set(&sp->failed, ERR_LIMIT,
		    "message larger than %llu bytes",
		    (unsigned long long)sp->limit);
		return fail(sp, e);
	}
	sp->wire += wire.n;
	return take(sp, wire, &sp->failed) < 0 ? fail(sp, e) : 0;
}

int
spool_end(struct spool *sp, struct err *e)
{
	if (sp->failed.kind != ERR_NONE)
		return fail(sp, e);
	if (sp->cr && bare_cr(sp, &sp->failed) < 0)
		return fail(sp, e);
	if (sp->fd >= 0 && flush(sp, &sp->failed) < 0)
		return fail(sp, e);
	return 0;
}

uint64_t
spool_wire_size(const struct spool *sp)
{
	return sp->wire;
}

uint64_t
spool_stored_size(const struct spool *sp)
{
	return sp->stored;
}

bool
spool_verbatim(const struct spool *sp)
{
	return sp->verbatim;
}

/* ---- giving out ---- */

int
spool_read(struct spool *sp, uint64_t *offset, struct slice *wire_r,
    struct err *e)
{
	struct slice piece = SLICE_NULL;

	if (*offset != sp->read_wire)
		sp->read_wire = sp->read_stored = 0;
	do {
		if (sp->read_stored >= sp->stored)
			return 0;
		if (stored_piece(sp->fd, &sp->mem, sp->read_stored, &piece, e) <
		    0)
			return -1;
		if (piece.n == 0)
			return err_set(e, ERR_TEMP, "spool file is cut off");
		*wire_r = piece;
		if (!sp->verbatim) {
			buf_reset(&sp->out);
			expand(&sp->out, piece);
			*wire_r = buf_slice(&sp->out);
		}
		sp->read_stored += piece.n;
		sp->read_wire += wire_r->n;
	} while (sp->read_wire <= *offset);
	*wire_r =
	    slice_skip(*wire_r, wire_r->n - (size_t)(sp->read_wire - *offset));
	*offset = sp->read_wire;
	return 1;
}

static int
copy_file(int from, uint64_t size, int to, struct err *e)
{
	off_t offset = 0;
	ssize_t n;

	while ((uint64_t)offset < size) {
		n = sendfile(to, from, &offset, size - (uint64_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "copy message");
		if (n == 0)
			return err_set(e, ERR_TEMP, "spool file is cut off");
	}
	return 0;
}

int
spool_write(struct spool *sp, struct slice prefix, int fd, uint64_t *stored_r,
    uint64_t *wire_r, struct err *e)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	size_t made;
	int rc;

	if (sp->verbatim)
		buf_add(&b, prefix);
	else if (prefix.n > 0) {
		if (convert(prefix.p, prefix.n, buf_space(&b, prefix.n),
			&made) != prefix.n) {
			buf_free(&b);
			return err_set(e, ERR_SYNTAX,
			    "bare CR or LF in header");
		}
		b.n = made;
	}
	*stored_r = b.n + sp->stored;
	*wire_r = prefix.n + sp->wire;
	if (sp->fd < 0) /* most mail: one write */
		buf_add(&b, buf_slice(&sp->mem));
	rc = file_write(fd, buf_slice(&b), e);
	if (rc == 0 && sp->fd >= 0)
		rc = copy_file(sp->fd, sp->stored, fd, e);
	buf_free(&b);
	return rc;
}
