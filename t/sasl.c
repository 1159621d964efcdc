/* Tests of lib/sasl: the RFCs' examples, both ends against each other,
 * messages changed on the way. */
#include "sasl/sasl.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/arena.h"
#include "t/unit.h"

#define EACH(i, array) \
	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

/* ---- counting the work, in front of libcrypto ---- */

static int pbkdf2_rounds, hmacs, digests;

int
PKCS5_PBKDF2_HMAC(const char *pass, int passlen, const unsigned char *salt,
    int saltlen, int iter, const EVP_MD *digest, int keylen, unsigned char *out)
{
	int (*real)(const char *, int, const unsigned char *, int, int,
	    const EVP_MD *, int, unsigned char *);

	*(void **)&real = dlsym(RTLD_NEXT, "PKCS5_PBKDF2_HMAC");
	pbkdf2_rounds += iter;
	return real(pass, passlen, salt, saltlen, iter, digest, keylen, out);
}

unsigned char *
HMAC(const EVP_MD *md, const void *key, int key_len, const unsigned char *d,
    size_t n, unsigned char *out, unsigned int *out_len)
{
	unsigned char *(*real)(const EVP_MD *, const void *, int,
	    const unsigned char *, size_t, unsigned char *, unsigned int *);

	*(void **)&real = dlsym(RTLD_NEXT, "HMAC");
	hmacs++;
	return real(md, key, key_len, d, n, out, out_len);
}

int
EVP_Digest(const void *data, size_t count, unsigned char *md,
    unsigned int *size, const EVP_MD *type, ENGINE *impl)
{
	int (*real)(const void *, size_t, unsigned char *, unsigned int *,
	    const EVP_MD *, ENGINE *);

	*(void **)&real = dlsym(RTLD_NEXT, "EVP_Digest");
	digests++;
	return real(data, count, md, size, type, impl);
}

/* ---- who may log in ---- */

static struct arena *arena;

static const struct user {
	const char *login, *password, *account, *disabled;
} users[] = {
	{ "user", "pencil", "user", NULL },
	{ "tim", "tanstaaftanstaaf", "tim", NULL },
	{ "o=o,o@example.org", "a,b=c d\xc3\xa9", "odd", NULL },
	{ "tim@example.org", "tanstaaftanstaaf", "tim", NULL },
	{ "gone", "pencil", "gone", "has left" },
	{ "new", "", "new", NULL }, /* without credentials */
};

static const unsigned char salt_sha1[] = "\x41\x25\xc2\x47\xe4\x3a\xb1\xe9"
					 "\x3c\x6d\xff\x76";
static const unsigned char salt_sha256[] =
    "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81";

static void
derive(struct sasl_creds *c, enum sasl_hash hash, const void *salt, size_t n,
    struct slice password)
{
	c->scram[hash].iterations = 4096;
	c->scram[hash].salt_n = n;
	memcpy(c->scram[hash].salt, salt, n);
	sasl_scram_derive(&c->scram[hash], hash, password);
	c->has.scram[hash] = true;
}

static struct sasl_creds derived[sizeof(users) / sizeof(users[0])];

static void
derive_all(void)
{
	for
		EACH(i, users)
		{
			struct slice password = slice_str(users[i].password);
			struct sasl_creds *c = &derived[i];

			c->known = true;
			c->account = slice_str(users[i].account);
			c->disabled = slice_str(users[i].disabled);
			if (password.n == 0)
				continue;
			derive(c, SASL_SHA1, salt_sha1, 12, password);
			derive(c, SASL_SHA256, salt_sha256, 16, password);
			sasl_cram_derive(&c->cram, password);
			c->has.cram = true;
		}
}

static int
look_up(void *ctx, struct arena *a, struct slice login, struct sasl_creds *c,
    struct err *e)
{
	(void)ctx, (void)a;
	*c = (struct sasl_creds){ 0 };
	if (slice_is(login, "later"))
		return err_set(e, ERR_TEMP, "not now");
	for
		EACH(i, users)
	if (slice_is(login, users[i].login))
		*c = derived[i];
	pbkdf2_rounds = hmacs = digests = 0;
	sasl_creds_fake(c, SLICE("secret"), login);
	return c->known;
}

static struct sasl_server_opts
server_opts(void)
{
	return (struct sasl_server_opts){
		.backend = { NULL, look_up, NULL },
		.hostname = SLICE("mx.example.org"),
		.arena = arena,
	};
}

static const struct sasl_mech *
mech(const char *name)
{
	return sasl_mech_find(slice_str(name));
}

/* ---- the examples of the RFCs ---- */

struct example {
	const char *mech, *login, *password;
	const char *client_nonce, *server_nonce;
	const char *said[4]; /* client, server, client, server */
};

static const struct example examples[] = {
	{ "SCRAM-SHA-1", "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL",
	    "3rfcNHYJY1ZVvWVs7j", /* RFC 5802, 5 */
	    { "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
		"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
		"s=QSXCR+Q6sek8bf92,i=4096",
		"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
		"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" } },
	{ "SCRAM-SHA-256", "user", "pencil", "rOprNGfwEbeRWgbNEkqO",
	    "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", /* RFC 7677, 3 */
	    { "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" } },
	{ "CRAM-MD5", "tim", "tanstaaftanstaaf", "",
	    "<1896.697170952@postoffice.reston.mci.net>", /* RFC 2195, 2 */
	    { NULL, "<1896.697170952@postoffice.reston.mci.net>",
		"tim b913a602c7eda7a495b4e6e7334d3890", NULL } },
};

static void
test_examples(void)
{
	for
		EACH(i, examples)
		{
			const struct example *x = &examples[i];
			struct sasl_server_opts so = server_opts();
			struct sasl_client_opts co = { .login =
							   slice_str(x->login),
				.password = slice_str(x->password),
				.nonce = slice_str(x->client_nonce) };
			struct sasl_server *s;
			struct sasl_client *c;
			struct slice said = SLICE_NULL, answer;
			enum sasl_status st = SASL_CONTINUE;
			const struct slice *first = NULL;
			struct err e = ERR_INIT;
			int turn = 0;

			ROW(x->mech);
			so.nonce = slice_str(x->server_nonce);
			s = sasl_server_new(mech(x->mech), &so);
			c = sasl_client_new(mech(x->mech), &co);
			if (x->said[0] != NULL) {
				CHECK_EQ(sasl_client_step(c, NULL, &said, &e),
				    SASL_CONTINUE);
				CHECK_SLICE(said, slice_str(x->said[0]));
				first = &said;
			}
			st = sasl_server_step(s, first, &answer);
			for (turn = 1; st == SASL_CONTINUE && turn < 5;
			     turn += 2) {
				if (turn < 4)
					CHECK_SLICE(answer,
					    slice_str(x->said[turn]));
				CHECK(sasl_client_step(c, &answer, &said, &e) !=
				    SASL_FAIL);
				if (turn < 3)
					CHECK_SLICE(said,
					    slice_str(x->said[turn + 1]));
				st = sasl_server_step(s, &said, &answer);
			}
			CHECK_EQ(st, SASL_OK);
			CHECK_SLICE(sasl_server_result(s)->login, co.login);
			sasl_server_free(&s);
			sasl_client_free(&c);
		}
}

/* ---- both ends against each other ---- */

/* Changes one byte of a message on its way. The client's messages have even
 * numbers, what the server says before the first of them is -1. */
struct tamper {
	int message;
	size_t offset;
	bool done;
};

struct outcome {
	enum sasl_status server, client;
	struct sasl_result result;
};

static struct slice
pass_on(struct slice m, int number, struct tamper *t)
{
	char *copy = arena_cstr(arena, m);

	if (t == NULL || t->message != number)
		return slice_of(copy, m.n);
	if (m.n == 0 && number % 2 == 0) {
		t->done = true;
		return SLICE("A");
	}
	if (t->offset < m.n) {
		copy[t->offset] = copy[t->offset] == 'A' ? 'B' : 'A';
		t->done = true;
	}
	return slice_of(copy, m.n);
}

/* One exchange; prompt: without initial response. */
static struct outcome
run(const char *name, const struct sasl_server_opts *so,
    const struct sasl_client_opts *co, bool prompt, struct tamper *t)
{
	struct sasl_server *s = sasl_server_new(mech(name), so);
	struct sasl_client *c = sasl_client_new(mech(name), co);
	struct outcome o = { SASL_CONTINUE, SASL_CONTINUE, { 0 } };
	struct slice m = SLICE_NULL;
	struct err e = ERR_INIT;

	if (prompt || !sasl_mech_client_first(mech(name))) {
		o.server = sasl_server_step(s, NULL, &m);
		m = pass_on(m, -1, t);
	}
	for (int n = 0; o.server == SASL_CONTINUE && n < 8; n += 2) {
		o.client = sasl_client_step(c, &m, &m, &e);
		if (o.client == SASL_FAIL) {
			sasl_server_abort(s);
			o.server = SASL_FAIL;
			break;
		}
		m = pass_on(m, n, t);
		o.server = sasl_server_step(s, &m, &m);
		m = pass_on(m, n + 1, t);
	}
	o.result = *sasl_server_result(s);
	sasl_server_free(&s);
	sasl_client_free(&c);
	return o;
}

static struct sasl_channel
channel_tls13(void)
{
	return (struct sasl_channel){ .tls = true,
		.tls_required = true,
		.tls_exporter = SLICE("0123456789abcdef0123456789abcdef") };
}

static const char *const all[] = { "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256",
	"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN" };

static void
test_all_pairs(void)
{
	static const struct row {
		const char *login, *password;
		enum sasl_status st;
		enum sasl_reason simple, challenge;
	} rows[] = {
		{ "user", "pencil", SASL_OK, SASL_SUCCESS, SASL_SUCCESS },
		{ "user", "Pencil", SASL_FAIL, SASL_BADPASSWORD,
		    SASL_BADCREDS },
		{ "nobody", "pencil", SASL_FAIL, SASL_BADUSER, SASL_BADCREDS },
		{ "new", "pencil", SASL_FAIL, SASL_BADPASSWORD, SASL_BADCREDS },
		{ "gone", "pencil", SASL_FAIL, SASL_LOGINDISABLED,
		    SASL_LOGINDISABLED },
		{ "gone", "Pencil", SASL_FAIL, SASL_BADPASSWORD,
		    SASL_BADCREDS },
		{ "later", "pencil", SASL_FAIL, SASL_TEMP, SASL_TEMP },
		{ "o=o,o@example.org", "a,b=c d\xc3\xa9", SASL_OK, SASL_SUCCESS,
		    SASL_SUCCESS },
		/* as a Mac types it: decomposed, no-break space */
		{ "o=o,o@example.org",
		    "a,b=c\xc2\xa0"
		    "de\xcc\x81",
		    SASL_OK, SASL_SUCCESS, SASL_SUCCESS },
		{ "", "pencil", SASL_FAIL, SASL_BADPROTOCOL, SASL_BADPROTOCOL },
		{ "us\ner", "pencil", SASL_FAIL, SASL_BADPROTOCOL,
		    SASL_BADPROTOCOL },
		{ "us\xff", "pencil", SASL_FAIL, SASL_BADPROTOCOL,
		    SASL_BADPROTOCOL },
	};

	for
		EACH(i, rows)
		for
			EACH(j, all)
		for (int prompt = 0; prompt < 2; prompt++) {
			const struct row *r = &rows[i];
			struct sasl_server_opts so = server_opts();
			struct sasl_client_opts co = {
				.login = slice_str(r->login),
				.password = slice_str(r->password),
				.channel = channel_tls13(),
				.plus_announced = true,
			};
			struct outcome o;

			so.channel = co.channel;
			ROW(arena_cstr(arena,
			    arena_printf(arena, "%s %s %s", all[j], r->login,
				r->password)));
			o = run(all[j], &so, &co, prompt, NULL);
			CHECK_EQ(o.server, r->st);
			CHECK_EQ(o.result.reason,
			    j < 5 ? r->challenge : r->simple);
			if (r->st == SASL_OK)
				CHECK_EQ(o.client, SASL_OK);
			if (o.result.reason == SASL_LOGINDISABLED)
				CHECK_SLICE(o.result.text, SLICE("has left"));
		}
}

/* Any byte changed anywhere is noticed by one end. */
static void
test_tamper(void)
{
	for
		EACH(j, all)
	for (int message = -1; message < 5; message++)
		for (size_t offset = 0; offset < 150; offset++) {
			struct sasl_server_opts so = server_opts();
			struct sasl_client_opts co = {
				.login = SLICE("user"),
				.password = SLICE("pencil"),
				.nonce = SLICE("cnonce"),
			};
			struct tamper t = { message, offset, false };
			struct outcome o;

			if (strstr(all[j], "PLUS") != NULL)
				so.channel = co.channel = channel_tls13();
			so.nonce = SLICE("snonce");
			o = run(all[j], &so, &co, false, &t);
			if (!t.done)
				break;
			/* What LOGIN prompts with says nothing. */
			if (strcmp(all[j], "LOGIN") == 0 && message % 2 != 0)
				CHECK_EQ(o.server, SASL_OK);
			else if (o.server == SASL_OK && o.client == SASL_OK)
				UNIT_FAIL("%s: message %d byte %zu", all[j],
				    message, offset);
		}
}

/* ---- messages by hand ---- */

/* What the server makes of messages separated by '|' ("-" is an empty one,
 * "^" none); "#" stands for the nonce both agreed on. */
static struct outcome
say(const char *name, const struct sasl_server_opts *so, const char *messages)
{
	struct sasl_server *s = sasl_server_new(mech(name), so);
	struct outcome o = { SASL_CONTINUE, SASL_CONTINUE, { 0 } };
	struct slice rest = slice_str(messages), m, out;

	while (o.server == SASL_CONTINUE && slice_next(&rest, '|', &m)) {
		struct buf b = BUF_INIT(8192);
		for (size_t i = 0; i < m.n; i++)
			if (m.p[i] == '#')
				buf_addz(&b, "cnoncesnonce");
			else
				buf_addc(&b, m.p[i] == '~' ? '\0' : m.p[i]);
		m = slice_is(m, "-") ? SLICE_NULL : buf_slice(&b);
		o.server =
		    sasl_server_step(s, slice_is(m, "^") ? NULL : &m, &out);
		buf_free(&b);
	}
	o.result = *sasl_server_result(s);
	sasl_server_free(&s);
	return o;
}

static void
test_syntax(void)
{
	static const struct row {
		const char *mech, *messages;
		enum sasl_reason reason;
	} rows[] = {
		{ "PLAIN", "~user~pencil", SASL_SUCCESS },
		{ "PLAIN", "^|~user~pencil", SASL_SUCCESS },
		{ "PLAIN", "user~user~pencil", SASL_SUCCESS },
		{ "PLAIN", "tim~user~pencil", SASL_BADAUTHZID },
		{ "PLAIN", "^|^", SASL_BADPROTOCOL },
		{ "PLAIN", "-", SASL_BADPROTOCOL },
		{ "PLAIN", "~user", SASL_BADPROTOCOL },
		{ "PLAIN", "~user~pencil~", SASL_BADPROTOCOL },
		{ "PLAIN", "~~pencil", SASL_BADPROTOCOL },
		{ "PLAIN", "~user~", SASL_BADPASSWORD },
		{ "LOGIN", "^|user|pencil", SASL_SUCCESS },
		{ "LOGIN", "user|pencil", SASL_SUCCESS },
		{ "LOGIN", "^|user|-", SASL_BADPASSWORD },
		{ "LOGIN", "^|-|pencil", SASL_BADPROTOCOL },
		{ "CRAM-MD5", "-", SASL_BADPROTOCOL },
		{ "CRAM-MD5", "^|user", SASL_BADPROTOCOL },
		{ "CRAM-MD5", "^|user ", SASL_BADCREDS },
		{ "CRAM-MD5", "^| 0", SASL_BADPROTOCOL },
		{ "EXTERNAL", "-", SASL_BADCREDS },
		{ "SCRAM-SHA-1", "n,,n=user,r=cnonce", SASL_RUNNING },
		{ "SCRAM-SHA-1", "^|n,,n=user,r=cnonce", SASL_RUNNING },
		{ "SCRAM-SHA-1", "y,,n=user,r=cnonce", SASL_RUNNING },
		{ "SCRAM-SHA-1", "n,a=user,n=user,r=cnonce", SASL_RUNNING },
		{ "SCRAM-SHA-1", "n,,n=user,r=c,x=y,z=a", SASL_RUNNING },
		{ "SCRAM-SHA-1", "n,,n=o=3Do=2Co@example.org,r=c",
		    SASL_RUNNING },
		{ "SCRAM-SHA-1", "n,a=tim,n=user,r=cnonce", SASL_BADAUTHZID },
		{ "SCRAM-SHA-1", "-", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,n=user,r=c", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "x,,n=user,r=c", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,user,n=user,r=c", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,m=ext,n=user,r=c", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=user", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=user,r=", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=user,r=a b", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=user,r=c,xy", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=,r=c", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=us=er,r=c", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=user=2,r=c", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=us~er,r=c", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "p=,,n=user,r=c", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "p=tls-unique,,n=user,r=c", SASL_BADCHANBIND },
		{ "SCRAM-SHA-1-PLUS", "p=tls-unique,,n=user,r=c",
		    SASL_BADCHANBIND },
		{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|-", SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|c=biws,r=#",
		    SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1",
		    "n,,n=user,r=cnonce|c=biws,r=#,p=", SASL_BADCREDS },
		{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|c=biws,r=#,p=AAAA",
		    SASL_BADCREDS },
		{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|c=biws,r=#,p=A",
		    SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|r=#,c=biws,p=AAAA",
		    SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|c=biws,r=cnonce,p=AAAA",
		    SASL_BADPROTOCOL },
		{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|c=eSws,r=#,p=AAAA",
		    SASL_BADCHANBIND },
		{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|c=biws,r=#,x=y,p=AAAA",
		    SASL_BADCREDS },
	};

	for
		EACH(i, rows)
		{
			struct sasl_server_opts so = server_opts();
			struct outcome o;

			ROW(arena_cstr(arena,
			    arena_printf(arena, "%s %s", rows[i].mech,
				rows[i].messages)));
			so.nonce = SLICE("snonce");
			o = say(rows[i].mech, &so, rows[i].messages);
			CHECK_EQ(o.result.reason, rows[i].reason);
		}
}

/* A whole exchange is needed: no state takes a message of another. */
static void
test_after_end(void)
{
	struct sasl_server_opts so = server_opts();
	struct sasl_server *s = sasl_server_new(mech("PLAIN"), &so);
	struct slice m = slice_of("\0user\0pencil", 12), out;

	CHECK_EQ(sasl_server_step(s, &m, &out), SASL_OK);
	CHECK_EQ(sasl_server_step(s, &m, &out), SASL_FAIL);
	sasl_server_abort(s);
	CHECK_EQ(sasl_server_result(s)->reason, SASL_SUCCESS);
	sasl_server_free(&s);
	sasl_server_free(&s);

	s = sasl_server_new(mech("LOGIN"), &so);
	CHECK_EQ(sasl_server_step(s, NULL, &out), SASL_CONTINUE);
	CHECK_SLICE(out, SLICE("Username:"));
	m = SLICE("user");
	CHECK_EQ(sasl_server_step(s, &m, &out), SASL_CONTINUE);
	CHECK_SLICE(out, SLICE("Password:"));
	sasl_server_abort(s);
	CHECK_EQ(sasl_server_result(s)->reason, SASL_ABORTED);
	CHECK_SLICE(sasl_server_result(s)->login, SLICE("user"));
	CHECK_STR(sasl_reason_name(sasl_server_result(s)->reason), "aborted");
	m = SLICE("pencil");
	CHECK_EQ(sasl_server_step(s, &m, &out), SASL_FAIL);
	sasl_server_free(&s);
}

static void
test_long(void)
{
	struct sasl_server_opts so = server_opts();
	char *big = arena_alloc(arena, SASL_MESSAGE_MAX + 1);

	for
		EACH(j, all)
	for (size_t n = SASL_MESSAGE_MAX - 1; n <= SASL_MESSAGE_MAX + 1; n++) {
		struct sasl_server *s;
		struct slice m, out;

		ROW(all[j]);
		so.channel = channel_tls13();
		memset(big, 'a', n);
		if (strncmp(all[j], "SCRAM", 5) == 0)
			memcpy(big,
			    strstr(all[j], "PLUS") ? "p=tls-exporter,,n=user,r="
						   : "n,,n=user,r=",
			    strstr(all[j], "PLUS") ? 25 : 12);
		s = sasl_server_new(mech(all[j]), &so);
		if (strcmp(all[j], "CRAM-MD5") == 0)
			sasl_server_step(s, NULL, &out);
		m = slice_of(big, n);
		if (sasl_server_step(s, &m, &out) == SASL_CONTINUE)
			sasl_server_step(s, &m, &out);
		CHECK_EQ(sasl_server_result(s)->reason, SASL_BADPROTOCOL);
		sasl_server_free(&s);
	}
}

/* ---- channel binding ---- */

static void
test_binding(void)
{
	static const struct row {
		const char *mech;
		struct slice server[3], client[3]; /* exporter unique cert */
		bool announced;
		enum sasl_reason reason;
	} rows[] = {
		{ "SCRAM-SHA-256-PLUS", { SLICE("a") }, { SLICE("a") }, true,
		    SASL_SUCCESS },
		{ "SCRAM-SHA-256-PLUS", { SLICE("a") }, { SLICE("b") }, true,
		    SASL_BADCHANBIND },
		{ "SCRAM-SHA-256-PLUS", { SLICE("a"), SLICE("u") },
		    { SLICE(""), SLICE("u") }, true, SASL_SUCCESS },
		{ "SCRAM-SHA-1-PLUS", { SLICE(""), SLICE(""), SLICE("c") },
		    { SLICE(""), SLICE(""), SLICE("c") }, true, SASL_SUCCESS },
		{ "SCRAM-SHA-1-PLUS", { SLICE("a") }, { SLICE(""), SLICE("a") },
		    true, SASL_BADCHANBIND },
		{ "SCRAM-SHA-1-PLUS", { SLICE("") }, { SLICE("a") }, true,
		    SASL_BADCHANBIND },
		/* somebody took -PLUS out of the list */
		{ "SCRAM-SHA-256", { SLICE("a") }, { SLICE("a") }, false,
		    SASL_BADCHANBIND },
		/* the server cannot: "y" is right */
		{ "SCRAM-SHA-256", { SLICE("") }, { SLICE("a") }, false,
		    SASL_SUCCESS },
		/* the client chose not to */
		{ "SCRAM-SHA-256", { SLICE("a") }, { SLICE("a") }, true,
		    SASL_SUCCESS },
		{ "SCRAM-SHA-256", { SLICE("a") }, { SLICE("") }, false,
		    SASL_SUCCESS },
	};

	for
		EACH(i, rows)
		{
			const struct row *r = &rows[i];
			struct sasl_server_opts so = server_opts();
			struct sasl_client_opts co = { .login = SLICE("user"),
				.password = SLICE("pencil"),
				.plus_announced = r->announced,
				.channel = { true, true, r->client[0],
				    r->client[1], r->client[2] } };

			ROW(arena_cstr(arena,
			    arena_printf(arena, "row %zu", i)));
			so.channel = (struct sasl_channel){ true, true,
				r->server[0], r->server[1], r->server[2] };
			CHECK_EQ(run(r->mech, &so, &co, false, NULL)
				     .result.reason,
			    r->reason);
		}
}

/* ---- what is announced, what is chosen ---- */

static void
test_announce(void)
{
	static const struct row {
		bool tls, required, bind, cert;
		const char *expected;
	} rows[] = {
		{ false, true, false, false,
		    " SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5" },
		{ false, false, false, false,
		    " SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN" },
		{ true, true, true, false,
		    " SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS "
		    "SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN" },
		{ true, true, false, true,
		    " EXTERNAL SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN "
		    "LOGIN" },
	};

	for
		EACH(i, rows)
		{
			struct sasl_channel ch = { rows[i].tls,
				rows[i].required,
				slice_str(rows[i].bind ? "x" : ""), SLICE_NULL,
				SLICE_NULL };
			struct buf b = BUF_INIT(4096);
			struct slice list, name;

			sasl_announce(&b, &ch, rows[i].cert, " ");
			CHECK_SLICE(buf_slice(&b), slice_str(rows[i].expected));
			list = slice_skip(buf_slice(&b), 1);
			while (slice_next(&list, ' ', &name))
				CHECK(sasl_mech_find(name) != NULL);
			buf_free(&b);
		}
	CHECK(sasl_mech_find(SLICE("GSSAPI")) == NULL);
	CHECK(sasl_mech_find(SLICE("")) == NULL);
	CHECK(sasl_mech_find(SLICE("scram-sha-1-plus")) != NULL);
}

static void
test_pick(void)
{
	static const struct row {
		const char *announced, *password;
		bool tls, bind;
		const char *expected;
		bool plus;
	} rows[] = {
		{ "PLAIN LOGIN SCRAM-SHA-1", "x", true, true, "SCRAM-SHA-1",
		    false },
		{ "plain scram-sha-256-plus scram-sha-256", "x", true, true,
		    "SCRAM-SHA-256-PLUS", true },
		{ "PLAIN SCRAM-SHA-256-PLUS SCRAM-SHA-256", "x", true, false,
		    "SCRAM-SHA-256", true },
		{ "PLAIN LOGIN", "x", false, false, NULL, false },
		{ "PLAIN LOGIN", "x", true, false, "PLAIN", false },
		{ "EXTERNAL PLAIN", "", true, false, "EXTERNAL", false },
		{ "EXTERNAL PLAIN", "x", true, false, "PLAIN", false },
		{ "PLAIN", "", true, false, NULL, false },
		{ "", "x", true, true, NULL, false },
	};

	for
		EACH(i, rows)
		{
			struct sasl_client_opts co = {
				.password = slice_str(rows[i].password),
				.channel = { rows[i].tls, true,
				    slice_str(rows[i].bind ? "x" : ""),
				    SLICE_NULL, SLICE_NULL }
			};
			const struct sasl_mech *m;

			ROW(rows[i].announced);
			m = sasl_client_pick(slice_str(rows[i].announced), &co);
			CHECK_STR(m ? sasl_mech_name(m) : "",
			    rows[i].expected ? rows[i].expected : "");
			CHECK_EQ(co.plus_announced, rows[i].plus);
		}
}

/* ---- TLS and certificates ---- */

static void
test_need_tls(void)
{
	struct sasl_server_opts so = server_opts();
	struct sasl_result result;

	so.channel.tls_required = true;
	CHECK_EQ(say("PLAIN", &so, "~user~pencil").result.reason, SASL_NEEDTLS);
	CHECK_EQ(say("LOGIN", &so, "^").result.reason, SASL_NEEDTLS);
	CHECK_EQ(sasl_password_login(&so, SLICE("user"), SLICE("pencil"),
		     &result),
	    SASL_FAIL);
	CHECK_EQ(result.reason, SASL_NEEDTLS);
	so.channel.tls = true;
	CHECK_EQ(say("PLAIN", &so, "~user~pencil").result.reason, SASL_SUCCESS);
	CHECK_EQ(sasl_password_login(&so, SLICE("user"), SLICE("pencil"),
		     &result),
	    SASL_OK);
	CHECK_SLICE(result.account, SLICE("user"));
	CHECK_EQ(sasl_password_login(&so, SLICE("user"), SLICE("pen"), &result),
	    SASL_FAIL);
	CHECK_EQ(result.reason, SASL_BADPASSWORD);
	CHECK_SLICE(result.login, SLICE("user"));
}

static void
test_certificate(void)
{
	static const struct row {
		const char *mech, *messages, *cert_login;
		enum sasl_reason reason;
		const char *login;
	} rows[] = {
		{ "EXTERNAL", "-", "tim", SASL_SUCCESS, "tim" },
		{ "EXTERNAL", "^|-", "tim", SASL_SUCCESS, "tim" },
		{ "EXTERNAL", "tim@example.org", "tim", SASL_SUCCESS,
		    "tim@example.org" },
		{ "EXTERNAL", "user", "tim", SASL_BADAUTHZID, "user" },
		{ "EXTERNAL", "nobody", "tim", SASL_BADUSER, "nobody" },
		/* the address went to somebody else since */
		{ "EXTERNAL", "-", "user", SASL_BADCREDS, "user" },
		{ "EXTERNAL", "-", "later", SASL_TEMP, "later" },
		{ "PLAIN", "~tim~tanstaaftanstaaf", "tim", SASL_SUCCESS,
		    "tim" },
		{ "PLAIN", "~user~pencil", "tim", SASL_BADCREDS, "user" },
	};

	for
		EACH(i, rows)
		{
			struct sasl_server_opts so = server_opts();
			struct outcome o;

			ROW(rows[i].messages);
			so.cert_account = SLICE("tim");
			so.cert_login = slice_str(rows[i].cert_login);
			o = say(rows[i].mech, &so, rows[i].messages);
			CHECK_EQ(o.result.reason, rows[i].reason);
			CHECK_SLICE(o.result.login, slice_str(rows[i].login));
		}
}

/* ---- the same work for everybody ---- */

static void
test_same_work(void)
{
	static const char *const logins[] = { "user", "nobody", "new" };

	for
		EACH(j, all)
		{
			int rounds[3], macs[3], hashes[3];
		for
			EACH(i, logins)
			{
				struct sasl_server_opts so = server_opts();
				struct sasl_client_opts co = {
					.login = slice_str(logins[i]),
					.password = SLICE("wrong one"),
					.channel = channel_tls13(),
				};
				so.channel = co.channel;
				co.plus_announced = true;
				run(all[j], &so, &co, false, NULL);
				/* look_up set them to zero; client's included */
				rounds[i] = pbkdf2_rounds;
				macs[i] = hmacs;
				hashes[i] = digests;
			}
		for (int i = 1; i < 3; i++) {
			ROW(all[j]);
			CHECK_EQ(macs[i], macs[0]);
			CHECK_EQ(hashes[i], hashes[0]);
			/* SHA-1 of users here has 4096, made up 8192 */
			if (strstr(all[j], "SHA-1") == NULL)
				CHECK_EQ(rounds[i], rounds[0]);
		}
		if (j >= 5)
			CHECK_EQ(rounds[0], 4096);
		}
}

static void
test_fake(void)
{
	struct sasl_creds a = { 0 }, b = { 0 }, c = { 0 };

	sasl_creds_fake(&a, SLICE("secret"), SLICE("x"));
	sasl_creds_fake(&b, SLICE("secret"), SLICE("x"));
	sasl_creds_fake(&c, SLICE("secret"), SLICE("y"));
	for (int i = 0; i < 2; i++) {
		CHECK(memcmp(a.scram[i].salt, b.scram[i].salt, 16) == 0);
		CHECK(memcmp(a.scram[i].salt, c.scram[i].salt, 16) != 0);
	}
	CHECK(memcmp(a.scram[0].salt, a.scram[1].salt, 16) != 0);
	sasl_creds_fake(&c, SLICE("other"), SLICE("x"));
	CHECK(!sasl_creds_check(&a, SLICE("")));
	a.has.scram[SASL_SHA1] = true;
	sasl_scram_derive(&a.scram[SASL_SHA1], SASL_SHA1, SLICE("pw"));
	CHECK(sasl_creds_check(&a, SLICE("pw")));
	CHECK(!sasl_creds_check(&a, SLICE("pW")));
}

/* ---- the client's own checks ---- */

static void
test_client(void)
{
	static const struct row {
		const char *challenge;
		const char *why; /* NULL: it goes on */
	} rows[] = {
		{ "r=cnonceS,s=QSXCR+Q6sek8bf92,i=4096", NULL },
		{ "r=cnonceS,s=QSXCR+Q6sek8bf92,i=4096,x=y", NULL },
		{ "r=cnonce,s=QSXCR+Q6sek8bf92,i=4096", "other nonce" },
		{ "r=dnonceS,s=QSXCR+Q6sek8bf92,i=4096", "other nonce" },
		{ "r=cnonceS,s=QSXCR+Q6sek8bf92,i=4095", "4095 iterations" },
		{ "r=cnonceS,s=QSXCR+Q6sek8bf92,i=1000001",
		    "1000001 iterations" },
		{ "r=cnonceS,s=QSXCR+Q6sek8bf92,i=99999999999", "bad first" },
		{ "r=cnonceS,s=,i=4096", "bad first" },
		{ "r=cnonceS,s=A,i=4096", "bad first" },
		{ "m=x,r=cnonceS,s=QSXCR+Q6sek8bf92,i=4096", "bad first" },
		{ "e=no-resources", "bad first" },
		{ "", "bad first" },
	};

	for
		EACH(i, rows)
		{
			struct sasl_client_opts co = { .login = SLICE("user"),
				.password = SLICE("pencil"),
				.nonce = SLICE("cnonce") };
			struct sasl_client *c =
			    sasl_client_new(mech("SCRAM-SHA-1"), &co);
			struct slice m = slice_str(rows[i].challenge), out;
			struct err e = ERR_INIT;

			ROW(rows[i].challenge);
			CHECK_EQ(sasl_client_step(c, NULL, &out, &e),
			    SASL_CONTINUE);
			CHECK_EQ(sasl_client_step(c, &m, &out, &e),
			    rows[i].why ? SASL_FAIL : SASL_CONTINUE);
			if (rows[i].why != NULL)
				CHECK(strstr(e.text, rows[i].why) != NULL);
			m = SLICE("v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
			CHECK_EQ(sasl_client_step(c, &m, &out, &e), SASL_FAIL);
			CHECK_EQ(sasl_client_step(c, &m, &out, &e), SASL_FAIL);
			sasl_client_free(&c);
		}
}

/* Challenges differ, and name the host. */
static void
test_cram_challenge(void)
{
	struct sasl_server_opts so = server_opts();
	struct clock clock;
	struct rand rand;
	struct slice out;
	struct sasl_server *s;

	clock_fake(&clock, 1700000000123456);
	rand_fake(&rand, 1);
	so.clock = &clock;
	so.rand = &rand;
	s = sasl_server_new(mech("CRAM-MD5"), &so);
	CHECK_EQ(sasl_server_step(s, NULL, &out), SASL_CONTINUE);
	CHECK(slice_starts(out, SLICE("<")));
	CHECK(slice_ends(out, SLICE(".1700000000123456000@mx.example.org>")));
	sasl_server_free(&s);
}

int
main(void)
{
	arena = arena_new(0);
	derive_all();
	RUN(test_examples);
	RUN(test_all_pairs);
	RUN(test_tamper);
	RUN(test_syntax);
	RUN(test_after_end);
	RUN(test_long);
	RUN(test_binding);
	RUN(test_announce);
	RUN(test_pick);
	RUN(test_need_tls);
	RUN(test_certificate);
	RUN(test_same_work);
	RUN(test_fake);
	RUN(test_client);
	RUN(test_cram_challenge);
	arena_free(&arena);
	return unit_done();
}
