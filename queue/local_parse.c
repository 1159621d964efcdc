/*
 * local_parse - children that hold a socket and nothing else; the parser of
 * messages is one, so that a message which breaks it reaches no mailbox.
 *
 * To it: {u32 length, bytes}..., {u32 0}. From it: {u32 length, record}.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "message/parse.h"
#include "message/record.h"
#include "queue/local.h"
#include "service/sandbox.h"
#include "text/charset.h"

#define PIECE_MAX (1024 * 1024) /* a longer one is not ours */

/* ---- a socket ---- */

int
local_receive(int fd, void *p, size_t n, struct err *e)
{
	char *at = p;

	while (n > 0) {
		ssize_t got = read(fd, at, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "socket to a child");
		if (got == 0)
			return 0;
		at += got;
		n -= (size_t)got;
	}
	return 1;
}

static int
send_piece(int fd, struct slice s, struct err *e)
{
	uint32_t n = (uint32_t)s.n;

	if (file_write(fd, slice_of((char *)&n, sizeof(n)), e) < 0)
		return -1;
	return s.n ? file_write(fd, s, e) : 0;
}

/* ---- the child ---- */

/* One message. 1, or 0 when the parent is gone. */
static int
parse_one(int fd, char *piece)
{
	struct msgparse *p = msgparse_new(NULL);
	struct buf record = BUF_INIT(MSGREC_MAX);
	uint32_t n;
	int rc;

	while ((rc = local_receive(fd, &n, sizeof(n), NULL)) > 0 && n > 0 &&
	    n <= PIECE_MAX && (rc = local_receive(fd, piece, n, NULL)) > 0)
		msgparse_push(p, slice_of(piece, n));
	if (rc > 0 && n == 0) {
		msgparse_finish(p, &record);
		rc = send_piece(fd, buf_slice(&record), NULL) == 0;
	} else
		rc = 0;
	msgparse_free(&p);
	buf_free(&record);
	return rc;
}

static void
be_parser(void *ctx, int fd)
{
	char *piece = xmalloc(PIECE_MAX);

	(void)ctx;
	while (parse_one(fd, piece) > 0)
		continue;
	free(piece);
}

static _Noreturn void
be_child(void (*run)(void *ctx, int fd), void *ctx, int fd,
    const struct sandbox *jail, pid_t parent)
{
	struct err e = ERR_INIT;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_LATER);
	/* stderr is for the log. */
	if (dup2(fd, STDIN_FILENO) < 0 || close(STDOUT_FILENO) < 0)
		_exit(EXIT_FAILED);
	if (sandbox_enter(jail, &e) < 0) {
		log_line(QUEUE_TOPIC, LOG_FATAL, "no jail", LOG_E(&e));
		_exit(EXIT_FAILED);
	}
	close_range(STDERR_FILENO + 1, ~0U, 0);
	run(ctx, STDIN_FILENO);
	_exit(EXIT_DONE);
}

int
local_parser_start(int *fd_r, struct err *e)
{
	charset_warm(); /* its jail has no files */
	return local_child_start(be_parser, NULL, fd_r, e);
}

int
local_child_start(void (*run)(void *ctx, int fd), void *ctx, int *fd_r,
    struct err *e)
{
	struct sandbox *jail = sandbox_new(SANDBOX_FRONT, NULL, 0, e);
	pid_t self = getpid(), pid;
	int pair[2];

	if (!jail)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		be_child(run, ctx, pair[1], jail, self);
	close(pair[1]);
	sandbox_free(&jail);
	*fd_r = pair[0];
	return 0;
}

/* ---- the parent ---- */

int
local_parse(struct local *l, struct spool *spool, struct buf *record,
    struct err *e)
{
	uint64_t offset = 0;
	struct slice piece;
	uint32_t n;
	char *p;
	int rc;

	while ((rc = spool_read(spool, &offset, &piece, e)) > 0)
		for (; piece.n > 0; piece = slice_skip(piece, PIECE_MAX))
			if (send_piece(l->parser, slice_head(piece, PIECE_MAX),
				e) < 0)
				return -1;
	if (rc < 0 || send_piece(l->parser, SLICE_NULL, e) < 0)
		return -1;
	rc = local_receive(l->parser, &n, sizeof(n), e);
	if (rc > 0 && n > MSGREC_MAX)
		return err_set(e, ERR_PERM, "parser: record too long");
	if (rc > 0 && n > 0) {
		p = buf_space(record, n);
		rc = p ? local_receive(l->parser, p, n, e)
		       : err_set(e, ERR_LIMIT, "record too long");
		record->n += rc > 0 ? n : 0;
	}
	if (rc == 0)
		return err_set(e, ERR_PERM, "parser: it ended");
	if (rc > 0 && !msgrec_check(buf_slice(record)))
		return err_set(e, ERR_PERM, "parser: bad record");
	return rc > 0 ? 0 : -1;
}
