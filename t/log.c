/* Unit test of lib/base/log.c. */
#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "t/tmp.h"
#include "t/unit.h"

static int fds[2]; /* where lines go */
static char text[8192];

/* What was written since, or "". */
static const char *
said(void)
{
	ssize_t n = read(fds[0], text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

#define START "l=info t=2006-01-02T15:04:05.000Z p=test"

static void
test_line(void)
{
	struct err e = ERR_INIT;

	log_line("", LOG_INFO, "hello");
	CHECK_STR(said(), START " m=\"hello\"\n");
	log_set_cid(0x18c0a);
	log_line("store", LOG_INFO, "two words", LOG_U("u", UINT64_MAX),
	    LOG_I("i", -5), LOG_S("s", SLICE("a@b")), LOG_Z("z", "c d"));
	CHECK_STR(said(),
	    START " cid=18c0a pkg=store m=\"two words\""
		  " u=18446744073709551615 i=-5 s=a@b z=\"c d\"\n");
	log_set_cid(0);
	err_set(&e, ERR_PERM, "no");
	log_line("", LOG_ERROR, "m", LOG_E(&e));
	CHECK(strncmp(said(), "l=error t=", 10) == 0);
	CHECK(strstr(text, " m=\"m\" err=no\n") != NULL);
}

static void
test_values(void)
{
	static const struct {
		const char *name;
		struct slice value;
		const char *expected;
	} rows[] = {
		{ "plain", SLICE("a/b:c,<d>"), "k=a/b:c,<d>" },
		{ "empty", SLICE(""), "k=\"\"" },
		{ "null", SLICE_NULL, "k=\"\"" },
		{ "space", SLICE("a b"), "k=\"a b\"" },
		{ "equals", SLICE("a=b"), "k=\"a=b\"" },
		{ "quote", SLICE("\"\\"), "k=\"\\\"\\\\\"" },
		{ "lines", SLICE("a\r\nl=x\t"), "k=\"a\\r\\nl=x\\t\"" },
		{ "bytes", SLICE("\0\x1b\x7f\xff"),
		    "k=\"\\x00\\x1b\\x7f\\xff\"" },
	};
	struct buf b = BUF_INIT(100);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].name);
		buf_reset(&b);
		log_format(&b, "k", rows[i].value);
		CHECK_STR(buf_cstr(&b), rows[i].expected);
	}
	buf_free(&b);
}

static void
test_cut(void)
{
	char data[6000];

	/* Of letters, of what needs escapes, and a first one that fits. */
	memset(data, 'x', sizeof(data));
	log_line("", LOG_INFO, "m", LOG_S("s", slice_of(data, sizeof(data))),
	    LOG_U("u", 1));
	CHECK_EQ(strlen(said()), 4096);
	CHECK(slice_ends(slice_str(text), SLICE("xxx\" cut=1\n")));
	memset(data, '\n', sizeof(data));
	log_line("", LOG_INFO, "m", LOG_U("u", 1),
	    LOG_S("s", slice_of(data, sizeof(data))));
	CHECK(strlen(said()) > 4090 && strlen(text) <= 4096);
	CHECK(slice_ends(slice_str(text), SLICE("\\n\\n\" cut=1\n")));
	CHECK(strstr(text, " u=1 s=\"\\n") != NULL);
	log_line("", LOG_INFO, "m", LOG_S("s", slice_of(data, 4080)),
	    LOG_S("t", slice_of(data, 100)));
	CHECK(strlen(said()) <= 4096);
	CHECK(slice_ends(slice_str(text), SLICE("\\n\" cut=1\n")));
}

static void
test_levels(void)
{
	enum log_level level;

	CHECK(log_level_parse(SLICE("traceauth"), &level));
	CHECK_EQ(level, LOG_TRACEAUTH);
	CHECK(!log_level_parse(SLICE("loud"), &level));
	log_set_level(SLICE("store"), LOG_DEBUG);
	log_set_level(SLICE("queue"), LOG_ERROR);
	CHECK(log_enabled("store", LOG_DEBUG) && !log_enabled("", LOG_DEBUG));
	CHECK(!log_enabled("storex", LOG_DEBUG));
	CHECK(!log_enabled("queue", LOG_INFO));
	log_line("queue", LOG_INFO, "quiet");
	CHECK_STR(said(), "");
	log_set_level(SLICE("store"), LOG_INFO);
	CHECK(!log_enabled("store", LOG_DEBUG));
	CHECK(!log_enabled("queue", LOG_INFO));
	log_set_level(SLICE("queue"), LOG_INFO);
}

static void
test_levels_file(void)
{
	char path[TMP_PATH];
	int fd = mkstemp(tmp_template(path, "mox-log"));

	log_set_level(SLICE("store"), LOG_ERROR);
	file_write(fd, SLICE("# no level\nqueue debug\n- warn\nx nolevel\n"),
	    NULL);
	log_levels_file(path);
	CHECK(log_enabled("queue", LOG_DEBUG) && !log_enabled("", LOG_INFO));
	CHECK(!log_enabled("store", LOG_WARN));
	CHECK_EQ(pwrite(fd, "store trace#", 12, 0), 12);
	CHECK_EQ(pwrite(fd, "\n", 1, 11), 1);
	futimens(fd, (struct timespec[]){ { 1, 0 }, { 1, 0 } });
	CHECK(!log_enabled("store", LOG_TRACE)); /* not looked at yet */
	usleep(1100000);
	CHECK(log_enabled("store", LOG_TRACE));
	log_levels_file(NULL); /* what a jailed process does */
	CHECK(log_enabled("store", LOG_TRACE) && !log_enabled("", LOG_INFO));
	log_levels_file(path);
	unlink(path);
	usleep(1100000);
	CHECK(!log_enabled("store", LOG_WARN) && log_enabled("", LOG_INFO));
	log_levels_file(NULL);
	log_set_level(SLICE("store"), LOG_INFO);
	close(fd);
}

static void
test_trace(void)
{
	char data[2000];

	log_trace("imap", LOG_TRACE, '<', SLICE("a1 noop\r\n"));
	CHECK_STR(said(), "");
	log_set_level(SLICE("imap"), LOG_TRACE);
	log_trace("imap", LOG_TRACE, '<', SLICE("a1 noop\r\n"));
	CHECK(strstr(said(), " pkg=imap m=\"< a1 noop\\r\\n\"\n") != NULL);
	CHECK(strncmp(text, "l=trace ", 8) == 0);
	log_trace("imap", LOG_TRACEAUTH, '<', SLICE("secret"));
	CHECK_STR(said(), "");
	memset(data, 0x01, sizeof(data));
	log_trace("imap", LOG_TRACE, '>', slice_of(data, sizeof(data)));
	for (int lines = 0; lines < 3; lines++) {
		CHECK(strstr(said(), "m=\"> \\x01\\x01") != NULL);
		CHECK(strstr(text, "cut=") == NULL);
	}
	CHECK_STR(said(), "");
	log_set_level(SLICE("imap"), LOG_INFO);
}

static struct slice sunk;

static void
sink(void *ctx, enum log_level level, struct slice line)
{
	CHECK(ctx == text);
	CHECK_EQ(level, LOG_INFO);
	sunk =
	    slice_of(text, slice_cstr(line, text, sizeof(text)) ? line.n : 0);
}

static void
test_sink(void)
{
	log_set_sink(sink, text);
	log_line("", LOG_INFO, "down");
	CHECK_SLICE(sunk, SLICE(START " m=\"down\""));
	log_set_sink(NULL, NULL);
}

int
main(void)
{
	struct clock c;

	if (pipe2(fds, O_DIRECT | O_NONBLOCK) < 0) /* a read is a write */
		return 1;
	clock_fake(&c, 1136214245000000);
	log_init("test", LOG_INFO);
	log_set_fd(fds[1]);
	log_set_clock(&c);
	RUN(test_line);
	RUN(test_values);
	RUN(test_cut);
	RUN(test_levels);
	RUN(test_levels_file);
	RUN(test_trace);
	RUN(test_sink);
	return unit_done();
}
