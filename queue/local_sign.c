/*
 * local_sign - the keys that notifications which leave are signed with, in a
 * child that has nothing else: it is given digests and gives signatures, no
 * byte of a message. Loaded before anything of others is read.
 *
 * To it: struct question. From it: {u32 length, signature}, 0 if it cannot.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "queue/local.h"
#include "service/sandbox.h"
#include "text/idna.h"

struct question {
	uint32_t signer, alg;
	unsigned char digest[SHA_MAX];
};

/* ---- the child ---- */

static int
answer(const struct local_signing *s, int fd, const struct question *q)
{
	struct buf signature = BUF_INIT(DKIM_RSA_BITS_MAX / 8);
	struct err e = ERR_INIT;
	uint32_t n;
	int rc;

	if (q->signer >= s->signers.n || (q->alg != SHA_256 && q->alg != SHA_1))
		return -1;
	if (dkim_key_sign(s->signers.keys[q->signer], (enum sha_alg)q->alg,
		slice_of((const char *)q->digest,
		    sha_size((enum sha_alg)q->alg)),
		&signature, &e) < 0)
		buf_reset(&signature);
	n = (uint32_t)signature.n;
	rc = file_write(fd, slice_of((char *)&n, sizeof(n)), &e);
	if (rc == 0 && n > 0)
		rc = file_write(fd, buf_slice(&signature), &e);
	buf_free(&signature);
	return rc;
}

static void
be_signer(void *ctx, int fd)
{
	const struct local_signing *s = ctx;
	struct question q;
	struct err e = ERR_INIT;

	while (local_receive(fd, &q, sizeof(q), &e) > 0 &&
	    answer(s, fd, &q) == 0)
		continue;
}

/* ---- the parent ---- */

static int
ask(void *ctx, const struct dkim_signer *signer, struct slice digest,
    struct buf *out, struct err *e)
{
	struct local_signing *s = ctx;
	struct question q = { .signer = (uint32_t)(signer - s->signers.v),
		.alg = signer->hash };
	uint32_t n = 0;
	char *p;
	int rc;

	for (size_t i = 0; i < digest.n && i < sizeof(q.digest); i++)
		q.digest[i] = (unsigned char)digest.p[i];
	rc = file_write(s->fd, slice_of((char *)&q, sizeof(q)), e);
	if (rc == 0)
		rc = local_receive(s->fd, &n, sizeof(n), e);
	if (rc > 0 && (n == 0 || n > DKIM_RSA_BITS_MAX / 8))
		return err_set(e, ERR_PERM, "signer: no signature");
	p = rc > 0 ? buf_space(out, n) : NULL;
	if (p)
		rc = local_receive(s->fd, p, n, e);
	if (rc <= 0 || !p)
		return rc < 0 ? -1 : err_set(e, ERR_PERM, "signer: it ended");
	out->n += n;
	return 0;
}

/* Of a key only what everybody may know stays here. */
static int
keep_public(struct local_signing *s, struct err *e)
{
	for (size_t i = 0; i < s->signers.n; i++) {
		struct dkim_key *key = s->signers.keys[i];
		enum dkim_key_type type = dkim_key_type(key);
		struct buf der = BUF_INIT(DKIM_PEM_MAX);

		dkim_key_write_public(key, &der);
		dkim_key_free(&s->signers.keys[i]);
		s->signers.keys[i] = dkim_key_public(type, buf_slice(&der), e);
		buf_free(&der);
		if (!s->signers.keys[i])
			return -1;
		s->signers.v[i].key = s->signers.keys[i];
		s->signers.v[i].sign = ask;
		s->signers.v[i].sign_ctx = s;
	}
	return 0;
}

/* The domain of the host, or the nearest above it, that signs. */
static int
load(struct local_signing *s, struct host *h, struct arena *arena,
    struct err *e)
{
	struct slice name = h->config->hostname, label;
	const struct conf_domain *domain;
	int rc = 0;

	idna_ascii(arena, name, &name, NULL);
	while (name.n > 0) {
		rc = lookup_domain(h->lookup, arena, name, &domain, e);
		if (rc < 0)
			return -1;
		if (rc > 0 && domain->dkim && domain->dkim->sign.n > 0)
			return host_signers_load(h->config, domain,
			    SLICE("postmaster"), arena, &s->signers, e);
		slice_cut(name, '.', &label, &name);
	}
	return 0;
}

/* Without a key that can be read, notifications go without a signature: they
 * are worth more than that. */
int
local_signing_start(struct local_signing *s, struct host *h,
    struct arena *arena, struct err *e)
{
	struct err why = ERR_INIT;

	if (load(s, h, arena, &why) < 0) {
		log_line(QUEUE_TOPIC, LOG_ERROR,
		    "no key: notifications are not signed", LOG_E(&why));
		host_signers_free(&s->signers);
	}
	if (s->signers.n == 0)
		return 0;
	return local_child_start(be_signer, s, &s->fd, e) < 0
	    ? -1
	    : keep_public(s, e);
}

int
local_sign(struct local *l, struct spool *spool, struct buf *out, struct err *e)
{
	struct local_signing *s = &l->signing;
	struct dkim_stream *stream;
	struct dkim_sign *sign;
	uint64_t offset = 0;
	struct slice piece;
	int rc;

	if (s->signers.n == 0)
		return 0;
	stream = dkim_stream_new();
	sign = dkim_sign_new(stream, s->signers.v, s->signers.n,
	    l->host.env.clock);
	while ((rc = spool_read(spool, &offset, &piece, e)) > 0)
		dkim_stream_push(stream, piece);
	dkim_stream_end(stream);
	if (rc == 0)
		rc = dkim_sign_finish(sign, out, e);
	dkim_sign_free(&sign);
	dkim_stream_free(&stream);
	return rc;
}
