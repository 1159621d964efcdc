/*
 * echod - a service that tests talk to: lib/service with the least protocol.
 *
 * A line a command; answers end with a line "ok ..." or "no ...". The front
 * reads them, the back answers some, and after "session" the back has the
 * connection. Options set the limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "dns/ask.h"
#include "service/service.h"

enum { ASK = SPLIT_FIRST, SESSION };

static struct {
	const char *cert, *key, *proxy, *run, *files, *etc, *dns;
	long total, unauthenticated, per_ip, per_minute, timeout_ms;
	bool loopback_exempt;
} o = { .total = 1000,
	.unauthenticated = 1000,
	.per_ip = 1000,
	.per_minute = 100000,
	.timeout_ms = 2000 };

static const struct opt opts[] = {
	{ "cert", OPT_STRING, &o.cert, "file", "certificate" },
	{ "key", OPT_STRING, &o.key, "file", "its key" },
	{ "proxy", OPT_STRING, &o.proxy, "prefix", "who is a proxy" },
	{ "run", OPT_STRING, &o.run, "folder", "of limits and counters" },
	{ "files", OPT_STRING, &o.files, "folder", "the back may write to" },
	{ "etc", OPT_STRING, &o.etc, "folder", "the parent may read" },
	{ "dns", OPT_STRING, &o.dns, "conf",
	    "ask mox-resolver, with this mox.conf, or env" },
	{ "total", OPT_INT, &o.total, "n", "connections" },
	{ "unauth", OPT_INT, &o.unauthenticated, "n", "without a login" },
	{ "per-ip", OPT_INT, &o.per_ip, "n", "connections of an address" },
	{ "per-minute", OPT_INT, &o.per_minute, "n", "new ones" },
	{ "timeout", OPT_INT, &o.timeout_ms, "ms", "for a line" },
	{ "exempt", OPT_BOOL, &o.loopback_exempt, NULL, "loopback" },
	{ .name = NULL },
};

static const struct service_kind kinds[] = {
	{ "echo", 1, false, false, LIMIT_NEW_SMTP, false },
	{ "login", 2, false, true, LIMIT_NEW_IMAP, false },
	{ "echos", 3, true, false, LIMIT_NEW_SMTP, false },
	{ "shared", 4, false, false, LIMIT_NEW_SMTP, true },
	{ .name = NULL },
};

static int
load(struct service_setup *setup, struct err *e)
{
	static struct sandbox_path paths[2], etc;
	static struct ip_prefix proxy;
	struct tls_files files = { o.cert, o.key, 0, 0 };
	struct tls_opts tls = {
		.files = &files, .nfiles = 1, .tickets = tls_tickets_new()
	};

	setup->limits = (struct service_limits){
		.connections = (unsigned)o.total,
		.unauthenticated = (unsigned)o.unauthenticated,
		.open = { (unsigned)o.per_ip },
		.new_per_minute = { (unsigned)o.per_minute },
		.auth_per_minute = { 3 },
		.auth_per_day = { 100 },
		.loopback_exempt = o.loopback_exempt,
	};
	if (o.proxy != NULL && !ip_prefix_parse(slice_str(o.proxy), &proxy))
		return err_set(e, ERR_SYNTAX, "bad prefix");
	for (size_t i = 0; i < setup->nlisteners; i++) {
		struct service_listener *l = &setup->listeners[i];
		l->proxies = &proxy;
		l->nproxies = o.proxy != NULL;
		if (o.cert != NULL &&
		    (l->tls = tls_server_new(&tls, e)) == NULL)
			return -1;
	}
	setup->run_dir = o.run;
	paths[0] = (struct sandbox_path){ o.files, SANDBOX_WRITE };
	paths[1] = (struct sandbox_path){ o.run, SANDBOX_READ };
	setup->back_paths = paths;
	etc = (struct sandbox_path){ o.etc, SANDBOX_READ };
	setup->parent_paths = &etc;
	setup->nparent_paths = o.etc != NULL;
	setup->nback_paths = o.files == NULL ? 0 : o.run == NULL ? 1 : 2;
	return 0;
}

static const char *
refuse(const struct service_client *client, enum service_refusal why)
{
	static const char *const texts[] = {
		[SERVICE_STOPPING] = "no stopping\r\n",
		[SERVICE_RATE] = "no rate\r\n",
		[SERVICE_TOO_MANY] = "no too many\r\n",
		[SERVICE_BUSY] = "no busy\r\n",
		[SERVICE_AUTH_FAILED] = "no failed logins\r\n",
		[SERVICE_CRASHES] = "no crashes\r\n",
	};

	(void)client;
	return texts[why];
}

/* ---- what must fail ---- */

static const char *
tried(bool worked)
{
	return worked                           ? "allowed"
	    : errno == EACCES || errno == EPERM ? "refused"
						: strerrordesc_np(errno);
}

static const char *
try(struct slice what)
{
	char *argv[] = { (char *)"true", NULL };
	char path[256] = "";

	if (slice_starts(what, SLICE("write "))) {
		if (!slice_cstr(slice_skip(what, 6), path, sizeof(path)))
			return "too long";
		return tried(open(path, O_WRONLY | O_CREAT, 0600) >= 0);
	}
	if (slice_is(what, "open"))
		return tried(open("/etc/passwd", O_RDONLY) >= 0);
	if (slice_is(what, "socket"))
		return tried(socket(AF_INET, SOCK_STREAM, 0) >= 0);
	if (slice_is(what, "exec"))
		return tried(execv("/bin/true", argv) == 0);
	if (slice_is(what, "fork"))
		return tried(fork() >= 0);
	if (slice_is(what, "kill"))
		return tried(kill(1, 0) == 0);
	if (slice_is(what, "ptrace"))
		return tried(ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0);
	return "unknown";
}

/* ---- back ---- */

struct back {
	const struct service_client *client;
	struct split *split;
	struct slice unread;
	bool tls, session;
};

static unsigned served; /* connections of this back */

/* Ask for the addresses of names with commas between, all at once. */
static struct slice
ask_dns(const struct service_client *client, struct arena *arena,
    struct slice names)
{
	static struct dns *dns; /* stays, where the back is shared */
	struct buf out = BUF_INIT(900);
	struct slice rest = names, name, all;
	char text[IP_TEXT];

	if (client->door < 0)
		return SLICE("no door");
	if (dns == NULL)
		dns = ask_new(client->door);
	while (slice_next(&rest, ',', &name))
		dns_start(dns, name, DNS_A);
	while (slice_next(&names, ',', &name)) {
		struct err e = ERR_INIT;
		struct dns_answer a;
		int rc = dns_query(dns, arena, name, DNS_A, &a, &e);
		buf_addf(&out, "%s%s%s", out.n > 0 ? " " : "",
		    rc > 0          ? ip_text(&a.v[0].ip, text)
			: rc == 0   ? "none"
			: a.timeout ? "timeout"
			: a.bogus   ? "bogus"
				    : e.text,
		    a.secure ? "+" : "");
	}
	all = arena_dup(arena, buf_slice(&out));
	buf_free(&out);
	return all;
}

static int
on_ask(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct back *b = ctx;
	struct slice q = msg->v[0], answer = SLICE("what?");
	struct arena *arena = arena_new(0);
	char text[IP_TEXT], number[16];
	int rc;

	if (slice_is(q, "who")) {
		answer = slice_str(ip_text(&b->client->ip, text));
	} else if (slice_is(q, "served")) {
		snprintf(number, sizeof(number), "%u", served);
		answer = slice_str(number);
	} else if (slice_is(q, "login")) {
		service_authenticated(b->client, SLICE_NULL);
		answer = SLICE("in");
	} else if (slice_starts(q, SLICE("login "))) {
		service_authenticated(b->client, slice_skip(q, 6));
		answer = SLICE("in");
	} else if (slice_is(q, "fail")) {
		answer = service_auth_failed(b->client)
		    ? SLICE("again")
		    : SLICE("too many failures");
	} else if (slice_is(q, "crash")) {
		__builtin_trap();
	} else if (slice_starts(q, SLICE("try "))) {
		answer = slice_str(try(slice_skip(q, 4)));
	} else if (slice_starts(q, SLICE("dns "))) {
		answer = ask_dns(b->client, arena, slice_skip(q, 4));
	}
	rc = split_reply(b->split, &answer, 1, e);
	arena_free(&arena);
	return rc;
}

static int
on_session(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct back *b = ctx;
	unsigned char tls;

	if (!SPLIT_GET(msg->v[0], &tls))
		return err_set(e, ERR_SYNTAX, "no flag");
	b->tls = tls;
	b->unread = msg->v[1];
	b->session = true;
	return 0;
}

static const struct split_op ops[] = {
	{ ASK, 1, 1, 1, 1000, on_ask },
	{ SESSION, 1, 2, 2, 0, on_session },
	{ .type = 0 },
};

/*
 * "park MS STATE", for at most so long. "regular", "nofolder": with descriptors
 * that make no sense, as a session that was taken over might.
 */
static void
park(const struct service_client *client, struct conn *c, struct slice args)
{
	struct service_parked parked = { .fd = conn_read_fd(c),
		.watch_fd = -1,
		.look_fd = -1,
		.end_ms = clock_mono_ms(NULL) };
	struct slice ms;
	uint64_t n;

	slice_cut(args, ' ', &ms, &parked.state);
	if (slice_u64(ms, &n))
		parked.end_ms += (int64_t)n;
	if (slice_is(parked.state, "regular"))
		parked.fd = open(o.files, O_RDONLY);
	if (slice_is(parked.state, "nofolder"))
		parked.look_fd = parked.fd;
	conn_flush(c);
	service_park(client, &parked);
	conn_writez(c, "no park\r\n");
}

static int
serve_session(const struct service_client *client, struct conn *c)
{
	enum conn_status status;
	struct slice line;

	for (;;) {
		if (!conn_has_line(c))
			conn_flush(c);
		status = conn_line(c, 1000, &line, NULL);
		if (status != CONN_OK || slice_is(line, "quit"))
			break;
		if (slice_starts(line, SLICE("park "))) {
			park(client, c, slice_skip(line, 5));
			continue;
		}
		if (slice_is(line, "restart")) {
			conn_flush(c);
			service_restart(client, conn_read_fd(c),
			    SLICE("ok again\r\n"), conn_buffered(c));
		}
		if (slice_starts(line, SLICE("claim ")))
			service_authenticated(client, slice_skip(line, 6));
		conn_writez(c, "ok session ");
		conn_write(c, line);
		conn_writez(c, "\r\n");
	}
	conn_writez(c, status == CONN_STOP ? "no stopping\r\n" : "ok bye\r\n");
	conn_flush(c);
	conn_shutdown(c);
	conn_free(&c);
	return 0;
}

static int
session(struct back *b)
{
	struct err e = ERR_INIT;
	struct conn *c =
	    service_take_over(b->client, &b->split, b->tls, b->unread, &e);

	if (c == NULL)
		return 1;
	conn_writez(c, "ok session\r\n");
	return serve_session(b->client, c);
}

static int
resume(const struct service_client *client, const struct service_parked *parked)
{
	struct conn *c = conn_new(parked->fd, parked->fd);
	char text[IP_TEXT];

	conn_set_stop(c, &service_stop);
	conn_writef(c, "ok resumed %.*s %.*s %s\r\n", SLICE_FMT(client->who),
	    SLICE_FMT(parked->state), ip_text(&client->ip, text));
	return serve_session(client, c);
}

static int
back(const struct service_client *client, struct split *split)
{
	struct back b = { .client = client, .split = split };
	struct err e = ERR_INIT;
	int rc;

	served++;
	do
		rc = split_serve(split, ops, &b, 600000, &e);
	while (rc > 0 && !b.session);
	if (rc < 0)
		log_line("echod", LOG_ERROR, "back", LOG_E(&e));
	return b.session ? session(&b) : rc < 0;
}

/* ---- front ---- */

struct front {
	const struct service_client *client;
	struct conn *conn;
	struct split *split;
};

static void
ask(struct front *f, struct slice question)
{
	struct split_msg reply;
	struct err e = ERR_INIT;

	if (split_call(f->split, ASK, &question, 1, 10000, &reply, &e) < 0) {
		conn_writef(f->conn, "no back: %s\r\n", e.text);
		return;
	}
	conn_writez(f->conn, "ok ");
	conn_write(f->conn, reply.v[0]);
	conn_writez(f->conn, "\r\n");
}

static bool
hand_over(struct front *f)
{
	unsigned char tls = conn_is_tls(f->conn);
	struct slice v = SPLIT_OF(tls);

	conn_flush(f->conn);
	return service_hand_over(f->conn, &f->split, SESSION, &v, 1, NULL) == 0;
}

static void
starttls(struct front *f)
{
	conn_writez(f->conn, "ok start\r\n");
	conn_flush(f->conn);
	conn_tls_accept(f->conn, f->client->listener->tls, 5000);
}

/* False at the end. */
static bool
command(struct front *f, struct slice line)
{
	struct slice word, rest;

	slice_cut(line, ' ', &word, &rest);
	if (slice_is(word, "quit"))
		return false;
	if (slice_is(word, "session"))
		return !hand_over(f);
	if (slice_is(word, "crash"))
		__builtin_trap();
	else if (slice_is(word, "starttls"))
		starttls(f);
	else if (slice_is(word, "ask"))
		ask(f, rest);
	else if (slice_is(word, "bad")) /* a message that may not come */
		split_send(f->split, 99, NULL, 0, NULL);
	else if (slice_is(word, "log"))
		log_line("echod", LOG_INFO, "said", LOG_S("what", rest));
	else if (slice_is(word, "try"))
		conn_writef(f->conn, "ok %s\r\n", try(rest));
	else if (slice_is(word, "tls"))
		conn_writef(f->conn, "ok %s %s\r\n",
		    conn_is_tls(f->conn) ? conn_tls_facts(f->conn)->version
					 : "-",
		    conn_is_tls(f->conn) && conn_tls_facts(f->conn)->resumed
			? "resumed"
			: "new");
	else
		conn_writef(f->conn, "ok %.*s\r\n", SLICE_FMT(line));
	return true;
}

static int
front(const struct service_client *client, struct conn *conn,
    struct split *split)
{
	struct front f = { client, conn, split };
	enum conn_status status = CONN_OK;
	struct slice line;
	bool more = true;

	conn_set_read_ms(conn, (int)o.timeout_ms);
	if (client->listener->kind->tls && !client->again)
		status = conn_tls_accept(conn, client->listener->tls, 5000);
	if (client->again)
		conn_unread(conn, client->unread);
	conn_write(conn, client->again ? client->text : SLICE("ok hello\r\n"));
	while (status == CONN_OK && more) {
		if (!conn_has_line(conn))
			conn_flush(conn);
		status = conn_line(conn, 1000, &line, NULL);
		if (status == CONN_OK)
			more = command(&f, line);
	}
	if (f.split == NULL)
		return 0;
	if (status == CONN_STOP)
		conn_writez(conn, refuse(client, service_stop_reason()));
	else if (status == CONN_TIMEOUT)
		conn_writez(conn, "no timeout\r\n");
	else if (status == CONN_TOO_LONG)
		conn_writez(conn, "no too long\r\n");
	conn_flush(conn);
	conn_shutdown(conn);
	return 0;
}

static const char *
resolver_config(void)
{
	return strcmp(o.dns, "env") == 0 ? NULL : o.dns;
}

static const char *const look[] = { NULL };

static struct service echod = {
	.name = "echod",
	.doc = "Answers lines, for tests of lib/service.",
	.opts = opts,
	.kinds = kinds,
	.load = load,
	.front = front,
	.back = back,
	.resume = resume,
	.look = look,
	.refuse = refuse,
};

int
main(int argc, char **argv)
{
	/* Options are parsed later; this decides whether there is a door. */
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "-dns=", 5) == 0)
			echod.resolver_config = resolver_config;
	return service_main(&echod, argc, argv);
}
