/*
 * domains_conf - the dynamic configuration file, domains.conf, as C structs.
 *
 * Names follow the file; what fields mean is said in the tables of
 * domains_conf.c, account_conf.c and web_conf.c, printed by `mox-config
 * describe-domains`. Mail services do not read the file: they ask lookup.h.
 */
#ifndef CONFIG_DOMAINS_CONF_H
#define CONFIG_DOMAINS_CONF_H

#include "config/schema.h"

struct conf_route {
	struct slice name;
	struct conf_strings from_domain;
	struct conf_strings to_domain;
	int minimum_attempts;
	struct slice transport;
};

struct conf_routes {
	struct conf_route *v;
	size_t n;
};

struct conf_canonicalization {
	struct slice name;
	bool header_relaxed;
	bool body_relaxed;
};

struct conf_selector {
	struct slice name;
	struct slice hash;
	struct conf_canonicalization *canonicalization; /* NULL: simple both */
	struct conf_strings headers;                    /* never empty */
	bool dont_seal_headers;
	int64_t expiration;
	struct slice private_key_file;
};

struct conf_selectors {
	struct conf_selector *v;
	size_t n;
};

struct conf_dkim {
	struct slice name;
	struct conf_selectors selectors;
	struct conf_strings sign;
};

/* DMARC and TLSRPT: where reports about the domain are delivered. */
struct conf_reports {
	struct slice name;
	struct slice localpart;
	struct slice domain; /* empty: the domain itself */
	struct slice account;
	struct slice mailbox;
};

struct conf_mtasts {
	struct slice name;
	struct slice policy_id;
	struct slice mode;
	int64_t max_age;
	struct conf_strings mx;
};

struct conf_alias {
	struct slice name; /* localpart */
	struct conf_strings addresses;
	bool post_public;
	bool list_members;
	bool allow_msg_from;
};

struct conf_aliases {
	struct conf_alias *v;
	size_t n;
};

struct conf_domain {
	struct slice name;
	bool disabled;
	struct slice description;
	struct slice client_settings_domain;
	struct slice localpart_catchall_separator;
	struct conf_strings localpart_catchall_separators;
	bool localpart_case_sensitive;
	struct conf_dkim *dkim;
	struct conf_reports *dmarc;
	struct conf_mtasts *mtasts;
	struct conf_reports *tlsrpt;
	struct conf_routes routes;
	struct conf_aliases aliases;
};

struct conf_domains {
	struct conf_domain *v;
	size_t n;
};

struct conf_webhook_out {
	struct slice name;
	struct slice url;
	struct slice authorization;
	struct conf_strings events;
};

struct conf_webhook_in {
	struct slice name;
	struct slice url;
	struct slice authorization;
};

struct conf_ruleset {
	struct slice name;
	struct slice smtp_mail_from_regexp;
	struct slice msg_from_regexp;
	struct slice verified_domain;
	struct conf_pairs headers_regexp;
	bool is_forward;
	struct slice list_allow_domain;
	struct slice accept_rejects_to_mailbox;
	struct slice mailbox;
	struct slice comment;
};

struct conf_rulesets {
	struct conf_ruleset *v;
	size_t n;
};

struct conf_destination {
	struct slice name; /* address as configured; "@domain" is a catchall */
	struct slice mailbox;
	struct conf_rulesets rulesets;
	struct slice smtp_error;
	struct slice message_auth_required_smtp_error;
	struct slice full_name;
};

struct conf_destinations {
	struct conf_destination *v;
	size_t n;
};

struct conf_subject_pass {
	struct slice name;
	int64_t period;
};

struct conf_junk_flags {
	struct slice name;
	bool enabled;
	struct slice junk_mailbox_regexp;
	struct slice neutral_mailbox_regexp;
	struct slice not_junk_mailbox_regexp;
};

struct conf_junk_params {
	struct slice name;
	bool onegrams, twograms, threegrams;
	double max_power;
	int top_words;
	double ignore_words;
	int rare_words;
};

struct conf_junk_filter {
	struct slice name;
	double threshold;
	struct conf_junk_params *params;
};

struct conf_account {
	struct slice name;
	struct conf_webhook_out *outgoing_webhook;
	struct conf_webhook_in *incoming_webhook;
	struct conf_strings from_id_login_addresses;
	int64_t keep_retired_message_period;
	int64_t keep_retired_webhook_period;
	struct slice
	    login_disabled; /* not empty: refuse logins with this text */
	struct slice domain;
	struct slice description;
	struct slice full_name;
	struct conf_destinations destinations;
	struct conf_subject_pass *subject_pass;
	int64_t quota_message_size; /* 0: that of mox.conf; < 0: none */
	struct slice rejects_mailbox;
	bool keep_rejects;
	struct slice introbox;
	struct conf_junk_flags *automatic_junk_flags;
	struct conf_junk_filter *junk_filter;
	int max_outgoing_messages_per_day;
	int max_first_time_recipients_per_day;
	bool no_first_time_sender_delay;
	bool no_custom_password;
	struct conf_strings imap_capabilities_disabled;
	struct conf_routes routes;
};

struct conf_accounts {
	struct conf_account *v;
	size_t n;
};

struct conf_web_static {
	struct slice name;
	struct slice strip_prefix;
	struct slice root;
	bool list_files;
	bool continue_not_found;
	struct conf_pairs response_headers;
};

struct conf_web_redirect {
	struct slice name;
	struct slice base_url;
	struct slice orig_path_regexp;
	struct slice replace_path;
	int status_code;
};

struct conf_web_forward {
	struct slice name;
	bool strip_path;
	struct slice url;
	struct conf_pairs response_headers;
};

struct conf_web_internal {
	struct slice name;
	struct slice base_path;
	struct slice service;
};

struct conf_web_handler {
	struct slice name;
	struct slice log_name;
	struct slice domain;
	struct slice path_regexp;
	bool dont_redirect_plain_http;
	bool compress;
	struct conf_web_static *web_static;
	struct conf_web_redirect *web_redirect;
	struct conf_web_forward *web_forward;
	struct conf_web_internal *web_internal;
};

struct conf_web_handlers {
	struct conf_web_handler *v;
	size_t n;
};

struct domains_conf {
	struct slice name;
	struct conf_domains domains;
	struct conf_accounts accounts;
	struct conf_pairs web_domain_redirects;
	struct conf_web_handlers web_handlers;
	struct conf_routes routes;
	struct conf_strings monitor_dnsbls;
};

extern const struct schema domains_conf_schema;
/* Parts that stand alone in domains.cdb. */
extern const struct schema conf_domain_schema;
extern const struct schema conf_account_schema;
extern const struct schema conf_destination_schema;
extern const struct schema conf_alias_schema;

#endif
