/* Unit test of lib/store: the open mailbox (mailbox.h). */
#include <dirent.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/map.h"
#include "message/record.h"
#include "store/index.h"
#include "t/scratch.h"

static struct store_env env = {
	.run_fd = -1, .hostname = "test", .file_mode = 0600
};
static struct store *st;
static struct arena *arena;

#define MAILDIR "accounts/joe/Maildir/"

/* ---- help ---- */

static void
begin(void)
{
	struct err e = ERR_INIT;

	scratch_begin();
	env.data_fd = scratch_fd;
	arena = arena_new(0);
	CHECK_EQ(store_create(&st, &env, SLICE("joe"), NULL, 0, &e), 0);
}

static void
end(void)
{
	store_close(&st);
	arena_free(&arena);
	scratch_end();
}

static struct mailbox *
mbox_open(const char *name)
{
	struct mailbox *mb = NULL;
	struct err e = ERR_INIT;

	if (mailbox_open(&mb, st, slice_str(name), &e) != 1)
		UNIT_FAIL("open %s: %s", name, e.text);
	return mb;
}

static struct spool *
spool_of(const char *wire)
{
	struct spool *sp = spool_new(&env, 0);

	CHECK_EQ(spool_add(sp, slice_str(wire), NULL), 0);
	CHECK_EQ(spool_end(sp, NULL), 0);
	return sp;
}

static uint32_t
add_flags(struct mailbox *mb, const char *wire, struct store_flags flags)
{
	struct mailbox_new m = {
		.spool = spool_of(wire), .flags = flags, .received = 1000
	};
	struct mailbox_new_result r = { 0 };
	struct err e = ERR_INIT;
	enum store_code code = mailbox_add(mb, &m, 1, arena, &r, &e);

	if (code != STORE_OK)
		UNIT_FAIL("add: %s", e.text);
	spool_free(&m.spool);
	return code == STORE_OK ? r.uids[0] : 0;
}

static uint32_t
add(struct mailbox *mb, const char *wire)
{
	return add_flags(mb, wire, (struct store_flags){ 0 });
}

static int
refresh(struct mailbox *mb)
{
	struct err e = ERR_INIT;
	int rc;

	mb->scan_at = mb->suspect_at = 0;
	rc = mailbox_refresh(mb, &e);
	if (rc < 0)
		UNIT_FAIL("refresh: %s", e.text);
	return rc;
}

/* Take everything; returns the first new sequence number. */
static uint32_t
take_all(struct mailbox *mb)
{
	struct uidset uids = UIDSET_INIT(arena);
	uint32_t first = 0, *seqs;
	size_t n;

	CHECK_EQ(mailbox_take_expunged(mb, arena, &seqs, &n, NULL, NULL), 0);
	CHECK_EQ(mailbox_take_flags(mb, &uids, NULL), 0);
	CHECK_EQ(mailbox_take_new(mb, &first, NULL), 0);
	return first;
}

static struct uidset
uids_of(const char *text)
{
	struct uidset s = UIDSET_INIT(arena);

	CHECK_EQ(uidset_parse(&s, slice_str(text), 1000, NULL), 0);
	return s;
}

static struct slice
text_of(const struct uidset *s)
{
	struct buf b = BUF_INIT(1 << 20);
	struct slice text;

	uidset_format(s, &b);
	text = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* Change flags; returns the UIDs that changed. */
static struct slice
store(struct mailbox *mb, const char *uids, enum mailbox_flagop op,
    struct store_flags flags)
{
	struct uidset set = uids_of(uids);
	struct mailbox_store_result r;
	struct err e = ERR_INIT;

	if (mailbox_store(mb, &set, op, &flags, false, 0, arena, &r, &e) != 0)
		UNIT_FAIL("store: %s", e.text);
	return text_of(&r.changed);
}

static struct store_flags
flags_of(uint16_t flags)
{
	return (struct store_flags){ .flags = flags };
}

static struct slice
expunge(struct mailbox *mb)
{
	struct uidset gone = UIDSET_INIT(arena);
	uint64_t modseq;

	CHECK_EQ(mailbox_expunge(mb, NULL, &gone, &modseq, NULL), 0);
	return text_of(&gone);
}

static uint16_t
flags_at(const struct mailbox *mb, uint32_t seq)
{
	return mailbox_msg(mb, seq)->flags;
}

static struct slice
read_all(struct mailbox *mb, uint32_t seq)
{
	struct mailbox_reader *r;
	struct buf b = BUF_INIT(64 << 20);
	struct slice piece, text;
	int rc = mailbox_read_open(&r, mb, mailbox_msg(mb, seq), NULL);

	CHECK_EQ(rc, 1);
	if (rc != 1)
		return SLICE("(gone)");
	while ((rc = mailbox_read(r, 1000, &piece, NULL)) == 1)
		buf_add(&b, piece);
	CHECK_EQ(rc, 0);
	mailbox_read_close(&r);
	text = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* The sequence of UIDs in the view, as a set (they ascend) and a count. */
static struct slice
view_of(const struct mailbox *mb)
{
	struct uidset s = UIDSET_INIT(arena);
	uint32_t last = 0;

	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++) {
		uint32_t uid = mailbox_msg(mb, seq)->uid;

		CHECK(uid > last);
		CHECK_EQ(mailbox_seq(mb, uid), seq);
		last = uid;
		uidset_add(&s, uid, uid);
	}
	return text_of(&s);
}

/* ---- files ---- */

/* Make a folder look as if its last change was long ago. */
static void
age(const char *folder)
{
	static int64_t ago = 100;
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = clock_s(NULL) - ago++ } };

	CHECK_EQ(utimensat(scratch_fd, folder, t, 0), 0);
}

static void
age_all(void)
{
	age(MAILDIR "new");
	age(MAILDIR "cur");
}

/* The names in a folder, joined by spaces. */
static struct slice
names_in(const char *folder)
{
	struct slice *names, all = SLICE_NULL;
	size_t n;

	CHECK_EQ(file_list(scratch_fd, folder, arena, &names, &n, NULL), 1);
	for (size_t i = 0; i < n; i++)
		all = arena_printf(arena, "%.*s%s%.*s", SLICE_FMT(all),
		    i > 0 ? " " : "", SLICE_FMT(names[i]));
	return all;
}

static void
move_file(const char *from, const char *to)
{
	CHECK_EQ(renameat(scratch_fd, from, scratch_fd, to), 0);
}

static void
unlink_all(const char *folder)
{
	struct slice *names;
	size_t n;

	CHECK_EQ(file_list(scratch_fd, folder, arena, &names, &n, NULL), 1);
	for (size_t i = 0; i < n; i++)
		CHECK_EQ(unlinkat(scratch_fd,
			     arena_printf(arena, "%s/%.*s", folder,
				 SLICE_FMT(names[i]))
				 .p,
			     0),
		    0);
}

/* ---- lines ---- */

static void
test_lines(void)
{
	static const char *const rows[] = {
		"v 17 5 abcdefghijklmnopqrstuv",
		"v 17 4294967295 abcdefghijklmnopqrstuv",
		"n 4294967295 9",
		"a 1 2 -3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - - n%20x,S=5",
		("a 4294967294 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 "
		 "SRFTDPJNHM ffffffffffffffff 3.128 :SRFTDPaz name"),
		"f 5 + SF 1a 1:3,5",
		"f 5 - - 1 1",
		"f 5 = - 0 1",
		"x 9 1,3:4",
		"y 9 1",
		"u 1:4",
		"o 1",
		"d - 1:4",
		"d :Sa 1:4",
		"w : 1",
		"r 5 a%20b",
		"k 63 name",
		"l 25 $Junk",
		"c 4 1.16 99 1",
		"c 4 - 0 0",
		"m 17? - placed",
		"m - 18",
	};

	arena = arena_new(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_INIT(1000);
		struct line l;

		ROW(rows[i]);
		CHECK(line_parse(slice_str(rows[i]), arena, &l));
		line_format(&l, &b);
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i]));
		buf_free(&b);
	}
	arena_free(&arena);
}

static void
test_bad_lines(void)
{
	static const char *const rows[] = { "", "a", "z 1", "v 0 1 x",
		"v 17 5 short", "v 17 0 abcdefghijklmnopqrstuv", "n 7",
		"n 4294967296 1",
		"a 0 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - - n",
		"a 4294967295 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - - n",
		"a 1 2 3 4 5 6 short 7 - 0 - - n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 X 0 - - n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 1 - n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - S n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - :J n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - -", "f 1 * - 0 1",
		"f 1 + - 0 0", "f 1 + - 0 ", "f 1 + - 0", "x 1 2:1", "x 1", "u",
		"d : ", "k 64 x", "l 26 x", "k 1", "r 1", "r 1 a%2Fb",
		"r 1 a%00b", "c 1 - 0", "m 0 -", "m x -", "m -" };

	arena = arena_new(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct line l;

		ROW(rows[i]);
		CHECK(!line_parse(slice_str(rows[i]), arena, &l));
	}
	arena_free(&arena);
}

/* ---- adding ---- */

static void
test_add(void)
{
	struct mailbox *mb;
	struct mailbox_counts c;
	struct mailbox_status status;

	begin();
	mb = mbox_open("Inbox");
	CHECK_EQ(mailbox_count(mb), 0);
	CHECK_EQ(mailbox_uidnext(mb), 1);
	CHECK_EQ(add(mb, "Subject: one\r\n\r\nbody\r\n"), 1);
	CHECK_EQ(add_flags(mb, "Subject: two\r\n\r\n",
		     flags_of(STORE_SEEN | STORE_DELETED)),
	    2);
	/* Not numbered before they are taken. */
	CHECK_EQ(mailbox_count(mb), 0);
	CHECK_EQ(mailbox_seq(mb, 1), 0);
	CHECK_EQ(refresh(mb), MAILBOX_NEW);
	CHECK_EQ(take_all(mb), 1);
	CHECK_EQ(refresh(mb), 0);
	CHECK_EQ(mailbox_count(mb), 2);
	CHECK_EQ(mailbox_uidnext(mb), 3);
	CHECK_EQ(mailbox_seq(mb, 1), 1);
	CHECK_EQ(mailbox_seq_from(mb, 2), 2);
	CHECK_EQ(mailbox_seq_from(mb, 3), 3);
	CHECK_EQ(flags_at(mb, 1), 0);
	CHECK_EQ(flags_at(mb, 2), STORE_SEEN | STORE_DELETED);
	CHECK_EQ(mailbox_msg(mb, 1)->size, 19);
	CHECK_EQ(mailbox_msg(mb, 1)->wire_size, 22);
	CHECK_EQ(mailbox_msg(mb, 1)->received, 1000);
	CHECK(mailbox_msg(mb, 2)->modseq > mailbox_msg(mb, 1)->modseq);
	mailbox_counts(mb, &c);
	CHECK_EQ(c.messages, 2);
	CHECK_EQ(c.unseen, 1);
	CHECK_EQ(c.deleted, 1);
	CHECK_EQ(c.size, 22 + 16);
	CHECK_EQ(c.deleted_size, 16);
	CHECK_EQ(c.first_unseen, 1);
	CHECK_SLICE(read_all(mb, 1), SLICE("Subject: one\r\n\r\nbody\r\n"));
	CHECK_EQ(mailbox_status(st, SLICE("Inbox"), &status, NULL), 1);
	CHECK_EQ(status.uidnext, 3);
	CHECK_EQ(status.counts.messages, 2);
	CHECK_EQ(status.uidvalidity, mailbox_uidvalidity(mb));
	mailbox_close(&mb);
	CHECK_EQ(mailbox_status(st, SLICE("Nowhere"), &status, NULL), 0);
	CHECK_EQ(mailbox_open(&mb, st, SLICE("Nowhere"), NULL), 0);
	end();
}

static void
test_add_many(void)
{
	struct slice keywords[] = { SLICE("one"), SLICE("two") };
	struct mailbox_new m[3] = {
		{
		    .spool = spool_of("a\r\n"),
		    .prefix = SLICE("X: y\r\n\r\n"),
		},
		{ .spool = spool_of("b\r\n"),
		    .flags = { .keywords = keywords, .nkeywords = 1 } },
		{ .spool = spool_of("bare\nLF\r\n"),
		    .prefix = SLICE("X: y\r\n"),
		    .flags = { .keywords = keywords, .nkeywords = 2 } },
	};
	struct mailbox_new_result r;
	struct mailbox *mb;

	begin();
	mb = mbox_open("Inbox");
	CHECK_EQ(mailbox_add(mb, m, 3, arena, &r, NULL), STORE_OK);
	CHECK_EQ(r.uids[2], 3);
	take_all(mb);
	CHECK_SLICE(read_all(mb, 1), SLICE("X: y\r\n\r\na\r\n"));
	CHECK_SLICE(read_all(mb, 3), SLICE("X: y\r\nbare\nLF\r\n"));
	CHECK_EQ(mailbox_msg(mb, 2)->keywords, 1);
	CHECK_EQ(mailbox_msg(mb, 3)->keywords, 3);
	CHECK_EQ(mailbox_keyword(mb, SLICE("TWO")), 1);
	CHECK_EQ(mailbox_msg(mb, 1)->modseq, mailbox_msg(mb, 3)->modseq);
	CHECK_SLICE(names_in(MAILDIR "tmp"), SLICE(""));
	mailbox_close(&mb);
	for (int i = 0; i < 3; i++)
		spool_free(&m[i].spool);
	end();
}

/* ---- two views ---- */

static void
test_pending(void)
{
	struct mailbox *a, *b;
	struct uidset uids;
	uint32_t *seqs;
	size_t n;

	begin();
	a = mbox_open("Inbox");
	for (int i = 0; i < 5; i++)
		add(a, "x\r\n");
	b = mbox_open("Inbox");
	take_all(a);
	CHECK_EQ(mailbox_count(b), 5);
	/* Own changes are not pending, the other's are. */
	CHECK_SLICE(store(a, "2,4", MAILBOX_ADD, flags_of(STORE_DELETED)),
	    SLICE("2,4"));
	CHECK_EQ(refresh(a), 0);
	CHECK_EQ(refresh(b), MAILBOX_FLAGS);
	CHECK_EQ(flags_at(b, 2), STORE_DELETED);
	uids = (struct uidset)UIDSET_INIT(arena);
	CHECK_EQ(mailbox_take_flags(b, &uids, NULL), 0);
	CHECK_SLICE(text_of(&uids), SLICE("2,4"));
	CHECK_EQ(refresh(b), 0);
	/* Expunged ones are pending for both. */
	CHECK_SLICE(expunge(a), SLICE("2,4"));
	CHECK_EQ(refresh(a), MAILBOX_EXPUNGE);
	CHECK_EQ(refresh(b), MAILBOX_EXPUNGE);
	CHECK_EQ(mailbox_count(b), 5);
	CHECK_EQ(flags_at(b, 4) & STORE_EXPUNGED, STORE_EXPUNGED);
	add(a, "new\r\n");
	CHECK_EQ(refresh(b), MAILBOX_EXPUNGE | MAILBOX_NEW);
	uids = (struct uidset)UIDSET_INIT(arena);
	CHECK_EQ(mailbox_take_expunged(b, arena, &seqs, &n, &uids, NULL), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(seqs[0], 4);
	CHECK_EQ(seqs[1], 2);
	CHECK_SLICE(text_of(&uids), SLICE("2,4"));
	CHECK_SLICE(view_of(b), SLICE("1,3,5"));
	CHECK_EQ(take_all(b), 4);
	CHECK_SLICE(view_of(b), SLICE("1,3,5:6"));
	CHECK_EQ(mailbox_seq(b, 2), 0);
	CHECK_EQ(mailbox_seq_from(b, 2), 2);
	take_all(a);
	CHECK_SLICE(view_of(a), SLICE("1,3,5:6"));
	mailbox_close(&a);
	mailbox_close(&b);
	a = mbox_open("Inbox");
	CHECK_SLICE(view_of(a), SLICE("1,3,5:6"));
	mailbox_close(&a);
	end();
}

/* A fold drops expunged records; a view that has not taken them keeps them. */
static void
test_fold(void)
{
	struct mailbox *a, *b;
	struct uidset uids;
	uint32_t *seqs, i;
	size_t n;

	begin();
	a = mbox_open("Inbox");
	for (i = 0; i < 10; i++)
		add(a, "x\r\n");
	take_all(a);
	store(a, "3", MAILBOX_ADD, flags_of(STORE_DELETED));
	expunge(a);
	take_all(a);
	CHECK_EQ(index_fold(a, NULL), 1);
	CHECK_SLICE(view_of(a), SLICE("1:2,4:10"));
	b = mbox_open("Inbox");
	store(a, "5,9", MAILBOX_ADD, flags_of(STORE_DELETED));
	expunge(a);
	store(a, "1,10", MAILBOX_ADD, flags_of(STORE_SEEN));
	add(a, "new\r\n");
	CHECK_EQ(index_fold(a, NULL), 1);
	/* Twice, so that b skips a generation. */
	store(a, "7", MAILBOX_ADD, flags_of(STORE_DELETED));
	expunge(a);
	CHECK_EQ(index_fold(a, NULL), 1);
	add(a, "newer\r\n");
	CHECK_EQ(refresh(b), MAILBOX_NEW | MAILBOX_FLAGS | MAILBOX_EXPUNGE);
	CHECK_SLICE(view_of(b), SLICE("1:2,4:10"));
	CHECK_EQ(flags_at(b, mailbox_seq(b, 5)) & STORE_EXPUNGED,
	    STORE_EXPUNGED);
	uids = (struct uidset)UIDSET_INIT(arena);
	CHECK_EQ(mailbox_take_expunged(b, arena, &seqs, &n, &uids, NULL), 0);
	CHECK_SLICE(text_of(&uids), SLICE("5,7,9"));
	CHECK_EQ(seqs[0], 8);
	uids = (struct uidset)UIDSET_INIT(arena);
	CHECK_EQ(mailbox_take_flags(b, &uids, NULL), 0);
	CHECK_SLICE(text_of(&uids), SLICE("1,10"));
	CHECK_EQ(take_all(b), 7);
	CHECK_SLICE(view_of(b), SLICE("1:2,4,6,8,10:12"));
	/* a made the changes and sees the same. */
	take_all(a);
	CHECK_SLICE(view_of(a), SLICE("1:2,4,6,8,10:12"));
	CHECK(index_intact(a));
	mailbox_close(&a);
	mailbox_close(&b);
	end();
}

/* ---- flags ---- */

static void
test_conditional(void)
{
	struct mailbox_store_result r;
	struct uidset all;
	struct store_flags seen = flags_of(STORE_SEEN);
	struct mailbox *mb;
	uint64_t since;

	begin();
	mb = mbox_open("Inbox");
	add(mb, "x\r\n");
	add(mb, "y\r\n");
	take_all(mb);
	since = mailbox_modseq(mb);
	store(mb, "2", MAILBOX_ADD, flags_of(STORE_FLAGGED));
	CHECK(mailbox_modseq(mb) > since);
	all = uids_of("1:9");
	CHECK_EQ(mailbox_store(mb, &all, MAILBOX_ADD, &seen, true, since, arena,
		     &r, NULL),
	    0);
	CHECK_SLICE(text_of(&r.changed), SLICE("1"));
	CHECK_SLICE(text_of(&r.modified), SLICE("2"));
	CHECK_EQ(mailbox_msg(mb, 1)->modseq, r.modseq);
	/* Nothing changes: no modseq. */
	since = mailbox_modseq(mb);
	CHECK_SLICE(store(mb, "1", MAILBOX_ADD, seen), SLICE(""));
	CHECK_EQ(mailbox_modseq(mb), since);
	CHECK_SLICE(store(mb, "1:2", MAILBOX_SET, flags_of(STORE_DRAFT)),
	    SLICE("1:2"));
	CHECK_EQ(flags_at(mb, 1), STORE_DRAFT);
	CHECK_SLICE(store(mb, "1:2", MAILBOX_REMOVE, flags_of(STORE_DRAFT)),
	    SLICE("1:2"));
	CHECK_EQ(flags_at(mb, 2), 0);
	mailbox_close(&mb);
	end();
}

static void
test_keywords(void)
{
	struct slice names[] = { SLICE("$Junk"), SLICE("Work"), SLICE("work"),
		SLICE("$label1") };
	struct store_flags f = { .keywords = names, .nkeywords = 4 };
	struct mailbox *mb, *other;
	struct buf b = BUF_INIT(10000);
	const struct slice *known;
	struct slice name;

	begin();
	mb = mbox_open("Inbox");
	add(mb, "x\r\n");
	other = mbox_open("Inbox");
	take_all(mb);
	CHECK_SLICE(store(mb, "1", MAILBOX_ADD, f), SLICE("1"));
	CHECK_EQ(flags_at(mb, 1), STORE_JUNK);
	CHECK_EQ(mailbox_msg(mb, 1)->keywords, 3);
	CHECK_EQ(mailbox_keywords(mb, &known), 2);
	CHECK_SLICE(known[0], SLICE("Work"));
	CHECK(refresh(other) & MAILBOX_KEYWORDS);
	take_all(other);
	CHECK_EQ(refresh(other), 0);
	/* Names and letters for others appear with tidying. */
	mailbox_close(&mb);
	CHECK_SLICE(scratch_get(MAILDIR "dovecot-keywords", &b),
	    SLICE("0 $Junk\n1 Work\n2 $label1\n"));
	CHECK(slice_ends(names_in(MAILDIR "cur"), SLICE(":2,abc")));
	/* What Dovecot adds is a keyword here. */
	scratch_append(MAILDIR "dovecot-keywords", SLICE("3 Dove\n"));
	name = names_in(MAILDIR "cur");
	move_file(arena_cstr(arena,
		      arena_printf(arena, MAILDIR "cur/%.*s", SLICE_FMT(name))),
	    arena_cstr(arena,
		arena_printf(arena, MAILDIR "cur/%.*sd",
		    SLICE_FMT(slice_head(name, name.n - 1)))));
	CHECK(refresh(other) & MAILBOX_FLAGS);
	CHECK_EQ(mailbox_keyword(other, SLICE("dove")), 2);
	CHECK_EQ(mailbox_msg(other, 1)->keywords, 1 | 4);
	CHECK_EQ(flags_at(other, 1), STORE_JUNK);
	/* Removing one that is unknown defines nothing. */
	names[0] = SLICE("Unknown");
	f.nkeywords = 1;
	CHECK_SLICE(store(other, "1", MAILBOX_REMOVE, f), SLICE(""));
	CHECK_EQ(mailbox_keywords(other, &known), 3);
	mailbox_close(&other);
	CHECK(store_keyword_check(SLICE("$Forwarded")));
	CHECK(!store_keyword_check(SLICE("a b")));
	CHECK(!store_keyword_check(SLICE("")));
	CHECK(!store_keyword_check(SLICE("a]")));
	buf_free(&b);
	end();
}

static void
test_too_many_keywords(void)
{
	struct mailbox_store_result r;
	struct uidset one;
	struct mailbox *mb;
	struct slice name;
	struct store_flags f = { .keywords = &name, .nkeywords = 1 };
	struct err e = ERR_INIT;

	begin();
	mb = mbox_open("Inbox");
	add(mb, "x\r\n");
	take_all(mb);
	for (int i = 0; i < STORE_KEYWORDS_MAX; i++) {
		name = arena_printf(arena, "k%d", i);
		store(mb, "1", MAILBOX_ADD, f);
	}
	name = SLICE("one-more");
	one = uids_of("1");
	CHECK_EQ(mailbox_store(mb, &one, MAILBOX_ADD, &f, false, 0, arena, &r,
		     &e),
	    -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK_EQ(mailbox_msg(mb, 1)->keywords, (long long)UINT64_MAX);
	mailbox_close(&mb);
	mb = mbox_open("Inbox");
	CHECK_EQ(mailbox_msg(mb, 1)->keywords, (long long)UINT64_MAX);
	mailbox_close(&mb);
	end();
}

/* ---- copy and move ---- */

static struct slice
copied(const struct mailbox_copy_result *r)
{
	struct slice s = SLICE_NULL;

	for (size_t i = 0; i < r->n; i++)
		s = arena_printf(arena, "%.*s%u>%u ", SLICE_FMT(s),
		    (unsigned)r->source[i], (unsigned)r->target[i]);
	return s;
}

static void
test_copy(bool move)
{
	struct slice names[] = { SLICE("here"), SLICE("there") };
	struct store_flags f = {
		.flags = STORE_SEEN, .keywords = names, .nkeywords = 2
	};
	struct mailbox_copy_result r;
	struct mailbox *mb, *to;
	struct uidset uids = UIDSET_INIT(NULL);
	char emailid[STORE_EMAILID];

	begin();
	CHECK_EQ(store_mailbox_create(st, SLICE("A/b"), 0, arena, NULL, NULL,
		     NULL),
	    STORE_OK);
	mb = mbox_open("Inbox");
	add(mb, "one\r\n");
	add(mb, "two\r\n");
	add_flags(mb, "three\r\n", f);
	take_all(mb);
	to = mbox_open("A/b");
	f.keywords = &names[1];
	f.nkeywords = 1;
	add_flags(to, "x\r\n", f); /* "there" has another bit in A/b */
	uids = uids_of("2:7");
	CHECK_EQ(mailbox_copy(mb, &uids, SLICE("A/b"), move, arena, &r, NULL),
	    STORE_OK);
	CHECK_SLICE(copied(&r), SLICE("2>2 3>3 "));
	CHECK_EQ(r.uidvalidity, mailbox_uidvalidity(to));
	CHECK_EQ(refresh(to), MAILBOX_NEW | MAILBOX_KEYWORDS);
	take_all(to);
	CHECK_SLICE(read_all(to, 2), SLICE("two\r\n"));
	CHECK_SLICE(read_all(to, 3), SLICE("three\r\n"));
	CHECK_EQ(flags_at(to, 3), STORE_SEEN);
	CHECK_EQ(mailbox_msg(to, 3)->keywords, 3);
	CHECK_EQ(mailbox_keyword(to, SLICE("here")), 1);
	memcpy(emailid, mailbox_msg(mb, 3)->emailid, sizeof(emailid));
	CHECK(memcmp(emailid, mailbox_msg(to, 3)->emailid, sizeof(emailid)) ==
	    0);
	CHECK_EQ(mailbox_msg(to, 3)->received, 1000);
	if (move) {
		CHECK_EQ(refresh(mb), MAILBOX_EXPUNGE);
		take_all(mb);
		CHECK_SLICE(view_of(mb), SLICE("1"));
	} else {
		CHECK_EQ(refresh(mb), 0);
		CHECK_SLICE(view_of(mb), SLICE("1:3"));
		CHECK_SLICE(read_all(mb, 2), SLICE("two\r\n"));
	}
	CHECK_EQ(mailbox_copy(mb, &uids, SLICE("Nowhere"), move, arena, &r,
		     NULL),
	    STORE_NONEXISTENT);
	uids = uids_of("1");
	CHECK_EQ(mailbox_copy(mb, &uids, SLICE("Inbox"), move, arena, &r, NULL),
	    move ? STORE_CANNOT : STORE_OK);
	if (!move)
		CHECK_SLICE(copied(&r), SLICE("1>4 "));
	mailbox_close(&mb);
	mailbox_close(&to);
	to = mbox_open("A/b");
	CHECK_SLICE(view_of(to), SLICE("1:3"));
	CHECK_SLICE(read_all(to, 3), SLICE("three\r\n"));
	mailbox_close(&to);
	end();
}

static void
test_copying(void)
{
	test_copy(false);
}

static void
test_moving(void)
{
	test_copy(true);
}

/* Says no when it is asked for the n-th time. */
static bool
stop_at(void *ctx, uint64_t done, uint64_t total)
{
	unsigned *n = ctx;

	CHECK(done <= total);
	return --*n > 0;
}

static size_t
files_in(const char *folder)
{
	struct slice *names;
	size_t n;

	CHECK_EQ(file_list(scratch_fd, folder, arena, &names, &n, NULL), 1);
	return n;
}

static void
test_batches(void)
{
	struct mailbox_copy_result r;
	struct uidset all;
	unsigned n = 1;
	struct mailbox *mb, *to;
	struct err e = ERR_INIT;

	begin();
	CHECK_EQ(store_mailbox_create(st, SLICE("to"), 0, arena, NULL, NULL,
		     NULL),
	    STORE_OK);
	all = uids_of("1:5000");
	for (unsigned i = 1; i <= 5000; i++)
		scratch_put(arena_printf(arena, MAILDIR "cur/%u.x.host:2,", i)
				.p,
		    SLICE("x\n"));
	/* An index that is not made to its end is made the next time. */
	store_set_progress(st, stop_at, &n);
	CHECK_EQ(mailbox_open(&mb, st, SLICE("Inbox"), &e), -1);
	CHECK_EQ(e.kind, ERR_TEMP);
	store_set_progress(st, NULL, NULL);
	mb = mbox_open("Inbox");
	CHECK_EQ(mailbox_count(mb), 5000);
	/* A copy that is stopped leaves nothing. */
	store_set_progress(st, stop_at, &n);
	n = 2;
	CHECK_EQ(mailbox_copy(mb, &all, SLICE("to"), false, arena, &r, NULL),
	    STORE_FAILED);
	CHECK_EQ(r.n, 0);
	to = mbox_open("to");
	CHECK_EQ(mailbox_count(to), 0);
	CHECK_EQ(mailbox_uidnext(to), 4001);
	CHECK_EQ(refresh(to), 0); /* readers remove the files */
	mailbox_close(&to);
	CHECK_EQ(files_in(MAILDIR ".to/cur"), 0);
	CHECK_EQ(files_in(MAILDIR ".to/tmp"), 0);
	/* Of a move that is stopped, the half. */
	n = 2;
	CHECK_EQ(mailbox_copy(mb, &all, SLICE("to"), true, arena, &r, NULL),
	    STORE_FAILED);
	CHECK_EQ(r.n, 4000);
	CHECK_EQ(r.source[3999], 4000);
	CHECK_EQ(r.target[3999], 8000);
	store_set_progress(st, NULL, NULL);
	CHECK_EQ(mailbox_copy(mb, &all, SLICE("to"), false, arena, &r, NULL),
	    STORE_OK);
	CHECK_EQ(r.n, 1000);
	CHECK_EQ(r.source[0], 4001);
	CHECK_EQ(refresh(mb), MAILBOX_EXPUNGE);
	take_all(mb);
	CHECK_SLICE(view_of(mb), SLICE("4001:5000"));
	to = mbox_open("to");
	CHECK_EQ(mailbox_count(to), 5000);
	CHECK_SLICE(view_of(to), SLICE("4001:9000"));
	CHECK_SLICE(read_all(to, 5000), SLICE("x\r\n"));
	mailbox_close(&to);
	mailbox_close(&mb);
	CHECK_EQ(files_in(MAILDIR ".to/cur"), 5000);
	CHECK_EQ(files_in(MAILDIR "cur"), 1000);
	end();
}

/* ---- history ---- */

static struct slice
vanished(struct mailbox *mb, uint64_t since, const char *within)
{
	struct uidset uids = UIDSET_INIT(arena), set;

	if (within != NULL)
		set = uids_of(within);
	CHECK_EQ(mailbox_vanished(mb, since, within != NULL ? &set : NULL,
		     &uids, NULL),
	    0);
	return text_of(&uids);
}

static void
test_vanished(void)
{
	struct mailbox *mb;
	uint64_t start, middle;

	begin();
	mb = mbox_open("Inbox");
	for (int i = 0; i < 6; i++)
		add(mb, "x\r\n");
	take_all(mb);
	start = mailbox_modseq(mb);
	store(mb, "2", MAILBOX_ADD, flags_of(STORE_DELETED));
	expunge(mb);
	take_all(mb);
	middle = mailbox_modseq(mb);
	store(mb, "4:5", MAILBOX_ADD, flags_of(STORE_DELETED));
	expunge(mb);
	take_all(mb);
	for (int i = 0; i < 2; i++) {
		CHECK_SLICE(vanished(mb, start, NULL), SLICE("2,4:5"));
		CHECK_SLICE(vanished(mb, middle, NULL), SLICE("4:5"));
		CHECK_SLICE(vanished(mb, start, "1:4"), SLICE("2,4"));
		CHECK_SLICE(vanished(mb, mailbox_modseq(mb), NULL), SLICE(""));
		CHECK_EQ(index_fold(mb, NULL), 1);
	}
	/* History does not reach back: all that are absent. */
	mb->ix.floor = middle;
	CHECK_SLICE(vanished(mb, start, NULL), SLICE("2,4:5"));
	CHECK_SLICE(vanished(mb, middle, NULL), SLICE("4:5"));
	mailbox_close(&mb);
	end();
}

/* By looking at all, and as asked for: the same. */
static void
check_changed(struct mailbox *mb, uint64_t since)
{
	uint32_t count = mailbox_count(mb), found = 0;

	for (uint32_t seq = 1; seq <= count; seq++) {
		if (mailbox_msg(mb, seq)->modseq <= since)
			continue;
		found = mailbox_changed(mb, found + 1, count, since);
		CHECK_EQ(found, seq);
	}
	CHECK_EQ(mailbox_changed(mb, found + 1, count, since), count + 1);
	CHECK_EQ(mailbox_changed(mb, 1, count / 2, UINT64_MAX), count / 2 + 1);
}

static void
test_changed(void)
{
	struct mailbox *mb, *reader;
	uint64_t since[4];

	begin();
	for (unsigned i = 1; i <= 700; i++)
		scratch_put(arena_printf(arena, MAILDIR "cur/%u.x.host:2,", i)
				.p,
		    SLICE("x\n"));
	mb = mbox_open("Inbox");
	CHECK_EQ(mailbox_count(mb), 700);
	CHECK_EQ(index_fold(mb, NULL), 1);
	for (int round = 0; round < 2; round++) {
		reader = mbox_open("Inbox");
		since[0] = mailbox_modseq(mb);
		store(mb, "3,255:257,700", MAILBOX_ADD,
		    flags_of(round ? STORE_SEEN : STORE_DRAFT));
		since[1] = mailbox_modseq(mb);
		store(mb, round ? "1,512" : "511,600", MAILBOX_ADD,
		    flags_of(STORE_DELETED));
		since[2] = mailbox_modseq(mb);
		expunge(mb);
		add(mb, "new\r\n");
		since[3] = mailbox_modseq(mb);
		take_all(mb);
		CHECK(refresh(reader) > 0);
		for (int fold = 0; fold < 2; fold++) {
			for (size_t i = 0; i < 4; i++) {
				check_changed(mb, since[i]);
				check_changed(reader, since[i]);
			}
			CHECK_EQ(index_fold(mb, NULL), 1);
			CHECK(refresh(reader) > 0);
		}
		take_all(reader);
		check_changed(reader, since[0]);
		mailbox_close(&reader);
	}
	/* An index without the numbers: all are looked at. */
	mb->ix.newest = NULL;
	check_changed(mb, since[0]);
	mailbox_close(&mb);
	end();
}

/* A reader without the lock has told of a message whose line is then taken
 * back: its UID is not given again, and whoever heard of it can learn that it
 * is gone. */
static void
test_undo(void)
{
	struct lines ls = LINES_INIT;
	struct line l = { .type = 'a', .name = SLICE("never.placed") };
	struct mailbox *writer, *reader;
	uint64_t log_end, modseq;

	begin();
	writer = mbox_open("Inbox");
	CHECK_EQ(add(writer, "x\r\n"), 1);
	reader = mbox_open("Inbox");
	CHECK_EQ(index_lock(writer, NULL), 0);
	log_end = writer->pair.log.end;
	modseq = writer->ix.modseq + 1;
	l.record.msg = writer->ix.tail[0].msg;
	l.record.msg.uid = 2;
	l.record.msg.modseq = modseq;
	lines_add(&ls, &l);
	CHECK_EQ(index_append(writer, &ls, NULL), 0);
	CHECK_EQ(refresh(reader), MAILBOX_NEW);
	index_undo(writer, log_end);
	index_unlock(writer);
	/* What the reader knows it tells. */
	CHECK_EQ(take_all(reader), 2);
	CHECK_EQ(mailbox_msg(reader, 2)->uid, 2);
	CHECK_EQ(mailbox_modseq(reader), modseq);

	CHECK_EQ(refresh(reader), MAILBOX_EXPUNGE);
	take_all(reader);
	CHECK_EQ(mailbox_count(reader), 1);
	for (int i = 0; i < 2; i++) {
		CHECK_SLICE(vanished(reader, modseq, NULL), SLICE("2"));
		CHECK_EQ(index_fold(writer, NULL), 1);
		CHECK_EQ(add(writer, "y\r\n"), 3 + (uint32_t)i);
		refresh(reader);
		take_all(reader);
		CHECK_EQ(mailbox_msg(reader, 2)->uid, 3);
	}
	CHECK(mailbox_msg(reader, 2)->modseq > modseq);
	lines_free(&ls);
	mailbox_close(&reader);
	mailbox_close(&writer);
	end();
}

/* ---- content ---- */

static void
test_reading(void)
{
	struct buf wire = BUF_INIT(4 << 20);
	struct mailbox *mb;
	struct mailbox_reader *r;
	struct slice all, piece;
	uint64_t breaks = 0;

	begin();
	for (int i = 0; wire.n < 300000; i++)
		buf_addf(&wire, "line %d %.*s\r\n", i, i % 200,
		    "........................................................"
		    "........................................................"
		    "........................................................"
		    "........................................");
	mb = mbox_open("Inbox");
	add(mb, buf_cstr(&wire));
	add(mb, "bare\nLF\r\n");
	take_all(mb);
	all = buf_slice(&wire);
	CHECK_SLICE(read_all(mb, 1), all);
	CHECK_EQ(mailbox_read_open(&r, mb, mailbox_msg(mb, 1), NULL), 1);
	for (size_t at = 0; at < all.n; at += 997) {
		breaks = 0;
		for (size_t i = 0; i < at; i++)
			breaks += all.p[i] == '\n';
		if (at > 0 && all.p[at - 1] == '\r')
			continue; /* callers give positions of lines */
		CHECK_EQ(mailbox_read_seek(r, at,
			     at % 2 ? breaks : MAILBOX_BREAKS_UNKNOWN, NULL),
		    0);
		CHECK_EQ(mailbox_read(r, 10, &piece, NULL), 1);
		CHECK_SLICE(piece, slice_head(slice_skip(all, at), piece.n));
		if (at > 20000)
			at += 50000;
	}
	CHECK_EQ(mailbox_read_seek(r, all.n + 5, MAILBOX_BREAKS_UNKNOWN, NULL),
	    0);
	CHECK_EQ(mailbox_read(r, 10, &piece, NULL), 0);
	mailbox_read_close(&r);
	CHECK_EQ(mailbox_read_open(&r, mb, mailbox_msg(mb, 2), NULL), 1);
	CHECK_EQ(mailbox_read_seek(r, 3, 0, NULL), 0);
	CHECK_EQ(mailbox_read(r, 100, &piece, NULL), 1);
	CHECK_SLICE(piece, SLICE("e\nLF\r\n"));
	mailbox_read_close(&r);
	mailbox_close(&mb);
	buf_free(&wire);
	end();
}

static void
test_record(void)
{
	struct slice record;
	struct mailbox *mb;

	begin();
	mb = mbox_open("Inbox");
	add(mb, "Subject: hello\r\nMessage-ID: <a@b>\r\n\r\nx\r\n");
	take_all(mb);
	CHECK_EQ(mailbox_msg(mb, 1)->thread, 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(mailbox_record(mb, mailbox_msg(mb, 1), &record, NULL),
		    1);
		CHECK_SLICE(msgrec_text(record, MSGREC_SUBJECT),
		    SLICE("hello"));
		CHECK(mailbox_msg(mb, 1)->thread != 0);
		if (i == 1) /* a lost cache is no loss */
			cache_clear(mb->folder.fd);
		refresh(mb);
	}
	mailbox_close(&mb);
	end();
}

/* ---- foreign programs ---- */

static void
test_foreign_new(void)
{
	struct mailbox *mb;

	begin();
	mb = mbox_open("Inbox");
	add(mb, "own\r\n");
	scratch_put(MAILDIR "new/1.a.host", SLICE("a\n"));
	scratch_put(MAILDIR "cur/2.b.host:2,SF", SLICE("b\nb\n"));
	scratch_put(MAILDIR "new/.hidden", SLICE("no\n"));
	CHECK_EQ(mkdirat(scratch_fd, MAILDIR "new/dir", 0700), 0);
	CHECK_EQ(refresh(mb), MAILBOX_NEW);
	take_all(mb);
	CHECK_SLICE(view_of(mb), SLICE("1:3"));
	CHECK_SLICE(read_all(mb, 2), SLICE("a\r\n"));
	CHECK_SLICE(read_all(mb, 3), SLICE("b\r\nb\r\n"));
	CHECK_EQ(mailbox_msg(mb, 3)->wire_size, 6);
	CHECK_EQ(flags_at(mb, 2), 0);
	CHECK_EQ(flags_at(mb, 3), STORE_SEEN | STORE_FLAGGED);
	/* The name is put in order. */
	CHECK(slice_find(names_in(MAILDIR "cur"), SLICE("2.b.host:2,FS")) >= 0);
	CHECK_EQ(refresh(mb), 0);
	/* Delivered with flags, in new/. */
	scratch_put(MAILDIR "new/3.c.host:2,R", SLICE("c\n"));
	CHECK_EQ(refresh(mb), MAILBOX_NEW);
	take_all(mb);
	CHECK_EQ(flags_at(mb, 4), STORE_ANSWERED);
	CHECK_SLICE(read_all(mb, 4), SLICE("c\r\n"));
	mailbox_close(&mb);
	mb = mbox_open("Inbox");
	CHECK_SLICE(view_of(mb), SLICE("1:4"));
	mailbox_close(&mb);
	end();
}

/* mutt reads new mail, sets flags, deletes. */
static void
test_foreign_changes(void)
{
	struct uidset uids = UIDSET_INIT(NULL);
	struct mailbox *mb;

	begin();
	scratch_put(MAILDIR "new/1.a.host", SLICE("a\n"));
	scratch_put(MAILDIR "new/2.b.host", SLICE("b\n"));
	mb = mbox_open("Inbox");
	CHECK_SLICE(view_of(mb), SLICE("1:2"));
	move_file(MAILDIR "new/1.a.host", MAILDIR "cur/1.a.host:2,S");
	CHECK_EQ(refresh(mb), MAILBOX_FLAGS);
	CHECK_EQ(flags_at(mb, 1), STORE_SEEN);
	CHECK_SLICE(read_all(mb, 1), SLICE("a\r\n"));
	take_all(mb);
	/* Ours and theirs at once: neither is lost. */
	store(mb, "1", MAILBOX_ADD, flags_of(STORE_FLAGGED));
	store(mb, "1", MAILBOX_REMOVE, flags_of(STORE_SEEN));
	move_file(MAILDIR "cur/1.a.host:2,S", MAILDIR "cur/1.a.host:2,RS");
	CHECK_EQ(refresh(mb), MAILBOX_FLAGS);
	CHECK_EQ(flags_at(mb, 1), STORE_FLAGGED | STORE_ANSWERED);
	take_all(mb);
	/* mbsync puts its UID into the name. */
	move_file(MAILDIR "cur/1.a.host:2,RS", MAILDIR "cur/1.a.host,U=7:2,RS");
	CHECK_EQ(refresh(mb), 0);
	CHECK_SLICE(read_all(mb, 1), SLICE("a\r\n"));
	/* Gone, but only when the folders have been still for a while. */
	CHECK_EQ(unlinkat(scratch_fd, MAILDIR "new/2.b.host", 0), 0);
	CHECK_EQ(refresh(mb), 0);
	age_all();
	CHECK_EQ(refresh(mb), MAILBOX_EXPUNGE);
	take_all(mb);
	CHECK_SLICE(view_of(mb), SLICE("1"));
	uids = (struct uidset)UIDSET_INIT(arena);
	CHECK_EQ(mailbox_vanished(mb, 1, NULL, &uids, NULL), 0);
	CHECK_SLICE(text_of(&uids), SLICE("2"));
	mailbox_close(&mb);
	CHECK_SLICE(names_in(MAILDIR "cur"), SLICE("1.a.host,U=7:2,FR"));
	end();
}

/* The name is being given when another program gives one of its own: what it
 * left as it was is not its doing. */
static void
test_foreign_before_rename(void)
{
	struct uidset one;
	struct lines ls = LINES_INIT;
	struct line w = { .type = 'w',
		.record = { .place = RECORD_CUR,
		    .disk = STORE_ANSWERED | STORE_SEEN } };
	struct mailbox *mb;

	begin();
	one = uids_of("1");
	scratch_put(MAILDIR "cur/1.a.host:2,R", SLICE("a\n"));
	mb = mbox_open("Inbox");
	store(mb, "1", MAILBOX_ADD, flags_of(STORE_SEEN));
	w.uids = one;
	lines_add(&ls, &w);
	CHECK_EQ(index_lock(mb, NULL), 0);
	CHECK_EQ(index_append(mb, &ls, NULL), 0);
	index_unlock(mb);
	lines_free(&ls);
	move_file(MAILDIR "cur/1.a.host:2,R", MAILDIR "cur/1.a.host:2,F");
	age_all();
	CHECK_EQ(refresh(mb), MAILBOX_FLAGS);
	CHECK_EQ(flags_at(mb, 1), STORE_SEEN | STORE_FLAGGED);
	mailbox_close(&mb);
	end();
}

/* A name that was given a moment ago is no reason to leave a message. */
static void
test_move_renamed(void)
{
	struct mailbox_copy_result r;
	struct uidset all;
	struct mailbox *mb;

	begin();
	CHECK_EQ(store_mailbox_create(st, SLICE("to"), 0, arena, NULL, NULL,
		     NULL),
	    STORE_OK);
	scratch_put(MAILDIR "cur/1.a.host:2,R", SLICE("a\n"));
	scratch_put(MAILDIR "cur/2.b.host:2,", SLICE("b\n"));
	scratch_put(MAILDIR "cur/3.c.host:2,", SLICE("c\n"));
	mb = mbox_open("Inbox");
	move_file(MAILDIR "cur/1.a.host:2,R", MAILDIR "cur/1.a.host:2,S");
	CHECK_EQ(unlinkat(scratch_fd, MAILDIR "cur/3.c.host:2,", 0), 0);
	all = uids_of("1:3");
	CHECK_EQ(mailbox_copy(mb, &all, SLICE("to"), true, arena, &r, NULL),
	    STORE_OK);
	CHECK_SLICE(copied(&r), SLICE("2>1 1>2 "));
	mailbox_close(&mb);
	mb = mbox_open("to");
	CHECK_EQ(flags_at(mb, 2), STORE_SEEN);
	mailbox_close(&mb);
	end();
}

/* Found at open, which happens without the index having been told. */
static void
test_renamed_while_open(void)
{
	struct mailbox *mb;

	begin();
	scratch_put(MAILDIR "cur/1.a.host:2,", SLICE("a\n"));
	mb = mbox_open("Inbox");
	move_file(MAILDIR "cur/1.a.host:2,", MAILDIR "cur/1.a.host:2,S");
	CHECK_SLICE(read_all(mb, 1), SLICE("a\r\n"));
	CHECK_EQ(flags_at(mb, 1), STORE_SEEN);
	CHECK_EQ(unlinkat(scratch_fd, MAILDIR "cur/1.a.host:2,S", 0), 0);
	age_all();
	{
		struct mailbox_reader *r;

		CHECK_EQ(mailbox_read_open(&r, mb, mailbox_msg(mb, 1), NULL),
		    0);
	}
	mailbox_close(&mb);
	end();
}

/* The fallback for file systems that keep both names of a rename. */
static void
test_both_names(void)
{
	struct mailbox *mb;

	begin();
	scratch_put(MAILDIR "cur/1.a.host:2,S", SLICE("a\n"));
	mb = mbox_open("Inbox");
	CHECK_EQ(linkat(scratch_fd, MAILDIR "cur/1.a.host:2,S", scratch_fd,
		     MAILDIR "new/1.a.host", 0),
	    0);
	CHECK_EQ(refresh(mb), 0);
	CHECK_SLICE(view_of(mb), SLICE("1"));
	CHECK_EQ(flags_at(mb, 1), STORE_SEEN);
	CHECK_SLICE(names_in(MAILDIR "new"), SLICE(""));
	mailbox_close(&mb);
	end();
}

/* Different files with one base name: no message is hidden or lost. */
static void
test_same_base(void)
{
	struct mailbox *mb;

	begin();
	scratch_put(MAILDIR "cur/1.a.host:2,S", SLICE("a\n"));
	scratch_put(MAILDIR "cur/1.a.host:2,FS", SLICE("ab\n"));
	scratch_put(MAILDIR "cur/1.a.host:2,SF", SLICE("abc\n"));
	mb = mbox_open("Inbox");
	for (int i = 0; i < 4; i++) {
		age_all();
		refresh(mb);
		take_all(mb);
	}
	CHECK_SLICE(view_of(mb), SLICE("1:3"));
	CHECK_EQ(mailbox_msg(mb, 1)->size + mailbox_msg(mb, 2)->size +
		mailbox_msg(mb, 3)->size,
	    9);
	scratch_put(MAILDIR "new/2.b.host", SLICE("abcd\n"));
	scratch_put(MAILDIR "cur/2.b.host:2,", SLICE("abcde\n"));
	for (int i = 0; i < 4; i++) {
		age_all();
		refresh(mb);
		take_all(mb);
	}
	CHECK_SLICE(view_of(mb), SLICE("1:5"));
	mailbox_close(&mb);
	end();
}

/* ---- the index lost ---- */

static void
test_lost_index(void)
{
	static const char *const files[] = { "mox.log", "mox.cdb" };
	struct mailbox *mb;
	uint32_t validity = 0;
	char path[100];

	for (int i = 0; i < 4; i++) {
		begin();
		mb = mbox_open("Inbox");
		add_flags(mb, "one\r\n", flags_of(STORE_SEEN));
		add(mb, "two\r\n");
		take_all(mb);
		CHECK_EQ(index_fold(mb, NULL), 1);
		store(mb, "2", MAILBOX_ADD, flags_of(STORE_FLAGGED));
		validity = mailbox_uidvalidity(mb);
		mailbox_close(&mb);
		snprintf(path, sizeof(path), MAILDIR "%s", files[i % 2]);
		if (i < 2)
			CHECK_EQ(unlinkat(scratch_fd, path, 0), 0);
		else
			scratch_put(path, SLICE("nonsense\n"));
		log_set_fd(open("/dev/null", O_WRONLY));
		mb = mbox_open("Inbox");
		CHECK(mailbox_uidvalidity(mb) > validity);
		CHECK_SLICE(view_of(mb), SLICE("1:2"));
		CHECK_EQ(flags_at(mb, 1) | flags_at(mb, 2),
		    STORE_SEEN | STORE_FLAGGED);
		CHECK_EQ(mailbox_msg(mb, 1)->received, 1000);
		mailbox_close(&mb);
		CHECK(slice_find(names_in("accounts/joe/Maildir"),
			  SLICE(".bad-")) >= 0);
		end();
	}
}

/* A writer was killed between its line and the rename out of tmp/. */
static void
test_left_in_tmp(void)
{
	struct mailbox *mb;
	struct lines ls = LINES_INIT;
	struct line l = { .type = 'a',
		.modseq = 5,
		.name = SLICE("1.a.host"),
		.record = { .msg = { .uid = 1,
				.modseq = 5,
				.size = 2,
				.wire_size = 3,
				.emailid = "aaaaaaaaaaaaaaaaaaa" } } };

	begin();
	l.record.msg.emailid[19] = 'a';
	mb = mbox_open("Inbox");
	scratch_put(MAILDIR "tmp/1.a.host", SLICE("a\n"));
	lines_add(&ls, &l);
	CHECK_EQ(index_lock(mb, NULL), 0);
	CHECK_EQ(index_append(mb, &ls, NULL), 0);
	index_unlock(mb);
	lines_free(&ls);
	take_all(mb);
	CHECK_SLICE(read_all(mb, 1), SLICE("a\r\n"));
	CHECK_SLICE(names_in(MAILDIR "new"), SLICE(""));
	add(mb, "next\r\n");
	CHECK_EQ(slice_find(names_in(MAILDIR "new"), SLICE("1.a.host")) >= 0,
	    1);
	mailbox_close(&mb);
	end();
}

static void
test_adopt_dovecot(void)
{
	struct mailbox *mb;

	begin();
	scratch_put(MAILDIR "cur/1.a.host:2,Sa", SLICE("a\n"));
	scratch_put(MAILDIR "cur/2.b.host:2,", SLICE("b\n"));
	scratch_put(MAILDIR "new/3.c.host", SLICE("c\n"));
	scratch_put(MAILDIR "dovecot-keywords", SLICE("0 Work\n1 $Junk\n"));
	scratch_put(MAILDIR "dovecot-uidlist",
	    SLICE("3 V1700000000 N20 Gabc\n7 :2.b.host\n9 :1.a.host\n"));
	mb = mbox_open("Inbox");
	CHECK_EQ(mailbox_uidvalidity(mb), 1700000000);
	CHECK_SLICE(view_of(mb), SLICE("7,9,20"));
	CHECK_SLICE(read_all(mb, 1), SLICE("b\r\n"));
	CHECK_EQ(flags_at(mb, 2), STORE_SEEN);
	CHECK_EQ(mailbox_msg(mb, 2)->keywords, 1);
	CHECK_EQ(add(mb, "new\r\n"), 21);
	mailbox_close(&mb);
	end();
}

/* Lines `m` of the log, and how many of them say again what one before said. */
static void
count_mtimes(unsigned *lines_r, unsigned *again_r)
{
	struct buf log = BUF_INIT(1 << 20);
	struct map *said = map_new();
	struct slice text = scratch_get(MAILDIR "mox.log", &log), line;

	for (*lines_r = *again_r = 0; slice_line(&text, &line);) {
		if (!slice_starts(line, SLICE("m ")))
			continue;
		++*lines_r;
		*again_r += map_has(said, line);
		map_set(said, line, said);
	}
	map_free(&said);
	buf_free(&log);
}

/* A file is missing, and the folder too young to believe it. */
static void
test_missing_lines(void)
{
	unsigned lines, again;
	struct mailbox_reader *r;
	struct mailbox *mb;

	begin();
	mb = mbox_open("Inbox");
	add(mb, "x\r\n");
	take_all(mb);
	unlink_all(MAILDIR "new");
	unlink_all(MAILDIR "cur");
	for (int i = 0; i < 3; i++) {
		mailbox_read_open(&r, mb, mailbox_msg(mb, 1), NULL);
		mailbox_close(&mb);
		mb = mbox_open("Inbox");
		if (mailbox_count(mb) == 0)
			break; /* slow: it is believed by now */
	}
	mailbox_close(&mb);
	count_mtimes(&lines, &again);
	CHECK(lines > 0);
	CHECK_EQ(again, 0);
	end();
}

/* Full to the last UID, the mailbox can be read, and folded, and no more. */
static void
test_last_uid(void)
{
	struct lines ls = LINES_INIT;
	struct line l = { .type = 'n', .uidnext = UINT32_MAX - 1 };
	struct mailbox_new m = { 0 };
	struct mailbox_new_result r;
	struct mailbox *mb;

	begin();
	mb = mbox_open("Inbox");
	l.modseq = mb->ix.modseq + 1;
	lines_add(&ls, &l);
	CHECK_EQ(index_lock(mb, NULL), 0);
	CHECK_EQ(index_append(mb, &ls, NULL), 0);
	index_unlock(mb);
	CHECK_EQ(add(mb, "x\r\n"), UINT32_MAX - 1);
	CHECK_EQ(index_fold(mb, NULL), 1);
	mailbox_close(&mb);
	mb = mbox_open("Inbox");
	CHECK_EQ(mailbox_count(mb), 1);
	CHECK_EQ(mailbox_uidnext(mb), UINT32_MAX);
	m.spool = spool_of("x\r\n");
	CHECK_EQ(mailbox_add(mb, &m, 1, arena, &r, NULL), STORE_FAILED);
	spool_free(&m.spool);
	lines_free(&ls);
	mailbox_close(&mb);
	end();
}

/* Sets that name UIDs nobody has: a damaged CDB is made anew, a line `o` taken
 * as it is; neither is walked UID by UID. */
static void
test_huge_sets(void)
{
	struct lines ls = LINES_INIT;
	struct line l = { .type = 'o' };
	struct mailbox *mb;

	begin();
	mb = mbox_open("Inbox");
	add(mb, "x\r\n");
	l.uids = uids_of("2:4294967294");
	lines_add(&ls, &l);
	CHECK_EQ(index_lock(mb, NULL), 0);
	CHECK_EQ(index_append(mb, &ls, NULL), 0);
	index_unlock(mb);
	CHECK_EQ(add(mb, "y\r\n"), 2);
	uidset_add(&mb->ix.in_new, 1, UINT32_MAX - 1);
	CHECK_EQ(index_fold(mb, NULL), -1);
	CHECK(mb->gone);
	mailbox_close(&mb);
	mb = mbox_open("Inbox");
	CHECK_EQ(mailbox_count(mb), 2);
	lines_free(&ls);
	mailbox_close(&mb);
	end();
}

static void
test_gone(void)
{
	struct mailbox *mb;
	struct mailbox_new m = { .spool = spool_of("x\r\n") };
	struct mailbox_new_result r;

	begin();
	CHECK_EQ(store_mailbox_create(st, SLICE("A"), 0, arena, NULL, NULL,
		     NULL),
	    STORE_OK);
	mb = mbox_open("A");
	CHECK_EQ(store_mailbox_delete(st, SLICE("A"), NULL), STORE_OK);
	CHECK(refresh(mb) & MAILBOX_GONE);
	CHECK(mailbox_add(mb, &m, 1, arena, &r, NULL) != STORE_OK);
	mailbox_close(&mb);
	CHECK_EQ(store_mailbox_create(st, SLICE("A"), 0, arena, NULL, NULL,
		     NULL),
	    STORE_OK);
	mb = mbox_open("A");
	CHECK_EQ(index_renew(st, SLICE("A"), NULL), 0);
	CHECK(refresh(mb) & MAILBOX_GONE);
	mailbox_close(&mb);
	spool_free(&m.spool);
	end();
}

int
main(void)
{
	RUN(test_lines);
	RUN(test_bad_lines);
	RUN(test_add);
	RUN(test_add_many);
	RUN(test_pending);
	RUN(test_fold);
	RUN(test_conditional);
	RUN(test_keywords);
	RUN(test_too_many_keywords);
	RUN(test_copying);
	RUN(test_moving);
	RUN(test_batches);
	RUN(test_vanished);
	RUN(test_changed);
	RUN(test_undo);
	RUN(test_reading);
	RUN(test_record);
	RUN(test_foreign_new);
	RUN(test_foreign_changes);
	RUN(test_foreign_before_rename);
	RUN(test_move_renamed);
	RUN(test_renamed_while_open);
	RUN(test_both_names);
	RUN(test_same_base);
	RUN(test_lost_index);
	RUN(test_left_in_tmp);
	RUN(test_adopt_dovecot);
	RUN(test_missing_lines);
	RUN(test_last_uid);
	RUN(test_huge_sets);
	RUN(test_gone);
	return unit_done();
}
