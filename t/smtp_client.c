/* Unit test of smtp/client*.c against servers that follow a script. */
#include "smtp/client.h"

#include <fcntl.h>

#include "base/clock.h"
#include "t/smtp_script.h"
#include "t/tmp.h"

/* ---- one message to some recipients, and each way it can end ---- */

static const struct {
	const char *name, *script, *rcpts, *got, *sent;
} rows[] = {
	{ "taken",
	    PLAIN "<\n> 250 ok\n<\n> 250 ok\n<\n> 354 go\n.\n> 250 2.0.0 x",
	    "c@d",
	    "[ok end of message 250 2.0.0] c@d:ok end of message 250 2.0.0",
	    HELO FROM TO("c@d") "DATA~\nHi~\n..~\n.~\n" },
	{ "taken, pipelined",
	    PIPED "<\n<\n<\n> 250 ok\n> 250 ok\n> 354 go\n.\n> 250 2.0.0 x",
	    "c@d",
	    "[ok end of message 250 2.0.0] c@d:ok end of message 250 2.0.0",
	    HELO FROM TO("c@d") "DATA~\nHi~\n..~\n.~\n" },
	{ "HELO",
	    "> 220 x\n<\n> 502 no\n<\n> 250 mx\n<\n> 250 ok\n<\n> 250 ok\n<\n"
	    "> 354 go\n.\n> 250 x",
	    "c@d", "[ok end of message 250] c@d:ok end of message 250",
	    HELO "HELO me.example~\n" FROM TO("c@d") "DATA~\nHi~\n..~\n.~\n" },
	{ "HELO refused as well", "> 220 x\n<\n> 500 no\n<\n> 550 5.7.1 no",
	    "c@d", "perm EHLO 550 5.7.1", NULL },
	{ "EHLO refused", "> 220 x\n<\n> 550 5.7.1 no", "c@d",
	    "perm EHLO 550 5.7.1", HELO },
	{ "EHLO later", "> 220 x\n<\n> 421 4.3.2 later", "c@d",
	    "temp EHLO 421 4.3.2", HELO },
	{ "greeting 554", "> 554-5.7.1 no\n> 554 5.7.1 service", "c@d",
	    "perm greeting 554 5.7.1", "" },
	{ "greeting 421", "> 421 4.7.0 no", "c@d", "temp greeting 421 4.7.0",
	    "" },
	{ "greeting is none", "> HTTP/1.1 400 Bad Request", "c@d",
	    "protocol greeting", "" },
	{ "greeting 250", "> 250 hi", "c@d", "protocol greeting 250", "" },
	{ "no greeting", "X", "c@d", "lost greeting", "" },
	{ "lost at EHLO", "> 220 x\n<\nX", "c@d", "lost EHLO", HELO },
	{ "half an answer", "> 220 x\n<\n= 250-mx.exa\nX", "c@d", "lost EHLO",
	    HELO },
	{ "lost between lines", "> 220 x\n<\n> 250-mx.example\nX", "c@d",
	    "lost EHLO", HELO },
	{ "MAIL 5xx", PLAIN "<\n> 550 5.1.8 no", "c@d",
	    "[perm MAIL FROM 550 5.1.8] c@d:perm MAIL FROM 550 5.1.8", NULL },
	{ "MAIL 4xx", PLAIN "<\n> 451 4.3.0 no", "c@d",
	    "[temp MAIL FROM 451 4.3.0] c@d:temp MAIL FROM 451 4.3.0", NULL },
	{ "MAIL 354", PLAIN "<\n> 354 what", "c@d",
	    "[protocol MAIL FROM 354] c@d:protocol MAIL FROM 354", NULL },
	{ "MAIL 5xx, pipelined",
	    PIPED "<\n<\n<\n> 550 5.1.8 no\n> 503 x\n> 503 x", "c@d",
	    "[perm MAIL FROM 550 5.1.8] c@d:perm MAIL FROM 550 5.1.8", NULL },
	{ "MAIL 5xx, pipelined, but DATA taken",
	    PIPED "<\n<\n<\n> 550 no\n> 250 x\n> 354 x\n.\n> 554 x", "c@d",
	    "[perm MAIL FROM 550] c@d:perm MAIL FROM 550",
	    HELO FROM TO("c@d") "DATA~\n.~\n" },
	{ "MAIL 421, pipelined", PIPED "<\n> 421 4.3.2 stop\nX", "c@d e@f",
	    "[temp MAIL FROM 421 4.3.2] c@d:temp MAIL FROM 421 4.3.2 e@f:temp "
	    "MAIL FROM 421 4.3.2",
	    NULL },
	{ "lost at MAIL", PLAIN "<\nX", "c@d e@f",
	    "[lost MAIL FROM] c@d:lost MAIL FROM e@f:lost MAIL FROM",
	    HELO FROM },
	{ "RCPT 5xx", PLAIN "<\n> 250 x\n<\n> 550 5.1.1 no", "c@d",
	    "[perm RCPT TO 550 5.1.1] c@d:perm RCPT TO 550 5.1.1",
	    HELO FROM TO("c@d") },
	{ "RCPT 5xx, pipelined, DATA refused",
	    PIPED "<\n<\n<\n> 250 x\n> 550 5.1.1 no\n> 554 5.5.1 no", "c@d",
	    "[perm RCPT TO 550 5.1.1] c@d:perm RCPT TO 550 5.1.1", NULL },
	{ "RCPT 5xx, pipelined, DATA taken",
	    PIPED "<\n<\n<\n> 250 x\n> 550 5.1.1 no\n> 354 go\n.\n> 554 no",
	    "c@d", "[perm RCPT TO 550 5.1.1] c@d:perm RCPT TO 550 5.1.1",
	    HELO FROM TO("c@d") "DATA~\n.~\n" },
	{ "one of each",
	    PLAIN
	    "<\n> 250 x\n<\n> 550 5.1.1 no\n<\n> 251 x\n<\n> 450 4.2.1 x\n"
	    "<\n> 354 go\n.\n> 250 x",
	    "p@d o@d t@d",
	    "[ok end of message 250] p@d:perm RCPT TO 550 5.1.1 o@d:ok end of "
	    "message 250 t@d:temp RCPT TO 450 4.2.1",
	    NULL },
	{ "one of each, then refused",
	    PIPED "<\n<\n<\n<\n<\n> 250 x\n> 550 5.1.1 no\n> 250 x\n"
		  "> 450 4.2.1 x\n> 354 go\n.\n> 554 5.6.0 no",
	    "p@d o@d t@d",
	    "[perm end of message 554 5.6.0] p@d:perm RCPT TO 550 5.1.1 o@d:perm "
	    "end of message 554 5.6.0 t@d:temp RCPT TO 450 4.2.1",
	    NULL },
	{ "421 at the second RCPT",
	    PLAIN "<\n> 250 x\n<\n> 550 5.1.1 x\n<\n> 250 x\n<\n> 421 4.3.2 x",
	    "p@d o@d t@d n@d",
	    "[temp RCPT TO 421 4.3.2] p@d:perm RCPT TO 550 5.1.1 o@d:temp RCPT TO "
	    "421 4.3.2 t@d:temp RCPT TO 421 4.3.2 n@d:temp RCPT TO 421 4.3.2",
	    NULL },
	{ "lost at the second RCPT", PIPED "<\n<\n<\n<\n> 250 x\n> 550 x\nX",
	    "p@d o@d", "[lost RCPT TO] p@d:perm RCPT TO 550 o@d:lost RCPT TO",
	    NULL },
	{ "452 later: again",
	    PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 452 4.5.3 x\n<\n> 552 x\n<\n"
		  "> 354 x\n.\n> 250 1\n"
		  "<\n> 250 x\n<\n> 250 x\n<\n> 550 x\n<\n> 354 x\n.\n> 250 2",
	    "a@d b@d c@d",
	    "[ok end of message 250] a@d:ok end of message 250 b@d:again RCPT TO "
	    "452 4.5.3 c@d:again RCPT TO 552[ok end of message 250] b@d:ok end of "
	    "message 250 c@d:perm RCPT TO 550",
	    NULL },
	{ "452 at first: later", PLAIN "<\n> 250 x\n<\n> 452 4.2.2 x", "a@d",
	    "[temp RCPT TO 452 4.2.2] a@d:temp RCPT TO 452 4.2.2", NULL },
	{ "452 later, then lost",
	    PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 452 x\n<\n> 354 x\n.\nX",
	    "a@d b@d",
	    "[unknown end of message] a@d:unknown end of message b@d:lost end of "
	    "message",
	    NULL },
	{ "RCPTMAX",
	    HELLO "> 250-x\n> 250 LIMITS RCPTMAX=2\n<\n> 250 x\n<\n> 250 x\n<\n"
		  "> 250 x\n<\n> 354 x\n.\n> 250 1\n<\n> 250 x\n<\n> 250 x\n<\n"
		  "> 354 x\n.\n> 250 2",
	    "a@d b@d c@d",
	    "[ok end of message 250] a@d:ok end of message 250 b@d:ok end of "
	    "message 250 c@d:again RCPT TO[ok end of message 250] c@d:ok end of "
	    "message 250",
	    NULL },
	{ "DATA 4xx", PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 451 4.3.0 x", "c@d",
	    "[temp DATA 451 4.3.0] c@d:temp DATA 451 4.3.0", NULL },
	{ "DATA 5xx, pipelined",
	    PIPED "<\n<\n<\n> 250 x\n> 250 x\n> 554 5.7.1 x", "c@d",
	    "[perm DATA 554 5.7.1] c@d:perm DATA 554 5.7.1", NULL },
	{ "DATA 250", PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 250 x", "c@d",
	    "[protocol DATA 250] c@d:protocol DATA 250", NULL },
	{ "lost at DATA", PLAIN "<\n> 250 x\n<\n> 250 x\n<\nX", "c@d",
	    "[lost DATA] c@d:lost DATA", NULL },
	{ "lost behind the dot",
	    PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\nX", "c@d",
	    "[unknown end of message] c@d:unknown end of message", NULL },
	{ "nonsense behind the dot",
	    PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\n> what", "c@d",
	    "[protocol end of message] c@d:protocol end of message", NULL },
	{ "message 4xx", PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\n> 451 x",
	    "c@d", "[temp end of message 451] c@d:temp end of message 451",
	    NULL },
	{ "two codes", PLAIN "<\n> 250-x\n> 550 x", "c@d",
	    "[protocol MAIL FROM] c@d:protocol MAIL FROM", NULL },
	{ "BDAT",
	    HELLO "> 250-x\n> 250 CHUNKING\n<\n> 250 x\n<\n> 250 x\n<\nN 7\n"
		  "> 250 2.0.0 x",
	    "c@d",
	    "[ok end of message 250 2.0.0] c@d:ok end of message 250 2.0.0",
	    HELO FROM TO("c@d") "BDAT 7 LAST~\nHi~\n.~\n" },
	{ "BDAT, pipelined, nobody",
	    HELLO "> 250-x\n> 250-PIPELINING\n> 250 CHUNKING\n<\n<\n> 250 x\n"
		  "> 550 x\nZ",
	    "c@d", "[perm RCPT TO 550] c@d:perm RCPT TO 550",
	    HELO FROM TO("c@d") },
	{ "lost behind BDAT",
	    HELLO "> 250-x\n> 250 CHUNKING\n<\n> 250 x\n<\n> 250 x\n<\nN 7\nX",
	    "c@d", "[unknown end of message] c@d:unknown end of message",
	    NULL },
	{ "too large", HELLO "> 250-x\n> 250 SIZE 6\nZ", "c@d",
	    "[perm MAIL FROM 5.3.4] c@d:perm MAIL FROM 5.3.4", HELO },
	{ "size is told", HELLO "> 250-x\n> 250 SIZE 7\n<\n> 552 5.3.4 x",
	    "c@d", "[perm MAIL FROM 552 5.3.4] c@d:perm MAIL FROM 552 5.3.4",
	    HELO "MAIL FROM:<a@b> SIZE=7~\n" },
};

static void
test_rows(void)
{
	static const struct smtp_client_mail mail = MAIL("Hi\n.\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talk t = { .script = rows[i].script,
			.mails = &mail,
			.nmails = 1,
			.rcpts = rows[i].rcpts };
		ROW(rows[i].name);
		check_talk(&t, rows[i].got, rows[i].sent);
	}
}

/* ---- what is said of a message ---- */

#define ALL \
	HELLO "> 250-x\n> 250-8BITMIME\n> 250-SMTPUTF8\n> 250-DSN\n" \
	      "> 250-BINARYMIME\n> 250 CHUNKING\n"

static const struct {
	const char *name, *script;
	struct smtp_client_mail mail;
	const char *got, *sent;
} messages[] = {
	{ "null sender", PLAIN "<\n> 550 x", { .source = { .fd = -1 } },
	    "[perm MAIL FROM 550] c@d:perm MAIL FROM 550",
	    HELO "MAIL FROM:<>~\n" },
	{ "8 bits", ALL "<\n> 550 x", MAIL("\xc3\xa4\n"),
	    "[perm MAIL FROM 550] c@d:perm MAIL FROM 550",
	    HELO "MAIL FROM:<a@b> BODY=8BITMIME~\n" },
	{ "8 bits, not offered", PLAIN "<\n> 550 x", MAIL("\xc3\xa4\n"),
	    "[perm MAIL FROM 550] c@d:perm MAIL FROM 550", HELO FROM },
	{ "8 bits, not offered and needed", PLAIN "Z",
	    { .need_8bitmime = true,
		.source = { .fd = -1, .content = { "\xc3\xa4", 2 } } },
	    "[perm MAIL FROM 5.6.3] c@d:perm MAIL FROM 5.6.3", HELO },
	{ "SMTPUTF8", ALL "<\n> 550 x",
	    { .smtputf8 = true, .source = { .fd = -1 } },
	    "[perm MAIL FROM 550] c@d:perm MAIL FROM 550",
	    HELO "MAIL FROM:<> SMTPUTF8~\n" },
	{ "SMTPUTF8, not offered", PLAIN "Z",
	    { .smtputf8 = true, .source = { .fd = -1 } },
	    "[perm MAIL FROM 5.6.7] c@d:perm MAIL FROM 5.6.7", HELO },
	{ "REQUIRETLS without TLS", HELLO "> 250-x\n> 250 REQUIRETLS\nZ",
	    { .requiretls = true, .source = { .fd = -1 } },
	    "[perm MAIL FROM 5.7.30] c@d:perm MAIL FROM 5.7.30", HELO },
	{ "DSN", ALL "<\n> 550 x",
	    { .ret = SMTP_RET_HDRS,
		.envid = { "QQ314159", 8 },
		.source = { .fd = -1 } },
	    "[perm MAIL FROM 550] c@d:perm MAIL FROM 550",
	    HELO "MAIL FROM:<> RET=HDRS ENVID=QQ314159~\n" },
	{ "DSN, not offered", PLAIN "<\n> 550 x",
	    { .ret = SMTP_RET_FULL,
		.envid = { "QQ314159", 8 },
		.source = { .fd = -1 } },
	    "[perm MAIL FROM 550] c@d:perm MAIL FROM 550",
	    HELO "MAIL FROM:<>~\n" },
	{ "a command in the sender", PLAIN "Z",
	    { .from = { "a@b>\r\nRSET", 10 }, .source = { .fd = -1 } },
	    "[perm MAIL FROM 5.1.0] c@d:perm MAIL FROM 5.1.0", HELO },
	{ "bare CR", PLAIN "Z", MAIL("a\rb\n"),
	    "[perm MAIL FROM 5.6.0] c@d:perm MAIL FROM 5.6.0", HELO },
	{ "bare LF among CR LF", PLAIN "Z", MAIL("a\r\n.\nb\r\n"),
	    "[perm MAIL FROM 5.6.0] c@d:perm MAIL FROM 5.6.0", HELO },
	{ "CR at the end", PLAIN "Z", MAIL("a\r"),
	    "[perm MAIL FROM 5.6.0] c@d:perm MAIL FROM 5.6.0", HELO },
	{ "bare CR, binary", ALL "<\n> 250 x\n<\n> 250 x\n<\nN 7\n> 250 x",
	    MAIL("a\rb\n\nc."),
	    "[ok end of message 250] c@d:ok end of message 250",
	    HELO "MAIL FROM:<a@b> BODY=BINARYMIME~\n" TO(
		"c@d") "BDAT 7 LAST~\na~b\n\nc." },
	{ "CR LF is kept",
	    PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\n> 250 x",
	    MAIL("a\r\n\r\n.\r\n..b\r\n"),
	    "[ok end of message 250] c@d:ok end of message 250",
	    HELO FROM TO("c@d") "DATA~\na~\n~\n..~\n...b~\n.~\n" },
	{ "no last line end",
	    PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\n> 250 x",
	    MAIL("a\n.b"), "[ok end of message 250] c@d:ok end of message 250",
	    HELO FROM TO("c@d") "DATA~\na~\n..b~\n.~\n" },
	{ "nothing", PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\n> 250 x",
	    MAIL(""), "[ok end of message 250] c@d:ok end of message 250",
	    HELO FROM TO("c@d") "DATA~\n.~\n" },
	{ "prefix", PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\n> 250 x",
	    { .from = { "a@b", 3 },
		.source = { .fd = -1,
		    .prefix = { "X: y\n", 5 },
		    .content = { "a\r\n.\r\n", 6 } } },
	    "[ok end of message 250] c@d:ok end of message 250",
	    HELO FROM TO("c@d") "DATA~\nX: y~\na~\n..~\n.~\n" },
};

static void
test_messages(void)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct talk t = { .script = messages[i].script,
			.mails = &messages[i].mail,
			.nmails = 1,
			.rcpts = "c@d" };
		ROW(messages[i].name);
		check_talk(&t, messages[i].got, messages[i].sent);
	}
}

/* Two messages, the first refused: RSET between them. QUIT at last. */
static void
test_reuse(void)
{
	static const struct smtp_client_mail mails[] = { MAIL("1\n"),
		MAIL("2\n"), MAIL("3\n") };
	struct talk t = { .script =
			      PIPED "<\n<\n<\n> 250 x\n> 250 x\n> 354 x\n.\n"
				    "> 554 no\n<\n> 250 reset\n"
				    "<\n<\n<\n> 250 x\n> 250 x\n> 354 x\n.\n"
				    "> 250 ok\n"
				    "<\n<\n<\n> 250 x\n> 250 x\n> 354 x\n.\n"
				    "> 250 ok\n<\n> 221 bye",
		.mails = mails,
		.nmails = 3,
		.rcpts = "c@d",
		.quit = true };

	check_talk(&t,
	    "[perm end of message 554] c@d:perm end of message 554"
	    "[ok end of message 250] c@d:ok end of message 250"
	    "[ok end of message 250] c@d:ok end of message 250",
	    HELO FROM TO("c@d") "DATA~\n1~\n.~\nRSET~\n" FROM
		TO("c@d") "DATA~\n2~\n.~\n" FROM TO("c@d") "DATA~\n3~\n.~\n"
							   "QUIT~\n");
}

/* RFC 9422: no more transactions on a connection than the server wants. */
static void
test_mailmax(void)
{
	static const struct smtp_client_mail mail = MAIL("1\n");
	struct talk t = { .script = HELLO
		"> 250-x\n> 250 LIMITS MAILMAX=1\n<\n> 250 x\n<\n"
		"> 250 x\n<\n> 354 x\n.\n> 250 ok\n<\n> 221 x",
		.mails = &mail,
		.nmails = 1,
		.rcpts = "c@d",
		.quit = true };

	check_talk(&t, "[ok end of message 250] c@d:ok end of message 250",
	    NULL);
	CHECK(!t.usable);
}

/* More recipients than one group holds, each answered in its turn. */
static void
test_many(void)
{
	static const struct smtp_client_mail mail = MAIL("1\n");
	struct buf script = BUF_INIT(TEXT_MAX);
	struct smtp_client_rcpt rcpts[120] = { 0 };
	struct talk t = { .nmails = 0, .mails = &mail };
	char names[120][16];
	int pair[2];
	struct arena *arena = arena_new(0);
	struct smtp_client_opts opts = { .hello = { "me.example", 10 } };
	struct smtp_client *c;
	struct smtp_result r;

	buf_addz(&script, PIPED "<\n");
	for (int i = 0; i < 50; i++)
		buf_addz(&script, "<\n");
	buf_addz(&script, "> 250 x\n");
	for (int i = 0; i < 120; i++) {
		if (i == 50 || i == 100)
			for (int k = 0; k < (i == 50 ? 50 : 21); k++)
				buf_addz(&script, "<\n");
		buf_addz(&script, i % 3 ? "> 250 x\n" : "> 550 no\n");
		snprintf(names[i], sizeof(names[i]), "r%d@d", i);
		rcpts[i].to = slice_str(names[i]);
	}
	buf_addz(&script, "> 354 x\n.\n> 250 ok\n");
	t.script = buf_cstr(&script);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	if (fork() == 0) {
		close(pair[0]);
		serve(&(struct server){ pair[1], open("/dev/null", O_WRONLY) },
		    t.script);
	}
	close(pair[1]);
	c = smtp_client_new(pair[0], &opts);
	CHECK_EQ(smtp_client_open(c, arena, &r), 0);
	CHECK_SLICE(smtp_client_greeting(c), SLICE("mx.example"));
	CHECK_EQ(smtp_client_send(c, &mail, rcpts, 120, arena, &r), 0);
	for (int i = 0; i < 120; i++)
		CHECK_EQ(rcpts[i].result.outcome,
		    i % 3 ? SMTP_RES_OK : SMTP_RES_PERM);
	CHECK(smtp_client_usable(c));
	smtp_client_free(&c);
	wait(NULL);
	arena_free(&arena);
	buf_free(&script);
}

/* ---- servers that waste time and memory ---- */

static void
test_hostile(void)
{
	static const struct smtp_client_mail mail = MAIL("1\n");
	struct buf script = BUF_INIT(TEXT_MAX);
	struct talk t = { .mails = &mail, .nmails = 1, .rcpts = "c@d" };

	buf_addz(&script, "> 220 x\n<\n");
	for (int i = 0; i < 1000; i++)
		buf_addz(&script, "> 250-and another line\n");
	ROW("lines without end");
	t.script = buf_cstr(&script);
	check_talk(&t, "protocol EHLO", NULL);

	buf_reset(&script);
	buf_addz(&script, "= 220 ");
	for (int i = 0; i < 5000; i++)
		buf_addz(&script, "and on and on and on");
	buf_addz(&script, "\nZ");
	ROW("a line without end");
	t.script = buf_cstr(&script);
	check_talk(&t, "protocol greeting", NULL);

	ROW("silent");
	t.script = "Z";
	t.opts.step_ms = 100;
	check_talk(&t, "lost greeting", NULL);

	ROW("silent behind the dot");
	t.script = PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\nZ";
	t.opts = (struct smtp_client_opts){ .end_ms = 100 };
	check_talk(&t, "[unknown end of message] c@d:unknown end of message",
	    NULL);

	ROW("limit of the whole");
	t.script = PLAIN "<\n> 250 x\nZ";
	t.opts = (struct smtp_client_opts){ 0 };
	t.limit_ms = 200;
	check_talk(&t, "[lost RCPT TO] c@d:lost RCPT TO", NULL);
	buf_free(&script);
}

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop++;
}

/* Told to stop, a client still hears what became of a message it has sent. */
static void
test_stop(void)
{
	static const struct smtp_client_mail mail = MAIL("1\n");
	struct talk t = { .script = PLAIN "<\nK\n> 250 x\nZ",
		.opts = { .stop = &stop },
		.mails = &mail,
		.nmails = 1,
		.rcpts = "c@d" };

	signal(SIGUSR1, on_signal);
	ROW("at MAIL");
	check_talk(&t, "[lost MAIL FROM] c@d:lost MAIL FROM", HELO FROM);
	CHECK_EQ(stop, 1);
	ROW("behind the dot");
	stop = 0;
	t.script = PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\nK\n> 250 ok";
	check_talk(&t, "[ok end of message 250] c@d:ok end of message 250",
	    NULL);
	CHECK_EQ(stop, 1);
}

/* A server that says no in the middle of a message, and hangs up. */
static void
test_refused_early(void)
{
	static char text[4 << 20];
	struct smtp_client_mail mail = { .source = { .fd = -1 } };
	struct talk t = { .script = PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n"
					  "<\n<\n> 552 5.3.4 enough\nX",
		.mails = &mail,
		.nmails = 1,
		.rcpts = "c@d" };

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 64 == 63 ? '\n' : 'x';
	mail.source.content = slice_of(text, sizeof(text));
	check_talk(&t,
	    "[perm end of message 552 5.3.4] c@d:perm end of message 552 5.3.4",
	    NULL);
	t.script = PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n<\n<\nX";
	check_talk(&t, "[lost end of message] c@d:lost end of message", NULL);
}

/* ---- files ---- */

static void
test_file(void)
{
	char path[TMP_PATH];
	int fd = mkstemp(tmp_template(path, "mox-smtpc"));
	struct smtp_client_mail mail = { .from = { "a@b", 3 },
		.source = { .fd = fd, .offset = 2, .size = 9 } };
	struct talk t = { .script =
			      PLAIN "<\n> 250 x\n<\n> 250 x\n<\n> 354 x\n.\n"
				    "> 250 ok",
		.mails = &mail,
		.nmails = 1,
		.rcpts = "c@d" };
	struct smtp_source_facts facts;
	struct err e = ERR_INIT;

	unlink(path);
	CHECK_EQ(file_write(fd, SLICE("##S: x\n\n.\n"), NULL), 0);
	mail.source.size = 8;
	CHECK_EQ(smtp_source_scan(&mail.source, &facts, &e), 0);
	CHECK_EQ(facts.wire_size, 11);
	check_talk(&t, "[ok end of message 250] c@d:ok end of message 250",
	    HELO FROM TO("c@d") "DATA~\nS: x~\n~\n..~\n.~\n");
	mail.source.size = 100; /* more than there is */
	CHECK_EQ(smtp_source_scan(&mail.source, &facts, &e), -1);
	t.script = PLAIN "Z";
	check_talk(&t, "[temp MAIL FROM] c@d:temp MAIL FROM", HELO);
	close(fd);
}

/* ---- STARTTLS, as far as it goes without ---- */

static void
test_starttls(void)
{
	struct tls_client *tls =
	    tls_client_new(&(struct tls_client_opts){ .ca_file = "" }, NULL);
	struct talk t = { .opts = { .tls = tls,
			      .tls_mode = SMTP_TLS_OPPORTUNISTIC } };
	static const struct smtp_client_mail mail = MAIL("1\n");

	CHECK(tls != NULL);
	t.mails = &mail;
	t.nmails = 1;
	t.rcpts = "c@d";
	ROW("not offered, not required");
	t.script = PLAIN "<\n> 550 x";
	check_talk(&t, "[perm MAIL FROM 550] c@d:perm MAIL FROM 550", NULL);
	ROW("refused");
	t.script = HELLO "> 250-x\n> 250 STARTTLS\n<\n> 454 4.7.0 x";
	check_talk(&t, "tls STARTTLS 454 4.7.0 starttls-not-supported", NULL);
	ROW("bytes behind it"); /* CVE-2011-0411 */
	t.script = HELLO "> 250-x\n> 250 STARTTLS\n<\n= 220 go~250 injected\nZ";
	check_talk(&t, "tls TLS validation-failure", HELO "STARTTLS~\n");
	t.opts.tls_mode = SMTP_TLS_REQUIRED;
	ROW("not offered, required");
	t.script = PLAIN "Z";
	check_talk(&t, "tls STARTTLS starttls-not-supported", HELO);
	ROW("not offered by HELO, required");
	t.script = "> 220 x\n<\n> 502 x\n<\n> 250 x\nZ";
	check_talk(&t, "tls STARTTLS starttls-not-supported", NULL);
	ROW("no TLS behind it");
	t.script = HELLO "> 250-x\n> 250 STARTTLS\n<\n> 220 go\n> 250 what";
	check_talk(&t, "tls TLS validation-failure", NULL);
	ROW("lost behind it");
	t.script = HELLO "> 250-x\n> 250 STARTTLS\n<\n> 220 go\nX";
	check_talk(&t, "tls TLS validation-failure", NULL);
	ROW("no TLS at once");
	t.opts.tls_immediate = true;
	t.script = "> 220 hello";
	check_talk(&t, "tls TLS validation-failure", NULL);
	tls_client_free(&tls);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(test_rows);
	RUN(test_messages);
	RUN(test_reuse);
	RUN(test_mailmax);
	RUN(test_many);
	RUN(test_hostile);
	RUN(test_stop);
	RUN(test_refused_early);
	RUN(test_file);
	RUN(test_starttls);
	return unit_done();
}
