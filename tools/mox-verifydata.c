/*
 * mox-verifydata - check the mail and the queue of a data folder, and mend
 * them.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "db/escape.h"
#include "queue/copy.h"
#include "store/verify.h"
#include "text/json_write.h"
#include "tools/store_tool.h"
#include "tools/verify_queue.h"

static bool opt_fix, opt_json, opt_restored, opt_skip;

static const struct opt options[] = {
	{ "fix", OPT_BOOL, &opt_fix, NULL, "mend what can be mended" },
	{ "json", OPT_BOOL, &opt_json, NULL, "print one JSON object" },
	{ "restored", OPT_BOOL, &opt_restored, NULL,
	    "this is an old copy: give mailboxes a new UIDVALIDITY" },
	{ "skip-size-check", OPT_BOOL, &opt_skip, NULL,
	    "do not look at the sizes of messages" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-verifydata",
	"[options] data-dir",
	"Check indexes against files, counts, credentials.", options };

struct output {
	struct buf text; /* of -json */
	struct json_out json;
	bool terminal; /* progress is shown */
};

/* ---- output ---- */

static void
clear_progress(const struct output *out)
{
	if (out->terminal)
		fputs("\r\033[K", stderr);
}

static void
show_progress(void *ctx, struct slice account, struct slice mailbox,
    uint64_t messages)
{
	const struct output *out = ctx;

	if (!out->terminal)
		return;
	clear_progress(out);
	fprintf(stderr, "%.*s %.*s %llu", SLICE_FMT(account),
	    SLICE_FMT(mailbox), (unsigned long long)messages);
}

static const char *
level_name(const struct verify_finding *f)
{
	return f->fixed ? "fixed" : f->level == VERIFY_NOTE ? "note" : "error";
}

static void
print_finding(const struct verify_finding *f)
{
	if (f->account.n > 0)
		printf("%.*s: ", SLICE_FMT(f->account));
	if (f->mailbox.n > 0)
		printf("%.*s: ", SLICE_FMT(f->mailbox));
	printf("%s: %s: %s\n", level_name(f), f->what, f->text);
}

static void
found(void *ctx, const struct verify_finding *f)
{
	struct output *out = ctx;
	struct json_out *j = &out->json;

	clear_progress(out);
	if (!opt_json) {
		print_finding(f);
		return;
	}
	json_put_object(j, NULL);
	json_put_str(j, "Account", f->account);
	json_put_str(j, "Mailbox", f->mailbox);
	json_put_str(j, "Level", slice_str(level_name(f)));
	json_put_str(j, "What", slice_str(f->what));
	json_put_str(j, "Text", slice_str(f->text));
	json_put_end(j);
}

static void
begin_output(struct output *out, const char *dir)
{
	out->text = (struct buf)BUF_INIT(SIZE_MAX);
	out->json = (struct json_out)JSON_OUT(&out->text, true);
	out->terminal = isatty(STDERR_FILENO);
	json_put_object(&out->json, NULL);
	json_put_str(&out->json, "Dir", slice_str(dir));
	json_put_array(&out->json, "Findings");
}

static void
end_output(struct output *out, const struct verify *v, const char *dir)
{
	struct json_out *j = &out->json;

	clear_progress(out);
	json_put_end(j);
	json_put_u64(j, "Accounts", v->accounts);
	json_put_u64(j, "Mailboxes", v->mailboxes);
	json_put_u64(j, "Messages", v->messages);
	json_put_u64(j, "Errors", v->errors);
	json_put_u64(j, "Notes", v->notes);
	json_put_u64(j, "Fixed", v->fixed);
	json_put_end(j);
	if (opt_json)
		fputs(buf_cstr(&out->text), stdout);
	else if (v->errors == 0)
		printf("%s: OK\n", dir);
	else
		printf("%s: %llu errors\n", dir, (unsigned long long)v->errors);
	buf_free(&out->text);
}

/* ---- credentials ---- */

static void
check_password(struct verify *v, struct auth *auth, struct slice file)
{
	struct buf name = BUF_INIT(NAME_MAX);
	struct sasl_creds creds;
	struct err e = ERR_INIT;

	/* @nobody, @tls, and temporary files are no accounts. */
	if (!slice_starts(file, SLICE("@")) &&
	    !slice_starts(file, SLICE(".")) && db_unescape(&name, file) &&
	    auth_load(auth, buf_slice(&name), &creds, &e) < 0) {
		v->account = buf_slice(&name);
		verify_report(v, VERIFY_ERROR, "credentials", false, "%s",
		    e.text);
		v->account = SLICE_NULL;
	}
	buf_free(&name);
}

/* Nobody can mend them but who knows the password. */
static void
check_credentials(struct verify *v)
{
	struct auth_opts opts = { .data_fd = v->env->data_fd };
	struct arena *arena = arena_new(0);
	struct auth *auth = NULL;
	struct auth_key *keys;
	struct err e = ERR_INIT;
	struct slice *files;
	size_t n = 0, nkeys;

	if (file_list(v->env->data_fd, "auth", arena, &files, &n, &e) == 1 &&
	    (auth_open(&opts, &auth, &e) < 0 ||
		auth_key_list(auth, arena, SLICE_NULL, &keys, &nkeys, &e) < 0))
		verify_report(v, VERIFY_ERROR, "credentials", false, "%s",
		    e.text);
	for (size_t i = 0; i < n && auth; i++)
		check_password(v, auth, files[i]);
	auth_close(&auth);
	arena_free(&arena);
}

/* ---- queue ---- */

static void
found_in_queue(void *ctx, const char *path, const char *why)
{
	struct verify *v = ctx;

	verify_report(v, VERIFY_ERROR, "queue", v->fix, "%s: %s", path, why);
}

/* Of a copy only: one in use changes meanwhile, and mends itself. */
static void
check_queue(struct verify *v)
{
	const struct queue_copy copy = {
		.mend = v->fix, .found = found_in_queue, .ctx = v
	};
	struct err e = ERR_INIT;

	if (queue_copy_check(&copy, v->env->data_fd, &e) < 0)
		verify_report(v, VERIFY_ERROR, "queue", false, "%s", e.text);
}

/* ---- main ---- */

static void
open_data(struct store_env *env, const char *dir)
{
	static char hostname[256] = "localhost";

	store_tool_env(program.name, dir, env);
	gethostname(hostname, sizeof(hostname) - 1);
	env->hostname = hostname;
}

int
main(int argc, char **argv)
{
	int arg = opt_parse(&program, argc, argv);
	struct store_env env = { 0 };
	struct output out;
	struct verify v = { .env = &env,
		.fix = opt_fix,
		.skip_sizes = opt_skip,
		.restored = opt_restored,
		.found = found,
		.progress = show_progress,
		.ctx = &out };
	struct err e = ERR_INIT;

	if (argc - arg != 1)
		opt_usage(&program, "one data folder, please");
	log_init(program.name, LOG_WARN);
	umask(007);
	open_data(&env, argv[arg]);
	begin_output(&out, argv[arg]);
	if (verify_data(&v, &e) < 0)
		proc_die(program.name, &e);
	check_credentials(&v);
	if (opt_restored)
		check_queue(&v);
	if (verify_queue(&v, &e) < 0)
		proc_die(program.name, &e);
	end_output(&out, &v, argv[arg]);
	return v.errors > 0 ? EXIT_FAILED : EXIT_DONE;
}
