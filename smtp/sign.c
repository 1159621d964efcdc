/*
 * sign - DKIM signatures of the domain in From, on submissions (RFC 6376).
 *
 * Done here, behind the checks of who the author may be: the keys are not the
 * front's. They are kept for the next message of the connection.
 */
#include <stdlib.h>

#include "base/log.h"
#include "smtp/back.h"
#include "smtp/front.h"

struct smtp_signing {
	struct arena *arena;
	struct slice local, domain; /* of From, for which: */
	struct host_signers signers;
};

void
smtp_signing_free(struct smtp_signing **s)
{
	if (!*s)
		return;
	host_signers_free(&(*s)->signers);
	arena_free(&(*s)->arena);
	free(*s);
	*s = NULL;
}

/* Read unless they are the last ones. */
int
smtp_signers(struct smtp_back *b, struct slice local, struct slice domain,
    const struct host_signers **signers_r, struct err *e)
{
	struct host *h = b->login.host;
	struct smtp_signing *s = b->signing;
	const struct conf_domain *conf;
	int rc;

	if (s && slice_eq(s->local, local) && slice_eqi(s->domain, domain)) {
		*signers_r = &s->signers;
		return 0;
	}
	smtp_signing_free(&b->signing);
	b->signing = s = xcalloc(1, sizeof(*s));
	s->arena = arena_new(0);
	s->local = arena_dup(s->arena, local);
	s->domain = arena_dup(s->arena, domain);
	rc = lookup_domain(h->lookup, s->arena, s->domain, &conf, e);
	if (rc > 0)
		rc = host_signers_load(h->config, conf, s->local, s->arena,
		    &s->signers, e);
	*signers_r = &s->signers;
	if (rc < 0)
		smtp_signing_free(&b->signing);
	return rc < 0 ? -1 : 0;
}

static int
sign(struct smtp_back *b, const struct host_signers *signers,
    struct slice prefix, struct buf *out, struct err *e)
{
	struct dkim_stream *stream = dkim_stream_new();
	struct dkim_sign *sign = dkim_sign_new(stream, signers->v, signers->n,
	    b->login.host->env.clock);
	uint64_t offset = 0;
	struct slice piece;
	int rc;

	dkim_stream_push(stream, prefix);
	while ((rc = spool_read(b->spool, &offset, &piece, e)) > 0)
		dkim_stream_push(stream, piece);
	dkim_stream_end(stream);
	if (rc == 0)
		rc = dkim_sign_finish(sign, out, e);
	dkim_sign_free(&sign);
	dkim_stream_free(&stream);
	return rc;
}

int
smtp_sign(struct smtp_back *b, struct slice prefix, struct buf *out,
    struct err *e)
{
	struct slice record = buf_slice(&b->record);
	const struct host_signers *signers;
	struct err why = ERR_INIT;

	if (smtp_signers(b, msgrec_text(record, MSGREC_FROM_LOCAL),
		msgrec_text(record, MSGREC_FROM_DOMAIN), &signers, &why) == 0 &&
	    (signers->n == 0 || sign(b, signers, prefix, out, &why) == 0))
		return 1;
	log_line(SMTP_TOPIC, LOG_ERROR, "cannot be signed",
	    LOG_S("domain", msgrec_text(record, MSGREC_FROM_DOMAIN)),
	    LOG_E(&why));
	return smtp_verdict(b, 451, "4.3.0", e, "cannot be signed now");
}
