/*
 * slots - questions under way of one handle: what dns/ask.h and
 * dns/resolver.h have in common.
 */
#ifndef DNS_SLOTS_H
#define DNS_SLOTS_H

#include "dns/packet.h"

#define DNS_SLOTS 32 /* questions of a handle at the same time */

struct dns_slot {
	uint32_t id; /* 0: free */
	bool done;
	char *name;
	enum dns_type type;
	struct dns_reply reply; /* if done; its slices are in bytes */
	char *bytes;
};

struct dns_slots {
	struct dns dns; /* first: a handle is one */
	struct dns_slot v[DNS_SLOTS];
	uint32_t last_id;
	int timeout_ms; /* of a question */
	/* Ask; the answer comes by dns_slots_put within wait, or at once. */
	int (*send)(struct dns_slots *s, const struct dns_slot *slot, int ms,
	    struct err *e);
	/* Wait for any answer for at most ms. */
	int (*wait)(struct dns_slots *s, int ms, struct err *e);
	void (*close)(struct dns_slots *s); /* frees s itself too */
};

/* Fill in dns and the rest; send, wait and close are the caller's. */
void dns_slots_init(struct dns_slots *s, int timeout_ms);
/* An answer; ids nobody waits for are ignored. */
void dns_slots_put(struct dns_slots *s, uint32_t id,
    const struct dns_reply *reply);

#endif
