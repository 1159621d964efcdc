/*
 * dkim_stream - one pass over a message for all who verify and sign it: the
 * header is kept, the body digested once in each way that was asked for.
 *
 *   s = dkim_stream_new();
 *   v = dkim_verify_new(s, ...); a = arc_verify_new(s, ...);
 *   dkim_stream_push(s, ...) as the bytes come, in wire form (CRLF)
 *   dkim_stream_end(s);
 *   dkim_verify_finish(v, ...); arc_verify_finish(a, ...);
 *
 * Memory: the header, at most DKIM_HEADER_MAX, and 8 KB for each digest.
 */
#ifndef DKIM_DKIM_STREAM_H
#define DKIM_DKIM_STREAM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/sha.h"

#define DKIM_HEADER_MAX (1024 * 1024)
#define DKIM_FIELDS_MAX 2000 /* real mail has up to 200; h= looks through all */

struct dkim_field {
	struct slice name;  /* without white space before the colon */
	struct slice value; /* trimmed, folds as they are */
	struct slice raw;   /* all of it with its CRLF */
};

struct dkim_stream;
struct dkim_body; /* a digest of the body, shared by all who want the same */

struct dkim_stream *dkim_stream_new(void);
void dkim_stream_free(struct dkim_stream **s);

/* header(ctx) is called when the header is complete, in dkim_stream_push or
 * dkim_stream_end: then fields may be looked at and bodies be asked for. */
void dkim_stream_watch(struct dkim_stream *s, void (*header)(void *ctx),
    void *ctx);

void dkim_stream_push(struct dkim_stream *s, struct slice wire);
void dkim_stream_end(struct dkim_stream *s);

/* The header is longer than the limits: there are no fields. */
bool dkim_stream_cut(const struct dkim_stream *s);
/* From the watcher on. Slices live as long as the stream. */
size_t dkim_stream_fields(const struct dkim_stream *s,
    const struct dkim_field **v_r);

/* To be called by watchers. limit: DKIM_NO_LIMIT or l=. */
struct dkim_body *dkim_stream_body(struct dkim_stream *s, bool relaxed,
    enum sha_alg alg, uint64_t limit);
/* After dkim_stream_end. False: the body is shorter than the limit. */
bool dkim_body_digest(const struct dkim_body *body, struct slice *digest_r);

/*
 * Append the canonical forms of the fields that names (n of them) choose, from
 * the last to the first of each name, as RFC 6376, 5.4.2 says. Fields of own's
 * place are never chosen (NULL: of no place).
 */
void dkim_stream_header_text(const struct dkim_stream *s,
    const struct slice *names, size_t n, const char *own, bool relaxed,
    struct buf *out);
/*
 * Digest the fields that names (n of them) choose, as above, then own with the value
 * of its b= taken out and without CRLF: one of the stream or another text.
 */
void dkim_stream_header_digest(const struct dkim_stream *s,
    const struct slice *names, size_t n, struct slice own, bool relaxed,
    enum sha_alg alg, unsigned char digest[SHA_MAX]);

#endif
