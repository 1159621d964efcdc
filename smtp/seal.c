/*
 * seal - ARC sets for mail that is passed on: to members of an alias, or where
 * an account forwards to (RFC 8617, 5.1).
 *
 * The front, which has the message, makes the draft; the keys are here, where
 * nothing of it is parsed (lib/arc/README).
 */
#include "base/log.h"
#include "smtp/back.h"
#include "smtp/front.h"

/* ---- the draft ---- */

int
smtp_on_seal_header(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_seals *s = &((struct smtp_back *)ctx)->seals;

	buf_add(&s->header, msg->v[0]);
	return s->header.over ? err_set(e, ERR_LIMIT, "draft too long") : 0;
}

int
smtp_on_seal_chain(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_seals *s = &((struct smtp_back *)ctx)->seals;

	buf_add(&s->chain, msg->v[0]);
	return s->chain.over ? err_set(e, ERR_LIMIT, "draft too long") : 0;
}

/* Of the chain it may say nothing else than it did. */
int
smtp_on_seal(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	struct smtp_seals *s = &b->seals;
	const struct smtp_arc *arc = &b->checks.arc.is;

	if (!s->wanted || !b->checks.has_arc || s->has_draft ||
	    !SPLIT_GET(msg->v[0], &s->draft.is))
		return err_set(e, ERR_SYNTAX, "bad draft");
	s->draft.header = buf_slice(&s->header);
	s->draft.chain = buf_slice(&s->chain);
	if (!arc_draft_check(&s->draft) || arc->over ||
	    s->draft.is.status != arc->status || s->draft.is.n != arc->n)
		return err_set(e, ERR_SYNTAX, "bad draft");
	s->has_draft = true;
	return 0;
}

void
smtp_seals_reset(struct smtp_seals *s)
{
	buf_free(&s->header);
	buf_free(&s->chain);
	*s = (struct smtp_seals)SMTP_SEALS_INIT;
}

/* ---- signing ---- */

/* Of the keys a domain signs with, RSA: few know others in ARC. */
static const struct dkim_signer *
choose_key(const struct host_signers *signers)
{
	for (size_t i = 0; i < signers->n; i++)
		if (dkim_key_type(signers->v[i].key) == DKIM_RSA)
			return &signers->v[i];
	return signers->n > 0 ? &signers->v[0] : NULL;
}

/* 0 with an empty text for a domain that does not sign. */
static int
make_seal(struct smtp_back *b, struct slice domain, struct slice *text_r,
    struct err *e)
{
	const struct host_signers *signers;
	const struct dkim_signer *signer;
	struct buf text = BUF_INIT(SMTP_SEAL_MAX);
	struct arc_sealer sealer;
	struct authres results;
	int rc;

	*text_r = SLICE_NULL;
	if (smtp_signers(b, SLICE_NULL, domain, &signers, e) < 0)
		return -1;
	signer = choose_key(signers);
	if (signer == NULL)
		return 0;
	sealer = (struct arc_sealer){ .domain = signer->domain,
		.selector = signer->selector,
		.key = signer->key };
	smtp_checks_results(b, true, &results);
	rc = arc_sign(&b->seals.draft, &sealer, &results,
	    b->login.host->env.clock, &text, e);
	if (rc == 0 && text.over)
		rc = err_set(e, ERR_LIMIT, "seal is too long");
	if (rc == 0)
		*text_r = arena_dup(b->arena, buf_slice(&text));
	buf_free(&text);
	return rc;
}

/* A failure is no reason to keep the message back: it is what it is without
 * the seal. */
struct slice
smtp_seal(struct smtp_back *b, struct slice domain)
{
	struct smtp_seals *s = &b->seals;
	struct err e = ERR_INIT;
	struct smtp_sealed *one;

	if (!s->has_draft)
		return SLICE_NULL;
	for (size_t i = 0; i < s->n; i++)
		if (slice_eqi(s->v[i].domain, domain))
			return s->v[i].text;
	s->v = arena_grow(b->arena, s->v, s->n, s->n + 1, sizeof(*s->v));
	one = &s->v[s->n++];
	one->domain = domain;
	if (make_seal(b, domain, &one->text, &e) < 0)
		log_line(SMTP_TOPIC, LOG_ERROR, "not sealed",
		    LOG_S("domain", domain), LOG_E(&e));
	return one->text;
}
