/* message_file - a message from the command line, in wire form, in pieces. */
#include "tools/message_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define PIECE 65536

int
message_file_open(struct message_file *f, const char *path, struct err *e)
{
	f->lf = false;
	f->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
				       : open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0)
		return err_sys(e, "%s", path);
	return 0;
}

void
message_file_close(struct message_file *f)
{
	close(f->fd);
}

bool
message_file_again(const struct message_file *f)
{
	struct stat st;

	return fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode);
}

int
message_file_raw(struct message_file *f, message_file_fn *fn, void *ctx,
    struct err *e)
{
	char piece[PIECE];
	ssize_t n;

	if (message_file_again(f) && lseek(f->fd, 0, SEEK_SET) < 0)
		return err_sys(e, "message");
	while ((n = read(f->fd, piece, sizeof(piece))) > 0)
		fn(ctx, slice_of(piece, (size_t)n));
	return n < 0 ? err_sys(e, "message") : 0;
}

struct convert {
	struct message_file *f;
	message_file_fn *fn;
	void *ctx;
	bool known; /* a line end was seen */
	struct buf out;
};

static void
convert(void *ctx, struct slice bytes)
{
	struct convert *c = ctx;
	ssize_t i = slice_chr(bytes, '\n');

	/* A CR before it that ended the last piece: a line of 64 KB. */
	if (!c->known && i >= 0) {
		c->known = true;
		c->f->lf = i == 0 || bytes.p[i - 1] != '\r';
	}
	if (!c->f->lf) {
		c->fn(c->ctx, bytes);
		return;
	}
	buf_reset(&c->out);
	for (; i >= 0; i = slice_chr(bytes, '\n')) {
		buf_add(&c->out, slice_head(bytes, (size_t)i));
		buf_addz(&c->out, "\r\n");
		bytes = slice_skip(bytes, (size_t)i + 1);
	}
	buf_add(&c->out, bytes);
	c->fn(c->ctx, buf_slice(&c->out));
}

int
message_file_wire(struct message_file *f, message_file_fn *fn, void *ctx,
    struct err *e)
{
	struct convert c = {
		.f = f, .fn = fn, .ctx = ctx, .out = BUF_INIT(2 * PIECE)
	};
	int rc = message_file_raw(f, convert, &c, e);

	buf_free(&c.out);
	return rc;
}
