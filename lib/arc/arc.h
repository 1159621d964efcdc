/*
 * arc - what mail was when those saw it who passed it on: verify a chain of
 * sealed results, and add to it (RFC 8617).
 *
 * Works on a dkim_stream, beside DKIM. Reentrant. Depends on lib/base,
 * lib/message, lib/dns and lib/dkim.
 */
#ifndef ARC_ARC_H
#define ARC_ARC_H

#include "dkim/dkim.h"
#include "message/authres.h"

#define ARC_SETS_MAX 50 /* RFC 8617, 4.2.1 */

enum arc_status { ARC_NONE, ARC_PASS, ARC_FAIL };
const char *arc_status_name(enum arc_status status);

struct arc_set {
	struct slice results;     /* AAR: its value behind "i=N;" */
	struct slice domain;      /* of the seal: d= */
	struct slice selector;    /* s= */
	struct slice seal_status; /* cv= */
};

struct arc_result {
	enum arc_status status;
	unsigned n; /* highest instance there is, 0: none */
	/* The first instance from which on the message is as it was sealed; 0:
	 * from the start (RFC 8617, 5.2, step 5). For ARC_PASS. */
	unsigned oldest_pass;
	bool over;        /* nothing more may be added: cv=fail, or 50 sets */
	bool temporary;   /* FAIL because DNS did not answer */
	struct slice why; /* for FAIL */
	struct arc_set *sets; /* n of them, oldest first, for ARC_PASS */
};

struct arc_verify;

/* Watch a stream. Questions for keys are started when the header is there. */
struct arc_verify *arc_verify_new(struct dkim_stream *s, struct dns *dns);
/* After dkim_stream_end. Blocks for DNS, one key a signature, 2 a set. The
 * result is in the arena, whole. */
void arc_verify_finish(struct arc_verify *v, struct arena *arena,
    struct arc_result *result_r);
void arc_verify_free(struct arc_verify **v);

/* For headers below. Results are left out: they are made to be removed. */
extern const struct slice arc_default_headers[];
extern const size_t arc_default_headers_n;

struct arc_sealer {
	struct slice domain, selector;
	const struct dkim_key *key;
	const struct slice *headers; /* to sign, with From */
	size_t headers_n;
};

struct arc_seal;

/* Watch the stream of the message as it will be passed on. sealer and what it
 * points to must outlive the arc_seal. */
struct arc_seal *arc_seal_new(struct dkim_stream *s,
    const struct arc_sealer *sealer, const struct clock *clock);
/*
 * Append the three fields of a new set, to be put before the message. chain:
 * what arc_verify found in the same message; results: what was found of it by
 * us, with arc= among it. 1; 0 if chain->over: none may be added; -1 with e as
 * dkim_sign_finish, then nothing was added.
 */
int arc_seal_finish(struct arc_seal *seal, const struct arc_result *chain,
    const struct authres *results, struct buf *out, struct err *e);
void arc_seal_free(struct arc_seal **seal);

#endif
