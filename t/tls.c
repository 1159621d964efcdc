/* Unit test of lib/net/tls.c, cert.c, and TLS in conn.c. */
#include "net/tls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "net/conn.h"
#include "t/tmp.h"
#include "t/unit.h"

static char dir[TMP_PATH];
static char one_cert[300], one_key[300], two_cert[300], two_key[300];

static void
write_file(const char *path, struct buf *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || file_write(fd, buf_slice(b), NULL) < 0)
		UNIT_FAIL("cannot write %s", path);
	close(fd);
	buf_reset(b);
}

/* A certificate for names, in two files. */
static void
make_cert(const char *cert, const char *key, const struct slice *names,
    size_t n)
{
	struct buf c = BUF_INIT(100000), k = BUF_INIT(100000);
	struct err e = ERR_INIT;

	CHECK_EQ(cert_self_signed(names, n, 30, &c, &k, &e), 0);
	write_file(cert, &c);
	write_file(key, &k);
	buf_free(&c);
	buf_free(&k);
}

static void
make_files(void)
{
	static const struct slice one[] = { { "one.example", 11 },
		{ "*.wild.example", 14 }, { "127.0.0.1", 9 } };
	static const struct slice two[] = { { "two.example", 11 } };

	snprintf(one_cert, sizeof(one_cert), "%s/one.crt", dir);
	snprintf(one_key, sizeof(one_key), "%s/one.key", dir);
	snprintf(two_cert, sizeof(two_cert), "%s/two.crt", dir);
	snprintf(two_key, sizeof(two_key), "%s/two.key", dir);
	make_cert(one_cert, one_key, one, 3);
	make_cert(two_cert, two_key, two, 1);
}

static struct tls_server *
server_with(struct tls_tickets *tickets, const char *min)
{
	const struct tls_files files[] = { { one_cert, one_key, 0, 0 },
		{ two_cert, two_key, 0, 0 } };
	struct tls_opts opts = { .files = files,
		.nfiles = 2,
		.tickets = tickets,
		.min_version = slice_str(min) };
	struct err e = ERR_INIT;
	struct tls_server *t = tls_server_new(&opts, &e);

	CHECK_STR(e.text, "");
	return t;
}

/* ---- a client, in a process of its own ---- */

struct client {
	SSL_CTX *ctx;
	SSL_SESSION *session; /* in: to resume; out: the one to resume */
};

/* What a connection showed, as the child sends it. */
struct seen {
	int ok;
	struct tls_facts client, server;
	char subject[64];
};

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct client *client = SSL_get_app_data(ssl);

	client->session = session;
	return 1;
}

static void
client_init(struct client *client, int version)
{
	client->ctx = SSL_CTX_new(TLS_client_method());
	client->session = NULL;
	SSL_CTX_set_max_proto_version(client->ctx, version);
	SSL_CTX_set_security_level(client->ctx, 0);
	SSL_CTX_set_session_cache_mode(client->ctx,
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(client->ctx, keep_session);
}

/* The server side, forked as services do: its facts, then what comes. */
static _Noreturn void
serve(struct tls_server *t, int fd)
{
	struct conn *c = conn_new(fd, fd);
	struct slice line;

	if (conn_tls_accept(c, t, 3000) != CONN_OK)
		_exit(1);
	conn_write(c,
	    slice_of((const char *)conn_tls_facts(c),
		sizeof(struct tls_facts)));
	conn_flush(c);
	while (conn_line(c, 20000, &line, NULL) == CONN_OK) {
		conn_write(c, line);
		conn_flush(c);
	}
	conn_shutdown(c);
	_exit(0);
}

static void
read_all(SSL *ssl, void *p, size_t n)
{
	size_t at = 0, got;

	while (at < n && SSL_read_ex(ssl, (char *)p + at, n - at, &got) == 1)
		at += got;
}

/* One connection; name may be NULL. */
static struct seen
visit(struct tls_server *t, struct client *client, const char *name)
{
	static char big[20001], echo[20000];
	struct seen seen = { 0 };
	int pair[2];
	SSL *ssl = SSL_new(client->ctx);

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	if (fork() == 0) {
		close(pair[0]);
		serve(t, pair[1]);
	}
	close(pair[1]);
	SSL_set_fd(ssl, pair[0]);
	SSL_set_app_data(ssl, client);
	if (name != NULL)
		SSL_set_tlsext_host_name(ssl, name);
	if (client->session != NULL)
		SSL_set_session(ssl, client->session);
	seen.ok = SSL_connect(ssl) == 1;
	if (seen.ok) {
		X509 *x = SSL_get0_peer_certificate(ssl);
		read_all(ssl, &seen.server, sizeof(seen.server));
		tls_facts_of(ssl, &seen.client);
		X509_NAME_get_text_by_NID(X509_get_subject_name(x),
		    NID_commonName, seen.subject, sizeof(seen.subject));
		/* More than a record, and than a socket takes at once. */
		memset(big, 'x', sizeof(big));
		big[20000] = '\n';
		SSL_write(ssl, big, sizeof(big));
		read_all(ssl, echo, sizeof(echo));
		CHECK(memcmp(big, echo, sizeof(echo)) == 0);
		SSL_shutdown(ssl);
	}
	close(pair[0]);
	SSL_free(ssl);
	wait(NULL);
	return seen;
}

/* ---- tests ---- */

static void
test_names(void)
{
	static const struct {
		const char *ask, *get;
	} rows[] = {
		{ NULL, "one.example" },
		{ "one.example", "one.example" },
		{ "two.example", "two.example" },
		{ "a.wild.example", "one.example" },
		{ "other.example", "one.example" },
	};
	struct tls_server *t = server_with(NULL, "");
	struct client client;

	client_init(&client, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen = visit(t, &client, rows[i].ask);
		ROW(rows[i].ask == NULL ? "no name" : rows[i].ask);
		CHECK(seen.ok);
		CHECK_STR(seen.subject, rows[i].get);
		CHECK_STR(seen.server.server_name,
		    rows[i].ask == NULL ? "" : rows[i].ask);
		CHECK_STR(seen.server.version, "TLSv1.3");
		CHECK_STR(seen.server.client_spki, "");
	}
	CHECK(client.session == NULL); /* no tickets */
	SSL_CTX_free(client.ctx);
	tls_server_free(&t);
}

static void
check_bindings(const struct seen *seen, bool exporter, bool unique)
{
	const struct tls_facts *c = &seen->client, *s = &seen->server;

	CHECK(seen->ok);
	CHECK(tls_facts_valid(s));
	CHECK_EQ(s->exporter_n, exporter ? 32 : 0);
	CHECK_EQ(c->exporter_n, s->exporter_n);
	CHECK(memcmp(c->exporter, s->exporter, s->exporter_n) == 0);
	CHECK_EQ(s->unique_n > 0, unique);
	CHECK_EQ(c->unique_n, s->unique_n);
	CHECK(memcmp(c->unique, s->unique, s->unique_n) == 0);
	CHECK_EQ(s->end_point_n, 32);
	CHECK_EQ(c->end_point_n, s->end_point_n);
	CHECK(memcmp(c->end_point, s->end_point, s->end_point_n) == 0);
}

/* Both sides must see the same, also when a session is resumed in a process
 * that did not issue its ticket. */
static void
test_bindings(void)
{
	static const struct {
		const char *name;
		int version;
		bool exporter, unique;
	} rows[] = {
		{ "TLSv1.3", TLS1_3_VERSION, true, false },
		{ "TLSv1.2", TLS1_2_VERSION, true, true },
	};
	struct tls_tickets *tickets = tls_tickets_new();
	struct tls_server *t = server_with(tickets, "");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client client;
		struct seen first, second;
		ROW(rows[i].name);
		client_init(&client, rows[i].version);
		first = visit(t, &client, "two.example");
		CHECK_STR(first.server.version, rows[i].name);
		CHECK_EQ(first.server.resumed, 0);
		check_bindings(&first, rows[i].exporter, rows[i].unique);
		CHECK(client.session != NULL);
		second = visit(t, &client, "two.example");
		CHECK_EQ(second.server.resumed, 1);
		check_bindings(&second, rows[i].exporter, rows[i].unique);
		CHECK(memcmp(first.server.exporter, second.server.exporter,
			  32) != 0);
		SSL_CTX_free(client.ctx);
	}
	tls_server_free(&t);
	tls_tickets_free(&tickets);
}

static SSL_SESSION *
copy_session(const unsigned char *der, int n)
{
	return d2i_SSL_SESSION(NULL, &der, n);
}

/* The ticket of one day is good for seven more. */
static void
test_rotation(void)
{
	struct tls_tickets *tickets = tls_tickets_new();
	struct tls_server *t = server_with(tickets, "");
	struct client client;
	int64_t now = 1000000;
	unsigned char *der = NULL;
	int n;

	client_init(&client, TLS1_2_VERSION);
	tls_tickets_rotate(tickets, now);
	visit(t, &client, NULL);
	CHECK(client.session != NULL);
	n = i2d_SSL_SESSION(client.session, &der);
	for (int day = 1; day <= 8; day++) {
		tls_tickets_rotate(tickets, now + day * 86400 - 1);
		client.session = copy_session(der, n);
		CHECK_EQ(visit(t, &client, NULL).server.resumed, 1);
		tls_tickets_rotate(tickets, now + day * 86400);
	}
	client.session = copy_session(der, n);
	CHECK_EQ(visit(t, &client, NULL).server.resumed, 0);
	OPENSSL_free(der);
	SSL_CTX_free(client.ctx);
	tls_server_free(&t);
	tls_tickets_free(&tickets);
}

static void
test_versions(void)
{
	static const struct {
		const char *min;
		int version;
		bool ok;
	} rows[] = {
		{ "", TLS1_1_VERSION, false },
		{ "", TLS1_2_VERSION, true },
		{ "TLSv1.3", TLS1_2_VERSION, false },
		{ "TLSv1.0", TLS1_VERSION, true },
		{ "TLSv1.1", TLS1_VERSION, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_server *t = server_with(NULL, rows[i].min);
		struct client client;
		ROW(rows[i].min);
		client_init(&client, rows[i].version);
		CHECK_EQ(visit(t, &client, NULL).ok, rows[i].ok);
		SSL_CTX_free(client.ctx);
		tls_server_free(&t);
	}
}

static void
test_client_cert(void)
{
	struct tls_tickets *tickets = tls_tickets_new();
	struct tls_server *t = server_with(tickets, "");
	struct cert *cert = cert_load((struct cert_file){ two_cert, 0 },
	    (struct cert_file){ two_key, 0 }, NULL);
	char spki[CERT_SPKI_TEXT];
	struct client client;
	struct seen seen;

	client_init(&client, 0);
	SSL_CTX_use_certificate(client.ctx, cert->x509);
	SSL_CTX_use_PrivateKey(client.ctx, cert->key);
	cert_spki(cert->x509, spki);
	CHECK_EQ(strlen(spki), 43);
	seen = visit(t, &client, NULL);
	CHECK_STR(seen.server.client_spki, spki);
	seen = visit(t, &client, NULL);
	CHECK_EQ(seen.server.resumed, 1);
	CHECK_STR(seen.server.client_spki, spki);
	cert_free(&cert);
	SSL_CTX_free(client.ctx);
	tls_server_free(&t);
	tls_tickets_free(&tickets);
}

static void
test_reload(void)
{
	static const struct slice three[] = { { "three.example", 13 } };
	struct tls_server *t = server_with(NULL, "");
	struct buf junk = BUF_INIT(100);
	struct err e = ERR_INIT;
	struct client client;

	client_init(&client, 0);
	CHECK_EQ(tls_server_reload(t, &e), 0);
	buf_addz(&junk, "no certificate\n");
	write_file(one_cert, &junk);
	CHECK_EQ(tls_server_reload(t, &e), -1);
	CHECK(strstr(e.text, "one.crt") != NULL);
	CHECK_EQ(tls_server_reload(t, &e), 0); /* said once */
	CHECK_STR(visit(t, &client, NULL).subject, "one.example");
	make_cert(one_cert, one_key, three, 1);
	CHECK_EQ(tls_server_reload(t, &e), 1);
	CHECK_STR(visit(t, &client, NULL).subject, "three.example");
	SSL_CTX_free(client.ctx);
	tls_server_free(&t);
	buf_free(&junk);
	make_files();
}

/* Files that somebody else opened: names that cannot be opened, descriptors
 * whose offset is anywhere. */
static void
test_descriptors(void)
{
	int cert_fd = open(one_cert, O_RDONLY),
	    key_fd = open(one_key, O_RDONLY);
	struct tls_files files = { "/nonexistent/c", "/nonexistent/k", cert_fd,
		key_fd };
	struct tls_opts opts = { .files = &files, .nfiles = 1 };
	struct err e = ERR_INIT;
	struct tls_server *t;

	lseek(key_fd, 17, SEEK_SET);
	for (int i = 0; i < 2; i++) {
		t = tls_server_new(&opts, &e);
		CHECK(t != NULL);
		CHECK_EQ(tls_server_reload(t, &e), 0); /* nothing is seen */
		tls_server_free(&t);
	}
	close(key_fd);
	CHECK(tls_server_new(&opts, &e) == NULL);
	CHECK(strstr(e.text, "/nonexistent/k") != NULL);
	close(cert_fd);
}

/* A certificate for a key that is there: the key stays as it was. */
static void
test_given_key(void)
{
	static const struct slice name[] = { { "given.example", 13 } };
	struct buf cert = BUF_INIT(65536), key = BUF_INIT(65536);
	struct buf again = BUF_INIT(65536);
	struct err e = ERR_INIT;
	struct cert *c;

	CHECK_EQ(cert_self_signed(name, 1, 1, &cert, &key, &e), 0);
	buf_add(&again, buf_slice(&key));
	buf_reset(&cert);
	CHECK_EQ(cert_self_signed(name, 1, 1, &cert, &again, &e), 0);
	CHECK(slice_eq(buf_slice(&key), buf_slice(&again)));
	write_file(one_cert, &cert);
	write_file(one_key, &key);
	c = cert_load((struct cert_file){ one_cert, 0 },
	    (struct cert_file){ one_key, 0 }, &e);
	CHECK(c != NULL && cert_matches(c, "given.example"));
	cert_free(&c);
	buf_add(&key, SLICE("no key"));
	CHECK_EQ(cert_self_signed(name, 1, 1, &cert, &key, &e), -1);
	buf_free(&cert);
	buf_free(&key);
	buf_free(&again);
	make_files();
}

static void
test_bad_files(void)
{
	const struct {
		const char *name, *cert, *key;
	} rows[] = {
		{ "no file", "/nonexistent", one_key },
		{ "no key", one_cert, "/nonexistent" },
		{ "key of another", one_cert, two_key },
		{ "key for a certificate", one_key, one_key },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_files files = { rows[i].cert, rows[i].key, 0, 0 };
		struct tls_opts opts = { .files = &files, .nfiles = 1 };
		struct err e = ERR_INIT;
		ROW(rows[i].name);
		CHECK(tls_server_new(&opts, &e) == NULL);
		CHECK(e.kind != ERR_NONE);
	}
	ROW("version");
	CHECK(tls_server_new(&(struct tls_opts){ .min_version = SLICE("SSL") },
		  NULL) == NULL);
	ROW("none");
	CHECK(tls_server_new(&(struct tls_opts){ .nfiles = 0 }, NULL) == NULL);
}

static void
test_cert(void)
{
	struct cert *c = cert_load((struct cert_file){ one_cert, 0 },
	    (struct cert_file){ one_key, 0 }, NULL);
	struct buf b = BUF_INIT(100000);
	struct slice bad = SLICE("a,DNS:b");

	CHECK(cert_matches(c, "ONE.example"));
	CHECK(cert_matches(c, "x.wild.example"));
	CHECK(cert_matches(c, "127.0.0.1"));
	CHECK(!cert_matches(c, "x.y.wild.example"));
	CHECK(!cert_matches(c, "example"));
	CHECK(cert_not_after(c->x509) > time(NULL) + 29 * 86400);
	CHECK(cert_not_after(c->x509) < time(NULL) + 31 * 86400);
	CHECK_EQ(cert_self_signed(&bad, 1, 1, &b, &b, NULL), -1);
	cert_free(&c);
	buf_free(&b);
}

static void
test_warm(void)
{
	struct tls_tickets *tickets = tls_tickets_new();
	struct tls_server *t = server_with(tickets, "");
	struct err e = ERR_INIT;

	CHECK_EQ(tls_server_warm(t, &e), 0);
	CHECK_STR(e.text, "");
	tls_server_free(&t);
	tls_tickets_free(&tickets);
}

/* What was sent in the clear must not count as sent under TLS. */
static void
test_injection(void)
{
	struct tls_server *t = server_with(NULL, "");
	struct slice line;
	struct conn *c;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	c = conn_new(pair[1], pair[1]);
	CHECK_EQ(write(pair[0], "STARTTLS\r\nNOOP\r\n", 16), 16);
	CHECK_EQ(conn_line(c, 100, &line, NULL), CONN_OK);
	CHECK_EQ(conn_tls_accept(c, t, 1000), CONN_ERROR);
	CHECK_STR(conn_error(c), "bytes sent before TLS");
	conn_free(&c);
	/* No handshake at all. */
	c = conn_new(pair[1], pair[1]);
	CHECK_EQ(conn_tls_accept(c, t, 30), CONN_TIMEOUT);
	conn_free(&c);
	c = conn_new(pair[1], pair[1]);
	CHECK_EQ(write(pair[0], "EHLO example.org\r\n", 18), 18);
	CHECK_EQ(conn_tls_accept(c, t, 1000), CONN_ERROR);
	conn_writez(c, "x");
	CHECK_EQ(conn_flush(c), CONN_ERROR);
	conn_free(&c);
	tls_server_free(&t);
}

static void
test_facts_valid(void)
{
	struct tls_facts f = { .version = "TLSv1.3" };

	CHECK(tls_facts_valid(&f));
	memset(f.cipher, 'x', sizeof(f.cipher));
	CHECK(!tls_facts_valid(&f));
	f.cipher[0] = '\0';
	f.server_name[0] = '\n';
	CHECK(!tls_facts_valid(&f));
	f.server_name[0] = '\0';
	f.unique_n = TLS_BINDING_MAX + 1;
	CHECK(!tls_facts_valid(&f));
}

int
main(void)
{
	if (mkdtemp(tmp_template(dir, "mox-tls")) == NULL)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	make_files();
	RUN(test_names);
	RUN(test_bindings);
	RUN(test_rotation);
	RUN(test_versions);
	RUN(test_client_cert);
	RUN(test_reload);
	RUN(test_descriptors);
	RUN(test_given_key);
	RUN(test_bad_files);
	RUN(test_cert);
	RUN(test_warm);
	RUN(test_injection);
	RUN(test_facts_valid);
	file_remove_tree(AT_FDCWD, dir, NULL);
	return unit_done();
}
