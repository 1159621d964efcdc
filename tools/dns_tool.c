/* dns_tool - what tools that ask DNS have in common. */
#include "tools/dns_tool.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "dns/name.h"
#include "host/host_dns.h"
#include "text/idna.h"
#include "tools/command.h"

void
dns_tool_begin(struct dns_tool *t)
{
	struct err e = ERR_INIT;

	log_init_env(t->program->name, LOG_WARN);
	t->arena = arena_new(0);
	t->dns = host_dns_open(t->config, t->arena, &e);
	if (t->dns == NULL)
		proc_die(t->program->name, &e);
	if (t->timeout_s > 0)
		t->dns->until_ms = clock_mono_ms(NULL) + t->timeout_s * 1000;
	t->text = (struct buf)BUF_INIT(SIZE_MAX);
	t->out = (struct json_out)JSON_OUT(&t->text, true);
	json_put_object(&t->out, NULL);
}

int
dns_tool_end(struct dns_tool *t, int code)
{
	json_put_end(&t->out);
	code = command_end(code, t->json ? &t->text : NULL);
	dns_free(&t->dns);
	arena_free(&t->arena);
	buf_free(&t->text);
	return code;
}

int
dns_tool_fail(struct dns_tool *t, const struct err *e)
{
	json_put_str(&t->out, "Error", slice_str(e->text));
	if (!t->json)
		fprintf(stderr, "%s: %s\n", t->program->name, e->text);
	return proc_exit_code(e);
}

struct slice
dns_tool_name(struct dns_tool *t, const char *arg)
{
	struct slice name = slice_str(arg);
	bool ascii = true;

	if (slice_ends(name, SLICE(".")))
		name = slice_head(name, name.n - 1);
	for (size_t i = 0; i < name.n; i++)
		ascii = ascii && (unsigned char)name.p[i] < 0x80;
	/* What is ASCII may be any name that DNS has. */
	if ((!ascii && idna_ascii(t->arena, name, &name, NULL) < 0) ||
	    !dns_name_valid(name))
		opt_usage(t->program, "\"%s\" is no domain name", arg);
	return name;
}

struct ip
dns_tool_ip(struct dns_tool *t, const char *arg)
{
	struct ip ip;

	if (!ip_parse(slice_str(arg), &ip))
		opt_usage(t->program, "\"%s\" is no IP address", arg);
	return ip;
}

const char *
dns_tool_dnssec(bool secure)
{
	return secure ? "with dnssec" : "without dnssec";
}

int
dns_tool_main(struct dns_tool *t, const struct dns_tool_command *c, int argc,
    char **argv)
{
	int first = opt_parse(t->program, argc, argv), n;

	if (first == argc)
		opt_usage(t->program, "which command?");
	while (c->name != NULL && strcmp(c->name, argv[first]) != 0)
		c++;
	if (c->name == NULL)
		opt_usage(t->program, "unknown command \"%s\"", argv[first]);
	/* Options may stand behind the command, too. */
	first += opt_parse(t->program, argc - first, argv + first);
	n = argc - first;
	if (n < c->min || n > c->max)
		opt_usage(t->program, "wrong number of arguments for %s",
		    c->name);
	dns_tool_begin(t);
	return dns_tool_end(t, c->run(t, argv + first));
}
