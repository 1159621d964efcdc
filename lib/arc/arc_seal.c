/* arc_seal - add a set to a chain: a draft by who has the message, signed by
 * who has the key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arc/arc.h"
#include "arc/arc_int.h"
#include "dkim/dkim_canon.h"

const struct slice arc_signed[ARC_SIGNED] = {
	{ "From", 4 },
	{ "To", 2 },
	{ "Cc", 2 },
	{ "Reply-To", 8 },
	{ "References", 10 },
	{ "In-Reply-To", 11 },
	{ "Subject", 7 },
	{ "Date", 4 },
	{ "Message-Id", 10 },
	{ "MIME-Version", 12 },
	{ "Content-Type", 12 },
	{ "Content-Transfer-Encoding", 25 },
	{ "DKIM-Signature", 14 },
};
#define FROM 0 /* in it */

/* ---- who has the message ---- */

struct arc_seal {
	struct dkim_stream *stream;
	struct dkim_body *body;
};

static void
header_complete(void *ctx)
{
	struct arc_seal *seal = ctx;

	seal->body =
	    dkim_stream_body(seal->stream, true, SHA_256, DKIM_NO_LIMIT);
}

struct arc_seal *
arc_seal_new(struct dkim_stream *s)
{
	struct arc_seal *seal = xcalloc(1, sizeof(*seal));

	seal->stream = s;
	dkim_stream_watch(s, header_complete, seal);
	return seal;
}

void
arc_seal_free(struct arc_seal **seal)
{
	free(*seal);
	*seal = NULL;
}

/* The names in h=: those that are there, as often as they are. What was not
 * there may be added on the way: that is what ARC is for. */
static size_t
signed_names(const struct arc_draft_facts *is, struct slice *v)
{
	size_t n = 0;

	for (size_t i = 0; i < ARC_SIGNED; i++)
		for (unsigned k = 0; k < is->counts[i]; k++)
			v[n++] = arc_signed[i];
	return n;
}

static int
count_fields(const struct arc_seal *seal, struct arc_draft_facts *is,
    struct err *e)
{
	const struct dkim_field *fields;
	size_t n = dkim_stream_fields(seal->stream, &fields), sum = 0;

	for (size_t i = 0; i < ARC_SIGNED; i++)
		for (size_t k = 0; k < n; k++) {
			if (!slice_eqi(fields[k].name, arc_signed[i]))
				continue;
			if (sum++ == DKIM_SIGNED_MAX || is->counts[i] == 255)
				return err_set(e, ERR_LIMIT,
				    "arc: more than %d fields to sign",
				    DKIM_SIGNED_MAX);
			is->counts[i]++;
		}
	if (is->counts[FROM] == 0)
		return err_set(e, ERR_SYNTAX, "arc: message has no From");
	return 0;
}

/* Is the chain, if it is to be sealed, the one in the message? */
static bool
belongs(const struct arc_result *chain, const struct arc_sets *sets)
{
	if (chain->n != sets->n)
		return false;
	for (unsigned i = 0; chain->status == ARC_PASS && i < sets->n; i++)
		for (int k = 0; k < ARC_FIELDS; k++)
			if (sets->v[i].v[k] == NULL)
				return false;
	return true;
}

static void
write_texts(const struct arc_seal *seal, const struct arc_draft_facts *is,
    const struct arc_sets *sets, struct buf *header, struct buf *chain)
{
	struct slice names[DKIM_SIGNED_MAX];
	size_t n = signed_names(is, names);

	dkim_stream_header_text(seal->stream, names, n, NULL, true, header);
	/* RFC 8617, 5.1.2: a broken chain is not sealed, only our own set. */
	for (unsigned i = 0; is->status == ARC_PASS && i < sets->n; i++)
		for (int k = 0; k < ARC_FIELDS; k++)
			dkim_canon_field(sets->v[i].v[k]->raw, true, chain);
}

int
arc_seal_draft(struct arc_seal *seal, const struct arc_result *chain,
    struct arena *arena, struct arc_draft *draft_r, struct err *e)
{
	struct buf header = BUF_INIT(ARC_DRAFT_MAX),
		   text = BUF_INIT(ARC_DRAFT_MAX);
	struct arc_draft d = { .is = {
				   .status = chain->status, .n = chain->n } };
	struct arc_sets sets;
	struct slice body;
	int rc = 1;

	if (chain->over)
		return 0;
	if (dkim_stream_cut(seal->stream))
		return err_set(e, ERR_LIMIT, "arc: header is too long");
	arc_collect(seal->stream, &sets);
	if (!belongs(chain, &sets))
		return err_set(e, ERR_PERM,
		    "arc: the chain is not that of the message");
	if (count_fields(seal, &d.is, e) < 0)
		return -1;
	dkim_body_digest(seal->body, &body);
	memcpy(d.is.body, body.p, sizeof(d.is.body));
	write_texts(seal, &d.is, &sets, &header, &text);
	if (header.over || text.over)
		rc = err_set(e, ERR_LIMIT, "arc: header is too long");
	d.header = arena_dup(arena, buf_slice(&header));
	d.chain = arena_dup(arena, buf_slice(&text));
	buf_free(&header);
	buf_free(&text);
	*draft_r = d;
	return rc;
}

/* ---- who has the key ---- */

bool
arc_draft_check(const struct arc_draft *draft)
{
	const struct arc_draft_facts *is = &draft->is;
	size_t sum = 0;

	for (size_t i = 0; i < ARC_SIGNED; i++)
		sum += is->counts[i];
	return is->status <= ARC_FAIL && is->n < ARC_SETS_MAX &&
	    (is->status == ARC_PASS) == (draft->chain.n > 0) &&
	    (is->status != ARC_NONE || is->n == 0) && is->counts[FROM] > 0 &&
	    sum <= DKIM_SIGNED_MAX && draft->header.n <= ARC_DRAFT_MAX &&
	    draft->chain.n <= ARC_DRAFT_MAX;
}

struct signing {
	const struct arc_draft *draft;
	const struct arc_sealer *sealer;
	long long now;
	unsigned i; /* of the new set */
};

/* Tags that both signatures begin with. */
static void
begin(const struct signing *s, struct dkim_fold *f, struct buf *out,
    enum arc_field which)
{
	bool rsa = dkim_key_type(s->sealer->key) == DKIM_RSA;
	char number[24];

	dkim_fold_begin(f, out, arc_field_names[which]);
	snprintf(number, sizeof(number), "%u", s->i);
	dkim_fold_tag(f, "i", slice_str(number));
	dkim_fold_tag(f, "a",
	    rsa ? SLICE("rsa-sha256") : SLICE("ed25519-sha256"));
	dkim_fold_tag(f, "d", s->sealer->domain);
	dkim_fold_tag(f, "s", s->sealer->selector);
	snprintf(number, sizeof(number), "%lld", s->now);
	dkim_fold_tag(f, "t", slice_str(number));
}

/* b= of what is digested and the field, which has it empty; and CRLF. */
static int
sign(const struct signing *s, struct dkim_fold *f, struct sha *sha,
    struct err *e)
{
	struct buf signature = BUF_INIT(DKIM_RSA_BITS_MAX / 8);
	struct buf own = BUF_INIT(DKIM_HEADER_MAX);
	unsigned char digest[SHA_MAX];
	int rc;

	dkim_canon_field(buf_slice(f->out), true, &own);
	sha_add(sha, slice_head(buf_slice(&own), own.n - 2));
	sha_end(&sha, digest);
	rc = dkim_key_sign(s->sealer->key, SHA_256,
	    slice_of((const char *)digest, sha_size(SHA_256)), &signature, e);
	if (rc == 0) {
		dkim_fold_data(f, buf_slice(&signature));
		buf_addz(f->out, "\r\n");
	}
	buf_free(&own);
	buf_free(&signature);
	return rc;
}

/* RFC 8617, 4.1.2 */
static int
write_message(const struct signing *s, struct buf *out, struct err *e)
{
	const struct arc_draft *d = s->draft;
	struct slice names[DKIM_SIGNED_MAX];
	size_t n = signed_names(&d->is, names);
	struct sha *sha = sha_new(SHA_256);
	struct dkim_fold f;

	begin(s, &f, out, ARC_MESSAGE);
	dkim_fold_canonicalization(&f, true, true);
	dkim_fold_headers(&f, names, n);
	dkim_fold_tag(&f, "bh", SLICE_NULL);
	dkim_fold_data(&f,
	    slice_of((const char *)d->is.body, sizeof(d->is.body)));
	dkim_fold_tag(&f, "b", SLICE_NULL);
	sha_add(sha, d->header);
	return sign(s, &f, sha, e);
}

/* RFC 8617, 4.1.3; fields: the others of the set. */
static int
write_seal(const struct signing *s, const struct buf *fields, struct buf *out,
    struct err *e)
{
	struct sha *sha = sha_new(SHA_256);
	struct buf own = BUF_INIT(2 * DKIM_HEADER_MAX);
	struct dkim_fold f;

	sha_add(sha, s->draft->chain);
	for (int k = 0; k < ARC_SEAL; k++)
		dkim_canon_field(buf_slice(&fields[k]), true, &own);
	sha_add(sha, buf_slice(&own));
	buf_free(&own);
	begin(s, &f, out, ARC_SEAL);
	dkim_fold_tag(&f, "cv",
	    slice_str(arc_status_name(s->draft->is.status)));
	dkim_fold_tag(&f, "b", SLICE_NULL);
	return sign(s, &f, sha, e);
}

int
arc_sign(const struct arc_draft *draft, const struct arc_sealer *sealer,
    const struct authres *results, const struct clock *clock, struct buf *out,
    struct err *e)
{
	struct buf b[ARC_FIELDS] = { BUF_INIT(DKIM_HEADER_MAX),
		BUF_INIT(DKIM_HEADER_MAX), BUF_INIT(DKIM_HEADER_MAX) };
	struct signing s = { .draft = draft,
		.sealer = sealer,
		.now = (long long)clock_s(clock),
		.i = draft->is.n + 1 };
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "%s: i=%u;", arc_field_names[ARC_RESULTS],
	    s.i);
	authres_write(&b[ARC_RESULTS], name, results);
	rc = write_message(&s, &b[ARC_MESSAGE], e);
	if (rc == 0)
		rc = write_seal(&s, b, &b[ARC_SEAL], e);
	for (int k = ARC_FIELDS; k-- > 0;) {
		if (rc == 0)
			buf_add(out, buf_slice(&b[k]));
		buf_free(&b[k]);
	}
	return rc;
}
