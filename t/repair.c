/* Unit test of lib/store: the line `g`, and repairs beside views that are
 * open. */
#include <sys/stat.h>

#include "message/record.h"
#include "store/index.h"
#include "store/repair.h"
#include "t/scratch.h"

static struct store_env env = {
	.run_fd = -1, .hostname = "test", .file_mode = 0600
};
static struct store *st;
static struct arena *arena;

/* ---- help ---- */

static void
begin(void)
{
	scratch_begin();
	env.data_fd = scratch_fd;
	arena = arena_new(0);
	CHECK_EQ(store_create(&st, &env, SLICE("joe"), NULL, 0, NULL), 0);
}

static void
end(void)
{
	store_close(&st);
	arena_free(&arena);
	scratch_end();
}

static struct mailbox *
inbox(void)
{
	struct mailbox *mb = NULL;

	CHECK_EQ(mailbox_open(&mb, st, SLICE("Inbox"), NULL), 1);
	return mb;
}

static enum store_code
add(struct mailbox *mb, const char *subject)
{
	struct slice keyword = SLICE("kw");
	struct mailbox_new m = { .spool = spool_new(&env, 0),
		.flags = { .flags = STORE_FLAGGED,
		    .keywords = &keyword,
		    .nkeywords = 1 },
		.received = 1000 };
	struct mailbox_new_result r;
	enum store_code code;

	CHECK_EQ(spool_add(m.spool,
		     arena_printf(arena, "Subject: %s\r\n\r\n%s\r\n", subject,
			 subject),
		     NULL),
	    0);
	CHECK_EQ(spool_end(m.spool, NULL), 0);
	code = mailbox_add(mb, &m, 1, arena, &r, NULL);
	spool_free(&m.spool);
	return code;
}

static void
expunge(struct mailbox *mb, uint32_t uid)
{
	CHECK_EQ(mailbox_remove(mb, uid, NULL), 0);
}

/* UIDs and bodies of the view: "1a 3c". */
static struct slice
contents(struct mailbox *mb)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct slice text;

	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++) {
		struct store_msg m = *mailbox_msg(mb, seq);
		struct mailbox_reader *r = NULL;
		struct slice wire;

		buf_addf(&b, "%s%u", seq > 1 ? " " : "", (unsigned)m.uid);
		if (mailbox_read_open(&r, mb, &m, NULL) != 1 ||
		    mailbox_read(r, SIZE_MAX, &wire, NULL) != 1)
			buf_addc(&b, '!');
		else
			buf_add(&b, slice_head(slice_skip(wire, 9), 1));
		mailbox_read_close(&r);
	}
	text = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

static struct repair_note last_note;

static void
take_note(void *ctx, const struct repair_note *n)
{
	(void)ctx;
	last_note = *n;
	last_note.text = NULL;
}

static int
repair(int (*run)(struct repair *r, struct err *e))
{
	struct repair r = { .st = st, .note = take_note };
	struct err e = ERR_INIT;
	int rc = run(&r, &e);

	if (rc < 0)
		UNIT_FAIL("%s", e.text);
	return rc;
}

/* ---- tests ---- */

static void
test_reassign(void)
{
	struct mailbox *mb;
	struct slice record;
	uint64_t modseq;

	begin();
	mb = inbox();
	for (const char *s = "abcdef"; *s; s++)
		CHECK_EQ(add(mb, arena_printf(arena, "%.1s", s).p), STORE_OK);
	expunge(mb, 1);
	expunge(mb, 4);
	modseq = mb->ix.modseq;
	mailbox_close(&mb);
	mb = inbox();
	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++)
		CHECK_EQ(mailbox_record(mb, mailbox_msg(mb, seq), &record,
			     NULL),
		    1);
	mailbox_close(&mb);
	CHECK_EQ(repair(repair_reassign_uids), 0);
	CHECK_EQ(last_note.changed, 4);
	mb = inbox();
	CHECK_SLICE(contents(mb), SLICE("1b 2c 3e 4f"));
	CHECK_EQ(mailbox_uidvalidity(mb), last_note.uidvalidity);
	CHECK_EQ(mailbox_uidnext(mb), 5);
	CHECK_EQ(mailbox_modseq(mb), modseq + 1);
	CHECK(!mailbox_remembers(mb, modseq));
	for (uint32_t seq = 1; seq <= 4; seq++) {
		const struct store_msg *m = mailbox_msg(mb, seq);

		CHECK_EQ(m->modseq, modseq + 1);
		CHECK_EQ(m->flags, STORE_FLAGGED);
		CHECK_EQ(m->keywords, 1);
		/* Cached under the new UID. */
		CHECK(mailbox_record_cached(mb, m, &record));
	}
	CHECK_EQ(add(mb, "g"), STORE_OK);
	mailbox_close(&mb);
	end();
}

/* Files of expunged messages, names being given, messages in new/: all go on
 * under the new UIDs. Without the fold, as another process sees it. */
static void
test_line(void)
{
	struct line l = { .type = 'g', .uidvalidity = 7, .modseq = 99 };
	struct lines ls = LINES_INIT;
	struct mailbox *mb, *other;

	begin();
	mb = inbox();
	for (const char *s = "abcd"; *s; s++)
		CHECK_EQ(add(mb, arena_printf(arena, "%.1s", s).p), STORE_OK);
	expunge(mb, 2);
	expunge(mb, 3);
	index_close(&mb);
	CHECK_EQ(index_open(&mb, st, SLICE("Inbox"), false, NULL), 1);
	CHECK_EQ(index_open(&other, st, SLICE("Inbox"), false, NULL), 1);
	CHECK_EQ(mb->ix.nunlinks, 2);
	CHECK_EQ(index_lock(mb, NULL), 0);
	lines_add(&ls, &l);
	CHECK_EQ(index_append(mb, &ls, NULL), 0);
	index_unlock(mb);
	lines_free(&ls);
	CHECK_EQ(index_refresh(other, NULL), 1);
	for (int i = 0; i < 2; i++) {
		const struct index *ix = i ? &other->ix : &mb->ix;

		CHECK_EQ(index_end(ix), 2);
		CHECK_EQ(index_at(ix, 1)->msg.uid, 2);
		CHECK_EQ(ix->uidvalidity, 7);
		CHECK_EQ(ix->uidnext, 5); /* behind what is to be unlinked */
		CHECK_EQ(ix->unlinks[0].msg.uid, 3);
		CHECK_EQ(ix->unlinks[1].msg.uid, 4);
		CHECK_EQ(ix->nvanished, 0);
		CHECK_EQ(ix->counts.messages, 2);
	}
	CHECK_EQ(index_fold(other, NULL), 1);
	index_close(&mb);
	index_close(&other);
	mb = inbox();
	CHECK_SLICE(contents(mb), SLICE("1a 2d"));
	CHECK_EQ(mailbox_refresh(mb, NULL), 0);
	mailbox_close(&mb);
	end();
}

/* A view sees the messages that it had until it is closed; nothing is changed
 * or added through it. */
static void
test_view(int (*run)(struct repair *r, struct err *e), bool stay)
{
	struct mailbox *mb, *view;
	struct mailbox_store_result r;
	struct store_flags seen = { .flags = STORE_SEEN };
	struct uidset uids;

	begin();
	mb = inbox();
	for (const char *s = "abc"; *s; s++)
		CHECK_EQ(add(mb, arena_printf(arena, "%.1s", s).p), STORE_OK);
	expunge(mb, 1);
	mailbox_close(&mb);
	view = inbox();
	uids = (struct uidset)UIDSET_INIT(arena);
	uidset_add(&uids, 2, 2);
	CHECK_EQ(repair(run), 0);
	CHECK_SLICE(contents(view), SLICE("2b 3c"));
	CHECK(mailbox_refresh(view, NULL) & MAILBOX_GONE);
	CHECK_SLICE(contents(view), SLICE("2b 3c"));
	CHECK_EQ(mailbox_store(view, &uids, MAILBOX_ADD, &seen, false, 0, arena,
		     &r, NULL),
	    -1);
	CHECK_EQ(add(view, "d"), STORE_NONEXISTENT);
	CHECK_SLICE(contents(view), SLICE("2b 3c"));
	mailbox_close(&view);
	mb = inbox();
	CHECK_SLICE(contents(mb), stay ? SLICE("2b 3c") : SLICE("1b 2c"));
	CHECK_EQ(mailbox_msg(mb, 1)->flags & STORE_SEEN, 0);
	mailbox_close(&mb);
	end();
}

static void
test_views(void)
{
	test_view(repair_reassign_uids, false);
	test_view(repair_bump_uidvalidity, true);
}

/* Without the look at the mailbox in between: what is locked, is not what the
 * view numbers. */
static void
test_store_at_once(void)
{
	struct mailbox *mb, *view;
	struct mailbox_store_result r;
	struct store_flags seen = { .flags = STORE_SEEN };
	struct uidset uids;

	begin();
	mb = inbox();
	for (const char *s = "abc"; *s; s++)
		CHECK_EQ(add(mb, arena_printf(arena, "%.1s", s).p), STORE_OK);
	expunge(mb, 1);
	mailbox_close(&mb);
	view = inbox();
	uids = (struct uidset)UIDSET_INIT(arena);
	uidset_add(&uids, 2, 2);
	CHECK_EQ(repair(repair_reassign_uids), 0);
	CHECK_EQ(mailbox_store(view, &uids, MAILBOX_ADD, &seen, false, 0, arena,
		     &r, NULL),
	    -1);
	CHECK_EQ(add(view, "d"), STORE_NONEXISTENT);
	CHECK_SLICE(contents(view), SLICE("2b 3c"));
	mailbox_close(&view);
	end();
}

static void
test_names(void)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "1.x.h", "1.x.h" },
		{ "1.x.h,S=1,W=2", "1.x.h,S=10,W=12" },
		{ "1.x.h,S=1", "1.x.h,S=10" },
		{ "1.x.h,U=5,W=2,S=,z:2,S", "1.x.h,U=5,W=12,S=10,z:2,S" },
		{ "S=1,S=2", "S=1,S=10" },
	};
	char name[LAYOUT_NAME], longest[NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(layout_with_sizes(slice_str(rows[i].from), 10, 12, name));
		CHECK_SLICE(slice_str(name), slice_str(rows[i].to));
	}
	memset(longest, 'x', NAME_MAX);
	memcpy(longest + NAME_MAX - 4, ",S=1", 4);
	longest[NAME_MAX] = '\0';
	CHECK(!layout_with_sizes(slice_str(longest), 10, 12, name));
	CHECK(layout_with_sizes(slice_str(longest), 9, 9, name));
}

int
main(void)
{
	RUN(test_reassign);
	RUN(test_line);
	RUN(test_views);
	RUN(test_store_at_once);
	RUN(test_names);
	return unit_done();
}
