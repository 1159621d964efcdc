/*
 * storectl - drive lib/store from the shell, for tests.
 *
 *   storectl DATA ACCOUNT COMMAND ARGS... [, COMMAND ARGS...]
 *
 * Commands separated by "," run in one process with one open mailbox each;
 * what is acknowledged is printed, one write a line, after it is durable, and
 * "done COMMAND" behind each command.
 *
 *   create [MAILBOX]             account (with Inbox), mailbox
 *   deliver MAILBOX TEXT [FLAG...]  one message with that subject
 *   multi MAILBOX TEXT...        several at once
 *   list MAILBOX                 UID FLAGS SUBJECT of each message
 *   store MAILBOX UIDS +|-|= FLAG...
 *   expunge MAILBOX [UIDS]
 *   copy|move MAILBOX UIDS TARGET
 *   tidy MAILBOX                 unlink, flags into names, fold if due
 *   fold MAILBOX                 fold now
 *   status MAILBOX
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "message/parse.h"
#include "message/record.h"
#include "store/index.h"

static struct store_env env = {
	.run_fd = -1, .hostname = "test", .file_mode = 0600
};
static struct store *st;
static struct arena *arena;
static struct slice account;

/* ---- results ---- */

/* Recorded by faultshim.so if that is loaded. */
void fault_mark(const char *text) __attribute__((weak));

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *fmt, ...)
{
	va_list ap;
	struct slice s;

	va_start(ap, fmt);
	s = arena_vprintf(arena, fmt, ap);
	va_end(ap);
	if (fault_mark != NULL)
		fault_mark(arena_cstr(arena, s));
	s = arena_printf(arena, "%.*s\n", SLICE_FMT(s));
	if (write(1, s.p, s.n) < 0)
		exit(EXIT_FAILED);
}

static void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "storectl: %s: %s\n", what, e->text);
	exit(proc_exit_code(e));
}

static void
check(int rc, const char *what, const struct err *e)
{
	if (rc < 0)
		die(what, e);
}

static void
check_code(enum store_code code, const char *what, struct err *e)
{
	static const char *const names[] = { "ok", "exists", "nonexistent",
		"haschildren", "cannot", "overquota", "failed" };

	if (code == STORE_OK)
		return;
	err_prefix(e, "%s", names[code]);
	die(what, e);
}

static const char *
set_text(const struct uidset *s)
{
	struct buf b = BUF_INIT(1 << 20);
	const char *text;

	uidset_format(s, &b);
	text = arena_cstr(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* ---- arguments ---- */

static struct mailbox *
open_mailbox(const char *name)
{
	struct mailbox *mb;
	struct err e = ERR_INIT;
	int rc = mailbox_open(&mb, st, slice_str(name), &e);

	check(rc, name, &e);
	if (rc == 0) {
		err_set(&e, ERR_PERM, "no such mailbox");
		die(name, &e);
	}
	return mb;
}

static void
parse_uids(const char *text, struct uidset *s)
{
	struct err e = ERR_INIT;

	*s = (struct uidset)UIDSET_INIT(arena);
	check(uidset_parse(s, slice_str(text), 1000, &e), text, &e);
}

static const struct {
	const char *name;
	uint16_t flag;
} flag_names[] = {
	{ "seen", STORE_SEEN },
	{ "answered", STORE_ANSWERED },
	{ "flagged", STORE_FLAGGED },
	{ "deleted", STORE_DELETED },
	{ "draft", STORE_DRAFT },
};

static struct store_flags
parse_flags(char **args, size_t n)
{
	struct store_flags f = { 0 };
	struct slice *keywords = arena_array(arena, n, sizeof(*keywords));

	f.keywords = keywords;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < 5 && strcmp(args[i], flag_names[k].name) != 0)
			k++;
		if (k < 5)
			f.flags |= flag_names[k].flag;
		else
			keywords[f.nkeywords++] = slice_str(args[i]);
	}
	return f;
}

/* ---- commands ---- */

static int
cmd_create(char **args, size_t n)
{
	struct err e = ERR_INIT;
	enum store_code code = STORE_OK;

	if (st == NULL)
		check(store_create(&st, &env, account, NULL, 0, &e), "create",
		    &e);
	if (n > 0)
		code = store_mailbox_create(st, slice_str(args[0]), 0, arena,
		    NULL, NULL, &e);
	check_code(code, "create", &e);
	return 0;
}

static void
make_message(struct mailbox_new *m, const char *subject)
{
	struct buf record = BUF_INIT(MSGREC_MAX);
	struct slice wire = arena_printf(arena,
	    "From: a@example.org\r\nSubject: %s\r\n"
	    "Message-ID: <%s@example.org>\r\n\r\nText of %s.\r\n",
	    subject, subject, subject);
	struct err e = ERR_INIT;

	m->spool = spool_new(&env, 0);
	check(spool_add(m->spool, wire, &e), "spool", &e);
	check(spool_end(m->spool, &e), "spool", &e);
	msgparse_all(wire, NULL, &record);
	m->record = arena_dup(arena, buf_slice(&record));
	m->received = clock_s(NULL);
	buf_free(&record);
}

static void
add(const char *mailbox, struct mailbox_new *m, char **subjects, size_t n)
{
	struct mailbox *mb = open_mailbox(mailbox);
	struct mailbox_new_result r;
	struct err e = ERR_INIT;

	check_code(mailbox_add(mb, m, n, arena, &r, &e), "deliver", &e);
	for (size_t i = 0; i < n; i++) {
		say("added %s %u.%u %s", mailbox, (unsigned)r.uidvalidity,
		    (unsigned)r.uids[i], subjects[i]);
		spool_free(&m[i].spool);
	}
	mailbox_close(&mb);
}

static int
cmd_deliver(char **args, size_t n)
{
	struct mailbox_new m = { .prefix = SLICE("Received: test\r\n") };

	make_message(&m, args[1]);
	m.flags = parse_flags(args + 2, n - 2);
	add(args[0], &m, args + 1, 1);
	return 0;
}

static int
cmd_multi(char **args, size_t n)
{
	struct mailbox_new *m = arena_array(arena, n, sizeof(*m));

	for (size_t i = 1; i < n; i++)
		make_message(&m[i - 1], args[i]);
	add(args[0], m, args + 1, n - 1);
	return 0;
}

static void
flags_text(const struct mailbox *mb, const struct store_msg *m, struct buf *b)
{
	static const char letters[] = "SRFTDPJNHM";
	const struct slice *names;
	size_t n = mailbox_keywords(mb, &names);

	for (unsigned i = 0; letters[i] != '\0'; i++)
		if (m->flags & 1u << i)
			buf_addc(b, letters[i]);
	for (size_t i = 0; i < n; i++)
		if (m->keywords >> i & 1)
			buf_addf(b, ",%.*s", SLICE_FMT(names[i]));
	if (b->n == 0)
		buf_addc(b, '-');
}

static int
cmd_list(char **args, size_t n)
{
	struct mailbox *mb = open_mailbox(args[0]);
	struct err e = ERR_INIT;
	int pending;
	uint32_t first;
	size_t nseqs;
	uint32_t *seqs;

	(void)n;
	pending = mailbox_refresh(mb, &e);
	check(pending, "refresh", &e);
	check(mailbox_take_expunged(mb, arena, &seqs, &nseqs, NULL, &e), "take",
	    &e);
	check(mailbox_take_new(mb, &first, &e), "take", &e);
	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++) {
		struct store_msg m = *mailbox_msg(mb, seq);
		struct buf b = BUF_INIT(4096);
		struct slice record;
		int rc;

		flags_text(mb, &m, &b);
		rc = mailbox_record(mb, mailbox_msg(mb, seq), &record, &e);
		check(rc, "record", &e);
		say("%u.%u %.*s %.*s", (unsigned)mailbox_uidvalidity(mb),
		    (unsigned)m.uid, SLICE_FMT(buf_slice(&b)),
		    SLICE_FMT(rc == 1 ? msgrec_text(record, MSGREC_SUBJECT)
				      : SLICE("(gone)")));
		buf_free(&b);
	}
	mailbox_close(&mb);
	return 0;
}

static int
cmd_store(char **args, size_t n)
{
	struct mailbox *mb = open_mailbox(args[0]);
	struct mailbox_store_result r;
	struct store_flags f = parse_flags(args + 3, n - 3);
	enum mailbox_flagop op = args[2][0] == '+' ? MAILBOX_ADD
	    : args[2][0] == '-'                    ? MAILBOX_REMOVE
						   : MAILBOX_SET;
	struct uidset uids;
	struct err e = ERR_INIT;

	parse_uids(args[1], &uids);
	check(mailbox_store(mb, &uids, op, &f, false, 0, arena, &r, &e),
	    "store", &e);
	say("stored %s %s", args[0], set_text(&r.changed));
	mailbox_close(&mb);
	return 0;
}

static int
cmd_expunge(char **args, size_t n)
{
	struct mailbox *mb = open_mailbox(args[0]);
	struct uidset uids, gone = UIDSET_INIT(arena);
	struct err e = ERR_INIT;
	uint64_t modseq;

	if (n > 1)
		parse_uids(args[1], &uids);
	check(mailbox_expunge(mb, n > 1 ? &uids : NULL, &gone, &modseq, &e),
	    "expunge", &e);
	say("expunged %s %s", args[0], set_text(&gone));
	mailbox_close(&mb);
	return 0;
}

static int
copy(char **args, bool move)
{
	struct mailbox *mb = open_mailbox(args[0]);
	const struct mailbox_target to = { .store = mailbox_store_of(mb),
		.name = slice_str(args[2]) };
	struct mailbox_copy_result r;
	struct uidset uids;
	struct err e = ERR_INIT;

	parse_uids(args[1], &uids);
	check_code(mailbox_copy(mb, &uids, &to, move, arena, &r, &e), "copy",
	    &e);
	for (size_t i = 0; i < r.n; i++)
		say("%s %s %u to %s %u.%u", move ? "moved" : "copied", args[0],
		    (unsigned)r.source[i], args[2], (unsigned)r.uidvalidity,
		    (unsigned)r.target[i]);
	mailbox_close(&mb);
	return 0;
}

static int
cmd_copy(char **args, size_t n)
{
	(void)n;
	return copy(args, false);
}

static int
cmd_move(char **args, size_t n)
{
	(void)n;
	return copy(args, true);
}

static int
cmd_tidy(char **args, size_t n)
{
	struct mailbox *mb = open_mailbox(args[0]);
	struct err e = ERR_INIT;

	(void)n;
	check(mailbox_refresh(mb, &e), "refresh", &e);
	mailbox_close(&mb);
	return 0;
}

static int
cmd_fold(char **args, size_t n)
{
	struct mailbox *mb = open_mailbox(args[0]);
	struct err e = ERR_INIT;

	(void)n;
	check(index_fold(mb, &e), "fold", &e);
	mailbox_close(&mb);
	return 0;
}

static int
cmd_status(char **args, size_t n)
{
	struct mailbox_status s;
	struct err e = ERR_INIT;

	(void)n;
	check(mailbox_status(st, slice_str(args[0]), true, &s, &e), "status",
	    &e);
	say("messages %u unseen %u deleted %u uidnext %u uidvalidity %u "
	    "modseq %llu size %llu",
	    (unsigned)s.counts.messages, (unsigned)s.counts.unseen,
	    (unsigned)s.counts.deleted, (unsigned)s.uidnext,
	    (unsigned)s.uidvalidity, (unsigned long long)s.modseq,
	    (unsigned long long)s.counts.size);
	return 0;
}

static const struct command {
	const char *name;
	int (*run)(char **args, size_t n);
	size_t min;
} commands[] = {
	{ "create", cmd_create, 0 },
	{ "deliver", cmd_deliver, 2 },
	{ "multi", cmd_multi, 2 },
	{ "list", cmd_list, 1 },
	{ "store", cmd_store, 3 },
	{ "expunge", cmd_expunge, 1 },
	{ "copy", cmd_copy, 3 },
	{ "move", cmd_move, 3 },
	{ "tidy", cmd_tidy, 1 },
	{ "fold", cmd_fold, 1 },
	{ "status", cmd_status, 1 },
};

static void
run(char **args, size_t n)
{
	struct err e = ERR_INIT;

	if (st == NULL && strcmp(args[0], "create") != 0 &&
	    store_open(&st, &env, account, &e) != 1)
		die("account", &e);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(args[0], commands[i].name) == 0 &&
		    n > commands[i].min) {
			commands[i].run(args + 1, n - 1);
			say("done %s", args[0]);
			return;
		}
	fprintf(stderr, "storectl: what is %s?\n", args[0]);
	exit(EXIT_USAGE);
}

int
main(int argc, char **argv)
{
	int i = 3;

	if (argc < 4) {
		fprintf(stderr, "usage: storectl data account command\n");
		return EXIT_USAGE;
	}
	env.data_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	account = slice_str(argv[2]);
	arena = arena_new(0);
	while (i < argc) {
		int from = i;

		while (i < argc && strcmp(argv[i], ",") != 0)
			i++;
		if (i > from)
			run(argv + from, (size_t)(i - from));
		i++;
	}
	store_close(&st);
	arena_free(&arena);
	close(env.data_fd);
	return 0;
}
