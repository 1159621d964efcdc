/*
 * deliver - messages into mailboxes of this host: which ones an address leads
 * to, and adding to them, durably.
 *
 * For mox-smtpd and mox-local, so that mail is treated alike wherever it comes
 * from. Mailboxes are kept open from message to message.
 */
#ifndef HOST_DELIVER_H
#define HOST_DELIVER_H

#include "host/host.h"
#include "store/forward.h"
#include "store/history.h"
#include "store/mailbox.h"

/* ---- who ---- */

#define DELIVER_TARGETS_MAX 10000 /* mailboxes that one message goes to */

/* Where a message goes, in the end: aliases are expanded, each once. */
struct deliver_target {
	struct slice account, mailbox;
	struct slice address; /* for Delivered-To */
	struct slice member;  /* if only an alias leads there: by which name */
	bool reports;         /* it takes reports of others: never forwarded */
	struct forward forward; /* what the account wants done with its mail */
};

struct deliver_targets {
	struct deliver_target *v;
	size_t n;
};

/*
 * The mailbox that r (an account) says, by address; member as in the struct.
 * Each mailbox gets a message once, however many addresses lead to it.
 */
void deliver_target_add(struct arena *arena, struct deliver_targets *targets,
    const struct lookup_result *r, struct slice address, struct slice member);

/*
 * The members of an alias; those that are gone meanwhile are left out. 1, 0 if
 * none is left, -1 with e: ERR_LIMIT when there are too many targets.
 */
int deliver_expand(struct lookup *lookup, struct arena *arena,
    const struct conf_alias *alias, struct slice address,
    struct deliver_targets *targets, struct err *e);

/*
 * May the author of a message (From, looked up) write to this alias, whose one
 * spelling is address: whoever may write as it; else members, or everybody.
 * 1, 0, -1.
 */
int deliver_may_post(struct lookup *lookup, struct arena *arena,
    const struct conf_alias *alias, struct slice address,
    const struct lookup_result *author, struct err *e);

/* Is the message this author's own, sent back by an alias? Then it is left
 * out: who writes to a list has it already. */
bool deliver_is_own(const struct deliver_target *t,
    const struct lookup_result *author);

/*
 * Fill in forward of the targets from the first-th on. An address that leads
 * to the account itself says keep. -1 with e: ERR_SYNTAX or ERR_LIMIT for a
 * file that is wrong, with the account's name; others.
 */
int deliver_forwards(struct host *h, struct arena *arena,
    struct deliver_targets *targets, size_t first, struct err *e);
/* The address that passes on, for Delivered-To: by which mail came here. */
struct slice deliver_forwarder(const struct deliver_target *t);

/* ---- into the mailbox ---- */

struct deliver;

struct deliver *deliver_new(struct host *h);
void deliver_free(struct deliver **d);

struct delivered {
	uint32_t uid;
	char emailid[STORE_EMAILID];
};

/* Add to the mailbox of the target, which is made if it is missing (mailboxes
 * of the configuration are made when mail first comes). Durable when it
 * returns STORE_OK. */
enum store_code deliver_add(struct deliver *d, const struct deliver_target *t,
    const struct mailbox_new *message, struct delivered *delivered_r,
    struct err *e);

/*
 * Remember in the account's history what was found of a message that was
 * added; m->mailbox is set here. For when whoever waits has an answer: what
 * cannot be remembered is logged, no more.
 */
void deliver_remember(struct deliver *d, const struct deliver_target *t,
    struct history_message *m);
/* The account's history, and the target's mailbox by the name it has there;
 * until the next call of deliver_*. NULL with e. */
struct history *deliver_history(struct deliver *d,
    const struct deliver_target *t, struct slice *mailbox_r, struct err *e);

/* May so many bytes be added? STORE_OK, STORE_OVERQUOTA, STORE_FAILED. */
enum store_code deliver_check_quota(struct deliver *d,
    const struct deliver_target *t, uint64_t bytes, struct err *e);

/* Housekeeping of the mailboxes used, once whoever waits has an answer. */
void deliver_tidy(struct deliver *d);

#endif
