/* textmerge.c - few segments out of many, and a limit to their bytes. */
#include <stdlib.h>
#include <string.h>

#include "store/text_int.h"

/*
 * Segments are of one level if they are within a factor of MERGE; so many of
 * one level become one. A message is written log(n)/log(MERGE) times, and a
 * search looks into about MERGE segments a level.
 */
#define MERGE 4
/* With so many, merging comes before the client. */
#define FILES_MAX 64
/* Trigrams between two questions whether to go on. */
#define ASK_EVERY 4096

#define GONE UINT32_MAX

/* ---- merging a run of segments ---- */

struct source {
	struct textseg_cursor cursor;
	uint32_t *to; /* new number of each document, or GONE */
	bool end;
};

struct merge {
	struct mailbox *mb;
	const struct text_file *files;
	struct source *sources;
	size_t n;
	uint32_t *uids, *docs, *one; /* of all sources */
	unsigned char *any;
	uint32_t ndocs;
	mailbox_text_goes_on *goes_on;
	void *ctx;
	bool stopped;
	size_t damaged; /* the file that is, plus 1 */
};

static void
number_docs(struct merge *m, size_t i)
{
	const struct textseg_scope *c = &m->files[i].seg.scope;
	struct source *s = &m->sources[i];

	s->to = xreallocarray(NULL, c->ndocs + 1, sizeof(*s->to));
	for (uint32_t k = 0; k < c->ndocs; k++) {
		s->to[k] = GONE;
		if (index_get(&m->mb->ix, c->uids[k]) == NULL)
			continue;
		if (c->any[k / 8] & 1u << k % 8)
			m->any[m->ndocs / 8] |=
			    (unsigned char)(1u << m->ndocs % 8);
		m->uids[m->ndocs] = c->uids[k];
		s->to[k] = m->ndocs++;
	}
}

static void
step(struct merge *m, size_t i)
{
	struct source *s = &m->sources[i];

	s->end = !textseg_next(&s->cursor);
	if (s->cursor.damaged)
		m->damaged = i + 1;
}

static void
merge_begin(struct merge *m)
{
	size_t total = 1;

	for (size_t i = 0; i < m->n; i++)
		total += m->files[i].seg.scope.ndocs;
	m->sources = xcalloc(m->n, sizeof(*m->sources));
	m->uids = xreallocarray(NULL, total, sizeof(*m->uids));
	m->docs = xreallocarray(NULL, total, sizeof(*m->docs));
	m->one = xreallocarray(NULL, total, sizeof(*m->one));
	m->any = xcalloc(total / 8 + 1, 1);
	for (size_t i = 0; i < m->n; i++) {
		number_docs(m, i);
		textseg_first(&m->sources[i].cursor, &m->files[i].seg);
		step(m, i);
	}
}

static void
merge_free(struct merge *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->sources[i].to);
	free(m->sources);
	free(m->uids);
	free(m->docs);
	free(m->one);
	free(m->any);
}

/* The documents of source i that have its trigram, behind the n there are. */
static uint32_t
take_docs(struct merge *m, size_t i, uint32_t n)
{
	struct source *s = &m->sources[i];

	if (!textseg_docs(&s->cursor, m->one)) {
		m->damaged = i + 1;
		return n;
	}
	for (uint32_t k = 0; k < s->cursor.n; k++)
		if (s->to[m->one[k]] != GONE)
			m->docs[n++] = s->to[m->one[k]];
	step(m, i);
	return n;
}

/* The next trigram of all; false at the end. */
static bool
merge_one(struct merge *m, struct textseg_writer *w)
{
	uint32_t least = TEXTSEG_TRIGRAMS, n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!m->sources[i].end && m->sources[i].cursor.trigram < least)
			least = m->sources[i].cursor.trigram;
	if (least == TEXTSEG_TRIGRAMS)
		return false;
	for (size_t i = 0; i < m->n; i++)
		if (!m->sources[i].end && m->sources[i].cursor.trigram == least)
			n = take_docs(m, i, n);
	if (n > 0)
		textseg_write_add(w, least, m->docs, n);
	return true;
}

static int
merge_write(struct merge *m, struct err *e)
{
	const struct mailbox *mb = m->mb;
	struct textseg_scope scope = { mb->ix.uidvalidity,
		m->files[0].seg.scope.first, m->files[m->n - 1].seg.scope.last,
		m->ndocs, m->uids, m->any };
	struct textseg_writer w;
	char name[TEXT_NAME];
	int rc;

	text_name(scope.first, scope.last, name);
	rc = textseg_write_begin(&w, mb->folder.fd, name,
	    mb->st->env->file_mode, &scope, e);
	for (size_t i = 0; rc == 0 && !m->damaged && !m->stopped; i++) {
		if (!merge_one(m, &w))
			break;
		m->stopped = i % ASK_EVERY == 0 && !m->goes_on(m->ctx, 0, 0);
	}
	if (rc == 0 && !m->damaged && !m->stopped) {
		rc = textseg_write_end(&w, name, e);
		for (size_t i = 0; rc == 0 && i < m->n; i++)
			if (strcmp(m->files[i].name, name) != 0)
				text_remove(mb, m->files[i].name);
	}
	textseg_write_free(&w);
	return rc;
}

static bool
never_stops(void *ctx, uint32_t done, uint32_t total)
{
	(void)ctx, (void)done, (void)total;
	return true;
}

/* 1 merged, 0 stopped, -1. A damaged one is removed, which counts as merged. */
static int
merge_files(struct mailbox *mb, const struct text_file *files, size_t n,
    mailbox_text_goes_on *goes_on, void *ctx, struct err *e)
{
	struct merge m = {
		.mb = mb, .files = files, .n = n, .goes_on = goes_on, .ctx = ctx
	};
	int rc;

	merge_begin(&m);
	rc = merge_write(&m, e);
	merge_free(&m);
	if (rc == 0 && m.damaged)
		text_damaged(mb, &files[m.damaged - 1]);
	return rc < 0 ? -1 : !m.stopped;
}

/* ---- what to merge ---- */

static unsigned
level(const struct text_file *f)
{
	uint32_t n = f->seg.scope.ndocs / TEXT_UPDATE_MESSAGES;
	unsigned l = 0;

	for (; n >= MERGE; n /= MERGE)
		l++;
	return l;
}

/* Segments from i on that can become one, none above the level; *full_r of them
 * are of it. */
static size_t
run_from(const struct mailbox *mb, const struct text_files *f, size_t i,
    unsigned most, size_t *full_r)
{
	uint64_t bytes = 0, docs = 0;
	size_t k = i;

	*full_r = 0;
	for (; k < f->n && level(&f->v[k]) <= most; k++) {
		bytes += f->v[k].seg.size;
		docs += f->v[k].seg.scope.ndocs;
		/* Of a quarter of the limit, so that its oldest can go. */
		if (bytes > mb->st->env->text_max / 4 ||
		    docs > TEXTSEG_DOCS_MAX ||
		    (k > i &&
			f->v[k].seg.scope.first !=
			    f->v[k - 1].seg.scope.last + 1))
			break;
		*full_r += level(&f->v[k]) == most;
	}
	return k - i;
}

static bool
mostly_gone(const struct mailbox *mb, const struct text_file *f)
{
	const struct textseg_scope *c = &f->seg.scope;
	uint32_t gone = 0;

	for (uint32_t i = 0; i < c->ndocs; i++)
		gone += index_get(&mb->ix, c->uids[i]) == NULL;
	return gone > c->ndocs / 2;
}

/* Which to merge next: n of them from *i_r; 0 for none. */
static size_t
choose(const struct mailbox *mb, const struct text_files *f, bool all,
    size_t *i_r)
{
	for (unsigned most = 0; most < 16; most++)
		for (size_t i = 0, n, full; i < f->n; i += n ? n : 1) {
			n = run_from(mb, f, i, most, &full);
			if (full < MERGE)
				continue;
			*i_r = i;
			return n;
		}
	for (*i_r = 0; all && *i_r < f->n; ++*i_r)
		if (mostly_gone(mb, &f->v[*i_r]))
			return 1;
	return 0;
}

static void
keep_limit(const struct mailbox *mb, struct text_files *f)
{
	for (size_t i = 0; i < f->n && f->bytes > mb->st->env->text_max; i++) {
		f->bytes -= f->v[i].seg.size;
		text_remove(mb, f->v[i].name);
	}
}

int
text_merge(struct mailbox *mb, bool all, mailbox_text_goes_on *goes_on,
    void *ctx, struct err *e)
{
	struct text_files f;
	size_t i, n;
	int rc;

	do {
		if (text_files_open(&f, mb, true, e) < 0)
			return -1;
		n = choose(mb, &f, all, &i);
		rc = n == 0
		    ? 0
		    : merge_files(mb, &f.v[i], n,
			  f.n > FILES_MAX ? never_stops : goes_on, ctx, e);
		if (n == 0)
			keep_limit(mb, &f);
		text_files_close(&f);
	} while (rc == 1);
	return rc;
}
