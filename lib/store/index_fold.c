/*
 * index_fold.c - the state as mox.cdb, both ways. README has the keys.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "store/index.h"

#define KEY_HEAD SLICE("head")
#define KEY_LINES SLICE("lines")
#define KEY_RECORDS SLICE("records")
#define KEY_NAMES SLICE("names")
#define KEY_NEWEST SLICE("newest")
#define KEY_BLOCKFLAGS SLICE("blockflags") /* behind it their CRC */
#define KEY_VANISHED SLICE("vanished")
#define KEY_UNLINKS SLICE("unlinks")
#define KEY_DIRTY SLICE("dirty")
#define KEY_NEW SLICE("new")
#define KEY_RENAMING SLICE("renaming")
#define KEY_LEAVING SLICE("leaving")

/* Another byte order or layout of records gives another number. */
#define HEAD_MAGIC (0x6d6f78696478ull << 16 | sizeof(struct record))

#define LINES_MAX (1 << 20) /* keywords, letters; a few KB at most */
#define SETS_MAX (1 << 30)  /* every other UID of a hundred million */

/* The value of "head". */
struct head {
	uint64_t magic;
	uint64_t modseq, floor, stored;
	uint64_t size, deleted_size;
	uint32_t messages, unseen, deleted;
	uint32_t uidnext, unseen_from, segment;
	uint32_t crc; /* of records, unlinks, names and newest */
	uint32_t flags_used;
	uint32_t unplaced, unmeasured;
};

/* ---- load ---- */

static int
damaged(const struct mailbox *mb, struct err *e)
{
	return err_set(e, ERR_SYNTAX, "%s: mox.cdb is damaged", mb->name);
}

/* A value that is an array of elements of this size. */
static bool
get_array(const struct db_cdb *cdb, struct slice key, size_t element,
    struct slice *value_r)
{
	return db_cdb_get(cdb, key, value_r, NULL) == 1 &&
	    value_r->n % element == 0 &&
	    value_r->n / element < UINT32_MAX / 2 &&
	    (uintptr_t)value_r->p % _Alignof(struct record) == 0;
}

static bool
get_head(const struct db_cdb *cdb, struct head *h_r)
{
	struct slice value;

	if (db_cdb_get(cdb, KEY_HEAD, &value, NULL) != 1 ||
	    value.n != sizeof(*h_r))
		return false;
	memcpy(h_r, value.p, sizeof(*h_r));
	return h_r->magic == HEAD_MAGIC;
}

static bool
load_head(struct index *ix, const struct db_cdb *cdb)
{
	struct head h;

	if (!get_head(cdb, &h) || h.uidnext == 0)
		return false;
	ix->modseq = h.modseq;
	ix->floor = h.floor;
	ix->stored = h.stored;
	ix->counts = (struct mailbox_counts){ .messages = h.messages,
		.unseen = h.unseen,
		.deleted = h.deleted,
		.size = h.size,
		.deleted_size = h.deleted_size };
	ix->uidnext = h.uidnext;
	ix->unseen_from = h.unseen_from;
	ix->segment = h.segment;
	ix->flags_used = h.flags_used & STORE_FLAGS;
	ix->unplaced = h.unplaced;
	ix->unmeasured = h.unmeasured;
	return true;
}

/* The CRC of the large arrays in the file: our map has changes. */
static bool
crc_right(const struct db_cdb *cdb)
{
	const struct slice keys[] = { KEY_RECORDS, KEY_UNLINKS, KEY_NAMES,
		KEY_NEWEST };
	struct slice v;
	struct head h;
	uint32_t crc = 0;

	if (!get_head(cdb, &h))
		return false;
	for (size_t i = 0; i < 4; i++) {
		if (db_cdb_get(cdb, keys[i], &v, NULL) != 1) {
			if (i < 3)
				return false;
			continue;
		}
		crc = (uint32_t)crc32_z(crc, (const void *)v.p, v.n);
	}
	return crc == h.crc;
}

bool
index_segment_of(const struct db_cdb *cdb, uint32_t *segment_r)
{
	struct head h;

	if (!get_head(cdb, &h))
		return false;
	*segment_r = h.segment;
	return true;
}

static bool
load_records(struct index *ix, const struct db_cdb *cdb)
{
	struct slice records;

	if (!get_array(cdb, KEY_RECORDS, sizeof(struct record), &records) ||
	    db_cdb_get(cdb, KEY_NAMES, &ix->base_names, NULL) != 1)
		return false;
	/* Mapped privately: may be changed in place. */
	ix->base = (struct record *)(uintptr_t)records.p;
	ix->nbase = (uint32_t)(records.n / sizeof(struct record));
	return true;
}

/* Totals can be counted anew, what else is in the index is nowhere else: if
 * they do not fit the records, whose checksum is right, those count. */
static bool
trust_records(struct index *ix, const struct db_cdb *cdb)
{
	struct index_sums sums;

	if (ix->nbase == ix->counts.messages && ix->unseen_from <= ix->nbase)
		return true;
	if (!crc_right(cdb))
		return false;
	ix->said = (struct index_sums){ ix->counts, ix->stored };
	ix->said_wrong = true;
	sums = index_sums(ix);
	ix->counts = sums.counts;
	ix->stored = sums.stored;
	ix->unseen_from = 0;
	return true;
}

/* No UID may be given twice. What was too low is right again with the next
 * fold, and told by mox-mailbox fixuidmeta. */
static bool
raise_uidnext(struct index *ix)
{
	uint32_t last = ix->nbase > 0 ? ix->base[ix->nbase - 1].msg.uid : 0;

	for (size_t i = 0; i < ix->nvanished; i++)
		if (ix->vanished[i].last > last)
			last = ix->vanished[i].last;
	if (last < ix->uidnext)
		return true;
	ix->uidnext_said = ix->uidnext;
	ix->uidnext = last + 1;
	return last < UINT32_MAX - 1;
}

/* Added later than the rest: without it all records are looked at. */
static bool
load_newest(struct index *ix, const struct db_cdb *cdb)
{
	uint32_t blocks = (ix->nbase + NEWEST_BLOCK - 1) / NEWEST_BLOCK;
	struct slice v;
	int rc = db_cdb_get(cdb, KEY_NEWEST, &v, NULL);

	if (rc != 1)
		return rc == 0;
	if (!get_array(cdb, KEY_NEWEST, sizeof(uint64_t), &v) ||
	    v.n / sizeof(uint64_t) != blocks)
		return false;
	ix->newest = (uint64_t *)(uintptr_t)v.p; /* mapped privately, too */
	return true;
}

/* Likewise. With a CRC of their own: that in the head is looked at by programs
 * that know nothing of them. */
static void
load_blockflags(struct index *ix, const struct db_cdb *cdb)
{
	uint32_t blocks = (ix->nbase + NEWEST_BLOCK - 1) / NEWEST_BLOCK, crc;
	size_t size = blocks * sizeof(*ix->blockflags);
	struct slice v;

	if (db_cdb_get(cdb, KEY_BLOCKFLAGS, &v, NULL) != 1 ||
	    v.n != size + sizeof(crc) ||
	    (uintptr_t)v.p % _Alignof(struct blockflags) != 0)
		return;
	memcpy(&crc, v.p + size, sizeof(crc));
	if ((uint32_t)crc32_z(0, (const void *)v.p, size) == crc)
		ix->blockflags = (struct blockflags *)(uintptr_t)v.p;
}

static void *
copy(struct slice value)
{
	void *p = xmalloc(value.n + 1);

	memcpy(p, value.p, value.n);
	return p;
}

static bool
load_expunged(struct index *ix, const struct db_cdb *cdb)
{
	struct slice v;

	if (!get_array(cdb, KEY_VANISHED, sizeof(struct vanished), &v))
		return false;
	ix->nvanished = ix->vanished_size = v.n / sizeof(struct vanished);
	ix->vanished = copy(v);
	if (!get_array(cdb, KEY_UNLINKS, sizeof(struct record), &v))
		return false;
	ix->nunlinks = ix->unlinks_size =
	    (uint32_t)(v.n / sizeof(struct record));
	ix->unlinks = copy(v);
	return true;
}

static bool
load_set(const struct db_cdb *cdb, struct slice key, struct uidset *set)
{
	struct slice v;

	return db_cdb_get(cdb, key, &v, NULL) == 1 &&
	    uidset_parse(set, v, SIZE_MAX, NULL) == 0;
}

/* Of messages that are there: a set of all UIDs would take long to walk. */
static bool
load_live_set(const struct index *ix, const struct db_cdb *cdb,
    struct slice key, struct uidset *set)
{
	return load_set(cdb, key, set) && uidset_count(set) <= ix->nbase;
}

static bool
load_lines(struct mailbox *mb, const struct db_cdb *cdb, struct slice key)
{
	struct slice text, line;

	if (db_cdb_get(cdb, key, &text, NULL) != 1)
		return false;
	while (slice_line(&text, &line))
		index_apply_text(mb, line);
	return mb->ix.uidvalidity != 0;
}

int
index_load(struct mailbox *mb, const struct db_cdb *cdb, struct err *e)
{
	struct index *ix = &mb->ix;

	if (cdb == NULL)
		return 0;
	/* Lines first: letters ask for a look at all records. */
	if (!load_head(ix, cdb) || !load_lines(mb, cdb, KEY_LINES) ||
	    !load_records(ix, cdb) || !trust_records(ix, cdb) ||
	    !load_newest(ix, cdb) || !load_expunged(ix, cdb) ||
	    !raise_uidnext(ix) ||
	    !load_live_set(ix, cdb, KEY_DIRTY, &ix->dirty) ||
	    !load_live_set(ix, cdb, KEY_NEW, &ix->in_new) ||
	    !load_set(cdb, KEY_LEAVING, &ix->leaving) ||
	    !load_lines(mb, cdb, KEY_RENAMING))
		return damaged(mb, e);
	load_blockflags(ix, cdb);
	return 0;
}

bool
index_intact(const struct mailbox *mb)
{
	struct db_cdb *cdb = NULL;
	int rc = db_cdb_open(&cdb, mb->folder.fd, INDEX_PAIR ".cdb", NULL);
	bool intact = rc == 0 || (rc == 1 && crc_right(cdb));

	db_cdb_close(&cdb);
	return intact;
}

/* ---- build ---- */

struct build {
	const struct index *ix;
	struct db_cdb_make *m;
	struct head head;
	size_t name_bytes;
	uint32_t at;     /* offset of the next name */
	uint64_t newest; /* modseq of the block so far */
	struct blockflags flags;
	uint32_t n;   /* records in the blocks */
	uint32_t crc; /* of blockflags */
};

/* First pass: sizes and totals. */
static int
measure(struct build *b, struct err *e)
{
	const struct index *ix = b->ix;
	uint32_t pos, end = index_end(ix), n = 0;
	bool unseen = false;

	for (pos = 0; pos < end; pos++) {
		const struct record *r = index_at(ix, pos);

		if (!record_live(r))
			continue;
		b->name_bytes += index_name(ix, r).n;
		b->head.unmeasured += record_unmeasured(r);
		if (!unseen && (r->msg.flags & STORE_SEEN) == 0) {
			b->head.unseen_from = n;
			unseen = true;
		}
		n++;
	}
	for (uint32_t i = 0; i < ix->nunlinks; i++)
		b->name_bytes += index_name(ix, &ix->unlinks[i]).n;
	if (!unseen)
		b->head.unseen_from = n;
	if (n != ix->counts.messages)
		return err_set(e, ERR_SYNTAX, "index: totals are wrong");
	return b->name_bytes <= UINT32_MAX
	    ? 0
	    : err_set(e, ERR_LIMIT, "index: too many names");
}

static void
add_record(struct build *b, const struct record *r)
{
	struct record copy_r = *r;
	struct slice piece = { (const char *)&copy_r, sizeof(copy_r) };

	copy_r.name = b->at;
	copy_r.name_n = (uint16_t)index_name(b->ix, r).n;
	b->at += copy_r.name_n;
	b->head.crc =
	    (uint32_t)crc32_z(b->head.crc, (const void *)piece.p, piece.n);
	db_cdb_make_write(b->m, piece);
}

static void
add_name(struct build *b, const struct record *r)
{
	struct slice name = index_name(b->ix, r);

	b->head.crc =
	    (uint32_t)crc32_z(b->head.crc, (const void *)name.p, name.n);
	db_cdb_make_write(b->m, name);
}

static void
end_block(struct build *b)
{
	struct slice piece = { (const char *)&b->newest, sizeof(b->newest) };

	b->head.crc =
	    (uint32_t)crc32_z(b->head.crc, (const void *)piece.p, piece.n);
	db_cdb_make_write(b->m, piece);
	b->newest = 0;
}

static void
add_newest(struct build *b, const struct record *r)
{
	if (r->msg.modseq > b->newest)
		b->newest = r->msg.modseq;
	if (++b->n % NEWEST_BLOCK == 0)
		end_block(b);
}

typedef void each_fn(struct build *b, const struct record *r);

static void
each_live(struct build *b, each_fn *fn)
{
	uint32_t end = index_end(b->ix);

	for (uint32_t pos = 0; pos < end; pos++) {
		const struct record *r = index_at(b->ix, pos);

		if (record_live(r))
			fn(b, r);
	}
}

static void
each_unlink(struct build *b, each_fn *fn)
{
	for (uint32_t i = 0; i < b->ix->nunlinks; i++)
		fn(b, &b->ix->unlinks[i]);
}

static void
add_records(struct build *b)
{
	const size_t size = sizeof(struct record);

	db_cdb_make_begin(b->m, KEY_RECORDS, b->ix->counts.messages * size);
	each_live(b, add_record);
	db_cdb_make_begin(b->m, KEY_UNLINKS, b->ix->nunlinks * size);
	each_unlink(b, add_record);
	db_cdb_make_begin(b->m, KEY_NAMES, b->name_bytes);
	each_live(b, add_name);
	each_unlink(b, add_name);
	db_cdb_make_begin(b->m, KEY_NEWEST,
	    (b->ix->counts.messages + NEWEST_BLOCK - 1) / NEWEST_BLOCK *
		sizeof(b->newest));
	each_live(b, add_newest);
	if (b->n % NEWEST_BLOCK != 0)
		end_block(b);
}

static void
end_flags(struct build *b)
{
	struct slice piece = { (const char *)&b->flags, sizeof(b->flags) };

	b->crc = (uint32_t)crc32_z(b->crc, (const void *)piece.p, piece.n);
	db_cdb_make_write(b->m, piece);
	b->flags = (struct blockflags){ 0, UINT16_MAX };
}

static void
add_flags(struct build *b, const struct record *r)
{
	b->flags.any |= r->msg.flags;
	b->flags.all &= r->msg.flags;
	if (++b->n % NEWEST_BLOCK == 0)
		end_flags(b);
}

static void
add_blockflags(struct build *b)
{
	b->n = 0;
	b->flags = (struct blockflags){ 0, UINT16_MAX };
	db_cdb_make_begin(b->m, KEY_BLOCKFLAGS,
	    (b->ix->counts.messages + NEWEST_BLOCK - 1) / NEWEST_BLOCK *
		    sizeof(b->flags) +
		sizeof(b->crc));
	each_live(b, add_flags);
	if (b->n % NEWEST_BLOCK != 0)
		end_flags(b);
	db_cdb_make_write(b->m,
	    slice_of((const char *)&b->crc, sizeof(b->crc)));
}

/* The youngest of the history; what is dropped raises the floor. */
static void
add_vanished(struct build *b)
{
	const struct index *ix = b->ix;
	size_t from =
	    ix->nvanished > VANISHED_MAX ? ix->nvanished - VANISHED_MAX : 0;

	struct slice all = { (const char *)ix->vanished,
		ix->nvanished * sizeof(*ix->vanished) };

	all = slice_skip(all, from * sizeof(*ix->vanished));
	b->head.floor = from > 0 ? ix->vanished[from - 1].modseq : ix->floor;
	db_cdb_make_begin(b->m, KEY_VANISHED, all.n);
	db_cdb_make_write(b->m, all);
}

static void
add_set(struct build *b, struct slice key, const struct uidset *set)
{
	struct buf text = BUF_INIT(SETS_MAX);

	uidset_format(set, &text);
	db_cdb_make_add(b->m, key, buf_slice(&text));
	buf_free(&text);
}

static void
add_line(struct buf *text, const struct line *l)
{
	line_format(l, text);
	buf_addc(text, '\n');
}

/* With lost lines messages may be lost: unknown mtimes make for a scan. */
static void
add_lines(struct build *b, bool lost)
{
	static const struct mtime unknown = { 1, true };
	const struct index *ix = b->ix;
	const struct keywords *kw = &ix->kw;
	struct buf text = BUF_INIT(LINES_MAX);

	add_line(&text,
	    &(struct line){ .type = 'v',
		.uidvalidity = ix->uidvalidity,
		.uidnext = ix->uidnext,
		.name = slice_of(ix->id, MAILBOXID) });
	for (unsigned i = 0; i < kw->n; i++)
		add_line(&text,
		    &(struct line){
			.type = 'k', .number = i, .name = kw->names[i] });
	for (unsigned i = 0; i < LETTERS; i++)
		if (kw->used & 1u << i)
			add_line(&text,
			    &(struct line){ .type = 'l',
				.number = i,
				.name = keywords_letter(kw, i) });
	add_line(&text,
	    &(struct line){ .type = 'm',
		.new = lost ? unknown : ix->new,
		.cur = lost ? unknown : ix->cur });
	db_cdb_make_add(b->m, KEY_LINES, buf_slice(&text));
	buf_free(&text);
}

static void
add_renaming(struct build *b)
{
	struct buf text = BUF_INIT(SETS_MAX);
	struct arena *arena = arena_new(0);

	for (uint32_t i = 0; i < b->ix->nrenaming; i++) {
		const struct renaming *n = &b->ix->renaming[i];
		struct line l = { .type = 'w',
			.uids = UIDSET_INIT(arena),
			.record = { .place = RECORD_CUR,
			    .disk = n->disk,
			    .letters = n->letters } };

		uidset_add(&l.uids, n->uid, n->uid);
		add_line(&text, &l);
	}
	db_cdb_make_add(b->m, KEY_RENAMING, buf_slice(&text));
	arena_free(&arena);
	buf_free(&text);
}

static void
add_head(struct build *b)
{
	const struct index *ix = b->ix;
	struct head *h = &b->head;

	h->magic = HEAD_MAGIC;
	h->modseq = ix->modseq;
	h->stored = ix->stored;
	h->size = ix->counts.size;
	h->deleted_size = ix->counts.deleted_size;
	h->messages = ix->counts.messages;
	h->unseen = ix->counts.unseen;
	h->deleted = ix->counts.deleted;
	h->uidnext = ix->uidnext;
	h->segment = ix->segment;
	h->flags_used = ix->flags_used;
	h->unplaced = ix->unplaced;
	db_cdb_make_add(b->m, KEY_HEAD, slice_of((const char *)h, sizeof(*h)));
}

int
index_build(void *arg, struct db_cdb_make *m, struct err *e)
{
	struct mailbox *mb = arg;
	struct build b = { .ix = &mb->ix, .m = m };

	/* All of it is read here anyway; what is wrong is not gone on with. */
	if (!index_intact(mb))
		return err_set(e, ERR_SYNTAX, "mox.cdb: checksum is wrong");
	if (measure(&b, e) != 0)
		return -1;
	add_records(&b);
	add_blockflags(&b);
	add_vanished(&b);
	add_set(&b, KEY_DIRTY, &mb->ix.dirty);
	add_set(&b, KEY_NEW, &mb->ix.in_new);
	add_set(&b, KEY_LEAVING, &mb->ix.leaving);
	add_lines(&b, mb->pair.bad > 0);
	add_renaming(&b);
	add_head(&b);
	return 0;
}
