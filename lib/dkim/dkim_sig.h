/*
 * dkim_sig - the DKIM-Signature field (RFC 6376, 3.5), and what the fields of
 * ARC share with it (RFC 8617, 4.1).
 */
#ifndef DKIM_DKIM_SIG_H
#define DKIM_DKIM_SIG_H

#include "dkim/dkim_key.h"
#include "dkim/dkim_tags.h"

#define DKIM_SIGNED_MAX 256 /* names in h=; real ones have up to 60 */

struct dkim_sig {
	struct slice algorithm;  /* a= as it came: "rsa-sha256" */
	enum dkim_key_type type; /* of the key, and ... */
	enum sha_alg hash;       /* ... of both digests: SHA_1, SHA_256 */
	bool header_relaxed;     /* c= */
	bool body_relaxed;
	struct slice domain;          /* d= as it came */
	struct slice selector;        /* s= */
	struct slice identity;        /* i= decoded, empty if not there */
	struct slice identity_local;  /* before its last "@" */
	struct slice identity_domain; /* or d= */
	struct slice *headers;        /* h= */
	size_t headers_n;
	bool has_length; /* l= */
	uint64_t length;
	bool has_time, has_expire; /* t=, x=: seconds since 1970 */
	uint64_t time, expire;
	struct slice copied;    /* z= as it came */
	struct slice body_hash; /* bh= and b=, decoded */
	struct slice signature;
	struct slice signature_text; /* b= in base64, without white space */
};

/*
 * Parse the value of a field; slices in it or in the arena. -1 with e (SYNTAX,
 * LIMIT); *sig_r then has what could be read, domain and selector first.
 */
int dkim_sig_parse(struct arena *arena, struct slice value,
    struct dkim_sig *sig_r, struct err *e);

/* The parts of it that ARC has too: a=, b=, d=, s= (and t=) of tags; h=, bh=
 * and c= likewise. */
int dkim_sig_parse_key(struct arena *arena, const struct dkim_tags *tags,
    struct dkim_sig *sig_r, struct err *e);
int dkim_sig_parse_message(struct arena *arena, const struct dkim_tags *tags,
    struct dkim_sig *sig_r, struct err *e);

bool dkim_sig_covers(const struct dkim_sig *sig, const char *header);

/*
 * Append a whole field without the value of its b=, as its own digest wants
 * it: nothing between "b=" and what follows it.
 */
void dkim_sig_strip(struct slice raw, struct buf *out);

/*
 * A field of tags being written, folded: dkim_fold_begin writes "Name:", then
 * come tags; dkim_fold_more goes on with the value of the last one, which may
 * be folded before piece; dkim_fold_data writes base64, which may be folded
 * anywhere. A CRLF at the end is the caller's.
 */
struct dkim_fold {
	struct buf *out;
	size_t column;
	bool begun; /* a tag is there */
};

void dkim_fold_begin(struct dkim_fold *f, struct buf *out, const char *name);
void dkim_fold_tag(struct dkim_fold *f, const char *name, struct slice value);
void dkim_fold_more(struct dkim_fold *f, struct slice piece);
void dkim_fold_data(struct dkim_fold *f, struct slice data);
void dkim_fold_headers(struct dkim_fold *f, const struct slice *v, size_t n);
void dkim_fold_canonicalization(struct dkim_fold *f, bool header_relaxed,
    bool body_relaxed);

/* Append sig as a field, folded, with b= (which may be empty, to be digested)
 * last and without CRLF; name is "DKIM-Signature". */
void dkim_sig_write(const struct dkim_sig *sig, struct buf *out);

#endif
