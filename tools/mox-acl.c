/*
 * mox-acl - rights of mailboxes (lib/store/acl.h) and what accounts share: a
 * table of commands.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "config/domains_cdb.h"
#include "config/lookup.h"
#include "db/escape.h"
#include "service/user.h"
#include "store/acl.h"
#include "store/share.h"
#include "text/json_write.h"
#include "tools/command.h"
#include "tools/store_tool.h"

static const char *opt_config;
static bool opt_json;

static const struct opt opts_common[] = { { "config", OPT_STRING, &opt_config,
					      "file",
					      "mox.conf; default $MOXCONF or "
					      "config/mox.conf" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL } };
static const struct opt opts_json[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "json", OPT_BOOL, &opt_json, NULL, "print a JSON list" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL }
};

static const struct opt_program program = { "mox-acl", "command [options] ...",
	"Who may do what with mailboxes. Commands: list, set, delete, shared, "
	"rebuild. `mox-acl COMMAND -help` says more.",
	opts_common };

struct tool {
	struct store_env env;
	struct lookup *lookup;
	struct arena *arena;
	struct buf text; /* of -json */
	struct json_out json;
};

/* ---- accounts and names ---- */

static void die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

static void
die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program.name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_FAILED);
}

/* The account of a name or address, as domains.conf is now. */
static struct slice
account_of(struct tool *t, const char *text)
{
	const struct conf_account *settings;
	struct slice name = slice_str(text);
	struct lookup_result r;
	struct err e = ERR_INIT;
	int rc;

	if (slice_chr(name, '@') >= 0) {
		rc = lookup_login(t->lookup, t->arena, name, &r, &e);
		if (rc == 0 && r.status == LOOKUP_ACCOUNT)
			return r.account;
	} else {
		rc = lookup_account(t->lookup, t->arena, name, &settings, &e);
		if (rc == 1)
			return name;
	}
	if (rc < 0)
		proc_die(program.name, &e);
	die("no account \"%s\"", text);
}

static struct store *
open_account(struct tool *t, const char *text)
{
	struct slice account = account_of(t, text);
	struct store *st;
	struct err e = ERR_INIT;
	int rc = store_open(&st, &t->env, account, &e);

	if (rc < 0)
		proc_die(program.name, &e);
	if (rc == 0)
		die("account \"%.*s\" has no mail yet", SLICE_FMT(account));
	return st;
}

static struct slice
mailbox_of(struct tool *t, const char *text)
{
	struct slice name;
	struct err e = ERR_INIT;

	if (store_name_check(t->arena, slice_str(text), &name, &e) < 0)
		die("%s", e.text);
	return name;
}

/* "anna", "-anyone", "owner", "user=anna". gone: it need not be an account. */
static struct acl_entry
who_of(struct tool *t, struct store *st, const char *text, bool gone)
{
	struct buf line = BUF_INIT(PATH_MAX);
	struct acl_entry entry = { .negative = text[0] == '-' };
	struct acl acl;

	text += entry.negative;
	buf_addf(&line, "%s\n", text);
	acl_parse(buf_slice(&line), t->arena, &acl);
	buf_free(&line);
	if (acl.n == 1 && acl.bad == 0) {
		entry.who = acl.v[0].who;
		entry.name = acl.v[0].name;
	} else {
		entry.who = ACL_USER;
		entry.name = slice_str(text);
	}
	if (entry.who == ACL_USER && !gone)
		entry.name = account_of(t, arena_cstr(t->arena, entry.name));
	if (entry.who == ACL_USER && slice_eq(entry.name, store_account(st))) {
		entry.who = ACL_THE_OWNER;
		entry.name = SLICE_NULL;
	}
	return entry;
}

/* ---- output ---- */

/* Names are printed escaped, so that a line is a line. */
static void
print_field(struct slice raw, char end)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	for (size_t i = 0; i < raw.n; i++) {
		unsigned char c = (unsigned char)raw.p[i];

		if (c < ' ' || c == 0x7f || c == '\\')
			buf_addf(&b, "\\x%02x", c);
		else
			buf_addc(&b, raw.p[i]);
	}
	printf("%s%c", buf_cstr(&b), end);
	buf_free(&b);
}

static void
put_row(struct tool *t, const char *const keys[3], const struct slice v[3])
{
	if (!opt_json) {
		for (size_t i = 0; i < 3; i++)
			print_field(v[i], i < 2 ? '\t' : '\n');
		return;
	}
	json_put_object(&t->json, NULL);
	for (size_t i = 0; i < 3; i++)
		json_put_str(&t->json, keys[i], v[i]);
	json_put_end(&t->json);
}

static struct slice
letters(struct tool *t, unsigned rights)
{
	struct buf b = BUF_INIT(100);
	struct slice s;

	acl_rights_format(&b, rights, false);
	s = arena_dup(t->arena, buf_slice(&b));
	buf_free(&b);
	return s;
}

/* ---- commands ---- */

static int
list_mailbox(struct tool *t, struct store *st, struct slice mailbox)
{
	static const char *const keys[] = { "Mailbox", "Who", "Rights" };
	struct err e = ERR_INIT;
	struct acl acl;
	int rc = acl_read(st, mailbox, t->arena, &acl, &e);

	if (rc < 0)
		proc_die(program.name, &e);
	for (size_t i = 0; i < acl.n; i++) {
		struct buf who = BUF_INIT(PATH_MAX);

		acl_who_format(&who, &acl.v[i]);
		put_row(t, keys,
		    (struct slice[]){ mailbox, buf_slice(&who),
			letters(t, acl.v[i].rights) });
		buf_free(&who);
	}
	if (acl.bad > 0) {
		fprintf(stderr,
		    "%s: %.*s: %zu line(s) of " ACL_FILE
		    " make no sense, so that only the owner has rights: edit "
		    "them\n",
		    program.name, SLICE_FMT(mailbox), acl.bad);
		return EXIT_FAILED;
	}
	if (rc == 0)
		die("no mailbox \"%.*s\"", SLICE_FMT(mailbox));
	return EXIT_DONE;
}

static int
cmd_list(struct tool *t, int argc, char **args)
{
	struct store *st = open_account(t, args[0]);
	struct store_mailbox *v;
	struct err e = ERR_INIT;
	size_t n = 0;
	int code = EXIT_DONE;

	if (argc > 1)
		code = list_mailbox(t, st, mailbox_of(t, args[1]));
	else if (store_list(st, t->arena, &v, &n, &e) < 0)
		proc_die(program.name, &e);
	for (size_t i = 0; i < n; i++)
		if (v[i].exists && list_mailbox(t, st, v[i].name) != EXIT_DONE)
			code = EXIT_FAILED;
	store_close(&st);
	return code;
}

static int
change(struct store *st, struct slice mailbox, const struct acl_entry *entry,
    enum acl_op op)
{
	struct err e = ERR_INIT;

	switch (acl_change(st, mailbox, entry, op, &e)) {
	case STORE_OK:
		store_close(&st);
		return EXIT_DONE;
	case STORE_NONEXISTENT:
		die("no mailbox \"%.*s\"", SLICE_FMT(mailbox));
	case STORE_CANNOT:
		die("%s", e.text);
	default:
		proc_die(program.name, &e);
	}
}

static int
cmd_set(struct tool *t, int argc, char **args)
{
	struct store *st = open_account(t, args[0]);
	struct slice mailbox = mailbox_of(t, args[1]);
	struct acl_entry entry = who_of(t, st, args[2], false);
	struct slice rights = slice_str(args[3]);
	enum acl_op op = slice_starts(rights, SLICE("+")) ? ACL_ADD
	    : slice_starts(rights, SLICE("-"))            ? ACL_REMOVE
							  : ACL_SET;

	(void)argc;
	if (!acl_rights_parse(slice_skip(rights, op != ACL_SET), &entry.rights))
		die("rights are among lrswipkxtecda, not \"%s\"", args[3]);
	return change(st, mailbox, &entry, op);
}

static int
cmd_delete(struct tool *t, int argc, char **args)
{
	struct store *st = open_account(t, args[0]);
	struct slice mailbox = mailbox_of(t, args[1]);
	struct acl_entry entry = who_of(t, st, args[2], true);

	(void)argc;
	return change(st, mailbox, &entry, ACL_FORGET);
}

static int
cmd_shared(struct tool *t, int argc, char **args)
{
	static const char *const keys[] = { "Owner", "Mailbox", "Rights" };
	struct slice account = account_of(t, args[0]);
	struct shares all;
	struct err e = ERR_INIT;

	(void)argc;
	if (shares_read(&t->env, account, t->arena, &all, &e) < 0)
		proc_die(program.name, &e);
	for (size_t i = 0; i < all.n; i++)
		put_row(t, keys,
		    (struct slice[]){ all.v[i].owner->account, all.v[i].mailbox,
			letters(t, all.v[i].rights) });
	return EXIT_DONE;
}

static void
mended(void *ctx, const struct share_difference *d)
{
	(void)ctx;
	printf("%s ", d->missing ? "added" : "removed");
	print_field(d->owner, '\t');
	print_field(d->mailbox, '\t');
	print_field(d->who, '\n');
}

/* A wrong account does not keep the others from being mended. */
static int
rebuild_account(struct tool *t, struct slice account)
{
	struct store *st = NULL;
	struct err e = ERR_INIT;
	int rc = store_open(&st, &t->env, account, &e);

	if (rc == 1)
		rc = share_mend_missing(st, true, mended, NULL, &e);
	store_close(&st);
	if (rc >= 0)
		return EXIT_DONE;
	fprintf(stderr, "%s: account %.*s: %s\n", program.name,
	    SLICE_FMT(account), e.text);
	return proc_exit_code(&e);
}

static int
cmd_rebuild(struct tool *t, int argc, char **args)
{
	struct slice *accounts;
	struct err e = ERR_INIT;
	size_t n;
	int code = EXIT_DONE, one;

	(void)argc, (void)args;
	if (db_escaped_list(t->env.data_fd, "accounts", t->arena, &accounts, &n,
		&e) < 0)
		proc_die(program.name, &e);
	for (size_t i = 0; i < n; i++) {
		one = rebuild_account(t, accounts[i]);
		if (one != EXIT_DONE && code != EXIT_FAILED)
			code = one;
	}
	if (share_mend_stale(&t->env, true, mended, NULL, &e) < 0)
		proc_die(program.name, &e);
	return code;
}

static const struct acl_command {
	struct command command;
	int (*run)(struct tool *t, int argc, char **args);
} commands[] = {
	{ { "list", "[options] account [mailbox]", 1, 2, opts_json,
	      "Print the entries of the lists of rights of an account's "
	      "mailboxes." },
	    cmd_list },
	{ { "set", "[options] account mailbox who [+-]rights", 4, 4,
	      opts_common,
	      "Give rights, add to them (+) or take some away (-)." },
	    cmd_set },
	{ { "delete", "[options] account mailbox who", 3, 3, opts_common,
	      "Remove an entry." },
	    cmd_delete },
	{ { "shared", "[options] account", 1, 1, opts_json,
	      "Print what others share with an account." },
	    cmd_shared },
	{ { "rebuild", "[options]", 0, 0, opts_common,
	      "Make data/shared what the lists of rights say." },
	    cmd_rebuild },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

/* ---- main ---- */

static void
open_tool(struct tool *t, const struct config *config)
{
	struct sconf_errors errors;
	struct err e = ERR_INIT;

	store_tool_open(program.name, &t->env, config, t->arena);
	sconf_errors_init(&errors, t->arena);
	if (domains_cdb_refresh(config, &errors) < 0) {
		config_print_errors(&errors);
		exit(EXIT_FAILED);
	}
	if (lookup_open(config, &t->lookup, &e) < 0)
		proc_die(program.name, &e);
	t->text = (struct buf)BUF_INIT(SIZE_MAX);
	t->json = (struct json_out)JSON_OUT(&t->text, true);
}

int
main(int argc, char **argv)
{
	const struct acl_command *c = command_line(&program, commands, COMMANDS,
	    sizeof(*commands), &argc, &argv);
	struct tool t = { .arena = arena_new(0) };
	int code;

	log_init(program.name, LOG_WARN);
	user_limits();
	umask(007);
	open_tool(&t, config_load_or_exit(opt_config));
	json_put_array(&t.json, NULL);
	code = c->run(&t, argc, argv);
	json_put_end(&t.json);
	code = command_end(code, opt_json ? &t.text : NULL);
	buf_free(&t.text);
	lookup_close(&t.lookup);
	arena_free(&t.arena);
	return code;
}
