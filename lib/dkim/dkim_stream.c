/* dkim_stream - one pass over a message for all who verify and sign it. */
#include "dkim/dkim_stream.h"

#include <stdlib.h>

#include "dkim/dkim_canon.h"
#include "dkim/dkim_sig.h"
#include "message/header.h"

struct dkim_body {
	struct dkim_body *next;
	bool relaxed;
	enum sha_alg alg;
	uint64_t limit;
	struct dkim_canon *canon;
	bool whole; /* as many bytes as the limit */
	unsigned char digest[SHA_MAX];
};

struct watcher {
	struct watcher *next;
	void (*header)(void *ctx);
	void *ctx;
};

struct dkim_stream {
	struct arena *arena;
	struct buf header; /* with the empty line */
	bool in_body;
	struct dkim_field *fields;
	size_t n, size;
	struct watcher *watchers, **watchers_end;
	struct dkim_body *bodies;
};

struct dkim_stream *
dkim_stream_new(void)
{
	struct dkim_stream *s = xcalloc(1, sizeof(*s));

	s->arena = arena_new(0);
	s->header = (struct buf)BUF_INIT(DKIM_HEADER_MAX);
	s->watchers_end = &s->watchers;
	return s;
}

void
dkim_stream_free(struct dkim_stream **s)
{
	if (*s == NULL)
		return;
	for (struct dkim_body *b = (*s)->bodies; b != NULL; b = b->next)
		dkim_canon_free(&b->canon);
	buf_free(&(*s)->header);
	arena_free(&(*s)->arena);
	free((*s)->fields);
	free(*s);
	*s = NULL;
}

void
dkim_stream_watch(struct dkim_stream *s, void (*header)(void *ctx), void *ctx)
{
	struct watcher *w = arena_alloc(s->arena, sizeof(*w));

	w->header = header;
	w->ctx = ctx;
	*s->watchers_end = w;
	s->watchers_end = &w->next;
}

/* ---- the header ---- */

static void
index_fields(struct dkim_stream *s)
{
	struct slice rest = buf_slice(&s->header);
	struct header_field field;

	while (header_next(&rest, &field)) {
		if (s->n == DKIM_FIELDS_MAX) {
			s->header.over = true;
			break;
		}
		if (s->n == s->size) {
			s->size = s->size * 2 + 32;
			s->fields = xreallocarray(s->fields, s->size,
			    sizeof(*s->fields));
		}
		s->fields[s->n++] =
		    (struct dkim_field){ field.name, field.value, field.raw };
	}
}

static void
header_complete(struct dkim_stream *s)
{
	s->in_body = true;
	if (!s->header.over)
		index_fields(s);
	if (s->header.over)
		s->n = 0;
	for (struct watcher *w = s->watchers; w != NULL; w = w->next)
		w->header(w->ctx);
}

/* Where the header ends in it, which grew by what follows from; 0: not yet. */
static size_t
header_end(struct slice header, size_t from)
{
	ssize_t at;

	if (slice_starts(header, SLICE("\r\n")))
		return 2;
	from = from < 3 ? 0 : from - 3;
	at = slice_find(slice_skip(header, from), SLICE("\r\n\r\n"));
	return at < 0 ? 0 : from + (size_t)at + 4;
}

/* Bytes of wire that belong to the header. */
static size_t
push_header(struct dkim_stream *s, struct slice wire)
{
	size_t before = s->header.n, end;

	buf_add(&s->header, wire);
	if (s->header.over) {
		header_complete(s);
		return wire.n;
	}
	end = header_end(buf_slice(&s->header), before);
	if (end == 0)
		return wire.n;
	buf_cut(&s->header, end);
	header_complete(s);
	return end - before;
}

void
dkim_stream_push(struct dkim_stream *s, struct slice wire)
{
	if (!s->in_body)
		wire = slice_skip(wire, push_header(s, wire));
	if (wire.n > 0)
		for (struct dkim_body *b = s->bodies; b != NULL; b = b->next)
			dkim_canon_push(b->canon, wire);
}

void
dkim_stream_end(struct dkim_stream *s)
{
	if (!s->in_body)
		header_complete(s);
	for (struct dkim_body *b = s->bodies; b != NULL; b = b->next)
		b->whole = dkim_canon_end(b->canon, b->digest);
}

bool
dkim_stream_cut(const struct dkim_stream *s)
{
	return s->header.over;
}

size_t
dkim_stream_fields(const struct dkim_stream *s, const struct dkim_field **v_r)
{
	*v_r = s->fields;
	return s->n;
}

/* ---- digests ---- */

struct dkim_body *
dkim_stream_body(struct dkim_stream *s, bool relaxed, enum sha_alg alg,
    uint64_t limit)
{
	struct dkim_body *b = s->bodies;

	while (b != NULL &&
	    (b->relaxed != relaxed || b->alg != alg || b->limit != limit))
		b = b->next;
	if (b != NULL)
		return b;
	b = arena_alloc(s->arena, sizeof(*b));
	b->relaxed = relaxed;
	b->alg = alg;
	b->limit = limit;
	b->canon = dkim_canon_new(relaxed, alg, limit);
	b->next = s->bodies;
	s->bodies = b;
	return b;
}

bool
dkim_body_digest(const struct dkim_body *body, struct slice *digest_r)
{
	*digest_r = slice_of((const char *)body->digest, sha_size(body->alg));
	return body->whole;
}

/* How far up the fields of a name are used. */
struct cursor {
	struct slice name;
	size_t left; /* fields before this index are free */
};

static struct cursor *
cursor_of(struct cursor *v, size_t *n, struct slice name, size_t fields)
{
	for (size_t i = 0; i < *n; i++)
		if (slice_eqi(v[i].name, name))
			return &v[i];
	v[*n] = (struct cursor){ name, fields };
	return &v[(*n)++];
}

/* The last free field of the name; NULL if there is none (left). */
static const struct dkim_field *
choose(const struct dkim_stream *s, struct cursor *c, const char *own)
{
	while (c->left > 0) {
		const struct dkim_field *f = &s->fields[--c->left];

		if (f->raw.p != own && slice_eqi(f->name, c->name))
			return f;
	}
	return NULL;
}

void
dkim_stream_header_text(const struct dkim_stream *s, const struct slice *names,
    size_t n, const char *own, bool relaxed, struct buf *out)
{
	struct cursor *cursors = xcalloc(n + 1, sizeof(*cursors));
	size_t cursors_n = 0;

	for (size_t i = 0; i < n; i++) {
		const struct dkim_field *f = choose(s,
		    cursor_of(cursors, &cursors_n, names[i], s->n), own);

		if (f != NULL)
			dkim_canon_field(f->raw, relaxed, out);
	}
	free(cursors);
}

void
dkim_stream_header_digest(const struct dkim_stream *s,
    const struct slice *names, size_t n, struct slice own, bool relaxed,
    enum sha_alg alg, unsigned char digest[SHA_MAX])
{
	struct buf b = BUF_INIT(SIZE_MAX), stripped = BUF_INIT(SIZE_MAX);

	dkim_stream_header_text(s, names, n, own.p, relaxed, &b);
	dkim_sig_strip(own, &stripped);
	dkim_canon_field(buf_slice(&stripped), relaxed, &b);
	sha_digest(alg, slice_head(buf_slice(&b), b.n - 2), digest);
	buf_free(&stripped);
	buf_free(&b);
}
