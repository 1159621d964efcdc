/*
 * quickstart_conf - the texts of mox.conf and domains.conf.
 */
#include "config/edit.h"
#include "tools/quickstart.h"

static void
add_ips(struct buf *b, const char *field, const struct quickstart_ips *ips)
{
	char text[IP_TEXT];

	if (ips->n == 0)
		return;
	buf_addf(b, "\t\t%s:\n", field);
	for (size_t i = 0; i < ips->n; i++)
		buf_addf(b, "\t\t\t- %s\n", ip_text(&ips->v[i], text));
}

/* ---- mox.conf ---- */

static const char acme[] =
    "\n"
    "# Certificates of Let's Encrypt, not in effect yet. To use them once they "
    "are:\n"
    "# uncomment this, and in listener public put ACME in place of KeyCerts.\n"
    "#ACME:\n"
    "#\tletsencrypt:\n"
    "#\t\tDirectoryURL: https://acme-v02.api.letsencrypt.org/directory\n"
    "#\t\tContactEmail: %.*s\n";

static void
add_head(const struct quickstart *q, struct buf *b)
{
	buf_addf(b,
	    "# mox.conf - configuration of this host, made by mox quickstart. "
	    "Read at start.\n"
	    "# See mox.conf(5); `mox config test` checks it. Indent with "
	    "tabs.\n\n"
	    "DataDir: ../data\n"
	    "LogLevel: debug\n\n"
	    "# Services run as this user once their ports are bound.\n"
	    "User: %s\n\n"
	    "# Others see this name; it is in DNS with the public addresses, "
	    "and back.\n"
	    "Hostname: %.*s\n\n"
	    "AdminPasswordFile: ../secret/adminpasswd\n",
	    q->user, SLICE_FMT(q->hostname));
	buf_addf(b, acme, SLICE_FMT(q->address));
}

static void
add_tls(const struct quickstart *q, struct buf *b)
{
	buf_addz(b, "\t\tTLS:\n");
	if (q->self_signed)
		buf_addz(b,
		    "\t\t\t# Signed by its own key. Other servers deliver over "
		    "it, and verify it\n"
		    "\t\t\t# with DANE; mail programs ask their users. Replace "
		    "it by one of a\n"
		    "\t\t\t# certificate authority: new files are noticed, "
		    "also under these names.\n");
	buf_addf(b,
	    "\t\t\tKeyCerts:\n"
	    "\t\t\t\t-\n"
	    "\t\t\t\t\tCertFile: %.*s\n"
	    "\t\t\t\t\tKeyFile: %.*s\n"
	    "\t\t\t#ACME: letsencrypt\n",
	    SLICE_FMT(q->cert), SLICE_FMT(q->cert_key));
	buf_addf(b,
	    "\t\t\t%s# For DANE: TLSA records name these keys.\n"
	    "\t\t\t%sHostPrivateKeyFiles:\n"
	    "\t\t\t%s\t- ../secret/%.*s\n"
	    "\t\t\t%s\t- ../secret/%.*s\n",
	    "", q->self_signed ? "" : "#", q->self_signed ? "" : "#",
	    SLICE_FMT(q->ec_key), q->self_signed ? "" : "#",
	    SLICE_FMT(q->rsa_key));
}

static const char public_services[] =
    "\t\tSMTP:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\t# Block lists, asked about senders nothing is known of.\n"
    "\t\t\t#DNSBLs:\n"
    "\t\t\t#\t- sbl.spamhaus.org\n"
    "\t\t\t#\t- bl.spamcop.net\n"
    "\t\tSubmissions:\n"
    "\t\t\tEnabled: true\n"
    "\t\tIMAPS:\n"
    "\t\t\tEnabled: true\n";

/* Web services are not in effect yet, and stay out of the way. */
static const char public_web[] = "\t\t# The web server is not in effect yet.\n"
				 "\t\t#AutoconfigHTTPS:\n"
				 "\t\t#\tEnabled: true\n"
				 "\t\t#MTASTSHTTPS:\n"
				 "\t\t#\tEnabled: true\n"
				 "\t\t#WebserverHTTP:\n"
				 "\t\t#\tEnabled: true\n"
				 "\t\t#WebserverHTTPS:\n"
				 "\t\t#\tEnabled: true\n";

static const char internal_web[] =
    "\t\t# Pages on this host, not in effect yet.\n"
    "\t\t#AccountHTTP:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#AdminHTTP:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#WebmailHTTP:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#WebAPIHTTP:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#MetricsHTTP:\n"
    "\t\t#\tEnabled: true\n";

/* With another web server on ports 80 and 443, which passes on to these. */
static const char behind_web[] =
    "\t\t# Pages for the web server of this host to pass on to, not in effect "
    "yet.\n"
    "\t\t#AccountHTTP:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#\tPort: 1080\n"
    "\t\t#\tForwarded: true\n"
    "\t\t#AdminHTTP:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#\tPort: 1080\n"
    "\t\t#\tForwarded: true\n"
    "\t\t#WebmailHTTP:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#\tPort: 1080\n"
    "\t\t#\tForwarded: true\n"
    "\t\t#WebAPIHTTP:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#\tPort: 1080\n"
    "\t\t#\tForwarded: true\n"
    "\t\t#AutoconfigHTTPS:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#\tPort: 81\n"
    "\t\t#\tNonTLS: true\n"
    "\t\t#MTASTSHTTPS:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#\tPort: 81\n"
    "\t\t#\tNonTLS: true\n"
    "\t\t#WebserverHTTP:\n"
    "\t\t#\tEnabled: true\n"
    "\t\t#\tPort: 81\n";

static void
append(const struct quickstart *q, struct quickstart_ips *to,
    const struct ip *ip)
{
	to->v = arena_grow(q->arena, to->v, to->n, to->n + 1, sizeof(*to->v));
	to->v[to->n++] = *ip;
}

/* Nothing that others than this host and its network can reach. */
static void
add_internal(const struct quickstart *q, struct buf *b)
{
	const struct ip any4 = { .family = 4, .b = { 127, 0, 0, 1 } };
	struct quickstart_ips ips = { NULL, 0 };

	for (size_t i = 0; i < q->private.n; i++)
		if (ip_is_private(&q->private.v[i]))
			append(q, &ips, &q->private.v[i]);
	for (size_t i = 0; i < q->loopback.n; i++)
		append(q, &ips, &q->loopback.v[i]);
	if (ips.n == 0)
		append(q, &ips, &any4);
	buf_addz(b, "\tinternal:\n");
	add_ips(b, "IPs", &ips);
	buf_addz(b, "\t\tHostname: localhost\n");
	buf_addz(b, q->existing_webserver ? behind_web : internal_web);
}

void
quickstart_mox_conf(const struct quickstart *q, struct buf *b)
{
	add_head(q, b);
	buf_addz(b, "\nListeners:\n\tpublic:\n");
	add_ips(b, "IPs", &q->listen);
	add_ips(b, "NATIPs", &q->nat);
	add_tls(q, b);
	buf_addz(b, public_services);
	if (!q->existing_webserver)
		buf_addz(b, public_web);
	add_internal(q, b);
	buf_addf(b,
	    "\n# Mail for postmaster.\n"
	    "Postmaster:\n"
	    "\tAccount: %.*s\n"
	    "\tMailbox: Postmaster\n\n"
	    "# Reports of others about TLS to this host.\n"
	    "HostTLSRPT:\n"
	    "\tAccount: %.*s\n"
	    "\tMailbox: TLSRPT\n"
	    "\tLocalpart: tlsreports\n",
	    SLICE_FMT(q->account), SLICE_FMT(q->account));
}

/* ---- domains.conf ---- */

static const char ruleset[] =
    "\t\t\t\t# Mail of a list into its own mailbox:\n"
    "\t\t\t\t#Rulesets:\n"
    "\t\t\t\t#\t-\n"
    "\t\t\t\t#\t\tHeadersRegexp:\n"
    "\t\t\t\t#\t\t\t^list-id$: <name\\.lists\\.example\\.org>\n"
    "\t\t\t\t#\t\tListAllowDomain: lists.example.org\n"
    "\t\t\t\t#\t\tMailbox: Lists/name\n";

static void
add_reports(const struct quickstart *q, struct buf *b, const char *field,
    const char *localpart, const char *mailbox)
{
	buf_addf(b,
	    "\t\t%s:\n"
	    "\t\t\tLocalpart: %s\n"
	    "\t\t\tAccount: %.*s\n"
	    "\t\t\tMailbox: %s\n",
	    field, localpart, SLICE_FMT(q->account), mailbox);
}

static void
add_dkim(const struct quickstart *q, struct buf *b)
{
	buf_addz(b, "\t\tDKIM:\n\t\t\tSelectors:\n");
	for (int i = 0; i < 2; i++)
		buf_addf(b,
		    "\t\t\t\t%.*s%c:\n"
		    "\t\t\t\t\tExpiration: 72h\n"
		    "\t\t\t\t\tPrivateKeyFile: ../secret/%.*s\n",
		    SLICE_FMT(q->year), 'a' + i, SLICE_FMT(q->dkim_keys[i]));
	buf_addf(b,
	    "\t\t\t# The other one is in DNS for the day this one has to "
	    "go.\n"
	    "\t\t\tSign:\n"
	    "\t\t\t\t- %.*sa\n",
	    SLICE_FMT(q->year));
}

static void
add_account(const struct quickstart *q, struct buf *b)
{
	struct slice rest = slice_str(edit_account_defaults), line;

	buf_addf(b,
	    "\nAccounts:\n"
	    "\t%.*s:\n"
	    "\t\tDomain: %.*s\n"
	    "\t\tDestinations:\n"
	    "\t\t\t%.*s: nil\n",
	    SLICE_FMT(q->account), SLICE_FMT(q->domain), SLICE_FMT(q->address));
	buf_addz(b, ruleset);
	while (slice_line(&rest, &line))
		buf_addf(b, "\t\t%.*s\n", SLICE_FMT(line));
}

void
quickstart_domains_conf(const struct quickstart *q, struct buf *b)
{
	buf_addf(b,
	    "# domains.conf - domains, accounts and addresses, made by mox "
	    "quickstart.\n"
	    "# See domains.conf(5). Changes take effect within a second. "
	    "Indent with tabs.\n\n"
	    "Domains:\n"
	    "\t%.*s:\n"
	    "\t\tClientSettingsDomain: mail.%.*s\n"
	    "\t\tLocalpartCatchallSeparator: +\n",
	    SLICE_FMT(q->domain), SLICE_FMT(q->domain));
	add_dkim(q, b);
	add_reports(q, b, "DMARC", "dmarcreports", "DMARC");
	add_reports(q, b, "TLSRPT", "tlsreports", "TLSRPT");
	add_account(q, b);
	buf_addz(b,
	    "\n# Is one of our addresses in a block list?\n"
	    "MonitorDNSBLs:\n"
	    "\t- sbl.spamhaus.org\n"
	    "\t- bl.spamcop.net\n");
}
