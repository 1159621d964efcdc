/*
 * message.c - the file of a message: find it, read it in wire form.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/index.h"

/* Bytes of the file a reader has in memory, of a short one all; in wire form up
 * to twice that. */
#define WINDOW (64 * 1024)

/* ---- finding ---- */

bool
record_file(const struct index *ix, const struct record *r,
    char file_r[LAYOUT_NAME])
{
	struct slice name = index_name(ix, r);

	if (r->place == RECORD_NEW)
		return name.n > 0 && slice_cstr(name, file_r, LAYOUT_NAME);
	return layout_with_flags(name, r->disk, r->letters, file_r);
}

int
record_dir(const struct mailbox *mb, const struct record *r)
{
	return r->place == RECORD_NEW ? mb->folder.new : mb->folder.cur;
}

bool
record_file_renamed(const struct index *ix, const struct record *r,
    char file_r[LAYOUT_NAME])
{
	const struct renaming *n = index_renaming(ix, r->msg.uid);

	return n != NULL &&
	    layout_with_flags(index_name(ix, r), n->disk, n->letters, file_r);
}

static int
open_file(int dirfd, const char *file)
{
	return openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Where the index says, where tidy.c is moving it, where a crashed writer
 * left it. */
static int
open_known(const struct mailbox *mb, const struct record *r)
{
	char file[LAYOUT_NAME];
	int fd = -1;

	if (!record_file(&mb->ix, r, file))
		return errno = ENOENT, -1;
	fd = open_file(record_dir(mb, r), file);
	if (fd < 0 && errno == ENOENT && record_file_renamed(&mb->ix, r, file))
		fd = open_file(mb->folder.cur, file);
	if (fd < 0 && errno == ENOENT &&
	    slice_cstr(index_name(&mb->ix, r), file, sizeof(file)))
		fd = open_file(mb->folder.tmp, file);
	return fd;
}

/* Of an expunged message too, as long as the file is there. */
static const struct record *
find_record(const struct mailbox *mb, uint32_t uid)
{
	uint32_t pos = index_from(&mb->ix, uid);
	const struct record *r;

	if (pos == index_end(&mb->ix))
		return NULL;
	r = index_at(&mb->ix, pos);
	return r->msg.uid == uid ? r : NULL;
}

int
message_open(struct mailbox *mb, uint32_t uid, int *fd_r, struct err *e)
{
	enum { KNOWN, REPLAYED, SCANNED };
	int rc;

	/* The name changes when somebody writes flags into it. */
	for (int i = KNOWN; i <= SCANNED; i++) {
		const struct record *r;

		rc = i == REPLAYED ? index_refresh(mb, e)
		    : i == SCANNED && !mb->gone
		    ? scan_if_changed(mb, SCAN_NOW, e)
		    : 0;
		if (rc < 0)
			return -1;
		if (mb->gone && i > KNOWN)
			return 0;
		r = find_record(mb, uid);
		if (r == NULL)
			return 0;
		*fd_r = open_known(mb, r);
		if (*fd_r >= 0)
			return 1;
		if (errno != ENOENT)
			return err_sys(e, "message %u", (unsigned)uid);
		if (!record_live(r) && i > KNOWN)
			return 0;
	}
	return 0;
}

/* ---- reading ---- */

struct mailbox_reader {
	int fd;
	bool raw;      /* stored as sent: nothing to convert */
	bool mixed;    /* some line ends are CRLF in the file */
	uint64_t at;   /* in the file, behind in[n] */
	uint64_t wire; /* of the next byte to be given */
	char *in;
	size_t size, in_at, in_n;
	bool cr;   /* the byte before in[in_at] is CR */
	bool crlf; /* a line end of the file was CRLF */
	char *out;
	size_t out_at, out_n;
};

static bool
within(const struct record *v, uint32_t n, const struct store_msg *m)
{
	return (uintptr_t)m - (uintptr_t)v < (size_t)n * sizeof(*v);
}

const struct record *
record_of_msg(const struct mailbox *mb, const struct store_msg *m)
{
	const struct index *ix = &mb->ix;
	const struct record *r;
	uint32_t pos;

	/* Most often it is the record's own. */
	if (within(ix->base, ix->nbase, m) || within(ix->tail, ix->ntail, m))
		return (const struct record *)m;
	pos = index_from(ix, m->uid);
	if (pos >= index_end(ix))
		return NULL;
	r = index_at(ix, pos);
	return r->msg.uid == m->uid ? r : NULL;
}

int
mailbox_read_open(struct mailbox_reader **r_r, struct mailbox *mb,
    const struct store_msg *m, struct err *e)
{
	const struct record *rec = record_of_msg(mb, m);
	struct mailbox_reader *r;
	bool raw = m->size == m->wire_size;
	bool mixed = rec && rec->bits != 0; /* perhaps, if not measured */
	int fd, rc = message_open(mb, m->uid, &fd, e);

	if (rc != 1)
		return rc;
	r = xcalloc(1, sizeof(*r));
	r->fd = fd;
	r->raw = raw;
	r->mixed = mixed;
	r->size = m->size < WINDOW ? (size_t)m->size + 1 : WINDOW;
	r->in = xmalloc(r->size);
	r->out = raw ? NULL : xmalloc(2 * r->size);
	*r_r = r;
	return 1;
}

void
mailbox_read_close(struct mailbox_reader **r)
{
	if (*r == NULL)
		return;
	close((*r)->fd);
	free((*r)->in);
	free((*r)->out);
	free(*r);
	*r = NULL;
}

bool
message_read_mixed(const struct mailbox_reader *r)
{
	return r->crlf;
}

/* The next window of the file. 1, 0 at its end, -1. */
static int
fill(struct mailbox_reader *r, struct err *e)
{
	ssize_t n = pread(r->fd, r->in, r->size, (off_t)r->at);

	if (n < 0)
		return err_sys(e, "read message");
	r->at += (uint64_t)n;
	r->in_at = 0;
	r->in_n = (size_t)n;
	return n > 0;
}

/* CR before each LF that has none. Takes all of the window. */
static void
convert(struct mailbox_reader *r)
{
	char *p = r->in + r->in_at, *end = r->in + r->in_n, *to = r->out;

	while (p < end) {
		char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((lf != NULL ? lf : end) - p);

		memcpy(to, p, n);
		to += n;
		p += n;
		if (n > 0)
			r->cr = p[-1] == '\r';
		if (lf == NULL)
			break;
		if (!r->cr)
			*to++ = '\r';
		else
			r->crlf = true;
		*to++ = '\n';
		r->cr = false;
		p++;
	}
	r->in_at = r->in_n;
	r->out_at = 0;
	r->out_n = (size_t)(to - r->out);
}

int
mailbox_read(struct mailbox_reader *r, size_t max, struct slice *wire_r,
    struct err *e)
{
	const char *from = r->raw ? r->in : r->out;
	size_t *at = r->raw ? &r->in_at : &r->out_at;
	size_t *n = r->raw ? &r->in_n : &r->out_n;
	int rc;

	if (*at == *n) {
		rc = fill(r, e);
		if (rc != 1)
			return rc;
		if (!r->raw)
			convert(r);
	}
	*wire_r = slice_of(from + *at, *n - *at < max ? *n - *at : max);
	*at += wire_r->n;
	r->wire += wire_r->n;
	return 1;
}

/* Go on reading at a place in the file, not between CR and LF. */
static void
restart(struct mailbox_reader *r, uint64_t at, uint64_t wire)
{
	r->at = at;
	r->wire = wire;
	r->in_at = r->in_n = r->out_at = r->out_n = 0;
	r->cr = false;
}

static int
skip(struct mailbox_reader *r, uint64_t n, struct err *e)
{
	struct slice piece;
	int rc = 1;

	while (n > 0 && rc == 1) {
		rc = mailbox_read(r, n < SIZE_MAX ? (size_t)n : SIZE_MAX,
		    &piece, e);
		if (rc == 1)
			n -= piece.n;
	}
	return rc < 0 ? -1 : 0;
}

int
mailbox_read_seek(struct mailbox_reader *r, uint64_t offset, uint64_t breaks,
    struct err *e)
{
	if (r->raw) {
		restart(r, offset, offset);
		return 0;
	}
	if (!r->mixed && breaks != MAILBOX_BREAKS_UNKNOWN && breaks <= offset) {
		restart(r, offset - breaks, offset);
		return 0;
	}
	if (offset < r->wire)
		restart(r, 0, 0);
	return skip(r, offset - r->wire, e);
}

/* ---- measuring ---- */

/* Line ends of the file, and those that are CRLF there. */
struct breaks {
	uint64_t all, crlf;
	bool cr;
};

static void
count_breaks(struct breaks *b, struct slice piece)
{
	const char *p = piece.p, *end = p + piece.n;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		bool cr = p > piece.p ? p[-1] == '\r' : b->cr;

		b->all++;
		b->crlf += cr;
		p++;
	}
	if (piece.n > 0)
		b->cr = end[-1] == '\r';
}

int
message_measure(int fd, uint64_t *size_r, uint64_t *wire_r, bool *mixed_r,
    struct err *e)
{
	struct breaks b = { 0, 0, false };
	char *window = xmalloc(WINDOW);
	uint64_t at = 0;
	ssize_t n;

	while ((n = pread(fd, window, WINDOW, (off_t)at)) > 0) {
		count_breaks(&b, slice_of(window, (size_t)n));
		at += (uint64_t)n;
	}
	free(window);
	if (n < 0)
		return err_sys(e, "read message");
	*size_r = at;
	*wire_r = at + b.all - b.crlf;
	*mixed_r = b.crlf > 0 && b.crlf < b.all;
	return 0;
}
