/*
 * mox-queue - look at the queue and steer it: a table of commands over the
 * files in data/queue.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "service/user.h"
#include "tools/queue_tool.h"

static const char *opt_config;
static struct queue_filter_text filter;
static const char *opt_sort, *opt_senderdom, *opt_recipientdom;
static bool opt_asc, opt_json, opt_now;

/* ---- options ---- */

#define CONFIG \
	{ \
		"config", OPT_STRING, &opt_config, "file", \
		    "mox.conf; default $MOXCONF or config/mox.conf" \
	}
#define JSON \
	{ \
		"json", OPT_BOOL, &opt_json, NULL, "print JSON" \
	}
#define FILTERS_BOTH \
	{ "ids", OPT_STRING, &filter.ids, "id,...", \
		"of messages or recipients" }, \
	    { "account", OPT_STRING, &filter.account, "name", \
		    "sent by this account" }, \
	    { "from", OPT_STRING, &filter.from, "text", \
		    "the sender's address contains this" }, \
	    { "to", OPT_STRING, &filter.to, "text", \
		    "the recipient's address contains this, as @example.org" }, \
	    { "submitted", OPT_STRING, &filter.submitted, "time", \
		    "queued before (<) or after (>) a time from now: <-1h30m" }, \
	    { "transport", OPT_STRING, &filter.transport, "name", \
		    "goes by this transport; empty: by the usual route" }, \
	{ \
		"n", OPT_INT, &filter.n, "number", "at most so many; 0: all" \
	}
#define FILTERS \
	FILTERS_BOTH, \
	    { "nextattempt", OPT_STRING, &filter.nextattempt, "time", \
		    "to be tried before or after: <now, >15m" }, \
	{ \
		"hold", OPT_STRING, &filter.hold, "true|false", \
		    "is on hold, or not" \
	}
#define FILTERS_RETIRED \
	FILTERS_BOTH, \
	    { "lastactivity", OPT_STRING, &filter.lastactivity, "time", \
		    "finished before or after: >-24h" }, \
	{ \
		"result", OPT_STRING, &filter.result, "success|failure", \
		    "delivered, or not" \
	}
#define END \
	{ \
		NULL, OPT_BOOL, NULL, NULL, NULL \
	}

static const struct opt opts_common[] = { CONFIG, END };
static const struct opt opts_json[] = { CONFIG, JSON, END };
static const struct opt opts_change[] = { CONFIG, FILTERS, END };
static const struct opt opts_schedule[] = { CONFIG, FILTERS,
	{ "now", OPT_BOOL, &opt_now, NULL,
	    "from now, not from the time it was to be tried" },
	END };
static const struct opt opts_list[] = { CONFIG, FILTERS, JSON,
	{ "sort", OPT_STRING, &opt_sort, "nextattempt|queued", "order" },
	{ "asc", OPT_BOOL, &opt_asc, NULL, "earliest first" }, END };
static const struct opt opts_retired[] = { CONFIG, FILTERS_RETIRED, JSON,
	{ "sort", OPT_STRING, &opt_sort, "lastactivity|queued", "order" },
	{ "asc", OPT_BOOL, &opt_asc, NULL, "earliest first" }, END };
static const struct opt opts_account[] = { CONFIG, JSON,
	{ "account", OPT_STRING, &filter.account, "name",
	    "only the list of this account" },
	END };
static const struct opt opts_rule[] = { CONFIG,
	{ "account", OPT_STRING, &filter.account, "name", "of the sender" },
	{ "senderdom", OPT_STRING, &opt_senderdom, "domain", "of the sender" },
	{ "recipientdom", OPT_STRING, &opt_recipientdom, "domain",
	    "of the recipient" },
	END };

/* ---- commands ---- */

static int
cmd_list(struct queue_tool *t, char **args)
{
	(void)args;
	return queue_list(t, opt_json);
}

static int
cmd_hold(struct queue_tool *t, char **args)
{
	(void)args;
	return queue_hold(t);
}

static int
cmd_unhold(struct queue_tool *t, char **args)
{
	(void)args;
	return queue_unhold(t);
}

static int
cmd_schedule(struct queue_tool *t, char **args)
{
	return queue_schedule(t, args[0], opt_now);
}

static int
cmd_transport(struct queue_tool *t, char **args)
{
	return queue_transport(t, args[0]);
}

static int
cmd_fail(struct queue_tool *t, char **args)
{
	(void)args;
	return queue_fail(t);
}

static int
cmd_drop(struct queue_tool *t, char **args)
{
	(void)args;
	return queue_drop(t);
}

static int
cmd_dump(struct queue_tool *t, char **args)
{
	return queue_dump(t, args[0]);
}

static int
cmd_rules_list(struct queue_tool *t, char **args)
{
	(void)args;
	return queue_holdrules_list(t, opt_json);
}

static int
cmd_rules_add(struct queue_tool *t, char **args)
{
	const char *account = filter.account;

	(void)args;
	t->filter.account = NULL; /* it is what the rule says */
	return queue_holdrules_add(t, account, opt_senderdom, opt_recipientdom);
}

static int
cmd_rules_remove(struct queue_tool *t, char **args)
{
	return queue_holdrules_remove(t, args[0]);
}

static int
cmd_retired_list(struct queue_tool *t, char **args)
{
	(void)args;
	return queue_list_retired(t, opt_json);
}

static int
cmd_retired_print(struct queue_tool *t, char **args)
{
	return queue_print_retired(t, args[0]);
}

static int
cmd_requiretls(struct queue_tool *t, char **args)
{
	return queue_requiretls(t, args[0]);
}

static int
cmd_suppress_list(struct queue_tool *t, char **args)
{
	(void)args;
	return queue_suppress_list(t, filter.account, opt_json);
}

static int
cmd_suppress_add(struct queue_tool *t, char **args)
{
	return queue_suppress_add(t, args[0], args[1]);
}

static int
cmd_suppress_remove(struct queue_tool *t, char **args)
{
	return queue_suppress_remove(t, args[0], args[1]);
}

static int
cmd_suppress_lookup(struct queue_tool *t, char **args)
{
	return queue_suppress_lookup(t, filter.account, args[0], opt_json);
}

static const struct command {
	const char *word, *second; /* second: NULL if there is none */
	int (*fn)(struct queue_tool *t, char **args);
	const char *args; /* their names, with a space between; NULL: none */
	const struct opt *opts;
	const char *sort; /* the usual order */
	const char *doc;
} commands[] = {
	{ "list", NULL, cmd_list, NULL, opts_list, "nextattempt",
	    "List recipients that are not settled yet." },
	{ "hold", NULL, cmd_hold, NULL, opts_change, "queued",
	    "Try no more until they are released." },
	{ "unhold", NULL, cmd_unhold, NULL, opts_change, "queued",
	    "Release what is on hold." },
	{ "schedule", NULL, cmd_schedule, "duration", opts_schedule, "queued",
	    "Try later, or earlier: the duration is added." },
	{ "transport", NULL, cmd_transport, "transport", opts_change, "queued",
	    "Deliver by a transport of mox.conf; \"\": the usual routes." },
	{ "requiretls", NULL, cmd_requiretls, "yes|no|default", opts_change,
	    "queued",
	    "Deliver by verified TLS only (yes), by any or none (no), or as "
	    "usual." },
	{ "fail", NULL, cmd_fail, NULL, opts_change, "queued",
	    "Give up, and tell the sender." },
	{ "drop", NULL, cmd_drop, NULL, opts_change, "queued",
	    "Remove, and tell nobody." },
	{ "dump", NULL, cmd_dump, "id", opts_common, "queued",
	    "Print the message." },
	{ "holdrules", "list", cmd_rules_list, NULL, opts_json, "queued",
	    "List which new messages are held." },
	{ "holdrules", "add", cmd_rules_add, NULL, opts_rule, "queued",
	    "Hold new messages, and those that are there, which match all "
	    "that is given." },
	{ "holdrules", "remove", cmd_rules_remove, "number", opts_common,
	    "queued", "Remove a rule; what is on hold stays there." },
	{ "retired", "list", cmd_retired_list, NULL, opts_retired,
	    "lastactivity", "List recipients that are settled." },
	{ "retired", "print", cmd_retired_print, "id", opts_common, "queued",
	    "Print one of them as JSON." },
	{ "suppress", "list", cmd_suppress_list, NULL, opts_account, "queued",
	    "List addresses that nothing more is sent to." },
	{ "suppress", "add", cmd_suppress_add, "account address", opts_common,
	    "queued", "Send nothing from the account to the address." },
	{ "suppress", "remove", cmd_suppress_remove, "account address",
	    opts_common, "queued", "Send to it again." },
	{ "suppress", "lookup", cmd_suppress_lookup, "address", opts_account,
	    "queued", "Is it on a list? 0 yes, 1 no." },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct opt_program program = { "mox-queue",
	"[-config file] command [options] [argument]",
	"Commands: list, hold, unhold, schedule, transport, requiretls, fail, "
	"drop, dump, holdrules list|add|remove, retired list|print, suppress "
	"list|add|remove|lookup. `mox-queue COMMAND -help` has their options.",
	opts_common };

/* The command that argv[1..] begins with; moves argv behind its words. */
static const struct command *
find(int *argc, char ***argv)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];
		int words = c->second ? 2 : 1;
		if (*argc <= words || strcmp((*argv)[1], c->word) != 0 ||
		    (c->second && strcmp((*argv)[2], c->second) != 0))
			continue;
		*argc -= words;
		*argv += words;
		return c;
	}
	if (*argc < 2)
		opt_usage(&program, NULL);
	opt_usage(&program, "no command \"%s%s%s\"", (*argv)[1],
	    *argc > 2 ? " " : "", *argc > 2 ? (*argv)[2] : "");
}

static int
words_in(const char *names)
{
	int n = names != NULL;

	for (; names && *names; names++)
		n += *names == ' ';
	return n;
}

/* Its own usage, and options; the arguments. */
static char **
parse(const struct command *c, int argc, char **argv)
{
	struct arena *arena = arena_new(0); /* kept: usages name these */
	const struct opt_program prog = {
		arena_printf(arena, "mox-queue %s%s%s", c->word,
		    c->second ? " " : "", c->second ? c->second : "")
		    .p,
		c->args ? arena_printf(arena, "[options] %s", c->args).p
			: "[options]",
		c->doc, c->opts
	};
	int at = opt_parse(&prog, argc, argv);

	if (argc - at != words_in(c->args))
		opt_usage(&prog, "%s%s",
		    c->args ? "needed: " : "no argument, please",
		    c->args ? c->args : "");
	return argv + at;
}

static void
set_sort(struct queue_tool *t, const struct command *c)
{
	t->sort = opt_sort && *opt_sort ? opt_sort : c->sort;
	t->ascending =
	    opt_asc || (c->opts != opts_list && c->opts != opts_retired);
	if (strcmp(t->sort, "queued") != 0 && strcmp(t->sort, c->sort) != 0)
		opt_usage(&program, "-sort is %s or queued", c->sort);
}

/* ---- the queue ---- */

/* As the owner of the data, so that files stay his. */
static int
open_queue(struct queue_tool *t, struct err *e)
{
	const char *data = t->config->data_dir;
	int data_fd, run_fd;

	if (user_become_owner(data, e) < 0)
		return -1;
	data_fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (data_fd < 0)
		return err_sys(e, "%s", data);
	run_fd = openat(data_fd, "../run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return queue_open(&t->q, data_fd, run_fd, clock_program(), NULL, e);
}

int
main(int argc, char **argv)
{
	struct queue_tool t = { .arena = arena_new(0), .step = arena_new(0) };
	struct err e = ERR_INIT;
	const struct command *c;
	char **args;
	int words = opt_parse(&program, argc, argv) - 1;

	argc -= words;
	argv += words;
	c = find(&argc, &argv);
	args = parse(c, argc, argv);
	set_sort(&t, c);
	log_init(program.name, LOG_WARN);
	user_limits();
	t.config = config_load_or_exit(opt_config);
	if (open_queue(&t, &e) < 0)
		proc_die(program.name, &e);
	t.now_us = clock_us(t.q.clock);
	if (queue_filter_parse(&filter, t.now_us, t.arena, &t.filter, &e) < 0) {
		fprintf(stderr, "mox-queue: %s\n", e.text);
		return EXIT_USAGE;
	}
	return c->fn(&t, args);
}
