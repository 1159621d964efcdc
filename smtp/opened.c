/* opened - mailboxes kept open over the messages of a connection. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "smtp/back.h"
#include "smtp/front.h"

#define TIDY_MS 50 /* for each mailbox; the client has its answer */

void
smtp_close_mailbox(struct smtp_open *o)
{
	mailbox_close(&o->mailbox);
	store_close(&o->store);
	free((void *)o->account.p);
	memset(o, 0, sizeof(*o));
}

static struct smtp_open *
find_open(struct smtp_back *b, const struct smtp_target *t)
{
	for (size_t i = 0; i < SMTP_OPEN_MAX; i++)
		if (b->open[i].store &&
		    slice_eq(b->open[i].account, t->account) &&
		    slice_eq(mailbox_name(b->open[i].mailbox), t->mailbox))
			return &b->open[i];
	return NULL;
}

static struct smtp_open *
free_slot(struct smtp_back *b)
{
	struct smtp_open *o = &b->open[b->next_open];

	b->next_open = (b->next_open + 1) % SMTP_OPEN_MAX;
	smtp_close_mailbox(o);
	return o;
}

/* Destinations of the configuration are made when mail first comes. */
static int
open_or_make(struct smtp_back *b, struct store *store, struct slice name,
    struct mailbox **mailbox_r, struct err *e)
{
	int rc = mailbox_open(mailbox_r, store, name, e);
	enum store_code code;
	struct slice *made;
	size_t n;

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	code = store_mailbox_create(store, name, 0, b->arena, &made, &n, e);
	if (code != STORE_OK && code != STORE_EXISTS)
		return err_prefix(e, "making mailbox %.*s", SLICE_FMT(name));
	rc = mailbox_open(mailbox_r, store, name, e);
	return rc > 0 ? 0
	    : rc < 0
	    ? -1
	    : err_set(e, ERR_TEMP, "mailbox %.*s went away", SLICE_FMT(name));
}

int
smtp_open_mailbox(struct smtp_back *b, const struct smtp_target *t,
    struct smtp_open **open_r, struct err *e)
{
	struct smtp_target wanted = *t;
	struct smtp_open *o;

	/* "inbox" of a configuration is "Inbox". */
	if (store_name_check(b->arena, t->mailbox, &wanted.mailbox, e) < 0)
		return -1;
	o = find_open(b, &wanted);
	if (!o) {
		o = free_slot(b);
		if (host_open_store(b->login.host, b->arena, t->account,
			&o->store, e) < 0 ||
		    open_or_make(b, o->store, wanted.mailbox, &o->mailbox, e) <
			0) {
			smtp_close_mailbox(o);
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
smtp_tidy(struct smtp_back *b)
{
	for (size_t i = 0; i < SMTP_OPEN_MAX; i++) {
		if (!b->open[i].used)
			continue;
		b->open[i].used = false;
		mailbox_tidy(b->open[i].mailbox, TIDY_MS);
	}
}

void
smtp_close_all(struct smtp_back *b)
{
	for (size_t i = 0; i < SMTP_OPEN_MAX; i++)
		smtp_close_mailbox(&b->open[i]);
}
