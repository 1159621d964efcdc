/* dkim_sign - make the signatures of a message. */
#include <stdlib.h>

#include "dkim/dkim.h"
#include "dkim/dkim_canon.h"

/* As mox has them: what people see, and what answers depend on. */
const struct slice dkim_default_headers[] = {
	{ "From", 4 },
	{ "To", 2 },
	{ "Cc", 2 },
	{ "Bcc", 3 },
	{ "Reply-To", 8 },
	{ "References", 10 },
	{ "In-Reply-To", 11 },
	{ "Subject", 7 },
	{ "Date", 4 },
	{ "Message-Id", 10 },
	{ "Content-Type", 12 },
};
const size_t dkim_default_headers_n =
    sizeof(dkim_default_headers) / sizeof(dkim_default_headers[0]);

struct dkim_sign {
	struct dkim_stream *stream;
	const struct dkim_signer *signers;
	size_t n;
	const struct clock *clock;
	struct dkim_body **bodies; /* one for each signer */
	struct arena *arena;
};

static void
header_complete(void *ctx)
{
	struct dkim_sign *sign = ctx;

	for (size_t i = 0; i < sign->n; i++)
		sign->bodies[i] = dkim_stream_body(sign->stream,
		    sign->signers[i].body_relaxed, sign->signers[i].hash,
		    DKIM_NO_LIMIT);
}

struct dkim_sign *
dkim_sign_new(struct dkim_stream *s, const struct dkim_signer *signers,
    size_t n, const struct clock *clock)
{
	struct dkim_sign *sign = xcalloc(1, sizeof(*sign));

	sign->stream = s;
	sign->signers = signers;
	sign->n = n;
	sign->clock = clock;
	sign->arena = arena_new(0);
	sign->bodies = arena_array(sign->arena, n, sizeof(*sign->bodies));
	dkim_stream_watch(s, header_complete, sign);
	return sign;
}

void
dkim_sign_free(struct dkim_sign **sign)
{
	if (*sign == NULL)
		return;
	arena_free(&(*sign)->arena);
	free(*sign);
	*sign = NULL;
}

static size_t
count(const struct dkim_field *fields, size_t n, struct slice name)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += slice_eqi(fields[i].name, name);
	return found;
}

/*
 * h=: each name as often as there are fields, and once more to seal it (RFC
 * 6376, 5.4.2: a name without a field left says that there is none).
 */
static int
choose_headers(struct dkim_sign *sign, const struct dkim_signer *signer,
    struct dkim_sig *sig, struct err *e)
{
	const struct dkim_field *fields;
	size_t fields_n = dkim_stream_fields(sign->stream, &fields);

	sig->headers =
	    arena_array(sign->arena, DKIM_SIGNED_MAX, sizeof(*sig->headers));
	for (size_t i = 0; i < signer->headers_n; i++) {
		size_t n = count(fields, fields_n, signer->headers[i]);

		n = signer->seal || n == 0 ? n + 1 : n;
		if (sig->headers_n + n > DKIM_SIGNED_MAX)
			return err_set(e, ERR_LIMIT,
			    "dkim: more than %d fields to sign",
			    DKIM_SIGNED_MAX);
		while (n-- > 0)
			sig->headers[sig->headers_n++] = signer->headers[i];
	}
	return 0;
}

/* z= (RFC 6376, 3.5). */
static struct slice
copy_headers(struct dkim_sign *sign, const struct dkim_sig *sig)
{
	const struct dkim_field *fields;
	size_t n = dkim_stream_fields(sign->stream, &fields);
	struct buf z = BUF_INIT(DKIM_HEADER_MAX);
	struct slice copy;

	for (size_t i = 0; i < n; i++) {
		struct slice name = fields[i].name;

		if (!dkim_sig_covers(sig, arena_cstr(sign->arena, name)))
			continue;
		if (z.n > 0)
			buf_addc(&z, '|');
		buf_addf(&z, "%.*s:", SLICE_FMT(name));
		dkim_qp_write(fields[i].value, true, &z);
	}
	copy = z.over ? SLICE_NULL : arena_dup(sign->arena, buf_slice(&z));
	buf_free(&z);
	return copy;
}

/* Where there is something to be looked at before signing. */
static int
check(const struct dkim_sign *sign, struct err *e)
{
	const struct dkim_field *fields;
	size_t n = dkim_stream_fields(sign->stream, &fields);

	if (dkim_stream_cut(sign->stream))
		return err_set(e, ERR_LIMIT, "dkim: header is too long");
	if (count(fields, n, SLICE("From")) == 0)
		return err_set(e, ERR_SYNTAX, "dkim: message has no From");
	return 0;
}

static int
sign_digest(const struct dkim_signer *signer, struct slice digest,
    struct buf *out, struct err *e)
{
	if (signer->sign != NULL)
		return signer->sign(signer->sign_ctx, signer, digest, out, e);
	return dkim_key_sign(signer->key, signer->hash, digest, out, e);
}

static int
sign_one(struct dkim_sign *sign, size_t i, struct buf *out, struct err *e)
{
	const struct dkim_signer *signer = &sign->signers[i];
	bool rsa = dkim_key_type(signer->key) == DKIM_RSA;
	struct buf field = BUF_INIT(2 * DKIM_HEADER_MAX);
	struct buf signature = BUF_INIT(DKIM_RSA_BITS_MAX / 8);
	unsigned char digest[SHA_MAX];
	struct dkim_sig sig = { .hash = signer->hash };
	int rc = -1;

	sig.algorithm = !rsa        ? SLICE("ed25519-sha256")
	    : signer->hash == SHA_1 ? SLICE("rsa-sha1")
				    : SLICE("rsa-sha256");
	sig.domain = signer->domain;
	sig.selector = signer->selector;
	sig.identity = signer->identity;
	sig.header_relaxed = signer->header_relaxed;
	sig.body_relaxed = signer->body_relaxed;
	sig.has_time = true;
	sig.time = (uint64_t)clock_s(sign->clock);
	sig.has_expire = signer->expire_s > 0;
	sig.expire = sig.time + (uint64_t)signer->expire_s;
	if (choose_headers(sign, signer, &sig, e) < 0)
		goto out;
	if (signer->copy_headers)
		sig.copied = copy_headers(sign, &sig);
	dkim_body_digest(sign->bodies[i], &sig.body_hash);
	dkim_sig_write(&sig, &field);
	dkim_stream_header_digest(sign->stream, sig.headers, sig.headers_n,
	    buf_slice(&field), sig.header_relaxed, sig.hash, digest);
	if (sign_digest(signer, slice_of((char *)digest, sha_size(sig.hash)),
		&signature, e) < 0)
		goto out;
	sig.signature = buf_slice(&signature);
	dkim_sig_write(&sig, out);
	buf_addz(out, "\r\n");
	rc = 0;
out:
	buf_free(&signature);
	buf_free(&field);
	return rc;
}

int
dkim_sign_finish(struct dkim_sign *sign, struct buf *out, struct err *e)
{
	size_t before = out->n;

	if (check(sign, e) < 0)
		return -1;
	for (size_t i = 0; i < sign->n; i++)
		if (sign_one(sign, i, out, e) < 0) {
			buf_cut(out, before);
			return -1;
		}
	if (out->over)
		return err_set(e, ERR_LIMIT, "dkim: signatures are too long");
	return 0;
}
