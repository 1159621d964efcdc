/* Unit test of imap/url.c: what a URL says. */
#include "imap/url.h"

#include "imap/fetch.h"
#include "t/unit.h"

static struct imap_session s;

/* What is asked of a URL, in one line. */
static struct slice
shown(const char *text)
{
	static const char *const access[] = { "-", "submit", "user", "authuser",
		"anonymous" };
	struct buf b = BUF_INIT(65536);
	const char *wrong;
	struct imap_url u;
	struct slice line;

	wrong = imap_url_parse(&s, slice_str(text), &u);
	if (wrong)
		buf_addz(&b, wrong);
	else {
		buf_addf(&b, "%s user=%.*s box=%.*s validity=%u uid=%u",
		    u.absolute ? "absolute" : "relative", SLICE_FMT(u.user),
		    SLICE_FMT(u.mailbox), u.uidvalidity, u.uid);
		buf_addf(&b, " section=%.*s partial=%.*s", SLICE_FMT(u.section),
		    SLICE_FMT(u.partial));
		if (u.expire_us != IMAP_URL_FOREVER)
			buf_addf(&b, " expire=%lld",
			    (long long)(u.expire_us / 1000000));
		if (u.access)
			buf_addf(&b, " %s=%.*s %.*s:%.*s", access[u.access],
			    SLICE_FMT(u.access_user), SLICE_FMT(u.mechanism),
			    SLICE_FMT(u.token));
	}
	line = arena_dup(s.arena, buf_slice(&b));
	buf_free(&b);
	return line;
}

#define JOE "imap://joe@example.com/INBOX/;uid=20"
#define IS(section, rest) \
	"absolute user=joe box=Inbox validity=0 uid=20 section=" section \
	" partial=" rest

#define BAD(what) "bad " what " in supplied URL"
#define NO_MESSAGE "supplied URL is not one of a message"

static const struct {
	const char *text, *shown;
} rows[] = {
	/* RFC 4467, 7 and 9 */
	{ JOE "/;section=1.2", IS("1.2", "") },
	{ "imap://example.com/Shared/;uid=20/;section=1.2;urlauth=submit+fred",
	    "absolute user= box=Shared validity=0 uid=20 section=1.2 partial= "
	    "submit=fred :" },
	{ JOE "/;section=1.2;urlauth=submit+fred",
	    IS("1.2", " submit=fred :") },
	{ JOE "/;section=1.2;urlauth=submit+fred:internal:"
	      "91354a473744909de610943775f92038",
	    IS("1.2",
		" submit=fred internal:91354a473744909de610943775f92038") },
	/* RFC 5092 */
	{ "imap://minbari.example.org/gray-council;UIDVALIDITY=385759045/;UID=20"
	  "/;PARTIAL=0.1024",
	    "absolute user= box=gray-council validity=385759045 uid=20 section= "
	    "partial=0.1024" },
	{ "imap://john;AUTH=*@minbari.example.org/babylon5/personel?"
	  "charset%20UTF-8%20SUBJECT%20%7B14+%7D",
	    NO_MESSAGE },
	{ "imap://;AUTH=GSSAPI@minbari.example.org/gray-council/;uid=20/"
	  ";section=1.2",
	    "absolute user= box=gray-council validity=0 uid=20 section=1.2 "
	    "partial=" },
	{ "imap://minbari.example.org/;UID=1", BAD("mailbox") },
	{ "imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=anonymous:"
	  "internal:238234982398239898a9898998798b987s87920",
	    IS("1.2",
		" anonymous= internal:"
		"238234982398239898a9898998798b987s87920") },
	{ JOE ";EXPIRE=1970-01-01T01:00:00+00:30;URLAUTH=authuser",
	    IS("", " expire=1800 authuser= :") },
	{ JOE "/;partial=5;URLAUTH=USER+a%2bb%40c:x:y",
	    IS("", "5 user=a+b@c x:y") },
	{ "IMAP://a%20b@[::1]:143/%c3%a4;uidvalidity=1/;UID=4294967295",
	    "absolute user=a b box=\xc3\xa4 validity=1 uid=4294967295 section= "
	    "partial=" },
	{ "/Drafts/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)",
	    "relative user= box=Drafts validity=0 uid=1 "
	    "section=HEADER.FIELDS (Subject) partial=" },
	{ "/Drafts/;UID=1;URLAUTH=anonymous",
	    "relative user= box=Drafts validity=0 uid=1 section= partial= "
	    "anonymous= :" },
	/* Servers, lists of mailboxes and messages, searches. */
	{ "", NO_MESSAGE },
	{ "imap://joe@example.com", NO_MESSAGE },
	{ "imap://joe@example.com/", NO_MESSAGE },
	{ "imap://joe@example.com/INBOX;URLAUTH=anonymous", NO_MESSAGE },
	{ "imap://joe@example.com/INBOX?SUBJECT%20x;URLAUTH=anonymous",
	    NO_MESSAGE },
	{ ";UID=20", NO_MESSAGE },
	{ "imap://joe@example.com;UID=20", NO_MESSAGE },
	{ "http://joe@example.com/INBOX/;uid=20", BAD("mailbox") },
	{ "imap://", BAD("server") },
	{ "imap:///INBOX/;uid=20", BAD("server") },
	{ "imap://joe@/INBOX/;uid=20", BAD("server") },
	{ "imap://a@b@c/INBOX/;uid=20", BAD("server") },
	{ "imap://a b/INBOX/;uid=20", BAD("server") },
	{ "imap://a:x/INBOX/;uid=20", BAD("server") },
	{ "imap://a:65536/INBOX/;uid=20", BAD("server") },
	{ "imap://a:0/INBOX/;uid=20", BAD("server") },
	{ "imap://:143/INBOX/;uid=20", BAD("server") },
	{ "imap://%ff@a/INBOX/;uid=20", BAD("owner username") },
	{ "imap://%@a/INBOX/;uid=20",
	    "absolute user= box=Inbox validity=0 "
	    "uid=20 section= partial=" },
	{ "imap://%4@a/INBOX/;uid=20", BAD("owner username") },
	{ "imap://a/%ff/;uid=20", BAD("mailbox") },
	{ "imap://a/INBOX;UIDVALIDITY=0/;uid=20", BAD("mailbox") },
	{ "imap://a/INBOX;UIDVALIDITY=x/;uid=20", BAD("mailbox") },
	{ "imap://a/../;uid=20", BAD("mailbox") },
	{ "imap://a/INBOX/;uid=0", BAD("UID") },
	{ "imap://a/INBOX/;uid=", BAD("UID") },
	{ "imap://a/INBOX/;uid=+1", BAD("UID") },
	{ "imap://a/INBOX/;uid=4294967296", BAD("UID") },
	{ "imap://a/INBOX/;uid=1/", BAD("UID") },
	{ "imap://a/INBOX/;uid=1;EXPIRE=2026-12-01T00:00:00Z", BAD("UID") },
	{ "imap://a/INBOX/;uid=1/;SECTION=%zz", BAD("section") },
	{ JOE ";EXPIRE=;URLAUTH=anonymous", BAD("EXPIRE") },
	{ JOE ";EXPIRE=tomorrow;URLAUTH=anonymous", BAD("EXPIRE") },
	{ JOE ";EXPIRE=2026-12-01;URLAUTH=anonymous", BAD("EXPIRE") },
	{ JOE ";URLAUTH=", BAD("access identifier") },
	{ JOE ";URLAUTH=anybody", BAD("access identifier") },
	{ JOE ";URLAUTH=user+", BAD("access identifier") },
	{ JOE ";URLAUTH=user", BAD("access identifier") },
	{ JOE ";URLAUTH=submit+%zz", BAD("access identifier") },
	{ JOE ";URLAUTH=authuser+joe", BAD("access identifier") },
	{ JOE ";URLAUTH=anonymous;EXPIRE=2026-12-01T00:00:00Z",
	    BAD("access identifier") },
	{ JOE ";URLAUTH=anonymous:", BAD("authorization") },
	{ JOE ";URLAUTH=anonymous:internal", BAD("authorization") },
	{ JOE ";URLAUTH=anonymous:internal:", BAD("authorization") },
	{ JOE ";URLAUTH=anonymous::00", BAD("authorization") },
};

static void
test_parse(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ROW(rows[i].text);
		CHECK_SLICE(shown(rows[i].text), slice_str(rows[i].shown));
	}
}

static void
test_rump(void)
{
	struct imap_url u;

	CHECK(!imap_url_parse(&s,
	    SLICE(JOE ";EXPIRE=2026-12-01T00:00:00Z;URLAUTH=user+j%6fe:x:y"),
	    &u));
	CHECK_SLICE(u.rump,
	    SLICE(JOE ";EXPIRE=2026-12-01T00:00:00Z;URLAUTH=user+j%6fe"));
	CHECK(!imap_url_parse(&s, SLICE(JOE ";urlauth=anonymous"), &u));
	CHECK_SLICE(u.rump, SLICE(JOE ";urlauth=anonymous"));
	CHECK(!imap_url_parse(&s, SLICE(JOE), &u));
	CHECK_EQ(u.rump.n, 0);
}

static void
test_item(void)
{
	static const struct {
		const char *rest, *label; /* NULL: no section */
	} parts[] = {
		{ "", "BODY[]" },
		{ "/;SECTION=1.2.mime", "BODY[1.2.MIME]" },
		{ "/;SECTION=HEADER.FIELDS%20(a)", "BODY[HEADER.FIELDS (a)]" },
		{ "/;SECTION=1/;PARTIAL=7.9", "BODY[1]<7>" },
		{ "/;PARTIAL=7", "BODY[]<7>" },
		{ "/;SECTION=x", NULL },
		{ "/;SECTION=1%5d%20BODY%5b2", NULL },
		{ "/;PARTIAL=x", NULL },
		{ "/;PARTIAL=1.0", NULL },
		{ "/;PARTIAL=1.2>%20FLAGS", NULL },
	};
	const struct fetch_item *item;
	struct imap_url u;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct slice text =
		    arena_printf(s.arena, "%s%s", JOE, parts[i].rest);

		ROW(parts[i].rest);
		CHECK(!imap_url_parse(&s, text, &u));
		item = imap_url_item(&s, &u);
		CHECK_EQ(!item, !parts[i].label);
		if (item && parts[i].label)
			CHECK_SLICE(item->label, slice_str(parts[i].label));
	}
}

int
main(void)
{
	s.arena = arena_new(0);
	RUN(test_parse);
	RUN(test_rump);
	RUN(test_item);
	arena_free(&s.arena);
	return unit_done();
}
