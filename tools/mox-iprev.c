/*
 * mox-iprev - does the reverse name of an address lead back to it?
 */
#include <stdio.h>

#include "iprev/iprev.h"
#include "tools/dns_tool.h"

static struct dns_tool tool;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-iprev", "[options] ip",
	"Look up the names of an address, and whether one has the address.",
	options };

static void
print(const struct iprev_result *r)
{
	printf("%s", iprev_status_name(r->status));
	if (r->name.n > 0)
		printf(": %.*s", SLICE_FMT(r->name));
	if (r->problem.n > 0)
		printf(": %.*s", SLICE_FMT(r->problem));
	printf(" (%s)\n", dns_tool_dnssec(r->secure));
	printf("names (%zu):\n", r->nnames);
	for (size_t i = 0; i < r->nnames; i++)
		printf("- %.*s.\n", SLICE_FMT(r->names[i]));
}

static void
put(struct json_out *j, const struct iprev_result *r)
{
	json_put_str(j, "Status", slice_str(iprev_status_name(r->status)));
	json_put_bool(j, "DNSSEC", r->secure);
	if (r->name.n > 0)
		json_put_str(j, "Name", r->name);
	json_put_array(j, "Names");
	for (size_t i = 0; i < r->nnames; i++)
		json_put_str(j, NULL, r->names[i]);
	json_put_end(j);
	if (r->problem.n > 0)
		json_put_str(j, "Error", r->problem);
}

static int
exit_code(const struct iprev_result *r)
{
	if (r->status == IPREV_TEMPERROR)
		return EXIT_LATER;
	return r->status == IPREV_PASS ? EXIT_DONE : EXIT_FAILED;
}

int
main(int argc, char **argv)
{
	int first = opt_parse(&program, argc, argv);
	struct iprev_result r;
	struct ip ip;

	if (argc - first != 1)
		opt_usage(&program, "one address, please");
	tool.program = &program;
	dns_tool_begin(&tool);
	ip = dns_tool_ip(&tool, argv[first]);
	iprev_check(tool.dns, tool.arena, &ip, &r);
	put(&tool.out, &r);
	if (!tool.json)
		print(&r);
	return dns_tool_end(&tool, exit_code(&r));
}
