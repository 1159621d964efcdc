/* Unit test of lib/store: what other programs do in an open mailbox. */
#include "t/mailbox.h"

static uint64_t
wire_size(struct mailbox *mb, uint32_t seq)
{
	uint64_t size = 0;

	CHECK_EQ(mailbox_wire_size(mb, mailbox_msg(mb, seq), &size, NULL), 1);
	return size;
}

/* Files without W=: the first has CRLF and LF, the second CRLF, the others LF. */
static void
put_files(void)
{
	scratch_put(MAILDIR "cur/1.a.host:2,S", SLICE("a\r\n\r\nb\n"));
	scratch_put(MAILDIR "cur/2.b.host:2,T", SLICE("b\r\n\r\n"));
	scratch_put(MAILDIR "cur/3.c.host:2,", SLICE("c\n\nc\n"));
	scratch_put(MAILDIR "new/4.d.host", SLICE(""));
	scratch_put(MAILDIR "new/5.e.host,S=2,W=3", SLICE("e\n"));
	scratch_put(MAILDIR "new/6.f.host,S=9,W=9", SLICE("f\n"));
}

/* Sizes are asked for: of some, of all, in whichever way, over folds. */
static void
test_sizes(void)
{
	static const uint64_t wire[] = { 8, 5, 8, 0, 3, 3 };
	struct mailbox *mb;
	struct mailbox_counts c;
	struct index_sums said;
	struct slice record;

	for (int round = 0; round < 3; round++) {
		begin();
		put_files();
		mb = mbox_open("Inbox");
		CHECK_EQ(mb->ix.unmeasured, 4);
		CHECK_EQ(mb->ix.stored, 7 + 5 + 5 + 0 + 2 + 2);
		CHECK_EQ(index_fold(mb, NULL), 1);
		CHECK_EQ(mb->ix.unmeasured, 4);
		if (round == 1)
			CHECK_EQ(mailbox_measure(mb, NULL), 0);
		for (uint32_t seq = 1; seq <= 6 && round == 2; seq++)
			CHECK_EQ(mailbox_record(mb, mailbox_msg(mb, seq),
				     &record, NULL),
			    1);
		if (round > 0)
			CHECK_EQ(mb->ix.unmeasured, 0);
		for (uint32_t seq = 1; seq <= 6; seq++)
			CHECK_EQ(wire_size(mb, seq), wire[seq - 1]);
		CHECK_EQ(mb->ix.unmeasured, 0);
		mailbox_counts(mb, &c);
		CHECK_EQ(c.size, 27);
		CHECK_EQ(c.deleted_size, 5);
		CHECK_EQ(index_recount(mb, false, &said, NULL), 0);
		CHECK_EQ(index_fold(mb, NULL), 1);
		mailbox_close(&mb);
		mb = mbox_open("Inbox");
		CHECK_EQ(mb->ix.unmeasured, 0);
		mailbox_counts(mb, &c);
		CHECK_EQ(c.size, 27);
		CHECK_SLICE(read_all(mb, 1), SLICE("a\r\n\r\nb\r\n"));
		CHECK_SLICE(read_all(mb, 2), SLICE("b\r\n\r\n"));
		mailbox_close(&mb);
		end();
	}
}

/* What is not measured can be read, copied, and expunged all the same. */
static void
test_not_measured(void)
{
	struct mailbox *mb, *to;
	struct mailbox_target target = { .name = SLICE("To") };
	struct mailbox_copy_result r;
	struct uidset uids;
	struct mailbox_counts c;
	struct slice *made;
	size_t n;

	begin();
	put_files();
	CHECK_EQ(store_mailbox_create(st, SLICE("To"), 0, arena, &made, &n,
		     NULL),
	    STORE_OK);
	mb = mbox_open("Inbox");
	uids = (struct uidset)UIDSET_INIT(arena);
	uidset_add(&uids, 1, 6);
	target.store = st;
	CHECK_EQ(mailbox_copy(mb, &uids, &target, false, arena, &r, NULL),
	    STORE_OK);
	CHECK_EQ(mb->ix.unmeasured, 4);
	to = mbox_open("To");
	CHECK_EQ(to->ix.unmeasured, 4);
	CHECK_SLICE(read_all(to, 1), SLICE("a\r\n\r\nb\r\n"));
	CHECK_SLICE(read_all(to, 2), SLICE("b\r\n\r\n"));
	CHECK_EQ(to->ix.unmeasured, 4);
	CHECK_EQ(wire_size(to, 2), 5);
	mailbox_close(&to);
	/* Another process measures; the view here is told of nothing. */
	to = mbox_open("Inbox");
	CHECK_EQ(mailbox_measure(to, NULL), 0);
	mailbox_close(&to);
	CHECK_EQ(refresh(mb), 0);
	mailbox_counts(mb, &c);
	CHECK_EQ(c.size, 27);
	CHECK_SLICE(expunge(mb), SLICE("2"));
	take_all(mb);
	mailbox_counts(mb, &c);
	CHECK_EQ(c.size, 22);
	CHECK_EQ(c.deleted_size, 0);
	mailbox_close(&mb);
	end();
}

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
	CHECK_EQ(wire_size(mb, 3), 6);
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

int
main(void)
{
	RUN(test_foreign_new);
	RUN(test_sizes);
	RUN(test_not_measured);
	RUN(test_foreign_changes);
	RUN(test_foreign_before_rename);
	RUN(test_renamed_while_open);
	RUN(test_both_names);
	RUN(test_same_base);
	return unit_done();
}
