/*
 * The file of an account: `scheme value` a line, the values as Dovecot writes
 * them, so that `doveadm pw -s SCRAM-SHA-256` makes one.
 *
 *   SCRAM-SHA-256 4096,SALT,STOREDKEY,SERVERKEY    base64
 *   SCRAM-SHA-1 8192,SALT,STOREDKEY,SERVERKEY
 *   CRAM-MD5 OUTER INNER without the space, 64 hex digits
 *   CRYPT $2b$10$...                               crypt(5)
 */
#include <inttypes.h>
#include <string.h>

#include "auth/auth_int.h"
#include "base/file.h"
#include "base/scan.h"
#include "db/escape.h"
#include "text/base64.h"

int
auth_file_name(struct slice account, char name[NAME_MAX + 1], struct err *e)
{
	struct buf b = BUF_INIT(NAME_MAX);
	int rc = 0;

	db_escape(&b, account);
	if (b.over || account.n == 0 ||
	    !slice_cstr(buf_slice(&b), name, NAME_MAX + 1))
		rc = err_set(e, ERR_PERM, "auth: bad account name");
	buf_free(&b);
	return rc;
}

/* ---- values ---- */

/* Base64 of exactly n bytes (of 1 to max if n is 0); returns how many. */
static size_t
take_bytes(struct slice text, size_t n, unsigned char *out, size_t max)
{
	struct buf b = BUF_INIT(max + 3); /* decoding works by threes */
	size_t got = 0;

	if (base64_decode(&b, text) && b.n > 0 && b.n <= max &&
	    (n == 0 || b.n == n)) {
		memcpy(out, b.p, b.n);
		got = b.n;
	}
	buf_wipe(&b);
	return got;
}

static bool
parse_scram(struct slice value, enum sasl_hash hash, struct sasl_creds *c)
{
	struct sasl_scram *s = &c->scram[hash];
	size_t n = hash == SASL_SHA1 ? 20 : 32;
	struct slice part[4];

	for (int i = 0; i < 3; i++)
		if (!slice_cut(value, ',', &part[i], &value))
			return false;
	part[3] = value;
	s->salt_n = take_bytes(part[1], 0, s->salt, sizeof(s->salt));
	c->has.scram[hash] = slice_u32(part[0], &s->iterations) &&
	    s->iterations > 0 && s->iterations <= SASL_ITERATIONS_MAX &&
	    s->salt_n > 0 &&
	    take_bytes(part[2], n, s->stored_key, sizeof(s->stored_key)) &&
	    take_bytes(part[3], n, s->server_key, sizeof(s->server_key));
	return c->has.scram[hash];
}

static void
format_scram(struct buf *b, const char *scheme, const struct sasl_scram *s,
    size_t n)
{
	buf_addf(b, "%s %u,", scheme, s->iterations);
	base64_encode(b, slice_of((const char *)s->salt, s->salt_n));
	buf_addc(b, ',');
	base64_encode(b, slice_of((const char *)s->stored_key, n));
	buf_addc(b, ',');
	base64_encode(b, slice_of((const char *)s->server_key, n));
	buf_addc(b, '\n');
}

static bool
parse_scram_sha256(struct slice value, struct sasl_creds *c)
{
	return parse_scram(value, SASL_SHA256, c);
}

static void
format_scram_sha256(struct buf *b, const char *scheme,
    const struct sasl_creds *c)
{
	if (c->has.scram[SASL_SHA256])
		format_scram(b, scheme, &c->scram[SASL_SHA256], 32);
}

static bool
parse_scram_sha1(struct slice value, struct sasl_creds *c)
{
	return parse_scram(value, SASL_SHA1, c);
}

static void
format_scram_sha1(struct buf *b, const char *scheme, const struct sasl_creds *c)
{
	if (c->has.scram[SASL_SHA1])
		format_scram(b, scheme, &c->scram[SASL_SHA1], 20);
}

static bool
parse_cram(struct slice value, struct sasl_creds *c)
{
	unsigned char bytes[32];
	uint64_t byte;

	if (value.n != 2 * sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (!slice_hex64(slice_sub(value, 2 * i, 2 * i + 2), &byte))
			return false;
		bytes[i] = (unsigned char)byte;
	}
	memcpy(c->cram.outer, bytes, 16);
	memcpy(c->cram.inner, bytes + 16, 16);
	c->has.cram = true;
	return true;
}

static void
format_cram(struct buf *b, const char *scheme, const struct sasl_creds *c)
{
	if (!c->has.cram)
		return;
	buf_addf(b, "%s ", scheme);
	for (int i = 0; i < 16; i++)
		buf_addf(b, "%02x", c->cram.outer[i]);
	for (int i = 0; i < 16; i++)
		buf_addf(b, "%02x", c->cram.inner[i]);
	buf_addc(b, '\n');
}

static bool
parse_crypt(struct slice value, struct sasl_creds *c)
{
	/* Only with a method: a bare DES hash would be far too weak. */
	c->has.crypt = slice_starts(value, SLICE("$")) &&
	    slice_cstr(value, c->crypt, sizeof(c->crypt));
	return c->has.crypt;
}

static void
format_crypt(struct buf *b, const char *scheme, const struct sasl_creds *c)
{
	if (c->has.crypt)
		buf_addf(b, "%s %s\n", scheme, c->crypt);
}

/* ---- the file ---- */

static const struct scheme {
	const char *name;
	bool (*parse)(struct slice value, struct sasl_creds *c);
	void (*format)(struct buf *b, const char *name,
	    const struct sasl_creds *c);
} schemes[] = {
	{ "SCRAM-SHA-256", parse_scram_sha256, format_scram_sha256 },
	{ "SCRAM-SHA-1", parse_scram_sha1, format_scram_sha1 },
	{ "CRAM-MD5", parse_cram, format_cram },
	{ "CRYPT", parse_crypt, format_crypt },
};

#define SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

int
auth_parse_creds(struct slice text, struct sasl_creds *c, struct err *e)
{
	struct slice line, name, value;

	memset(c, 0, sizeof(*c));
	sha_digest(SHA_256, text, c->version);
	while (slice_line(&text, &line)) {
		slice_cut(line, ' ', &name, &value);
		for (size_t i = 0; i < SCHEMES; i++)
			if (slice_is(name, schemes[i].name) &&
			    !schemes[i].parse(value, c))
				return err_set(e, ERR_SYNTAX, "damaged %s line",
				    schemes[i].name);
	}
	return 0;
}

void
auth_format_creds(struct buf *b, const struct sasl_creds *c)
{
	for (size_t i = 0; i < SCHEMES; i++)
		schemes[i].format(b, schemes[i].name, c);
}

int
auth_read_creds(struct auth *auth, const char *name, struct sasl_creds *c,
    struct err *e)
{
	struct buf b = BUF_INIT(AUTH_FILE_MAX);
	int rc;

	memset(c, 0, sizeof(*c));
	rc = file_read(auth->dirfd, name, &b, e);
	if (rc == 1 && auth_parse_creds(buf_slice(&b), c, e) < 0)
		rc = err_prefix(e, "auth: %s", name);
	buf_wipe(&b);
	return rc;
}
