/*
 * mox-mailbox - repairs of the mail of accounts: a table of commands over
 * lib/store/repair.h. `mox reparse` is `mox-mailbox reparse`, and so for all.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "config/config.h"
#include "db/escape.h"
#include "service/user.h"
#include "store/repair.h"
#include "text/json_write.h"
#include "tools/command.h"
#include "tools/store_tool.h"

/* Progress is shown so often. */
#define SHOW_MS 100

static const char *opt_config;
static bool opt_json, opt_all, opt_all_accounts;

/* ---- commands ---- */

#define COMMON \
	{ "config", OPT_STRING, &opt_config, "file", \
		"mox.conf; default $MOXCONF or config/mox.conf" }, \
	{ \
		"json", OPT_BOOL, &opt_json, NULL, "print one JSON object" \
	}
#define END \
	{ \
		NULL, OPT_BOOL, NULL, NULL, NULL \
	}

static const struct opt opts_common[] = { COMMON, END };
static const struct opt opts_uids[] = { COMMON,
	{ "all-accounts", OPT_BOOL, &opt_all_accounts, NULL,
	    "of all accounts" },
	END };
static const struct opt opts_ensure[] = { COMMON,
	{ "all", OPT_BOOL, &opt_all, NULL, "all messages, as reparse does" },
	END };

static int
ensure_parsed(struct repair *r, struct err *e)
{
	return opt_all ? repair_reparse(r, e) : repair_ensure_parsed(r, e);
}

/* The line at the end of an account: how many messages... */
enum summary {
	SUMMARY_NONE,
	SUMMARY_MESSAGES, /* ...were looked at */
	SUMMARY_CHANGED,  /* ...were changed */
	SUMMARY_RIGHT,    /* only if nothing was changed */
};

static const struct mailbox_command {
	struct command command; /* no account: all of them */
	bool ask;               /* all only if -all-accounts says so */
	int (*run)(struct repair *r, struct err *e);
	enum summary summary;
	const char *said;
} commands[] = {
	{ { "bumpuidvalidity", "[options] account [mailbox]", 0, 2, opts_uids,
	      "Give mailboxes a new UIDVALIDITY, so that clients fetch all "
	      "again." },
	    true, repair_bump_uidvalidity, SUMMARY_NONE, NULL },
	{ { "reassignuids", "[options] account [mailbox]", 0, 2, opts_uids,
	      "Number messages anew from 1, with a new UIDVALIDITY." },
	    true, repair_reassign_uids, SUMMARY_NONE, NULL },
	{ { "fixuidmeta", "[options] [account]", 0, 1, opts_common,
	      "Raise UIDNEXT and the counter of UIDVALIDITY where they are "
	      "too low." },
	    false, repair_uid_meta, SUMMARY_RIGHT, "UIDs are right" },
	{ { "fixmsgsize", "[options] [account]", 0, 1, opts_common,
	      "Compare sizes in index and file names with the messages." },
	    false, repair_sizes, SUMMARY_CHANGED, "message size(s) fixed" },
	{ { "reparse", "[options] [account]", 0, 1, opts_common,
	      "Parse all messages again, and index their texts again." },
	    false, repair_reparse, SUMMARY_MESSAGES, "message(s) reparsed" },
	{ { "ensureparsed", "[options] [account]", 0, 1, opts_ensure,
	      "Parse messages that have no record, or a damaged or old one." },
	    false, ensure_parsed, SUMMARY_CHANGED, "message(s) parsed" },
	{ { "recalculatemailboxcounts", "[options] [account]", 0, 1,
	      opts_common, "Compare totals of mailboxes with their messages." },
	    false, repair_recount, SUMMARY_RIGHT, "counts are right" },
	{ { "reassignthreads", "[options] [account]", 0, 1, opts_common,
	      "Find out anew which messages belong together." },
	    false, repair_rethread, SUMMARY_CHANGED,
	    "message(s) in another thread" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct opt_program program = { "mox-mailbox",
	"command [options] [account [mailbox]]",
	"Repairs. Commands: bumpuidvalidity, reassignuids, fixuidmeta, "
	"fixmsgsize, reparse, ensureparsed, recalculatemailboxcounts, "
	"reassignthreads. `mox-mailbox COMMAND -help` says more.",
	opts_common };

/* ---- to be stopped ---- */

static volatile sig_atomic_t stopped;

/* A second one ends the program at once, which is safe as well. */
static void
on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND | SA_RESTART };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* ---- output ---- */

struct output {
	const struct mailbox_command *command;
	struct repair repair;
	bool prefix; /* lines begin with the account */
	bool terminal;
	int64_t shown; /* progress, monotonic ms */
	struct buf text;
	struct json_out json;
	uint64_t messages, changed, all; /* of the account; all: with others
					  * than messages */
};

static void
clear_progress(struct output *out)
{
	if (out->terminal && out->shown > 0)
		fputs("\r\033[K", stderr);
	out->shown = 0;
}

static bool
progress(void *ctx, uint64_t done, uint64_t total)
{
	struct output *out = ctx;
	int64_t now;

	if (stopped)
		return false;
	now = out->terminal ? clock_mono_ms(NULL) : 0;
	if (!out->terminal || now < out->shown + SHOW_MS)
		return true;
	fprintf(stderr, "\r\033[K%.*s %.*s %llu/%llu",
	    SLICE_FMT(store_account(out->repair.st)), SLICE_FMT(out->repair.at),
	    (unsigned long long)done, (unsigned long long)total);
	out->shown = now;
	return true;
}

static void
print_line(struct output *out, const char *text)
{
	clear_progress(out);
	if (out->prefix)
		printf("%.*s: ", SLICE_FMT(store_account(out->repair.st)));
	puts(text);
}

static void
note(void *ctx, const struct repair_note *n)
{
	struct output *out = ctx;
	struct json_out *j = &out->json;

	out->messages += n->messages;
	out->all += n->changed;
	if (n->mailbox.n > 0)
		out->changed += n->changed;
	if (!opt_json) {
		if (n->text)
			print_line(out, n->text);
		return;
	}
	json_put_object(j, NULL);
	json_put_str(j, "Mailbox", n->mailbox);
	json_put_u64(j, "Messages", n->messages);
	json_put_u64(j, "Changed", n->changed);
	if (n->uidvalidity)
		json_put_u64(j, "UIDValidity", n->uidvalidity);
	if (n->text)
		json_put_str(j, "Text", slice_str(n->text));
	json_put_end(j);
}

static void
print_summary(struct output *out, int64_t ms)
{
	const struct mailbox_command *c = out->command;
	struct slice account = store_account(out->repair.st);

	clear_progress(out);
	switch (c->summary) {
	case SUMMARY_NONE:
		break;
	case SUMMARY_MESSAGES:
		printf("%llu %s for account %.*s in %lldms\n",
		    (unsigned long long)out->messages, c->said,
		    SLICE_FMT(account), (long long)ms);
		break;
	case SUMMARY_CHANGED:
		printf("%llu %s for account %.*s\n",
		    (unsigned long long)out->changed, c->said,
		    SLICE_FMT(account));
		break;
	case SUMMARY_RIGHT:
		if (out->all == 0)
			printf("%s for account %.*s\n", c->said,
			    SLICE_FMT(account));
		break;
	}
	fflush(stdout);
}

static void
begin_account(struct output *out, struct slice account)
{
	out->messages = out->changed = out->all = 0;
	json_put_object(&out->json, NULL);
	json_put_str(&out->json, "Account", account);
	json_put_array(&out->json, "Mailboxes");
}

static void
end_account(struct output *out, const struct err *e)
{
	struct json_out *j = &out->json;

	json_put_end(j);
	json_put_u64(j, "Messages", out->messages);
	json_put_u64(j, "Changed", out->all);
	if (e)
		json_put_str(j, "Error", slice_str(e->text));
	json_put_end(j);
}

/* ---- accounts ---- */

/* Returns the exit code. */
static int
run_account(struct output *out, const struct store_env *env,
    struct slice account)
{
	struct err e = ERR_INIT;
	int64_t began = clock_mono_ms(NULL);
	int rc = store_open(&out->repair.st, env, account, &e);

	if (rc == 0)
		rc = err_set(&e, ERR_PERM, "no account \"%.*s\"",
		    SLICE_FMT(account));
	begin_account(out, account);
	if (rc == 1) {
		store_set_progress(out->repair.st, progress, out);
		rc = out->command->run(&out->repair, &e);
	}
	clear_progress(out);
	end_account(out, rc < 0 ? &e : NULL);
	if (rc < 0)
		fprintf(stderr, "%s: account %.*s: %s%s\n", program.name,
		    SLICE_FMT(account), e.text,
		    stopped ? "; what is done is done, run it again for the "
			      "rest"
			    : "");
	else if (!opt_json)
		print_summary(out, clock_mono_ms(NULL) - began);
	store_close(&out->repair.st);
	return rc < 0 ? proc_exit_code(&e) : EXIT_DONE;
}

/* A wrong one does not keep the others from being mended. */
static int
run_all(struct output *out, const struct store_env *env)
{
	struct arena *arena = arena_new(0);
	struct buf name = BUF_INIT(NAME_MAX);
	struct slice *files;
	struct err e = ERR_INIT;
	size_t n = 0;
	int code = EXIT_DONE, one;

	if (file_list(env->data_fd, "accounts", arena, &files, &n, &e) < 0)
		proc_die(program.name, &e);
	out->prefix = true;
	for (size_t i = 0; i < n && !stopped; i++) {
		buf_reset(&name);
		if (slice_starts(files[i], SLICE(".")) ||
		    !db_unescape(&name, files[i]))
			continue;
		one = run_account(out, env, buf_slice(&name));
		if (one != EXIT_DONE && code != EXIT_FAILED)
			code = one;
	}
	buf_free(&name);
	arena_free(&arena);
	return stopped ? EXIT_LATER : code;
}

static int
run(const struct mailbox_command *c, const struct store_env *env, int argc,
    char **argv)
{
	struct output out = { .command = c,
		.text = BUF_INIT(SIZE_MAX),
		.terminal = isatty(STDERR_FILENO) };
	int code;

	out.json = (struct json_out)JSON_OUT(&out.text, true);
	out.repair.note = note;
	out.repair.ctx = &out;
	if (argc > 1)
		out.repair.only = slice_str(argv[1]);
	json_put_object(&out.json, NULL);
	json_put_array(&out.json, "Accounts");
	code = argc == 0 ? run_all(&out, env)
			 : run_account(&out, env, slice_str(argv[0]));
	json_put_end(&out.json);
	json_put_end(&out.json);
	code = command_end(code, opt_json ? &out.text : NULL);
	buf_free(&out.text);
	return code;
}

/* ---- main ---- */

int
main(int argc, char **argv)
{
	const struct mailbox_command *c = command_line(&program, commands,
	    COMMANDS, sizeof(*commands), &argc, &argv);
	struct arena *arena = arena_new(0);
	struct store_env env = { 0 };

	if (opt_all_accounts && argc > 0)
		opt_usage(&program, "-all-accounts takes no account");
	if (c->ask && !opt_all_accounts && argc == 0)
		opt_usage(&program, "%s: which account? Or -all-accounts",
		    c->command.words);
	log_init(program.name, LOG_WARN);
	user_limits();
	umask(007);
	store_tool_open(program.name, &env, config_load_or_exit(opt_config),
	    arena);
	catch_signals();
	return run(c, &env, argc, argv);
}
