/* textbuild.c - new messages into the text index, a batch at a time. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/text_int.h"

/* Trigrams of a batch: 8 MB, and as many to sort them; that is about 1,000
 * messages. Documents of a batch. */
#define PAIRS (1u << 20)
#define DOCS 8192
/* Different trigrams of one message: a book has 30,000. What has more is no
 * language, and is read when it is searched. */
#define TRIGRAMS_MAX 65536
/* A file being written for so long was left by a crash. */
#define SWEEP_S 3600

/* ---- the trigrams of a message ---- */

struct trigrams {
	unsigned char *seen; /* a bit for each there is */
	uint32_t *v;
	uint32_t n;
	uint32_t last; /* bytes of this text before the next */
	unsigned have; /* how many bytes there were: 0, 1, 2 or more */
	bool over;
};

static void
note(struct trigrams *t, uint32_t trigram)
{
	unsigned char bit = (unsigned char)(1u << (trigram & 7));
	unsigned char *byte = &t->seen[trigram >> 3];

	if (*byte & bit)
		return;
	if (t->n == TRIGRAMS_MAX) {
		t->over = true;
		return;
	}
	*byte |= bit;
	t->v[t->n++] = trigram;
}

static bool
trigrams_put(void *ctx, struct slice folded)
{
	struct trigrams *t = ctx;
	uint32_t last = t->last;
	size_t i = 0;

	for (; t->have < 2 && i < folded.n; i++, t->have++)
		last = last << 8 | (unsigned char)folded.p[i];
	for (; i < folded.n; i++) {
		last = (last << 8 | (unsigned char)folded.p[i]) & 0xffffff;
		note(t, last);
	}
	t->last = last & 0xffff;
	return t->over;
}

/* The end counts as NUL, so that the last two bytes are found. */
static void
trigrams_end(void *ctx)
{
	struct trigrams *t = ctx;

	if (t->have >= 2)
		note(t, t->last << 8);
	t->have = 0;
	t->last = 0;
}

static void
trigrams_clear(struct trigrams *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		t->seen[t->v[i] >> 3] = 0;
	t->n = t->have = t->last = 0;
	t->over = false;
}

/* ---- a batch ---- */

struct batch {
	struct mailbox *mb;
	struct trigrams trigrams;
	uint64_t *pairs, *sorted; /* trigram << 32 | document */
	size_t npairs;
	uint32_t uids[DOCS];
	unsigned char any[DOCS / 8];
	uint32_t ndocs;
};

static struct batch *
batch_new(struct mailbox *mb)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	b->mb = mb;
	b->trigrams.seen = xcalloc(TEXTSEG_TRIGRAMS / 8, 1);
	b->trigrams.v = xreallocarray(NULL, TRIGRAMS_MAX, sizeof(uint32_t));
	b->pairs = xreallocarray(NULL, PAIRS, sizeof(*b->pairs));
	b->sorted = xreallocarray(NULL, PAIRS, sizeof(*b->sorted));
	return b;
}

static void
batch_free(struct batch *b)
{
	free(b->trigrams.seen);
	free(b->trigrams.v);
	free(b->pairs);
	free(b->sorted);
	free(b);
}

static bool
batch_full(const struct batch *b)
{
	return b->ndocs == DOCS || PAIRS - b->npairs < TRIGRAMS_MAX;
}

/* What cannot be read now may have any text. */
static void
batch_add(struct batch *b, const struct store_msg *m)
{
	struct trigrams *t = &b->trigrams;
	struct text_sink sink = { trigrams_put, trigrams_end, t };
	uint32_t doc = b->ndocs++;

	b->uids[doc] = m->uid;
	if (mailbox_text(b->mb, m, MAILBOX_TEXT_ALL, &sink, NULL) != 1 ||
	    t->over)
		b->any[doc / 8] |= (unsigned char)(1u << doc % 8);
	else
		for (uint32_t i = 0; i < t->n; i++)
			b->pairs[b->npairs++] = (uint64_t)t->v[i] << 32 | doc;
	trigrams_clear(t);
}

/* By 12 bits of the trigram, the order before kept among equal ones. */
static void
sort_by(const uint64_t *from, uint64_t *to, size_t n, int shift)
{
	size_t start[4097] = { 0 };

	for (size_t i = 0; i < n; i++)
		start[(from[i] >> shift & 0xfff) + 1]++;
	for (size_t i = 1; i < 4097; i++)
		start[i] += start[i - 1];
	for (size_t i = 0; i < n; i++)
		to[start[from[i] >> shift & 0xfff]++] = from[i];
}

static void
add_lists(struct textseg_writer *w, const uint64_t *v, size_t n)
{
	uint32_t docs[DOCS];

	for (size_t i = 0; i < n;) {
		uint32_t trigram = (uint32_t)(v[i] >> 32), k = 0;
		while (i < n && v[i] >> 32 == trigram)
			docs[k++] = (uint32_t)v[i++];
		textseg_write_add(w, trigram, docs, k);
	}
}

/* The segment of the batch, which covers the UIDs from..to. */
static int
batch_write(struct batch *b, uint32_t from, uint32_t to, struct err *e)
{
	const struct mailbox *mb = b->mb;
	struct textseg_scope scope = { mb->ix.uidvalidity, from, to, b->ndocs,
		b->uids, b->any };
	struct textseg_writer w;
	char name[TEXT_NAME];
	int rc;

	text_name(from, to, name);
	sort_by(b->pairs, b->sorted, b->npairs, 32);
	sort_by(b->sorted, b->pairs, b->npairs, 44);
	rc = textseg_write_begin(&w, mb->folder.fd, name,
	    mb->st->env->file_mode, &scope, e);
	if (rc == 0) {
		add_lists(&w, b->pairs, b->npairs);
		rc = textseg_write_end(&w, name, e);
	}
	textseg_write_free(&w);
	b->npairs = 0;
	b->ndocs = 0;
	memset(b->any, 0, sizeof(b->any));
	return rc;
}

/* ---- what is to be done ---- */

/* Messages of the view, by number, that no segment covers, and the UIDs to be
 * covered with them. */
struct gap {
	uint32_t from, to;    /* UIDs */
	uint32_t first, last; /* sequence numbers */
};

struct work {
	struct gap *v;
	size_t n;
	uint32_t messages, done;
};

static void
add_gap(struct work *w, const struct mailbox *mb, uint64_t from, uint64_t to)
{
	struct gap g = { (uint32_t)from, (uint32_t)to, 0, 0 };

	if (from > to)
		return;
	g.first = mailbox_seq_from(mb, g.from);
	g.last = to == UINT32_MAX ? mailbox_count(mb)
				  : mailbox_seq_from(mb, g.to + 1) - 1;
	if (g.first > g.last)
		return;
	/* Behind the last one more will come. */
	if (to == UINT32_MAX)
		g.to = mailbox_msg(mb, g.last)->uid;
	w->v = xreallocarray(w->v, w->n + 1, sizeof(*w->v));
	w->v[w->n++] = g;
	w->messages += g.last - g.first + 1;
}

/*
 * Messages older than the oldest segment may be what the limit has removed: it
 * takes up to a quarter, so with half of it free nothing was.
 */
static void
find_gaps(struct work *w, const struct mailbox *mb, const struct text_files *f)
{
	uint64_t next = 1;

	*w = (struct work){ .v = NULL };
	if (f->n > 0 && f->bytes > mb->st->env->text_max / 2)
		next = f->v[0].seg.scope.first;
	for (size_t i = 0; i < f->n; i++) {
		const struct textseg_scope *c = &f->v[i].seg.scope;
		if (c->first > next)
			add_gap(w, mb, next, (uint64_t)c->first - 1);
		next = (uint64_t)c->last + 1;
	}
	add_gap(w, mb, next, UINT32_MAX);
}

static bool
worth_it(const struct work *w, const struct mailbox *mb)
{
	uint64_t bytes = 0;

	if (w->messages >= TEXT_UPDATE_MESSAGES)
		return true;
	for (size_t i = 0; i < w->n; i++)
		for (uint32_t seq = w->v[i].first; seq <= w->v[i].last; seq++)
			bytes += mailbox_msg(mb, seq)->size;
	return bytes >= TEXT_UPDATE_BYTES;
}

/* 1 all, 0 stopped, -1 */
static int
build_gap(struct batch *b, struct work *w, const struct gap *g,
    mailbox_text_goes_on *goes_on, void *ctx, struct err *e)
{
	uint32_t from = g->from, seq = g->first;
	bool go = true;

	for (;;) {
		uint32_t to;
		go = goes_on(ctx, w->done, w->messages);
		if (go && seq <= g->last && !batch_full(b)) {
			batch_add(b, mailbox_msg(b->mb, seq++));
			w->done++;
			continue;
		}
		to = seq > g->last ? g->to : mailbox_msg(b->mb, seq - 1)->uid;
		/* Little is not kept when stopped. */
		if (!go && seq <= g->last && b->ndocs < TEXT_UPDATE_MESSAGES)
			break;
		if (batch_write(b, from, to, e) < 0)
			return -1;
		if (!go || seq > g->last)
			break;
		if (text_merge(b->mb, false, goes_on, ctx, e) < 0)
			return -1;
		from = to + 1;
	}
	return go || seq > g->last;
}

static int
build(struct mailbox *mb, struct work *w, mailbox_text_goes_on *goes_on,
    void *ctx, struct err *e)
{
	struct batch *b = batch_new(mb);
	int rc = 1;

	for (size_t i = 0; rc == 1 && i < w->n; i++)
		rc = build_gap(b, w, &w->v[i], goes_on, ctx, e);
	batch_free(b);
	if (rc == 1 && text_merge(mb, true, goes_on, ctx, e) < 0)
		rc = -1;
	return rc;
}

/* Is there something worth doing? */
static int
plan(struct mailbox *mb, bool begin, bool clean, struct work *w, struct err *e)
{
	struct text_files f;
	bool some;

	*w = (struct work){ .v = NULL };
	if (text_files_open(&f, mb, clean, e) < 0)
		return -1;
	some = f.n > 0 || f.stale || begin;
	find_gaps(w, mb, &f);
	text_files_close(&f);
	return some && worth_it(w, mb);
}

bool
mailbox_text_searched(struct mailbox *mb)
{
	int fd = openat(mb->folder.fd, TEXT_LOCK,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mb->st->env->file_mode);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

int
mailbox_text_update(struct mailbox *mb, bool begin,
    mailbox_text_goes_on *goes_on, void *ctx, struct err *e)
{
	struct db_lock lease = DB_LOCK_INIT;
	struct work w = { .v = NULL };
	int rc;

	if (mb->readonly || mb->st->env->text_max == 0)
		return 1;
	rc = plan(mb, begin, false, &w, e);
	free(w.v);
	if (rc <= 0)
		return rc < 0 ? -1 : 1;
	/* A UID that a power cut may take back must not be in a segment. */
	if (index_sync(mb, NULL, e) != 0)
		return -1;
	rc = db_lock(&lease, mb->folder.fd, TEXT_LOCK, DB_LOCK_LEASE, 0, NULL);
	if (rc != 1)
		return 0;
	db_tmp_sweep(mb->folder.fd, SWEEP_S, NULL);
	rc = plan(mb, begin, true, &w, e);
	rc = rc == 1 ? build(mb, &w, goes_on, ctx, e) : rc < 0 ? -1 : 1;
	db_unlock(&lease);
	free(w.v);
	return rc;
}

/* Under the lease. 1 there were some, 0, -1. */
static int
remove_all(struct mailbox *mb, struct err *e)
{
	struct text_files f;
	int rc = text_files_open(&f, mb, true, e);

	for (size_t i = 0; rc == 0 && i < f.n; i++)
		text_remove(mb, f.v[i].name);
	rc = rc < 0 ? -1 : f.n > 0;
	text_files_close(&f);
	return rc;
}

int
mailbox_text_anew(struct mailbox *mb, mailbox_text_goes_on *goes_on, void *ctx,
    struct err *e)
{
	struct db_lock lease = DB_LOCK_INIT;
	int rc;

	if (mb->st->env->text_max == 0 ||
	    faccessat(mb->folder.fd, TEXT_LOCK, F_OK, 0) != 0)
		return 1;
	if (db_lock(&lease, mb->folder.fd, TEXT_LOCK, DB_LOCK_LEASE, 0, NULL) !=
	    1)
		return 0;
	rc = remove_all(mb, e);
	db_unlock(&lease);
	if (rc <= 0)
		return rc < 0 ? -1 : 1;
	return mailbox_text_update(mb, true, goes_on, ctx, e);
}
