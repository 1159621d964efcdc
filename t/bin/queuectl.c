/*
 * queuectl - put messages into a queue, for tests.
 *
 *	queuectl [-n N] [-until SECONDS] [-account A] [-from F] [-notify W]
 *	    [-transport T] [-attempts N] [-number] [-tls yes|no]
 *	    [-report] data-folder to... <message
 *
 * -n: so many messages alike, each acknowledged by a line with its ID; with
 * -number the recipients of the third are 3.TO.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/opt.h"
#include "base/proc.h"
#include "queue/queue.h"

/* In faultshim.so: this message is acknowledged. */
void fault_mark(const char *text) __attribute__((weak));

static long opt_n = 1, opt_until, opt_attempts;
static bool opt_number, opt_report;
static const char *opt_account = "mox", *opt_from = "mox@localhost",
		  *opt_notify, *opt_transport, *opt_tls;

static const struct opt options[] = {
	{ "n", OPT_INT, &opt_n, "n", "messages" },
	{ "number", OPT_BOOL, &opt_number, NULL, "recipients are numbered" },
	{ "until", OPT_INT, &opt_until, "seconds", "hold for so long" },
	{ "attempts", OPT_INT, &opt_attempts, "n", "then it has failed" },
	{ "account", OPT_STRING, &opt_account, "name", "of the sender" },
	{ "from", OPT_STRING, &opt_from, "address", "MAIL FROM" },
	{ "notify", OPT_STRING, &opt_notify, "word", "success or never" },
	{ "report", OPT_BOOL, &opt_report, NULL, "a DMARC or TLS report" },
	{ "tls", OPT_STRING, &opt_tls, "word", "REQUIRETLS: yes, no" },
	{ "transport", OPT_STRING, &opt_transport, "name", "by this" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "queuectl", "data-folder to...",
	"Put messages into a queue.", options };

static void
die(const struct err *e)
{
	proc_die(program.name, e);
}

int
main(int argc, char **argv)
{
	int at = opt_parse(&program, argc, argv);
	struct buf text = BUF_INIT(1 << 30);
	struct err e = ERR_INIT;
	struct queue_rcpt rcpts[1000] = { 0 };
	struct queue_message m = { .account = slice_str(opt_account),
		.from = slice_str(opt_from),
		.rcpts = rcpts,
		.attempts = (unsigned)opt_attempts,
		.report = opt_report,
		.requiretls = !opt_tls       ? QUEUE_TLS_DEFAULT
		    : strcmp(opt_tls, "yes") ? QUEUE_TLS_NO
					     : QUEUE_TLS_YES,
		.transport = slice_str(opt_transport) };
	struct store_env env = { .run_fd = -1 };
	struct queue q;
	struct spool *spool;
	struct arena *arena = arena_new(0);
	int run;

	if (argc - at < 2)
		opt_usage(&program, "data-folder and recipients are needed");
	env.data_fd = open(argv[at], O_RDONLY | O_DIRECTORY);
	run = openat(env.data_fd, "../run", O_RDONLY | O_DIRECTORY);
	if (queue_open(&q, env.data_fd, run, clock_program(), NULL, &e) < 0 ||
	    file_mkdirs(env.data_fd, "tmp", 0700, &e) < 0 ||
	    file_read_fd(0, &text, &e) < 0)
		die(&e);
	for (int i = at + 1; i < argc && m.nrcpts < 1000; i++)
		rcpts[m.nrcpts++] = (struct queue_rcpt){
			.to = slice_str(argv[i]),
			.notify = !opt_notify ? 0
			    : strcmp(opt_notify, "never") == 0
			    ? QUEUE_NOTIFY_NEVER
			    : QUEUE_NOTIFY_SUCCESS,
		};
	if (opt_until)
		m.until_us = clock_us(q.clock) + opt_until * INT64_C(1000000);
	spool = spool_new(&env, 0);
	if (spool_add(spool, buf_slice(&text), &e) < 0 ||
	    spool_end(spool, &e) < 0)
		die(&e);
	for (long i = 0; i < opt_n; i++) {
		char id[QUEUE_ID + 1];
		for (size_t k = 0; opt_number && k < m.nrcpts; k++)
			rcpts[k].to = arena_printf(arena, "%ld.%s", i + 1,
			    argv[at + 1 + (int)k]);
		if (queue_add(&q, &m, spool, SLICE_NULL, id, &e) < 0)
			die(&e);
		if (fault_mark)
			fault_mark(id);
		printf("%s\n", id);
		fflush(stdout);
	}
	spool_free(&spool);
	buf_free(&text);
	arena_free(&arena);
	return EXIT_DONE;
}
