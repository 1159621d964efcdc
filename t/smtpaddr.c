/* Unit tests of lib/message/smtpaddr. */
#include "message/smtpaddr.h"

#include "t/unit.h"

#define U SMTPADDR_UTF8
#define E SMTPADDR_EMPTY
#define B SMTPADDR_BARE

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

/* RFC 5321, 4.1.2 and 4.1.3; rest: what is left behind the path. */
static const struct {
	const char *text;
	unsigned flags;
	const char *local, *domain; /* NULL: refused */
	const char *rest, *written;
} paths[] = {
	{ "<a@b.example>", 0, "a", "b.example", "", "a@b.example" },
	{ "<A.b+c@X.Example> SIZE=1", 0, "A.b+c", "X.Example", " SIZE=1",
	    "A.b+c@X.Example" },
	{ "<\"a b\"@c>", 0, "a b", "c", "", "\"a b\"@c" },
	{ "<\"a\\\"\\\\b\"@c>", 0, "a\"\\b", "c", "", "\"a\\\"\\\\b\"@c" },
	{ "<\"ab\"@c>", 0, "ab", "c", "", "ab@c" },
	{ "<\"\"@c>", 0, "", "c", "", "\"\"@c" },
	{ "<\">\"@c>", 0, ">", "c", "", "\">\"@c" },
	{ "<@x.y,@z:a@b>", 0, "a", "b", "", "a@b" },
	{ "<a@[192.0.2.1]>", 0, "a", "[192.0.2.1]", "", "a@[192.0.2.1]" },
	{ "<a@[IPv6:2001:db8::1]>", 0, "a", "[IPv6:2001:db8::1]", "",
	    "a@[IPv6:2001:db8::1]" },
	{ "<>", E, "", "", "", "" },
	{ "<>x", E, "", "", "x", "" },
	{ "<>", 0, NULL, NULL, NULL, NULL },
	{ "<postMaster>", B, "postMaster", "", "", "postMaster" },
	{ "<postmaster>", 0, NULL, NULL, NULL, NULL },
	{ "<other>", B, NULL, NULL, NULL, NULL },
	{ "<jürgen@exämple.org>", U, "jürgen", "exämple.org", "",
	    "jürgen@exämple.org" },
	{ "<\"jü r\"@b>", U, "jü r", "b", "", "\"jü r\"@b" },
	{ "<jürgen@b>", 0, NULL, NULL, NULL, NULL },
	{ "<a@exämple.org>", 0, NULL, NULL, NULL, NULL },
	{ "<\xff@b>", U, NULL, NULL, NULL, NULL },
	{ "<" A64 "@b>", 0, A64, "b", "", A64 "@b" },
	{ "<" A64 "a@b>", 0, NULL, NULL, NULL, NULL },
	{ "<" A64 "a@b>", SMTPADDR_LONG, A64 "a", "b", "", A64 "a@b" },
	{ "<a@" A64 ">", 0, NULL, NULL, NULL, NULL },
	{ "a@b", 0, NULL, NULL, NULL, NULL },
	{ "<a@b", 0, NULL, NULL, NULL, NULL },
	{ "<a@>", 0, NULL, NULL, NULL, NULL },
	{ "<@b>", 0, NULL, NULL, NULL, NULL },
	{ "<a@@b>", 0, NULL, NULL, NULL, NULL },
	{ "<a@b@c>", 0, NULL, NULL, NULL, NULL },
	{ "<.a@b>", 0, NULL, NULL, NULL, NULL },
	{ "<a.@b>", 0, NULL, NULL, NULL, NULL },
	{ "<a..b@c>", 0, NULL, NULL, NULL, NULL },
	{ "<a b@c>", 0, NULL, NULL, NULL, NULL },
	{ "< a@b>", 0, NULL, NULL, NULL, NULL },
	{ "<a@-b>", 0, NULL, NULL, NULL, NULL },
	{ "<a@b->", 0, NULL, NULL, NULL, NULL },
	{ "<a@b..c>", 0, NULL, NULL, NULL, NULL },
	{ "<a@b.>", 0, NULL, NULL, NULL, NULL },
	{ "<a@b_c>", 0, NULL, NULL, NULL, NULL },
	{ "<a@[192.0.2.256]>", 0, NULL, NULL, NULL, NULL },
	{ "<a@[::1]>", 0, NULL, NULL, NULL, NULL },
	{ "<a@[IPv6:192.0.2.1]>", 0, NULL, NULL, NULL, NULL },
	{ "<a@[", 0, NULL, NULL, NULL, NULL },
	{ "<\"a@b>", 0, NULL, NULL, NULL, NULL },
	{ "<\"a\\", 0, NULL, NULL, NULL, NULL },
	{ "<\"a\x01\"@b>", 0, NULL, NULL, NULL, NULL },
	{ "<\"a\\ä\"@b>", U, NULL, NULL, NULL, NULL },
	{ "<a\r\n@b>", 0, NULL, NULL, NULL, NULL },
	{ "<@x:>", 0, NULL, NULL, NULL, NULL },
	{ "<@x a@b>", 0, NULL, NULL, NULL, NULL },
	{ "", 0, NULL, NULL, NULL, NULL },
	{ "<", E, NULL, NULL, NULL, NULL },
};

static void
test_path(void)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct arena *arena = arena_new(0);
		struct scan sc = scan_of(slice_str(paths[i].text));
		const char *from = sc.p;
		struct buf b = BUF_INIT(1000);
		struct smtpaddr a;
		struct err e = ERR_INIT;
		int rc;

		ROW(paths[i].text);
		rc = smtpaddr_path(arena, &sc, paths[i].flags, &a, &e);
		CHECK_EQ(rc, paths[i].local == NULL ? -1 : 0);
		if (rc < 0) {
			CHECK_EQ(e.kind, ERR_SYNTAX);
			CHECK(sc.p == from);
		} else if (paths[i].local != NULL) {
			CHECK_SLICE(a.local, slice_str(paths[i].local));
			CHECK_SLICE(a.domain, slice_str(paths[i].domain));
			CHECK_SLICE(scan_rest(&sc), slice_str(paths[i].rest));
			smtpaddr_write(&b, &a);
			CHECK_SLICE(buf_slice(&b), slice_str(paths[i].written));
			CHECK_EQ(a.literal,
			    a.domain.n > 0 && a.domain.p[0] == '[');
			CHECK_EQ(a.utf8, (paths[i].flags & U) != 0);
			CHECK_EQ(a.empty, b.n == 0);
		}
		buf_free(&b);
		arena_free(&arena);
	}
}

static void
test_mailbox(void)
{
	struct arena *arena = arena_new(0);
	struct smtpaddr a;

	CHECK_EQ(smtpaddr_mailbox(arena, SLICE("a@b"), 0, &a, NULL), 0);
	CHECK_EQ(smtpaddr_mailbox(arena, SLICE("a@b "), 0, &a, NULL), -1);
	CHECK_EQ(smtpaddr_mailbox(arena, SLICE("<a@b>"), 0, &a, NULL), -1);
	CHECK_EQ(smtpaddr_mailbox(arena, SLICE_NULL, 0, &a, NULL), -1);
	arena_free(&arena);
}

static void
test_domain(void)
{
	CHECK(smtpaddr_domain(SLICE("a"), false));
	CHECK(smtpaddr_domain(SLICE("xn--4ca.example"), false));
	CHECK(smtpaddr_domain(SLICE("1.2.3.4"), false));
	CHECK(smtpaddr_domain(SLICE("ä.example"), true));
	CHECK(!smtpaddr_domain(SLICE("ä.example"), false));
	CHECK(!smtpaddr_domain(SLICE(""), true));
	CHECK(!smtpaddr_domain(SLICE("a b"), true));
	CHECK(!smtpaddr_domain(SLICE("[1.2.3.4]"), true));
	CHECK(!smtpaddr_domain(SLICE("a.example\0"), true));
	CHECK(smtpaddr_literal(SLICE("[1.2.3.4]")));
	CHECK(!smtpaddr_literal(SLICE("1.2.3.4")));
	CHECK(!smtpaddr_literal(SLICE("[]")));
	CHECK(!smtpaddr_literal(SLICE("[")));
	CHECK(!smtpaddr_literal(SLICE("[1.2.3.4\0]")));
}

int
main(void)
{
	RUN(test_path);
	RUN(test_mailbox);
	RUN(test_domain);
	return unit_done();
}
