/*
 * mtasts_fetch - fetching policies over HTTPS, in a child that is jailed as a
 * network client: it reaches no file. For mox-mtasts only.
 *
 *	mtasts_web_open      once: what is trusted, whom to ask
 *	mtasts_fetch_start   fork a child for a policy
 *	mtasts_fetch_wait    and see what it brings
 *	mtasts_http_get      in that child
 */
#ifndef TOOLS_MTASTS_FETCH_H
#define TOOLS_MTASTS_FETCH_H

#include "dns/resolver.h"
#include "host/host_tls.h"
#include "mtasts/mtasts.h"

struct mtasts_web {
	const struct config *config; /* NULL: none */
	struct resolver_conf dns;
	struct tls_client *tls;
	uint16_t port;      /* 443, or MOX_MTASTS_PORT */
	int64_t timeout_ms; /* for all of a fetch */
};

/* Texts live in config and the arena. 0, or -1 with e. */
int mtasts_web_open(struct mtasts_web *web, const struct config *config,
    int64_t timeout_ms, struct arena *arena, struct err *e);
/* Read the trust anchors again if their files have changed. */
int mtasts_web_refresh(struct mtasts_web *web, struct err *e);
void mtasts_web_close(struct mtasts_web *web);

struct mtasts_got {
	struct mtasts_fetched fetched;
	enum mtasts_record record; /* if it was asked for */
	struct slice id;           /* of the record */
};

/* A fetch under way. */
struct mtasts_child {
	pid_t pid;
	int fd; /* from it */
	int64_t end_ms;
};

/* Start fetching the policy of domain, and (with_record) asking for its record
 * before. 0, or -1 with e: no child. */
int mtasts_fetch_start(const struct mtasts_web *web, struct slice domain,
    bool with_record, struct mtasts_child *child_r, struct err *e);
/*
 * What came of it, in the arena. Blocks for the time limit and a little. Whatever
 * the child does, crashing too, is a failed fetch. May be called in a jail.
 */
void mtasts_fetch_wait(struct mtasts_child *child, struct arena *arena,
    struct mtasts_got *got_r);

/* "https://mta-sts.DOMAIN/.well-known/mta-sts.txt", with the port if it is
 * another. */
struct slice mtasts_url(const struct mtasts_web *web, struct arena *arena,
    struct slice domain);

/* GET that from one of the addresses. *fetched_r is in the arena. */
void mtasts_http_get(const struct mtasts_web *web, struct slice domain,
    const struct dns_answer *addresses, int64_t timeout_ms, struct arena *arena,
    struct mtasts_fetched *fetched_r);

#endif
