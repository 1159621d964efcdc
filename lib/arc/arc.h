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

/* ---- sealing ----
 *
 * In two halves, so that who has keys need not see messages: who sees one makes
 * a draft, all that a new set says of it; who has the key signs that, and looks
 * at nothing in it but numbers.
 */

/* Fields that are signed if they are there: what people see, and what answers
 * depend on. Results are left out: they are made to be removed. */
#define ARC_SIGNED 13
extern const struct slice arc_signed[ARC_SIGNED];

/* Bytes of header and of chain; more is not sealed. */
#define ARC_DRAFT_MAX (256 * 1024)

struct arc_draft {
	struct arc_draft_facts {
		enum arc_status status;     /* of the chain that is there */
		unsigned n;                 /* sets in it */
		uint8_t counts[ARC_SIGNED]; /* fields of each name */
		unsigned char body[32];     /* SHA-256 of it, relaxed */
	} is;
	/* Canonical forms: of these fields; of the sets that are there, empty
	 * if the chain is broken. */
	struct slice header, chain;
};

struct arc_seal;

/* Watch the stream of the message as it will be passed on. */
struct arc_seal *arc_seal_new(struct dkim_stream *s);
/*
 * After dkim_stream_end. chain: what arc_verify found in the same message. 1
 * and a draft in the arena; 0 if chain->over: no set may be added; -1 with e:
 * no From, header too long.
 */
int arc_seal_draft(struct arc_seal *seal, const struct arc_result *chain,
    struct arena *arena, struct arc_draft *draft_r, struct err *e);
void arc_seal_free(struct arc_seal **seal);

struct arc_sealer {
	struct slice domain, selector;
	const struct dkim_key *key;
};

/* Can it be signed? For drafts that come from another process. */
bool arc_draft_check(const struct arc_draft *draft);
/*
 * Append the three fields of a new set, to be put before the message. results:
 * what was found of it by us, with arc= among it. -1 with e, and nothing added,
 * if the key cannot sign.
 */
int arc_sign(const struct arc_draft *draft, const struct arc_sealer *sealer,
    const struct authres *results, const struct clock *clock, struct buf *out,
    struct err *e);

#endif
