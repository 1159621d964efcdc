#include "config/account_conf.h"
#include "config/domains_conf.h"
#include "config/field.h"

#define OPT SCHEMA_OPTIONAL
#define REQ SCHEMA_REQUIRED
#define LATER SCHEMA_LATER

/* ---- webhooks ---- */

#define IN conf_webhook_out
static const struct schema_field webhook_out_fields[] = {
	{ "URL", STRING(url), REQ, NULL, field_url,
	    "Where events are posted to." },
	{ "Authorization", STRING(authorization), OPT, NULL, field_header_value,
	    "Value of the Authorization header, for example Basic "
	    "dXNlcjpwYXNzd29yZA==." },
	{ "Events", STRINGS(events), OPT, NULL, field_webhook_event,
	    "Events to tell: delivered, suppressed, delayed, failed, "
	    "relayed, expanded, canceled, unrecognized. Default: all." },
};
#undef IN
static const struct schema webhook_out =
    SCHEMA_OF(conf_webhook_out, webhook_out_fields);

#define IN conf_webhook_in
static const struct schema_field webhook_in_fields[] = {
	{ "URL", STRING(url), REQ, NULL, field_url,
	    "Where incoming messages are posted to." },
	{ "Authorization", STRING(authorization), OPT, NULL, field_header_value,
	    "Value of the Authorization header." },
};
#undef IN
static const struct schema webhook_in =
    SCHEMA_OF(conf_webhook_in, webhook_in_fields);

/* ---- destinations ---- */

#define IN conf_ruleset
static const struct schema_field ruleset_fields[] = {
	{ "SMTPMailFromRegexp", STRING(smtp_mail_from_regexp), OPT, NULL,
	    field_regexp,
	    "Matches the address in MAIL FROM. All regular expressions are "
	    "in the syntax of RE2 and match anywhere unless anchored." },
	{ "MsgFromRegexp", STRING(msg_from_regexp), OPT, NULL, field_regexp,
	    "Matches the address in the From header." },
	{ "VerifiedDomain", STRING(verified_domain), OPT, NULL, field_domain,
	    "Matches if SPF or DKIM verified this domain or one below it." },
	{ "HeadersRegexp", PAIRS(headers_regexp), OPT, NULL, field_regexp,
	    "Matches if for each entry there is a header whose name and "
	    "value match, both in lower case, the value without blanks "
	    "around it." },
	{ "IsForward", BOOL(is_forward), OPT, NULL, NULL,
	    "Messages that match were forwarded by a host that the sender "
	    "does not know: its policies do not count. Needs "
	    "SMTPMailFromRegexp and VerifiedDomain." },
	{ "ListAllowDomain", STRING(list_allow_domain), OPT, NULL, field_domain,
	    "Accept without further checks if this domain is verified. For "
	    "mailing lists." },
	{ "AcceptRejectsToMailbox", STRING(accept_rejects_to_mailbox), OPT,
	    NULL, field_mailbox_not_inbox,
	    "Deliver messages that would be refused to this mailbox. For "
	    "senders who cannot deal with refusals." },
	{ "Mailbox", STRING(mailbox), REQ, NULL, field_mailbox,
	    "Mailbox to deliver to." },
	{ "Comment", STRING(comment), OPT, NULL, NULL, "For people only." },
};
#undef IN
static const struct schema ruleset = SCHEMA_OF(conf_ruleset, ruleset_fields);

#define IN conf_destination
static const struct schema_field destination_fields[] = {
	{ "Mailbox", STRING(mailbox), OPT, "Inbox", field_mailbox,
	    "Mailbox to deliver to if no ruleset matches." },
	{ "Rulesets", LIST(rulesets, conf_ruleset, ruleset), OPT | LATER, NULL,
	    NULL,
	    "Where to deliver certain messages. The first whose conditions "
	    "all match counts; each needs at least one condition." },
	{ "SMTPError", STRING(smtp_error), OPT, NULL, field_smtp_error,
	    "Refuse mail for this address: 421 or 550, and optionally a "
	    "text. 421 tells senders to try again later." },
	{ "MessageAuthRequiredSMTPError",
	    STRING(message_auth_required_smtp_error), OPT, NULL,
	    field_smtp_text,
	    "Refuse messages to this address, with this text, whose From "
	    "domain neither SPF nor DKIM confirms. Mail that comes by way of "
	    "an alias, or from users of this host, is taken." },
	{ "FullName", STRING(full_name), OPT | LATER, NULL, NULL,
	    "Name for From when sending from this address. Default: that of "
	    "the account." },
};
#undef IN
const struct schema conf_destination_schema =
    SCHEMA_OF(conf_destination, destination_fields);

/* ---- junk ---- */

#define IN conf_subject_pass
static const struct schema_field subject_pass_fields[] = {
	{ "Period", DURATION(period), REQ, NULL, field_period,
	    "How long such a token is good, for example 12h. 0 is off." },
};
#undef IN
static const struct schema subject_pass =
    SCHEMA_OF(conf_subject_pass, subject_pass_fields);

#define IN conf_junk_flags
static const struct schema_field junk_flags_fields[] = {
	{ "Enabled", BOOL(enabled), REQ, NULL, NULL,
	    "Whether flags are set as messages are moved." },
	{ "JunkMailboxRegexp", STRING(junk_mailbox_regexp), OPT, NULL,
	    field_regexp,
	    "Mailboxes, in lower case, whose messages are junk, for example "
	    "^(junk|spam)." },
	{ "NeutralMailboxRegexp", STRING(neutral_mailbox_regexp), OPT, NULL,
	    field_regexp,
	    "Mailboxes whose messages are neither, for example "
	    "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects)." },
	{ "NotJunkMailboxRegexp", STRING(not_junk_mailbox_regexp), OPT, NULL,
	    field_regexp,
	    "Mailboxes whose messages are not junk. If exactly one of the "
	    "three expressions is missing it stands for all other "
	    "mailboxes." },
};
#undef IN
static const struct schema junk_flags =
    SCHEMA_OF(conf_junk_flags, junk_flags_fields);

#define IN conf_junk_params
static const struct schema_field junk_params_fields[] = {
	{ "Onegrams", BOOL(onegrams), OPT, NULL, NULL,
	    "Take single words into account." },
	{ "Twograms", BOOL(twograms), OPT, NULL, NULL,
	    "Take pairs of words into account." },
	{ "Threegrams", BOOL(threegrams), OPT, NULL, NULL,
	    "Take triplets of words into account." },
	{ "MaxPower", FLOAT(max_power), REQ, NULL, field_half,
	    "How close to 0 or 1 the probability of one word may get, 0 to "
	    "0.5. For example 0.01." },
	{ "TopWords", INT(top_words), REQ, NULL, field_count,
	    "How many of the most telling words count on each side, for "
	    "example 10." },
	{ "IgnoreWords", FLOAT(ignore_words), OPT, NULL, field_half,
	    "Words whose probability is this close to 0.5 do not count, 0 "
	    "to 0.5. For example 0.1." },
	{ "RareWords", INT(rare_words), OPT, NULL, field_count,
	    "Words seen at most so often count less, for example 2." },
};
#undef IN
static const struct schema junk_params =
    SCHEMA_OF(conf_junk_params, junk_params_fields);

#define IN conf_junk_filter
static const struct schema_field junk_filter_fields[] = {
	{ "Threshold", FLOAT(threshold), REQ, NULL, field_probability,
	    "Probability from which on a message is junk, for example "
	    "0.95." },
	{ "Params", STRUCT(params, conf_junk_params, junk_params), REQ, NULL,
	    NULL, "How messages are taken apart and judged." },
};
#undef IN
static const struct schema junk_filter =
    SCHEMA_OF(conf_junk_filter, junk_filter_fields);

/* ---- account ---- */

#define IN conf_account
static const struct schema_field account_fields[] = {
	{ "OutgoingWebhook",
	    STRUCT(outgoing_webhook, conf_webhook_out, webhook_out),
	    OPT | LATER, NULL, NULL,
	    "HTTP calls about the delivery of messages sent." },
	{ "IncomingWebhook",
	    STRUCT(incoming_webhook, conf_webhook_in, webhook_in), OPT | LATER,
	    NULL, NULL, "HTTP calls for messages received." },
	{ "FromIDLoginAddresses", STRINGS(from_id_login_addresses), OPT | LATER,
	    NULL, field_address,
	    "Login addresses for which each message sent gets a MAIL FROM of "
	    "its own, so that bounces can be told apart. The domain needs a "
	    "separator." },
	{ "KeepRetiredMessagePeriod", DURATION(keep_retired_message_period),
	    OPT | LATER, NULL, field_period,
	    "How long messages are kept in the queue after delivery." },
	{ "KeepRetiredWebhookPeriod", DURATION(keep_retired_webhook_period),
	    OPT | LATER, NULL, field_period,
	    "How long webhooks are kept in the queue after the call." },
	{ "LoginDisabled", STRING(login_disabled), OPT, NULL, field_smtp_text,
	    "If not empty, logins are refused with this text. Mail is still "
	    "delivered." },
	{ "Domain", STRING(domain), REQ, NULL, field_domain,
	    "Default domain of the account." },
	{ "Description", STRING(description), OPT, NULL, NULL,
	    "For people only." },
	{ "FullName", STRING(full_name), OPT | LATER, NULL, NULL,
	    "Name for From when sending." },
	{ "Destinations",
	    MAP(destinations, conf_destination, conf_destination_schema), OPT,
	    NULL, field_text,
	    "Addresses of the account. @example.org stands for all addresses "
	    "of the domain that nobody else has. A localpart alone is "
	    "deprecated and taken as being in Domain." },
	{ "SubjectPass", STRUCT(subject_pass, conf_subject_pass, subject_pass),
	    OPT | LATER, NULL, NULL,
	    "Refusals of junk-like messages name a token; a sender who "
	    "repeats the message with it in the subject is let in." },
	{ "QuotaMessageSize", INT64(quota_message_size), OPT, NULL, NULL,
	    "Bytes that all messages may take. 0: as in mox.conf. Negative: "
	    "no limit." },
	{ "RejectsMailbox", STRING(rejects_mailbox), OPT | LATER, NULL,
	    field_mailbox_not_inbox,
	    "Mailbox that keeps refused messages for a while, for example "
	    "Rejects." },
	{ "KeepRejects", BOOL(keep_rejects), OPT | LATER, NULL, NULL,
	    "Never remove messages from RejectsMailbox." },
	{ "Introbox", STRING(introbox), OPT | LATER, NULL,
	    field_mailbox_not_inbox,
	    "Mailbox for messages bound for Inbox from addresses that never "
	    "wrote before." },
	{ "AutomaticJunkFlags",
	    STRUCT(automatic_junk_flags, conf_junk_flags, junk_flags),
	    OPT | LATER, NULL, NULL,
	    "Messages are flagged as junk or not junk by the mailbox they "
	    "are put in, which trains the junk filter." },
	{ "JunkFilter", STRUCT(junk_filter, conf_junk_filter, junk_filter),
	    OPT | LATER, NULL, NULL,
	    "Filter that learns from the junk flags of messages." },
	{ "MaxOutgoingMessagesPerDay", INT(max_outgoing_messages_per_day),
	    OPT | LATER, "1000", field_count,
	    "Messages that may be sent in 24 hours, counted by recipient." },
	{ "MaxFirstTimeRecipientsPerDay",
	    INT(max_first_time_recipients_per_day), OPT | LATER, "200",
	    field_count, "Recipients never written to before, in 24 hours." },
	{ "NoFirstTimeSenderDelay", BOOL(no_first_time_sender_delay),
	    OPT | LATER, NULL, NULL,
	    "Do not let unknown senders wait, whatever the listener says." },
	{ "NoCustomPassword", BOOL(no_custom_password), OPT | LATER, NULL, NULL,
	    "The user can only have passwords made at random." },
	{ "IMAPCapabilitiesDisabled", STRINGS(imap_capabilities_disabled), OPT,
	    NULL, field_text,
	    "IMAP capabilities not told after login, for programs that "
	    "stumble over them." },
	{ "Routes", LIST(routes, conf_route, conf_route_schema), OPT, NULL,
	    NULL,
	    "Routes for mail of this account, tried before those of the "
	    "domain." },
};
#undef IN
const struct schema conf_account_schema =
    SCHEMA_OF(conf_account, account_fields);
