/*
 * host_sign - how a domain's mail is signed: DKIM of domains.conf, with the
 * keys it names, as parameters of lib/dkim.
 */
#ifndef HOST_HOST_SIGN_H
#define HOST_HOST_SIGN_H

#include "config/config.h"
#include "dkim/dkim.h"

struct host_signers {
	struct dkim_signer *v;  /* in the arena */
	struct dkim_key **keys; /* theirs */
	size_t n;               /* 0: the domain does not sign */
};

/*
 * Read the keys of the selectors in Sign of a domain. domain: its name in any
 * form, as in domain->name; local: of the address in From, for i=, or empty.
 * 0, or -1 with e: a key that cannot be read. *signers_r is to be freed in
 * any case; its texts are those of domain or in the arena.
 */
int host_signers_load(const struct config *config,
    const struct conf_domain *domain, struct slice local, struct arena *arena,
    struct host_signers *signers_r, struct err *e);
void host_signers_free(struct host_signers *signers);

/* The domain of that name in domains.conf, any form and case, or NULL. For
 * tools; services ask config/lookup.h. */
const struct conf_domain *host_sign_domain(const struct domains_conf *conf,
    struct arena *arena, struct slice name);

#endif
