/*
 * mox-arc - verify the chain of ARC sets of a message.
 */
#include <stdio.h>

#include "arc/arc.h"
#include "tools/dns_tool.h"
#include "tools/message_file.h"

static struct dns_tool tool;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-arc", "[options] verify file",
	"Verify the chain of ARC sets of a message.", options };

static void
push(void *ctx, struct slice wire)
{
	dkim_stream_push(ctx, wire);
}

static void
print_result(const struct arc_result *r)
{
	printf("status: %s\nsets: %u\n", arc_status_name(r->status), r->n);
	if (r->why.n > 0)
		printf("problem: %.*s\n", SLICE_FMT(r->why));
	if (r->status != ARC_PASS)
		return;
	printf("oldest pass: %u\n", r->oldest_pass);
	for (unsigned i = 0; i < r->n; i++)
		printf("%u: sealed by %.*s, said %.*s\n", i + 1,
		    SLICE_FMT(r->sets[i].domain),
		    SLICE_FMT(r->sets[i].results));
}

static void
put_result(struct json_out *j, const struct arc_result *r)
{
	json_put_str(j, "Status", slice_str(arc_status_name(r->status)));
	json_put_u64(j, "Sets", r->n);
	json_put_u64(j, "OldestPass", r->oldest_pass);
	json_put_str(j, "Problem", r->why);
	json_put_array(j, "Chain");
	for (unsigned i = 0; r->status == ARC_PASS && i < r->n; i++) {
		json_put_object(j, NULL);
		json_put_str(j, "Domain", r->sets[i].domain);
		json_put_str(j, "Selector", r->sets[i].selector);
		json_put_str(j, "Results", r->sets[i].results);
		json_put_end(j);
	}
	json_put_end(j);
}

static int
verify(struct dns_tool *t, char **argv)
{
	struct dkim_stream *s;
	struct arc_verify *v;
	struct arc_result r;
	struct message_file f;
	struct err e = ERR_INIT;
	int rc;

	if (message_file_open(&f, argv[0], &e) < 0)
		return dns_tool_fail(t, &e);
	s = dkim_stream_new();
	v = arc_verify_new(s, t->dns);
	rc = message_file_wire(&f, push, s, &e);
	dkim_stream_end(s);
	arc_verify_finish(v, t->arena, &r);
	arc_verify_free(&v);
	dkim_stream_free(&s);
	message_file_close(&f);
	if (rc < 0)
		return dns_tool_fail(t, &e);
	put_result(&t->out, &r);
	if (!t->json)
		print_result(&r);
	if (r.temporary)
		return EXIT_LATER;
	return r.status == ARC_PASS ? EXIT_DONE : EXIT_FAILED;
}

static const struct dns_tool_command commands[] = {
	{ "verify", 1, 1, verify },
	{ NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	tool.program = &program;
	return dns_tool_main(&tool, commands, argc, argv);
}
