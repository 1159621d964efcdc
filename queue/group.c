/* group - the dialogue of a delivery program with the runner. */
#include "queue/group.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/newfile.h"

#define LINE_MAX_BYTES (256 * 1024) /* thousands of items */
#define RESULT_ROOM 8192            /* a reply, and more */

/* ---- where ---- */

bool
group_runner_ok(const char *runner)
{
	return runner && *runner != '.' && *runner != '\0' &&
	    slice_chr(slice_str(runner), '/') < 0;
}

int
group_init(struct group *g, int data_fd, const char *runner,
    const struct clock *clock, struct err *e)
{
	*g = (struct group){
		.dir = -1, .signals = -1, .arena = arena_new(0), .clock = clock
	};
	g->queue_fd =
	    openat(data_fd, "queue", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->queue_fd < 0)
		return err_sys(e, "queue");
	g->dir =
	    openat(g->queue_fd, arena_printf(g->arena, "active/%s", runner).p,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return g->dir < 0 ? err_sys(e, "queue/active/%s", runner) : 0;
}

/* ---- lines ---- */

/* 1, 0 that was the last, -1. */
static int
take_line(struct group *g, group_fn *fn, void (*idle)(void *ctx), void *ctx,
    struct slice line, struct err *e)
{
	const char *answer = "ready";
	struct slice word, rest;

	slice_cut(line, ' ', &word, &rest);
	if (fn(ctx, word, rest, &answer, e) < 0)
		return -1;
	puts(answer ? answer : "ready");
	if (fflush(stdout) != 0)
		return err_sys(e, "stdout");
	if (idle)
		idle(ctx);
	arena_reset(g->arena);
	return answer != NULL;
}

/* True: not a signal to end, but input, or its end. */
static bool
wait_input(const struct group *g)
{
	struct pollfd p[2] = { { STDIN_FILENO, POLLIN, 0 },
		{ g->signals, POLLIN, 0 } };

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	return p[1].revents == 0;
}

int
group_serve(struct group *g, group_fn *fn, void (*idle)(void *ctx), void *ctx,
    struct err *e)
{
	struct buf in = BUF_INIT(LINE_MAX_BYTES);
	struct slice line, rest;
	int rc = 1;

	while (rc > 0 && wait_input(g)) {
		char *p = buf_space(&in, 4096);
		ssize_t n = p ? read(STDIN_FILENO, p, 4096) : -1;
		if (!p)
			rc = err_set(e, ERR_LIMIT, "stdin: line too long");
		else if (n <= 0)
			rc = n < 0 && errno != EINTR ? err_sys(e, "stdin") : 0;
		in.n += n > 0 ? (size_t)n : 0;
		while (rc > 0 &&
		    slice_cut(buf_slice(&in), '\n', &line, &rest)) {
			size_t used = line.n + 1;
			rc = take_line(g, fn, idle, ctx, line, e);
			buf_consume(&in, used);
		}
	}
	buf_free(&in);
	return rc < 0 ? -1 : 0;
}

/* ---- items ---- */

static bool
open_item(struct group *g, struct slice name, struct group_item *item)
{
	char *path = arena_cstr(g->arena, name);
	struct err e = ERR_INIT;
	struct slice id;
	unsigned n;
	int rc;

	*item = (struct group_item){ .name = name, .fd = -1 };
	if (!queue_name(name, &id, &n) || n == 0) {
		log_line(QUEUE_TOPIC, LOG_ERROR, "no name of an item",
		    LOG_S("item", name));
		return false;
	}
	rc = item_open(g->dir, path, &item->fd, &e);
	if (rc > 0)
		rc = item_read(g->dir, path, g->arena, &item->it, &e);
	else if (rc == 0)
		rc = item_read_inside(g->dir, name, g->arena, &item->it, &e);
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
group_open(struct group *g, struct slice names, struct group_item **items_r)
{
	size_t n = 0, most = names.n / QUEUE_ID + 1;
	struct group_item *items = arena_array(g->arena, most, sizeof(*items));
	struct slice name;

	while (n < most && slice_next(&names, ' ', &name))
		if (name.n && open_item(g, name, &items[n]))
			n++;
	*items_r = items;
	return n;
}

void
group_close(struct group_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].fd >= 0)
			close(items[i].fd);
}

/* That the result cannot be written because the disk is full must not be found
 * out when it is sent already: room for it first. */
static int
begin_item(const struct group *g, const struct group_item *item, struct err *e)
{
	off_t end = item->fd < 0 ? 0 : lseek(item->fd, 0, SEEK_END);

	if (item->fd < 0) /* the envelope goes: that needs no room */
		return 0;
	if (end >= 0 &&
	    fallocate(item->fd, FALLOC_FL_KEEP_SIZE, end, RESULT_ROOM) < 0 &&
	    errno != EOPNOTSUPP && errno != ENOSYS)
		return err_sys(e, "room for the result");
	return item_append(item->fd, "trying", clock_us(g->clock), e, "%s", "");
}

size_t
group_begin(const struct group *g, struct group_item *items, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		struct group_item *item = &items[i];
		struct err e = ERR_INIT;
		if (item->it.state == ITEM_DELIVERED) {
			close(item->fd);
		} else if (begin_item(g, item, &e) < 0) {
			log_line(QUEUE_TOPIC, LOG_ERROR, "not tried",
			    LOG_S("item", item->name), LOG_E(&e));
			close(item->fd);
		} else
			items[left++] = *item;
	}
	return left;
}

/* The file of an item that was in its envelope until now. */
static int
open_written(const struct group *g, const struct group_item *item, int *fd_r,
    struct err *e)
{
	const char *path = arena_cstr(g->arena, item->name);
	struct buf text = BUF_INIT(ITEM_MAX);
	int rc = item_open(g->dir, path, fd_r, e);

	if (rc == 0) {
		item_write(&text, &item->it, 0);
		*fd_r = openat(g->dir, path,
		    O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		rc = *fd_r < 0 ? err_sys(e, "item")
			       : file_write(*fd_r, buf_slice(&text), e);
		buf_free(&text);
		if (rc == 0)
			rc = item_append(*fd_r, "trying", clock_us(g->clock), e,
			    "%s", "");
	}
	return rc < 0 ? -1 : 0;
}

static int
append(const struct group *g, const struct group_item *item, const char *word,
    struct slice text, struct err *e)
{
	int fd = item->fd, rc = 0;

	if (fd < 0)
		rc = open_written(g, item, &fd, e);
	if (rc == 0)
		rc = item_append(fd, word, clock_us(g->clock), e, "%.*s",
		    SLICE_FMT(text));
	if (fd >= 0 && fd != item->fd)
		close(fd);
	return rc;
}

void
group_append(const struct group *g, const struct group_item *item,
    const char *word, const char *fmt, ...)
{
	struct err e = ERR_INIT;
	struct slice text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(g->arena, fmt, ap);
	va_end(ap);
	if (append(g, item, word, text, &e) < 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot write item",
		    LOG_S("item", item->name), LOG_E(&e));
}

/* True: the envelope is gone, and that was all there is of the item. */
static bool
drop_envelope(const struct group *g, const struct group_item *item)
{
	const char *id = arena_cstr(g->arena, slice_head(item->name, QUEUE_ID));
	struct err e = ERR_INIT;
	int rc = db_unlink(g->dir, id, &e);

	if (rc < 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot remove envelope",
		    LOG_S("item", item->name), LOG_E(&e));
	return rc > 0;
}

void
group_result(const struct group *g, const struct group_item *item,
    const char *word, struct slice host, struct slice text)
{
	if (host.n == 0)
		host = SLICE("-");
	if (item->fd >= 0 || strcmp(word, "delivered") != 0 ||
	    !drop_envelope(g, item))
		group_append(g, item, word, "%.*s %.*s", SLICE_FMT(host),
		    SLICE_FMT(text));
	printf("%.*s %s %.*s\n", SLICE_FMT(item->name), word,
	    SLICE_FMT(slice_head(text, 1000)));
}

int
group_message(const struct group *g, const struct group_item *items, size_t n,
    int *fd_r, struct err *e)
{
	/* In this order: it is linked before the envelope goes. */
	*fd_r = n == 0
	    ? -1
	    : openat(g->dir,
		  arena_cstr(g->arena, slice_head(items[0].name, QUEUE_ID)),
		  O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	for (size_t i = 0; i < n && *fd_r < 0; i++) {
		const char *path =
		    queue_message_path(g->arena, items[i].name).p;
		*fd_r = openat(g->queue_fd, path,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (*fd_r >= 0)
			return 1;
		if (errno != ENOENT)
			return err_sys(e, "queue/%s", path);
	}
	return *fd_r >= 0;
}
