/*
 * mox_conf - the static configuration file, mox.conf, as C structs.
 *
 * Names follow the file; what fields mean is said in the tables of
 * mox_conf.c and listener_conf.c, printed by `mox-config describe-static`.
 * Read once at start. Defaults are filled in by the parser.
 */
#ifndef CONFIG_MOX_CONF_H
#define CONFIG_MOX_CONF_H

#include "config/schema.h"

struct conf_ca {
	struct slice name;
	bool additional_to_system;
	struct conf_strings cert_files;
};

struct conf_global_tls {
	struct slice name;
	struct conf_ca *ca;
};

struct conf_dns {
	struct slice name;
	struct conf_strings resolvers;
	struct slice trust_anchor;
	struct slice zone_file;
};

struct conf_acme_binding {
	struct slice name;
	struct slice key_id;
	struct slice key_file;
};

struct conf_acme {
	struct slice name;
	struct slice directory_url;
	int64_t renew_before;
	struct slice contact_email;
	int port;
	struct slice issuer_domain_name;
	struct conf_acme_binding *external_account_binding;
};

struct conf_key_cert {
	struct slice name;
	struct slice cert_file;
	struct slice key_file;
};

struct conf_key_certs {
	struct conf_key_cert *v;
	size_t n;
};

struct conf_tls {
	struct slice name;
	struct slice acme;
	struct conf_key_certs key_certs;
	struct slice min_version;
	struct conf_strings host_private_key_files;
	bool client_auth_disabled;
};

struct conf_smtp {
	struct slice name;
	bool enabled;
	int port;
	bool no_starttls;
	bool require_starttls;
	bool no_require_tls;
	struct conf_strings dnsbls;
	int64_t first_time_sender_delay;
	enum schema_tri tls_session_tickets_disabled;
};

/* Submission and IMAP: STARTTLS is required before login unless told not. */
struct conf_starttls_service {
	struct slice name;
	bool enabled;
	int port;
	bool no_require_starttls;
};

/* Submissions and IMAPS. */
struct conf_tls_service {
	struct slice name;
	bool enabled;
	int port;
	bool enabled_on_https;
};

struct conf_web_service {
	struct slice name;
	bool enabled;
	int port;
	struct slice path; /* starts and ends with a slash */
	bool forwarded;
};

/* MetricsHTTP, PprofHTTP. */
struct conf_internal_http {
	struct slice name;
	bool enabled;
	int port;
};

/* AutoconfigHTTPS, MTASTSHTTPS. */
struct conf_policy_https {
	struct slice name;
	bool enabled;
	int port;
	bool non_tls;
	bool forwarded;
};

struct conf_webserver {
	struct slice name;
	bool enabled;
	int port;
	bool rate_limit_disabled;
};

struct conf_listener {
	struct slice name;
	struct conf_strings ips;
	struct conf_strings nat_ips;
	bool ips_nated;
	struct slice hostname; /* empty: that of the whole host */
	struct conf_tls *tls;
	int64_t smtp_max_message_size;
	struct conf_smtp *smtp;
	struct conf_starttls_service *submission;
	struct conf_tls_service *submissions;
	struct conf_starttls_service *imap;
	struct conf_tls_service *imaps;
	struct conf_web_service *account_http, *account_https;
	struct conf_web_service *admin_http, *admin_https;
	struct conf_web_service *webmail_http, *webmail_https;
	struct conf_web_service *webapi_http, *webapi_https;
	struct conf_internal_http *metrics_http, *pprof_http;
	struct conf_policy_https *autoconfig_https, *mtasts_https;
	struct conf_webserver *webserver_http, *webserver_https;
	/* Ours: who may say with the PROXY protocol for whom it connects. */
	struct conf_strings proxy_protocol_from;
};

struct conf_acmes {
	struct conf_acme *v;
	size_t n;
};

struct conf_listeners {
	struct conf_listener *v;
	size_t n;
};

/* Postmaster; also the account and mailbox that reports go to. */
struct conf_postmaster {
	struct slice name;
	struct slice account;
	struct slice mailbox;
};

struct conf_host_tlsrpt {
	struct slice name;
	struct slice account;
	struct slice mailbox;
	struct slice localpart;
};

struct conf_special_use {
	struct slice name;
	struct slice sent, archive, trash, draft, junk;
};

struct conf_initial_mailboxes {
	struct slice name;
	struct conf_special_use *special_use;
	struct conf_strings regular;
};

struct conf_transport_auth {
	struct slice name;
	struct slice username;
	struct slice password;
	struct conf_strings mechanisms; /* never empty */
};

struct conf_transport_smtp {
	struct slice name;
	struct slice host;
	int port; /* 0: of the method, 465, 587 or 25 */
	bool starttls_insecure_skip_verify;
	bool no_starttls;
	struct conf_transport_auth *auth;
};

struct conf_transport_socks {
	struct slice name;
	struct slice address;
	struct conf_strings remote_ips;
	struct slice remote_hostname;
};

struct conf_transport_direct {
	struct slice name;
	bool disable_ipv4, disable_ipv6;
};

struct conf_transport_fail {
	struct slice name;
	int smtp_code;
	struct slice smtp_message;
};

struct conf_transport {
	struct slice name;
	struct conf_transport_smtp *submissions, *submission, *smtp;
	struct conf_transport_socks *socks;
	struct conf_transport_direct *direct;
	struct conf_transport_fail *fail;
};

struct conf_transports {
	struct conf_transport *v;
	size_t n;
};

/*
 * Ours: what one service (smtp, submission, imap, ...) takes at most. Network
 * means IPv4 /26 and IPv6 /48, large network IPv4 /21 and IPv6 /32; an address
 * is an IPv4 /32 or an IPv6 /64.
 */
struct conf_limits {
	struct slice name;
	int connections;
	int connections_unauthenticated;
	int connections_per_ip;
	int connections_per_network;
	int connections_per_large_network;
	int new_per_minute_per_ip;
	int new_per_minute_per_network;
	int new_per_minute_per_large_network;
	int failed_logins_per_minute; /* of an address; networks 3x, 9x */
	int failed_logins_per_day;
	bool loopback_exempt;
};

struct mox_conf {
	struct slice name;
	struct slice data_dir;
	struct slice log_level;
	struct conf_pairs package_log_levels;
	struct slice user;
	bool no_fix_permissions;
	struct slice hostname;
	bool check_updates;
	bool pedantic;
	struct conf_global_tls *tls;
	struct conf_acmes acme;
	struct slice admin_password_file;
	struct conf_listeners listeners;
	struct conf_postmaster *postmaster;
	struct conf_host_tlsrpt *host_tlsrpt;
	struct conf_initial_mailboxes *initial_mailboxes;
	struct conf_strings default_mailboxes;
	struct conf_transports transports;
	bool no_outgoing_dmarc_reports;
	bool no_outgoing_tls_reports;
	bool outgoing_tls_reports_for_all_success;
	int64_t quota_message_size;
	int64_t text_index_size;
	struct conf_dns *dns;
	struct conf_limits *limits; /* never NULL after config_load */
};

extern const struct schema mox_conf_schema;
extern const struct schema conf_limits_schema;

#endif
