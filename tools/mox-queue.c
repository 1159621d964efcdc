/*
 * mox-queue - look at the queue and steer it: a table of commands over the
 * files in data/queue.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "service/user.h"
#include "tools/command.h"
#include "tools/queue_tool.h"
#include "tools/store_tool.h"

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

static const struct queue_command {
	struct command command;
	int (*run)(struct queue_tool *t, char **args);
	const char *sort; /* the usual order */
} commands[] = {
	{ { "list", "[options]", 0, 0, opts_list,
	      "List recipients that are not settled yet." },
	    cmd_list, "nextattempt" },
	{ { "hold", "[options]", 0, 0, opts_change,
	      "Try no more until they are released." },
	    cmd_hold, "queued" },
	{ { "unhold", "[options]", 0, 0, opts_change,
	      "Release what is on hold." },
	    cmd_unhold, "queued" },
	{ { "schedule", "[options] duration", 1, 1, opts_schedule,
	      "Try later, or earlier: the duration is added." },
	    cmd_schedule, "queued" },
	{ { "transport", "[options] transport", 1, 1, opts_change,
	      "Deliver by a transport of mox.conf; \"\": the usual routes." },
	    cmd_transport, "queued" },
	{ { "requiretls", "[options] yes|no|default", 1, 1, opts_change,
	      "Deliver by verified TLS only (yes), by any or none (no), or as "
	      "usual." },
	    cmd_requiretls, "queued" },
	{ { "fail", "[options]", 0, 0, opts_change,
	      "Give up, and tell the sender." },
	    cmd_fail, "queued" },
	{ { "drop", "[options]", 0, 0, opts_change,
	      "Remove, and tell nobody." },
	    cmd_drop, "queued" },
	{ { "dump", "[options] id", 1, 1, opts_common, "Print the message." },
	    cmd_dump, "queued" },
	{ { "holdrules list", "[options]", 0, 0, opts_json,
	      "List which new messages are held." },
	    cmd_rules_list, "queued" },
	{ { "holdrules add", "[options]", 0, 0, opts_rule,
	      "Hold new messages, and those that are there, which match all "
	      "that is given." },
	    cmd_rules_add, "queued" },
	{ { "holdrules remove", "[options] number", 1, 1, opts_common,
	      "Remove a rule; what is on hold stays there." },
	    cmd_rules_remove, "queued" },
	{ { "retired list", "[options]", 0, 0, opts_retired,
	      "List recipients that are settled." },
	    cmd_retired_list, "lastactivity" },
	{ { "retired print", "[options] id", 1, 1, opts_common,
	      "Print one of them as JSON." },
	    cmd_retired_print, "queued" },
	{ { "suppress list", "[options]", 0, 0, opts_account,
	      "List addresses that nothing more is sent to." },
	    cmd_suppress_list, "queued" },
	{ { "suppress add", "[options] account address", 2, 2, opts_common,
	      "Send nothing from the account to the address." },
	    cmd_suppress_add, "queued" },
	{ { "suppress remove", "[options] account address", 2, 2, opts_common,
	      "Send to it again." },
	    cmd_suppress_remove, "queued" },
	{ { "suppress lookup", "[options] address", 1, 1, opts_account,
	      "Is it on a list? 0 yes, 1 no." },
	    cmd_suppress_lookup, "queued" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct opt_program program = { "mox-queue",
	"[-config file] command [options] [argument]",
	"Commands: list, hold, unhold, schedule, transport, requiretls, fail, "
	"drop, dump, holdrules list|add|remove, retired list|print, suppress "
	"list|add|remove|lookup. `mox-queue COMMAND -help` has their options.",
	opts_common };

static void
set_sort(struct queue_tool *t, const struct queue_command *c)
{
	t->sort = opt_sort && *opt_sort ? opt_sort : c->sort;
	t->ascending = opt_asc ||
	    (c->command.opts != opts_list && c->command.opts != opts_retired);
	if (strcmp(t->sort, "queued") != 0 && strcmp(t->sort, c->sort) != 0)
		opt_usage(&program, "-sort is %s or queued", c->sort);
}

/* ---- main ---- */

int
main(int argc, char **argv)
{
	const struct queue_command *c = command_line(&program, commands,
	    COMMANDS, sizeof(*commands), &argc, &argv);
	struct store_env env = { 0 };
	struct queue_tool t = { .arena = arena_new(0), .step = arena_new(0) };
	struct err e = ERR_INIT;

	set_sort(&t, c);
	log_init(program.name, LOG_WARN);
	user_limits();
	t.config = config_load_or_exit(opt_config);
	store_tool_open(program.name, &env, t.config, t.arena);
	if (queue_open(&t.q, env.data_fd, env.run_fd, env.clock, NULL, &e) < 0)
		proc_die(program.name, &e);
	t.now_us = clock_us(t.q.clock);
	if (queue_filter_parse(&filter, t.now_us, t.arena, &t.filter, &e) < 0) {
		fprintf(stderr, "mox-queue: %s\n", e.text);
		return EXIT_USAGE;
	}
	return c->run(&t, argv);
}
