/*
 * smtpc - the SMTP client of smtp/client.h, for tests that have a server:
 *
 *   smtpc [options] IP PORT FROM RCPT,... FILE...
 *
 * Sends each file over one connection and prints what became of it: a line for
 * the connection, one for each message and recipient.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "net/dial.h"
#include "smtp/client.h"

static struct {
	const char *tls, *ca, *name, *tlsa;
	bool immediate, no_pipelining, no_chunking, utf8, requiretls, memory;
	long step_ms, end_ms, limit_ms, repeat;
} o = { .tls = "none", .ca = "", .name = "localhost", .repeat = 1 };

static const struct opt opts[] = {
	{ "tls", OPT_STRING, &o.tls, "mode",
	    "none, opportunistic, required, pkix, dane" },
	{ "immediate", OPT_BOOL, &o.immediate, NULL, "TLS at once" },
	{ "ca", OPT_STRING, &o.ca, "file", "whom to trust" },
	{ "name", OPT_STRING, &o.name, "host", "of the server" },
	{ "tlsa", OPT_STRING, &o.tlsa, "hex",
	    "of a record 2 1 1 or 3 1 1, "
	    "with its three bytes" },
	{ "no-pipelining", OPT_BOOL, &o.no_pipelining, NULL, "" },
	{ "no-chunking", OPT_BOOL, &o.no_chunking, NULL, "" },
	{ "utf8", OPT_BOOL, &o.utf8, NULL, "SMTPUTF8" },
	{ "requiretls", OPT_BOOL, &o.requiretls, NULL, "REQUIRETLS" },
	{ "memory", OPT_BOOL, &o.memory, NULL, "print the most used, in KB" },
	{ "step", OPT_INT, &o.step_ms, "ms", "for an answer" },
	{ "end", OPT_INT, &o.end_ms, "ms", "for the last one" },
	{ "limit", OPT_INT, &o.limit_ms, "ms", "for everything" },
	{ "repeat", OPT_INT, &o.repeat, "n", "send all so often" },
	{ .name = NULL },
};

static const struct opt_program program = { "smtpc",
	"[options] ip port from rcpt,... file...", "Send messages.", opts };

static void
die(const char *what, const char *why)
{
	printf("%s: %s\n", what, why);
	exit(1);
}

static void
show(const char *what, const struct smtp_result *r)
{
	printf("%s: %s %s", what, smtp_outcome_name(r->outcome),
	    smtp_step_name(r->step));
	if (r->answer.code > 0)
		printf(" %d", r->answer.code);
	if (r->answer.enhanced.n > 0)
		printf(" %.*s", SLICE_FMT(r->answer.enhanced));
	printf("%s%.*s\n", r->why.n > 0 ? " - " : "", SLICE_FMT(r->why));
}

/* ---- the connection ---- */

static enum smtp_tls_mode
tls_mode(void)
{
	static const char *const names[] = { "none", "opportunistic",
		"required", "pkix", "dane" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], o.tls) == 0)
			return (enum smtp_tls_mode)i;
	opt_usage(&program, "unknown mode");
}

static struct slice
from_hex(const char *hex)
{
	static char bytes[64];
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n && i < sizeof(bytes); i++) {
		uint64_t byte = 0;
		(void)slice_hex64(slice_of(hex + 2 * i, 2), &byte);
		bytes[i] = (char)byte;
	}
	return slice_of(bytes, n);
}

static int
dial(const char *ip, const char *port)
{
	struct ip addr;
	struct dial_opts d = { .ips = &addr, .n = 1 };
	struct err e = ERR_INIT;
	uint32_t n;
	int fd;

	if (!ip_parse(slice_str(ip), &addr) || !slice_u32(slice_str(port), &n))
		opt_usage(&program, "no address");
	d.port = (uint16_t)n;
	fd = net_dial(&d, NULL, &e);
	if (fd < 0)
		die("dial", e.text);
	return fd;
}

static struct smtp_client *
open_client(int fd, struct arena *arena)
{
	static struct slice name;
	static struct tls_tlsa tlsa;
	static struct smtp_client_opts c;
	struct tls_client_opts t = { .ca_file = o.ca };
	struct err e = ERR_INIT;
	struct smtp_client *client;
	struct smtp_result r;

	name = slice_str(o.name);
	c = (struct smtp_client_opts){ .hello = SLICE("client.example"),
		.tls_mode = tls_mode(),
		.tls_immediate = o.immediate,
		.tls = tls_client_new(&t, &e),
		.expect = { .sni = name, .names = &name, .nnames = 1 },
		.step_ms = (int)o.step_ms,
		.end_ms = (int)o.end_ms,
		.no_pipelining = o.no_pipelining,
		.no_chunking = o.no_chunking };
	if (c.tls == NULL)
		die("tls", e.text);
	if (o.tlsa != NULL) {
		struct slice b = from_hex(o.tlsa);
		tlsa = (struct tls_tlsa){ (unsigned char)b.p[0],
			(unsigned char)b.p[1], (unsigned char)b.p[2],
			slice_skip(b, 3) };
		c.expect.tlsa = &tlsa;
		c.expect.ntlsa = 1;
	}
	client = smtp_client_new(fd, &c);
	smtp_client_limit_ms(client, o.limit_ms);
	if (smtp_client_open(client, arena, &r) < 0) {
		show("open", &r);
		printf("tls: %s\n",
		    tls_failure_name(smtp_client_tls_failure(client)));
		return client;
	}
	printf("open: ok %s %s\n",
	    smtp_client_tls(client) ? smtp_client_tls(client)->version
				    : "plain",
	    tls_failure_name(smtp_client_tls_failure(client)));
	return client;
}

/* ---- messages ---- */

static void
send_file(struct smtp_client *client, char **argv, const char *file,
    struct arena *arena)
{
	struct slice rest = slice_str(argv[3]);
	struct smtp_client_rcpt rcpts[2000] = { 0 };
	struct smtp_client_mail mail = { .from = slice_str(argv[2]),
		.smtputf8 = o.utf8,
		.requiretls = o.requiretls };
	struct smtp_result r;
	struct stat st;
	size_t n = 0;

	mail.source.fd = open(file, O_RDONLY);
	if (mail.source.fd < 0 || fstat(mail.source.fd, &st) < 0)
		die(file, "cannot be read");
	mail.source.size = (uint64_t)st.st_size;
	while (n < 2000 && slice_next(&rest, ',', &rcpts[n].to))
		n++;
	while (n > 0) {
		size_t left = 0;
		smtp_client_send(client, &mail, rcpts, n, arena, &r);
		show("message", &r);
		for (size_t i = 0; i < n; i++) {
			char name[300] = "rcpt ";
			slice_cstr(rcpts[i].to, name + 5, sizeof(name) - 5);
			show(name, &rcpts[i].result);
			if (rcpts[i].result.outcome == SMTP_RES_AGAIN)
				rcpts[left++] = rcpts[i];
		}
		n = left;
	}
	close(mail.source.fd);
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	int i = opt_parse(&program, argc, argv);
	struct smtp_client *client;
	struct rusage usage;

	signal(SIGPIPE, SIG_IGN);
	log_init("smtpc", LOG_ERROR);
	if (getenv("MOX_LOGLEVEL") != NULL)
		log_init("smtpc", LOG_TRACEDATA);
	if (argc - i < 5)
		opt_usage(&program, NULL);
	client = open_client(dial(argv[i], argv[i + 1]), arena);
	for (long n = 0; n < o.repeat && smtp_client_usable(client); n++)
		for (int k = i + 4; k < argc && smtp_client_usable(client);
		     k++) {
			arena_reset(arena);
			send_file(client, argv + i, argv[k], arena);
		}
	smtp_client_quit(client);
	smtp_client_free(&client);
	getrusage(RUSAGE_SELF, &usage);
	if (o.memory)
		printf("memory: %ld\n", usage.ru_maxrss);
	return 0;
}
