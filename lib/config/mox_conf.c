#include "config/field.h"
#include "config/listener_conf.h"
#include "config/mox_conf.h"

#define OPT SCHEMA_OPTIONAL
#define REQ SCHEMA_REQUIRED
#define LATER SCHEMA_LATER

/* ---- TLS of the whole host, ACME ---- */

#define IN conf_ca
static const struct schema_field ca_fields[] = {
	{ "AdditionalToSystem", BOOL(additional_to_system), OPT, NULL, NULL,
	    "Trust the certificates of the system as well as those of "
	    "CertFiles." },
	{ "CertFiles", STRINGS(cert_files), OPT, NULL, field_text,
	    "PEM files with certificates of authorities to trust. Relative "
	    "names are relative to the folder of mox.conf." },
};
#undef IN
static const struct schema ca = SCHEMA_OF(conf_ca, ca_fields);

#define IN conf_global_tls
static const struct schema_field global_tls_fields[] = {
	{ "CA", STRUCT(ca, conf_ca, ca), OPT, NULL, NULL,
	    "Authorities trusted when checking certificates of others, for "
	    "outgoing SMTP and HTTPS. Default: those of the system." },
};
#undef IN
static const struct schema global_tls =
    SCHEMA_OF(conf_global_tls, global_tls_fields);

#define IN conf_acme_binding
static const struct schema_field acme_binding_fields[] = {
	{ "KeyID", STRING(key_id), REQ, NULL, field_text,
	    "Identifier of the key, as the provider gave it." },
	{ "KeyFile", STRING(key_file), REQ, NULL, field_text,
	    "File with the key in base64url, relative to the folder of "
	    "mox.conf." },
};
#undef IN
static const struct schema acme_binding =
    SCHEMA_OF(conf_acme_binding, acme_binding_fields);

#define IN conf_acme
static const struct schema_field acme_fields[] = {
	{ "DirectoryURL", STRING(directory_url), REQ, NULL, field_url,
	    "Where the provider's services are found. For Let's Encrypt: "
	    "https://acme-v02.api.letsencrypt.org/directory." },
	{ "RenewBefore", DURATION(renew_before), OPT, "720h0m0s", field_period,
	    "How long before a certificate expires it is renewed." },
	{ "ContactEmail", STRING(contact_email), REQ, NULL, field_address,
	    "Address given to the provider, for notices about certificates." },
	{ "Port", INT(port), OPT, "443", field_port,
	    "Port at which we answer the provider's tls-alpn-01 checks. The "
	    "provider connects to 443, so another number only makes sense "
	    "when a firewall forwards to it." },
	{ "IssuerDomainName", STRING(issuer_domain_name), OPT, NULL,
	    field_domain,
	    "Name of the provider in DNS CAA records, for the records we "
	    "suggest. Known for Let's Encrypt." },
	{ "ExternalAccountBinding",
	    STRUCT(external_account_binding, conf_acme_binding, acme_binding),
	    OPT, NULL, NULL,
	    "Ties the account at this provider to one that exists elsewhere, "
	    "if the provider asks for it." },
};
#undef IN
static const struct schema acme = SCHEMA_OF(conf_acme, acme_fields);

/* ---- DNS ---- */

#define IN conf_dns
static const struct schema_field dns_fields[] = {
	{ "Resolvers", STRINGS(resolvers), OPT, NULL, field_resolver,
	    "Addresses of the resolvers to ask; with @ and a number, on "
	    "another port than 53. They must pass on DNSSEC records, or all "
	    "that is signed is bogus. Default: those of /etc/resolv.conf, and "
	    "without it the name servers of the Internet themselves." },
	{ "TrustAnchor", STRING(trust_anchor), OPT, NULL, field_text,
	    "File with the DS or DNSKEY records from which DNSSEC is "
	    "validated, relative to the folder of mox.conf, or none: nothing "
	    "is validated. Whoever answers is believed no further than that. "
	    "Default: /usr/share/dns/root.key. $MOX_TRUST_ANCHOR goes before "
	    "it." },
	{ "ZoneFile", STRING(zone_file), OPT, NULL, field_text,
	    "File, relative to the folder of mox.conf, that is all of the "
	    "DNS: nobody is asked. For tests." },
};
#undef IN
static const struct schema dns = SCHEMA_OF(conf_dns, dns_fields);

/* ---- mail of the host ---- */

#define IN conf_postmaster
static const struct schema_field postmaster_fields[] = {
	{ "Account", STRING(account), REQ, NULL, field_account,
	    "Name of an account in domains.conf." },
	{ "Mailbox", STRING(mailbox), REQ, NULL, field_mailbox,
	    "Mailbox to deliver to, for example Postmaster or Inbox." },
};
#undef IN
static const struct schema postmaster =
    SCHEMA_OF(conf_postmaster, postmaster_fields);

#define IN conf_host_tlsrpt
static const struct schema_field host_tlsrpt_fields[] = {
	{ "Account", STRING(account), REQ, NULL, field_account,
	    "Name of an account in domains.conf." },
	{ "Mailbox", STRING(mailbox), REQ, NULL, field_mailbox,
	    "Mailbox to deliver to, for example TLSRPT." },
	{ "Localpart", STRING(localpart), REQ, NULL, field_ascii_localpart,
	    "Localpart of the address at Hostname that reports are sent to, "
	    "for example tlsreports." },
};
#undef IN
static const struct schema host_tlsrpt =
    SCHEMA_OF(conf_host_tlsrpt, host_tlsrpt_fields);

#define IN conf_special_use
static const struct schema_field special_use_fields[] = {
	{ "Sent", STRING(sent), OPT, NULL, field_special_mailbox,
	    "For messages that were sent." },
	{ "Archive", STRING(archive), OPT, NULL, field_special_mailbox,
	    "For messages put away." },
	{ "Trash", STRING(trash), OPT, NULL, field_special_mailbox,
	    "For deleted messages." },
	{ "Draft", STRING(draft), OPT, NULL, field_special_mailbox,
	    "For messages not yet sent." },
	{ "Junk", STRING(junk), OPT, NULL, field_special_mailbox,
	    "For unwanted messages." },
};
#undef IN
static const struct schema special_use =
    SCHEMA_OF(conf_special_use, special_use_fields);

#define IN conf_initial_mailboxes
static const struct schema_field initial_mailboxes_fields[] = {
	{ "SpecialUse", STRUCT(special_use, conf_special_use, special_use), OPT,
	    NULL, NULL,
	    "Names of mailboxes with a special use (RFC 6154). Those without "
	    "a name are not made." },
	{ "Regular", STRINGS(regular), OPT, NULL, field_special_mailbox,
	    "Names of further mailboxes." },
};
#undef IN
static const struct schema initial_mailboxes =
    SCHEMA_OF(conf_initial_mailboxes, initial_mailboxes_fields);

/* ---- transports ---- */

#define IN conf_transport_auth
static const struct schema_field transport_auth_fields[] = {
	{ "Username", STRING(username), REQ, NULL, field_text,
	    "Name to log in with." },
	{ "Password", STRING(password), REQ, NULL, field_text,
	    "Password to log in with." },
	{ "Mechanisms", STRINGS(mechanisms), OPT,
	    "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 "
	    "CRAM-MD5",
	    field_mechanism,
	    "SASL mechanisms that may be used. The first that the server "
	    "offers as well is tried. PLAIN is used only when listed." },
};
#undef IN
static const struct schema transport_auth =
    SCHEMA_OF(conf_transport_auth, transport_auth_fields);

#define IN conf_transport_smtp
static const struct schema_field transport_smtp_fields[] = {
	{ "Host", STRING(host), REQ, NULL, field_domain_or_ip,
	    "Name or address of the server. With TLS its certificate must "
	    "be valid for it." },
	{ "Port", INT(port), OPT, NULL, field_port,
	    "Port to connect to. Default: 465 for Submissions, 587 for "
	    "Submission, 25 for SMTP." },
	{ "STARTTLSInsecureSkipVerify", BOOL(starttls_insecure_skip_verify),
	    OPT, NULL, NULL, "Accept any certificate after STARTTLS." },
	{ "NoSTARTTLS", BOOL(no_starttls), OPT, NULL, NULL,
	    "Send in plain text even where STARTTLS is offered." },
	{ "Auth", STRUCT(auth, conf_transport_auth, transport_auth), OPT, NULL,
	    NULL, "How to log in, if the server wants it." },
};
#undef IN
static const struct schema transport_smtp =
    SCHEMA_OF(conf_transport_smtp, transport_smtp_fields);

#define IN conf_transport_socks
static const struct schema_field transport_socks_fields[] = {
	{ "Address", STRING(address), REQ, NULL, field_host_port,
	    "Host and port of the SOCKS5 proxy." },
	{ "RemoteIPs", STRINGS(remote_ips), REQ, NULL, field_ip,
	    "Addresses from which the proxy connects, for SPF." },
	{ "RemoteHostname", STRING(remote_hostname), REQ, NULL, field_domain,
	    "Name that those addresses resolve to, given in EHLO." },
};
#undef IN
static const struct schema transport_socks =
    SCHEMA_OF(conf_transport_socks, transport_socks_fields);

#define IN conf_transport_direct
static const struct schema_field transport_direct_fields[] = {
	{ "DisableIPv4", BOOL(disable_ipv4), OPT, NULL, NULL,
	    "Connect to IPv6 addresses only." },
	{ "DisableIPv6", BOOL(disable_ipv6), OPT, NULL, NULL,
	    "Connect to IPv4 addresses only." },
};
#undef IN
static const struct schema transport_direct =
    SCHEMA_OF(conf_transport_direct, transport_direct_fields);

#define IN conf_transport_fail
static const struct schema_field transport_fail_fields[] = {
	{ "SMTPCode", INT(smtp_code), OPT, "554", field_smtp_code,
	    "Code of the failure, 4xx or 5xx." },
	{ "SMTPMessage", STRING(smtp_message), OPT,
	    "delivery fails by configuration of this host", field_smtp_text,
	    "Text of the failure." },
};
#undef IN
static const struct schema transport_fail =
    SCHEMA_OF(conf_transport_fail, transport_fail_fields);

#define IN conf_transport
static const struct schema_field transport_fields[] = {
	{ "Submissions",
	    STRUCT(submissions, conf_transport_smtp, transport_smtp), OPT, NULL,
	    NULL, "Submission with immediate TLS to a relay." },
	{ "Submission", STRUCT(submission, conf_transport_smtp, transport_smtp),
	    OPT, NULL, NULL,
	    "Submission, with STARTTLS if offered, to a relay." },
	{ "SMTP", STRUCT(smtp, conf_transport_smtp, transport_smtp), OPT, NULL,
	    NULL, "SMTP, with STARTTLS if offered, to a relay." },
	{ "Socks", STRUCT(socks, conf_transport_socks, transport_socks), OPT,
	    NULL, NULL, "Direct delivery through a SOCKS5 proxy." },
	{ "Direct", STRUCT(direct, conf_transport_direct, transport_direct),
	    OPT, NULL, NULL, "Direct delivery over IPv4 or IPv6 only." },
	{ "Fail", STRUCT(fail, conf_transport_fail, transport_fail), OPT, NULL,
	    NULL, "No delivery: fail at once." },
};
#undef IN
static const struct schema transport =
    SCHEMA_OF(conf_transport, transport_fields);

/* ---- limits ---- */

#define IN conf_limits
static const struct schema_field limits_fields[] = {
	{ "Connections", INT(connections), OPT, "2000", field_count,
	    "Open connections of a service. Each is a process." },
	{ "ConnectionsUnauthenticated", INT(connections_unauthenticated), OPT,
	    "500", field_count,
	    "Of those, connections for submission and IMAP on which nobody "
	    "has logged in." },
	{ "ConnectionsPerIP", INT(connections_per_ip), OPT, "30", field_count,
	    "Open connections from one IPv4 address or IPv6 /64." },
	{ "ConnectionsPerNetwork", INT(connections_per_network), OPT, "90",
	    field_count, "Open connections from one IPv4 /26 or IPv6 /48." },
	{ "ConnectionsPerLargeNetwork", INT(connections_per_large_network), OPT,
	    "270", field_count,
	    "Open connections from one IPv4 /21 or IPv6 /32." },
	{ "NewPerMinutePerIP", INT(new_per_minute_per_ip), OPT, "300",
	    field_count,
	    "New connections a minute from one IPv4 address or IPv6 /64." },
	{ "NewPerMinutePerNetwork", INT(new_per_minute_per_network), OPT, "900",
	    field_count,
	    "New connections a minute from one IPv4 /26 or IPv6 /48." },
	{ "NewPerMinutePerLargeNetwork", INT(new_per_minute_per_large_network),
	    OPT, "2700", field_count,
	    "New connections a minute from one IPv4 /21 or IPv6 /32." },
	{ "FailedLoginsPerMinute", INT(failed_logins_per_minute), OPT, "10",
	    field_count,
	    "Failed logins a minute from one address; three and nine times "
	    "as many from its network and large network." },
	{ "FailedLoginsPerDay", INT(failed_logins_per_day), OPT, "50",
	    field_count,
	    "Failed logins in 24 hours from one address, its networks as "
	    "above." },
	{ "LoopbackExempt", BOOL(loopback_exempt), OPT, NULL, NULL,
	    "Loopback addresses are held to Connections only." },
};
#undef IN
const struct schema conf_limits_schema = SCHEMA_OF(conf_limits, limits_fields);

/* ---- mox.conf ---- */

#define IN mox_conf
static const struct schema_field mox_conf_fields[] = {
	{ "DataDir", STRING(data_dir), REQ, NULL, field_text,
	    "Folder of all data: accounts with their mail, credentials, the "
	    "queue. Relative to the folder of mox.conf." },
	{ "LogLevel", STRING(log_level), REQ, NULL, field_log_level,
	    "One of error, warn, info, debug, trace, traceauth, tracedata. "
	    "Trace logs the protocol dialogue, traceauth credentials too, "
	    "tracedata messages too." },
	{ "PackageLogLevels", PAIRS(package_log_levels), OPT, NULL,
	    field_log_level,
	    "Levels of single topics, for example smtpserver, imapserver, "
	    "queue, store, spf, dkim, dmarc." },
	{ "User", STRING(user), OPT, "mox", field_text,
	    "User that services run as once they have bound their ports. A "
	    "name that is not known is taken as number of user and group." },
	{ "NoFixPermissions", BOOL(no_fix_permissions), OPT, NULL, NULL,
	    "Leave owner and mode of the folders of data and configuration "
	    "as they are at start." },
	{ "Hostname", STRING(hostname), REQ, NULL, field_domain,
	    "Full name of this host, in unicode form. Servers that connect "
	    "to it compare it with the reverse name of its addresses." },
	{ "CheckUpdates", BOOL(check_updates), OPT | LATER, NULL, NULL,
	    "Look for a new version once a day, and tell the postmaster." },
	{ "Pedantic", BOOL(pedantic), OPT, NULL, NULL,
	    "Refuse what violates a protocol though others let it pass. For "
	    "tests of clients." },
	{ "TLS", STRUCT(tls, conf_global_tls, global_tls), OPT | LATER, NULL,
	    NULL, "TLS settings of the whole host." },
	{ "ACME", MAP(acme, conf_acme, acme), OPT | LATER, NULL, field_text,
	    "Providers of certificates, by a name that the TLS settings of "
	    "listeners use." },
	{ "AdminPasswordFile", STRING(admin_password_file), OPT | LATER, NULL,
	    NULL,
	    "File with a bcrypt hash of the password for the admin pages, "
	    "relative to the folder of mox.conf." },
	{ "Listeners", MAP(listeners, conf_listener, conf_listener_schema), REQ,
	    NULL, field_text,
	    "Groups of addresses and the services on them. The one named "
	    "public is used for checks and suggestions of DNS records, and "
	    "comes first in the settings suggested to clients." },
	{ "Postmaster", STRUCT(postmaster, conf_postmaster, postmaster), REQ,
	    NULL, NULL,
	    "Where mail for postmaster is delivered: without domain, at "
	    "Hostname, at the host names of listeners with SMTP, and at each "
	    "domain that has no such address of its own." },
	{ "HostTLSRPT", STRUCT(host_tlsrpt, conf_host_tlsrpt, host_tlsrpt), OPT,
	    NULL, NULL,
	    "Where reports of others about TLS to this host are delivered." },
	{ "InitialMailboxes",
	    STRUCT(initial_mailboxes, conf_initial_mailboxes,
		initial_mailboxes),
	    OPT, NULL, NULL,
	    "Mailboxes that a new account has besides Inbox. Default: Sent, "
	    "Archive, Trash, Drafts and Junk with their special uses." },
	{ "DefaultMailboxes", STRINGS(default_mailboxes), OPT, NULL,
	    field_special_mailbox,
	    "Deprecated: InitialMailboxes without special uses." },
	{ "Transports", MAP(transports, conf_transport, transport), OPT, NULL,
	    field_text,
	    "Ways to send mail besides direct delivery, by a name that "
	    "Routes use. Each has at most one method; with none it is direct "
	    "delivery." },
	{ "NoOutgoingDMARCReports", BOOL(no_outgoing_dmarc_reports),
	    OPT | LATER, NULL, NULL, "Send no aggregate DMARC reports." },
	{ "NoOutgoingTLSReports", BOOL(no_outgoing_tls_reports), OPT | LATER,
	    NULL, NULL, "Send no TLS reports." },
	{ "OutgoingTLSReportsForAllSuccess",
	    BOOL(outgoing_tls_reports_for_all_success), OPT | LATER, NULL, NULL,
	    "Send TLS reports also when there was no failure." },
	{ "QuotaMessageSize", INT64(quota_message_size), OPT, NULL, field_size,
	    "Bytes that all messages of an account may take, unless the "
	    "account has a limit of its own. 0 is no limit." },
	{ "TextIndexSize", INT64(text_index_size), OPT, "1000000000",
	    field_index_size,
	    "Bytes that the text index of each mailbox may take; it makes "
	    "searches for words in messages fast, and takes about 1 KB a "
	    "message. Of mailboxes with more, the oldest messages are not "
	    "indexed but read. 0 is no index." },
	{ "DNS", STRUCT(dns, conf_dns, dns), OPT, NULL, NULL,
	    "How names are looked up." },
	{ "Limits", STRUCT(limits, conf_limits, conf_limits_schema), OPT, NULL,
	    NULL,
	    "What each service takes from its clients. Counted for each "
	    "service and host apart, failed logins for all services "
	    "together." },
};
#undef IN
const struct schema mox_conf_schema = SCHEMA_OF(mox_conf, mox_conf_fields);
