/* Unit test of lib/store/layout.c and the names of lib/store/folder.c. */
#include "store/store_int.h"
#include "t/unit.h"

#define U LAYOUT_UNKNOWN
#define ID "abcdefghij0123456789"

static struct store_env env = {
	.run_fd = -1, .hostname = "mail/a:b,c.org", .file_mode = 0600
};

/* ---- file names ---- */

static const struct {
	const char *file, *base;
	int64_t time;
	uint64_t size, wire;
	const char *emailid;
	unsigned flags, letters;
} files[] = {
	{ "1204680122.27c448abf.host", "1204680122.27c448abf.host", 1204680122,
	    U, U, "", 0, 0 },
	{ "1204680122.M9P1.h,S=2,W=3:2,", "1204680122.M9P1.h,S=2,W=3",
	    1204680122, 2, 3, "", 0, 0 },
	{ "1.x.h,W=30,S=20:2,FS", "1.x.h,W=30,S=20", 1, 20, 30, "",
	    STORE_FLAGGED | STORE_SEEN, 0 },
	{ "1.x.h:2,DFPRST", "1.x.h", 1, U, U, "",
	    STORE_DRAFT | STORE_FLAGGED | STORE_FORWARDED | STORE_ANSWERED |
		STORE_SEEN | STORE_DELETED,
	    0 },
	{ "1.x.h:2,Sabz", "1.x.h", 1, U, U, "", STORE_SEEN, 1 | 2 | 1 << 25 },
	{ "1.x.h:2,S,Fa", "1.x.h", 1, U, U, "", STORE_SEEN, 0 },
	{ "1.x.h:1,S", "1.x.h", 1, U, U, "", 0, 0 },
	{ "1.x.h:2,XQ!", "1.x.h", 1, U, U, "", 0, 0 },
	{ "1.x.h,S=:2,S", "1.x.h,S=", 1, U, U, "", STORE_SEEN, 0 },
	{ "1.x.h,S=-1,W=99999999999999999999",
	    "1.x.h,S=-1,W="
	    "99999999999999999999",
	    1, U, U, "", 0, 0 },
	{ "1.x.h,S=5x,W=6", "1.x.h,S=5x,W=6", 1, U, 6, "", 0, 0 },
	{ "hello", "hello", -1, U, U, "", 0, 0 },
	{ "a.b.c", "a.b.c", -1, U, U, "", 0, 0 },
	{ "7.R123456789012E" ID ".h,S=1,W=1:2,T",
	    "7.R123456789012E" ID ".h,S=1,W=1", 7, 1, 1, ID, STORE_DELETED, 0 },
	{ "7.R123456789012E" ID, "7.R123456789012E" ID, 7, U, U, ID, 0, 0 },
	{ "7.R12345678901-E" ID ".h", "7.R12345678901-E" ID ".h", 7, U, U, "",
	    0, 0 },
	{ "7.R123456789012F" ID ".h", "7.R123456789012F" ID ".h", 7, U, U, "",
	    0, 0 },
	{ "7.R123456789012E" ID "x.h", "7.R123456789012E" ID "x.h", 7, U, U, "",
	    0, 0 },
};

static void
test_parse(void)
{
	struct layout_name n;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		ROW(files[i].file);
		CHECK(layout_parse(slice_str(files[i].file), &n));
		CHECK_SLICE(n.base, slice_str(files[i].base));
		CHECK_EQ(n.time, files[i].time);
		CHECK_EQ(n.size, files[i].size);
		CHECK_EQ(n.wire, files[i].wire);
		CHECK_SLICE(n.emailid, slice_str(files[i].emailid));
		CHECK_EQ(n.flags, files[i].flags);
		CHECK_EQ(n.letters, files[i].letters);
	}
	ROW("");
	CHECK(!layout_parse(SLICE(""), &n));
	CHECK(!layout_parse(SLICE("."), &n));
	CHECK(!layout_parse(SLICE(":2,S"), &n));
	CHECK(!layout_parse(SLICE(".nfs000123"), &n));
}

static const struct {
	const char *file;
	unsigned flags, letters;
	const char *want;
} renames[] = {
	{ "1.x.h", 0, 0, "1.x.h:2," },
	{ "1.x.h,S=1:2,S", STORE_FLAGGED, 3, "1.x.h,S=1:2,Fab" },
	{ "1.x.h:2,S", STORE_FLAGS, 0, "1.x.h:2,DFPRST" },
	{ "1.x.h:2,QSa", STORE_DELETED, 4, "1.x.h:2,QTc" },
	{ "1.x.h:2,aZF,more", STORE_SEEN, 0, "1.x.h:2,SZ,more" },
	{ "1.x.h:1,S", STORE_SEEN, 0, "1.x.h:2,S" },
};

static void
test_flags(void)
{
	char name[LAYOUT_NAME], longest[LAYOUT_NAME];

	for (size_t i = 0; i < sizeof(renames) / sizeof(renames[0]); i++) {
		ROW(renames[i].file);
		CHECK(layout_with_flags(slice_str(renames[i].file),
		    (uint16_t)renames[i].flags, renames[i].letters, name));
		CHECK_STR(name, renames[i].want);
	}
	ROW("");
	memset(longest, 'x', NAME_MAX);
	longest[NAME_MAX] = '\0';
	CHECK(layout_with_flags(slice_of(longest, NAME_MAX - 4), STORE_SEEN, 0,
	    name));
	CHECK_EQ(strlen(name), NAME_MAX);
	CHECK(!layout_with_flags(slice_of(longest, NAME_MAX - 3), STORE_SEEN, 0,
	    name));
}

static void
test_new_names(void)
{
	char id[STORE_EMAILID], again[STORE_EMAILID];
	char a[LAYOUT_NAME], b[LAYOUT_NAME];
	struct clock clock;
	struct layout_name n;

	clock_fake(&clock, 1700000000000000);
	env.clock = &clock;
	layout_emailid_new(&env, id);
	layout_base(&env, id, 12, UINT64_MAX / 4, a);
	CHECK(layout_parse(slice_str(a), &n));
	CHECK_EQ(n.time, 1700000000);
	CHECK_EQ(n.size, 12);
	CHECK_EQ(n.wire, UINT64_MAX / 4);
	CHECK_SLICE(n.emailid, slice_of(id, STORE_EMAILID));
	CHECK_SLICE(n.base, slice_str(a));
	CHECK(slice_find(n.base, SLICE(".mail\\057a\\072b\\054c.org,S=")) > 0);
	layout_emailid(&n, again);
	CHECK(memcmp(id, again, sizeof(id)) == 0);
	layout_base(&env, id, 12, 12, b);
	CHECK(strcmp(a, b) != 0);
	layout_tmp(&env, a);
	layout_tmp(&env, b);
	CHECK(strcmp(a, b) != 0);

	/* Foreign ones: always the same for a base name. */
	CHECK(layout_parse(SLICE("1.x.h:2,S"), &n));
	layout_emailid(&n, id);
	CHECK(layout_parse(SLICE("1.x.h:2,FT"), &n));
	layout_emailid(&n, again);
	CHECK(memcmp(id, again, sizeof(id)) == 0);
	CHECK(layout_parse(SLICE("1.y.h"), &n));
	layout_emailid(&n, again);
	CHECK(memcmp(id, again, sizeof(id)) != 0);

	env.hostname = "";
	layout_tmp(&env, a);
	CHECK(slice_ends(slice_str(a), SLICE(".localhost")));
	env.hostname = "::::::::::::::::::::::::::::::::::::::::::::::::::::";
	layout_base(&env, id, 12, LAYOUT_UNKNOWN, a);
	CHECK(slice_ends(slice_str(a), SLICE(",S=12")));
	layout_base(&env, id, UINT64_MAX - 1, UINT64_MAX - 1, a);
	CHECK(strlen(a) < NAME_MAX - 40);
	CHECK(slice_find(slice_str(a),
		  SLICE(",S=18446744073709551614,W="
			"18446744073709551614")) > 0);
}

/* ---- folder names ---- */

static const struct {
	const char *name, *folder;
} folders[] = {
	{ "Inbox", "." },
	{ "Sent", ".Sent" },
	{ "Lists/qmail", ".Lists.qmail" },
	{ "Inbox/x", ".INBOX.x" },
	{ "Inbox/x/y", ".INBOX.x.y" },
	{ "Inboxes", ".Inboxes" },
	{ "a/Inbox", ".a.Inbox" },
	{ "a/INBOX/b", ".a.INBOX.b" },
	{ "we ird", ".we ird" },
	{ "a.b", ".a&AC4-b" },
	{ ".b", ".&AC4-b" },
	{ "...", ".&AC4-&AC4-&AC4-" },
	{ "caf\xc3\xa9", ".caf&AOk-" },
	{ "\xc3\xa9.\xc3\xa9", ".&AOk-&AC4-&AOk-" },
	{ "AT&T", ".AT&-T" },
	{ "&AC4-", ".&-AC4-" },
	{ "~x", ".~x" },
	{ "a#", ".a#" },
	/* What does not come out of this way of naming. */
	{ "#.Inbox.x", ".Inbox.x" },
	{ "#.INBOX", ".INBOX" },
	{ "#.inbox", ".inbox" },
	{ "#.a..b", ".a..b" },
	{ "#.a.", ".a." },
	{ "#.b&r", ".b&r" },
	{ "#.caf=C3=A9", ".caf\xc3\xa9" },
	{ "#.#x", ".#x" },
	{ "#.a=3D=01&", ".a=\x01&" },
	{ "#.&AOkA6Q", ".&AOkA6Q" },
	{ "#.&AC4-", ".&AC4-" },
	{ "#.&AGE-", ".&AGE-" },       /* "a" in base64 */
	{ "#.&AGUDAQ-", ".&AGUDAQ-" }, /* not NFC */
	{ "#.&ACM-", ".&ACM-" },
};

static void
test_folders(void)
{
	struct buf name = BUF_INIT(STORE_NAME_MAX);
	char folder[LAYOUT_NAME];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		ROW(folders[i].name);
		CHECK_EQ(layout_folder(slice_str(folders[i].name), folder,
			     NULL),
		    0);
		CHECK_STR(folder, folders[i].folder);
		buf_reset(&name);
		CHECK(layout_mailbox(slice_str(folders[i].folder), &name));
		CHECK_SLICE(buf_slice(&name), slice_str(folders[i].name));
		CHECK(!layout_name_wrong(slice_str(folders[i].name)));
	}
	ROW("");
	CHECK(!layout_mailbox(SLICE(".."), &name));
	CHECK(!layout_mailbox(SLICE("..trash"), &name));
	CHECK(!layout_mailbox(SLICE("cur"), &name));
	CHECK(!layout_mailbox(SLICE(""), &name));
	buf_free(&name);
}

static void
test_folder_limits(void)
{
	struct err e = ERR_INIT;
	char folder[LAYOUT_NAME], name[600];

	memset(name, 'x', sizeof(name));
	CHECK_EQ(layout_folder(slice_of(name, NAME_MAX - 1), folder, &e), 0);
	CHECK_EQ(layout_folder(slice_of(name, NAME_MAX), folder, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	name[0] = '#';
	name[1] = '.';
	CHECK_EQ(layout_folder(slice_of(name, sizeof(name)), folder, &e), -1);
	CHECK_EQ(layout_folder(SLICE("#.Sent"), folder, &e), -1);
	CHECK_EQ(e.kind, ERR_SYNTAX);
	CHECK_EQ(layout_folder(SLICE("#.caf=c3=a9"), folder, &e), -1);
	CHECK_EQ(layout_folder(SLICE("#.a=2Fb"), folder, &e), -1);
	CHECK_EQ(layout_folder(SLICE("#.b&r=0"), folder, &e), -1);
}

static const struct {
	const char *name, *want; /* NULL: refused */
} names[] = {
	{ "Inbox", "Inbox" },
	{ "INBOX", "Inbox" },
	{ "iNBoX/a", "Inbox/a" },
	{ "a/inbox", "a/inbox" },
	{ "inboxes", "inboxes" },
	{ "cafe\xcc\x81", "caf\xc3\xa9" },
	{ "#.b&r", "#.b&r" },
	{ "a.b", "a.b" },
	{ "..a", "..a" },
	{ "", NULL },
	{ "/", NULL },
	{ "/a", NULL },
	{ "a/", NULL },
	{ "a//b", NULL },
	{ ".", NULL },
	{ "a/../b", NULL },
	{ "a/.", NULL },
	{ "#news", NULL },
	{ "#.Sent", NULL },
	{ "a\x01", NULL },
	{ "a\x7f", NULL },
	{ "a\xc2\x85", NULL },
	{ "a\xe2\x80\xa8", NULL },
	{ "a\xff", NULL },
	{ "a\xed\xa0\x80", NULL },
};

static void
test_check(void)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct slice got;
	char longest[STORE_NAME_MAX + 1];
	int rc;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ROW(names[i].name);
		rc =
		    store_name_check(arena, slice_str(names[i].name), &got, &e);
		CHECK_EQ(rc, names[i].want ? 0 : -1);
		if (names[i].want)
			CHECK_SLICE(got, slice_str(names[i].want));
		else
			CHECK_EQ(e.kind, ERR_SYNTAX);
	}
	ROW("");
	memset(longest, 'x', sizeof(longest));
	CHECK_EQ(store_name_check(arena, slice_of(longest, STORE_NAME_MAX),
		     &got, &e),
	    0);
	CHECK_EQ(store_name_check(arena, slice_of(longest, STORE_NAME_MAX + 1),
		     &got, &e),
	    -1);
	arena_free(&arena);
}

/* What is plain is what would be made of it, with nothing left to keep. */
static void
test_plain(void)
{
	static const struct {
		const char *file;
		bool plain;
	} rows[] = { { "1.a.h:2,", true }, { "1.a.h:2,FS", true },
		{ "1.a.h,S=1:2,Sa", true }, { "1.a.h:2,SF", false },
		{ "1.a.h:2,SS", false }, { "1.a.h:2,SX", false },
		{ "1.a.h:2,S,x", false }, { "1.a.h:1,", false },
		{ "1.a.h", false }, { "1.a.h:2", false }, { "1.a.h:", false } };
	struct layout_name n;
	char made[LAYOUT_NAME];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice file = slice_str(rows[i].file);

		CHECK(layout_parse(file, &n));
		CHECK_EQ(layout_plain(file, &n), rows[i].plain);
		if (rows[i].plain) {
			CHECK(layout_with_flags(file, n.flags, n.letters,
			    made));
			CHECK_SLICE(slice_str(made), file);
		}
	}
}

int
main(void)
{
	RUN(test_parse);
	RUN(test_flags);
	RUN(test_new_names);
	RUN(test_folders);
	RUN(test_folder_limits);
	RUN(test_check);
	RUN(test_plain);
	return unit_done();
}
