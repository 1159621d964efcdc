/*
 * arcseal - add an ARC set to the message on stdin, as a forwarder would:
 * arcseal KEY.pem DOMAIN SELECTOR <message >sealed. DNS as the tools have it.
 */
#include <stdio.h>
#include <unistd.h>

#include "arc/arc.h"
#include "base/file.h"
#include "base/proc.h"
#include "host/host_dns.h"

#define MESSAGE_MAX (16 * 1024 * 1024)

static void
require(bool ok, const struct err *e)
{
	if (!ok)
		proc_die("arcseal", e);
}

/* What has to be quoted, for those who read it. */
static void
add_odd(struct arena *arena, struct authres *a)
{
	struct authres_method *m = authres_add(arena, a, "spf", "softfail");

	m->comment = SLICE("a (nested) \\ comment");
	m->reason = SLICE("says \"no\"");
	authres_add_prop(arena, m, "smtp", "mailfrom",
	    SLICE("\"odd one\"@peer.example"));
	m = authres_add(arena, a, "dkim", "pass");
	authres_add_prop(arena, m, "header", "b", SLICE("ab/c+d=="));
	authres_add_prop(arena, m, "header", "i", SLICE("@peer.example"));
	m = authres_add(arena, a, "iprev", "pass");
	authres_add_prop(arena, m, "policy", "iprev", SLICE("2001:db8::1"));
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct buf in = BUF_INIT(MESSAGE_MAX), out = BUF_INIT(DKIM_HEADER_MAX);
	struct arc_sealer sealer;
	struct authres results = { .id = SLICE("mx.seal.example") };
	struct dkim_stream *s = dkim_stream_new();
	struct err e = ERR_INIT;
	struct arc_verify *v;
	struct arc_draft draft;
	struct arc_seal *seal;
	struct arc_result r;
	struct dkim_key *key;
	struct dns *dns;

	if (argc != 4)
		return EXIT_USAGE;
	key = dkim_key_load(argv[1], &e);
	require(key != NULL, &e);
	dns = host_dns_open(NULL, arena, &e);
	require(dns != NULL, &e);
	require(file_read_fd(STDIN_FILENO, &in, &e) >= 0, &e);
	sealer.key = key;
	sealer.domain = slice_str(argv[2]);
	sealer.selector = slice_str(argv[3]);
	v = arc_verify_new(s, dns);
	seal = arc_seal_new(s);
	dkim_stream_push(s, buf_slice(&in));
	dkim_stream_end(s);
	arc_verify_finish(v, arena, &r);
	authres_add(arena, &results, "arc", arc_status_name(r.status));
	add_odd(arena, &results);
	require(arc_seal_draft(seal, &r, arena, &draft, &e) == 1, &e);
	require(arc_sign(&draft, &sealer, &results, NULL, &out, &e) == 0, &e);
	fwrite(out.p, 1, out.n, stdout);
	fwrite(in.p, 1, in.n, stdout);
	arc_seal_free(&seal);
	arc_verify_free(&v);
	dkim_stream_free(&s);
	dkim_key_free(&key);
	dns_free(&dns);
	buf_free(&in);
	buf_free(&out);
	arena_free(&arena);
	return EXIT_DONE;
}
