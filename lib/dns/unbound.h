/*
 * unbound - libunbound on an event loop: one question, one call back.
 */
#ifndef DNS_UNBOUND_H
#define DNS_UNBOUND_H

#include "dns/packet.h"
#include "dns/resolver.h"

struct event_base;
struct unbound;

typedef void (*unbound_done)(void *ctx, const struct dns_reply *reply);

/* Are the files and addresses of conf good? 0, or -1 with e. */
int unbound_check(const struct resolver_conf *conf, struct err *e);

/* NULL with e. Files are read at the first question. */
struct unbound *unbound_new(const struct resolver_conf *conf,
    struct event_base *base, struct err *e);
/* Open questions are answered with a time-out. */
void unbound_free(struct unbound **u);

/*
 * Ask. done is called once, perhaps before this returns, perhaps long after
 * anybody cares: libunbound does not give up a question. -1 with e: it is not
 * called.
 */
int unbound_ask(struct unbound *u, const char *name, enum dns_type type,
    unbound_done done, void *ctx, struct err *e);

#endif
