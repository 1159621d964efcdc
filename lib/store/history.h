/*
 * history - what came for an account, from whom, and what its user thought of
 * it: short lists, newest first, by author, domain, signature and address, for
 * judging what comes next.
 *
 * A pair (lib/db/pair.h) `history` in the account's folder, one line a
 * message, not synced on the way: what a power cut takes back is the memory of
 * the last messages, not the messages. Adding costs the same however much is
 * there. README has the lines.
 */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include "net/addr.h"
#include "store/mailbox.h"

/* How an identity was confirmed. */
enum history_validation {
	HISTORY_UNKNOWN, /* not checked */
	HISTORY_STRICT,  /* a domain that passed is that of From */
	HISTORY_DMARC,   /* ... as its DMARC policy wants it */
	HISTORY_RELAXED, /* ... or has the same organizational domain */
	HISTORY_PASS,    /* from here on results of SPF */
	HISTORY_NEUTRAL,
	HISTORY_TEMPERROR,
	HISTORY_PERMERROR,
	HISTORY_FAIL,
	HISTORY_SOFTFAIL,
	HISTORY_NONE,
};
/* Strict, by DMARC or relaxed: From is who it says. */
bool history_is_validated(enum history_validation v);

enum history_verdict { HISTORY_UNJUDGED, HISTORY_JUNK, HISTORY_NOTJUNK };

#define HISTORY_DKIM_MAX 8    /* domains of a message that are remembered */
#define HISTORY_TEXT_MAX 1000 /* bytes; longer texts are left out */

/* A delivered message. Addresses are `local@domain`, domains in ASCII form;
 * what is empty is not known, or is not to be held for or against anybody. */
struct history_message {
	char emailid[STORE_EMAILID];
	int64_t received; /* seconds since 1970 */
	/* Where it was to go: opinions of one mailbox do not count in another. */
	struct slice mailbox;
	struct ip ip;
	struct slice helo, mail_from, from;
	enum history_validation helo_is, mail_from_is, from_is;
	struct slice dkim[HISTORY_DKIM_MAX]; /* that passed */
	size_t ndkim;
	struct slice dmarc; /* "pass"; empty: not asked */
	bool forward, list; /* hints that it was sent on by others */
	struct slice msgid;
	uint64_t size; /* octets on the wire */
};

struct history;

/* store must outlive it. One that is damaged is kept aside and begun anew.
 * NULL with e. */
struct history *history_open(struct store *store, struct err *e);
void history_close(struct history **h);

/* Remember a message: a line, not synced. 0, or -1 with e. */
int history_add(struct history *h, const struct history_message *m,
    struct err *e);
/* What its user thinks of a message, now; the last time counts. Of messages
 * that are not in the lists any more, nothing is kept. 0, or -1. */
int history_judge(struct history *h, const char emailid[STORE_EMAILID],
    enum history_verdict verdict, struct err *e);
/* What was added. 1, 0 unknown (any more), -1. Texts are in the arena. */
int history_message(struct history *h, const char emailid[STORE_EMAILID],
    struct arena *arena, struct history_message *m_r, struct err *e);

/* ---- lists ---- */

enum history_kind {
	HISTORY_FROM,        /* address in From */
	HISTORY_FROM_DOMAIN, /* its domain, and its organizational domain */
	HISTORY_FROM_ORG,
	HISTORY_DKIM,      /* domain of a signature that passed */
	HISTORY_MAIL_FROM, /* if SPF passed: address, domain, EHLO */
	HISTORY_MAIL_FROM_DOMAIN,
	HISTORY_HELO,
	HISTORY_IP, /* /32 or /64, /26 or /48, /21 or /32 (lib/limit) */
	HISTORY_NETWORK,
	HISTORY_LARGE_NETWORK,
	HISTORY_KINDS
};

struct history_key {
	enum history_kind kind;
	bool validated;     /* HISTORY_FROM*: lists of their own */
	struct slice value; /* text; case does not matter */
	struct slice mailbox;
};

/* The key for an address of an IP kind, masked; value in the arena. */
struct history_key history_ip_key(enum history_kind kind, const struct ip *ip,
    struct slice mailbox, struct arena *arena);

struct history_entry {
	char emailid[STORE_EMAILID];
	int64_t received;
	enum history_verdict verdict;
	uint32_t local; /* tells localparts of From apart, most likely */
};

/*
 * The newest that are judged, and the newest that are not, together newest
 * first: of each as many as the kind keeps (README), and not older than that.
 * 0, or -1 with e.
 */
int history_list(struct history *h, const struct history_key *key,
    struct arena *arena, struct history_entry **v_r, size_t *n_r,
    struct err *e);

/* Housekeeping, when nobody waits. */
void history_tidy(struct history *h);

#endif
