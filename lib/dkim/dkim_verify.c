/* dkim_verify - verify the signatures of a message. */
#include <stdlib.h>

#include "dkim/dkim.h"
#include "dkim/dkim_canon.h"
#include "dns/name.h"
#include "dns/orgdomain.h"
#include "text/idna.h"

struct signature {
	struct slice field; /* raw */
	struct dkim_sig sig;
	struct dkim_body *body; /* NULL: settled already */
	enum dkim_status status;
	struct slice why;
};

struct dkim_verify {
	struct dkim_stream *stream;
	struct dkim_verify_opts opts;
	struct arena *arena;
	struct signature *v;
	size_t n;
};

const char *
dkim_status_name(enum dkim_status status)
{
	static const char *names[] = {
		[DKIM_NONE] = "none",
		[DKIM_PASS] = "pass",
		[DKIM_FAIL] = "fail",
		[DKIM_POLICY] = "policy",
		[DKIM_NEUTRAL] = "neutral",
		[DKIM_TEMPERROR] = "temperror",
		[DKIM_PERMERROR] = "permerror",
	};

	return names[status];
}

/* ---- what the field alone says ---- */

/* d= is a name below which others register: nobody signs for all of them. */
static bool
is_too_high(struct arena *arena, struct slice domain)
{
	struct slice ascii;

	return idna_ascii(arena, domain, &ascii, NULL) < 0 ||
	    dns_is_public_suffix(ascii);
}

static bool
within(struct arena *arena, struct slice name, struct slice parent)
{
	struct slice a, b;

	return idna_ascii(arena, name, &a, NULL) == 0 &&
	    idna_ascii(arena, parent, &b, NULL) == 0 && dns_name_within(a, b);
}

/* RFC 6376, 6.1.1 */
static enum dkim_status
check_sig(const struct dkim_verify *v, const struct dkim_sig *sig,
    const char **why_r)
{
	int64_t now = clock_s(v->opts.clock);

	*why_r = NULL;
	if (!dkim_sig_covers(sig, "From"))
		*why_r = "From is not signed";
	else if (sig->has_expire && now >= 0 && sig->expire < (uint64_t)now)
		*why_r = "signature is expired";
	else if (!within(v->arena, sig->identity_domain, sig->domain))
		*why_r = "domain of i= is not within d=";
	else if (is_too_high(v->arena, sig->domain))
		*why_r = "d= is a public suffix";
	if (*why_r != NULL)
		return DKIM_PERMERROR;
	if (v->opts.lenient)
		return DKIM_PASS;
	if (sig->has_length)
		*why_r = "l= leaves the end of the body open";
	else if (!dkim_sig_covers(sig, "Subject"))
		*why_r = "Subject is not signed";
	return *why_r != NULL ? DKIM_POLICY : DKIM_PASS;
}

static void
settle(struct signature *s, enum dkim_status status, struct slice why)
{
	s->status = status;
	s->why = why;
}

static void
start_key(const struct dkim_verify *v, const struct dkim_sig *sig)
{
	struct slice name;

	if (dkim_record_name(v->arena, sig->selector, sig->domain, &name,
		NULL) == 0)
		dns_start(v->opts.dns, name, DNS_TXT);
}

static void
begin_signature(struct dkim_verify *v, const struct dkim_field *field)
{
	struct signature *s = &v->v[v->n++];
	struct err e = ERR_INIT;
	const char *why;

	s->field = field->raw;
	if (v->n > DKIM_VERIFY_MAX) {
		settle(s, DKIM_NEUTRAL, SLICE("too many signatures"));
		return;
	}
	if (dkim_sig_parse(v->arena, field->value, &s->sig, &e) < 0) {
		settle(s, DKIM_PERMERROR,
		    arena_dup(v->arena, slice_str(e.text)));
		return;
	}
	s->status = check_sig(v, &s->sig, &why);
	s->why = slice_str(why);
	if (s->status != DKIM_PASS)
		return;
	s->body = dkim_stream_body(v->stream, s->sig.body_relaxed, s->sig.hash,
	    s->sig.has_length ? s->sig.length : DKIM_NO_LIMIT);
	start_key(v, &s->sig);
}

static void
header_complete(void *ctx)
{
	struct dkim_verify *v = ctx;
	const struct dkim_field *fields;
	size_t n = dkim_stream_fields(v->stream, &fields);

	v->v = arena_array(v->arena, DKIM_RESULTS_MAX, sizeof(*v->v));
	for (size_t i = 0; i < n && v->n < DKIM_RESULTS_MAX; i++)
		if (slice_isi(fields[i].name, "DKIM-Signature"))
			begin_signature(v, &fields[i]);
	if (dkim_stream_cut(v->stream))
		settle(&v->v[v->n++], DKIM_PERMERROR,
		    SLICE("header is too long"));
}

struct dkim_verify *
dkim_verify_new(struct dkim_stream *s, const struct dkim_verify_opts *opts)
{
	struct dkim_verify *v = xcalloc(1, sizeof(*v));

	v->stream = s;
	v->opts = *opts;
	v->arena = arena_new(0);
	dkim_stream_watch(s, header_complete, v);
	return v;
}

void
dkim_verify_free(struct dkim_verify **v)
{
	if (*v == NULL)
		return;
	arena_free(&(*v)->arena);
	free(*v);
	*v = NULL;
}

/* ---- with the key ---- */

/* RFC 6376, 6.1.2: may this key sign this? */
static const char *
check_record(struct arena *arena, const struct dkim_sig *sig,
    const struct dkim_record *record)
{
	if (!dkim_record_allows_hash(record, sig->hash))
		return "key is not for this hash (h=)";
	if (record->type != sig->type)
		return "key is of another type (k=)";
	if (!dkim_record_allows_email(record))
		return "key is not for mail (s=)";
	if (record->strict && !within(arena, sig->domain, sig->identity_domain))
		return "key does not allow a subdomain in i= (t=s)";
	if (record->public_key.n == 0)
		return "key is revoked";
	return NULL;
}

static void
failed(struct arena *arena, struct dkim_result *r, enum dkim_status status,
    const char *why)
{
	r->status = status;
	r->why = arena_dup(arena, slice_str(why));
}

/* RFC 6376, 6.1.3, with a record that may be used. */
static void
check_signature(struct arena *arena, const struct dkim_sig *sig,
    struct slice digest, struct dkim_result *r)
{
	struct err e = ERR_INIT;
	struct dkim_key *key =
	    dkim_key_public(r->record.type, r->record.public_key, &e);

	if (key == NULL)
		failed(arena, r, DKIM_PERMERROR, e.text);
	else if (dkim_key_type(key) == DKIM_RSA &&
	    dkim_key_bits(key) < DKIM_RSA_BITS_MIN) /* RFC 8301, 3.2 */
		failed(arena, r, DKIM_PERMERROR, "key has less than 1024 bits");
	else if (!dkim_key_verify(key, sig->hash, digest, sig->signature))
		failed(arena, r, DKIM_FAIL,
		    "header was changed, or signed with another key");
	else
		r->status = DKIM_PASS;
	dkim_key_free(&key);
}

void
dkim_verify_digest(struct dns *dns, struct arena *arena,
    const struct dkim_sig *sig, struct slice digest, struct dkim_result *r)
{
	struct err e = ERR_INIT;
	const char *why;
	int rc = dkim_record_lookup(dns, arena, sig->selector, sig->domain,
	    &r->record, &r->secure, &e);

	if (rc != 1) {
		failed(arena, r,
		    e.kind == ERR_TEMP ? DKIM_TEMPERROR : DKIM_PERMERROR,
		    e.text);
		return;
	}
	r->has_record = true;
	r->testing = r->record.testing;
	why = check_record(arena, sig, &r->record);
	if (why != NULL)
		failed(arena, r, DKIM_PERMERROR, why);
	else
		check_signature(arena, sig, digest, r);
}

static void
finish_signature(const struct dkim_verify *v, struct arena *arena,
    const struct signature *s, struct dkim_result *r)
{
	const struct dkim_sig *sig = &s->sig;
	unsigned char digest[SHA_MAX];
	struct slice body;
	bool whole = dkim_body_digest(s->body, &body);

	dkim_stream_header_digest(v->stream, sig->headers, sig->headers_n,
	    s->field, sig->header_relaxed, sig->hash, digest);
	dkim_verify_digest(v->opts.dns, arena, sig,
	    slice_of((char *)digest, sha_size(sig->hash)), r);
	if (r->status == DKIM_PASS || r->status == DKIM_FAIL) {
		if (!whole)
			failed(arena, r, DKIM_FAIL, "body is shorter than l=");
		else if (!slice_eq(body, sig->body_hash))
			failed(arena, r, DKIM_FAIL, "body was changed");
	}
	/* RFC 6376, 3.6.1, t=y: as if it were not signed. */
	if (r->testing && !v->opts.ignore_testing && r->status != DKIM_PASS)
		r->status = DKIM_NONE;
}

void
dkim_verify_finish(struct dkim_verify *v, struct arena *arena,
    struct dkim_results *results_r)
{
	results_r->n = v->n;
	results_r->v = arena_array(arena, v->n, sizeof(*results_r->v));
	for (size_t i = 0; i < v->n; i++) {
		const struct signature *s = &v->v[i];
		struct dkim_result *r = &results_r->v[i];
		struct slice name, value;

		r->status = s->status;
		r->why = arena_dup(arena, s->why);
		r->field = arena_dup(arena, s->field);
		slice_cut(r->field, ':', &name, &value);
		dkim_sig_parse(arena, slice_trim(value), &r->sig, NULL);
		if (s->body != NULL)
			finish_signature(v, arena, s, r);
	}
}
