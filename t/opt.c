/* Unit test of lib/base/opt.c. */
#include "base/opt.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "t/unit.h"

static bool loud;
static const char *config;
static long port;
static struct opt_list listeners;

static const struct opt options[] = {
	{ "loud", OPT_BOOL, &loud, NULL, "say more" },
	{ "config", OPT_STRING, &config, "file", "mox.conf to use" },
	{ "port", OPT_INT, &port, "number", "where to listen" },
	{ "l", OPT_LIST, &listeners, "name", "a listener; may be repeated" },
	{ 0 },
};

static const struct opt_program program = { "mox-test", "[options] account",
	"Tests options.", options };

/* Words of line to argv; returns what opt_parse returns. */
static int
parse(const char *line)
{
	static char words[10][32];
	struct slice rest = slice_str(line), word;
	char *argv[11] = { words[0] };
	int argc = 0;

	loud = false;
	config = NULL;
	port = 25;
	free(listeners.v);
	listeners = (struct opt_list){ NULL, 0 };
	slice_cstr(SLICE("mox-test"), words[argc++], 32);
	for (; slice_next(&rest, ' ', &word); argc++) {
		slice_cstr(word, words[argc], 32);
		argv[argc] = words[argc];
	}
	return opt_parse(&program, argc, argv);
}

static void
test_parse(void)
{
	CHECK_EQ(parse(""), 1);
	CHECK_EQ(parse("account -loud"), 1);
	CHECK(!loud && config == NULL && port == 25 && listeners.n == 0);
	CHECK_EQ(parse("-loud --config f -port=-7 account"), 5);
	CHECK(loud && port == -7);
	CHECK_STR(config, "f");
	CHECK_EQ(parse("-loud=false -config= x"), 3);
	CHECK(!loud);
	CHECK_STR(config, "");
	CHECK_EQ(parse("-config -loud -l a -l=b=c -- -loud"), 7);
	CHECK_STR(config, "-loud");
	CHECK(!loud);
	CHECK_EQ(listeners.n, 2);
	CHECK_STR(listeners.v[0], "a");
	CHECK_STR(listeners.v[1], "b=c");
	CHECK_EQ(parse("- x"), 1);
}

/* Exit code; stdout and stderr to out. */
static int
run(const char *line, struct buf *out)
{
	int fds[2], status;
	pid_t pid;

	CHECK_EQ(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		parse(line);
		exit(77);
	}
	close(fds[1]);
	buf_reset(out);
	file_read_fd(fds[0], out, NULL);
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void
test_usage(void)
{
	static const struct {
		const char *line;
		int code;
		const char *says;
	} rows[] = {
		{ "-help", 0, "usage: mox-test [options] account\n" },
		{ "--help", 0, "  -config file\n\tmox.conf to use\n" },
		{ "-h", 0, "\nTests options.\n" },
		{ "-version", 0, "mox-test " MOX_VERSION "\n" },
		{ "-nope x", 2, "mox-test: unknown option -nope\nusage: " },
		{ "-port", 2, "mox-test: option -port needs a value\n" },
		{ "-port x", 2, "bad value \"x\" for option -port\n" },
		{ "-loud=maybe", 2, "bad value \"maybe\" for option -loud\n" },
		{ "x", 77, "" },
	};
	struct buf out = BUF_INIT(10000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].line);
		CHECK_EQ(run(rows[i].line, &out), rows[i].code);
		CHECK(slice_find(buf_slice(&out), slice_str(rows[i].says)) >=
		    0);
	}
	buf_free(&out);
}

int
main(void)
{
	RUN(test_parse);
	RUN(test_usage);
	return unit_done();
}
