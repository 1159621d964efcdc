/* Tests of lib/sasl: the RFCs' examples, both ends against each other,
 * messages changed on the way. */
#include "t/sasl.h"

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
	RUN(test_binding);
	RUN(test_announce);
	RUN(test_pick);
	RUN(test_client);
	RUN(test_cram_challenge);
	arena_free(&arena);
	return unit_done();
}
