/* Unit test of lib/store: the open mailbox (mailbox.h). */
#include "t/mailbox.h"

#include "message/record.h"

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
	CHECK_EQ(mailbox_status(st, SLICE("Inbox"), true, &status, NULL), 1);
	CHECK_EQ(status.uidnext, 3);
	CHECK_EQ(status.counts.messages, 2);
	CHECK_EQ(status.uidvalidity, mailbox_uidvalidity(mb));
	mailbox_close(&mb);
	CHECK_EQ(mailbox_status(st, SLICE("Nowhere"), true, &status, NULL), 0);
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
check_flagged(struct mailbox *mb, uint16_t mask, uint16_t value)
{
	uint32_t count = mailbox_count(mb), found = 0;

	for (uint32_t seq = 1; seq <= count; seq++) {
		if ((mailbox_msg(mb, seq)->flags & mask) != value)
			continue;
		found = mailbox_flagged(mb, found + 1, count, mask, value);
		CHECK_EQ(found, seq);
	}
	CHECK_EQ(mailbox_flagged(mb, found + 1, count, mask, value), count + 1);
}

static void
test_changed(void)
{
	struct mailbox *mb, *reader;
	static const uint16_t masks[] = { STORE_DRAFT, STORE_SEEN,
		STORE_SEEN | STORE_DRAFT, STORE_DELETED };
	static const uint16_t values[] = { STORE_DRAFT, 0, STORE_SEEN, 0 };
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
				check_flagged(mb, masks[i], values[i]);
				check_flagged(reader, masks[i], values[i]);
			}
			CHECK_EQ(index_fold(mb, NULL), 1);
			CHECK(refresh(reader) > 0);
		}
		take_all(reader);
		check_changed(reader, since[0]);
		mailbox_close(&reader);
	}
	/* An index without the numbers: all are looked at. */
	CHECK(mb->ix.blockflags != NULL);
	mb->ix.newest = NULL;
	mb->ix.blockflags = NULL;
	check_changed(mb, since[0]);
	check_flagged(mb, STORE_SEEN, STORE_SEEN);
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

int
main(void)
{
	RUN(test_add);
	RUN(test_add_many);
	RUN(test_pending);
	RUN(test_fold);
	RUN(test_conditional);
	RUN(test_keywords);
	RUN(test_too_many_keywords);
	RUN(test_vanished);
	RUN(test_changed);
	RUN(test_undo);
	RUN(test_reading);
	RUN(test_record);
	return unit_done();
}
