/*
 * mailbox - what the tests of lib/store/mailbox.h share: a store in a scratch
 * folder, short forms of the calls, and the files as other programs see them.
 */
#ifndef T_MAILBOX_H
#define T_MAILBOX_H

#include <sys/stat.h>

#include "store/index.h"
#include "t/scratch.h"

static struct store_env env = {
	.run_fd = -1, .hostname = "test", .file_mode = 0600
};
static struct store *st;
static struct arena *arena;

#define MAILDIR "accounts/joe/Maildir/"

static inline void
begin(void)
{
	struct err e = ERR_INIT;

	scratch_begin();
	env.data_fd = scratch_fd;
	arena = arena_new(0);
	CHECK_EQ(store_create(&st, &env, SLICE("joe"), NULL, 0, &e), 0);
}

static inline void
end(void)
{
	store_close(&st);
	arena_free(&arena);
	scratch_end();
}

static inline struct mailbox *
mbox_open(const char *name)
{
	struct mailbox *mb = NULL;
	struct err e = ERR_INIT;

	if (mailbox_open(&mb, st, slice_str(name), &e) != 1)
		UNIT_FAIL("open %s: %s", name, e.text);
	return mb;
}

static inline struct spool *
spool_of(const char *wire)
{
	struct spool *sp = spool_new(&env, 0);

	CHECK_EQ(spool_add(sp, slice_str(wire), NULL), 0);
	CHECK_EQ(spool_end(sp, NULL), 0);
	return sp;
}

static inline uint32_t
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

static inline uint32_t
add(struct mailbox *mb, const char *wire)
{
	return add_flags(mb, wire, (struct store_flags){ 0 });
}

static inline int
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
static inline uint32_t
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

static inline struct uidset
uids_of(const char *text)
{
	struct uidset s = UIDSET_INIT(arena);

	CHECK_EQ(uidset_parse(&s, slice_str(text), 1000, NULL), 0);
	return s;
}

static inline struct slice
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
static inline struct slice
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

static inline struct store_flags
flags_of(uint16_t flags)
{
	return (struct store_flags){ .flags = flags };
}

static inline struct slice
expunge(struct mailbox *mb)
{
	struct uidset gone = UIDSET_INIT(arena);
	uint64_t modseq;

	CHECK_EQ(mailbox_expunge(mb, NULL, &gone, &modseq, NULL), 0);
	return text_of(&gone);
}

static inline uint16_t
flags_at(const struct mailbox *mb, uint32_t seq)
{
	return mailbox_msg(mb, seq)->flags;
}

static inline struct slice
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
static inline struct slice
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
static inline void
age(const char *folder)
{
	static int64_t ago = 100;
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = clock_s(NULL) - ago++ } };

	CHECK_EQ(utimensat(scratch_fd, folder, t, 0), 0);
}

static inline void
age_all(void)
{
	age(MAILDIR "new");
	age(MAILDIR "cur");
}

/* The names in a folder, joined by spaces. */
static inline struct slice
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

static inline void
move_file(const char *from, const char *to)
{
	CHECK_EQ(renameat(scratch_fd, from, scratch_fd, to), 0);
}

static inline void
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

#endif
