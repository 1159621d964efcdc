/* Unit tests of smtp/params: arguments of MAIL, RCPT and BDAT. */
#include "smtp/params.h"

#include "unit.h"

#define NOW 1795244400 /* 2026-11-21T07:00:00Z */

static struct smtp_offer
offer(void)
{
	return (struct smtp_offer){ .esmtp = true,
		.submission = true,
		.requiretls = true,
		.tls = true,
		.now_s = NOW,
		.max_size = 100 << 20 };
}

static const struct mail_row {
	const char *args;
	int code; /* 0: accepted */
	const char *local, *domain;
} mail_rows[] = {
	{ " FROM:<a@b.example>", 0, "a", "b.example" },
	{ " from:<a@b.example>", 0, "a", "b.example" },
	{ " FROM:<>", 0, "", "" },
	{ " FROM: <a@b.example>", 0, "a", "b.example" },
	{ " FROM:<@x,@y:a@b.example>", 0, "a", "b.example" },
	{ " FROM:<\"a b\"@b.example>", 0, "a b", "b.example" },
	{ " FROM:<a@[127.0.0.1]>", 0, "a", "[127.0.0.1]" },
	{ " FROM:a@b.example", 501, NULL, NULL },
	{ " FROM:<a@b.example", 501, NULL, NULL },
	{ " FROM:<a b@b.example>", 501, NULL, NULL },
	{ " FROM <a@b.example>", 501, NULL, NULL },
	{ "FROM:<a@b.example>", 501, NULL, NULL },
	{ "", 501, NULL, NULL },
	{ " FROM:<a@b.example>SIZE=1", 501, NULL, NULL },
	{ " FROM:<a@b.example> SIZE=1000", 0, "a", "b.example" },
	{ " FROM:<a@b.example> SIZE=104857600", 0, "a", "b.example" },
	{ " FROM:<a@b.example> SIZE=104857601", 552, NULL, NULL },
	{ " FROM:<a@b.example> SIZE=99999999999999999999", 552, NULL, NULL },
	{ " FROM:<a@b.example> SIZE=999999999999999999999", 501, NULL, NULL },
	{ " FROM:<a@b.example> SIZE=", 501, NULL, NULL },
	{ " FROM:<a@b.example> SIZE=1x", 501, NULL, NULL },
	{ " FROM:<a@b.example> SIZE=1 SIZE=1", 501, NULL, NULL },
	{ " FROM:<a@b.example> BODY=8BITMIME", 0, "a", "b.example" },
	{ " FROM:<a@b.example> body=binarymime", 0, "a", "b.example" },
	{ " FROM:<a@b.example> BODY=9BIT", 501, NULL, NULL },
	{ " FROM:<a@b.example> FOO=1", 555, NULL, NULL },
	{ " FROM:<a@b.example> AUTH=<>", 0, "a", "b.example" },
	{ " FROM:<a@b.example> REQUIRETLS", 0, "a", "b.example" },
	{ " FROM:<a@b.example> REQUIRETLS=1", 501, NULL, NULL },
	{ " FROM:<a@b.example> RET=HDRS ENVID=x", 0, "a", "b.example" },
	{ " FROM:<a@b.example> RET=ALL", 501, NULL, NULL },
	{ " FROM:<a@b.example> ENVID=", 501, NULL, NULL },
	{ " FROM:<a@b.example> ENVID=a+2Bb", 0, "a", "b.example" },
	{ " FROM:<a@b.example> ENVID=a+2bb", 501, NULL, NULL },
	{ " FROM:<a@b.example> ENVID=a+2", 501, NULL, NULL },
	{ " FROM:<a@b.example> HOLDFOR=60", 0, "a", "b.example" },
	{ " FROM:<a@b.example> HOLDFOR=5184000", 0, "a", "b.example" },
	{ " FROM:<a@b.example> HOLDFOR=5184001", 554, NULL, NULL },
	{ " FROM:<a@b.example> HOLDFOR=0", 554, NULL, NULL },
	{ " FROM:<a@b.example> HOLDUNTIL=2026-11-21T07:00:01Z", 0, "a",
	    "b.example" },
	{ " FROM:<a@b.example> HOLDUNTIL=2026-11-21T07:00:00Z", 554, NULL,
	    NULL },
	{ " FROM:<a@b.example> HOLDUNTIL=2026-11-21T09:00:00+01:00", 0, "a",
	    "b.example" },
	{ " FROM:<a@b.example> HOLDUNTIL=tomorrow", 501, NULL, NULL },
	{ " FROM:<a@b.example> HOLDFOR=1 HOLDUNTIL=2026-11-22T07:00:00Z", 501,
	    NULL, NULL },
	{ " FROM:<\xc3\xa9@b.example> SMTPUTF8", 0, "\xc3\xa9", "b.example" },
	{ " FROM:<\xc3\xa9@b.example>", 550, NULL, NULL },
	{ " FROM:<\"\xc3\xa9 SMTPUTF8 \"@b.example>", 550, NULL, NULL },
	{ " FROM:<\"a SMTPUTF8x\"@b.example> SMTPUTF8", 0, "a SMTPUTF8x",
	    "b.example" },
	{ " FROM:<a@\xc3\xa9.example>", 550, NULL, NULL },
	{ " FROM:<\xc3@b.example> SMTPUTF8", 501, NULL, NULL },
};

static void
test_mail(void)
{
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < sizeof(mail_rows) / sizeof(*mail_rows); i++) {
		const struct mail_row *r = &mail_rows[i];
		struct smtp_offer o = offer();
		struct smtp_mail_args a;
		struct smtp_refusal why = { 0, "", "" };
		bool ok =
		    smtp_mail_args(arena, slice_str(r->args), &o, &a, &why);
		ROW(r->args);
		CHECK_EQ(ok, r->code == 0);
		CHECK_EQ(ok ? 0 : why.code, r->code);
		if (!ok || r->code)
			continue;
		CHECK_SLICE(a.from.local, slice_str(r->local));
		CHECK_SLICE(a.from.domain, slice_str(r->domain));
	}
	arena_free(&arena);
}

static void
test_mail_values(void)
{
	struct arena *arena = arena_new(0);
	struct smtp_offer o = offer();
	struct smtp_mail_args a;
	struct smtp_refusal why;

	CHECK(smtp_mail_args(arena,
	    SLICE(" FROM:<a@b.example> SIZE=77 "
		  "BODY=BINARYMIME RET=FULL ENVID=QQ314159 REQUIRETLS SMTPUTF8 "
		  "HOLDFOR=10"),
	    &o, &a, &why));
	CHECK_EQ(a.mail.size, 77);
	CHECK_EQ(a.mail.body, SMTP_BODY_BINARYMIME);
	CHECK_EQ(a.mail.ret, SMTP_RET_FULL);
	CHECK_EQ(a.mail.hold_until, NOW + 10);
	CHECK(a.mail.requiretls && a.mail.smtputf8);
	CHECK_SLICE(a.envid, SLICE("QQ314159"));
	o.tls = o.requiretls = false;
	CHECK(!smtp_mail_args(arena, SLICE(" FROM:<a@b.example> REQUIRETLS"),
	    &o, &a, &why));
	CHECK_EQ(why.code, 523); /* RFC 8689, 4.2.1 has 530; mox 523 */
	o.submission = false;
	CHECK(!smtp_mail_args(arena, SLICE(" FROM:<a@b.example> HOLDFOR=1"), &o,
	    &a, &why));
	CHECK_EQ(why.code, 555);
	o.esmtp = false;
	CHECK(!smtp_mail_args(arena, SLICE(" FROM:<a@b.example> SIZE=1"), &o,
	    &a, &why));
	CHECK_EQ(why.code, 555);
	o.pedantic = true;
	CHECK(!smtp_mail_args(arena, SLICE(" FROM: <a@b.example>"), &o, &a,
	    &why));
	arena_free(&arena);
}

static const struct rcpt_row {
	const char *args;
	int code;
	unsigned notify;
} rcpt_rows[] = {
	{ " TO:<a@b.example>", 0, 0 },
	{ " TO:<postmaster>", 0, 0 },
	{ " TO:<Postmaster>", 0, 0 },
	{ " TO:<other>", 501, 0 },
	{ " TO:<>", 501, 0 },
	{ " TO:<a@b.example> NOTIFY=NEVER", 0, SMTP_NOTIFY_NEVER },
	{ " TO:<a@b.example> NOTIFY=SUCCESS,FAILURE,DELAY", 0,
	    SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_DELAY },
	{ " TO:<a@b.example> NOTIFY=NEVER,DELAY", 501, 0 },
	{ " TO:<a@b.example> NOTIFY=", 501, 0 },
	{ " TO:<a@b.example> NOTIFY=NEVER NOTIFY=NEVER", 501, 0 },
	{ " TO:<a@b.example> ORCPT=rfc822;a@b.example", 0, 0 },
	{ " TO:<a@b.example> ORCPT=rfc822;a+40b", 0, 0 },
	{ " TO:<a@b.example> ORCPT=utf-8;\xc3\xa9@b.example", 0, 0 },
	{ " TO:<a@b.example> ORCPT=rfc822;\xc3\xa9@b.example", 501, 0 },
	{ " TO:<a@b.example> ORCPT=rfc822;a+b", 501, 0 },
	{ " TO:<a@b.example> ORCPT=rfc822;", 501, 0 },
	{ " TO:<a@b.example> ORCPT=rfc822", 501, 0 },
	{ " TO:<a@b.example> SIZE=1", 555, 0 },
	{ " TO:<a@b.example> ", 0, 0 },
};

static void
test_rcpt(void)
{
	struct arena *arena = arena_new(0);
	struct smtp_offer o = offer();

	for (size_t i = 0; i < sizeof(rcpt_rows) / sizeof(*rcpt_rows); i++) {
		const struct rcpt_row *r = &rcpt_rows[i];
		struct smtp_rcpt_args a;
		struct smtp_refusal why = { 0, "", "" };
		bool ok = smtp_rcpt_args(arena, slice_str(r->args), &o, false,
		    &a, &why);
		ROW(r->args);
		CHECK_EQ(ok ? 0 : why.code, r->code);
		if (ok)
			CHECK_EQ(a.rcpt.notify, r->notify);
	}
	arena_free(&arena);
}

static void
test_bdat(void)
{
	uint64_t size;
	bool last;

	CHECK(smtp_bdat_args(SLICE(" 86"), &size, &last));
	CHECK(size == 86 && !last);
	CHECK(smtp_bdat_args(SLICE(" 0 LAST"), &size, &last));
	CHECK(size == 0 && last);
	CHECK(smtp_bdat_args(SLICE(" 1 last"), &size, &last));
	CHECK(!smtp_bdat_args(SLICE(""), &size, &last));
	CHECK(!smtp_bdat_args(SLICE(" LAST"), &size, &last));
	CHECK(!smtp_bdat_args(SLICE(" -1"), &size, &last));
	CHECK(!smtp_bdat_args(SLICE(" 1 FIRST"), &size, &last));
	CHECK(!smtp_bdat_args(SLICE(" 99999999999999999999"), &size, &last));
}

int
main(void)
{
	RUN(test_mail);
	RUN(test_mail_values);
	RUN(test_rcpt);
	RUN(test_bdat);
	return unit_done();
}
