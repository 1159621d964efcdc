/* verify - DKIM and ARC of a message, in the front. */
#include "smtp/verify.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "message/address.h"
#include "smtp/front.h"

/* Of b= so much is told: RFC 6008, 4 has 8 characters. */
#define B_SHOWN 8

struct smtp_verify {
	struct dns dns; /* first: a handle is one */
	struct split *split;
	struct err lost; /* the back is gone */
	struct arena *arena;
	struct dkim_stream *stream;
	struct dkim_verify *dkim;
	struct arc_verify *arc;
	struct arc_seal *seal; /* NULL: not wanted */
};

/* ---- DNS through the back: texts only, which is what keys are ---- */

static void
start(struct dns *dns, struct slice name, enum dns_type type)
{
	struct smtp_verify *v = (struct smtp_verify *)dns;

	if (type == DNS_TXT && v->lost.kind == ERR_NONE)
		split_send(v->split, SMTP_REQ_START, &name, 1, &v->lost);
}

static void
take_texts(const struct split_msg *reply, struct arena *arena,
    struct dns_answer *a)
{
	a->n = reply->n - 2;
	a->v = arena_array(arena, a->n, sizeof(*a->v));
	for (size_t i = 0; i < a->n; i++)
		a->v[i].text = arena_dup(arena, reply->v[i + 2]);
}

/* 0, or -1: then and from then on the back is taken for gone. */
static int
ask_back(struct smtp_verify *v, struct slice name, struct split_msg *reply_r,
    struct smtp_answer *is_r)
{
	if (v->lost.kind != ERR_NONE ||
	    split_call(v->split, SMTP_REQ_ASK, &name, 1, SMTP_REQUEST_MS,
		reply_r, &v->lost) < 0)
		return -1;
	if (reply_r->n < 2 || !SPLIT_GET(reply_r->v[0], is_r))
		return err_set(&v->lost, ERR_SYNTAX, "bad answer of the back");
	return 0;
}

static int
query(struct dns *dns, struct arena *arena, struct slice name,
    enum dns_type type, struct dns_answer *a, struct err *e)
{
	struct smtp_verify *v = (struct smtp_verify *)dns;
	struct split_msg reply;
	struct smtp_answer is;

	if (type != DNS_TXT)
		return err_set(e, ERR_PERM, "dns: only texts are asked for");
	if (ask_back(v, name, &reply, &is) < 0)
		return err_set(e, ERR_TEMP, "%s", v->lost.text);
	a->secure = is.secure;
	a->nxdomain = is.nxdomain;
	take_texts(&reply, arena, a);
	if (is.rc < 0)
		err_set(e, is.kind, "%.*s", SLICE_FMT(reply.v[1]));
	return is.rc;
}

/* ---- while bytes pass ---- */

/* Who is in From will be asked for a policy, by the back: have it started. */
static void
header_complete(void *ctx)
{
	struct smtp_verify *v = ctx;
	const struct dkim_field *fields;
	size_t n = dkim_stream_fields(v->stream, &fields);
	struct address_list list;

	for (size_t i = 0; i < n; i++) {
		if (!slice_isi(fields[i].name, "From"))
			continue;
		address_parse(v->arena, fields[i].value, 1, &list);
		if (list.n > 0 && list.v[0].domain.n > 0)
			dmarc_start(&v->dns, v->arena, list.v[0].domain);
		break;
	}
}

struct smtp_verify *
smtp_verify_new(struct split *split, bool seal)
{
	struct smtp_verify *v = xcalloc(1, sizeof(*v));
	struct dkim_verify_opts opts = { .dns = &v->dns,
		.clock = clock_program() };

	v->dns.query = query;
	v->dns.start = start;
	v->split = split;
	v->arena = arena_new(0);
	v->stream = dkim_stream_new();
	v->dkim = dkim_verify_new(v->stream, &opts);
	v->arc = arc_verify_new(v->stream, &v->dns);
	v->seal = seal ? arc_seal_new(v->stream) : NULL;
	dkim_stream_watch(v->stream, header_complete, v);
	return v;
}

void
smtp_verify_free(struct smtp_verify **v)
{
	if (*v == NULL)
		return;
	arc_seal_free(&(*v)->seal);
	arc_verify_free(&(*v)->arc);
	dkim_verify_free(&(*v)->dkim);
	dkim_stream_free(&(*v)->stream);
	arena_free(&(*v)->arena);
	free(*v);
	*v = NULL;
}

void
smtp_verify_push(struct smtp_verify *v, struct slice wire)
{
	dkim_stream_push(v->stream, wire);
}

/* ---- what was found ---- */

/* Whatever is too long to be told is no name. */
static struct slice
short_one(struct slice s)
{
	return slice_head(s, SMTP_RESULT_MAX);
}

static int
tell_signature(struct smtp_verify *v, const struct dkim_result *r,
    struct err *e)
{
	struct smtp_signature is = {
		.status = r->status, .secure = r->secure, .testing = r->testing
	};
	const struct dkim_sig *sig = &r->sig;
	struct slice s[] = { SPLIT_OF(is), short_one(sig->domain),
		short_one(sig->selector), short_one(sig->identity),
		short_one(sig->algorithm),
		slice_head(sig->signature_text, B_SHOWN), short_one(r->why) };

	return split_send(v->split, SMTP_REQ_DKIM, s, 7, e);
}

static int
tell_arc(struct smtp_verify *v, const struct arc_result *r, struct err *e)
{
	struct smtp_arc is = { .status = r->status,
		.n = r->n,
		.oldest_pass = r->oldest_pass,
		.over = r->over,
		.temporary = r->temporary };
	struct slice s[] = { SPLIT_OF(is),
		r->status == ARC_PASS ? short_one(r->sets[r->n - 1].domain)
				      : SLICE_NULL,
		short_one(r->why) };

	return split_send(v->split, SMTP_REQ_ARC, s, 3, e);
}

static int
tell_text(struct smtp_verify *v, enum smtp_request type, struct slice text,
    struct err *e)
{
	while (text.n > 0) {
		struct slice piece = slice_head(text, SMTP_CHUNK_MAX);

		if (split_send(v->split, type, &piece, 1, e) < 0)
			return -1;
		text = slice_skip(text, piece.n);
	}
	return 0;
}

/* What cannot be sealed is passed on without a seal. */
static int
tell_draft(struct smtp_verify *v, const struct arc_result *chain, struct err *e)
{
	struct err why = ERR_INIT;
	struct arc_draft draft;
	struct slice is = SPLIT_OF(draft.is);
	int rc = arc_seal_draft(v->seal, chain, v->arena, &draft, &why);

	if (rc <= 0) {
		log_line(SMTP_TOPIC, LOG_INFO, "not sealed", LOG_E(&why));
		return 0;
	}
	if (tell_text(v, SMTP_REQ_SEAL_HEADER, draft.header, e) < 0 ||
	    tell_text(v, SMTP_REQ_SEAL_CHAIN, draft.chain, e) < 0)
		return -1;
	return split_send(v->split, SMTP_REQ_SEAL, &is, 1, e);
}

int
smtp_verify_finish(struct smtp_verify *v, struct err *e)
{
	struct dkim_results dkim;
	struct arc_result arc;

	dkim_stream_end(v->stream);
	dkim_verify_finish(v->dkim, v->arena, &dkim);
	arc_verify_finish(v->arc, v->arena, &arc);
	if (v->lost.kind != ERR_NONE)
		return err_set(e, v->lost.kind, "%s", v->lost.text);
	for (size_t i = 0; i < dkim.n; i++)
		if (tell_signature(v, &dkim.v[i], e) < 0)
			return -1;
	if (tell_arc(v, &arc, e) < 0)
		return -1;
	return v->seal ? tell_draft(v, &arc, e) : 0;
}
