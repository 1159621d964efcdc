/*
 * smtp_script - servers that follow a script, and smtp/client.h's client of
 * them, for its tests.
 */
#ifndef T_SMTP_SCRIPT_H
#define T_SMTP_SCRIPT_H

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "smtp/client.h"
#include "t/unit.h"

#define TEXT_MAX (1 << 20)

/* ---- a server ----
 *
 * A line of a script each: "> text" is sent with CR LF, "= text" without, "~"
 * in either is one;
 * "<" reads a line, "." lines up to a dot alone, "N 5" five bytes; "X" ends
 * the connection, as the end does; "Z" waits until the client is gone; "K" has
 * it told to stop. What is
 * read goes to the log, with the CRs shown as "~".
 */

struct server {
	int fd, log;
};

static inline char
next(const struct server *s)
{
	char c, shown;

	if (read(s->fd, &c, 1) != 1)
		_exit(0);
	shown = c == '\r' ? '~' : c;
	if (write(s->log, &shown, 1) != 1)
		_exit(1);
	return c;
}

/* Returns whether it was a dot alone. */
static inline bool
read_line(const struct server *s)
{
	char first = next(s), c = first;
	size_t n = 1;

	while (c != '\n') {
		c = next(s);
		n++;
	}
	return n == 3 && first == '.';
}

static inline void
say(const struct server *s, struct slice text, bool whole)
{
	struct buf b = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < text.n; i++)
		buf_addz(&b,
		    text.p[i] == '~' ? "\r\n" : (char[]){ text.p[i], '\0' });
	if (send(s->fd, b.p, b.n, MSG_NOSIGNAL) < 0 ||
	    (whole && send(s->fd, "\r\n", 2, MSG_NOSIGNAL) < 0))
		_exit(0);
	buf_free(&b);
}

static inline void
obey(const struct server *s, struct slice line)
{
	struct slice arg = slice_skip(line, 2);
	uint64_t n = 0;

	switch (line.p[0]) {
	case '>':
	case '=':
		say(s, arg, line.p[0] == '>');
		break;
	case '<':
		read_line(s);
		break;
	case '.':
		while (!read_line(s))
			;
		break;
	case 'N':
		for (slice_u64(arg, &n); n > 0; n--)
			next(s);
		break;
	case 'K':
		kill(getppid(), SIGUSR1);
		usleep(100000); /* so that it is noticed while waiting */
		break;
	case 'Z':
		for (;;)
			next(s);
	default:
		_exit(0);
	}
}

static inline _Noreturn void
serve(const struct server *s, const char *script)
{
	struct slice rest = slice_str(script), line;

	while (slice_next(&rest, '\n', &line))
		obey(s, line);
	_exit(0);
}

/* ---- a client of it ---- */

struct talk {
	const char *script;
	struct smtp_client_opts opts;
	const struct smtp_login *login;
	const struct smtp_client_mail *mails;
	size_t nmails;
	const char *rcpts; /* separated by spaces */
	bool quit;
	int limit_ms;
	/* results */
	struct buf got, sent;
	bool usable;
};

static inline void
show(struct buf *b, const struct smtp_result *r)
{
	buf_addf(b, "%s %s", smtp_outcome_name(r->outcome),
	    smtp_step_name(r->step));
	if (r->answer.code > 0)
		buf_addf(b, " %d", r->answer.code);
	if (r->answer.enhanced.n > 0)
		buf_addf(b, " %.*s", SLICE_FMT(r->answer.enhanced));
	if (r->tls != TLS_FAILURE_NONE)
		buf_addf(b, " %s", tls_failure_name(r->tls));
	CHECK((r->why.n > 0) == (r->outcome != SMTP_RES_OK));
}

/* One message, until nobody is left to try again. */
static inline void
send_one(struct talk *t, struct smtp_client *c,
    const struct smtp_client_mail *mail, struct arena *arena)
{
	struct smtp_client_rcpt rcpts[10] = { 0 };
	struct slice rest = slice_str(t->rcpts);
	struct smtp_result r;
	size_t n = 0;

	while (n < 10 && slice_next(&rest, ' ', &rcpts[n].to))
		n++;
	while (n > 0) {
		size_t left = 0;
		int rc = smtp_client_send(c, mail, rcpts, n, arena, &r);
		CHECK_EQ(rc == 0, r.outcome == SMTP_RES_OK);
		buf_addz(&t->got, "[");
		show(&t->got, &r);
		buf_addz(&t->got, "]");
		for (size_t i = 0; i < n; i++) {
			buf_addf(&t->got, " %.*s:", SLICE_FMT(rcpts[i].to));
			show(&t->got, &rcpts[i].result);
			if (rcpts[i].result.outcome == SMTP_RES_AGAIN)
				rcpts[left++] = rcpts[i];
		}
		n = left;
	}
}

/* Nothing goes over a connection that is not as it was asked for. */
static inline void
must_not_send(struct smtp_client *c, struct arena *arena)
{
	struct smtp_client_mail mail = { .source = { .fd = -1 } };
	struct smtp_client_rcpt rcpt = { .to = SLICE("a@b") };
	struct smtp_result r;

	CHECK(!smtp_client_usable(c));
	CHECK_EQ(smtp_client_send(c, &mail, &rcpt, 1, arena, &r), -1);
	CHECK_EQ(rcpt.result.outcome, SMTP_RES_LOST);
}

static inline void
run_client(struct talk *t, int fd)
{
	struct arena *arena = arena_new(0);
	struct smtp_client *c;
	struct smtp_result r;
	const char *mechanism;

	if (t->opts.hello.n == 0)
		t->opts.hello = SLICE("me.example");
	c = smtp_client_new(fd, &t->opts);
	smtp_client_limit_ms(c, t->limit_ms > 0 ? t->limit_ms : 20000);
	if (smtp_client_open(c, arena, &r) < 0) {
		show(&t->got, &r);
		must_not_send(c, arena);
	} else if (t->login != NULL &&
	    smtp_client_auth(c, t->login, &mechanism, arena, &r) < 0) {
		show(&t->got, &r);
	} else {
		if (t->login != NULL)
			buf_addf(&t->got, "%s ", mechanism);
		for (size_t i = 0; i < t->nmails; i++)
			send_one(t, c, &t->mails[i], arena);
	}
	t->usable = smtp_client_usable(c);
	if (t->quit)
		smtp_client_quit(c);
	smtp_client_free(&c);
	arena_free(&arena);
}

static inline void
talk(struct talk *t)
{
	int pair[2], log[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pipe(log) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		close(log[0]);
		serve(&(struct server){ pair[1], log[1] }, t->script);
	}
	close(pair[1]);
	close(log[1]);
	t->got = (struct buf)BUF_INIT(TEXT_MAX);
	t->sent = (struct buf)BUF_INIT(TEXT_MAX);
	run_client(t, pair[0]);
	CHECK_EQ(file_read_fd(log[0], &t->sent, NULL), 0);
	close(log[0]);
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
}

static inline void
check_talk(struct talk *t, const char *got, const char *sent)
{
	talk(t);
	CHECK_SLICE(buf_slice(&t->got), slice_str(got));
	if (sent != NULL)
		CHECK_SLICE(buf_slice(&t->sent), slice_str(sent));
	buf_free(&t->got);
	buf_free(&t->sent);
}

#define MAIL(text) \
	{ \
		.from = { "a@b", 3 }, .source = { \
			.fd = -1, \
			.content = { text, sizeof(text) - 1 } \
		} \
	}

#define HELLO "> 220 mx.example hi\n<\n"
#define PLAIN HELLO "> 250 mx.example\n"
#define PIPED HELLO "> 250-mx.example\n> 250 PIPELINING\n"
#define HELO "EHLO me.example~\n"
#define FROM "MAIL FROM:<a@b>~\n"
#define TO(who) "RCPT TO:<" who ">~\n"

#endif
