/*
 * spfrun - SPF checks over a zone file.
 *
 * Usage: spfrun ZONE. Reads lines "name TAB ip TAB helo TAB local TAB domain"
 * and prints "name TAB result TAB explanation" for each; \DDD is a byte.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/scan.h"
#include "dns/zone.h"
#include "spf/spf.h"

static struct slice
unescape(struct arena *arena, struct slice s)
{
	struct buf b = BUF_INIT(4096);
	struct scan sc = scan_of(s);
	struct slice copy;
	unsigned byte;

	while (!scan_end(&sc))
		if (scan_char(&sc, '\\') && scan_digits(&sc, 3, &byte))
			buf_addc(&b, (char)byte);
		else
			buf_addc(&b, *sc.p++);
	copy = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return copy;
}

static void
run(struct dns *dns, struct arena *arena, struct slice line)
{
	struct spf_args args = { .receiver = SLICE("mail.example.com"),
		.now_s = 1000000000 };
	struct slice v[5] = { { NULL, 0 } };
	struct spf_result r;

	for (size_t i = 0; i < 5; i++) {
		slice_cut(line, '\t', &v[i], &line);
		v[i] = unescape(arena, v[i]);
	}
	if (!ip_parse(v[1], &args.ip)) {
		printf("%.*s\tno address\t\n", SLICE_FMT(v[0]));
		return;
	}
	args.helo = v[2];
	args.local = v[3];
	args.domain = v[4];
	spf_verify(dns, arena, &args, &r);
	printf("%.*s\t%s\t%.*s\n", SLICE_FMT(v[0]), spf_status_name(r.status),
	    SLICE_FMT(r.explanation));
}

int
main(int argc, char **argv)
{
	struct buf in = BUF_INIT(1 << 20);
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct slice rest, line;
	struct dns *dns;

	if (argc != 2)
		return EXIT_USAGE;
	dns = dns_zone_load(argv[1], &e);
	if (dns == NULL || file_read_fd(STDIN_FILENO, &in, &e) < 0)
		proc_die("spfrun", &e);
	rest = buf_slice(&in);
	while (slice_line(&rest, &line)) {
		run(dns, arena, line);
		arena_reset(arena);
	}
	dns_free(&dns);
	arena_free(&arena);
	buf_free(&in);
	return 0;
}
