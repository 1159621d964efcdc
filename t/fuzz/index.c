/*
 * Fuzz lib/store/index*.c. Even inputs are lines of mox.log, applied without
 * their checksums to a mailbox, which is then looked at, folded and loaded.
 * Odd inputs damage mox.log and mox.cdb of a mailbox with messages: opening
 * it must give all of them, once.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "db/newfile.h"
#include "store/index.h"
#include "t/fuzz/folder.h"

#define MAILDIR "accounts/joe/Maildir/"
#define MESSAGES 6
#define SEED_UIDVALIDITY 17 /* in the seeds */

static struct store_env env = {
	.run_fd = -1, .hostname = "fuzz", .file_mode = 0600
};
static struct store *st;
static struct arena *arena;
static struct buf whole_log = BUF_INIT(1 << 20), whole_cdb = BUF_INIT(1 << 20);

static struct mailbox *
open_inbox(void)
{
	struct mailbox *mb = NULL;
	struct err e = ERR_INIT;
	int rc = mailbox_open(&mb, st, SLICE("Inbox"), &e);

	if (rc != 1)
		fprintf(stderr, "open: %s\n", e.text);
	assert(rc == 1);
	return mb;
}

/* Half of the messages in the CDB, half in the log. */
static void
make_mailbox(void)
{
	struct mailbox *mb;
	char name[100];

	for (int i = 0; i < MESSAGES; i++) {
		snprintf(name, sizeof(name), MAILDIR "cur/%d.a.fuzz:2,S", i);
		folder_put(name, slice_str(&"12345\n"[i]));
		mb = open_inbox();
		if (i == MESSAGES / 2)
			assert(index_fold(mb, NULL) == 1);
		mailbox_close(&mb);
	}
	assert(file_read(env.data_fd, MAILDIR "mox.log", &whole_log, NULL) ==
	    1);
	assert(file_read(env.data_fd, MAILDIR "mox.cdb", &whole_cdb, NULL) ==
	    1);
}

static void
setup(void)
{
	if (!folder_begin())
		return;
	arena = arena_new(0);
	env.data_fd = folder_fd;
	log_set_fd(open("/dev/null", O_WRONLY));
	assert(store_create(&st, &env, SLICE("joe"), NULL, 0, NULL) == 0);
	make_mailbox();
}

/* ---- lines ---- */
/* What is parsed comes out as a line that parses to the same. */
static void
round_trip(struct slice text)
{
	struct buf once = BUF_INIT(1 << 22), twice = BUF_INIT(1 << 22);
	struct line l;

	if (line_parse(text, arena, &l)) {
		line_format(&l, &once);
		assert(line_parse(buf_slice(&once), arena, &l));
		line_format(&l, &twice);
		assert(slice_eq(buf_slice(&once), buf_slice(&twice)));
	}
	buf_free(&once);
	buf_free(&twice);
}

static void
walk(struct mailbox *mb)
{
	uint32_t first, *seqs, last = 0;
	struct uidset uids = UIDSET_INIT(arena);
	struct mailbox_counts c;
	size_t n;

	assert(mailbox_take_expunged(mb, arena, &seqs, &n, &uids, NULL) == 0);
	for (size_t i = 0; i < n; i++)
		assert(seqs[i] > 0 && (i == 0 || seqs[i] < seqs[i - 1]));
	assert(mailbox_take_flags(mb, &uids, NULL) == 0);
	assert(mailbox_take_new(mb, &first, NULL) == 0);
	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++) {
		const struct store_msg *m = mailbox_msg(mb, seq);

		assert(m->uid > last && mailbox_seq(mb, m->uid) == seq);
		assert((m->flags & STORE_EXPUNGED) == 0);
		last = m->uid;
	}
	mailbox_counts(mb, &c);
	assert(c.messages == mailbox_count(mb));
	assert(c.unseen <= c.messages && c.first_unseen <= c.messages);
	mailbox_vanished(mb, 1, NULL, &uids, NULL);
}

/* The state comes out of a CDB as it was. */
static void
fold(struct mailbox *mb)
{
	struct db_cdb_make *m;
	struct db_cdb *cdb = NULL;
	struct index was = mb->ix;

	assert(db_cdb_make_start(&m, env.data_fd, "fold", 0600, NULL) == 0);
	assert(index_build(mb, m, NULL) == 0);
	assert(db_cdb_make_finish(m, NULL) == 0);
	assert(db_cdb_make_place(m, NULL) == 0);
	db_cdb_make_free(&m);
	assert(db_cdb_open_private(&cdb, env.data_fd, "fold", NULL) == 1);
	index_init(&mb->ix);
	/* Who opens it has no view of before. */
	mb->gone = mb->view.begun = false;
	assert(index_load(mb, cdb, NULL) == 0 || was.uidvalidity == 0);
	if (was.uidvalidity != 0) {
		assert(mb->ix.counts.messages == was.counts.messages);
		/* Raised, if lines named UIDs that nobody had. */
		assert(mb->ix.uidnext == was.uidnext ||
		    (mb->ix.uidnext_said == was.uidnext &&
			mb->ix.uidnext > was.uidnext));
		assert(mb->ix.modseq == was.modseq);
		assert(mb->ix.nunlinks == was.nunlinks);
		assert(mb->ix.kw.n == was.kw.n &&
		    mb->ix.kw.used == was.kw.used);
	}
	index_free(&mb->ix);
	mb->ix = was;
	db_cdb_close(&cdb);
}

static void
fuzz_lines(struct slice data)
{
	struct mailbox *mb = open_inbox();
	struct slice text;

	mb->view.uidvalidity = SEED_UIDVALIDITY; /* or it is another mailbox */
	for (int i = 0; slice_line(&data, &text); i++) {
		round_trip(text);
		index_apply_text(mb, text);
		if (i % 4 == 3)
			walk(mb);
	}
	walk(mb);
	fold(mb);
	mb->gone = true; /* no tidying of what is not there */
	mailbox_close(&mb);
}

/* ---- damage ---- */

/* Each five bytes: which file and what to do, where, a byte. */
static void
damage(struct slice data, struct buf *log, struct buf *cdb)
{
	for (; data.n >= 5; data = slice_skip(data, 5)) {
		const unsigned char *d = (const unsigned char *)data.p;
		struct buf *b = d[0] & 1 ? log : cdb;
		size_t at = d[1] | (size_t)d[2] << 8 | (size_t)d[3] << 16;

		if (b->n == 0)
			continue;
		at %= b->n;
		if (d[0] & 2)
			b->p[at] = (char)d[4];
		else if (d[0] & 4)
			buf_cut(b, at);
		else
			b->p[at] ^= (char)(1 << d[4] % 8);
	}
}

/* Read all, as far as it goes. Returns a bit for each message found. */
static unsigned
read_messages(struct mailbox *mb, bool *once_r)
{
	unsigned seen = 0;
	int found = 0;

	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++) {
		struct mailbox_reader *r;
		struct slice piece = SLICE_NULL;
		unsigned n;

		if (mailbox_read_open(&r, mb, mailbox_msg(mb, seq), NULL) != 1)
			continue;
		if (mailbox_read(r, 100, &piece, NULL) != 1)
			piece = SLICE_NULL;
		n = (unsigned)slice_trim(piece).n;
		mailbox_read_close(&r);
		assert(n < MESSAGES);
		seen |= 1u << n;
		found++;
	}
	*once_r = found == __builtin_popcount(seen);
	return seen;
}

/* A new mtime, not young, so that the folder is read and believed. */
static void
touch(const char *folder)
{
	static int64_t serial = 1000000;
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = serial++ } };

	assert(utimensat(env.data_fd, folder, t, 0) == 0);
}

/* Whatever is damaged can be opened; and once it was verified, and folders
 * were read again, all is there. */
static void
check_messages(void)
{
	struct mailbox *mb = open_inbox();
	struct err why = ERR_INIT;
	bool once;
	unsigned found;

	read_messages(mb, &once);
	if (!mb->gone && !index_intact(mb))
		index_discard(mb, &why, NULL);
	mailbox_close(&mb);
	touch(MAILDIR "new");
	touch(MAILDIR "cur");
	mb = open_inbox();
	found = read_messages(mb, &once);
	assert(found == (1u << MESSAGES) - 1 && once);
	mailbox_close(&mb);
}

/* What damage has set aside. */
static void
clean(void)
{
	struct slice *names;
	size_t n;

	assert(file_list(env.data_fd, MAILDIR, arena, &names, &n, NULL) == 1);
	for (size_t i = 0; i < n; i++)
		if (slice_find(names[i], SLICE(".bad-")) >= 0)
			assert(db_unlink(env.data_fd,
				   arena_cstr(arena,
				       arena_printf(arena, MAILDIR "%.*s",
					   SLICE_FMT(names[i]))),
				   NULL) == 1);
}

static void
fuzz_damage(struct slice data)
{
	struct buf log = BUF_INIT(1 << 20), cdb = BUF_INIT(1 << 20);

	buf_add(&log, buf_slice(&whole_log));
	buf_add(&cdb, buf_slice(&whole_cdb));
	damage(data, &log, &cdb);
	folder_put(MAILDIR "mox.log", buf_slice(&log));
	folder_put(MAILDIR "mox.cdb", buf_slice(&cdb));
	check_messages();
	clean();
	folder_put(MAILDIR "mox.log", buf_slice(&whole_log));
	folder_put(MAILDIR "mox.cdb", buf_slice(&whole_cdb));
	buf_free(&log);
	buf_free(&cdb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice s = slice_of((const char *)data, n);

	setup();
	if (n == 0)
		return 0;
	if (data[0] % 2 == 0)
		fuzz_lines(slice_skip(s, 1));
	else
		fuzz_damage(slice_skip(s, 1));
	arena_reset(arena);
	return 0;
}
