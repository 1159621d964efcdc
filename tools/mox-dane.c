/*
 * mox-dane - connect as DANE demands, and make its records.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "dane/dane.h"
#include "net/dial.h"
#include "smtp/client.h"
#include "smtp/gather.h"
#include "tools/dns_tool.h"
#include "tools/talk.h"

#define SMTP_PORT 25
#define TLS_MS 60000
#define PEM_MAX (1 << 20)

static struct dns_tool tool;
static const char *opt_usages, *opt_hello;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ "usages", OPT_STRING, &opt_usages, "list",
	    "dial: usages that count, with commas; default "
	    "pkix-ta,pkix-ee,dane-ta,dane-ee" },
	{ "ehlohostname", OPT_STRING, &opt_hello, "name",
	    "dialmx: own name for EHLO; default localhost" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-dane",
	"[options] dial host:port | dialmx domain [host] | "
	"makerecord usage selector matchtype [pemfile]",
	"Connect to a server, or to a mail server of a domain, as its TLSA "
	"records demand; make such a record.",
	options };

/* ---- a host ---- */

struct target {
	struct slice host;
	uint16_t port;
	struct gather_addresses a;
	struct dane_result dane;
	unsigned usages;    /* those that count here, a bit each */
	struct tls_tlsa *v; /* the records that do */
	size_t n;
	struct slice names[4]; /* RFC 7672, 3.2.2, besides the TLSA base */
	size_t nnames;
	bool pkix; /* one of v has a usage PKIX-... */
	int fd;
	struct ip ip; /* connected to, if it has a family */
};

/* ERR_TEMP where it may be otherwise later. */
static int
look_up(struct dns_tool *t, struct target *x, struct err *e)
{
	struct dane_host host = { .name = x->host };

	gather_addresses(t->dns, t->arena, x->host, &x->a);
	if (x->a.status != GATHER_OK)
		return err_set(e,
		    x->a.status == GATHER_TEMP ? ERR_TEMP : ERR_PERM, "%.*s",
		    SLICE_FMT(x->a.why));
	host.expanded = x->a.expanded;
	host.name_secure = x->a.name_secure;
	host.secure = x->a.secure;
	dane_lookup(t->dns, t->arena, &host, x->port, &x->dane);
	if (x->dane.nall == 0)
		return err_set(e,
		    x->dane.status == DANE_FAIL ? ERR_TEMP : ERR_PERM, "%.*s",
		    SLICE_FMT(x->dane.why));
	x->names[x->nnames++] = x->host;
	x->names[x->nnames++] = x->a.expanded;
	return 0;
}

static bool
counts(const struct target *x, const struct tls_tlsa *r)
{
	return dane_well_formed(r) && x->usages & 1u << r->usage;
}

static int
choose(struct dns_tool *t, struct target *x, struct err *e)
{
	x->v = arena_array(t->arena, x->dane.nall, sizeof(*x->v));
	for (size_t i = 0; i < x->dane.nall; i++) {
		const struct tls_tlsa *r = &x->dane.all[i];
		if (!counts(x, r))
			continue;
		x->v[x->n++] = *r;
		x->pkix = x->pkix || r->usage < DANE_TA;
	}
	return x->n > 0 ? 0
			: err_set(e, ERR_PERM,
			      "none of the %zu TLSA records of %.*s can be "
			      "used",
			      x->dane.nall, SLICE_FMT(x->dane.base));
}

static int
connect_to(struct target *x, struct err *e)
{
	struct dial_opts opts = {
		.ips = x->a.ips, .n = x->a.n, .port = x->port
	};
	size_t which;

	x->fd = net_dial(&opts, &which, e);
	if (x->fd < 0)
		return -1;
	x->ip = x->a.ips[which];
	return 0;
}

static struct tls_client *
trust(const struct target *x, struct err *e)
{
	/* The system's anchors only for who needs them: they take a while. */
	struct tls_client_opts opts = { .ca_file = x->pkix ? NULL : "" };

	return tls_client_new(&opts, e);
}

static struct tls_expect
expect_of(const struct target *x)
{
	return (struct tls_expect){ .verify = TLS_VERIFY_DANE,
		.sni = x->dane.base,
		.names = x->names,
		.nnames = x->nnames,
		.tlsa = x->v,
		.ntlsa = x->n,
		.pkix_usages = x->pkix };
}

/* ---- telling ---- */

static void
put_record(struct dns_tool *t, const struct target *x, const struct tls_tlsa *r)
{
	struct json_out *j = &t->out;

	json_put_object(j, NULL);
	json_put_str(j, "Usage", slice_str(dane_usage_name(r->usage)));
	json_put_str(j, "Selector", slice_str(dane_selector_name(r->selector)));
	json_put_str(j, "MatchType", slice_str(dane_match_name(r->match)));
	json_put_str(j, "Record", dane_text(t->arena, r));
	json_put_bool(j, "Usable", counts(x, r));
	json_put_end(j);
}

/* What was found, before there is a connection; into the open object. */
static void
put_target(struct dns_tool *t, const struct target *x)
{
	struct json_out *j = &t->out;
	char text[IP_TEXT];

	json_put_str(j, "Host", x->host);
	json_put_u64(j, "Port", x->port);
	json_put_str(j, "Expanded", x->a.expanded);
	json_put_array(j, "Addresses");
	for (size_t i = 0; i < x->a.n; i++) {
		ip_text(&x->a.ips[i], text);
		json_put_str(j, NULL, slice_str(text));
	}
	json_put_end(j);
	json_put_bool(j, "DNSSEC", x->a.secure);
	json_put_str(j, "DANE",
	    slice_str(x->n > 0 ? "usable" : dane_status_name(x->dane.status)));
	json_put_str(j, "Base", x->dane.base);
	json_put_array(j, "Records");
	for (size_t i = 0; i < x->dane.nall; i++)
		put_record(t, x, &x->dane.all[i]);
	json_put_end(j);
	if (x->ip.family != 0) {
		ip_text(&x->ip, text);
		json_put_str(j, "Address", slice_str(text));
	}
}

/* How it went, c perhaps NULL. Without -json a line on stderr. */
static void
tell(struct dns_tool *t, const struct target *x, const struct conn *c,
    const struct err *e)
{
	const struct tls_facts *facts = c != NULL ? conn_tls_facts(c) : NULL;
	char ip[IP_TEXT] = "", why[200] = "";
	struct slice record = SLICE_NULL;
	enum tls_failure failure = TLS_FAILURE_NONE;
	struct tls_tlsa match;

	if (x->ip.family != 0)
		ip_text(&x->ip, ip);
	if (c != NULL && conn_tls_match(c, &match))
		record = dane_text(t->arena, &match);
	if (c != NULL && e->kind != ERR_NONE)
		failure = conn_tls_failure(c, why, sizeof(why));
	put_target(t, x);
	json_put_bool(&t->out, "Verified", e->kind == ERR_NONE);
	if (facts != NULL)
		talk_put_tls(&t->out, facts);
	if (record.n > 0)
		json_put_str(&t->out, "Match", record);
	if (failure != TLS_FAILURE_NONE)
		json_put_str(&t->out, "Failure",
		    slice_str(tls_failure_name(failure)));
	if (e->kind != ERR_NONE)
		json_put_str(&t->out, "Error", slice_str(e->text));
	if (t->json)
		return;
	if (e->kind != ERR_NONE)
		fprintf(stderr, "%s: %.*s%s%s: %s\n", program.name,
		    SLICE_FMT(x->host), *ip ? " " : "", ip, e->text);
	else
		fprintf(stderr,
		    "%s: connected to %.*s, %s port %u, %s %s, verified by "
		    "TLSA %.*s\n",
		    program.name, SLICE_FMT(x->host), ip, x->port,
		    facts->version, facts->cipher, SLICE_FMT(record));
}

/* Look up all of it, and connect. 0, or -1 with e, and told. */
static int
reach(struct dns_tool *t, struct target *x, struct err *e)
{
	if (look_up(t, x, e) == 0 && choose(t, x, e) == 0 &&
	    connect_to(x, e) == 0)
		return 0;
	tell(t, x, NULL, e);
	return -1;
}

/* Over a verified connection: with -json nothing more. */
static int
talk(struct dns_tool *t, struct conn *c)
{
	struct err e = ERR_INIT;

	if (t->json)
		return EXIT_DONE;
	return talk_run(c, &e) < 0 ? dns_tool_fail(t, &e) : EXIT_DONE;
}

/* ---- dial ---- */

static unsigned
usages_of(const char *list)
{
	struct slice rest = slice_str(list), one;
	unsigned usages = 0;
	unsigned char usage;

	if (list == NULL)
		return 0xf;
	while (slice_next(&rest, ',', &one)) {
		if (!dane_usage_parse(slice_trim(one), &usage))
			opt_usage(&program, "-usages: \"%.*s\" is none",
			    SLICE_FMT(one));
		usages |= 1u << usage;
	}
	if (usages == 0)
		opt_usage(&program, "-usages: none is named");
	return usages;
}

static struct target
parse_target(struct dns_tool *t, const char *arg)
{
	struct target x = { .fd = -1 };
	const char *colon = strrchr(arg, ':');
	uint32_t port;
	struct ip ip;

	if (colon == NULL || !slice_u32(slice_str(colon + 1), &port) ||
	    port == 0 || port > UINT16_MAX)
		opt_usage(&program, "\"%s\" is no host:port", arg);
	x.port = (uint16_t)port;
	x.host = slice_of(arg, (size_t)(colon - arg));
	if (ip_parse(x.host, &ip) || slice_starts(x.host, SLICE("[")))
		opt_usage(&program,
		    "%.*s is an address: TLSA records are of names",
		    SLICE_FMT(x.host));
	x.host = dns_tool_name(t, arena_cstr(t->arena, x.host));
	return x;
}

/* TLS at once, over x->fd. A connection or NULL with e, and told. */
static struct conn *
secure(struct dns_tool *t, struct target *x, struct err *e)
{
	struct tls_expect expect = expect_of(x);
	struct tls_client *client = trust(x, e);
	struct conn *c;
	char why[200];

	if (client == NULL) {
		tell(t, x, NULL, e);
		return NULL;
	}
	c = conn_new(x->fd, x->fd);
	if (conn_tls_connect(c, client, &expect, TLS_MS) != CONN_OK) {
		conn_tls_failure(c, why, sizeof(why));
		err_set(e, ERR_PERM, "TLS: %s", why);
	}
	tls_client_free(&client);
	tell(t, x, c, e);
	if (e->kind != ERR_NONE)
		conn_free(&c);
	return c;
}

static int
dial(struct dns_tool *t, char **argv)
{
	struct target x = parse_target(t, argv[0]);
	struct err e = ERR_INIT;
	struct conn *c;
	int code;

	if (opt_hello != NULL)
		opt_usage(&program, "-ehlohostname is for dialmx");
	x.usages = usages_of(opt_usages);
	if (reach(t, &x, &e) < 0)
		return proc_exit_code(&e);
	c = secure(t, &x, &e);
	code = c != NULL ? talk(t, c) : proc_exit_code(&e);
	conn_free(&c);
	close(x.fd);
	return code;
}

/* ---- dialmx ---- */

/* Where mail for a domain goes. */
struct route {
	struct slice domain;
	struct gather g;
};

/* EHLO, STARTTLS, EHLO over x->fd, which is the client's from here on. NULL
 * with e. Told. */
static struct smtp_client *
open_smtp(struct dns_tool *t, struct target *x, struct err *e)
{
	struct smtp_client_opts opts = { .tls_mode = SMTP_TLS_DANE,
		.hello = slice_str(opt_hello ? opt_hello : "localhost"),
		.expect = expect_of(x) };
	struct smtp_client *c;
	struct smtp_result r;
	int rc;

	opts.tls = trust(x, e);
	if (opts.tls == NULL) {
		tell(t, x, NULL, e);
		close(x->fd);
		return NULL;
	}
	c = smtp_client_new(x->fd, &opts);
	rc = smtp_client_open(c, t->arena, &r);
	if (rc < 0)
		err_set(e,
		    r.outcome == SMTP_RES_PERM || r.outcome == SMTP_RES_TLS
			? ERR_PERM
			: ERR_TEMP,
		    "%.*s", SLICE_FMT(r.why));
	tell(t, x,
	    rc == 0 || r.step == SMTP_STEP_TLS ? smtp_client_conn(c) : NULL, e);
	if (rc < 0)
		smtp_client_free(&c);
	tls_client_free(&opts.tls);
	return c;
}

/* One host of the list: a client, or NULL with e. */
static struct smtp_client *
try_host(struct dns_tool *t, struct slice name, const struct route *route,
    struct err *e)
{
	struct target x = { .host = name,
		.port = SMTP_PORT,
		.fd = -1,
		.usages = 1u << DANE_TA | 1u << DANE_EE };

	/* RFC 7672, 3.2.2 */
	x.names[x.nnames++] = route->domain;
	x.names[x.nnames++] = route->g.expanded;
	return reach(t, &x, e) < 0 ? NULL : open_smtp(t, &x, e);
}

/* The hosts of the domain; or the one that is named, as if it were. */
static int
find_route(struct dns_tool *t, char **argv, struct route *route, struct err *e)
{
	struct gather *g = &route->g;

	route->domain = dns_tool_name(t, argv[0]);
	if (argv[1] != NULL) {
		*g = (struct gather){ .expanded = route->domain, .n = 1 };
		g->hosts = arena_alloc(t->arena, sizeof(*g->hosts));
		g->hosts[0].name = dns_tool_name(t, argv[1]);
		return 0;
	}
	gather_hosts(t->dns, t->arena, route->domain, false, NULL, g);
	if (g->status != GATHER_OK)
		return err_set(e,
		    g->status == GATHER_TEMP ? ERR_TEMP : ERR_PERM, "%.*s",
		    SLICE_FMT(g->why));
	/* RFC 7672, 2.2.1: who could forge the list could name any host. */
	if (!g->secure || !g->expanded_secure)
		return err_set(e, ERR_PERM, "%s of %.*s not secured by DNSSEC",
		    g->mx ? "the MX records" : "that there are no MX records",
		    SLICE_FMT(route->domain));
	return 0;
}

static int
dialmx(struct dns_tool *t, char **argv)
{
	struct smtp_client *c = NULL;
	struct err e = ERR_INIT;
	struct route route;
	int code = EXIT_FAILED;

	if (opt_usages != NULL)
		opt_usage(&program, "-usages is for dial");
	if (find_route(t, argv, &route, &e) < 0)
		return dns_tool_fail(t, &e);
	json_put_str(&t->out, "Domain", route.domain);
	json_put_array(&t->out, "Hosts");
	for (size_t i = 0; i < route.g.n && c == NULL; i++) {
		e = (struct err)ERR_INIT;
		json_put_object(&t->out, NULL);
		c = try_host(t, route.g.hosts[i].name, &route, &e);
		json_put_end(&t->out);
		if (proc_exit_code(&e) == EXIT_LATER)
			code = EXIT_LATER;
	}
	json_put_end(&t->out);
	if (c == NULL)
		return code;
	code = talk(t, smtp_client_conn(c));
	smtp_client_free(&c);
	return code;
}

/* ---- makerecord ---- */

static int
read_pem(const char *path, struct buf *pem, struct err *e)
{
	int rc;

	if (path == NULL || strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, pem, e) < 0
		    ? err_prefix(e, "standard input")
		    : 0;
	rc = file_read(AT_FDCWD, path, pem, e);
	return rc == 0 ? err_set(e, ERR_PERM, "%s: no such file", path)
	    : rc < 0   ? -1
		       : 0;
}

static int
makerecord(struct dns_tool *t, char **argv)
{
	const char *path = argv[3];
	struct buf pem = BUF_INIT(PEM_MAX);
	struct err e = ERR_INIT;
	struct tls_tlsa r = { 0 };
	struct slice text;
	int rc;

	if (!dane_usage_parse(slice_str(argv[0]), &r.usage))
		opt_usage(&program,
		    "\"%s\" is no usage: pkix-ta (0), pkix-ee "
		    "(1), dane-ta (2), dane-ee (3)",
		    argv[0]);
	if (!dane_selector_parse(slice_str(argv[1]), &r.selector))
		opt_usage(&program, "\"%s\" is no selector: cert (0), spki (1)",
		    argv[1]);
	if (!dane_match_parse(slice_str(argv[2]), &r.match))
		opt_usage(&program,
		    "\"%s\" is no matching type: full (0), "
		    "sha2-256 (1), sha2-512 (2)",
		    argv[2]);
	rc = read_pem(path, &pem, &e);
	if (rc == 0 &&
	    dane_make(buf_slice(&pem), r.usage, r.selector, r.match, t->arena,
		&r, &e) < 0)
		rc = err_prefix(&e, "%s",
		    path != NULL ? path : "standard input");
	buf_wipe(&pem);
	if (rc < 0)
		return dns_tool_fail(t, &e);
	text = dane_text(t->arena, &r);
	json_put_str(&t->out, "Record", text);
	if (!t->json)
		printf("%.*s\n", (int)text.n, text.p);
	return EXIT_DONE;
}

static const struct dns_tool_command commands[] = {
	{ "dial", 1, 1, dial },
	{ "dialmx", 1, 2, dialmx },
	{ "makerecord", 3, 4, makerecord },
	{ NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	tool.program = &program;
	return dns_tool_main(&tool, commands, argc, argv);
}
