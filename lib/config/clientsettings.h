/*
 * clientsettings - what a mail program is told: hosts, ports, kind of TLS.
 */
#ifndef CONFIG_CLIENTSETTINGS_H
#define CONFIG_CLIENTSETTINGS_H

#include "config/config.h"

enum clientsettings_tls {
	CLIENT_TLS,               /* from the first byte on */
	CLIENT_STARTTLS_REQUIRED, /* before passwords */
	CLIENT_STARTTLS_OPTIONAL,
	CLIENT_PLAIN, /* no TLS at all */
};

struct clientsetting {
	bool imap;         /* else submission */
	struct slice host; /* ASCII form */
	int port;
	enum clientsettings_tls tls;
	struct slice listener;
};

struct clientsettings {
	struct clientsetting *v; /* best first, of each of the two */
	size_t n;
};

/*
 * All ways to read and to submit mail for a domain: IMAP first, then what
 * listener "public" has, TLS before STARTTLS. domain may be NULL: the host's
 * own names.
 */
struct clientsettings clientsettings_make(const struct config *config,
    const struct conf_domain *domain, struct arena *arena);

/* "IMAP" or "Submission (SMTP)". */
const char *clientsettings_protocol(const struct clientsetting *s);
/* "with TLS", "with STARTTLS required", ... */
const char *clientsettings_note(const struct clientsetting *s);

#endif
