#include "config/account_conf.h"
#include "config/domains_conf.h"
#include "config/field.h"

#define OPT SCHEMA_OPTIONAL
#define REQ SCHEMA_REQUIRED
#define LATER SCHEMA_LATER

/* ---- routes ---- */

#define IN conf_route
static const struct schema_field route_fields[] = {
	{ "FromDomain", STRINGS(from_domain), OPT, NULL, field_route_domain,
	    "Domains of the sender. A leading dot takes subdomains as well. "
	    "None: any." },
	{ "ToDomain", STRINGS(to_domain), OPT, NULL, field_route_domain,
	    "Domains of the recipient, likewise." },
	{ "MinimumAttempts", INT(minimum_attempts), OPT, NULL, field_count,
	    "Take this route only after so many attempts." },
	{ "Transport", STRING(transport), REQ, NULL, field_text,
	    "Name of a transport in mox.conf." },
};
#undef IN
const struct schema conf_route_schema = SCHEMA_OF(conf_route, route_fields);

/* ---- DKIM ---- */

#define IN conf_canonicalization
static const struct schema_field canonicalization_fields[] = {
	{ "HeaderRelaxed", BOOL(header_relaxed), REQ, NULL, NULL,
	    "Let changes of blanks and case in headers pass." },
	{ "BodyRelaxed", BOOL(body_relaxed), REQ, NULL, NULL,
	    "Let changes of blanks in the body pass." },
};
#undef IN
static const struct schema canonicalization =
    SCHEMA_OF(conf_canonicalization, canonicalization_fields);

#define IN conf_selector
static const struct schema_field selector_fields[] = {
	{ "Hash", STRING(hash), OPT, "sha256", field_hash,
	    "Hash to sign with: sha256, or sha1, which is deprecated." },
	{ "Canonicalization",
	    STRUCT(canonicalization, conf_canonicalization, canonicalization),
	    OPT, NULL, NULL,
	    "Changes on the way that leave the signature valid. Default: "
	    "none." },
	{ "Headers", STRINGS(headers), OPT,
	    "From To Cc Bcc Reply-To References In-Reply-To Subject Date "
	    "Message-Id Content-Type",
	    field_header_name, "Headers to sign. From must be one of them." },
	{ "DontSealHeaders", BOOL(dont_seal_headers), OPT, NULL, NULL,
	    "Let others add further instances of the signed headers." },
	{ "Expiration", DURATION(expiration), OPT, NULL, field_period,
	    "How long a signature is valid, for example 72h. 0 is for "
	    "ever." },
	{ "PrivateKeyFile", STRING(private_key_file), REQ, NULL, field_text,
	    "PEM file with the private key (PKCS8), RSA of at least 1024 "
	    "bits or ed25519. Relative to the folder of domains.conf, and below "
	    "dkim/ there or secret/dkim/ beside it: services reach no other." },
};
#undef IN
static const struct schema selector = SCHEMA_OF(conf_selector, selector_fields);

#define IN conf_dkim
static const struct schema_field dkim_fields[] = {
	{ "Selectors", MAP(selectors, conf_selector, selector), REQ, NULL,
	    field_domain,
	    "Keys, by their selector: the name below _domainkey in DNS." },
	{ "Sign", STRINGS(sign), OPT, NULL, field_text,
	    "Selectors to sign outgoing messages with." },
};
#undef IN
static const struct schema dkim = SCHEMA_OF(conf_dkim, dkim_fields);

/* ---- reports and policy ---- */

#define IN conf_reports
#define REPORTS(example) \
	{ "Localpart", STRING(localpart), REQ, NULL, field_ascii_localpart, \
		"Localpart of the address that reports are sent to, for " \
		"example " example "." }, \
	    { "Domain", STRING(domain), OPT, NULL, field_domain, \
		    "Domain of the address, if not this one. It must be in this " \
		    "file as well." }, \
	    { "Account", STRING(account), REQ, NULL, field_account, \
		    "Account to deliver to." }, \
	{ \
		"Mailbox", STRING(mailbox), REQ, NULL, field_mailbox, \
		    "Mailbox to deliver to." \
	}
static const struct schema_field dmarc_fields[] = {
	REPORTS("dmarcreports"),
};
static const struct schema_field tlsrpt_fields[] = {
	REPORTS("tlsreports"),
};
#undef IN
static const struct schema dmarc = SCHEMA_OF(conf_reports, dmarc_fields);
static const struct schema tlsrpt = SCHEMA_OF(conf_reports, tlsrpt_fields);

#define IN conf_mtasts
static const struct schema_field mtasts_fields[] = {
	{ "PolicyID", STRING(policy_id), REQ, NULL, field_mtasts_id,
	    "Version of the policy, as in its DNS record. To be changed "
	    "whenever the policy changes." },
	{ "Mode", STRING(mode), REQ, NULL, field_mtasts_mode,
	    "enforce, testing or none. Before the policy is removed, none "
	    "must stand as long as MaxAge was." },
	{ "MaxAge", DURATION(max_age), REQ, NULL, field_period,
	    "How long others may keep the policy." },
	{ "MX", STRINGS(mx), OPT, NULL, field_mtasts_mx,
	    "Mail hosts of the domain; *.example.org stands for any host in "
	    "it. Default: Hostname of mox.conf." },
};
#undef IN
static const struct schema mtasts = SCHEMA_OF(conf_mtasts, mtasts_fields);

/* ---- aliases ---- */

#define IN conf_alias
static const struct schema_field alias_fields[] = {
	{ "Addresses", STRINGS(addresses), REQ, NULL, field_address,
	    "Members: addresses of accounts of this host." },
	{ "PostPublic", BOOL(post_public), OPT, NULL, NULL,
	    "Anyone may send to the alias, not members only." },
	{ "ListMembers", BOOL(list_members), OPT | LATER, NULL, NULL,
	    "Members may see who the members are." },
	{ "AllowMsgFrom", BOOL(allow_msg_from), OPT, NULL, NULL,
	    "Members may send from the address of the alias." },
};
#undef IN
const struct schema conf_alias_schema = SCHEMA_OF(conf_alias, alias_fields);

/* ---- domain ---- */

#define IN conf_domain
static const struct schema_field domain_fields[] = {
	{ "Disabled", BOOL(disabled), OPT, NULL, NULL,
	    "Refuse, for the time being, mail to the domain and submissions "
	    "from it; get no certificates for it." },
	{ "Description", STRING(description), OPT, NULL, NULL,
	    "For people only." },
	{ "ClientSettingsDomain", STRING(client_settings_domain), OPT | LATER,
	    NULL, field_domain,
	    "Host name suggested to mail programs of this domain instead of "
	    "Hostname, so that the domain can move to another host." },
	{ "LocalpartCatchallSeparator", STRING(localpart_catchall_separator),
	    OPT, NULL, field_separator,
	    "Text from this separator on is ignored when looking for the "
	    "address: with +, you+anything is delivered as you." },
	{ "LocalpartCatchallSeparators", STRINGS(localpart_catchall_separators),
	    OPT, NULL, field_separator,
	    "Several such separators, instead of the single one." },
	{ "LocalpartCaseSensitive", BOOL(localpart_case_sensitive), OPT, NULL,
	    NULL, "Upper and lower case make different addresses." },
	{ "DKIM", STRUCT(dkim, conf_dkim, dkim), OPT, NULL, NULL,
	    "Signing of outgoing messages." },
	{ "DMARC", STRUCT(dmarc, conf_reports, dmarc), OPT, NULL, NULL,
	    "Where aggregate DMARC reports of others are delivered." },
	{ "MTASTS", STRUCT(mtasts, conf_mtasts, mtasts), OPT | LATER, NULL,
	    NULL, "MTA-STS policy served for the domain." },
	{ "TLSRPT", STRUCT(tlsrpt, conf_reports, tlsrpt), OPT, NULL, NULL,
	    "Where reports of others about TLS are delivered." },
	{ "Routes", LIST(routes, conf_route, conf_route_schema), OPT, NULL,
	    NULL,
	    "Routes for mail that accounts with this default domain send, "
	    "tried after those of the account and before the global ones." },
	{ "Aliases", MAP(aliases, conf_alias, conf_alias_schema), OPT, NULL,
	    field_localpart,
	    "Addresses, by localpart, that are delivered to several "
	    "members." },
};
#undef IN
const struct schema conf_domain_schema = SCHEMA_OF(conf_domain, domain_fields);

/* ---- domains.conf ---- */

#define IN domains_conf
static const struct schema_field domains_conf_fields[] = {
	{ "Domains", MAP(domains, conf_domain, conf_domain_schema), REQ, NULL,
	    field_domain, "Domains of this host, in unicode form." },
	{ "Accounts", MAP(accounts, conf_account, conf_account_schema), REQ,
	    NULL, field_account,
	    "Users: each has mail of its own, addresses and a password. The "
	    "name is no address; it names the folder of the account." },
	{ "WebDomainRedirects", PAIRS(web_domain_redirects), OPT | LATER, NULL,
	    field_domain,
	    "Whole domains that the web server redirects to others." },
	{ "WebHandlers",
	    LIST(web_handlers, conf_web_handler, conf_web_handler_schema),
	    OPT | LATER, NULL, NULL,
	    "What the web server serves. The first match counts." },
	{ "Routes", LIST(routes, conf_route, conf_route_schema), OPT, NULL,
	    NULL,
	    "Transports for outgoing mail, tried after those of accounts and "
	    "domains. Without a match mail is delivered directly." },
	{ "MonitorDNSBLs", STRINGS(monitor_dnsbls), OPT | LATER, NULL,
	    field_domain,
	    "Block lists in which the addresses we send from are looked up "
	    "from time to time." },
};
#undef IN
const struct schema domains_conf_schema =
    SCHEMA_OF(domains_conf, domains_conf_fields);
