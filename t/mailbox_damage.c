/* Unit test of lib/store: an index that is lost, damaged or full. */
#include "base/log.h"
#include "base/map.h"
#include "t/mailbox.h"

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

/* In the head of mox.cdb: behind six numbers of 8 bytes. */
#define HEAD_MESSAGES (6 * 8)
#define HEAD_UNSEEN_FROM (HEAD_MESSAGES + 4 * 4)

static void
put_in_head(size_t at, uint32_t number)
{
	static const uint64_t magic = 0x6d6f78696478ull << 16 | 112;
	struct buf cdb = BUF_INIT(1 << 20);
	struct slice text = scratch_get(MAILDIR "mox.cdb", &cdb);
	ssize_t head =
	    slice_find(text, slice_of((const char *)&magic, sizeof(magic)));

	CHECK(head >= 0);
	memcpy(cdb.p + head + at, &number, sizeof(number));
	scratch_put(MAILDIR "mox.cdb", buf_slice(&cdb));
	buf_free(&cdb);
}

/* Totals that the records contradict: what only the index knows stays. */
static void
test_wrong_totals(void)
{
	static const struct {
		size_t at;
		uint32_t number;
	} rows[] = { { HEAD_MESSAGES, 1 }, { HEAD_MESSAGES, 7 },
		{ HEAD_UNSEEN_FROM, 7 } };
	struct slice kw = SLICE("only-in-the-index");
	struct store_flags keyword = { .keywords = &kw, .nkeywords = 1 };
	struct mailbox_counts c;
	struct index_sums said;
	struct mailbox *mb;
	uint64_t modseq;
	uint32_t validity;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		mb = mbox_open("Inbox");
		add_flags(mb, "one\r\n", flags_of(STORE_SEEN));
		add(mb, "two\r\n");
		add(mb, "three\r\n");
		take_all(mb);
		store(mb, "1", MAILBOX_SET, flags_of(STORE_DELETED));
		expunge(mb);
		take_all(mb);
		store(mb, "2", MAILBOX_ADD, keyword);
		CHECK_EQ(index_fold(mb, NULL), 1);
		validity = mailbox_uidvalidity(mb);
		modseq = mb->ix.modseq;
		mailbox_close(&mb);
		put_in_head(rows[i].at, rows[i].number);
		mb = mbox_open("Inbox");
		CHECK_EQ(mailbox_uidvalidity(mb), validity);
		CHECK_SLICE(view_of(mb), SLICE("2:3"));
		CHECK_EQ(mailbox_msg(mb, 1)->keywords, 1);
		CHECK(mb->ix.modseq >= modseq);
		mailbox_counts(mb, &c);
		CHECK_EQ(c.messages, 2);
		CHECK_EQ(c.unseen, 2);
		CHECK_EQ(c.first_unseen, 1);
		/* It is told, and mended. */
		CHECK_EQ(index_recount(mb, false, &said, NULL), 1);
		CHECK_EQ(index_recount(mb, true, &said, NULL), 1);
		CHECK_EQ(index_recount(mb, false, &said, NULL), 0);
		CHECK_EQ(mailbox_uidvalidity(mb), validity);
		mailbox_close(&mb);
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
	RUN(test_lost_index);
	RUN(test_left_in_tmp);
	RUN(test_wrong_totals);
	RUN(test_adopt_dovecot);
	RUN(test_missing_lines);
	RUN(test_last_uid);
	RUN(test_huge_sets);
	RUN(test_gone);
	return unit_done();
}
