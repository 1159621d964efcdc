/* arc - verify a chain of sealed results. */
#include "arc/arc.h"

#include <stdlib.h>

#include "arc/arc_int.h"
#include "dkim/dkim_canon.h"

const char *const arc_field_names[ARC_FIELDS] = {
	[ARC_RESULTS] = "ARC-Authentication-Results",
	[ARC_MESSAGE] = "ARC-Message-Signature",
	[ARC_SEAL] = "ARC-Seal",
};

struct message_signature {
	struct dkim_sig sig;
	struct dkim_body *body; /* NULL: it could not be parsed */
	const char *wrong;
};

struct arc_verify {
	struct dkim_stream *stream;
	struct dns *dns;
	struct arena *arena;
	struct arc_sets sets;
	struct message_signature *messages; /* by instance */
	struct dkim_sig *seals;
	struct slice *statuses; /* cv= */
	const char *wrong;      /* with the structure */
};

const char *
arc_status_name(enum arc_status status)
{
	static const char *names[] = {
		[ARC_NONE] = "none",
		[ARC_PASS] = "pass",
		[ARC_FAIL] = "fail",
	};

	return names[status];
}

/* ---- sets ---- */

/* i= of a field, and for results what follows it; 0 if it has none. */
static unsigned
instance(enum arc_field which, struct slice value, struct slice *rest_r)
{
	struct dkim_tags tags;
	struct slice first = value;
	uint32_t i;

	/* Only the first part of the results is a tag. */
	if (which == ARC_RESULTS && !slice_cut(value, ';', &first, rest_r))
		return 0;
	if (dkim_tags_parse(first, &tags, NULL) < 0 ||
	    !slice_u32(dkim_tags_value(&tags, "i"), &i) || i > ARC_SETS_MAX)
		return 0;
	return i;
}

static bool
kind_of(struct slice name, enum arc_field *which_r)
{
	for (int i = 0; i < ARC_FIELDS; i++)
		if (slice_isi(name, arc_field_names[i])) {
			*which_r = (enum arc_field)i;
			return true;
		}
	return false;
}

void
arc_collect(const struct dkim_stream *s, struct arc_sets *sets_r)
{
	const struct dkim_field *fields;
	size_t n = dkim_stream_fields(s, &fields);
	enum arc_field which;
	struct slice rest;

	*sets_r = (struct arc_sets){ .n = 0 };
	for (size_t k = 0; k < n; k++) {
		unsigned i;

		if (!kind_of(fields[k].name, &which))
			continue;
		i = instance(which, fields[k].value, &rest);
		if (i == 0) {
			sets_r->wrong = "a field without instance of 1 to 50";
			continue;
		}
		if (sets_r->v[i - 1].v[which] != NULL)
			sets_r->wrong = "an instance that is there twice";
		sets_r->v[i - 1].v[which] = &fields[k];
		if (i > sets_r->n)
			sets_r->n = i;
	}
}

/* ---- reading signatures ---- */

/* RFC 8617, 4.1.2: as DKIM, but no v=, and i= is the instance. */
static const char *
parse_message(struct arc_verify *v, const struct dkim_field *field,
    struct dkim_sig *sig)
{
	struct err e = ERR_INIT;
	struct dkim_tags tags;

	*sig = (struct dkim_sig){ .hash = SHA_256 };
	if (dkim_tags_parse(field->value, &tags, &e) < 0 ||
	    dkim_sig_parse_key(v->arena, &tags, sig, &e) < 0 ||
	    dkim_sig_parse_message(v->arena, &tags, sig, &e) < 0)
		return arena_cstr(v->arena, slice_str(e.text));
	if (!dkim_sig_covers(sig, "From"))
		return "From is not signed";
	if (dkim_sig_covers(sig, "ARC-Seal"))
		return "h= has ARC-Seal";
	if (dkim_tags_get(&tags, "l") != NULL)
		return "l= leaves the end of the body open";
	return sig->hash == SHA_256 ? NULL : "a= is rsa-sha1";
}

/* RFC 8617, 4.1.3 */
static const char *
parse_seal(struct arc_verify *v, unsigned i, const struct dkim_field *field)
{
	struct dkim_sig *sig = &v->seals[i];
	struct err e = ERR_INIT;
	struct dkim_tags tags;

	*sig = (struct dkim_sig){ .hash = SHA_256 };
	if (dkim_tags_parse(field->value, &tags, &e) < 0 ||
	    dkim_sig_parse_key(v->arena, &tags, sig, &e) < 0)
		return arena_cstr(v->arena, slice_str(e.text));
	v->statuses[i] = dkim_tags_value(&tags, "cv");
	if (dkim_tags_get(&tags, "h") != NULL)
		return "a seal with h=";
	return sig->hash == SHA_256 ? NULL : "a= is rsa-sha1";
}

static void
start_key(struct arc_verify *v, const struct dkim_sig *sig)
{
	struct slice name;

	if (dkim_record_name(v->arena, sig->selector, sig->domain, &name,
		NULL) == 0)
		dns_start(v->dns, name, DNS_TXT);
}

/* RFC 8617, 5.2, steps 1 to 3. */
static const char *
check_structure(struct arc_verify *v)
{
	unsigned last = v->sets.n - 1;

	/* Whatever is wrong, its cv= says whether the chain goes on. */
	if (v->sets.n > 0 && v->sets.v[last].v[ARC_SEAL] != NULL)
		parse_seal(v, last, v->sets.v[last].v[ARC_SEAL]);
	if (v->sets.wrong != NULL)
		return v->sets.wrong;
	for (unsigned i = 0; i < v->sets.n; i++) {
		const char *wrong;

		for (int k = 0; k < ARC_FIELDS; k++)
			if (v->sets.v[i].v[k] == NULL)
				return "an instance that is not whole";
		wrong = parse_seal(v, i, v->sets.v[i].v[ARC_SEAL]);
		if (wrong != NULL)
			return wrong;
	}
	for (unsigned i = 0; i < v->sets.n; i++)
		if (!slice_isi(v->statuses[i], i == 0 ? "none" : "pass"))
			return "a seal says that the chain was broken (cv=)";
	return NULL;
}

static void
header_complete(void *ctx)
{
	struct arc_verify *v = ctx;

	arc_collect(v->stream, &v->sets);
	v->messages = arena_array(v->arena, v->sets.n, sizeof(*v->messages));
	v->seals = arena_array(v->arena, v->sets.n, sizeof(*v->seals));
	v->statuses = arena_array(v->arena, v->sets.n, sizeof(*v->statuses));
	v->wrong = dkim_stream_cut(v->stream) ? "header is too long"
					      : check_structure(v);
	for (unsigned i = 0; v->wrong == NULL && i < v->sets.n; i++) {
		struct message_signature *m = &v->messages[i];

		m->wrong =
		    parse_message(v, v->sets.v[i].v[ARC_MESSAGE], &m->sig);
		start_key(v, &v->seals[i]);
		if (m->wrong != NULL)
			continue;
		m->body = dkim_stream_body(v->stream, m->sig.body_relaxed,
		    m->sig.hash, DKIM_NO_LIMIT);
		start_key(v, &m->sig);
	}
}

struct arc_verify *
arc_verify_new(struct dkim_stream *s, struct dns *dns)
{
	struct arc_verify *v = xcalloc(1, sizeof(*v));

	v->stream = s;
	v->dns = dns;
	v->arena = arena_new(0);
	dkim_stream_watch(s, header_complete, v);
	return v;
}

void
arc_verify_free(struct arc_verify **v)
{
	if (*v == NULL)
		return;
	arena_free(&(*v)->arena);
	free(*v);
	*v = NULL;
}

/* ---- verifying ---- */

/* The digest of a seal (RFC 8617, 5.1.1): the sets up to its own, the seal of
 * that without its b=. */
static void
seal_digest(const struct arc_fields *sets, unsigned last,
    unsigned char digest[SHA_MAX])
{
	struct buf b = BUF_INIT(SIZE_MAX), own = BUF_INIT(SIZE_MAX);
	struct sha *sha = sha_new(SHA_256);

	for (unsigned i = 0; i <= last; i++)
		for (int k = 0; k < ARC_FIELDS; k++) {
			struct slice raw = sets[i].v[k]->raw;
			bool end = i == last && k == ARC_SEAL;

			if (end) {
				dkim_sig_strip(raw, &own);
				raw = buf_slice(&own);
			}
			buf_reset(&b);
			dkim_canon_field(raw, true, &b);
			sha_add(sha,
			    slice_head(buf_slice(&b), b.n - (end ? 2 : 0)));
		}
	sha_end(&sha, digest);
	buf_free(&b);
	buf_free(&own);
}

/* Is it right? If not, the result says why. */
static bool
check_digest(const struct arc_verify *v, struct arena *arena,
    const struct dkim_sig *sig, const unsigned char *digest, unsigned i,
    const char *what, struct arc_result *r)
{
	struct dkim_result d = { .status = DKIM_NONE };

	dkim_verify_digest(v->dns, arena, sig,
	    slice_of((const char *)digest, sha_size(SHA_256)), &d);
	if (d.status == DKIM_PASS)
		return true;
	r->temporary = d.status == DKIM_TEMPERROR;
	r->why =
	    arena_printf(arena, "%s %u: %.*s", what, i + 1, SLICE_FMT(d.why));
	return false;
}

/* RFC 8617, 5.2, step 4. */
static bool
check_message(const struct arc_verify *v, struct arena *arena, unsigned i,
    struct arc_result *r)
{
	const struct message_signature *m = &v->messages[i];
	unsigned char digest[SHA_MAX];
	struct slice body;

	if (m->body == NULL) {
		r->why = arena_printf(arena, "message signature %u: %s", i + 1,
		    m->wrong);
		return false;
	}
	dkim_body_digest(m->body, &body);
	if (!slice_eq(body, m->sig.body_hash)) {
		r->why = arena_printf(arena,
		    "message signature %u: body was changed", i + 1);
		return false;
	}
	dkim_stream_header_digest(v->stream, m->sig.headers, m->sig.headers_n,
	    v->sets.v[i].v[ARC_MESSAGE]->raw, m->sig.header_relaxed,
	    m->sig.hash, digest);
	return check_digest(v, arena, &m->sig, digest, i, "message signature",
	    r);
}

/* Step 6. */
static bool
check_seal(const struct arc_verify *v, struct arena *arena, unsigned i,
    struct arc_result *r)
{
	unsigned char digest[SHA_MAX];

	seal_digest(v->sets.v, i, digest);
	return check_digest(v, arena, &v->seals[i], digest, i, "seal", r);
}

static bool
check_chain(const struct arc_verify *v, struct arena *arena,
    struct arc_result *r)
{
	struct arc_result ignored;

	if (!check_message(v, arena, r->n - 1, r))
		return false;
	for (unsigned i = r->n; i-- > 0;)
		if (!check_seal(v, arena, i, r))
			return false;
	/* Step 5, only for chains that are right: it costs questions. */
	for (unsigned i = r->n - 1; i-- > 0;)
		if (!check_message(v, arena, i, &ignored)) {
			r->oldest_pass = i + 2;
			break;
		}
	return true;
}

static void
describe_sets(const struct arc_verify *v, struct arena *arena,
    struct arc_result *r)
{
	r->sets = arena_array(arena, r->n, sizeof(*r->sets));
	for (unsigned i = 0; i < r->n; i++) {
		const struct dkim_field *f = v->sets.v[i].v[ARC_RESULTS];
		struct slice rest = SLICE_NULL;

		instance(ARC_RESULTS, f->value, &rest);
		r->sets[i] = (struct arc_set){
			.results = arena_dup(arena, slice_trim(rest)),
			.domain = arena_dup(arena, v->seals[i].domain),
			.selector = arena_dup(arena, v->seals[i].selector),
			.seal_status = arena_dup(arena, v->statuses[i]),
		};
	}
}

void
arc_verify_finish(struct arc_verify *v, struct arena *arena,
    struct arc_result *result_r)
{
	struct arc_result *r = result_r;

	*r = (struct arc_result){ .n = v->sets.n, .status = ARC_FAIL };
	r->over = r->n == ARC_SETS_MAX ||
	    (r->n > 0 && slice_isi(v->statuses[r->n - 1], "fail"));
	if (v->wrong != NULL) {
		r->why = arena_dup(arena, slice_str(v->wrong));
	} else if (r->n == 0) {
		r->status = ARC_NONE;
	} else if (check_chain(v, arena, r)) {
		r->status = ARC_PASS;
		describe_sets(v, arena, r);
	}
}
