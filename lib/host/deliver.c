/* deliver - into mailboxes, which are kept open. */
#include "host/deliver.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define TIDY_MS 50 /* for each mailbox; who waited has its answer */
#define OPEN_MAX 8 /* mailboxes kept open */

struct open {
	struct slice account; /* malloced */
	struct store *store;
	struct mailbox *mailbox;
	struct history *history; /* NULL until needed */
	bool used;               /* since the last deliver_tidy */
};

struct deliver {
	struct host *host;
	struct open open[OPEN_MAX];
	size_t next; /* to be replaced next */
};

struct deliver *
deliver_new(struct host *h)
{
	struct deliver *d = xcalloc(1, sizeof(*d));

	d->host = h;
	return d;
}

/* ---- kept open ---- */

static void
close_mailbox(struct open *o)
{
	mailbox_close(&o->mailbox);
	history_close(&o->history);
	store_close(&o->store);
	free((void *)o->account.p);
	memset(o, 0, sizeof(*o));
}

static struct open *
find_open(struct deliver *d, struct slice account, struct slice mailbox)
{
	for (size_t i = 0; i < OPEN_MAX; i++)
		if (d->open[i].store && slice_eq(d->open[i].account, account) &&
		    slice_eq(mailbox_name(d->open[i].mailbox), mailbox))
			return &d->open[i];
	return NULL;
}

static struct open *
free_slot(struct deliver *d)
{
	struct open *o = &d->open[d->next];

	d->next = (d->next + 1) % OPEN_MAX;
	close_mailbox(o);
	return o;
}

static int
open_or_make(struct arena *arena, struct store *store, struct slice name,
    struct mailbox **mailbox_r, struct err *e)
{
	int rc = mailbox_open(mailbox_r, store, name, e);
	enum store_code code;
	struct slice *made;
	size_t n;

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	code = store_mailbox_create(store, name, 0, arena, &made, &n, e);
	if (code != STORE_OK && code != STORE_EXISTS)
		return err_prefix(e, "making mailbox %.*s", SLICE_FMT(name));
	rc = mailbox_open(mailbox_r, store, name, e);
	return rc > 0 ? 0
	    : rc < 0
	    ? -1
	    : err_set(e, ERR_TEMP, "mailbox %.*s went away", SLICE_FMT(name));
}

static int
open_mailbox(struct deliver *d, struct arena *arena,
    const struct deliver_target *t, struct open **open_r, struct err *e)
{
	struct slice name;
	struct open *o;

	/* "inbox" of a configuration is "Inbox". */
	if (store_name_check(arena, t->mailbox, &name, e) < 0)
		return -1;
	o = find_open(d, t->account, name);
	if (o && !store_is_current(o->store)) {
		close_mailbox(o);
		o = NULL;
	}
	if (!o) {
		o = free_slot(d);
		if (host_open_store(d->host, arena, t->account, &o->store, e) <
			0 ||
		    open_or_make(arena, o->store, name, &o->mailbox, e) < 0) {
			close_mailbox(o);
			return -1;
		}
		o->account.n = t->account.n;
		o->account.p = memcpy(xmalloc(t->account.n + 1), t->account.p,
		    t->account.n);
	}
	o->used = true;
	*open_r = o;
	return 0;
}

void
deliver_tidy(struct deliver *d)
{
	for (size_t i = 0; i < OPEN_MAX; i++) {
		if (!d->open[i].used)
			continue;
		d->open[i].used = false;
		mailbox_tidy(d->open[i].mailbox, TIDY_MS);
		if (d->open[i].history)
			history_tidy(d->open[i].history);
	}
}

void
deliver_free(struct deliver **d)
{
	if (!*d)
		return;
	for (size_t i = 0; i < OPEN_MAX; i++)
		close_mailbox(&(*d)->open[i]);
	free(*d);
	*d = NULL;
}

/* ---- adding ---- */

/* A mailbox kept open may have been deleted meanwhile; then it is made anew. */
enum store_code
deliver_add(struct deliver *d, const struct deliver_target *t,
    const struct mailbox_new *message, struct delivered *delivered_r,
    struct err *e)
{
	struct arena *arena = arena_new(0); /* records are large */
	enum store_code code = STORE_NONEXISTENT;
	struct mailbox_new_result result;
	struct open *open;

	for (int i = 0; i < 2 && code == STORE_NONEXISTENT; i++) {
		if (open_mailbox(d, arena, t, &open, e) < 0) {
			code = STORE_FAILED;
			break;
		}
		code =
		    mailbox_add(open->mailbox, message, 1, arena, &result, e);
		if (code == STORE_NONEXISTENT)
			close_mailbox(open);
	}
	if (code == STORE_OK) {
		delivered_r->uid = result.uids[0];
		memcpy(delivered_r->emailid, result.emailids[0], STORE_EMAILID);
	}
	arena_free(&arena);
	return code;
}

enum store_code
deliver_check_quota(struct deliver *d, const struct deliver_target *t,
    uint64_t bytes, struct err *e)
{
	struct arena *arena = arena_new(0);
	enum store_code code = STORE_FAILED;
	struct open *open;

	if (open_mailbox(d, arena, t, &open, e) == 0)
		code = store_quota_check(open->store, bytes, e);
	arena_free(&arena);
	return code;
}

/* ---- the history ---- */

static int
open_history(struct deliver *d, struct arena *arena,
    const struct deliver_target *t, struct open **open_r, struct err *e)
{
	if (open_mailbox(d, arena, t, open_r, e) < 0)
		return -1;
	if (!(*open_r)->history)
		(*open_r)->history = history_open((*open_r)->store, e);
	return (*open_r)->history ? 0 : -1;
}

void
deliver_remember(struct deliver *d, const struct deliver_target *t,
    struct history_message *m)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct open *open;
	int rc = open_history(d, arena, t, &open, &e);

	if (rc == 0) {
		m->mailbox = mailbox_name(open->mailbox);
		rc = history_add(open->history, m, &e);
	}
	if (rc < 0)
		log_line("deliver", LOG_ERROR, "history of account",
		    LOG_S("account", t->account), LOG_E(&e));
	arena_free(&arena);
}

struct history *
deliver_history(struct deliver *d, const struct deliver_target *t,
    struct slice *mailbox_r, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct open *open;
	int rc = open_history(d, arena, t, &open, e);

	arena_free(&arena);
	if (rc < 0)
		return NULL;
	*mailbox_r = mailbox_name(open->mailbox);
	return open->history;
}
