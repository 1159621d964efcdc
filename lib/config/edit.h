/*
 * edit - change domains.conf: accounts, addresses, domains, aliases, or any
 * field.
 *
 *	edit_begin		lock, load, check
 *	edit_account_add ...	or change edit->conf itself
 *	edit_commit		splice, check the whole, write, compile
 *
 * edit->conf is a copy of what the file says, free to be changed. Commit
 * compares it with the original and splices what differs into the text:
 * comments, order, and how all else is written stay as they are. What would
 * not load is refused and leaves the file untouched, as does a crash.
 *
 * One editor at a time: others wait for the lease data/lookup/edit.lock. A file
 * that a text editor saved meanwhile is not overwritten.
 *
 * Needs write rights on the folder of domains.conf and on data/lookup. Run by
 * root, new files get the owner of the ones they replace or stand beside.
 */
#ifndef CONFIG_EDIT_H
#define CONFIG_EDIT_H

#include "config/config.h"

struct edit {
	const struct config *config;
	struct arena *arena; /* for what is put into conf; ends with edit */
	struct domains_conf conf; /* as it shall be; change it freely */
	const struct config_domains *before; /* as it is in the file */
	struct edit_state *state;            /* edit.c's own */
};

/*
 * Wait for the lease, load and check domains.conf. 0, or -1: the problems of
 * the file are in errors, or e says why not (ERR_TEMP: locked for too long).
 * config outlives it.
 */
int edit_begin(const struct config *config, struct edit **edit_r,
    struct sconf_errors *errors, struct err *e);

/*
 * Put conf in effect: 1 written, 0 it says what the file says already, -1
 * not: the problems are in errors (with lines of the text it would have
 * become), or e says why (ERR_TEMP: changed by others meanwhile, disk full).
 * Files are synced and domains.cdb is compiled. Frees the edit in any case.
 */
int edit_commit(struct edit **edit, struct sconf_errors *errors, struct err *e);

/* Leave the file as it is. */
void edit_cancel(struct edit **edit);

/*
 * An address that something outside domains.conf depends on, such as a TLS
 * key or a queued message: removing it is refused with "ADDRESS is used by
 * WHY". Call it before the changes. What is no address is ignored.
 */
void edit_protect(struct edit *edit, struct slice address, struct slice why);

/* ---- find: NULL if there is none ---- */

struct conf_account *edit_account(struct edit *edit, struct slice name);
/* A domain in any form (xn--, upper case). */
struct conf_domain *edit_domain(struct edit *edit, struct slice name);

/*
 * The changes below return 0, or -1 with e: ERR_SYNTAX or ERR_PERM and what is
 * wrong with the request. Domains are taken in any form and written in unicode
 * form. All that is not said here is checked by edit_commit. After -1 the edit
 * can only be cancelled.
 */

/* ---- accounts ---- */

/* Lines of domains.conf that every new account begins with, before Domain and
 * Destinations: for mox-quickstart, which makes the file. */
extern const char edit_account_defaults[];

/*
 * With the defaults of a new account and one address, which nobody has; data/
 * has no folder of the name.
 */
int edit_account_add(struct edit *edit, struct slice name, struct slice address,
    struct err *e);
/* Its addresses leave aliases; refused where one is the last member. */
int edit_account_remove(struct edit *edit, struct slice name, struct err *e);
/* LoginDisabled; empty: may log in again. */
int edit_account_disable(struct edit *edit, struct slice name,
    struct slice message, struct err *e);

/* ---- addresses: localpart@domain, or @domain for a catchall ---- */

int edit_address_add(struct edit *edit, struct slice address,
    struct slice account, struct err *e);
/* It leaves aliases and FromIDLoginAddresses; refused where it is the last
 * member, protected, or the address for postmaster or reports. */
int edit_address_remove(struct edit *edit, struct slice address, struct err *e);

/* ---- domains ---- */

/*
 * With the defaults of a new domain and new DKIM keys in dkim/. account gets
 * postmaster@domain unless it is the postmaster; if it is missing it is made,
 * with the address localpart@domain (else localpart is empty).
 */
int edit_domain_add(struct edit *edit, struct slice domain, bool disabled,
    struct slice account, struct slice localpart, struct err *e);
/* Its DKIM keys move to dkim/old/ unless other domains use them. */
int edit_domain_remove(struct edit *edit, struct slice domain, struct err *e);
int edit_domain_disable(struct edit *edit, struct slice domain, bool disabled,
    struct err *e);

/* ---- aliases: localpart@domain ---- */

int edit_alias_find(struct edit *edit, struct slice address,
    struct conf_alias **alias_r, struct err *e);
/* Anyone may post to a new alias. */
int edit_alias_add(struct edit *edit, struct slice address,
    const struct slice *members, size_t n, struct err *e);
int edit_alias_remove(struct edit *edit, struct slice address, struct err *e);
int edit_alias_add_members(struct edit *edit, struct slice address,
    const struct slice *members, size_t n, struct err *e);
int edit_alias_remove_members(struct edit *edit, struct slice address,
    const struct slice *members, size_t n, struct err *e);

/* ---- any field ---- */

/*
 * Set what path names, such as { "Accounts", "anna", "FullName" }, to a value
 * as it stands in the file: what follows "Key: ", or for all but plain values
 * the lines below, without their indentation. Map entries that are missing on
 * the way are made; elements of lists are named by their number, from 0. An
 * empty value, or "nil" for an entry of a map, is the zero value.
 */
int edit_set(struct edit *edit, const struct slice *path, size_t n,
    struct slice value, struct err *e);
/* Back to the default; an entry of a map or list goes away. */
int edit_unset(struct edit *edit, const struct slice *path, size_t n,
    struct err *e);

#endif
