/*
 * dns - typed questions to a resolver, through a handle.
 *
 * The handle is libunbound in this process (dns/resolver.h), the resolver
 * process of a service (dns/ask.h), or a zone file in tests (dns/zone.h).
 * Names are ASCII without a trailing dot, as dns/name.h checks them; other
 * bytes than printable ones, dots inside labels and backslashes are \DDD
 * (RFC 1035, 5.1). CNAMEs are followed. Depends on lib/base and lib/net.
 */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include "base/arena.h"
#include "base/err.h"
#include "net/addr.h"

enum dns_type { /* RFC 1035 and its registry */
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_TLSA = 52,
	DNS_CAA = 257,
};

struct dns_record {
	uint32_t ttl; /* seconds */
	union {
		struct ip ip;      /* A, AAAA */
		struct slice host; /* NS, CNAME, PTR */
		struct slice text; /* TXT: its strings joined */
		struct {
			uint16_t preference;
			struct slice host; /* empty: null MX (RFC 7505) */
		} mx;
		struct {
			uint16_t priority, weight, port;
			struct slice host;
		} srv;
		struct { /* RFC 6698, 2.1 */
			uint8_t usage, selector, matching;
			struct slice data;
		} tlsa;
		struct { /* RFC 8659, 4.1 */
			uint8_t flags;
			struct slice tag, value;
		} caa;
	};
};

struct dns_answer {
	struct dns_record *v; /* of the type asked for, in the arena */
	size_t n;
	struct slice name; /* whose records these are, behind CNAMEs */
	/* DNSSEC proved all of it, also that there is nothing. Otherwise the
	 * zone is not signed. */
	bool secure;
	bool nxdomain; /* the name does not exist; else only no such records */
	/* Why -1 was returned: DNSSEC validation failed; no answer in time;
	 * neither: servers said that they have none (SERVFAIL, REFUSED). */
	bool bogus;
	bool timeout;
	struct slice why; /* the same in words, as the resolver gave them */
};

struct dns {
	int (*query)(struct dns *dns, struct arena *arena, struct slice name,
	    enum dns_type type, struct dns_answer *answer_r, struct err *e);
	/* Set the question under way; NULL: nothing would be gained. */
	void (*start)(struct dns *dns, struct slice name, enum dns_type type);
	void (*forget)(struct dns *dns); /* NULL: nothing is under way */
	void (*free)(struct dns *dns);
	/* Nobody waits for an answer any longer than this, by clock_mono_ms: a
	 * limit for a check of many questions. 0: each has its own only. */
	int64_t until_ms;
};

/*
 * Ask, blocking for at most the resolver's own time limit. Returns 1 with
 * records, 0 when there are none (answer_r->nxdomain says which way), -1 with
 * e: ERR_TEMP when no answer came or it was bogus, ERR_SYNTAX for a name that
 * cannot be. *answer_r is always set; its data lives as long as arena.
 */
int dns_query(struct dns *dns, struct arena *arena, struct slice name,
    enum dns_type type, struct dns_answer *answer_r, struct err *e);

/*
 * Say that dns_query will be called: questions started together are answered
 * side by side. Returns at once. Too many started ones are forgotten, and only
 * lose that.
 */
void dns_start(struct dns *dns, struct slice name, enum dns_type type);
void dns_start_addresses(struct dns *dns, struct slice host);
void dns_start_reverse(struct dns *dns, const struct ip *ip);

/* Forget what was started and not asked for: the answers grow old. */
void dns_forget(struct dns *dns);

/*
 * A and AAAA in one answer: 1 if either has records, -1 only if neither has and
 * one of them failed. Secure if all that came is: who keeps one of them from
 * being answered must not win that the other counts as insecure.
 */
int dns_addresses(struct dns *dns, struct arena *arena, struct slice host,
    struct dns_answer *answer_r, struct err *e);

/* PTR records of an address. */
int dns_reverse(struct dns *dns, struct arena *arena, const struct ip *ip,
    struct dns_answer *answer_r, struct err *e);

/* By name: "MX". */
bool dns_type_parse(struct slice name, enum dns_type *type_r);

void dns_free(struct dns **dns); /* whatever it is; NULL is fine */

#endif
