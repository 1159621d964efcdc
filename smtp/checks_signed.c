/*
 * checks_signed - what the front finds of DKIM and ARC: answering its
 * questions for keys, taking its results.
 */
#include "base/clock.h"
#include "smtp/back.h"

/* ---- questions ---- */

/* Keys and policies; a front has no other need to speak to name servers. */
static int
check_question(struct smtp_back *b, struct slice name, struct err *e)
{
	if (b->checks.dns == NULL)
		return err_set(e, ERR_SYNTAX, "a question, and no DNS");
	if (++b->checks.questions > SMTP_QUESTIONS_MAX)
		return err_set(e, ERR_LIMIT, "too many questions");
	if (slice_findi(name, SLICE("._domainkey.")) < 0 &&
	    !slice_startsi(name, SLICE("_dmarc.")))
		return err_set(e, ERR_SYNTAX, "a question for another name");
	return 0;
}

int
smtp_on_start(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;

	if (check_question(b, msg->v[0], e) < 0)
		return -1;
	dns_start(b->checks.dns, msg->v[0], DNS_TXT);
	return 0;
}

/* All have one limit, so it is no matter how many signatures there are. */
static int
ask(struct smtp_back *b, struct slice name, struct dns_answer *a, struct err *e)
{
	struct smtp_checks *c = &b->checks;
	int rc;

	if (c->until_ms == 0)
		c->until_ms = clock_mono_ms(NULL) + SMTP_CHECK_MS;
	c->dns->until_ms = c->until_ms;
	rc = dns_query(c->dns, b->arena, name, DNS_TXT, a, e);
	c->dns->until_ms = 0;
	return rc;
}

int
smtp_on_ask(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	struct slice out[SPLIT_SLICES];
	struct smtp_answer is = { .rc = -1 };
	struct err why = ERR_INIT;
	struct dns_answer a;
	size_t n = 2, size = 0;

	if (check_question(b, msg->v[0], e) < 0)
		return -1;
	is.rc = ask(b, msg->v[0], &a, &why);
	for (size_t i = 0; is.rc > 0 && i < a.n; i++) {
		size += a.v[i].text.n;
		if (n == SPLIT_SLICES || size > SMTP_CHUNK_MAX)
			is.rc = err_set(&why, ERR_PERM, "too many records");
		else
			out[n++] = a.v[i].text;
	}
	is.kind = why.kind;
	is.secure = a.secure;
	is.nxdomain = a.nxdomain;
	out[0] = SPLIT_OF(is);
	out[1] = slice_str(why.text);
	return split_reply(b->login.split, out, is.rc > 0 ? n : 2, e);
}

/* ---- results ---- */

int
smtp_on_dkim(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	struct dkim_results *all = &b->checks.dkim;
	struct smtp_signature is;
	struct dkim_result *r;

	if (!SPLIT_GET(msg->v[0], &is) || is.status > DKIM_PERMERROR)
		return err_set(e, ERR_SYNTAX, "bad DKIM result");
	if (b->checks.has_arc || all->n == DKIM_RESULTS_MAX)
		return err_set(e, ERR_LIMIT, "too many DKIM results");
	if (all->v == NULL)
		all->v =
		    arena_array(b->arena, DKIM_RESULTS_MAX, sizeof(*all->v));
	r = &all->v[all->n++];
	r->status = is.status;
	r->secure = is.secure;
	r->testing = is.testing;
	r->sig.domain = arena_dup(b->arena, msg->v[1]);
	r->sig.selector = arena_dup(b->arena, msg->v[2]);
	r->sig.identity = arena_dup(b->arena, msg->v[3]);
	r->sig.algorithm = arena_dup(b->arena, msg->v[4]);
	r->sig.signature_text = arena_dup(b->arena, msg->v[5]);
	r->why = arena_dup(b->arena, msg->v[6]);
	return 0;
}

int
smtp_on_arc(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	struct smtp_arc_result *r = &b->checks.arc;

	if (b->checks.has_arc || !SPLIT_GET(msg->v[0], &r->is) ||
	    r->is.status > ARC_FAIL || r->is.n > ARC_SETS_MAX ||
	    r->is.oldest_pass > r->is.n)
		return err_set(e, ERR_SYNTAX, "bad ARC result");
	b->checks.has_arc = true;
	r->domain = arena_dup(b->arena, msg->v[1]);
	r->why = arena_dup(b->arena, msg->v[2]);
	return 0;
}
