/*
 * field - what single values of the configuration files must be.
 *
 * Each function fits schema_field.check: NULL, or what the value must be. The
 * first group gets a struct slice, the second the C number.
 */
#ifndef CONFIG_FIELD_H
#define CONFIG_FIELD_H

const char *field_text(const void *value);   /* not empty */
const char *field_domain(const void *value); /* unicode form, RFC 5890 */
const char *field_domain_or_ip(const void *value);
const char *field_ip(const void *value);
const char *field_resolver(const void *value);  /* IP or IP@port */
const char *field_public_ip(const void *value); /* not unspecified, loopback */
const char *field_prefix(const void *value);    /* address or CIDR prefix */
const char *field_host_port(const void *value);
const char *field_address(const void *value); /* localpart@domain */
const char *field_localpart(const void *value);
const char *field_ascii_localpart(const void *value);
const char *field_separator(const void *value);
const char *field_account(const void *value);
const char *field_mailbox(const void *value);
const char *field_mailbox_not_inbox(const void *value);
const char *field_special_mailbox(const void *value); /* nor below Inbox */
const char *field_regexp(const void *value);          /* RE2 syntax */
const char *field_path_regexp(const void *value);     /* begins with ^ */
const char *field_path(const void *value);            /* begins with / */
const char *field_base_path(const void *value);       /* ends with / as well */
const char *field_url(const void *value);             /* http or https */
const char *field_base_url(const void *value); /* scheme may be missing */
const char *field_header_name(const void *value);
const char *field_header_value(const void *value);
const char *field_log_level(const void *value);
const char *field_tls_version(const void *value);
const char *field_mechanism(const void *value);
const char *field_client_mechanism(const void *value); /* or empty */
const char *field_smtp_text(const void *value);  /* printable ASCII, <= 256 */
const char *field_smtp_error(const void *value); /* "550 text" */
const char *field_hash(const void *value);
const char *field_mtasts_id(const void *value);
const char *field_mtasts_mode(const void *value);
const char *field_mtasts_mx(const void *value);
const char *field_webhook_event(const void *value);
const char *field_web_service(const void *value);
const char *field_route_domain(const void *value);
const char *field_yes_no(const void *value); /* or empty */

const char *field_port(const void *value);          /* int */
const char *field_count(const void *value);         /* int, not negative */
const char *field_smtp_code(const void *value);     /* int, 4xx or 5xx */
const char *field_redirect_code(const void *value); /* int, 3xx */
const char *field_size(const void *value);          /* int64, positive */
const char *field_index_size(const void *value);    /* int64, 0 or 16 MB */
const char *field_period(const void *value);        /* duration, >= 0 */
const char *field_probability(const void *value);   /* double, 0 to 1 */
const char *field_half(const void *value);          /* double, 0 to 0.5 */

#endif
