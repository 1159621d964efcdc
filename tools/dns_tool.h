/*
 * dns_tool - what tools that ask DNS have in common: options, the handle,
 * names from the command line, JSON.
 */
#ifndef TOOLS_DNS_TOOL_H
#define TOOLS_DNS_TOOL_H

#include "base/opt.h"
#include "base/proc.h"
#include "dns/dns.h"
#include "text/json_write.h"

struct dns_tool {
	const struct opt_program *program; /* set by the program */
	const char *config;                /* options */
	bool json;
	long timeout_s; /* 0: only the resolver's own limits */
	struct arena *arena;
	struct dns *dns;
	struct buf text; /* of -json */
	struct json_out out;
};

#define DNS_TOOL_OPTS(tool) \
	{ "config", OPT_STRING, &(tool).config, "file", \
		"mox.conf with the settings of DNS; default $MOXCONF or " \
		"config/mox.conf, if there is one" }, \
	    { "json", OPT_BOOL, &(tool).json, NULL, "print one JSON object" }, \
	{ \
		"timeout", OPT_INT, &(tool).timeout_s, "seconds", \
		    "wait no longer for all answers" \
	}

/* Options are parsed: open DNS, or exit; -json begins an object. */
void dns_tool_begin(struct dns_tool *t);
/* Print the object, free everything. Returns code. */
int dns_tool_end(struct dns_tool *t, int code);
/* Say what is wrong, in the object or on stderr, and end: the exit code. */
int dns_tool_fail(struct dns_tool *t, const struct err *e);

/* A domain of the command line in ASCII form, without a trailing dot. Exits
 * with 2 if it is none. */
struct slice dns_tool_name(struct dns_tool *t, const char *arg);
/* An address; exits with 2 if it is none. */
struct ip dns_tool_ip(struct dns_tool *t, const char *arg);

const char *dns_tool_dnssec(bool secure); /* "with dnssec" */

/* A subcommand with its number of arguments. */
struct dns_tool_command {
	const char *name;
	int min, max;
	int (*run)(struct dns_tool *t, char **argv); /* the exit code */
};

/* main of a tool with subcommands: table ended by name NULL. Options may stand
 * before the command and behind it. */
int dns_tool_main(struct dns_tool *t, const struct dns_tool_command *commands,
    int argc, char **argv);

#endif
