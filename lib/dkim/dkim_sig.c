/* dkim_sig - the DKIM-Signature field. */
#include "dkim/dkim_sig.h"

#include <string.h>

#include "base/scan.h"
#include "dns/name.h"
#include "message/header.h"
#include "text/base64.h"
#include "text/idna.h"

#define COLUMNS 76

/* ---- reading ---- */

static int
required(const struct dkim_tags *tags, const char *name, struct slice *value_r,
    struct err *e)
{
	*value_r = dkim_tags_value(tags, name);
	if (value_r->n == 0)
		return err_set(e, ERR_SYNTAX, "no %s=", name);
	return 0;
}

/* RFC 8301, 3.1 forbids rsa-sha1 to signers; it is accepted from old ones. */
static int
parse_algorithm(struct slice a, struct dkim_sig *sig, struct err *e)
{
	static const struct {
		const char *name;
		enum dkim_key_type type;
		enum sha_alg hash;
	} known[] = {
		{ "rsa-sha256", DKIM_RSA, SHA_256 },
		{ "ed25519-sha256", DKIM_ED25519, SHA_256 },
		{ "rsa-sha1", DKIM_RSA, SHA_1 },
	};

	sig->algorithm = a;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_isi(a, known[i].name)) {
			sig->type = known[i].type;
			sig->hash = known[i].hash;
			return 0;
		}
	return err_set(e, ERR_SYNTAX, "unknown algorithm a=%.*s",
	    SLICE_FMT(slice_head(a, 40)));
}

static bool
is_relaxed(struct slice s, bool *relaxed_r)
{
	*relaxed_r = slice_isi(s, "relaxed");
	return *relaxed_r || slice_isi(s, "simple");
}

static int
parse_canonicalization(struct slice c, struct dkim_sig *sig, struct err *e)
{
	struct slice header, body;

	sig->header_relaxed = sig->body_relaxed = false;
	if (c.n == 0)
		return 0;
	if (!slice_cut(c, '/', &header, &body))
		body = SLICE("simple"); /* RFC 6376, 3.5 */
	if (!is_relaxed(slice_trim(header), &sig->header_relaxed) ||
	    !is_relaxed(slice_trim(body), &sig->body_relaxed))
		return err_set(e, ERR_SYNTAX, "unknown canonicalisation c=%.*s",
		    SLICE_FMT(slice_head(c, 40)));
	return 0;
}

static bool
is_header_name(struct slice name)
{
	struct scan sc = scan_of(name);

	return scan_skip(&sc, header_ftext) > 0 && scan_end(&sc);
}

static int
parse_headers(struct arena *arena, struct slice h, struct dkim_sig *sig,
    struct err *e)
{
	struct slice name;

	sig->headers = arena_array(arena, DKIM_SIGNED_MAX, sizeof(name));
	sig->headers_n = 0;
	while (dkim_list_next(&h, ':', &name)) {
		if (!is_header_name(name))
			return err_set(e, ERR_SYNTAX, "wrong name in h=");
		if (sig->headers_n == DKIM_SIGNED_MAX)
			return err_set(e, ERR_LIMIT,
			    "more than %d names in h=", DKIM_SIGNED_MAX);
		sig->headers[sig->headers_n++] = name;
	}
	return 0;
}

/* Is it a name that DNS can be asked for a key at? */
static bool
is_domain(struct arena *arena, struct slice domain)
{
	struct slice ascii;

	return idna_ascii(arena, domain, &ascii, NULL) == 0 &&
	    dns_name_valid(ascii);
}

int
dkim_sig_parse_key(struct arena *arena, const struct dkim_tags *tags,
    struct dkim_sig *sig_r, struct err *e)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct slice a, b;

	if (required(tags, "d", &sig_r->domain, e) < 0 ||
	    required(tags, "s", &sig_r->selector, e) < 0)
		return -1;
	sig_r->identity_domain = sig_r->domain;
	if (!is_domain(arena, sig_r->domain) ||
	    !is_domain(arena, sig_r->selector))
		return err_set(e, ERR_SYNTAX, "d= or s= is no domain name");
	if (required(tags, "a", &a, e) < 0 ||
	    parse_algorithm(a, sig_r, e) < 0 || required(tags, "b", &b, e) < 0)
		return -1;
	if (!dkim_base64(arena, b, &sig_r->signature))
		return err_set(e, ERR_SYNTAX, "b= is no base64");
	base64_encode(&text, sig_r->signature);
	sig_r->signature_text = arena_dup(arena, buf_slice(&text));
	buf_free(&text);
	return 0;
}

int
dkim_sig_parse_message(struct arena *arena, const struct dkim_tags *tags,
    struct dkim_sig *sig_r, struct err *e)
{
	struct slice h, bh;

	if (required(tags, "h", &h, e) < 0 ||
	    parse_headers(arena, h, sig_r, e) < 0 ||
	    required(tags, "bh", &bh, e) < 0)
		return -1;
	if (!dkim_base64(arena, bh, &sig_r->body_hash))
		return err_set(e, ERR_SYNTAX, "bh= is no base64");
	if (sig_r->body_hash.n != sha_size(sig_r->hash))
		return err_set(e, ERR_SYNTAX, "bh= has %zu bytes, not %zu",
		    sig_r->body_hash.n, sha_size(sig_r->hash));
	return parse_canonicalization(dkim_tags_value(tags, "c"), sig_r, e);
}

static int
parse_number(const struct dkim_tags *tags, const char *name, bool *has_r,
    uint64_t *v_r, struct err *e)
{
	const struct dkim_tag *tag = dkim_tags_get(tags, name);

	*has_r = tag != NULL;
	if (tag != NULL && !slice_u64(tag->value, v_r))
		return err_set(e, ERR_SYNTAX, "%s= is no number", name);
	return 0;
}

static int
parse_identity(struct arena *arena, const struct dkim_tags *tags,
    struct dkim_sig *sig, struct err *e)
{
	const struct dkim_tag *tag = dkim_tags_get(tags, "i");
	ssize_t at;

	if (tag == NULL)
		return 0;
	if (!dkim_qp(arena, tag->value, &sig->identity))
		return err_set(e, ERR_SYNTAX, "i= is wrongly encoded");
	at = slice_rchr(sig->identity, '@');
	if (at < 0 ||
	    !is_domain(arena, slice_skip(sig->identity, (size_t)at + 1)))
		return err_set(e, ERR_SYNTAX, "i= has no domain");
	sig->identity_local = slice_head(sig->identity, (size_t)at);
	sig->identity_domain = slice_skip(sig->identity, (size_t)at + 1);
	return 0;
}

static int
parse_rest(struct arena *arena, const struct dkim_tags *tags,
    struct dkim_sig *sig, struct err *e)
{
	const struct dkim_tag *q = dkim_tags_get(tags, "q");
	bool has_length;

	if (parse_identity(arena, tags, sig, e) < 0 ||
	    parse_number(tags, "l", &has_length, &sig->length, e) < 0 ||
	    parse_number(tags, "t", &sig->has_time, &sig->time, e) < 0 ||
	    parse_number(tags, "x", &sig->has_expire, &sig->expire, e) < 0)
		return -1;
	sig->has_length = has_length;
	if (sig->has_time && sig->has_expire && sig->expire <= sig->time)
		return err_set(e, ERR_SYNTAX, "x= is not after t=");
	/* RFC 6376, 3.5: "dns/txt" is the one method. */
	if (q != NULL && !dkim_list_has(q->value, "dns/txt") &&
	    !dkim_list_has(q->value, "dns"))
		return err_set(e, ERR_SYNTAX, "q= has no dns/txt");
	sig->copied = dkim_tags_value(tags, "z");
	return 0;
}

int
dkim_sig_parse(struct arena *arena, struct slice value, struct dkim_sig *sig_r,
    struct err *e)
{
	struct dkim_tags tags;

	*sig_r = (struct dkim_sig){ .hash = SHA_256 };
	if (dkim_tags_parse(value, &tags, e) < 0 ||
	    dkim_sig_parse_key(arena, &tags, sig_r, e) < 0 ||
	    dkim_sig_parse_message(arena, &tags, sig_r, e) < 0)
		return -1;
	if (!slice_is(dkim_tags_value(&tags, "v"), "1"))
		return err_set(e, ERR_SYNTAX, "v= is not 1");
	return parse_rest(arena, &tags, sig_r, e);
}

bool
dkim_sig_covers(const struct dkim_sig *sig, const char *header)
{
	for (size_t i = 0; i < sig->headers_n; i++)
		if (slice_isi(sig->headers[i], header))
			return true;
	return false;
}

void
dkim_sig_strip(struct slice raw, struct buf *out)
{
	const struct dkim_tag *b;
	struct dkim_tags tags;
	struct slice name, value;
	size_t before;

	slice_cut(raw, ':', &name, &value);
	if (slice_ends(value, SLICE("\r\n")))
		value.n -= 2;
	b = dkim_tags_parse(value, &tags, NULL) < 0 ? NULL
						    : dkim_tags_get(&tags, "b");
	if (b == NULL) {
		buf_add(out, raw);
		return;
	}
	before = (size_t)(b->raw.p - raw.p);
	buf_add(out, slice_head(raw, before));
	buf_add(out, slice_skip(raw, before + b->raw.n));
}

/* ---- writing ---- */

void
dkim_fold_begin(struct dkim_fold *f, struct buf *out, const char *name)
{
	*f = (struct dkim_fold){ out, strlen(name) + 1, false };
	buf_addf(out, "%s:", name);
}

static void
fold(struct dkim_fold *f)
{
	buf_addz(f->out, "\r\n\t");
	f->column = 8;
}

void
dkim_fold_tag(struct dkim_fold *f, const char *name, struct slice value)
{
	size_t n = strlen(name) + 1 + value.n;

	if (f->begun) {
		buf_addc(f->out, ';');
		f->column++;
	}
	f->begun = true;
	if (f->column + 1 + n + 1 > COLUMNS) { /* " name=value;" */
		fold(f);
	} else {
		buf_addc(f->out, ' ');
		f->column++;
	}
	buf_addf(f->out, "%s=", name);
	buf_add(f->out, value);
	f->column += n;
}

void
dkim_fold_more(struct dkim_fold *f, struct slice piece)
{
	if (f->column + piece.n + 1 > COLUMNS)
		fold(f);
	buf_add(f->out, piece);
	f->column += piece.n;
}

void
dkim_fold_data(struct dkim_fold *f, struct slice data)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct slice rest;

	base64_encode(&text, data);
	rest = buf_slice(&text);
	while (rest.n > 0) {
		size_t room = COLUMNS - 1 - f->column;
		struct slice piece;

		if (f->column >= COLUMNS - 1) {
			fold(f);
			continue;
		}
		piece = slice_head(rest, room);
		buf_add(f->out, piece);
		f->column += piece.n;
		rest = slice_skip(rest, piece.n);
	}
	buf_free(&text);
}

static void
write_number(struct dkim_fold *f, const char *name, uint64_t v)
{
	struct buf text = BUF_INIT(24);

	buf_addu(&text, v);
	dkim_fold_tag(f, name, buf_slice(&text));
	buf_free(&text);
}

static void
write_identity(struct dkim_fold *f, struct slice identity)
{
	struct buf text = BUF_INIT(SIZE_MAX);

	dkim_qp_write(identity, false, &text);
	dkim_fold_tag(f, "i", buf_slice(&text));
	buf_free(&text);
}

void
dkim_fold_headers(struct dkim_fold *f, const struct slice *v, size_t n)
{
	dkim_fold_tag(f, "h", n > 0 ? v[0] : SLICE_NULL);
	for (size_t i = 1; i < n; i++) {
		buf_addc(f->out, ':');
		f->column++;
		dkim_fold_more(f, v[i]);
	}
}

void
dkim_fold_canonicalization(struct dkim_fold *f, bool header, bool body)
{
	static const char *texts[2][2] = {
		{ "simple/simple", "simple/relaxed" },
		{ "relaxed/simple", "relaxed/relaxed" },
	};

	dkim_fold_tag(f, "c", slice_str(texts[header][body]));
}

/* Part of DKIM-Quoted-Printable that does not end inside "=3A". */
static struct slice
encoded_piece(struct slice text)
{
	size_t n = COLUMNS / 2;

	if (text.n <= n)
		return text;
	if (text.p[n - 1] == '=')
		n--;
	else if (text.p[n - 2] == '=')
		n -= 2;
	return slice_head(text, n);
}

static void
write_copied(struct dkim_fold *f, struct slice copied)
{
	struct slice item;

	dkim_fold_tag(f, "z", SLICE_NULL);
	for (bool first = true; dkim_list_next(&copied, '|', &item);
	     first = false) {
		if (!first) {
			buf_addc(f->out, '|');
			f->column++;
		}
		while (item.n > 0) {
			struct slice piece = encoded_piece(item);

			dkim_fold_more(f, piece);
			item = slice_skip(item, piece.n);
		}
	}
}

void
dkim_sig_write(const struct dkim_sig *sig, struct buf *out)
{
	struct dkim_fold f;

	dkim_fold_begin(&f, out, "DKIM-Signature");
	dkim_fold_tag(&f, "v", SLICE("1"));
	dkim_fold_tag(&f, "d", sig->domain);
	dkim_fold_tag(&f, "s", sig->selector);
	if (sig->identity.n > 0)
		write_identity(&f, sig->identity);
	dkim_fold_tag(&f, "a", sig->algorithm);
	dkim_fold_canonicalization(&f, sig->header_relaxed, sig->body_relaxed);
	if (sig->has_time)
		write_number(&f, "t", sig->time);
	if (sig->has_expire)
		write_number(&f, "x", sig->expire);
	if (sig->has_length)
		write_number(&f, "l", sig->length);
	dkim_fold_headers(&f, sig->headers, sig->headers_n);
	if (sig->copied.n > 0)
		write_copied(&f, sig->copied);
	dkim_fold_tag(&f, "bh", SLICE_NULL);
	dkim_fold_data(&f, sig->body_hash);
	dkim_fold_tag(&f, "b", SLICE_NULL);
	dkim_fold_data(&f, sig->signature);
}
