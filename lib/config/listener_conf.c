#include "config/field.h"
#include "config/listener_conf.h"
#include "config/mox_conf.h"

#define OPT SCHEMA_OPTIONAL
#define REQ SCHEMA_REQUIRED
#define LATER SCHEMA_LATER

/* Ports are part of tables, so services alike but for the port need two. */

#define ENABLED \
	{ \
		"Enabled", BOOL(enabled), REQ, NULL, NULL, \
		    "Whether the service is offered." \
	}
#define PORT(number) \
	{ \
		"Port", INT(port), OPT, number, field_port, \
		    "Port to listen on." \
	}

/* ---- TLS ---- */

#define IN conf_key_cert
static const struct schema_field key_cert_fields[] = {
	{ "CertFile", STRING(cert_file), REQ, NULL, field_text,
	    "PEM file with the certificate, followed by intermediate ones." },
	{ "KeyFile", STRING(key_file), REQ, NULL, field_text,
	    "PEM file with the private key. It may be readable by root "
	    "only." },
};
#undef IN
static const struct schema key_cert = SCHEMA_OF(conf_key_cert, key_cert_fields);

#define IN conf_tls
static const struct schema_field tls_fields[] = {
	{ "ACME", STRING(acme), OPT | LATER, NULL, NULL,
	    "Name of an ACME provider of mox.conf to get certificates from. "
	    "Either this or KeyCerts must be set." },
	{ "KeyCerts", LIST(key_certs, conf_key_cert, key_cert), OPT, NULL, NULL,
	    "Certificates with their keys. A client gets the one for the "
	    "name it asks for. They are read again when the files change." },
	{ "MinVersion", STRING(min_version), OPT, "TLSv1.2", field_tls_version,
	    "Lowest version of TLS spoken: TLSv1.0, TLSv1.1, TLSv1.2 or "
	    "TLSv1.3." },
	{ "HostPrivateKeyFiles", STRINGS(host_private_key_files), OPT | LATER,
	    NULL, field_text,
	    "PEM files with private keys (PKCS8, PKCS1 or EC) for "
	    "certificates of this host that ACME gets. Lasting keys, one RSA "
	    "of 2048 bits and one ECDSA P-256, allow DANE records that stay "
	    "valid." },
	{ "ClientAuthDisabled", BOOL(client_auth_disabled), OPT, NULL, NULL,
	    "Do not ask clients for certificates. Some mail programs cannot "
	    "cope with the question." },
};
#undef IN
static const struct schema tls = SCHEMA_OF(conf_tls, tls_fields);

/* ---- mail services ---- */

#define IN conf_smtp
static const struct schema_field smtp_fields[] = {
	ENABLED,
	PORT("25"),
	{ "NoSTARTTLS", BOOL(no_starttls), OPT, NULL, NULL,
	    "Do not offer STARTTLS." },
	{ "RequireSTARTTLS", BOOL(require_starttls), OPT, NULL, NULL,
	    "Refuse mail that comes without TLS, except for addresses that "
	    "get TLS reports. Not every server on the internet has TLS." },
	{ "NoRequireTLS", BOOL(no_require_tls), OPT, NULL, NULL,
	    "Do not announce REQUIRETLS (RFC 8689)." },
	{ "DNSBLs", STRINGS(dnsbls), OPT | LATER, NULL, field_domain,
	    "Block lists to ask about the sender's address when nothing else "
	    "is known about it." },
	{ "FirstTimeSenderDelay", DURATION(first_time_sender_delay),
	    OPT | LATER, "15s", field_period,
	    "Wait before accepting mail of a sender of whom nothing is "
	    "known." },
	{ "TLSSessionTicketsDisabled", TRI(tls_session_tickets_disabled), OPT,
	    NULL, NULL,
	    "Whether TLS session tickets are left out. Default: true, since "
	    "some large senders fail with them." },
};
#undef IN
static const struct schema smtp = SCHEMA_OF(conf_smtp, smtp_fields);

#define IN conf_starttls_service
#define NO_REQUIRE_STARTTLS \
	{ \
		"NoRequireSTARTTLS", BOOL(no_require_starttls), OPT, NULL, \
		    NULL, \
		    "Allow login without TLS. Passwords may be read on the way." \
	}
static const struct schema_field submission_fields[] = {
	ENABLED,
	PORT("587"),
	NO_REQUIRE_STARTTLS,
};
static const struct schema_field imap_fields[] = {
	ENABLED,
	PORT("143"),
	NO_REQUIRE_STARTTLS,
};
#undef IN
static const struct schema submission =
    SCHEMA_OF(conf_starttls_service, submission_fields);
static const struct schema imap = SCHEMA_OF(conf_starttls_service, imap_fields);

#define IN conf_tls_service
#define ENABLED_ON_HTTPS(name) \
	{ \
		"EnabledOnHTTPS", BOOL(enabled_on_https), OPT | LATER, NULL, \
		    NULL, \
		    "Serve it also on port 443, to clients that ask for protocol " name \
		    " by ALPN." \
	}
static const struct schema_field submissions_fields[] = {
	ENABLED,
	PORT("465"),
	ENABLED_ON_HTTPS("smtp"),
};
static const struct schema_field imaps_fields[] = {
	ENABLED,
	PORT("993"),
	ENABLED_ON_HTTPS("imap"),
};
#undef IN
static const struct schema submissions =
    SCHEMA_OF(conf_tls_service, submissions_fields);
static const struct schema imaps = SCHEMA_OF(conf_tls_service, imaps_fields);

/* ---- web services ---- */

#define IN conf_web_service
#define WEB_SERVICE(name, number, where) \
	static const struct schema_field name##_fields[] = { \
		ENABLED, \
		PORT(number), \
		{ "Path", STRING(path), OPT, where, field_path, \
		    "Path it is served at." }, \
		{ "Forwarded", BOOL(forwarded), OPT, NULL, NULL, \
		    "Requests come through a reverse proxy: take the " \
		    "client's address and whether it uses TLS from the " \
		    "X-Forwarded headers." }, \
	}; \
	static const struct schema name = \
	    SCHEMA_OF(conf_web_service, name##_fields)
WEB_SERVICE(account_http, "80", "/");
WEB_SERVICE(account_https, "443", "/");
WEB_SERVICE(admin_http, "80", "/admin/");
WEB_SERVICE(admin_https, "443", "/admin/");
WEB_SERVICE(webmail_http, "80", "/webmail/");
WEB_SERVICE(webmail_https, "443", "/webmail/");
WEB_SERVICE(webapi_http, "80", "/webapi/");
WEB_SERVICE(webapi_https, "443", "/webapi/");
#undef IN

#define IN conf_internal_http
static const struct schema_field metrics_http_fields[] = {
	ENABLED,
	PORT("8010"),
};
static const struct schema_field pprof_http_fields[] = {
	ENABLED,
	PORT("8011"),
};
#undef IN
static const struct schema metrics_http =
    SCHEMA_OF(conf_internal_http, metrics_http_fields);
static const struct schema pprof_http =
    SCHEMA_OF(conf_internal_http, pprof_http_fields);

#define IN conf_policy_https
static const struct schema_field policy_https_fields[] = {
	ENABLED,
	PORT("443"),
	{ "NonTLS", BOOL(non_tls), OPT, NULL, NULL,
	    "Serve plain HTTP, for a reverse proxy that does TLS." },
	{ "Forwarded", BOOL(forwarded), OPT, NULL, NULL,
	    "Requests come through a reverse proxy: take the client's "
	    "address from the X-Forwarded headers." },
};
#undef IN
static const struct schema policy_https =
    SCHEMA_OF(conf_policy_https, policy_https_fields);

#define IN conf_webserver
#define RATE_LIMIT_DISABLED \
	{ \
		"RateLimitDisabled", BOOL(rate_limit_disabled), OPT, NULL, \
		    NULL, "Do not limit how fast a client may connect." \
	}
static const struct schema_field webserver_http_fields[] = {
	ENABLED,
	PORT("80"),
	RATE_LIMIT_DISABLED,
};
static const struct schema_field webserver_https_fields[] = {
	ENABLED,
	PORT("443"),
	RATE_LIMIT_DISABLED,
};
#undef IN
static const struct schema webserver_http =
    SCHEMA_OF(conf_webserver, webserver_http_fields);
static const struct schema webserver_https =
    SCHEMA_OF(conf_webserver, webserver_https_fields);

/* ---- listener ---- */

#define IN conf_listener
static const struct schema_field listener_fields[] = {
	{ "IPs", STRINGS(ips), REQ, NULL, field_ip,
	    "Addresses to listen on. 0.0.0.0 and :: stand for all." },
	{ "NATIPs", STRINGS(nat_ips), OPT | LATER, NULL, field_public_ip,
	    "Public addresses that are forwarded to IPs, if those are "
	    "private. Used in checks and suggestions of DNS records." },
	{ "IPsNATed", BOOL(ips_nated), OPT | LATER, NULL, NULL,
	    "Deprecated: skip checks of addresses. Set NATIPs instead." },
	{ "Hostname", STRING(hostname), OPT, NULL, field_domain,
	    "Name to greet clients with, if not that of the host." },
	{ "TLS", STRUCT(tls, conf_tls, tls), OPT, NULL, NULL,
	    "Certificates for services with TLS or STARTTLS." },
	{ "SMTPMaxMessageSize", INT64(smtp_max_message_size), OPT, "104857600",
	    field_size,
	    "Bytes of the largest message taken, incoming or submitted." },
	{ "SMTP", STRUCT(smtp, conf_smtp, smtp), OPT, NULL, NULL,
	    "Mail from other servers." },
	{ "Submission", STRUCT(submission, conf_starttls_service, submission),
	    OPT, NULL, NULL, "Mail of our own users, with STARTTLS." },
	{ "Submissions", STRUCT(submissions, conf_tls_service, submissions),
	    OPT, NULL, NULL, "Mail of our own users, with immediate TLS." },
	{ "IMAP", STRUCT(imap, conf_starttls_service, imap), OPT, NULL, NULL,
	    "Reading of mail, with STARTTLS." },
	{ "IMAPS", STRUCT(imaps, conf_tls_service, imaps), OPT, NULL, NULL,
	    "Reading of mail, with immediate TLS." },
	{ "AccountHTTP", STRUCT(account_http, conf_web_service, account_http),
	    OPT | LATER, NULL, NULL,
	    "Pages where users change their settings." },
	{ "AccountHTTPS",
	    STRUCT(account_https, conf_web_service, account_https), OPT | LATER,
	    NULL, NULL, "The same with TLS." },
	{ "AdminHTTP", STRUCT(admin_http, conf_web_service, admin_http),
	    OPT | LATER, NULL, NULL,
	    "Pages of the administrator. Best on an internal address "
	    "only." },
	{ "AdminHTTPS", STRUCT(admin_https, conf_web_service, admin_https),
	    OPT | LATER, NULL, NULL, "The same with TLS." },
	{ "WebmailHTTP", STRUCT(webmail_http, conf_web_service, webmail_http),
	    OPT | LATER, NULL, NULL, "Mail in the browser." },
	{ "WebmailHTTPS",
	    STRUCT(webmail_https, conf_web_service, webmail_https), OPT | LATER,
	    NULL, NULL, "The same with TLS." },
	{ "WebAPIHTTP", STRUCT(webapi_http, conf_web_service, webapi_http),
	    OPT | LATER, NULL, NULL,
	    "Interface for programs that send and receive mail." },
	{ "WebAPIHTTPS", STRUCT(webapi_https, conf_web_service, webapi_https),
	    OPT | LATER, NULL, NULL, "The same with TLS." },
	{ "MetricsHTTP", STRUCT(metrics_http, conf_internal_http, metrics_http),
	    OPT | LATER, NULL, NULL, "Counters for Prometheus." },
	{ "PprofHTTP", STRUCT(pprof_http, conf_internal_http, pprof_http),
	    OPT | LATER, NULL, NULL,
	    "Profiles of running processes, for debugging." },
	{ "AutoconfigHTTPS",
	    STRUCT(autoconfig_https, conf_policy_https, policy_https),
	    OPT | LATER, NULL, NULL,
	    "Settings for mail programs, found by themselves." },
	{ "MTASTSHTTPS", STRUCT(mtasts_https, conf_policy_https, policy_https),
	    OPT | LATER, NULL, NULL,
	    "MTA-STS policies of the domains: others then send to us with "
	    "verified TLS only." },
	{ "WebserverHTTP",
	    STRUCT(webserver_http, conf_webserver, webserver_http), OPT | LATER,
	    NULL, NULL, "The web server of WebHandlers in domains.conf." },
	{ "WebserverHTTPS",
	    STRUCT(webserver_https, conf_webserver, webserver_https),
	    OPT | LATER, NULL, NULL, "The same with TLS." },
	{ "ProxyProtocolFrom", STRINGS(proxy_protocol_from), OPT, NULL,
	    field_prefix,
	    "Addresses or prefixes (10.0.0.0/8) of proxies in front of the "
	    "mail services. Connections from them must begin with a PROXY "
	    "protocol header, version 1 or 2, and count as coming from the "
	    "address it names. Not in mox." },
};
#undef IN
const struct schema conf_listener_schema =
    SCHEMA_OF(conf_listener, listener_fields);
