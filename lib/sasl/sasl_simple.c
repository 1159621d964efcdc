/*
 * PLAIN, LOGIN, CRAM-MD5 and EXTERNAL, both ends.
 */
#include <inttypes.h>

#include "sasl/sasl_int.h"

/* ---- PLAIN (RFC 4616): [authzid] NUL login NUL password ---- */

enum sasl_status
sasl_plain_server(struct sasl_server *s, const struct slice *in)
{
	struct slice authzid, login, password;

	if (!slice_cut(*in, '\0', &authzid, &login) ||
	    !slice_cut(login, '\0', &login, &password) ||
	    slice_chr(password, '\0') >= 0)
		return sasl_server_fail(s, SASL_BADPROTOCOL, "bad message");
	if (authzid.n > 0 && !slice_eq(authzid, login))
		return sasl_server_fail(s, SASL_BADAUTHZID, "authzid differs");
	return sasl_server_password(s, login, password);
}

enum sasl_status
sasl_plain_client(struct sasl_client *c, struct slice challenge, struct err *e)
{
	(void)challenge; /* empty, whatever it says */
	(void)e;
	/* All at once, so that growing leaves no copy behind. */
	buf_space(&c->out,
	    c->opts.authzid.n + c->opts.login.n + c->password.n + 2);
	buf_add(&c->out, c->opts.authzid);
	buf_addc(&c->out, '\0');
	buf_add(&c->out, c->opts.login);
	buf_addc(&c->out, '\0');
	buf_add(&c->out, buf_slice(&c->password));
	return SASL_OK;
}

/* ---- LOGIN: prompts as Outlook wants them ---- */

static enum sasl_status
login_password(struct sasl_server *s, const struct slice *in)
{
	return sasl_server_password(s, s->result.login, *in);
}

static enum sasl_status
login_name(struct sasl_server *s, const struct slice *in)
{
	s->result.login = arena_dup(s->opts.arena, *in);
	buf_addz(&s->out, "Password:");
	s->next = login_password;
	return SASL_CONTINUE;
}

/* Some clients send the name as initial response. */
enum sasl_status
sasl_login_server(struct sasl_server *s, const struct slice *in)
{
	if (in != NULL)
		return login_name(s, in);
	buf_addz(&s->out, "Username:");
	s->next = login_name;
	return SASL_CONTINUE;
}

static enum sasl_status
login_client_password(struct sasl_client *c, struct slice challenge,
    struct err *e)
{
	(void)challenge;
	(void)e;
	buf_add(&c->out, buf_slice(&c->password));
	return SASL_OK;
}

/* The prompts differ among servers; their order does not. */
enum sasl_status
sasl_login_client(struct sasl_client *c, struct slice challenge, struct err *e)
{
	(void)challenge;
	(void)e;
	buf_add(&c->out, c->opts.login);
	c->next = login_client_password;
	return SASL_CONTINUE;
}

/* ---- CRAM-MD5 (RFC 2195) ---- */

static enum sasl_status
cram_answer(struct sasl_server *s, const struct slice *in)
{
	ssize_t space = slice_rchr(*in, ' ');
	char hex[33];
	bool right;

	if (space < 0)
		return sasl_server_fail(s, SASL_BADPROTOCOL, "bad answer");
	if (sasl_server_lookup(s, slice_head(*in, (size_t)space)) < 0)
		return SASL_FAIL;
	sasl_cram_digest(&s->creds.cram, buf_slice(&s->challenge), hex);
	right =
	    slice_eq_secret(slice_skip(*in, (size_t)space + 1), slice_str(hex));
	sha_wipe(hex, sizeof(hex));
	if (!right || !s->creds.known || !s->creds.has.cram)
		return sasl_server_fail(s, SASL_BADCREDS, "wrong digest");
	if (sasl_server_admit(s) < 0)
		return SASL_FAIL;
	return sasl_server_succeed(s);
}

enum sasl_status
sasl_cram_server(struct sasl_server *s, const struct slice *in)
{
	uint64_t random;

	if (in != NULL) /* RFC 4954, 4: the server speaks first */
		return sasl_server_fail(s, SASL_BADPROTOCOL,
		    "initial response");
	rand_fill(s->opts.rand, &random, sizeof(random));
	if (s->opts.nonce.n > 0)
		buf_add(&s->challenge, s->opts.nonce);
	else
		buf_addf(&s->challenge, "<%" PRIu64 ".%" PRId64 "@%.*s>",
		    random, clock_us(s->opts.clock) * 1000,
		    SLICE_FMT(s->opts.hostname));
	buf_add(&s->out, buf_slice(&s->challenge));
	s->next = cram_answer;
	return SASL_CONTINUE;
}

enum sasl_status
sasl_cram_client(struct sasl_client *c, struct slice challenge, struct err *e)
{
	struct sasl_cram keys;
	char hex[33];

	(void)e;
	sasl_cram_derive(&keys, buf_slice(&c->password));
	sasl_cram_digest(&keys, challenge, hex);
	buf_add(&c->out, c->opts.login);
	buf_addc(&c->out, ' ');
	buf_addz(&c->out, hex);
	sha_wipe(&keys, sizeof(keys));
	sha_wipe(hex, sizeof(hex));
	return SASL_OK;
}

/* ---- EXTERNAL (RFC 4422, appendix A): who the certificate says ---- */

enum sasl_status
sasl_external_server(struct sasl_server *s, const struct slice *in)
{
	if (sasl_server_lookup(s, in->n > 0 ? *in : s->opts.cert_login) < 0)
		return SASL_FAIL;
	if (in->n > 0 && s->creds.known &&
	    !slice_eq(s->creds.account, s->opts.cert_account))
		return sasl_server_fail(s, SASL_BADAUTHZID,
		    "the certificate is another account's");
	if (sasl_server_admit(s) < 0)
		return SASL_FAIL;
	return sasl_server_succeed(s);
}

enum sasl_status
sasl_external_client(struct sasl_client *c, struct slice challenge,
    struct err *e)
{
	(void)challenge;
	(void)e;
	buf_add(&c->out, c->opts.authzid);
	return SASL_OK;
}
