/*
 * lookup - who gets mail for an address, what an account is set to, which
 * addresses it may use. Answers come from data/lookup/domains.cdb, mapped.
 *
 * Reads nothing but that file, and reopens it when it was replaced: needs
 * read rights on the folder data/lookup, nothing else. One handle is used by
 * one thread. Results live in the caller's arena.
 *
 * Domains are taken in ASCII or unicode form, any case; localparts as decoded
 * by the SMTP parser (no quotes), in any Unicode form.
 */
#ifndef CONFIG_LOOKUP_H
#define CONFIG_LOOKUP_H

#include "config/config.h"

struct lookup;

/* Fails with ERR_TEMP while there is no domains.cdb. config must outlive it. */
int lookup_open(const struct config *config, struct lookup **lookup_r,
    struct err *e);
void lookup_close(struct lookup **lookup);

/*
 * Take up a new domains.cdb if there is one; looks at most once a second. Call
 * it between transactions: results before stay valid. now is monotonic time in
 * nanoseconds. A CDB that cannot be opened is logged, the old one stays.
 * True if another one was taken up.
 */
bool lookup_refresh(struct lookup *lookup, int64_t now);

enum lookup_status {
	LOOKUP_ACCOUNT,         /* delivered to account, see destination */
	LOOKUP_ALIAS,           /* expands to alias->addresses */
	LOOKUP_SMTP_ERROR,      /* the destination refuses mail: smtp_* */
	LOOKUP_UNKNOWN_USER,    /* the domain is ours, the address is not */
	LOOKUP_NOT_LOCAL,       /* not one of our domains */
	LOOKUP_DOMAIN_DISABLED, /* ours, but mail is refused for now */
};

/* Addresses that exist for reports of others. */
enum lookup_reports {
	LOOKUP_REPORTS_NONE,
	LOOKUP_REPORTS_DMARC,
	LOOKUP_REPORTS_TLS,      /* taken without TLS too (RFC 8460, 3) */
	LOOKUP_REPORTS_HOST_TLS, /* likewise */
};

struct lookup_result {
	enum lookup_status status;
	/*
	 * The one spelling of the address, domain in ASCII form: as it is in
	 * domains.conf, "@example.org" for a catchall, "postmaster" for that
	 * of the host; for unknown users what it would be. Not for NOT_LOCAL.
	 */
	struct slice address;
	struct slice domain; /* ASCII form; for lookup_domain */
	/* ACCOUNT and SMTP_ERROR: */
	struct slice account;
	const struct conf_destination *destination; /* mailbox is filled */
	enum lookup_reports reports;
	/* ALIAS: */
	const struct conf_alias *alias;
	/* SMTP_ERROR: 451 or 550, "4.3.0" or "5.1.1", and the text. */
	int smtp_code;
	const char *smtp_enhanced;
	struct slice smtp_text;
};

/*
 * Where does mail for an address go? RFC 5321, 4.5.1: "postmaster" may come
 * with an empty domain. Returns 0 and fills *result_r for every address,
 * known or not; -1 with e when domains.cdb is damaged.
 */
int lookup_address(struct lookup *lookup, struct arena *arena,
    struct slice localpart, struct slice domain, struct lookup_result *result_r,
    struct err *e);

/* The same for text "localpart@domain", perhaps quoted, as in alias members.
 * What is no address is NOT_LOCAL. */
int lookup_mailbox(struct lookup *lookup, struct arena *arena,
    struct slice address, struct lookup_result *result_r, struct err *e);

/*
 * Whose login name is it: any address of an account, with catchall and
 * separator variants, in any Unicode form. Disabled domains and SMTPError do
 * not matter, aliases and the host's postmaster are nobody's. Fills *result_r
 * with status ACCOUNT, or UNKNOWN_USER or NOT_LOCAL. Whether the account may
 * log in: login_disabled of lookup_account. 0, or -1 with e.
 */
int lookup_login(struct lookup *lookup, struct arena *arena, struct slice login,
    struct lookup_result *result_r, struct err *e);

/*
 * May this account send as address (From, MAIL FROM): an address of its own,
 * or an alias with AllowMsgFrom it is a member of. 1 yes, 0 no, -1.
 */
int lookup_may_send(struct lookup *lookup, struct slice account,
    struct slice localpart, struct slice domain, struct err *e);

/* A domain's settings (without aliases): 1, 0 not ours, -1. */
int lookup_domain(struct lookup *lookup, struct arena *arena,
    struct slice domain, const struct conf_domain **domain_r, struct err *e);

/* The global Routes of domains.conf: 1, 0 there are none, -1. */
int lookup_routes(struct lookup *lookup, struct arena *arena,
    const struct conf_routes **routes_r, struct err *e);

/* An account's settings (without destinations): 1, 0 no such, -1. */
int lookup_account(struct lookup *lookup, struct arena *arena,
    struct slice account, const struct conf_account **account_r, struct err *e);

/* The addresses of an account, each in its one spelling: 1, 0 no such
 * account, -1. */
int lookup_account_addresses(struct lookup *lookup, struct arena *arena,
    struct slice account, struct conf_strings *addresses_r, struct err *e);

/* The names of all accounts, in the order of domains.conf, one by one: start
 * with *pos 0; false at the end. */
bool lookup_next_account(struct lookup *lookup, struct arena *arena,
    unsigned *pos, struct slice *account_r);

/* Bytes of message files the account may hold; 0 for no limit. */
int64_t lookup_quota(const struct config *config,
    const struct conf_account *account);

#endif
