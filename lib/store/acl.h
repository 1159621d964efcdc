/*
 * acl - who may do what with a mailbox (RFC 4314): the file dovecot-acl in its
 * folder, as Dovecot has it, and which rights follow from it.
 *
 * No file: the owner may do all, others nothing. README has the format. What
 * is shared with an account is share.h.
 */
#ifndef STORE_ACL_H
#define STORE_ACL_H

#include "base/buf.h"
#include "store/store.h"

/* Rights, bits (RFC 4314, 2.1). */
enum {
	ACL_LOOKUP = 1,    /* l */
	ACL_READ = 2,      /* r */
	ACL_SEEN = 4,      /* s */
	ACL_WRITE = 8,     /* w: flags but for \Seen and \Deleted */
	ACL_INSERT = 16,   /* i */
	ACL_POST = 32,     /* p: decides nothing here */
	ACL_CREATE = 64,   /* k */
	ACL_DELETE = 128,  /* x: the mailbox */
	ACL_TRASH = 256,   /* t: \Deleted */
	ACL_EXPUNGE = 512, /* e */
	ACL_ADMIN = 1024,  /* a */
	ACL_ALL = 2047,
};

/* The owner always has these. */
#define ACL_REQUIRED ((unsigned)(ACL_LOOKUP | ACL_ADMIN))
/* Any of these needs writing in the mailbox's folder. ACL_CREATE and ACL_DELETE
 * do not: mailboxes are folders beside each other, so who makes or removes one
 * needs the Maildir. */
#define ACL_WRITES \
	((unsigned)(ACL_SEEN | ACL_WRITE | ACL_INSERT | ACL_TRASH | \
	    ACL_EXPUNGE | ACL_ADMIN))

#define ACL_FILE "dovecot-acl"
#define ACL_ENTRIES_MAX 1000 /* of one mailbox */

enum acl_who {
	ACL_USER,          /* the account of this name */
	ACL_THE_OWNER,     /* the account whose mailbox it is */
	ACL_AUTHENTICATED, /* every account of this host */
	ACL_ANYONE,        /* the same: nobody is here without a login */
	ACL_GROUP,         /* Dovecot's; kept, matches nobody */
	ACL_GROUP_OVERRIDE,
};

struct acl_entry {
	enum acl_who who;
	bool negative;     /* these rights are taken away */
	struct slice name; /* of ACL_USER and groups */
	unsigned rights;
	struct slice other; /* rights with names of their own: kept */
};

struct acl {
	struct acl_entry *v;
	size_t n;
	/* Lines that make no sense. Then nobody but the owner has rights, for
	 * one of them may have been to take some away. */
	size_t bad;
};

/* ---- rights as text ---- */

/* "lrs" to bits; c is k and x, d is t and e (RFC 4314, 2.1.1). False if there
 * is another letter, or one in upper case. */
bool acl_rights_parse(struct slice letters, unsigned *rights_r);
/* Append them; virtual: with c and d where one of theirs is set. */
void acl_rights_format(struct buf *b, unsigned rights, bool virtual);

/* ---- the file ---- */

/* Of its text; entries are in the arena. */
void acl_parse(struct slice text, struct arena *arena, struct acl *acl_r);
void acl_format(const struct acl *acl, struct buf *b);

/* Who an entry is for, in the words of the file: "user=anna", "-anyone". */
void acl_who_format(struct buf *b, const struct acl_entry *entry);

/*
 * What account has of a mailbox of owner. Of entries for the account itself,
 * authenticated and anyone the first that is there counts, as with Dovecot; of
 * negative ones all do.
 */
unsigned acl_rights(const struct acl *acl, struct slice owner,
    struct slice account);

/* ---- mailboxes ---- */

/* The list of a mailbox, in the arena; none: n is 0. Returns 1, 0 if there is
 * no such mailbox, -1 with e set. */
int acl_read(struct store *st, struct slice mailbox, struct arena *arena,
    struct acl *acl_r, struct err *e);

/* acl_rights of a mailbox as it is now; costs a stat while nothing changes.
 * Returns 1, 0 if there is no such mailbox, -1 with e set. */
int acl_rights_of(struct store *st, struct slice mailbox, struct slice account,
    unsigned *rights_r, struct err *e);

enum acl_op {
	ACL_SET,    /* has these rights, perhaps none */
	ACL_ADD,    /* has these, too */
	ACL_REMOVE, /* has not these */
	ACL_FORGET, /* has no entry */
};

/*
 * Change the entry for whom change says, durably, and note it where the others
 * look (share.h). Of ACL_THE_OWNER the entry for the owner by name goes. Pokes
 * the owner. STORE_OK, STORE_NONEXISTENT, STORE_CANNOT with e (too many
 * entries, or the file has lines that make no sense), STORE_FAILED with e.
 */
enum store_code acl_change(struct store *st, struct slice mailbox,
    const struct acl_entry *change, enum acl_op op, struct err *e);

#endif
