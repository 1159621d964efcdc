/*
 * spf - may this host send mail for this domain? (RFC 7208)
 *
 * spf_verify is check_host() with all limits; the record syntax is here both
 * ways, and the Received-SPF field. Reentrant; keeps no state. Depends on
 * lib/base, lib/net, lib/dns and lib/message (to write the field).
 */
#ifndef SPF_SPF_H
#define SPF_SPF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "dns/dns.h"
#include "net/addr.h"

/* ---- records ---- */

enum spf_mechanism {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
};

struct spf_directive {
	char qualifier; /* + - ~ ? */
	enum spf_mechanism mechanism;
	struct slice domain;   /* domain-spec with macros; empty: none given */
	struct ip ip;          /* of ip4 and ip6, as written */
	unsigned bits4, bits6; /* 32 and 128 if not given */
	struct slice text;     /* all of it, as written */
};

struct spf_modifier { /* one that this RFC does not know */
	struct slice name, value;
};

struct spf_record {
	struct spf_directive *directives;
	size_t ndirectives;
	struct slice redirect, exp; /* domain-specs; empty: not there */
	struct spf_modifier *others;
	size_t nothers;
};

/* Is this TXT text an SPF record, right or wrong (4.5)? */
bool spf_is_record(struct slice text);
/* All of a record. Slices are parts of text, arrays in the arena. -1 with e
 * (ERR_SYNTAX) naming the term that is wrong. */
int spf_parse(struct arena *arena, struct slice text,
    struct spf_record *record_r, struct err *e);
/* The shortest text of the same meaning, modifiers last. */
void spf_write(struct buf *out, const struct spf_record *record);

/* ---- checking ---- */

enum spf_status {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
};

const char *spf_status_name(enum spf_status status); /* "softfail" */

struct spf_args {
	struct ip ip; /* the client's */
	struct slice helo;
	/* MAIL FROM; with an empty domain (null sender) the name given in HELO
	 * is checked, as 2.4 says. */
	struct slice local, domain;
	struct slice receiver; /* our host name, for explanations */
	int64_t now_s;         /* the same */
};

struct spf_result {
	enum spf_status status;
	bool helo;           /* the identity that was checked is HELO */
	struct slice domain; /* of the identity */
	/* The directive that matched, or "default"; empty if there was none. */
	struct slice mechanism;
	struct slice explanation; /* of the domain's owner, for FAIL: foreign */
	struct slice problem;     /* of TEMPERROR and PERMERROR */
	bool secure;              /* all DNS answers were */
	unsigned lookups, voids;  /* as limited by 4.6.4 */
};

/*
 * Check. Blocks for up to 10 terms with their DNS questions: bound that with
 * dns->until_ms. There is always a result; its slices live as long as arena
 * and args.
 */
void spf_verify(struct dns *dns, struct arena *arena,
    const struct spf_args *args, struct spf_result *result_r);

/*
 * The record that a domain has now. Returns 1 with its text and whether DNSSEC
 * secured it, 0 when there is none; -1 with e: ERR_TEMP when DNS gave no
 * answer, ERR_SYNTAX when there are several.
 */
int spf_lookup(struct dns *dns, struct arena *arena, struct slice domain,
    struct slice *text_r, bool *secure_r, struct err *e);

/* Set the first questions of a check under way. */
void spf_start(struct dns *dns, const struct spf_args *args);

/* Received-SPF field (9.1) with its CRLFs. */
void spf_received(struct buf *out, const struct spf_args *args,
    const struct spf_result *result);

#endif
