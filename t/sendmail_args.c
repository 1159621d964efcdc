/* Unit test of tools/sendmail_args.c. */
#include "tools/sendmail_args.h"

#include "base/buf.h"
#include "t/unit.h"

/* Words of a command line; "t" for -t, "C=", "F=", then recipients. */
static const struct {
	const char *line, *want;
} rows[] = {
	{ "", "" },
	{ "a@b", "a@b" },
	{ "-t", "t" },
	{ "-ti", "t" },
	{ "-it", "t" },
	{ "-oi -t", "t" },
	/* mutt, mail(1), cron, git, PHP, mdadm */
	{ "-oi -f x@y -- a@b", "a@b" },
	{ "-oem -oi a@b c@d", "a@b c@d" },
	{ "-i -FCronDaemon -B8BITMIME -oem root", "F=CronDaemon root" },
	{ "-F CronDaemon -odi -oem -oi -or0s root", "F=CronDaemon root" },
	{ "-i -f a@b c@d", "c@d" },
	{ "-t -i -fa@b", "t" },
	{ "-oi -r a@b -t", "t" },
	{ "-bm -i -- -t", "-t" },
	{ "-v -N failure -R hdrs -V id -X log -L tag -p SMTP -h5 a@b", "a@b" },
	{ "-q -d a@b", "a@b" },
	{ "-q15m -d8.1 a@b", "a@b" },
	{ "-O ErrorMode=m a@b", "a@b" },
	{ "-C /x a@b", "C=/x a@b" },
	{ "-C/x -t", "tC=/x" },
	{ "-config /x a@b", "C=/x a@b" },
	{ "--config=/x a@b", "C=/x a@b" },
	/* options end where recipients begin */
	{ "a@b -t", "a@b -t" },
	{ "-- a@b", "a@b" },
	{ "-Am -G -U -n -m -s a@b", "a@b" },
	{ "-help", "help" },
	{ "--help", "help" },
	{ "-h", "help" },
	{ "-version", "version" },
	/* not for us */
	{ "-bs", "-bs is not supported: this program only sends" },
	{ "-bp", "-bp is not supported: this program only sends" },
	{ "-bi", "-bi is not supported: this program only sends" },
	{ "-bd -q1h", "-bd is not supported: this program only sends" },
	{ "-f", "-f needs a value" },
	{ "-oi -F", "-F needs a value" },
};

static void
show(const struct sendmail_args *a, struct buf *b)
{
	if (a->help)
		buf_addz(b, "help");
	if (a->version)
		buf_addz(b, "version");
	if (a->extract)
		buf_addz(b, "t");
	if (a->config != NULL)
		buf_addf(b, "C=%s", a->config);
	if (a->full_name != NULL)
		buf_addf(b, "F=%s", a->full_name);
	for (size_t i = 0; i < a->n; i++)
		buf_addf(b, "%s%s", b->n > 0 ? " " : "", a->rcpts[i]);
}

static void
test_args(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[200], *argv[30], name[] = "sendmail";
		int argc = 1;
		struct slice rest = slice_of(text, strlen(rows[i].line)), word;
		struct sendmail_args a;
		struct buf got = BUF_INIT(1000);
		struct err e = ERR_INIT;

		ROW(rows[i].line);
		snprintf(text, sizeof(text), "%s", rows[i].line);
		argv[0] = name;
		while (slice_next(&rest, ' ', &word)) {
			argv[argc] = text + (word.p - text);
			argv[argc++][word.n] = '\0';
		}
		argv[argc] = NULL;
		if (sendmail_args_parse(argc, argv, &a, &e) < 0)
			buf_addz(&got, e.text);
		else
			show(&a, &got);
		CHECK_SLICE(buf_slice(&got), slice_str(rows[i].want));
		buf_free(&got);
	}
}

int
main(void)
{
	RUN(test_args);
	return unit_done();
}
