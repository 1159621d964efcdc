/*
 * mox-smtp - begin an SMTP session, and talk over it.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openssl/err.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "net/dial.h"
#include "smtp/client.h"
#include "tools/talk.h"

#define SMTP_PORT 25
#define IPS_MAX 32

static bool opt_json, opt_notls, opt_forcetls, opt_tlsverify, opt_notickets,
    opt_nosizing;
static const char *opt_hello, *opt_remote, *opt_min, *opt_max, *opt_ciphers,
    *opt_curves, *opt_certs, *opt_renegotiation;

static const struct opt options[] = {
	{ "json", OPT_BOOL, &opt_json, NULL,
	    "print one JSON object about the session, and end" },
	{ "notls", OPT_BOOL, &opt_notls, NULL, "without STARTTLS" },
	{ "forcetls", OPT_BOOL, &opt_forcetls, NULL,
	    "STARTTLS even if it is not offered" },
	{ "tlsverify", OPT_BOOL, &opt_tlsverify, NULL,
	    "TLS must be had, with a valid certificate for the host" },
	{ "ehlohostname", OPT_STRING, &opt_hello, "name",
	    "own name for EHLO; default this host's" },
	{ "remotehostname", OPT_STRING, &opt_remote, "name",
	    "name asked for in TLS, and verified; default the host's" },
	{ "tlsversionmin", OPT_STRING, &opt_min, "version",
	    "tls1.0 to tls1.3; default tls1.2" },
	{ "tlsversionmax", OPT_STRING, &opt_max, "version",
	    "tls1.0 to tls1.3; default tls1.3" },
	{ "tlsciphersuites", OPT_STRING, &opt_ciphers, "list",
	    "names of IANA or OpenSSL, with commas" },
	{ "tlscurves", OPT_STRING, &opt_curves, "list",
	    "CurveP256,CurveP384,CurveP521,X25519 or OpenSSL's" },
	{ "tlscerts", OPT_STRING, &opt_certs, "file",
	    "trusted certificates (PEM) in place of the system's" },
	{ "tlsnosessiontickets", OPT_BOOL, &opt_notickets, NULL,
	    "do not offer session tickets" },
	{ "tlsnodynamicrecordsizing", OPT_BOOL, &opt_nosizing, NULL,
	    "no change: records are never sized dynamically here" },
	{ "tlsrenegotiation", OPT_STRING, &opt_renegotiation, "when",
	    "never (default) or always" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-smtp",
	"dial [options] host[:port]",
	"Connect to an SMTP server, with STARTTLS if it has that, and copy "
	"standard input and output.",
	options };

/* ---- TLS as asked for ---- */

/* "tls1.2", "tls12", "TLSv1.2". */
static struct slice
version_name(const char *name)
{
	static const char *const names[][4] = {
		{ "TLSv1.0", "tls1.0", "tls10", "1.0" },
		{ "TLSv1.1", "tls1.1", "tls11", "1.1" },
		{ "TLSv1.2", "tls1.2", "tls12", "1.2" },
		{ "TLSv1.3", "tls1.3", "tls13", "1.3" },
	};

	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 4; k++)
			if (slice_isi(slice_str(name), names[i][k]))
				return slice_str(names[i][0]);
	opt_usage(&program,
	    "\"%s\" is no version: tls1.0, tls1.1, tls1.2, "
	    "tls1.3",
	    name);
}

/* Names for OpenSSL, separated by colons; each was tried alone, for OpenSSL
 * passes over what it does not know. */
struct names {
	SSL_CTX *ctx;
	struct buf v13, others;
};

static void
add(struct buf *list, const char *name)
{
	if (list->n > 0)
		buf_addc(list, ':');
	buf_addz(list, name);
}

/* "TLS_AES_..." and older names of IANA, or OpenSSL's. */
static bool
add_cipher(struct names *n, const char *name)
{
	const char *known = OPENSSL_cipher_name(name);
	bool v13 = strncmp(name, "TLS_", 4) == 0 && !strstr(name, "_WITH_");

	if (v13) {
		add(&n->v13, name);
		return SSL_CTX_set_ciphersuites(n->ctx, name) == 1;
	}
	if (strcmp(known, "(NONE)") == 0)
		known = name;
	add(&n->others, known);
	return SSL_CTX_set_cipher_list(n->ctx, known) == 1;
}

/* "CurveP256", or OpenSSL's. */
static bool
add_curve(struct names *n, const char *name)
{
	char nist[64];

	if (slice_startsi(slice_str(name), SLICE("CurveP"))) {
		snprintf(nist, sizeof(nist), "P-%s", name + 6);
		name = nist;
	}
	add(&n->others, name);
	return SSL_CTX_set1_groups_list(n->ctx, name) == 1;
}

static void
add_all(struct names *n, const char *option, const char *list,
    bool (*add_one)(struct names *n, const char *name))
{
	struct slice rest = slice_str(list), one;
	char name[64];

	while (slice_next(&rest, ',', &one)) {
		one = slice_trim(one);
		/* Colons and signs have a meaning of their own there. */
		if (!slice_cstr(one, name, sizeof(name)) ||
		    strpbrk(name, ":+!@? ") != NULL || !add_one(n, name))
			opt_usage(&program, "-%s: OpenSSL %s has no \"%.*s\"",
			    option, OpenSSL_version(OPENSSL_VERSION_STRING),
			    SLICE_FMT(slice_head(one, 64)));
	}
}

static void
set_ciphers(SSL_CTX *ctx)
{
	struct names n = { ctx, BUF_INIT(SIZE_MAX), BUF_INIT(SIZE_MAX) };

	add_all(&n, "tlsciphersuites", opt_ciphers, add_cipher);
	if (n.v13.n > 0)
		SSL_CTX_set_ciphersuites(ctx, buf_cstr(&n.v13));
	if (n.others.n > 0)
		SSL_CTX_set_cipher_list(ctx, buf_cstr(&n.others));
	buf_free(&n.v13);
	buf_free(&n.others);
}

static void
set_curves(SSL_CTX *ctx)
{
	struct names n = { ctx, BUF_INIT(0), BUF_INIT(SIZE_MAX) };

	add_all(&n, "tlscurves", opt_curves, add_curve);
	if (n.others.n > 0)
		SSL_CTX_set1_groups_list(ctx, buf_cstr(&n.others));
	buf_free(&n.others);
}

static void
set_renegotiation(SSL_CTX *ctx)
{
	if (strcmp(opt_renegotiation, "always") == 0)
		SSL_CTX_clear_options(ctx, SSL_OP_NO_RENEGOTIATION);
	else if (strcmp(opt_renegotiation, "once") == 0)
		opt_usage(&program,
		    "-tlsrenegotiation once: OpenSSL can only "
		    "be told never or always");
	else if (strcmp(opt_renegotiation, "never") != 0)
		opt_usage(&program, "-tlsrenegotiation: never or always");
}

/* The smallest is set already. */
static void
set_versions(SSL_CTX *ctx)
{
	int max;

	if (opt_max == NULL)
		return;
	max = tls_version(version_name(opt_max), NULL);
	if (max < SSL_CTX_get_min_proto_version(ctx))
		opt_usage(&program,
		    "-tlsversionmax %s is below the smallest, "
		    "-tlsversionmin %s",
		    opt_max, opt_min ? opt_min : "tls1.2");
	SSL_CTX_set_max_proto_version(ctx, max);
}

static struct tls_client *
make_tls(struct err *e)
{
	struct tls_client_opts opts = { .ca_file = opt_certs };
	struct tls_client *t;
	SSL_CTX *ctx;

	/* Trust is read only where it counts. */
	if (!opt_tlsverify && opt_certs == NULL && !opt_json)
		opts.ca_file = "";
	if (opt_min != NULL)
		opts.min_version = version_name(opt_min);
	t = tls_client_new(&opts, e);
	if (t == NULL)
		return NULL;
	ctx = tls_client_context(t);
	set_versions(ctx);
	if (!opt_notickets)
		SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
	if (opt_ciphers != NULL)
		set_ciphers(ctx);
	if (opt_curves != NULL)
		set_curves(ctx);
	if (opt_renegotiation != NULL)
		set_renegotiation(ctx);
	ERR_clear_error();
	return t;
}

static void
check_options(void)
{
	bool tls = opt_forcetls || opt_tlsverify || opt_remote || opt_min ||
	    opt_max || opt_ciphers || opt_curves || opt_certs ||
	    opt_notickets || opt_nosizing || opt_renegotiation;

	if (opt_notls && tls)
		opt_usage(&program, "-notls leaves no use for options of TLS");
}

/* ---- connecting ---- */

struct session {
	struct arena *arena;
	struct slice host, remote;
	uint16_t port;
	char hello[HOST_NAME_MAX + 1];
	struct ip ip;
	int fd;
	struct tls_client *tls;
	struct smtp_client *client;
};

/* host, host:port, 192.0.2.1:25, [2001:db8::1]:25, 2001:db8::1 */
static void
parse_address(struct session *s, const char *arg)
{
	struct slice all = slice_str(arg), tail = SLICE_NULL;
	ssize_t colon = slice_rchr(all, ':');
	uint32_t port = SMTP_PORT;

	if (slice_starts(all, SLICE("["))) {
		if (!slice_cut(slice_skip(all, 1), ']', &s->host, &tail) ||
		    (tail.n > 0 && tail.p[0] != ':'))
			opt_usage(&program, "\"%s\" is no host:port", arg);
	} else if (colon >= 0 && slice_chr(all, ':') == colon) {
		s->host = slice_head(all, (size_t)colon);
		tail = slice_skip(all, (size_t)colon);
	} else {
		s->host = all;
	}
	if (s->host.n == 0 ||
	    (tail.n > 0 &&
		(!slice_u32(slice_skip(tail, 1), &port) || port == 0 ||
		    port > UINT16_MAX)))
		opt_usage(&program, "\"%s\" is no host:port", arg);
	s->port = (uint16_t)port;
	s->remote = opt_remote ? slice_str(opt_remote) : s->host;
}

static int
reach(struct session *s, struct err *e)
{
	struct ip ips[IPS_MAX];
	struct dial_opts opts = { .ips = ips, .port = s->port };
	ssize_t n = net_resolve(arena_cstr(s->arena, s->host), ips, IPS_MAX, e);
	size_t which;

	if (n < 0)
		return -1;
	opts.n = (size_t)n;
	s->fd = net_dial(&opts, &which, e);
	if (s->fd < 0)
		return -1;
	s->ip = ips[which];
	return 0;
}

static enum smtp_tls_mode
mode(void)
{
	if (opt_notls)
		return SMTP_TLS_NONE;
	if (opt_tlsverify)
		return SMTP_TLS_PKIX;
	return opt_forcetls ? SMTP_TLS_REQUIRED : SMTP_TLS_OPPORTUNISTIC;
}

/* 0, or -1 with *r. */
static int
open_session(struct session *s, struct smtp_result *r)
{
	struct smtp_client_opts opts = { .tls_mode = mode(),
		.hello = slice_str(s->hello),
		.tls = s->tls,
		.starttls_unoffered = opt_forcetls,
		.expect = {
		    .sni = s->remote, .names = &s->remote, .nnames = 1 } };

	s->client = smtp_client_new(s->fd, &opts);
	return smtp_client_open(s->client, s->arena, r);
}

/* ---- telling ---- */

static void
put_offers(struct json_out *j, const struct smtp_offers *o)
{
	const struct {
		const char *name;
		bool has;
	} all[] = {
		{ "PIPELINING", o->pipelining },
		{ "STARTTLS", o->starttls },
		{ "8BITMIME", o->eightbitmime },
		{ "SMTPUTF8", o->smtputf8 },
		{ "ENHANCEDSTATUSCODES", o->enhanced },
		{ "DSN", o->dsn },
		{ "CHUNKING", o->chunking },
		{ "BINARYMIME", o->binarymime },
		{ "REQUIRETLS", o->requiretls },
		{ "SIZE", o->size },
	};

	json_put_array(j, "Extensions");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].has)
			json_put_str(j, NULL, slice_str(all[i].name));
	json_put_end(j);
	json_put_u64(j, "MaxSize", o->max_size);
	json_put_str(j, "AuthMechanisms", o->auth);
}

static void
put_session(const struct session *s, const struct smtp_result *r,
    struct json_out *j)
{
	const struct tls_facts *facts = smtp_client_tls(s->client);
	enum tls_failure failure = smtp_client_tls_failure(s->client);

	json_put_str(j, "Greeting", smtp_client_greeting(s->client));
	json_put_bool(j, "STARTTLSOffered",
	    smtp_client_had_starttls(s->client));
	put_offers(j, smtp_client_offers(s->client));
	if (facts != NULL)
		talk_put_tls(j, facts);
	json_put_bool(j, "Verified",
	    facts != NULL && failure == TLS_FAILURE_NONE);
	if (failure != TLS_FAILURE_NONE)
		json_put_str(j, "Failure",
		    slice_str(tls_failure_name(failure)));
	if (r->outcome != SMTP_RES_OK) {
		json_put_str(j, "Step", slice_str(smtp_step_name(r->step)));
		json_put_u64(j, "Code", (uint64_t)r->answer.code);
	}
}

static void
print_json(const struct session *s, const struct smtp_result *r,
    const struct err *e)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct json_out j = JSON_OUT(&text, true);
	char ip[IP_TEXT];

	json_put_object(&j, NULL);
	json_put_str(&j, "Host", s->host);
	json_put_u64(&j, "Port", s->port);
	if (s->ip.family != 0) {
		ip_text(&s->ip, ip);
		json_put_str(&j, "Address", slice_str(ip));
	}
	if (s->client != NULL)
		put_session(s, r, &j);
	if (e->kind != ERR_NONE)
		json_put_str(&j, "Error", slice_str(e->text));
	json_put_end(&j);
	fputs(buf_cstr(&text), stdout);
	buf_free(&text);
}

static void
print(const struct session *s, const struct err *e)
{
	const struct tls_facts *facts =
	    s->client != NULL ? smtp_client_tls(s->client) : NULL;
	char ip[IP_TEXT];

	if (e->kind != ERR_NONE) {
		fprintf(stderr, "%s: %.*s: %s\n", program.name,
		    SLICE_FMT(s->host), e->text);
		return;
	}
	ip_text(&s->ip, ip);
	fprintf(stderr, "%s: connected to %.*s, %s port %u, %s%s%s%s\n",
	    program.name, SLICE_FMT(s->host), ip, s->port,
	    facts ? facts->version : "without TLS", facts ? " " : "",
	    facts ? facts->cipher : "", opt_tlsverify ? ", verified" : "");
}

/* ---- dial ---- */

static enum err_kind
kind_of(const struct smtp_result *r)
{
	return r->outcome == SMTP_RES_PERM || r->outcome == SMTP_RES_TLS
	    ? ERR_PERM
	    : ERR_TEMP;
}

static int
dial(struct session *s)
{
	struct err e = ERR_INIT;
	struct smtp_result r = { .outcome = SMTP_RES_OK };

	s->tls = opt_notls ? NULL : make_tls(&e);
	if (e.kind == ERR_NONE && reach(s, &e) == 0 && open_session(s, &r) < 0)
		err_set(&e, kind_of(&r), "%.*s", SLICE_FMT(r.why));
	if (opt_json)
		print_json(s, &r, &e);
	else
		print(s, &e);
	if (e.kind != ERR_NONE)
		return proc_exit_code(&e);
	if (opt_json)
		smtp_client_quit(s->client);
	else if (talk_run(smtp_client_conn(s->client), &e) < 0) {
		print(s, &e);
		return proc_exit_code(&e);
	}
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	struct session s = { .arena = arena_new(0), .fd = -1 };
	int first = opt_parse(&program, argc, argv), code;

	if (first == argc || strcmp(argv[first], "dial") != 0)
		opt_usage(&program, "which command? There is dial");
	first += opt_parse(&program, argc - first, argv + first);
	if (argc - first != 1)
		opt_usage(&program, "one host, please");
	check_options();
	parse_address(&s, argv[first]);
	if (opt_hello != NULL)
		slice_cstr(slice_str(opt_hello), s.hello, sizeof(s.hello));
	else
		gethostname(s.hello, sizeof(s.hello) - 1);
	log_init_env(program.name, LOG_WARN);
	code = dial(&s);
	smtp_client_free(&s.client);
	tls_client_free(&s.tls);
	arena_free(&s.arena);
	return fflush(stdout) == 0 ? code : EXIT_FAILED;
}
