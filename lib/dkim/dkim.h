/*
 * dkim - verify and make the signatures of a message (RFC 6376, with the
 * algorithms of RFC 8301 and RFC 8463).
 *
 * Both watch a dkim_stream, which see; what is said of a signature is a
 * result, not an error. Reentrant. Knows no server and no configuration.
 */
#ifndef DKIM_DKIM_H
#define DKIM_DKIM_H

#include "base/clock.h"
#include "dkim/dkim_record.h"
#include "dkim/dkim_sig.h"
#include "dkim/dkim_stream.h"

/* RFC 8601, 2.7.1 */
enum dkim_status {
	DKIM_NONE,      /* as if there was no signature: key in testing mode */
	DKIM_PASS,      /* it is right */
	DKIM_FAIL,      /* it is wrong: message changed, or not theirs */
	DKIM_POLICY,    /* may be right, but signs too little: l=, no Subject */
	DKIM_NEUTRAL,   /* not looked at: there were too many */
	DKIM_TEMPERROR, /* DNS did not answer */
	DKIM_PERMERROR, /* signature or key record cannot be used */
};
const char *dkim_status_name(enum dkim_status status);

/* Signatures that are verified; the rest is neutral. Each may cost a look-up
 * and as much time as a key of DKIM_RSA_BITS_MAX takes. */
#define DKIM_VERIFY_MAX 10
/* And results that are given at all. */
#define DKIM_RESULTS_MAX 50

struct dkim_result {
	enum dkim_status status;
	struct dkim_sig sig; /* as far as it could be parsed */
	bool has_record;
	struct dkim_record record;
	bool secure;        /* DNSSEC proved the answer with the key */
	bool testing;       /* the key is for tests (t=y) */
	struct slice why;   /* not for DKIM_PASS */
	struct slice field; /* the field as it came */
};

struct dkim_results {
	struct dkim_result *v; /* in the order of the fields, from the top */
	size_t n;              /* 0: dkim=none */
};

struct dkim_verify_opts {
	struct dns *dns;
	const struct clock *clock; /* for x= */
	bool ignore_testing;       /* t=y changes nothing */
	bool lenient; /* l= and an unsigned Subject are not DKIM_POLICY */
};

struct dkim_verify;

/* opts is copied. As soon as the header is there, the questions for the keys
 * are started, so that they are answered while the body comes. */
struct dkim_verify *dkim_verify_new(struct dkim_stream *s,
    const struct dkim_verify_opts *opts);
/*
 * After dkim_stream_end. Blocks for DNS as long as opts.dns says. The results
 * are in the arena, whole.
 */
void dkim_verify_finish(struct dkim_verify *v, struct arena *arena,
    struct dkim_results *results_r);
void dkim_verify_free(struct dkim_verify **v);

/*
 * For ARC: is sig's signature that of digest, by the key that DNS has for it?
 * Sets status, why, record, secure and testing of *r, which begins as zeros.
 */
void dkim_verify_digest(struct dns *dns, struct arena *arena,
    const struct dkim_sig *sig, struct slice digest, struct dkim_result *r);

/* ---- signing ---- */

/* RFC 6376, 5.4.1, as far as it is there or to be kept from being added. */
extern const struct slice dkim_default_headers[];
extern const size_t dkim_default_headers_n;

struct dkim_signer {
	struct slice domain; /* d= */
	struct slice selector;
	struct slice identity; /* i=, "local@domain", may be empty */
	const struct dkim_key *key;
	enum sha_alg hash; /* SHA_256; SHA_1 only with RSA and against advice */
	bool header_relaxed, body_relaxed;
	const struct slice *headers; /* with From */
	size_t headers_n;
	bool seal;         /* no more fields of these names may be added */
	bool copy_headers; /* z=, for finding out what changed */
	int64_t expire_s;  /* x= so many seconds after t=; 0: none */
	/* NULL: key signs. Else this does, and key may be the public half: as
	 * dkim_key_sign with the hash of the signer, for a key elsewhere. */
	int (*sign)(void *ctx, const struct dkim_signer *signer,
	    struct slice digest, struct buf *out, struct err *e);
	void *sign_ctx;
};

struct dkim_sign;

/* signers and all they point to must outlive the dkim_sign. */
struct dkim_sign *dkim_sign_new(struct dkim_stream *s,
    const struct dkim_signer *signers, size_t n, const struct clock *clock);
/* After dkim_stream_end: append a DKIM-Signature field with CRLF for each
 * signer, to be put before the message. -1 with e: no From, header too long, a
 * key that cannot sign; then nothing was added. */
int dkim_sign_finish(struct dkim_sign *sign, struct buf *out, struct err *e);
void dkim_sign_free(struct dkim_sign **sign);

#endif
