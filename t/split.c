/* Unit test of lib/service/split.c. */
#include "service/split.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "t/unit.h"

enum { ASK = SPLIT_FIRST, NOTE, LATER };

static struct split *front, *back;
static char noted[SPLIT_MAX];
static size_t noted_n;

static void
begin(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	front = split_new(pair[0]);
	back = split_new(pair[1]);
	noted_n = 0;
}

static void
end(void)
{
	split_free(&front, NULL);
	split_free(&back, NULL);
}

static int
on_ask(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct slice v[] = { msg->v[1], msg->v[0] };

	(void)ctx;
	return split_reply(back, v, 2, e);
}

static int
on_note(void *ctx, const struct split_msg *msg, struct err *e)
{
	(void)ctx, (void)e;
	for (size_t i = 0; i < msg->n; i++) {
		memcpy(noted + noted_n, msg->v[i].p, msg->v[i].n);
		noted_n += msg->v[i].n;
	}
	if (noted_n > 0 && noted[0] == '!')
		return err_set(e, ERR_PERM, "handler says no");
	return 0;
}

static const struct split_op ops[] = {
	{ ASK, 1, 2, 2, 100, on_ask },
	{ NOTE, 1 | 2, 0, SPLIT_SLICES, 0, on_note },
	{ LATER, 2, 0, 0, 0, on_note },
	{ .type = 0 },
};

/* Send one way, serve once; what the back makes of it. */
static const char *
once(unsigned type, const struct slice *v, size_t n)
{
	static struct err e;

	e = (struct err)ERR_INIT;
	CHECK_EQ(split_send(front, type, v, n, &e), 0);
	if (split_serve(back, ops, NULL, 100, &e) < 0)
		return e.text;
	return "ok";
}

static void
test_send(void)
{
	struct slice v[SPLIT_SLICES];
	static char big[SPLIT_MAX + 1];
	struct err e = ERR_INIT;

	begin();
	CHECK_STR(once(NOTE, NULL, 0), "ok");
	for (size_t i = 0; i < SPLIT_SLICES; i++)
		v[i] = slice_of("abcdefghijklmnop", i);
	CHECK_STR(once(NOTE, v, SPLIT_SLICES), "ok");
	CHECK_EQ(noted_n, 15 * 16 / 2);
	noted_n = 0;
	memset(big, 'b', sizeof(big));
	v[0] = slice_of(big, SPLIT_MAX);
	CHECK_STR(once(NOTE, v, 1), "ok");
	CHECK_EQ(noted_n, SPLIT_MAX);
	v[0].n++;
	CHECK_EQ(split_send(front, NOTE, v, 1, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK_EQ(split_send(front, NOTE, v, SPLIT_SLICES + 1, &e), -1);
	CHECK_EQ(split_serve(back, ops, NULL, 10, &e), -1);
	CHECK_STR(e.text, "split: time-out");
	end();
}

static void
test_checks(void)
{
	struct slice v[3] = { SLICE("a"), SLICE("b"), SLICE("c") };
	char big[101] = "";

	begin();
	CHECK_STR(once(99, v, 1), "split: unknown message 99");
	CHECK_STR(once(ASK, v, 1), "split: message 16 of 1 slices");
	CHECK_STR(once(ASK, v, 3), "split: message 16 of 3 slices");
	v[1] = slice_of(big, sizeof(big));
	CHECK_STR(once(ASK, v, 2), "split: message 16 has a slice of 101");
	CHECK_STR(once(LATER, NULL, 0),
	    "split: message 18 may not come in state 1");
	split_set_state(back, 2);
	CHECK_STR(once(LATER, NULL, 0), "ok");
	CHECK_STR(once(ASK, v, 2), "split: message 16 may not come in state 2");
	v[0] = SLICE("!");
	CHECK_STR(once(NOTE, v, 1), "handler says no");
	end();
}

static void
test_malformed(void)
{
	static const struct {
		const char *name;
		struct slice bytes;
		const char *expected;
	} rows[] = {
		{ "slices", SLICE("\x10\0\x11\0\x44\0\0\0"),
		    "split: malformed head" },
		{ "size", SLICE("\x10\0\1\0\5\0\1\0"),
		    "split: malformed head" },
		{ "too small", SLICE("\x10\0\2\0\7\0\0\0"),
		    "split: malformed head" },
		{ "length", SLICE("\x10\0\1\0\5\0\0\0\2\0\0\0x"),
		    "split: malformed length" },
		{ "huge length", SLICE("\x10\0\1\0\5\0\0\0\xff\xff\xff\xffx"),
		    "split: malformed length" },
		{ "left over", SLICE("\x10\0\1\0\5\0\0\0\0\0\0\0x"),
		    "split: bytes left over" },
		{ "cut", SLICE("\x10\0\1\0\5\0\0\0\1\0\0\0"),
		    "split: ended in a message" },
		{ "log", SLICE("\1\0\1\0\4\0\0\0\0\0\0\0"),
		    "split: malformed log line" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		ROW(rows[i].name);
		begin();
		CHECK_EQ(write(split_fd(front), rows[i].bytes.p,
			     rows[i].bytes.n),
		    (ssize_t)rows[i].bytes.n);
		shutdown(split_fd(front), SHUT_WR);
		CHECK_EQ(split_serve(back, ops, NULL, 100, &e), -1);
		CHECK_STR(e.text, rows[i].expected);
		end();
	}
}

static void
serve_all(void)
{
	struct err e = ERR_INIT;
	int rc;

	split_free(&front, NULL);
	while ((rc = split_serve(back, ops, NULL, 5000, &e)) > 0)
		;
	_exit(rc < 0);
}

static void
test_calls(void)
{
	struct slice v[] = { SLICE("first"), SLICE("second") };
	struct split_msg reply;
	struct err e = ERR_INIT;
	uint64_t number = 5, got = 0;
	int status;

	begin();
	if (fork() == 0)
		serve_all();
	split_free(&back, NULL);
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(split_call(front, ASK, v, 2, 1000, &reply, &e), 0);
		CHECK_EQ(reply.n, 2);
		CHECK_SLICE(reply.v[0], v[1]);
		CHECK_SLICE(reply.v[1], v[0]);
	}
	v[0] = SPLIT_OF(number);
	CHECK_EQ(split_call(front, ASK, v, 2, 1000, &reply, &e), 0);
	CHECK(SPLIT_GET(reply.v[1], &got));
	CHECK_EQ(got, 5);
	CHECK(!SPLIT_GET(reply.v[0], &got));
	/* What may not come ends the back; then there is nobody to ask. */
	CHECK_EQ(split_call(front, LATER, NULL, 0, 1000, &reply, &e), -1);
	CHECK_STR(e.text, "split: the back is gone");
	CHECK_EQ(split_call(front, ASK, v, 2, 1000, &reply, &e), -1);
	wait(&status);
	CHECK_EQ(WEXITSTATUS(status), 1);
	end();
}

static void
test_end(void)
{
	struct err e = ERR_INIT;
	int fd;

	begin();
	split_free(&front, &fd);
	CHECK(front == NULL && fd >= 0);
	CHECK_EQ(split_serve(back, ops, NULL, 10, &e), -1); /* still open */
	close(fd);
	CHECK_EQ(split_serve(back, ops, NULL, 10, &e), 0);
	end();
}

static void
test_log(void)
{
	int out[2];
	char text[500];
	ssize_t n;

	begin();
	if (pipe(out) < 0)
		abort();
	if (fork() == 0) {
		split_log(front);
		log_line("topic", LOG_INFO, "hello\n", LOG_U("n", 1));
		split_send(front, NOTE, NULL, 0, NULL);
		_exit(0);
	}
	log_init("test", LOG_INFO);
	log_set_fd(out[1]);
	log_set_cid(0xabc);
	CHECK_EQ(split_serve(back, ops, NULL, 1000, NULL), 1); /* the note */
	n = read(out[0], text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	CHECK(strstr(text,
		  " p=test cid=abc pkg=topic m=\"hello\\n\" n=1"
		  " front=1\n") != NULL);
	wait(NULL);
	log_set_fd(2);
	end();
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(test_send);
	RUN(test_checks);
	RUN(test_malformed);
	RUN(test_calls);
	RUN(test_end);
	RUN(test_log);
	return unit_done();
}
