/* arc_seal - add a set to a chain. */
#include <stdlib.h>

#include "arc/arc.h"
#include "arc/arc_int.h"
#include "dkim/dkim_canon.h"

const struct slice arc_default_headers[] = {
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
const size_t arc_default_headers_n =
    sizeof(arc_default_headers) / sizeof(arc_default_headers[0]);

struct arc_seal {
	struct dkim_stream *stream;
	const struct arc_sealer *sealer;
	const struct clock *clock;
	struct dkim_body *body;
	struct arena *arena;
};

static void
header_complete(void *ctx)
{
	struct arc_seal *seal = ctx;

	seal->body =
	    dkim_stream_body(seal->stream, true, SHA_256, DKIM_NO_LIMIT);
}

struct arc_seal *
arc_seal_new(struct dkim_stream *s, const struct arc_sealer *sealer,
    const struct clock *clock)
{
	struct arc_seal *seal = xcalloc(1, sizeof(*seal));

	seal->stream = s;
	seal->sealer = sealer;
	seal->clock = clock;
	seal->arena = arena_new(0);
	dkim_stream_watch(s, header_complete, seal);
	return seal;
}

void
arc_seal_free(struct arc_seal **seal)
{
	if (*seal == NULL)
		return;
	arena_free(&(*seal)->arena);
	free(*seal);
	*seal = NULL;
}

/* h=: the names that are there, as often as they are; From always. What was
 * not there may be added on the way: that is what ARC is for. */
static int
choose_headers(struct arc_seal *seal, struct slice **v_r, size_t *n_r,
    struct err *e)
{
	const struct dkim_field *fields;
	size_t fields_n = dkim_stream_fields(seal->stream, &fields), n = 0;
	struct slice *v = arena_array(seal->arena, DKIM_SIGNED_MAX, sizeof(*v));
	bool from = false;

	for (size_t i = 0; i < seal->sealer->headers_n; i++)
		for (size_t k = 0; k < fields_n; k++) {
			struct slice name = seal->sealer->headers[i];

			if (!slice_eqi(fields[k].name, name))
				continue;
			if (n == DKIM_SIGNED_MAX)
				return err_set(e, ERR_LIMIT,
				    "arc: more than %d fields to sign",
				    DKIM_SIGNED_MAX);
			v[n++] = name;
			from = from || slice_isi(name, "From");
		}
	if (!from)
		return err_set(e, ERR_SYNTAX, "arc: message has no From");
	*v_r = v;
	*n_r = n;
	return 0;
}

/* Tags that both signatures begin with. */
static void
begin(struct arc_seal *seal, struct dkim_fold *f, struct buf *out,
    enum arc_field which, unsigned i)
{
	const struct arc_sealer *sealer = seal->sealer;
	bool rsa = dkim_key_type(sealer->key) == DKIM_RSA;
	long long now = (long long)clock_s(seal->clock);

	dkim_fold_begin(f, out, arc_field_names[which]);
	dkim_fold_tag(f, "i", arena_printf(seal->arena, "%u", i));
	dkim_fold_tag(f, "a",
	    rsa ? SLICE("rsa-sha256") : SLICE("ed25519-sha256"));
	dkim_fold_tag(f, "d", sealer->domain);
	dkim_fold_tag(f, "s", sealer->selector);
	dkim_fold_tag(f, "t", arena_printf(seal->arena, "%lld", now));
}

/* b= behind a field that has it empty, and CRLF. */
static int
sign(struct arc_seal *seal, struct dkim_fold *f, const unsigned char *digest,
    struct err *e)
{
	struct buf signature = BUF_INIT(DKIM_RSA_BITS_MAX / 8);
	int rc = dkim_key_sign(seal->sealer->key, SHA_256,
	    slice_of((const char *)digest, sha_size(SHA_256)), &signature, e);

	if (rc == 0) {
		dkim_fold_data(f, buf_slice(&signature));
		buf_addz(f->out, "\r\n");
	}
	buf_free(&signature);
	return rc;
}

/* RFC 8617, 4.1.2 */
static int
write_message(struct arc_seal *seal, unsigned i, struct buf *out, struct err *e)
{
	unsigned char digest[SHA_MAX];
	struct dkim_fold f;
	struct slice *headers = NULL, body;
	size_t n = 0;

	if (choose_headers(seal, &headers, &n, e) < 0)
		return -1;
	dkim_body_digest(seal->body, &body);
	begin(seal, &f, out, ARC_MESSAGE, i);
	dkim_fold_canonicalization(&f, true, true);
	dkim_fold_headers(&f, headers, n);
	dkim_fold_tag(&f, "bh", SLICE_NULL);
	dkim_fold_data(&f, body);
	dkim_fold_tag(&f, "b", SLICE_NULL);
	dkim_stream_header_digest(seal->stream, headers, n, buf_slice(out),
	    true, SHA_256, digest);
	return sign(seal, &f, digest, e);
}

/* RFC 8617, 4.1.3; 5.1.2: a broken chain is not sealed, only our own set. */
static int
write_seal(struct arc_seal *seal, struct arc_sets *sets, unsigned i,
    enum arc_status status, struct buf *out, struct err *e)
{
	unsigned first = status == ARC_FAIL ? i - 1 : 0;
	unsigned char digest[SHA_MAX];
	struct dkim_field own = { .name = SLICE_NULL };
	struct dkim_fold f;

	begin(seal, &f, out, ARC_SEAL, i);
	dkim_fold_tag(&f, "cv", slice_str(arc_status_name(status)));
	dkim_fold_tag(&f, "b", SLICE_NULL);
	own.raw = buf_slice(out);
	sets->v[i - 1].v[ARC_SEAL] = &own;
	arc_seal_digest(sets->v, first, i - 1, digest);
	sets->v[i - 1].v[ARC_SEAL] = NULL;
	return sign(seal, &f, digest, e);
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

int
arc_seal_finish(struct arc_seal *seal, const struct arc_result *chain,
    const struct authres *results, struct buf *out, struct err *e)
{
	struct buf b[ARC_FIELDS] = { BUF_INIT(DKIM_HEADER_MAX),
		BUF_INIT(DKIM_HEADER_MAX), BUF_INIT(DKIM_HEADER_MAX) };
	struct dkim_field aar = { .name = SLICE_NULL }, ams = aar;
	unsigned i = chain->n + 1;
	struct arc_sets sets;
	int rc = -1;

	if (chain->over)
		return 0;
	if (dkim_stream_cut(seal->stream))
		return err_set(e, ERR_LIMIT, "arc: header is too long");
	arc_collect(seal->stream, &sets);
	if (!belongs(chain, &sets))
		return err_set(e, ERR_PERM,
		    "arc: the chain is not that of the message");
	authres_write(&b[ARC_RESULTS],
	    arena_cstr(seal->arena,
		arena_printf(seal->arena, "%s: i=%u;",
		    arc_field_names[ARC_RESULTS], i)),
	    results);
	aar.raw = buf_slice(&b[ARC_RESULTS]);
	sets.v[i - 1].v[ARC_RESULTS] = &aar;
	if (write_message(seal, i, &b[ARC_MESSAGE], e) < 0)
		goto out;
	ams.raw = buf_slice(&b[ARC_MESSAGE]);
	sets.v[i - 1].v[ARC_MESSAGE] = &ams;
	if (write_seal(seal, &sets, i, chain->status, &b[ARC_SEAL], e) < 0)
		goto out;
	for (int k = ARC_FIELDS; k-- > 0;)
		buf_add(out, buf_slice(&b[k]));
	rc = 1;
out:
	for (int k = 0; k < ARC_FIELDS; k++)
		buf_free(&b[k]);
	return rc;
}
