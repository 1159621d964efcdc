/* local_message - the items of a group, and the message they are about. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/local.h"

#define PIECE (64 * 1024)

/* ---- items ---- */

static bool
open_item(struct local *l, struct slice name, struct local_item *item)
{
	char *path = arena_cstr(l->arena, name);
	struct err e = ERR_INIT;
	struct slice id;
	unsigned n;
	int rc;

	*item = (struct local_item){ .name = name, .fd = -1 };
	if (!queue_name(name, &id, &n) || n == 0) {
		log_line(QUEUE_TOPIC, LOG_ERROR, "no name of an item",
		    LOG_S("item", name));
		return false;
	}
	rc = item_open(l->dir, path, &item->fd, &e);
	if (rc > 0)
		rc = item_read(l->dir, path, l->arena, &item->it, &e);
	if (rc > 0)
		return true;
	if (rc < 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot read item",
		    LOG_S("item", name), LOG_E(&e));
	if (item->fd >= 0)
		close(item->fd);
	return false;
}

size_t
local_open(struct local *l, struct slice names, struct local_item **items_r)
{
	size_t n = 0, most = names.n / QUEUE_ID + 1;
	struct local_item *items = arena_array(l->arena, most, sizeof(*items));
	struct slice name;

	while (n < most && slice_next(&names, ' ', &name))
		if (name.n && open_item(l, name, &items[n]))
			n++;
	*items_r = items;
	return n;
}

void
local_close(struct local_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(items[i].fd);
}

static void
append(struct local *l, const struct local_item *item, const char *word,
    struct slice text)
{
	struct err e = ERR_INIT;

	if (item_append(item->fd, word, clock_us(l->host.env.clock), &e, "%.*s",
		SLICE_FMT(text)) < 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot write item",
		    LOG_S("item", item->name), LOG_E(&e));
}

void
local_append(struct local *l, const struct local_item *item, const char *word,
    const char *fmt, ...)
{
	struct slice text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(l->arena, fmt, ap);
	va_end(ap);
	append(l, item, word, text);
}

void
local_result(struct local *l, const struct local_item *item, const char *word,
    struct slice text)
{
	local_append(l, item, word, "- %.*s", SLICE_FMT(text));
	printf("%.*s %s %.*s\n", SLICE_FMT(item->name), word, SLICE_FMT(text));
}

/* ---- the message ---- */

struct local_reader {
	int fd;
	bool verbatim;
	struct buf wire;
	char piece[PIECE];
};

int
local_reader_open(struct local *l, const struct local_item *item,
    struct local_reader **r_r, struct err *e)
{
	const char *path = queue_message_path(l->arena, item->name).p;
	int fd = openat(l->queue_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct local_reader *r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "queue/%s", path);
	if (lseek(fd, (off_t)item->it.offset, SEEK_SET) < 0) {
		err_sys(e, "queue/%s", path);
		close(fd);
		return -1;
	}
	r = xmalloc(sizeof(*r));
	r->fd = fd;
	r->verbatim = item->it.verbatim;
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
