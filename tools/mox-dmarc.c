/*
 * mox-dmarc - look up DMARC records, verify a message, check addresses for
 * reports.
 */
#include <stdio.h>

#include "dmarc/dmarc.h"
#include "message/address.h"
#include "spf/spf.h"
#include "tools/dns_tool.h"
#include "tools/message_file.h"

static struct dns_tool tool;
static bool opt_tree_walk;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ "treewalk", OPT_BOOL, &opt_tree_walk, NULL,
	    "find the organizational domain as DMARCbis does, by records" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-dmarc",
	"[options] lookup domain | verify remoteip mailfrom helo | "
	"checkreportaddrs domain",
	"Look up DMARC records, verify a message from standard input, check "
	"that those who get reports want them.",
	options };

/* ---- lookup ---- */

static int
exit_code(enum dmarc_status status)
{
	if (status == DMARC_TEMPERROR)
		return EXIT_LATER;
	return status == DMARC_PASS ? EXIT_DONE : EXIT_FAILED;
}

/* The record, or why there is none; the exit code. */
static int
show_found(struct dns_tool *t, const struct dmarc_found *f)
{
	json_put_str(&t->out, "Domain", f->domain);
	json_put_bool(&t->out, "DNSSEC", f->secure);
	if (f->status != DMARC_PASS) {
		const char *status = f->status == DMARC_NONE
		    ? "none"
		    : dmarc_status_name(f->status);

		json_put_str(&t->out, "Status", slice_str(status));
		json_put_str(&t->out, "Problem", f->why);
		if (!t->json)
			printf("status: %s (%.*s)\n", status,
			    SLICE_FMT(f->why));
		return exit_code(f->status);
	}
	json_put_str(&t->out, "Record", f->record.text);
	if (!t->json)
		printf("dmarc record at %.*s: \"%.*s\" (%s)\n",
		    SLICE_FMT(f->domain), SLICE_FMT(f->record.text),
		    dns_tool_dnssec(f->secure));
	return EXIT_DONE;
}

static int
look_up(struct dns_tool *t, char **argv)
{
	struct buf canonical = BUF_INIT(64 * 1024);
	struct dmarc_found f;
	int code;

	dmarc_lookup(t->dns, t->arena, dns_tool_name(t, argv[0]), opt_tree_walk,
	    &f);
	code = show_found(t, &f);
	if (code == EXIT_DONE) {
		dmarc_record_write(&f.record, &canonical);
		json_put_str(&t->out, "Canonical", buf_slice(&canonical));
		if (!t->json)
			printf("understood as: %s\n", buf_cstr(&canonical));
	}
	buf_free(&canonical);
	return code;
}

/* ---- verify ---- */

static void
push(void *ctx, struct slice wire)
{
	dkim_stream_push(ctx, wire);
}

/* The domain of the one address in From; empty if there is not one. */
static struct slice
from_domain(struct dns_tool *t, const struct dkim_stream *s)
{
	const struct dkim_field *fields;
	size_t n = dkim_stream_fields(s, &fields), froms = 0;
	struct address_list list = { .n = 0 };

	for (size_t i = 0; i < n; i++)
		if (slice_isi(fields[i].name, "From") && froms++ == 0)
			address_parse(t->arena,
			    arena_dup(t->arena, fields[i].value), 2, &list);
	return froms == 1 && list.n == 1 ? list.v[0].domain : SLICE_NULL;
}

static void
spf(struct dns_tool *t, char **argv, struct spf_result *r)
{
	struct slice from = slice_str(argv[1]);
	ssize_t at = slice_rchr(from, '@');
	struct spf_args args = { .ip = dns_tool_ip(t, argv[0]),
		.helo = slice_str(argv[2]),
		.receiver = SLICE("localhost"),
		.now_s = clock_s(clock_program()) };

	if (from.n > 0)
		args.domain = dns_tool_name(t, argv[1] + at + 1);
	args.local = slice_head(from, at < 0 ? 0 : (size_t)at);
	spf_verify(t->dns, t->arena, &args, r);
}

static void
show_verdict(struct dns_tool *t, const struct spf_result *spf_result,
    const struct dkim_results *dkim, const struct dmarc_result *r)
{
	struct json_out *j = &t->out;

	json_put_str(j, "SPF", slice_str(spf_status_name(spf_result->status)));
	json_put_bool(j, "SPFAligned", r->spf_aligned);
	json_put_array(j, "DKIM");
	for (size_t i = 0; i < dkim->n; i++)
		json_put_str(j, NULL,
		    slice_str(dkim_status_name(dkim->v[i].status)));
	json_put_end(j);
	json_put_bool(j, "DKIMAligned", r->dkim_aligned);
	json_put_str(j, "Policy", slice_str(dmarc_policy_name(r->policy)));
	json_put_bool(j, "Reject", r->reject);
	if (t->json)
		return;
	printf("spf: %s, %.*s, %s\n", spf_status_name(spf_result->status),
	    SLICE_FMT(spf_result->domain),
	    r->spf_aligned ? "aligned" : "not aligned");
	for (size_t i = 0; i < dkim->n; i++)
		printf("dkim: %s, %.*s\n", dkim_status_name(dkim->v[i].status),
		    SLICE_FMT(dkim->v[i].sig.domain));
	printf("dkim: %s\n", r->dkim_aligned ? "aligned" : "not aligned");
	printf("dmarc: %s, policy %s, %s\n", dmarc_status_name(r->status),
	    dmarc_policy_name(r->policy), r->reject ? "reject" : "accept");
}

static int
judge(struct dns_tool *t, char **argv, struct slice from,
    const struct dkim_results *dkim)
{
	struct spf_result spf_result;
	struct dmarc_args args = { .from_domain = from,
		.dkim = dkim,
		.all = true,
		.tree_walk = opt_tree_walk };
	struct dmarc_result r;

	spf(t, argv, &spf_result);
	args.spf_pass = spf_result.status == SPF_PASS;
	args.spf_temperror = spf_result.status == SPF_TEMPERROR;
	args.spf_domain = spf_result.domain;
	dmarc_verify(t->dns, t->arena, &args, &r);
	if (show_found(t, &r.found) == EXIT_DONE)
		json_put_str(&t->out, "Status",
		    slice_str(dmarc_status_name(r.status)));
	show_verdict(t, &spf_result, dkim, &r);
	return exit_code(r.status);
}

static int
verify(struct dns_tool *t, char **argv)
{
	struct dkim_verify_opts opts = { .dns = t->dns,
		.clock = clock_program() };
	struct dkim_stream *s = dkim_stream_new();
	struct dkim_verify *v = dkim_verify_new(s, &opts);
	struct dkim_results results;
	struct message_file f;
	struct err e = ERR_INIT;
	struct slice from;
	int rc = message_file_open(&f, "-", &e);

	if (rc == 0) {
		rc = message_file_wire(&f, push, s, &e);
		message_file_close(&f);
	}
	dkim_stream_end(s);
	dkim_verify_finish(v, t->arena, &results);
	from = from_domain(t, s);
	dkim_verify_free(&v);
	dkim_stream_free(&s);
	if (rc == 0 && from.n == 0)
		rc = err_set(&e, ERR_SYNTAX,
		    "message has not one address in From");
	return rc < 0 ? dns_tool_fail(t, &e) : judge(t, argv, from, &results);
}

/* ---- checkreportaddrs ---- */

static void
show_check(struct dns_tool *t, const char *kind, struct slice uri,
    const char *result, struct slice why)
{
	json_put_object(&t->out, NULL);
	json_put_str(&t->out, "Kind", slice_str(kind));
	json_put_str(&t->out, "Address", uri);
	json_put_str(&t->out, "Result", slice_str(result));
	json_put_str(&t->out, "Why", why);
	json_put_end(&t->out);
	if (!t->json)
		printf("%s %.*s: %s (%.*s)\n", kind, SLICE_FMT(uri), result,
		    SLICE_FMT(why));
}

static int
check_uri(struct dns_tool *t, const char *kind, struct slice domain,
    struct slice uri)
{
	struct dmarc_report_check c;
	struct slice local, to;

	if (!dmarc_uri_address(t->arena, uri, &local, &to)) {
		show_check(t, kind, uri, "fail",
		    SLICE("no mailto: address, nothing is sent there"));
		return EXIT_FAILED;
	}
	dmarc_report_accepted(t->dns, t->arena, domain, to, &c);
	if (c.internal)
		c.why = SLICE("same organizational domain");
	else if (c.status == DMARC_PASS)
		c.why = arena_printf(t->arena, "record at %.*s, %s",
		    SLICE_FMT(c.name), dns_tool_dnssec(c.secure));
	else if (c.name.n > 0)
		c.why = arena_printf(t->arena, "%.*s: %.*s", SLICE_FMT(c.name),
		    SLICE_FMT(c.why));
	show_check(t, kind, uri, dmarc_status_name(c.status), c.why);
	return exit_code(c.status);
}

static int
check_uris(struct dns_tool *t, const char *kind, struct slice domain,
    const struct dmarc_uris *uris)
{
	int worst = EXIT_DONE;

	for (size_t i = 0; i < uris->n; i++) {
		int code = check_uri(t, kind, domain, uris->v[i].uri);

		if (worst != EXIT_FAILED && code != EXIT_DONE)
			worst = code;
	}
	return worst;
}

static int
check_report_addresses(struct dns_tool *t, char **argv)
{
	struct dmarc_found f;
	int code, rua, ruf;

	dmarc_lookup(t->dns, t->arena, dns_tool_name(t, argv[0]), opt_tree_walk,
	    &f);
	code = show_found(t, &f);
	if (code != EXIT_DONE)
		return code;
	json_put_array(&t->out, "Addresses");
	rua = check_uris(t, "rua", f.domain, &f.record.rua);
	ruf = check_uris(t, "ruf", f.domain, &f.record.ruf);
	json_put_end(&t->out);
	return rua == EXIT_DONE ? ruf : rua;
}

static const struct dns_tool_command commands[] = {
	{ "lookup", 1, 1, look_up },
	{ "verify", 3, 3, verify },
	{ "checkreportaddrs", 1, 1, check_report_addresses },
	{ NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	tool.program = &program;
	return dns_tool_main(&tool, commands, argc, argv);
}
