/* Tests of lib/sasl: what its server makes of messages of any kind. */
#include "t/sasl.h"

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

/* One message after the other, and what becomes of the exchange. */
static const struct syntax {
	const char *mech, *messages;
	enum sasl_reason reason;
} syntax[] = {
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
	{ "SCRAM-SHA-1", "n,,n=o=3Do=2Co@example.org,r=c", SASL_RUNNING },
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
	{ "SCRAM-SHA-1-PLUS", "p=tls-unique,,n=user,r=c", SASL_BADCHANBIND },
	{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|-", SASL_BADPROTOCOL },
	{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|c=biws,r=#", SASL_BADPROTOCOL },
	{ "SCRAM-SHA-1", "n,,n=user,r=cnonce|c=biws,r=#,p=", SASL_BADCREDS },
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

static void
test_syntax(void)
{
	for
		EACH(i, syntax)
		{
			struct sasl_server_opts so = server_opts();
			struct outcome o;

			ROW(arena_cstr(arena,
			    arena_printf(arena, "%s %s", syntax[i].mech,
				syntax[i].messages)));
			so.nonce = SLICE("snonce");
			o = say(syntax[i].mech, &so, syntax[i].messages);
			CHECK_EQ(o.result.reason, syntax[i].reason);
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

int
main(void)
{
	arena = arena_new(0);
	derive_all();
	RUN(test_syntax);
	RUN(test_after_end);
	RUN(test_long);
	RUN(test_need_tls);
	RUN(test_certificate);
	arena_free(&arena);
	return unit_done();
}
