/* Unit test of lib/store/copy.c: copies and moves. */
#include "t/mailbox.h"

static struct slice
copied(const struct mailbox_copy_result *r)
{
	struct slice s = SLICE_NULL;

	for (size_t i = 0; i < r->n; i++)
		s = arena_printf(arena, "%.*s%u>%u ", SLICE_FMT(s),
		    (unsigned)r->source[i], (unsigned)r->target[i]);
	return s;
}

/* To another mailbox of the account, with all flags. */
static enum store_code
copy_to(struct mailbox *mb, const struct uidset *uids, struct slice name,
    bool move, struct mailbox_copy_result *r)
{
	const struct mailbox_target to = { .store = mailbox_store_of(mb),
		.name = name };

	return mailbox_copy(mb, uids, &to, move, arena, r, NULL);
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
	CHECK_EQ(copy_to(mb, &uids, SLICE("A/b"), move, &r), STORE_OK);
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
	CHECK_EQ(copy_to(mb, &uids, SLICE("Nowhere"), move, &r),
	    STORE_NONEXISTENT);
	uids = uids_of("1");
	CHECK_EQ(copy_to(mb, &uids, SLICE("Inbox"), move, &r),
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
	CHECK_EQ(copy_to(mb, &all, SLICE("to"), false, &r), STORE_FAILED);
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
	CHECK_EQ(copy_to(mb, &all, SLICE("to"), true, &r), STORE_FAILED);
	CHECK_EQ(r.n, 4000);
	CHECK_EQ(r.source[3999], 4000);
	CHECK_EQ(r.target[3999], 8000);
	store_set_progress(st, NULL, NULL);
	CHECK_EQ(copy_to(mb, &all, SLICE("to"), false, &r), STORE_OK);
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
	CHECK_EQ(copy_to(mb, &all, SLICE("to"), true, &r), STORE_OK);
	CHECK_SLICE(copied(&r), SLICE("2>1 1>2 "));
	mailbox_close(&mb);
	mb = mbox_open("to");
	CHECK_EQ(flags_at(mb, 2), STORE_SEEN);
	mailbox_close(&mb);
	end();
}

int
main(void)
{
	RUN(test_copying);
	RUN(test_moving);
	RUN(test_batches);
	RUN(test_move_renamed);
	return unit_done();
}
