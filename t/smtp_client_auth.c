/* Unit test of smtp/client*.c: AUTH, against servers that follow a script. */
#include "t/smtp_script.h"

#define AUTH(names) HELLO "> 250-x\n> 250 AUTH " names "\n"

static const struct slice plain[] = { { "PLAIN", 5 } };
static const struct slice login_only[] = { { "LOGIN", 5 } };
static const struct slice both[] = { { "CRAM-MD5", 8 }, { "PLAIN", 5 } };

static const struct {
	const char *name, *script;
	struct smtp_login login;
	const char *got, *sent;
} logins[] = {
	/* RFC 4954, 4.2; RFC 4616, 4 */
	{ "PLAIN", AUTH("LOGIN PLAIN") "<\n> 235 2.7.0 ok",
	    { .login = { "tim", 3 },
		.password = { "tanstaaftanstaaf", 16 },
		.mechanisms = plain,
		.nmechanisms = 1,
		.plain_without_tls = true },
	    "PLAIN ", HELO "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm~\n" },
	{ "PLAIN not in the clear", AUTH("PLAIN") "Z",
	    { .login = { "tim", 3 },
		.password = { "tanstaaftanstaaf", 16 },
		.mechanisms = plain,
		.nmechanisms = 1 },
	    "perm AUTH 5.7.4", HELO },
	{ "PLAIN not listed", AUTH("PLAIN LOGIN") "Z",
	    { .login = { "tim", 3 },
		.password = { "x", 1 },
		.plain_without_tls = true },
	    "perm AUTH 5.7.4", HELO },
	{ "no AUTH", PLAIN "Z",
	    { .login = { "tim", 3 }, .password = { "x", 1 } },
	    "perm AUTH 5.7.4", HELO },
	{ "no certificate", AUTH("PLAIN") "Z", { .login = { "tim", 3 } },
	    "perm AUTH 5.7.4", HELO },
	{ "LOGIN",
	    AUTH("LOGIN") "<\n> 334 VXNlcm5hbWU6\n<\n> 334 UGFzc3dvcmQ6\n<\n"
			  "> 235 2.7.0 ok",
	    { .login = { "tim", 3 },
		.password = { "pw", 2 },
		.mechanisms = login_only,
		.nmechanisms = 1,
		.plain_without_tls = true },
	    "LOGIN ", HELO "AUTH LOGIN~\ndGlt~\ncHc=~\n" },
	/* RFC 2195, 2 */
	{ "CRAM-MD5",
	    AUTH(
		"PLAIN CRAM-MD5") "<\n> 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2Uu"
				  "cmVzdG9uLm1jaS5uZXQ+\n<\n> 235 ok",
	    { .login = { "tim", 3 },
		.password = { "tanstaaftanstaaf", 16 },
		.mechanisms = both,
		.nmechanisms = 2 },
	    "CRAM-MD5 ",
	    HELO "AUTH CRAM-MD5~\n"
		 "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw~\n" },
	{ "wrong password", AUTH("PLAIN") "<\n> 535 5.7.8 no",
	    { .login = { "tim", 3 },
		.password = { "x", 1 },
		.mechanisms = plain,
		.nmechanisms = 1,
		.plain_without_tls = true },
	    "perm AUTH 535 5.7.8", NULL },
	{ "later", AUTH("PLAIN") "<\n> 454 4.7.0 no",
	    { .login = { "tim", 3 },
		.password = { "x", 1 },
		.mechanisms = plain,
		.nmechanisms = 1,
		.plain_without_tls = true },
	    "temp AUTH 454 4.7.0", NULL },
	{ "a server that proves nothing", AUTH("SCRAM-SHA-256") "<\n> 235 ok",
	    { .login = { "tim", 3 }, .password = { "x", 1 } }, "protocol AUTH",
	    NULL },
	{ "CRAM-MD5 without a challenge", AUTH("CRAM-MD5") "<\n> 235 ok",
	    { .login = { "tim", 3 }, .password = { "x", 1 } }, "protocol AUTH",
	    HELO "AUTH CRAM-MD5~\n" },
	{ "a challenge that is none",
	    AUTH("SCRAM-SHA-256") "<\n> 334 ####\n<\n> 501 aborted",
	    { .login = { "tim", 3 }, .password = { "x", 1 } }, "perm AUTH",
	    NULL },
	{ "another server's proof",
	    AUTH("SCRAM-SHA-1") "<\n> 334 cj14LHM9QUFBQSxpPTE=\n<\n> 501 no",
	    { .login = { "tim", 3 }, .password = { "x", 1 } }, "perm AUTH",
	    NULL },
	{ "challenges without end",
	    AUTH("CRAM-MD5") "<\n> 334 YQ==\n<\n> 334 YQ==\n<\n> 334 YQ==\n<\n"
			     "> 334 YQ==\n<\n> 334 YQ==\n<\n> 334 YQ==\n<\n"
			     "> 334 YQ==\n<\n> 334 YQ==\n<\n> 334 YQ==\n<\n"
			     "> 334 YQ==\nZ",
	    { .login = { "tim", 3 }, .password = { "x", 1 } }, "protocol AUTH",
	    NULL },
	{ "lost", AUTH("CRAM-MD5") "<\nX",
	    { .login = { "tim", 3 }, .password = { "x", 1 } }, "lost AUTH",
	    NULL },
};

static void
test_auth(void)
{
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		struct talk t = { .script = logins[i].script,
			.login = &logins[i].login };
		ROW(logins[i].name);
		check_talk(&t, logins[i].got, logins[i].sent);
	}
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(test_auth);
	return unit_done();
}
