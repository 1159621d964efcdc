/*
 * submit - an SMTP submission client for measuring:
 *
 *	submit IP PORT LOGIN PASSWORD FROM CLIENTS COUNT SIZE [each | DOMAINS]
 *
 * COUNT messages of SIZE bytes from CLIENTS processes at once, with STARTTLS
 * and AUTH PLAIN; "each": on a connection of their own. Recipients are at
 * far.example, or at so many domains, d0.example and so on, in turn. Prints how
 * many a second were taken.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "net/dial.h"
#include "smtp/client.h"

#define RCPTS 1000 /* different ones */

static struct {
	struct ip ip;
	uint32_t port, clients, count, size, domains;
	struct slice login, password, from;
	bool each;
	struct tls_client *tls;
	int message; /* a file */
} o;

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
	fprintf(stderr, "submit: %s: %s\n", what, why);
	exit(1);
}

static void
must(int rc, const struct smtp_result *r, struct arena *arena)
{
	if (rc < 0)
		die(smtp_step_name(r->step), arena_cstr(arena, r->why));
}

static int
message_file(void)
{
	int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	struct buf b = BUF_INIT((size_t)o.size + 1024);
	struct err e = ERR_INIT;

	buf_addf(&b, "From: <%.*s>\nTo: <r@far.example>\nSubject: measured\n\n",
	    SLICE_FMT(o.from));
	while (b.n + 64 < o.size)
		buf_addz(&b,
		    "The quick brown fox jumps over the lazy dog, once "
		    "more again.\n");
	if (fd < 0 || file_write(fd, buf_slice(&b), &e) < 0)
		die("message", e.text);
	o.size = (uint32_t)b.n;
	buf_free(&b);
	return fd;
}

static struct smtp_client *
log_in(struct arena *arena)
{
	static const struct slice name = SLICE("localhost");
	struct dial_opts dial = {
		.ips = &o.ip, .n = 1, .port = (uint16_t)o.port
	};
	struct smtp_client_opts opts = { .hello = SLICE("client.example"),
		.tls_mode = SMTP_TLS_REQUIRED,
		.tls = o.tls,
		.expect = { .sni = name, .names = &name, .nnames = 1 },
		.no_chunking = true }; /* as mail programs do */
	struct slice plain = SLICE("PLAIN");
	struct smtp_login login = { .login = o.login,
		.password = o.password,
		.mechanisms = &plain,
		.nmechanisms = 1 };
	struct smtp_client *client;
	struct smtp_result r;
	struct err e = ERR_INIT;
	int fd = net_dial(&dial, NULL, &e);

	if (fd < 0)
		die("connect", e.text);
	client = smtp_client_new(fd, &opts);
	must(smtp_client_open(client, arena, &r), &r, arena);
	must(smtp_client_auth(client, &login, NULL, arena, &r), &r, arena);
	return client;
}

static void
send_one(struct smtp_client *client, uint32_t i, struct arena *arena)
{
	struct slice to = o.domains
	    ? arena_printf(arena, "r%u@d%u.example", i % RCPTS, i % o.domains)
	    : arena_printf(arena, "r%u@far.example", i % RCPTS);
	struct smtp_client_rcpt rcpt = { .to = to };
	struct smtp_client_mail mail = { .from = o.from,
		.source = { .fd = o.message, .size = o.size } };
	struct smtp_result r;

	smtp_client_send(client, &mail, &rcpt, 1, arena, &r);
	must(rcpt.result.outcome == SMTP_RES_OK ? 0 : -1, &rcpt.result, arena);
}

/* What process `first` of them sends. */
static void
run(uint32_t first)
{
	struct smtp_client *client = NULL;
	struct arena *arena = arena_new(0);

	for (uint32_t i = first; i < o.count; i += o.clients) {
		arena_reset(arena);
		if (!client)
			client = log_in(arena);
		send_one(client, i, arena);
		if (o.each || i + o.clients >= o.count) {
			smtp_client_quit(client);
			smtp_client_free(&client);
		}
	}
}

static void
parse(char **argv)
{
	if (!ip_parse(slice_str(argv[0]), &o.ip) ||
	    !slice_u32(slice_str(argv[1]), &o.port) ||
	    !slice_u32(slice_str(argv[5]), &o.clients) || o.clients == 0 ||
	    !slice_u32(slice_str(argv[6]), &o.count) ||
	    !slice_u32(slice_str(argv[7]), &o.size))
		die("arguments", "see the head of the source");
	o.login = slice_str(argv[2]);
	o.password = slice_str(argv[3]);
	o.from = slice_str(argv[4]);
}

int
main(int argc, char **argv)
{
	struct tls_client_opts tls = { .ca_file = "" };
	struct err e = ERR_INIT;
	int64_t begin;
	int status, failed = 0;

	if (argc < 9)
		die("arguments", "see the head of the source");
	signal(SIGPIPE, SIG_IGN);
	log_init("submit", LOG_ERROR);
	parse(argv + 1);
	o.each = argc > 9 && strcmp(argv[9], "each") == 0;
	if (argc > 9 && !o.each && !slice_u32(slice_str(argv[9]), &o.domains))
		die("arguments", argv[9]);
	o.message = message_file();
	o.tls = tls_client_new(&tls, &e);
	if (!o.tls)
		die("tls", e.text);
	begin = clock_mono_ms(NULL);
	for (uint32_t i = 0; i < o.clients; i++)
		if (fork() == 0) {
			run(i);
			_exit(0);
		}
	while (wait(&status) > 0)
		failed |= status;
	printf("%.1f\n",
	    o.count * 1e3 / (double)(clock_mono_ms(NULL) - begin + 1));
	return failed ? 1 : 0;
}
