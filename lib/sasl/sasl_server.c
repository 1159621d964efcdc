/*
 * The server side: one exchange from the first message to its result.
 */
#include <stdlib.h>

#include "sasl/sasl_int.h"
#include "text/unicode.h"

static const char *const reason_names[] = {
	[SASL_RUNNING] = "running",
	[SASL_SUCCESS] = "ok",
	[SASL_BADUSER] = "baduser",
	[SASL_BADPASSWORD] = "badpassword",
	[SASL_BADCREDS] = "badcreds",
	[SASL_BADCHANBIND] = "badchanbind",
	[SASL_BADAUTHZID] = "badcreds",
	[SASL_BADPROTOCOL] = "badprotocol",
	[SASL_NEEDTLS] = "badprotocol",
	[SASL_LOGINDISABLED] = "logindisabled",
	[SASL_TEMP] = "error",
	[SASL_ABORTED] = "aborted",
};

const char *
sasl_reason_name(enum sasl_reason reason)
{
	return reason_names[reason];
}

struct sasl_server *
sasl_server_new(const struct sasl_mech *mech,
    const struct sasl_server_opts *opts)
{
	struct sasl_server *s = xcalloc(1, sizeof(*s));

	s->mech = mech;
	s->opts = *opts;
	s->next = mech->server;
	s->out = (struct buf)BUF_INIT(SASL_MESSAGE_MAX);
	s->challenge = (struct buf)BUF_INIT(SASL_MESSAGE_MAX);
	scram_init(&s->scram);
	return s;
}

void
sasl_server_free(struct sasl_server **s)
{
	if (*s == NULL)
		return;
	buf_wipe(&(*s)->out);
	buf_free(&(*s)->challenge);
	scram_wipe(&(*s)->scram);
	sha_wipe(*s, sizeof(**s));
	free(*s);
	*s = NULL;
}

/* What the connection does not allow, whatever the client sends. */
static enum sasl_status
refuse_mech(struct sasl_server *s)
{
	if (s->mech->flags & SASL_CLEARTEXT)
		return sasl_server_fail(s, SASL_NEEDTLS, "needs TLS");
	if (s->mech->flags & SASL_PLUS)
		return sasl_server_fail(s, SASL_BADCHANBIND,
		    "no channel binding on this connection");
	return sasl_server_fail(s, SASL_BADCREDS, "no known certificate");
}

static enum sasl_status
step(struct sasl_server *s, const struct slice *in)
{
	bool first = s->next == s->mech->server && !s->prompted;

	if (s->result.reason != SASL_RUNNING)
		return SASL_FAIL;
	if (!sasl_mech_usable(s->mech, &s->opts.channel,
		s->opts.cert_account.n > 0))
		return refuse_mech(s);
	if (in == NULL && !first)
		return sasl_server_fail(s, SASL_BADPROTOCOL, "no message");
	if (in != NULL && in->n > SASL_MESSAGE_MAX)
		return sasl_server_fail(s, SASL_BADPROTOCOL, "too long");
	if (in == NULL && (s->mech->flags & SASL_CLIENT_FIRST)) {
		s->prompted = true;
		return SASL_CONTINUE;
	}
	return s->next(s, in);
}

enum sasl_status
sasl_server_step(struct sasl_server *s, const struct slice *in,
    struct slice *challenge_r)
{
	enum sasl_status st;

	buf_reset(&s->out);
	st = step(s, in);
	*challenge_r = st == SASL_CONTINUE ? buf_slice(&s->out) : SLICE_NULL;
	return st;
}

void
sasl_server_abort(struct sasl_server *s)
{
	if (s->result.reason == SASL_RUNNING)
		sasl_server_fail(s, SASL_ABORTED, "aborted by the client");
}

const struct sasl_result *
sasl_server_result(const struct sasl_server *s)
{
	return &s->result;
}

/* ---- for the mechanisms ---- */

enum sasl_status
sasl_server_fail(struct sasl_server *s, enum sasl_reason reason,
    const char *why)
{
	s->result.reason = reason;
	err_set(&s->result.err, ERR_PERM, "%s: %s", s->mech->name, why);
	return SASL_FAIL;
}

/* Something one could log and look up: valid UTF-8 without controls. */
static bool
login_valid(struct slice login)
{
	if (login.n == 0 || login.n > SASL_LOGIN_MAX)
		return false;
	for (size_t i = 0; i < login.n; i++)
		if ((unsigned char)login.p[i] < 0x20 || login.p[i] == 0x7f)
			return false;
	return unicode_valid(login);
}

int
sasl_server_lookup(struct sasl_server *s, struct slice login)
{
	struct sasl_result *r = &s->result;

	if (!login_valid(login)) {
		sasl_server_fail(s, SASL_BADPROTOCOL, "bad login name");
		return -1;
	}
	r->login = arena_dup(s->opts.arena, login);
	if (s->opts.backend.lookup(s->opts.backend.ctx, s->opts.arena, r->login,
		&s->creds, &r->err) < 0) {
		r->reason = SASL_TEMP;
		return -1;
	}
	if (s->creds.known)
		r->account = s->creds.account;
	return 0;
}

int
sasl_server_admit(struct sasl_server *s)
{
	struct slice cert_account = s->opts.cert_account;

	if (!s->creds.known)
		sasl_server_fail(s, SASL_BADUSER, "nobody has that login");
	else if (cert_account.n > 0 &&
	    !slice_eq(s->creds.account, cert_account))
		sasl_server_fail(s, SASL_BADCREDS,
		    "the certificate is another account's");
	else if (s->creds.disabled.n > 0) {
		s->result.text = s->creds.disabled;
		sasl_server_fail(s, SASL_LOGINDISABLED, "disabled");
	} else
		return 0;
	return -1;
}

enum sasl_status
sasl_server_succeed(struct sasl_server *s)
{
	s->result.reason = SASL_SUCCESS;
	return SASL_OK;
}

enum sasl_status
sasl_server_password(struct sasl_server *s, struct slice login,
    struct slice password)
{
	const struct sasl_backend *b = &s->opts.backend;
	struct buf prepared = BUF_INIT(2 * SASL_MESSAGE_MAX);
	bool right;

	if (sasl_server_lookup(s, login) < 0)
		return SASL_FAIL;
	/* The same work for a login nobody has. */
	sasl_prepare_password(password, &prepared);
	right = b->check == NULL
	    ? sasl_creds_check(&s->creds, buf_slice(&prepared))
	    : b->check(b->ctx, &s->creds, buf_slice(&prepared));
	buf_wipe(&prepared);
	if (s->creds.known && !right)
		return sasl_server_fail(s, SASL_BADPASSWORD, "wrong password");
	if (sasl_server_admit(s) < 0)
		return SASL_FAIL;
	return sasl_server_succeed(s);
}

enum sasl_status
sasl_password_login(const struct sasl_server_opts *opts, struct slice login,
    struct slice password, struct sasl_result *result_r)
{
	struct sasl_server *s;
	enum sasl_status st;

	s = sasl_server_new(sasl_mech_find(SLICE("PLAIN")), opts);
	if (!sasl_mech_usable(s->mech, &opts->channel, false))
		st = refuse_mech(s);
	else
		st = sasl_server_password(s, login, password);
	*result_r = s->result;
	sasl_server_free(&s);
	return st;
}
