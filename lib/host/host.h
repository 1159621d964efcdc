/*
 * host - what every mail service of this machine loads: configuration,
 * addresses, credentials, certificates, and where the mail is.
 *
 * Called by service_main's load, refresh and forget of mox-smtpd and mox-imapd.
 * One to a process; children share it copy-on-write.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "auth/auth.h"
#include "config/config.h"
#include "config/domains_cdb.h"
#include "config/lookup.h"
#include "dns/dns.h"
#include "service/service.h"
#include "store/store.h"

struct host {
	struct config *config;
	struct lookup *lookup;
	struct passcache *passcache;
	struct auth *auth;
	struct store_env env; /* of all stores; owns its descriptors */
	struct domains_cdb_watch watch;
	struct tls_tickets *tickets;
	struct dns *dns; /* host_dns.h */
};

/* How TLS is used on a listener. */
struct host_tls_use {
	bool tickets;     /* session tickets are handed out */
	bool client_cert; /* a client certificate is asked for */
};

/*
 * Load mox.conf (path: the -config flag or NULL), compile domains.conf if it
 * is newer, open data and run folders, and fill setup: TLS and configuration
 * of every listener, limits, user, paths of the back. use says for each
 * listener how TLS is used. Prints configuration errors and exits when the
 * files are wrong; -1 with e for everything else.
 */
int host_load(struct host *h, const char *config,
    struct host_tls_use (*use)(const struct service_listener *l),
    struct service_setup *setup, struct err *e);

/*
 * For programs that are no service: only what is needed to deliver to
 * accounts, that is config, lookup and env, which live in arena. 0, or -1.
 */
int host_load_mail(struct host *h, struct config *config, struct arena *arena,
    struct err *e);

/* Look whether domains.conf changed; compile and take up. For the parent.
 * True if addresses or accounts changed. */
bool host_refresh(struct host *h);
/* In a front: verified passwords are not its business. */
void host_forget(struct host *h);

/* Settings and quota of an account, its store opened (made if it is missing:
 * an account of the configuration needs no other command). 0, or -1 with e. */
int host_open_store(struct host *h, struct arena *arena, struct slice account,
    struct store **store_r, struct err *e);

/* path, or with the working folder before it: as descriptors of files that
 * mox-serve opened for a service are named. */
const char *host_absolute(struct arena *arena, const char *path);

/* Is the listener's STARTTLS needed before passwords? */
bool host_tls_required(const struct service_listener *l);

#endif
