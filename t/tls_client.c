/* Unit test of lib/net/tls_client.c, and of connecting with it in conn.c. */
#include "net/tls_client.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/conn.h"
#include "t/scratch.h"
#include "text/base64.h"

/* ---- certificates ---- */

static char paths[3][2][400];
enum { GOOD, OTHER, OLD };

static void
make_cert(int which, const char *base, const char *name, int days)
{
	struct slice names[] = { slice_str(name), SLICE("127.0.0.1") };
	struct buf cert = BUF_INIT(100000), key = BUF_INIT(100000);
	char file[100];

	CHECK_EQ(cert_self_signed(names, 2, days, &cert, &key, NULL), 0);
	snprintf(file, sizeof(file), "%s.crt", base);
	scratch_put(file, buf_slice(&cert));
	snprintf(paths[which][0], 400, "%s/%s", scratch_path, file);
	snprintf(file, sizeof(file), "%s.key", base);
	scratch_put(file, buf_slice(&key));
	snprintf(paths[which][1], 400, "%s/%s", scratch_path, file);
	buf_free(&cert);
	buf_free(&key);
}

static struct cert *
load(int which)
{
	return cert_load((struct cert_file){ paths[which][0], 0 },
	    (struct cert_file){ paths[which][1], 0 }, NULL);
}

/* ---- a server ---- */

/* Sends its facts, then ends. */
static _Noreturn void
serve(int which, int fd)
{
	struct tls_files files = { .cert = paths[which][0],
		.key = paths[which][1] };
	struct tls_opts opts = { .files = &files, .nfiles = 1 };
	struct tls_server *t = tls_server_new(&opts, NULL);
	struct conn *c = conn_new(fd, fd);

	if (t == NULL || conn_tls_accept(c, t, 5000) != CONN_OK)
		_exit(0);
	conn_write(c,
	    slice_of((const char *)conn_tls_facts(c),
		sizeof(struct tls_facts)));
	conn_flush(c);
	conn_shutdown(c);
	_exit(0);
}

struct visit {
	enum conn_status status;
	enum tls_failure failure;
	char text[200];
	struct tls_facts server;
};

static struct visit
visit(int which, struct tls_client *client, const struct tls_expect *expect)
{
	struct visit v = { .status = CONN_ERROR };
	struct conn *c;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	if (fork() == 0) {
		close(pair[0]);
		serve(which, pair[1]);
	}
	close(pair[1]);
	c = conn_new(pair[0], pair[0]);
	v.status = conn_tls_connect(c, client, expect, 5000);
	v.failure = conn_tls_failure(c, v.text, sizeof(v.text));
	if (v.status == CONN_OK) {
		CHECK_EQ(conn_fill(c, sizeof(v.server)), CONN_OK);
		memcpy(&v.server, conn_buffered(c).p, sizeof(v.server));
		CHECK(tls_facts_valid(&v.server));
		CHECK_STR(v.server.version, conn_tls_facts(c)->version);
		CHECK_EQ(memcmp(v.server.exporter, conn_tls_facts(c)->exporter,
			     sizeof(v.server.exporter)),
		    0);
	}
	conn_free(&c);
	close(pair[0]);
	wait(NULL);
	return v;
}

static struct tls_client *
client_trusting(const char *ca)
{
	struct err e = ERR_INIT;
	struct tls_client *t =
	    tls_client_new(&(struct tls_client_opts){ .ca_file = ca }, &e);

	CHECK_STR(e.text, "");
	return t;
}

/* ---- PKIX ---- */

static const struct {
	const char *row;
	int server;
	int trusted; /* -1: nobody */
	enum tls_verify verify;
	const char *name;
	enum conn_status status;
	enum tls_failure failure;
} rows[] = {
	{ "right", GOOD, GOOD, TLS_VERIFY_PKIX, "mx.example", CONN_OK,
	    TLS_FAILURE_NONE },
	{ "right, by its address", GOOD, GOOD, TLS_VERIFY_PKIX, "127.0.0.1",
	    CONN_OK, TLS_FAILURE_NONE },
	{ "a wildcard", OTHER, OTHER, TLS_VERIFY_PKIX, "a.wild.example",
	    CONN_OK, TLS_FAILURE_NONE },
	{ "not two labels", OTHER, OTHER, TLS_VERIFY_PKIX, "a.b.wild.example",
	    CONN_ERROR, TLS_FAILURE_MISMATCH },
	{ "another name", GOOD, GOOD, TLS_VERIFY_PKIX, "my.example", CONN_ERROR,
	    TLS_FAILURE_MISMATCH },
	{ "another address", GOOD, GOOD, TLS_VERIFY_PKIX, "127.0.0.2",
	    CONN_ERROR, TLS_FAILURE_MISMATCH },
	{ "expired", OLD, OLD, TLS_VERIFY_PKIX, "mx.example", CONN_ERROR,
	    TLS_FAILURE_EXPIRED },
	{ "not trusted", GOOD, OTHER, TLS_VERIFY_PKIX, "mx.example", CONN_ERROR,
	    TLS_FAILURE_NOT_TRUSTED },
	{ "nobody is trusted", GOOD, -1, TLS_VERIFY_PKIX, "mx.example",
	    CONN_ERROR, TLS_FAILURE_NOT_TRUSTED },
	{ "whoever it is, right", GOOD, GOOD, TLS_VERIFY_NONE, "mx.example",
	    CONN_OK, TLS_FAILURE_NONE },
	{ "whoever it is, another name", GOOD, GOOD, TLS_VERIFY_NONE,
	    "my.example", CONN_OK, TLS_FAILURE_MISMATCH },
	{ "whoever it is, expired", OLD, OLD, TLS_VERIFY_NONE, "mx.example",
	    CONN_OK, TLS_FAILURE_EXPIRED },
	{ "whoever it is, not trusted", GOOD, -1, TLS_VERIFY_NONE, "mx.example",
	    CONN_OK, TLS_FAILURE_NOT_TRUSTED },
};

static void
test_pkix(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice name = slice_str(rows[i].name);
		struct tls_client *t = client_trusting(rows[i].trusted < 0
			? ""
			: paths[rows[i].trusted][0]);
		struct tls_expect expect = { .verify = rows[i].verify,
			.sni = name,
			.names = &name,
			.nnames = 1 };
		struct visit v;

		ROW(rows[i].row);
		v = visit(rows[i].server, t, &expect);
		CHECK_EQ(v.status, rows[i].status);
		CHECK_STR(tls_failure_name(v.failure),
		    tls_failure_name(rows[i].failure));
		CHECK_EQ(v.text[0] == '\0', v.failure == TLS_FAILURE_NONE);
		/* An address is no server name (RFC 6066, 3). */
		if (v.status == CONN_OK)
			CHECK_STR(v.server.server_name,
			    rows[i].name[0] == '1' ? "" : rows[i].name);
		tls_client_free(&t);
	}
}

static void
test_names(void)
{
	struct tls_client *t = client_trusting(paths[GOOD][0]);
	struct slice names[] = { SLICE("my.example"), SLICE("mx.example") };
	struct tls_expect expect = {
		.verify = TLS_VERIFY_PKIX, .names = names, .nnames = 2
	};
	struct visit v = visit(GOOD, t, &expect);

	CHECK_EQ(v.status, CONN_OK);
	expect.nnames = 0;
	v = visit(GOOD, t, &expect);
	CHECK_EQ(v.status, CONN_ERROR);
	CHECK_STR(v.text, "tls: no name to verify");
	expect.nnames = 1;
	names[0] = slice_of("mx.example\0.evil", 16);
	v = visit(GOOD, t, &expect);
	CHECK_EQ(v.status, CONN_ERROR);
	tls_client_free(&t);
}

/* ---- DANE ---- */

/* The record of RFC 7672, 3.1.1: "3 1 1" and the digest of the key. */
static void
spki_digest(int which, struct buf *digest)
{
	struct cert *c = load(which);
	char text[CERT_SPKI_TEXT];

	cert_spki(c->x509, text);
	base64_decode_url(digest, slice_str(text));
	CHECK_EQ(digest->n, 32);
	cert_free(&c);
}

static void
full_cert(int which, struct buf *der)
{
	struct cert *c = load(which);
	unsigned char *p = NULL;
	int n = i2d_X509(c->x509, &p);

	buf_add(der, slice_of((const char *)p, (size_t)n));
	OPENSSL_free(p);
	cert_free(&c);
}

static void
check_dane(const char *row, int server, const struct tls_tlsa *records,
    size_t n, enum conn_status status, enum tls_failure failure)
{
	struct tls_client *t = client_trusting("");
	struct tls_expect expect = { .verify = TLS_VERIFY_DANE,
		.sni = SLICE("some.example"),
		.tlsa = records,
		.ntlsa = n };
	struct visit v;

	ROW(row);
	v = visit(server, t, &expect);
	CHECK_EQ(v.status, status);
	CHECK_STR(tls_failure_name(v.failure), tls_failure_name(failure));
	if (status == CONN_OK)
		CHECK_STR(v.server.server_name, "some.example");
	tls_client_free(&t);
}

static void
test_dane(void)
{
	struct buf good = BUF_INIT(100), old = BUF_INIT(100);
	struct buf der = BUF_INIT(10000);
	struct tls_tlsa records[3] = { { 3, 1, 1, SLICE_NULL } };

	spki_digest(GOOD, &good);
	spki_digest(OLD, &old);
	full_cert(GOOD, &der);
	records[0].data = buf_slice(&good);
	check_dane("key matches", GOOD, records, 1, CONN_OK, TLS_FAILURE_NONE);
	check_dane("key does not match", OTHER, records, 1, CONN_ERROR,
	    TLS_FAILURE_TLSA);
	records[1] = (struct tls_tlsa){ 3, 1, 1, buf_slice(&old) };
	check_dane("one of two, expired", OLD, records, 2, CONN_OK,
	    TLS_FAILURE_NONE);
	records[0] = (struct tls_tlsa){ 3, 0, 0, buf_slice(&der) };
	check_dane("certificate matches", GOOD, records, 1, CONN_OK,
	    TLS_FAILURE_NONE);
	/* RFC 7672, 3.1.3: PKIX-TA and PKIX-EE are not for SMTP. */
	records[0] = (struct tls_tlsa){ 1, 1, 1, buf_slice(&good) };
	check_dane("unusable", GOOD, records, 1, CONN_ERROR,
	    TLS_FAILURE_VALIDATION);
	records[1] = (struct tls_tlsa){ 3, 1, 1, buf_slice(&good) };
	check_dane("unusable and usable", GOOD, records, 2, CONN_OK,
	    TLS_FAILURE_NONE);
	records[0] = (struct tls_tlsa){ 3, 1, 1, SLICE("short") };
	records[1] = (struct tls_tlsa){ 3, 1, 9, buf_slice(&good) };
	check_dane("malformed, unknown digest", GOOD, records, 2, CONN_ERROR,
	    TLS_FAILURE_VALIDATION);
	check_dane("none", GOOD, records, 0, CONN_ERROR,
	    TLS_FAILURE_VALIDATION);
	buf_free(&good);
	buf_free(&old);
	buf_free(&der);
}

/* ---- the rest ---- */

static void
test_own_cert(void)
{
	static const unsigned char seed[CERT_SEED] = "0123456789abcdef";
	struct cert *own = cert_of_seed(seed, NULL);
	struct tls_client_opts opts = { .ca_file = "", .cert = own };
	struct tls_client *t = tls_client_new(&opts, NULL);
	struct tls_expect expect = { .verify = TLS_VERIFY_NONE };
	char text[CERT_SPKI_TEXT];
	struct visit v;

	CHECK(own != NULL && t != NULL);
	cert_spki(own->x509, text);
	cert_free(&own);
	v = visit(GOOD, t, &expect);
	CHECK_EQ(v.status, CONN_OK);
	CHECK_STR(v.server.client_spki, text);
	tls_client_free(&t);
}

static void
test_trust(void)
{
	struct tls_client_opts opts = { .ca_file = "/nonexistent.pem" };
	struct err e = ERR_INIT;
	struct tls_client *t = tls_client_new(&opts, &e);

	CHECK(t == NULL);
	CHECK(slice_starts(slice_str(e.text), SLICE("/nonexistent.pem: ")));
	opts.ca_file = NULL;
	setenv("SSL_CERT_FILE", paths[GOOD][0], 1);
	t = tls_client_new(&opts, &e);
	CHECK(t != NULL);
	tls_client_free(&t);
	opts.min_version = SLICE("TLSv7");
	t = tls_client_new(&opts, &e);
	CHECK(t == NULL);
	CHECK_STR(e.text, "tls: unknown version \"TLSv7\"");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	scratch_begin();
	make_cert(GOOD, "good", "mx.example", 2);
	make_cert(OTHER, "other", "*.wild.example", 2);
	make_cert(OLD, "old", "mx.example", -1);
	RUN(test_pkix);
	RUN(test_names);
	RUN(test_dane);
	RUN(test_own_cert);
	RUN(test_trust);
	scratch_end();
	return unit_done();
}
