/*
 * mox-dnsbl - ask block lists about an address, and how they are.
 */
#include <stdio.h>

#include "dnsbl/dnsbl.h"
#include "tools/dns_tool.h"

static struct dns_tool tool;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-dnsbl",
	"[options] check zone ip | checkhealth zone",
	"Ask a DNS block list about an address, or whether it works.",
	options };

static int
check(struct dns_tool *t, char **argv)
{
	struct slice zone = dns_tool_name(t, argv[0]);
	struct ip ip = dns_tool_ip(t, argv[1]);
	struct err e = ERR_INIT;
	struct dnsbl_result r;
	bool listed;
	char code[IP_TEXT];

	if (dnsbl_lookup(t->dns, t->arena, zone, &ip, &r, &e) < 0)
		return dns_tool_fail(t, &e);
	listed = r.status == DNSBL_FAIL;
	json_put_bool(&t->out, "Listed", listed);
	if (listed) {
		ip_text(&r.code, code);
		json_put_str(&t->out, "Code", slice_str(code));
		json_put_str(&t->out, "Why", r.why);
	}
	if (!t->json && listed)
		printf("listed: %s%s%.*s\n", code, r.why.n > 0 ? ": " : "",
		    SLICE_FMT(r.why));
	else if (!t->json)
		puts("not listed");
	return listed ? EXIT_FAILED : EXIT_DONE;
}

static int
check_health(struct dns_tool *t, char **argv)
{
	struct err e = ERR_INIT;
	bool healthy =
	    dnsbl_health(t->dns, t->arena, dns_tool_name(t, argv[0]), &e) == 0;

	json_put_bool(&t->out, "Healthy", healthy);
	if (!healthy)
		return dns_tool_fail(t, &e);
	if (!t->json)
		puts("healthy");
	return EXIT_DONE;
}

static const struct dns_tool_command commands[] = {
	{ "check", 2, 2, check },
	{ "checkhealth", 1, 1, check_health },
	{ NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	tool.program = &program;
	return dns_tool_main(&tool, commands, argc, argv);
}
