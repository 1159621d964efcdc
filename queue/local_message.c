/* local_message - the message that a group is about, in wire form. */
#include <stdlib.h>
#include <unistd.h>

#include "queue/local.h"

#define PIECE (64 * 1024)

struct local_reader {
	int fd;
	bool verbatim;
	struct buf wire;
	char piece[PIECE];
};

int
local_reader_open(struct local *l, const struct group_item *items, size_t n,
    struct local_reader **r_r, struct err *e)
{
	struct local_reader *r;
	int fd, rc = group_message(&l->group, items, n, &fd, e);

	if (rc <= 0)
		return rc;
	if (lseek(fd, (off_t)items[0].it.offset, SEEK_SET) < 0) {
		err_sys(e, "message");
		close(fd);
		return -1;
	}
	r = xmalloc(sizeof(*r));
	r->fd = fd;
	r->verbatim = items[0].it.verbatim;
	r->wire = (struct buf)BUF_INIT(2 * PIECE);
	*r_r = r;
	return 1;
}

int
local_read(void *reader, struct slice *wire_r, struct err *e)
{
	struct local_reader *r = reader;
	ssize_t n = read(r->fd, r->piece, sizeof(r->piece));
	struct slice rest, line;

	if (n < 0)
		return err_sys(e, "message");
	*wire_r = rest = slice_of(r->piece, (size_t)n);
	if (n == 0 || r->verbatim)
		return n > 0;
	buf_reset(&r->wire);
	while (slice_cut(rest, '\n', &line, &rest)) {
		buf_add(&r->wire, line);
		buf_addz(&r->wire, "\r\n");
	}
	buf_add(&r->wire, line);
	*wire_r = buf_slice(&r->wire);
	return 1;
}

void
local_reader_close(struct local_reader **r)
{
	if (!*r)
		return;
	close((*r)->fd);
	buf_free(&(*r)->wire);
	free(*r);
	*r = NULL;
}
