/*
 * SCRAM-SHA-1 and SCRAM-SHA-256, with and without -PLUS: RFC 5802, 7677.
 *
 *   C: n,,n=user,r=CNONCE                       gs2 header, client-first-bare
 *   S: r=CNONCE SNONCE,s=SALT,i=4096            server-first
 *   C: c=GS2-AND-BINDING,r=CNONCE SNONCE,p=PROOF
 *   S: v=SIGNATURE                              then an empty message of C
 *
 * AuthMessage is client-first-bare, server-first and client-final without the
 * proof, joined by commas. A failure ends the exchange without an "e=" message
 * (RFC 5802, 7: optional).
 */
#include <string.h>

#include "sasl/sasl_int.h"
#include "base/scan.h"
#include "text/base64.h"

/* Random bytes of our part of the nonce: 24 characters. */
#define NONCE_BYTES 18
/* RFC 5802, 5.1: a server with fewer iterations asks for a weak hash of the
 * password, and may be somebody else. */
#define CLIENT_ITERATIONS_MIN 4096

void
scram_init(struct scram *sc)
{
	/* Holds parts of at most three messages. */
	sc->gs2 = (struct buf)BUF_INIT(SASL_MESSAGE_MAX);
	sc->auth = (struct buf)BUF_INIT(3 * SASL_MESSAGE_MAX);
	sc->nonce = (struct buf)BUF_INIT(SASL_MESSAGE_MAX);
}

void
scram_wipe(struct scram *sc)
{
	buf_wipe(&sc->gs2);
	buf_wipe(&sc->auth);
	buf_wipe(&sc->nonce);
}

static void
add_nonce(struct scram *sc, struct rand *rand, struct slice fixed)
{
	char bytes[NONCE_BYTES];

	if (fixed.n > 0) {
		buf_add(&sc->nonce, fixed);
		return;
	}
	rand_fill(rand, bytes, sizeof(bytes));
	base64_encode(&sc->nonce, slice_of(bytes, sizeof(bytes)));
}

/* Signature and proof of both ends: HMAC(key, AuthMessage). */
static void
sign(const struct scram *sc, enum sasl_hash hash, const unsigned char *key,
    unsigned char *out)
{
	sha_hmac(sasl_hash_alg(hash),
	    slice_of((const char *)key, sasl_hash_size(hash)),
	    buf_slice(&sc->auth), out);
}

/* ---- syntax, RFC 5802, 7 ---- */

/* The next "x=value" of *rest, without its comma. */
static bool
take_attr(struct slice *rest, char name, struct slice *value_r)
{
	struct slice attr, after;

	slice_cut(*rest, ',', &attr, &after);
	if (attr.n < 2 || attr.p[0] != name || attr.p[1] != '=')
		return false;
	*value_r = slice_skip(attr, 2);
	*rest = after;
	return true;
}

/* extensions: attr-val of letters we do not know, which we may ignore. */
static bool
skip_extensions(struct slice rest)
{
	struct slice attr;

	while (slice_next(&rest, ',', &attr))
		if (attr.n < 2 || attr.p[1] != '=' ||
		    !scan_alpha[(unsigned char)attr.p[0]])
			return false;
	return true;
}

/* saslname: "=2C" is a comma, "=3D" an equals sign. */
static bool
decode_name(struct slice name, struct buf *b)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] != '=') {
			buf_addc(b, name.p[i]);
			continue;
		}
		if (slice_eq(slice_sub(name, i, i + 3), SLICE("=2C")))
			buf_addc(b, ',');
		else if (slice_eq(slice_sub(name, i, i + 3), SLICE("=3D")))
			buf_addc(b, '=');
		else
			return false;
		i += 2;
	}
	return name.n > 0 && !b->over;
}

static void
encode_name(struct buf *b, struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == ',')
			buf_addz(b, "=2C");
		else if (name.p[i] == '=')
			buf_addz(b, "=3D");
		else
			buf_addc(b, name.p[i]);
}

/* Printable without comma. */
static bool
nonce_valid(struct slice nonce)
{
	for (size_t i = 0; i < nonce.n; i++)
		if (!scan_print[(unsigned char)nonce.p[i]] || nonce.p[i] == ',')
			return false;
	return nonce.n > 0;
}

/* ---- server ---- */

/*
 * gs2-cbind-flag: adds the binding's data to gs2. Returns 0, or -1 with the
 * result set.
 */
static int
check_binding_flag(struct sasl_server *s, struct slice flag)
{
	bool plus = s->mech->flags & SASL_PLUS;
	struct slice data;

	if (flag.n > 2 && slice_starts(flag, SLICE("p="))) {
		data = sasl_binding(&s->opts.channel, slice_skip(flag, 2));
		if (plus && data.n > 0) {
			buf_add(&s->scram.gs2, data);
			return 0;
		}
		sasl_server_fail(s, SASL_BADCHANBIND,
		    plus ? "unknown channel binding" : "binding without -PLUS");
	} else if (!slice_is(flag, "n") && !slice_is(flag, "y"))
		sasl_server_fail(s, SASL_BADPROTOCOL, "bad gs2 header");
	else if (plus)
		sasl_server_fail(s, SASL_BADCHANBIND, "-PLUS without binding");
	else if (slice_is(flag, "y") &&
	    sasl_best_binding(&s->opts.channel) != NULL)
		/* RFC 5802, 6: it did not see that we offer -PLUS, so
		 * somebody took it out of our list. */
		sasl_server_fail(s, SASL_BADCHANBIND, "downgrade");
	else
		return 0;
	return -1;
}

/* The parts of client-first-message. */
struct client_first {
	struct slice header; /* gs2-header with its last comma */
	struct slice flag;
	struct slice authzid; /* encoded, may be empty */
	struct slice bare;
	struct slice name; /* encoded */
	struct slice nonce;
};

static bool
parse_client_first(struct slice in, struct client_first *m_r)
{
	struct slice rest, authzid;

	if (!slice_cut(in, ',', &m_r->flag, &rest) ||
	    !slice_cut(rest, ',', &authzid, &rest))
		return false;
	if (authzid.n > 0 && !slice_starts(authzid, SLICE("a=")))
		return false;
	m_r->authzid = slice_skip(authzid, 2);
	m_r->header = slice_head(in, in.n - rest.n);
	m_r->bare = rest;
	/* A mandatory extension ("m=") is not the name, so it fails here, as
	 * it must. */
	return take_attr(&rest, 'n', &m_r->name) &&
	    take_attr(&rest, 'r', &m_r->nonce) && nonce_valid(m_r->nonce) &&
	    skip_extensions(rest);
}

/* Names: look up who it is. 0, or -1 with the result set. */
static int
identify(struct sasl_server *s, const struct client_first *m)
{
	struct buf name = BUF_INIT(SASL_MESSAGE_MAX);
	struct buf authzid = BUF_INIT(SASL_MESSAGE_MAX);
	int rc = -1;

	if (!decode_name(m->name, &name) ||
	    (m->authzid.n > 0 && !decode_name(m->authzid, &authzid)))
		sasl_server_fail(s, SASL_BADPROTOCOL, "bad name");
	else if (authzid.n > 0 &&
	    !slice_eq(buf_slice(&authzid), buf_slice(&name)))
		sasl_server_fail(s, SASL_BADAUTHZID, "authzid differs");
	else
		rc = sasl_server_lookup(s, buf_slice(&name));
	buf_free(&name);
	buf_free(&authzid);
	return rc;
}

/* The last message carries nothing: SMTP and IMAP have no place for v= in
 * their success reply. */
static enum sasl_status
server_end(struct sasl_server *s, const struct slice *in)
{
	if (in->n > 0)
		return sasl_server_fail(s, SASL_BADPROTOCOL, "more after end");
	return sasl_server_succeed(s);
}

/* H(ClientSignature xor ClientProof) is StoredKey (RFC 5802, 3). */
static bool
proof_right(const struct scram *sc, enum sasl_hash hash,
    const struct sasl_scram *stored, struct slice proof)
{
	size_t n = sasl_hash_size(hash);
	unsigned char key[SHA_MAX], digest[SHA_MAX];
	bool right;

	if (proof.n != n)
		return false;
	sign(sc, hash, stored->stored_key, key);
	for (size_t i = 0; i < n; i++)
		key[i] ^= (unsigned char)proof.p[i];
	sha_digest(sasl_hash_alg(hash), slice_of((char *)key, n), digest);
	right = slice_eq_secret(slice_of((char *)digest, n),
	    slice_of((const char *)stored->stored_key, n));
	sha_wipe(key, sizeof(key));
	sha_wipe(digest, sizeof(digest));
	return right;
}

/* client-final-message, its parts. */
static bool
parse_client_final(struct slice in, struct slice *without_proof_r,
    struct slice *binding_r, struct slice *nonce_r, struct buf *proof)
{
	ssize_t comma = slice_rchr(in, ',');
	struct slice rest, last;

	if (comma < 0)
		return false;
	*without_proof_r = slice_head(in, (size_t)comma);
	last = slice_skip(in, (size_t)comma + 1);
	rest = *without_proof_r;
	return take_attr(&rest, 'c', binding_r) &&
	    take_attr(&rest, 'r', nonce_r) && skip_extensions(rest) &&
	    slice_starts(last, SLICE("p=")) &&
	    base64_decode(proof, slice_skip(last, 2));
}

static enum sasl_status
verify_final(struct sasl_server *s, struct slice without_proof,
    struct slice proof)
{
	enum sasl_hash hash = s->mech->hash;
	const struct sasl_scram *stored = &s->creds.scram[hash];
	unsigned char signature[SHA_MAX];
	bool right;

	buf_addc(&s->scram.auth, ',');
	buf_add(&s->scram.auth, without_proof);
	if (s->scram.auth.over)
		return sasl_server_fail(s, SASL_BADPROTOCOL, "too long");
	right = proof_right(&s->scram, hash, stored, proof);
	if (!right || !s->creds.known || !s->creds.has.scram[hash])
		return sasl_server_fail(s, SASL_BADCREDS, "wrong proof");
	if (sasl_server_admit(s) < 0)
		return SASL_FAIL;
	sign(&s->scram, hash, stored->server_key, signature);
	buf_addz(&s->out, "v=");
	base64_encode(&s->out,
	    slice_of((char *)signature, sasl_hash_size(hash)));
	s->next = server_end;
	return SASL_CONTINUE;
}

static enum sasl_status
server_final(struct sasl_server *s, const struct slice *in)
{
	struct buf expected = BUF_INIT(2 * SASL_MESSAGE_MAX);
	struct buf proof = BUF_INIT(SHA_MAX);
	struct slice without_proof, binding, nonce;
	enum sasl_status st;

	base64_encode(&expected, buf_slice(&s->scram.gs2));
	if (!parse_client_final(*in, &without_proof, &binding, &nonce, &proof))
		st = sasl_server_fail(s, SASL_BADPROTOCOL, "bad final message");
	else if (!slice_eq(nonce, buf_slice(&s->scram.nonce)))
		st = sasl_server_fail(s, SASL_BADPROTOCOL, "other nonce");
	else if (!slice_eq(binding, buf_slice(&expected)))
		st = sasl_server_fail(s, SASL_BADCHANBIND, "other binding");
	else
		st = verify_final(s, without_proof, buf_slice(&proof));
	buf_free(&expected);
	buf_wipe(&proof);
	return st;
}

enum sasl_status
sasl_scram_server(struct sasl_server *s, const struct slice *in)
{
	struct scram *sc = &s->scram;
	const struct sasl_scram *stored = &s->creds.scram[s->mech->hash];
	struct client_first m;

	if (!parse_client_first(*in, &m))
		return sasl_server_fail(s, SASL_BADPROTOCOL,
		    "bad first message");
	buf_add(&sc->gs2, m.header);
	if (check_binding_flag(s, m.flag) < 0 || identify(s, &m) < 0)
		return SASL_FAIL;
	buf_add(&sc->nonce, m.nonce);
	add_nonce(sc, s->opts.rand, s->opts.nonce);

	buf_addz(&s->out, "r=");
	buf_add(&s->out, buf_slice(&sc->nonce));
	buf_addz(&s->out, ",s=");
	base64_encode(&s->out,
	    slice_of((const char *)stored->salt, stored->salt_n));
	buf_addf(&s->out, ",i=%u", stored->iterations);

	buf_add(&sc->auth, m.bare);
	buf_addc(&sc->auth, ',');
	buf_add(&sc->auth, buf_slice(&s->out));
	if (sc->nonce.over || sc->gs2.over || s->out.over)
		return sasl_server_fail(s, SASL_BADPROTOCOL, "too long");
	s->next = server_final;
	return SASL_CONTINUE;
}

/* ---- client ---- */

static enum sasl_status
client_end(struct sasl_client *c, struct slice challenge, struct err *e)
{
	size_t n = sasl_hash_size(c->mech->hash);
	struct buf got = BUF_INIT(SHA_MAX);
	struct slice value = SLICE_NULL;
	enum sasl_status st = SASL_OK;

	if (slice_starts(challenge, SLICE("e="))) {
		err_set(e, ERR_PERM, "scram: server says %.*s",
		    SLICE_FMT(slice_head(slice_skip(challenge, 2), 100)));
		st = SASL_FAIL;
	} else if (!take_attr(&challenge, 'v', &value) ||
	    !base64_decode(&got, value) ||
	    !slice_eq_secret(buf_slice(&got),
		slice_of((char *)c->server_signature, n))) {
		err_set(e, ERR_PERM,
		    "scram: server does not know the password");
		st = SASL_FAIL;
	}
	buf_free(&got);
	return st;
}

/* server-first-message: both nonces, salt, iterations. */
static int
parse_server_first(struct sasl_client *c, struct slice in,
    struct sasl_scram *keys_r, struct err *e)
{
	struct slice nonce, salt64, count;
	struct buf salt = BUF_INIT(SASL_SALT_MAX + 3); /* decoded by threes */

	if (!take_attr(&in, 'r', &nonce) || !take_attr(&in, 's', &salt64) ||
	    !take_attr(&in, 'i', &count) ||
	    !slice_u32(count, &keys_r->iterations) || !nonce_valid(nonce) ||
	    !skip_extensions(in) || !base64_decode(&salt, salt64) ||
	    salt.n == 0 || salt.n > SASL_SALT_MAX) {
		buf_free(&salt);
		return err_set(e, ERR_SYNTAX, "scram: bad first message");
	}
	memcpy(keys_r->salt, salt.p, salt.n);
	keys_r->salt_n = salt.n;
	buf_free(&salt);
	if (!slice_starts(nonce, buf_slice(&c->scram.nonce)) ||
	    nonce.n == c->scram.nonce.n)
		return err_set(e, ERR_SYNTAX, "scram: other nonce");
	if (keys_r->iterations < CLIENT_ITERATIONS_MIN ||
	    keys_r->iterations > SASL_ITERATIONS_MAX)
		return err_set(e, ERR_PERM, "scram: %u iterations",
		    keys_r->iterations);
	buf_reset(&c->scram.nonce);
	buf_add(&c->scram.nonce, nonce);
	return 0;
}

/* ClientProof and the signature to expect (RFC 5802, 3). */
static void
prove(struct sasl_client *c, const struct sasl_scram *keys,
    unsigned char proof[SHA_MAX])
{
	enum sasl_hash hash = c->mech->hash;
	enum sha_alg alg = sasl_hash_alg(hash);
	size_t n = sasl_hash_size(hash);
	unsigned char salted[32], client_key[32], key[32];
	struct slice salted_key = slice_of((char *)salted, n);

	sasl_scram_salted(keys, hash, buf_slice(&c->password), salted);
	sha_hmac(alg, salted_key, SLICE("Client Key"), client_key);
	sha_digest(alg, slice_of((char *)client_key, n), key);
	sign(&c->scram, hash, key, proof);
	for (size_t i = 0; i < n; i++)
		proof[i] ^= client_key[i];
	sha_hmac(alg, salted_key, SLICE("Server Key"), key);
	sign(&c->scram, hash, key, c->server_signature);
	sha_wipe(salted, sizeof(salted));
	sha_wipe(client_key, sizeof(client_key));
	sha_wipe(key, sizeof(key));
}

static enum sasl_status
client_final(struct sasl_client *c, struct slice challenge, struct err *e)
{
	struct scram *sc = &c->scram;
	unsigned char proof[SHA_MAX];
	struct sasl_scram keys;

	if (parse_server_first(c, challenge, &keys, e) < 0)
		return SASL_FAIL;
	buf_addz(&c->out, "c=");
	base64_encode(&c->out, buf_slice(&sc->gs2));
	buf_addz(&c->out, ",r=");
	buf_add(&c->out, buf_slice(&sc->nonce));

	buf_addc(&sc->auth, ',');
	buf_add(&sc->auth, challenge);
	buf_addc(&sc->auth, ',');
	buf_add(&sc->auth, buf_slice(&c->out));
	prove(c, &keys, proof);
	buf_addz(&c->out, ",p=");
	base64_encode(&c->out,
	    slice_of((char *)proof, sasl_hash_size(c->mech->hash)));
	sha_wipe(proof, sizeof(proof));
	c->next = client_end;
	return SASL_CONTINUE;
}

/* gs2-header; with -PLUS the binding's data go behind it in gs2 only. */
static void
add_gs2_header(struct sasl_client *c)
{
	const char *binding = sasl_best_binding(&c->opts.channel);
	struct buf *gs2 = &c->scram.gs2;

	if (c->mech->flags & SASL_PLUS)
		buf_addf(gs2, "p=%s,", binding);
	else /* RFC 5802, 6: "y" lets the server notice a downgrade */
		buf_addz(gs2, binding && !c->opts.plus_announced ? "y," : "n,");
	if (c->opts.authzid.n > 0) {
		buf_addz(gs2, "a=");
		encode_name(gs2, c->opts.authzid);
	}
	buf_addc(gs2, ',');
	buf_add(&c->out, buf_slice(gs2));
	if (c->mech->flags & SASL_PLUS)
		buf_add(gs2,
		    sasl_binding(&c->opts.channel, slice_str(binding)));
}

enum sasl_status
sasl_scram_client(struct sasl_client *c, struct slice challenge, struct err *e)
{
	struct scram *sc = &c->scram;

	if (challenge.n > 0) {
		err_set(e, ERR_SYNTAX, "scram: server speaks first");
		return SASL_FAIL;
	}
	add_gs2_header(c);
	add_nonce(sc, c->opts.rand, c->opts.nonce);
	buf_addz(&sc->auth, "n=");
	encode_name(&sc->auth, c->opts.login);
	buf_addz(&sc->auth, ",r=");
	buf_add(&sc->auth, buf_slice(&sc->nonce));
	buf_add(&c->out, buf_slice(&sc->auth));
	c->next = client_final;
	return SASL_CONTINUE;
}
