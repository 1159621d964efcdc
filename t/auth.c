/* Tests of lib/auth: files of credentials and keys, look-ups for lib/sasl,
 * the cache of verified passwords. */
#include "auth/auth.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/auth_int.h"
#include "base/arena.h"
#include "base/file.h"
#include "t/tmp.h"
#include "t/unit.h"

#define EACH(i, array) \
	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

/* ---- counting the work, in front of libcrypto ---- */

static int pbkdf2_calls;

int
PKCS5_PBKDF2_HMAC(const char *pass, int passlen, const unsigned char *salt,
    int saltlen, int iter, const EVP_MD *digest, int keylen, unsigned char *out)
{
	int (*real)(const char *, int, const unsigned char *, int, int,
	    const EVP_MD *, int, unsigned char *);

	*(void **)&real = dlsym(RTLD_NEXT, "PKCS5_PBKDF2_HMAC");
	pbkdf2_calls++;
	return real(pass, passlen, salt, saltlen, iter, digest, keylen, out);
}

/* ---- a data folder ---- */

static int data_fd;
static struct arena *arena;

static int
resolve(void *ctx, struct arena *a, struct slice login,
    struct auth_login *login_r, struct err *e)
{
	(void)ctx, (void)a;
	if (slice_is(login, "later@example.org"))
		return err_set(e, ERR_TEMP, "not now");
	if (slice_is(login, "a@example.org") ||
	    slice_is(login, "\xc3\xa9@example.org"))
		login_r->account = SLICE("alice");
	else if (slice_is(login, "new@example.org"))
		login_r->account = SLICE("new");
	else if (slice_is(login, "off@example.org")) {
		login_r->account = SLICE("alice");
		login_r->disabled = SLICE("on leave");
	} else {
		if (slice_starts(login, SLICE("sep+")))
			login_r->canonical = SLICE("sep@example.org");
		return 0;
	}
	return 1;
}

static struct auth *
open_auth(struct passcache *cache)
{
	struct auth_opts opts = {
		.data_fd = data_fd, .resolve = resolve, .cache = cache
	};
	struct auth *auth = NULL;
	struct err e = ERR_INIT;

	if (auth_open(&opts, &auth, &e) < 0)
		UNIT_FAIL("%s", e.text);
	return auth;
}

static void
put_file(const char *name, const char *text)
{
	int fd = openat(data_fd, name, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(file_write(fd, slice_str(text), NULL), 0);
	close(fd);
}

/* ---- passwords ---- */

static void
test_set_and_verify(void)
{
	struct auth *auth = open_auth(NULL);
	struct slice alice = SLICE("alice");
	struct sasl_creds c;
	struct err e = ERR_INIT;
	struct stat st;

	CHECK_EQ(auth_verify_password(auth, alice, SLICE("correct horse"), &e),
	    0);
	CHECK_EQ(auth_set_password(auth, alice, SLICE("correct horse"), 0, &e),
	    0);
	CHECK_EQ(auth_verify_password(auth, alice, SLICE("correct horse"), &e),
	    1);
	CHECK_EQ(auth_verify_password(auth, alice, SLICE("correct hors"), &e),
	    0);
	/* the same for OpaqueString: U+3000 is a space */
	CHECK_EQ(auth_verify_password(auth, alice,
		     SLICE("correct\xe3\x80\x80horse"), &e),
	    1);
	CHECK_EQ(fstatat(data_fd, "auth/alice", &st, 0), 0);
	CHECK_EQ(st.st_mode & 07777, 0600);
	CHECK_EQ(fstatat(data_fd, "auth", &st, 0), 0);
	CHECK_EQ(st.st_mode & 07777, 0700);

	CHECK_EQ(auth_load(auth, alice, &c, &e), 1);
	CHECK(c.known && c.has.scram[0] && c.has.scram[1] && c.has.cram);
	CHECK(!c.has.crypt);
	CHECK_EQ(c.scram[SASL_SHA1].iterations, 8192);
	CHECK_EQ(c.scram[SASL_SHA256].iterations, 4096);
	CHECK_EQ(auth_load(auth, SLICE("bob"), &c, &e), 0);
	CHECK(!c.known);

	CHECK_EQ(auth_set_password(auth, alice, SLICE("another one"),
		     AUTH_WITH_BCRYPT, &e),
	    0);
	CHECK_EQ(auth_load(auth, alice, &c, &e), 1);
	CHECK(c.has.crypt && strncmp(c.crypt, "$2b$10$", 7) == 0);
	CHECK_EQ(auth_verify_password(auth, alice, SLICE("correct horse"), &e),
	    0);
	auth_close(&auth);
	auth_close(&auth);
}

static void
test_bad_passwords(void)
{
	static const struct row {
		struct slice account, password;
		enum err_kind kind;
	} rows[] = {
		{ SLICE("x"), SLICE("1234567"), ERR_SYNTAX },
		{ SLICE("x"), SLICE(""), ERR_SYNTAX },
		{ SLICE("x"), SLICE("1234567\x01"), ERR_SYNTAX },
		{ SLICE("x"), SLICE("12345678\0"), ERR_SYNTAX },
		{ SLICE("x"), SLICE("12345678\xff"), ERR_SYNTAX },
		{ SLICE(""), SLICE("12345678"), ERR_PERM },
	};
	struct auth *auth = open_auth(NULL);
	char *big = arena_alloc(arena, SASL_PASSWORD_MAX + 1);
	struct err e = ERR_INIT;

	for
		EACH(i, rows)
		{
			ROW(arena_cstr(arena, rows[i].password));
			CHECK_EQ(auth_set_password(auth, rows[i].account,
				     rows[i].password, 0, &e),
			    -1);
			CHECK_EQ(e.kind, rows[i].kind);
		}
	ROW("long");
	memset(big, 'x', SASL_PASSWORD_MAX + 1);
	CHECK_EQ(auth_set_password(auth, SLICE("x"),
		     slice_of(big, SASL_PASSWORD_MAX + 1), 0, &e),
	    -1);
	CHECK_EQ(auth_set_password(auth, SLICE("x"),
		     slice_of(big, SASL_PASSWORD_MAX), 0, &e),
	    0);
	CHECK_EQ(auth_set_password(auth, slice_of(big, 256), SLICE("12345678"),
		     0, &e),
	    -1);
	auth_close(&auth);
}

static void
test_names(void)
{
	static const struct row {
		const char *account, *file;
	} rows[] = {
		{ "../x", "auth/%2E.%2Fx" },
		{ ".", "auth/%2E" },
		{ "@nobody", "auth/%40nobody" },
		{ "J\xc3\xb6rg", "auth/J\xc3\xb6rg" },
	};
	struct auth *auth = open_auth(NULL);
	struct err e = ERR_INIT;

	for
		EACH(i, rows)
		{
			struct slice account = slice_str(rows[i].account);
			ROW(rows[i].account);
			CHECK_EQ(auth_set_password(auth, account,
				     SLICE("12345678"), 0, &e),
			    0);
			CHECK_EQ(faccessat(data_fd, rows[i].file, F_OK, 0), 0);
			CHECK_EQ(auth_remove(auth, account, &e), 0);
			CHECK(faccessat(data_fd, rows[i].file, F_OK, 0) < 0);
			CHECK_EQ(auth_remove(auth, account, &e), 0);
		}
	auth_close(&auth);
}

/* ---- the file ---- */

/* "pencil12" as doveadm pw of Dovecot 2.3.19 makes it. */
#define DOVECOT_SCRAM256 \
	"4096,pckRs899Ir0b2T9td2ai2A==," \
	"VnQWFzydik2QxsMJjrmbBvNg3XpMN7Rn8f1N8Yz37Ys=," \
	"Y869eu+zCt9rlnROWZM8AiQrd+djODtfLcQU0cyttEE="
#define DOVECOT_SCRAM1 \
	"4096,PfEOsena1a5YHdKpcn0zhQ==,1g1KKPs1CulFTWXDiWGWFqlsCKQ=," \
	"ePqZj49G1jy5KH/xd8MzoUYpzxY="
#define DOVECOT_CRAM \
	"dd492ebadcd94fb2d7259463eaef9e6f6e6a8d4d0cd84af25322acca88374b1d"
#define DOVECOT_BCRYPT \
	"$2y$05$1eoKkSZ8dlxsyGtnO5NMweO0ATDER.NHjI74NuX8Lfy.wC93OCv/m"

static void
test_file(void)
{
	static const struct row {
		const char *name, *text;
		int loads; /* auth_load */
		int right; /* pencil12 verifies */
	} rows[] = {
		{ "scram-sha-256", "SCRAM-SHA-256 " DOVECOT_SCRAM256 "\n", 1,
		    1 },
		{ "scram-sha-1", "SCRAM-SHA-1 " DOVECOT_SCRAM1 "\n", 1, 1 },
		{ "crypt", "CRYPT " DOVECOT_BCRYPT "\n", 1, 1 },
		{ "cram only", "CRAM-MD5 " DOVECOT_CRAM "\n", 1, 0 },
		{ "no newline", "SCRAM-SHA-1 " DOVECOT_SCRAM1, 1, 1 },
		{ "CRLF", "SCRAM-SHA-1 " DOVECOT_SCRAM1 "\r\n", 1, 1 },
		{ "comment", "# mine\n\nCRYPT " DOVECOT_BCRYPT "\n", 1, 1 },
		{ "later scheme", "ARGON2ID $argon2id$v=19$\n", 1, 0 },
		{ "empty", "", 1, 0 },
		{ "no value", "SCRAM-SHA-256\n", -1, -1 },
		{ "iterations 0",
		    "SCRAM-SHA-1 0,QQ==,1g1KKPs1CulFTWXDiWGWFq"
		    "lsCKQ=,ePqZj49G1jy5KH/xd8MzoUYpzxY=\n",
		    -1, -1 },
		{ "iterations huge",
		    "SCRAM-SHA-1 1000001,QQ==,1g1KKPs1CulFT"
		    "WXDiWGWFqlsCKQ=,ePqZj49G1jy5KH/xd8MzoUYpzxY=\n",
		    -1, -1 },
		{ "no salt",
		    "SCRAM-SHA-1 4096,,1g1KKPs1CulFTWXDiWGWFqlsCKQ="
		    ",ePqZj49G1jy5KH/xd8MzoUYpzxY=\n",
		    -1, -1 },
		{ "short key",
		    "SCRAM-SHA-1 4096,QQ==,QQ==,ePqZj49G1jy5KH/xd"
		    "8MzoUYpzxY=\n",
		    -1, -1 },
		{ "wrong hash", "SCRAM-SHA-256 " DOVECOT_SCRAM1 "\n", -1, -1 },
		{ "one field more", "SCRAM-SHA-1 " DOVECOT_SCRAM1 ",QQ==\n", -1,
		    -1 },
		{ "cram short", "CRAM-MD5 dd49\n", -1, -1 },
		{ "cram no hex",
		    "CRAM-MD5 zd492ebadcd94fb2d7259463eaef9e6f6"
		    "e6a8d4d0cd84af25322acca88374b1d\n",
		    -1, -1 },
		{ "des crypt", "CRYPT abJnggxhB/yWI\n", -1, -1 },
	};
	struct auth *auth = open_auth(NULL);
	struct sasl_creds c;
	struct err e;

	for
		EACH(i, rows)
		{
			ROW(rows[i].name);
			put_file("auth/dov", rows[i].text);
			CHECK_EQ(auth_load(auth, SLICE("dov"), &c, &e),
			    rows[i].loads);
			if (rows[i].loads < 0) {
				CHECK_EQ(e.kind, ERR_SYNTAX);
				CHECK(strncmp(e.text, "auth: dov: damaged ",
					  19) == 0);
			}
			CHECK_EQ(auth_verify_password(auth, SLICE("dov"),
				     SLICE("pencil12"), &e),
			    rows[i].right);
			CHECK(auth_verify_password(auth, SLICE("dov"),
				  SLICE("pencil13"), &e) != 1);
		}
	auth_close(&auth);
}

static bool
same_scram(const struct sasl_creds *a, const struct sasl_creds *b)
{
	for (int i = 0; i < 2; i++) {
		const struct sasl_scram *s = &a->scram[i], *t = &b->scram[i];
		size_t n = i == SASL_SHA1 ? 20 : 32;

		if (s->iterations != t->iterations || s->salt_n != t->salt_n ||
		    memcmp(s->salt, t->salt, s->salt_n) != 0 ||
		    memcmp(s->stored_key, t->stored_key, n) != 0 ||
		    memcmp(s->server_key, t->server_key, n) != 0)
			return false;
	}
	return true;
}

/* What we write is what doveadm would, and reads back the same. */
static void
test_format(void)
{
	const char *text = "SCRAM-SHA-256 " DOVECOT_SCRAM256 "\n"
			   "SCRAM-SHA-1 " DOVECOT_SCRAM1 "\n"
			   "CRAM-MD5 " DOVECOT_CRAM "\n"
			   "CRYPT " DOVECOT_BCRYPT "\n";
	struct sasl_creds c, again;
	struct sasl_cram cram;
	struct buf b = BUF_INIT(AUTH_FILE_MAX);

	CHECK_EQ(auth_parse_creds(slice_str(text), &c, NULL), 0);
	auth_format_creds(&b, &c);
	CHECK_SLICE(buf_slice(&b), slice_str(text));
	sasl_cram_derive(&cram, SLICE("pencil12"));
	CHECK(memcmp(&cram, &c.cram, sizeof(cram)) == 0);
	for (int i = 0; i < 2; i++) {
		again = c;
		sasl_scram_derive(&again.scram[i], (enum sasl_hash)i,
		    SLICE("pencil12"));
		CHECK(same_scram(&again, &c));
	}
	buf_free(&b);
}

/* ---- for lib/sasl ---- */

static int
look_up(struct auth *auth, const char *login, struct sasl_creds *c)
{
	struct sasl_backend b = auth_backend(auth);
	struct err e = ERR_INIT;

	return b.lookup(b.ctx, arena, slice_str(login), c, &e);
}

static void
test_look_up(void)
{
	struct auth *auth = open_auth(NULL);
	struct sasl_creds c, d;
	struct err e = ERR_INIT;

	CHECK_EQ(auth_set_password(auth, SLICE("alice"), SLICE("correct 1"), 0,
		     &e),
	    0);
	CHECK_EQ(look_up(auth, "a@example.org", &c), 1);
	CHECK(c.known && c.has.scram[0] && c.has.cram);
	CHECK_SLICE(c.account, SLICE("alice"));
	CHECK_EQ(look_up(auth, "e\xcc\x81@example.org", &d), 1); /* NFC */
	CHECK(same_scram(&c, &d));
	CHECK_EQ(look_up(auth, "off@example.org", &c), 1);
	CHECK_SLICE(c.disabled, SLICE("on leave"));
	CHECK_EQ(look_up(auth, "later@example.org", &c), -1);

	/* without credentials: known, nothing matches */
	CHECK_EQ(look_up(auth, "new@example.org", &c), 1);
	CHECK(c.known && !c.has.scram[0] && !c.has.scram[1] && !c.has.cram);
	CHECK_EQ(c.scram[SASL_SHA256].iterations, 4096);
	auth_close(&auth);
}

/* What nobody has looks like what somebody has, also after a restart. */
static void
test_nobody(void)
{
	struct auth *auth = open_auth(NULL);
	struct sasl_creds a, b;

	CHECK_EQ(look_up(auth, "x@example.org", &a), 0);
	CHECK(!a.known && !a.has.scram[0] && !a.has.cram);
	CHECK_EQ(a.account.n, 0);
	CHECK_EQ(a.scram[SASL_SHA1].iterations, 8192);
	CHECK_EQ(a.scram[SASL_SHA1].salt_n, 16);
	auth_close(&auth);
	auth = open_auth(NULL);
	CHECK_EQ(look_up(auth, "x@example.org", &b), 0);
	CHECK(same_scram(&a, &b));
	CHECK_EQ(look_up(auth, "X@Example.org", &b), 0);
	CHECK(same_scram(&a, &b));
	CHECK_EQ(look_up(auth, "y@example.org", &b), 0);
	CHECK(!same_scram(&a, &b));
	CHECK_EQ(look_up(auth, "sep+1@example.org", &a), 0);
	CHECK_EQ(look_up(auth, "sep+2@example.org", &b), 0);
	CHECK(same_scram(&a, &b));
	CHECK_EQ(look_up(auth, "with space", &a), 0);
	CHECK_EQ(unlinkat(data_fd, "auth/@nobody", 0), 0);
	CHECK_EQ(look_up(auth, "x@example.org", &a), -1);
	auth_close(&auth);
}

/* A whole login through both libraries: who, with what, gives what, at the
 * price of how many PBKDF2. */
static void
test_login(void)
{
	static const struct row {
		const char *login, *password;
		enum sasl_reason reason;
		int pbkdf2;
	} rows[] = {
		{ "a@example.org", "correct 1", SASL_SUCCESS, 1 },
		{ "a@example.org", "correct 1", SASL_SUCCESS, 0 },
		{ "\xc3\xa9@example.org", "correct 1", SASL_SUCCESS, 0 },
		{ "a@example.org", "correct 2", SASL_BADPASSWORD, 1 },
		{ "a@example.org", "correct 2", SASL_BADPASSWORD, 1 },
		{ "off@example.org", "correct 1", SASL_LOGINDISABLED, 0 },
		{ "new@example.org", "correct 1", SASL_BADPASSWORD, 1 },
		{ "x@example.org", "correct 1", SASL_BADUSER, 1 },
		{ "x@example.org", "correct 1", SASL_BADUSER, 1 },
		{ "later@example.org", "correct 1", SASL_TEMP, 0 },
	};
	struct err e = ERR_INIT;
	struct passcache *cache = passcache_new(NULL, &e);
	struct auth *auth = open_auth(cache);
	struct sasl_server_opts so = { .backend = auth_backend(auth),
		.arena = arena };
	struct sasl_result result;

	CHECK(cache != NULL);
	CHECK_EQ(auth_set_password(auth, SLICE("alice"), SLICE("correct 1"), 0,
		     &e),
	    0);
	for
		EACH(i, rows)
		{
			ROW(arena_cstr(arena,
			    arena_printf(arena, "row %zu", i)));
			pbkdf2_calls = 0;
			sasl_password_login(&so, slice_str(rows[i].login),
			    slice_str(rows[i].password), &result);
			CHECK_EQ(result.reason, rows[i].reason);
			CHECK_EQ(pbkdf2_calls, rows[i].pbkdf2);
		}
	ROW("changed");
	CHECK_EQ(auth_set_password(auth, SLICE("alice"), SLICE("correct 2"), 0,
		     &e),
	    0);
	CHECK_EQ(sasl_password_login(&so, SLICE("a@example.org"),
		     SLICE("correct 1"), &result),
	    SASL_FAIL);
	CHECK_EQ(sasl_password_login(&so, SLICE("a@example.org"),
		     SLICE("correct 2"), &result),
	    SASL_OK);
	auth_close(&auth);
	passcache_close(&cache);
}

/* ---- the cache ---- */

static const unsigned char v1[PASSCACHE_VERSION] = { 1 };
static const unsigned char v2[PASSCACHE_VERSION] = { 2 };

static void
test_cache(void)
{
	struct err e = ERR_INIT;
	struct clock clock;
	struct passcache *pc, *none = NULL;

	clock_fake(&clock, 1700000000000000);
	pc = passcache_new(&clock, &e);
	CHECK(!passcache_has(pc, v1, SLICE("a"), SLICE("pw")));
	passcache_add(pc, v1, SLICE("a"), SLICE("pw"));
	CHECK(passcache_has(pc, v1, SLICE("a"), SLICE("pw")));
	CHECK(!passcache_has(pc, v2, SLICE("a"), SLICE("pw")));
	CHECK(!passcache_has(pc, v1, SLICE("ap"), SLICE("w")));
	CHECK(!passcache_has(pc, v1, SLICE("a"), SLICE("pW")));
	clock.fake_us += 7 * 60 * 1000000LL;
	CHECK(passcache_has(pc, v1, SLICE("a"), SLICE("pw")));
	clock.fake_us += 8 * 60 * 1000000LL + 1;
	CHECK(!passcache_has(pc, v1, SLICE("a"), SLICE("pw")));
	passcache_close(&pc);
	passcache_close(&pc);

	passcache_add(none, v1, SLICE("a"), SLICE("pw"));
	CHECK(!passcache_has(none, v1, SLICE("a"), SLICE("pw")));
}

/* A full table forgets, and never remembers what it was not told. */
static void
test_cache_full(void)
{
	struct err e = ERR_INIT;
	struct passcache *pc = passcache_new(NULL, &e);
	int found = 0;

	for (uint32_t i = 0; i < 20000; i++)
		passcache_add(pc, v1, SLICE("a"), slice_of((char *)&i, 4));
	for (uint32_t i = 0; i < 40000; i++) {
		bool has =
		    passcache_has(pc, v1, SLICE("a"), slice_of((char *)&i, 4));
		found += has;
		CHECK(!has || i < 20000);
	}
	CHECK(found > 3500 && found <= 4092);
	CHECK(passcache_has(pc, v1, SLICE("a"),
	    slice_of((char *)&(uint32_t){ 19999 }, 4)));
	passcache_close(&pc);
}

/* What one child verified another knows; one that closed it has no such
 * memory. */
static void
test_cache_forks(void)
{
	struct err e = ERR_INIT;
	struct passcache *pc = passcache_new(NULL, &e);
	int status;

	if (fork() == 0) {
		passcache_add(pc, v1, SLICE("a"), SLICE("pw"));
		_exit(0);
	}
	CHECK(wait(&status) > 0);
	CHECK(passcache_has(pc, v1, SLICE("a"), SLICE("pw")));

	if (fork() == 0) { /* not mapped: msync fails with ENOMEM */
		void *memory = pc;
		passcache_close(&pc);
		_exit(msync(memory, 4096, MS_ASYNC) == 0);
	}
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK(passcache_has(pc, v1, SLICE("a"), SLICE("pw")));
	passcache_close(&pc);
}

/* ---- keys ---- */

#define FP1 "0123456789abcdefghijABCDEFGHIJ0123456789-_A"
#define FP2 "-123456789abcdefghijABCDEFGHIJ0123456789-_A"

static struct auth_key
some_key(const char *fingerprint, const char *account)
{
	return (struct auth_key){
		.fingerprint = slice_str(fingerprint),
		.type = SLICE("ed25519"),
		.name = SLICE("My \xc3\xa9 laptop\nx"),
		.account = slice_str(account),
		.login = SLICE("a@example.org"),
		.no_imap_preauth = true,
		.created = 1700000000,
		.cert = SLICE("\x30\x82\x00\x01"),
	};
}

static void
test_keys(void)
{
	struct auth *auth = open_auth(NULL);
	struct auth_key k = some_key(FP1, "alice"), got, *list;
	struct err e = ERR_INIT;
	size_t n;

	CHECK_EQ(auth_key_find(auth, arena, SLICE(FP1), &got, &e), 0);
	CHECK_EQ(auth_key_remove(auth, SLICE(FP1), &e), 0);
	CHECK_EQ(auth_key_list(auth, arena, SLICE(""), &list, &n, &e), 0);
	CHECK_EQ(n, 0);

	CHECK_EQ(auth_key_add(auth, &k, &e), 0);
	CHECK_EQ(auth_key_find(auth, arena, SLICE(FP1), &got, &e), 1);
	CHECK_SLICE(got.fingerprint, k.fingerprint);
	CHECK_SLICE(got.type, k.type);
	CHECK_SLICE(got.name, k.name);
	CHECK_SLICE(got.account, k.account);
	CHECK_SLICE(got.login, k.login);
	CHECK(got.no_imap_preauth);
	CHECK_EQ(got.created, k.created);
	CHECK_SLICE(got.cert, k.cert);
	CHECK_EQ(auth_key_add(auth, &k, &e), -1);
	CHECK_EQ(e.kind, ERR_PERM);

	k = some_key(FP2, "bob");
	k.no_imap_preauth = false;
	CHECK_EQ(auth_key_add(auth, &k, &e), 0);
	CHECK_EQ(auth_key_list(auth, arena, SLICE(""), &list, &n, &e), 0);
	CHECK_EQ(n, 2);
	CHECK_SLICE(list[0].fingerprint, SLICE(FP2));
	CHECK(!list[0].no_imap_preauth);
	CHECK_EQ(auth_key_list(auth, arena, SLICE("alice"), &list, &n, &e), 0);
	CHECK_EQ(n, 1);

	/* an account goes with its keys, others stay */
	CHECK_EQ(auth_remove(auth, SLICE("alice"), &e), 0);
	CHECK_EQ(auth_key_find(auth, arena, SLICE(FP1), &got, &e), 0);
	CHECK_EQ(auth_key_find(auth, arena, SLICE(FP2), &got, &e), 1);
	CHECK_EQ(auth_key_remove(auth, SLICE(FP2), &e), 1);
	CHECK_EQ(auth_key_remove(auth, SLICE(FP2), &e), 0);
	auth_close(&auth);
}

static void
test_bad_keys(void)
{
	static const char *const names[] = { "", "x", "../../../etc/passwd",
		"/123456789abcdefghijABCDEFGHIJ0123456789-_A",
		".123456789abcdefghijABCDEFGHIJ0123456789-_A",
		"0123456789abcdefghijABCDEFGHIJ0123456789-_AA" };
	static const struct row {
		const char *name, *text;
	} rows[] = {
		{ "empty", "" },
		{ "no login", "account a\n" },
		{ "no account", "login a\n" },
		{ "escape", "account a%\nlogin b\n" },
		{ "created", "account a\nlogin b\ncreated x\n" },
		{ "preauth", "account a\nlogin b\npreauth maybe\n" },
		{ "cert", "account a\nlogin b\ncert ???\n" },
	};
	struct auth *auth = open_auth(NULL);
	struct auth_key k, got;
	struct err e = ERR_INIT;

	for
		EACH(i, names)
		{
			ROW(names[i]);
			k = some_key(names[i], "a");
			CHECK_EQ(auth_key_find(auth, arena, k.fingerprint, &got,
				     &e),
			    0);
			CHECK_EQ(auth_key_add(auth, &k, &e), -1);
			CHECK_EQ(auth_key_remove(auth, k.fingerprint, &e), 0);
		}
	for
		EACH(i, rows)
		{
			ROW(rows[i].name);
			put_file("auth/@tls/" FP1, rows[i].text);
			CHECK_EQ(auth_key_find(auth, arena, SLICE(FP1), &got,
				     &e),
			    -1);
			CHECK_EQ(e.kind, ERR_SYNTAX);
		}
	ROW("later field");
	put_file("auth/@tls/" FP1, "account a\nlogin b\nx y\n");
	CHECK_EQ(auth_key_find(auth, arena, SLICE(FP1), &got, &e), 1);
	auth_close(&auth);
}

int
main(void)
{
	char name[TMP_PATH];

	if (mkdtemp(tmp_template(name, "mox-auth")) == NULL ||
	    (data_fd = open(name, O_RDONLY | O_DIRECTORY)) < 0)
		return 1;
	arena = arena_new(0);
	RUN(test_set_and_verify);
	RUN(test_bad_passwords);
	RUN(test_names);
	RUN(test_file);
	RUN(test_format);
	RUN(test_look_up);
	RUN(test_nobody);
	RUN(test_login);
	RUN(test_cache);
	RUN(test_cache_full);
	RUN(test_cache_forks);
	RUN(test_keys);
	RUN(test_bad_keys);
	arena_free(&arena);
	file_remove_tree(AT_FDCWD, name, NULL);
	return unit_done();
}
