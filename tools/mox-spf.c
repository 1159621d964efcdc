/*
 * mox-spf - check, look up and parse SPF records.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "spf/spf.h"
#include "tools/dns_tool.h"

static struct dns_tool tool;
static const char *opt_helo;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ "helo", OPT_STRING, &opt_helo, "name",
	    "check: name that the client gives in HELO; default the domain" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-spf",
	"[options] check domain|address ip | lookup domain | parse record",
	"Check whether a host may send for a domain; look up or parse an SPF "
	"record.",
	options };

/* ---- check ---- */

static void
print_result(const struct spf_result *r, struct slice field)
{
	printf("status: %s\n", spf_status_name(r->status));
	if (r->mechanism.n > 0)
		printf("mechanism: %.*s\n", SLICE_FMT(r->mechanism));
	if (r->explanation.n > 0)
		printf("explanation: %.*s\n", SLICE_FMT(r->explanation));
	if (r->problem.n > 0)
		printf("problem: %.*s\n", SLICE_FMT(r->problem));
	printf("%s, %u lookups, %u without answer\n",
	    dns_tool_dnssec(r->secure), r->lookups, r->voids);
	printf("%.*s", SLICE_FMT(field));
}

static void
put_result(struct json_out *j, const struct spf_result *r, struct slice field)
{
	json_put_str(j, "Status", slice_str(spf_status_name(r->status)));
	json_put_str(j, "Domain", r->domain);
	json_put_str(j, "Mechanism", r->mechanism);
	json_put_str(j, "Explanation", r->explanation);
	json_put_str(j, "Problem", r->problem);
	json_put_bool(j, "DNSSEC", r->secure);
	json_put_u64(j, "Lookups", r->lookups);
	json_put_u64(j, "VoidLookups", r->voids);
	json_put_str(j, "ReceivedSPF", field);
}

static int
exit_code(enum spf_status status)
{
	if (status == SPF_TEMPERROR)
		return EXIT_LATER;
	return status == SPF_PASS ? EXIT_DONE : EXIT_FAILED;
}

static int
check(struct dns_tool *t, char **argv)
{
	char receiver[256] = "localhost";
	struct slice who = slice_str(argv[0]);
	ssize_t at = slice_rchr(who, '@');
	struct spf_args args = { .ip = dns_tool_ip(t, argv[1]),
		.domain = dns_tool_name(t, argv[0] + at + 1),
		.local = slice_head(who, at < 0 ? 0 : (size_t)at),
		.now_s = clock_s(clock_program()) };
	struct spf_result r;
	struct buf field = BUF_INIT(8192);

	gethostname(receiver, sizeof(receiver) - 1);
	args.receiver = slice_str(receiver);
	args.helo = opt_helo ? slice_str(opt_helo) : args.domain;
	spf_verify(t->dns, t->arena, &args, &r);
	spf_received(&field, &args, &r);
	put_result(&t->out, &r, buf_slice(&field));
	if (!t->json)
		print_result(&r, buf_slice(&field));
	buf_free(&field);
	return exit_code(r.status);
}

/* ---- lookup, parse ---- */

/* A record in the way it is understood. */
static int
show(struct dns_tool *t, struct slice text, bool print)
{
	struct buf canonical = BUF_INIT(64 * 1024);
	struct spf_record record;
	struct err e = ERR_INIT;

	if (spf_parse(t->arena, text, &record, &e) < 0)
		return dns_tool_fail(t, &e);
	spf_write(&canonical, &record);
	json_put_str(&t->out, "Canonical", buf_slice(&canonical));
	if (print && !t->json)
		printf("understood as: %s\n", buf_cstr(&canonical));
	buf_free(&canonical);
	return EXIT_DONE;
}

static int
look_up(struct dns_tool *t, char **argv)
{
	struct slice domain = dns_tool_name(t, argv[0]), text;
	struct err e = ERR_INIT;
	bool secure;
	int rc = spf_lookup(t->dns, t->arena, domain, &text, &secure, &e);

	if (rc < 0)
		return dns_tool_fail(t, &e);
	json_put_str(&t->out, "Record", text);
	json_put_bool(&t->out, "DNSSEC", secure);
	if (rc == 0) {
		err_set(&e, ERR_PERM, "%.*s has no SPF record (%s)",
		    SLICE_FMT(domain), dns_tool_dnssec(secure));
		return dns_tool_fail(t, &e);
	}
	if (!t->json)
		printf("%.*s\n(%s)\n", SLICE_FMT(text),
		    dns_tool_dnssec(secure));
	return show(t, text, true);
}

static int
parse(struct dns_tool *t, char **argv)
{
	return show(t, slice_str(argv[0]), false);
}

static const struct dns_tool_command commands[] = {
	{ "check", 2, 2, check },
	{ "lookup", 1, 1, look_up },
	{ "parse", 1, 1, parse },
	{ NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	tool.program = &program;
	return dns_tool_main(&tool, commands, argc, argv);
}
