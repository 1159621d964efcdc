/*
 * errand_serve - a process that does one errand for the session of another
 * account: what it is asked comes from there, who asks from the parent.
 */
#include "base/clock.h"
#include "base/log.h"
#include "host/login.h"
#include "imap/back.h"
#include "imap/box.h"
#include "imap/errand.h"
#include "imap/url.h"

#define TOPIC "imapserver"
#define OUT_MAX (64 << 20) /* as a session's: session.c */
/* A refusal takes so long at least, so that the time does not tell whether it
 * was the account, the mailbox or the token that was wrong. */
#define REFUSAL_MS 50

struct errand {
	struct imap_session s; /* of the owner, who is not there */
	struct slice asks;     /* the account that asks */
	struct err e;
};

/* ---- rights ---- */

/* What who asks has of a mailbox; 0: not there, or nothing. */
static unsigned
rights_of(struct errand *x, struct slice name)
{
	unsigned rights = 0;

	if (acl_rights_of(x->s.store, name, x->asks, &rights, &x->e) != 1)
		return 0;
	return rights;
}

/* A name of the owner's own mailboxes: nothing that a client sends is a path. */
static bool
is_name(struct errand *x, struct slice text, struct slice *name_r)
{
	return store_name_check(x->s.arena, text, name_r, &x->e) == 0 &&
	    !imap_is_others(*name_r);
}

static bool
exists(struct errand *x, struct slice name)
{
	unsigned rights;

	return acl_rights_of(x->s.store, name, x->asks, &rights, NULL) != 0;
}

static struct slice
parent_of(struct slice name)
{
	ssize_t slash = slice_rchr(name, '/');

	return slice_head(name, slash > 0 ? (size_t)slash : 0);
}

/*
 * May a mailbox of this name come up: "k" of the nearest one above it that is
 * there (RFC 4314, 4), and none on the first level? One that is there is only
 * told to who may know of it.
 */
static enum imap_errand_code
may_create(struct errand *x, struct slice name)
{
	struct slice above = name;

	do {
		above = parent_of(above);
		if (above.n == 0)
			return IMAP_ERRAND_NOPERM;
	} while (!exists(x, above));
	if (!(rights_of(x, above) & ACL_CREATE))
		return IMAP_ERRAND_NOPERM;
	if (!exists(x, name))
		return IMAP_ERRAND_DONE;
	return rights_of(x, name) & ACL_LOOKUP ? IMAP_ERRAND_EXISTS
					       : IMAP_ERRAND_NOPERM;
}

/* May it be removed, or renamed away: "x". */
static enum imap_errand_code
may_delete(struct errand *x, struct slice name)
{
	unsigned rights = rights_of(x, name);

	if (rights & ACL_DELETE)
		return IMAP_ERRAND_DONE;
	return rights & ACL_LOOKUP ? IMAP_ERRAND_NOPERM : IMAP_ERRAND_NOTHING;
}

/* ---- mailboxes ---- */

static enum imap_errand_code
done(enum store_code code)
{
	switch (code) {
	case STORE_OK:
		return IMAP_ERRAND_DONE;
	case STORE_EXISTS:
		return IMAP_ERRAND_EXISTS;
	case STORE_NONEXISTENT:
		return IMAP_ERRAND_NOTHING;
	case STORE_HASCHILDREN:
		return IMAP_ERRAND_HASCHILDREN;
	case STORE_CANNOT:
		return IMAP_ERRAND_CANNOT;
	case STORE_OVERQUOTA:
	case STORE_FAILED:
		break;
	}
	return IMAP_ERRAND_FAILED;
}

/* It inherits the rights of the one above it. */
static enum imap_errand_code
create(struct errand *x, const struct imap_errand *errand)
{
	struct mailbox_status status;
	enum imap_errand_code code;
	struct slice name, *made;
	size_t n;

	if (!is_name(x, errand->a, &name))
		return IMAP_ERRAND_CANNOT;
	code = may_create(x, name);
	if (code == IMAP_ERRAND_DONE)
		code = done(store_mailbox_create(x->s.store, name, 0,
		    x->s.arena, &made, &n, &x->e));
	if (code != IMAP_ERRAND_DONE)
		return code;
	if (mailbox_status(x->s.store, name, false, &status, NULL) == 1)
		buf_add(&x->s.out, slice_of(status.id, STORE_MAILBOXID));
	for (size_t i = 0; i < n; i++) {
		buf_addc(&x->s.out, '\n');
		buf_add(&x->s.out, made[i]);
	}
	return code;
}

static enum imap_errand_code
delete_it(struct errand *x, const struct imap_errand *errand)
{
	enum imap_errand_code code;
	struct slice name;

	if (!is_name(x, errand->a, &name))
		return IMAP_ERRAND_NOTHING;
	code = may_delete(x, name);
	return code == IMAP_ERRAND_DONE
	    ? done(store_mailbox_delete(x->s.store, name, &x->e))
	    : code;
}

/* RFC 4314, 4: "x" of it, and "k" where it goes, unless it stays below the same
 * one. The inbox of others would lose its messages, not its name. */
static enum imap_errand_code
rename_it(struct errand *x, const struct imap_errand *errand)
{
	enum imap_errand_code code;
	struct slice from, to;

	if (!is_name(x, errand->a, &from))
		return IMAP_ERRAND_NOTHING;
	code = may_delete(x, from);
	if (code != IMAP_ERRAND_DONE)
		return code;
	if (!is_name(x, errand->b, &to) || slice_is(from, "Inbox"))
		return IMAP_ERRAND_CANNOT;
	if (!slice_eq(parent_of(from), parent_of(to)))
		code = may_create(x, to);
	else if (exists(x, to))
		code = rights_of(x, to) & ACL_LOOKUP ? IMAP_ERRAND_EXISTS
						     : IMAP_ERRAND_NOPERM;
	return code == IMAP_ERRAND_DONE
	    ? done(store_mailbox_rename(x->s.store, from, to, &x->e))
	    : code;
}

static enum imap_errand_code
url(struct errand *x, const struct imap_errand *errand)
{
	int rc = imap_url_tell(&x->s, errand->a, errand->wants, &x->e);

	return rc < 0 ? IMAP_ERRAND_FAILED
	    : rc == 0 ? IMAP_ERRAND_NOTHING
		      : IMAP_ERRAND_DONE;
}

/* ---- the process ---- */

/* Become the account; DONE, or the answer. Nobody logs in to it: an account that
 * only has mailboxes for others may have its log-ins disabled, but then its URLs are
 * those of nobody. */
static enum imap_errand_code
become(struct errand *x, struct host *host, struct slice account,
    enum imap_errand_op op)
{
	const struct conf_account *settings;
	int rc =
	    lookup_account(host->lookup, x->s.arena, account, &settings, &x->e);

	if (rc < 0)
		return IMAP_ERRAND_FAILED;
	if (rc == 0 ||
	    (op == IMAP_ERRAND_URL && settings->login_disabled.n > 0))
		return IMAP_ERRAND_NOTHING;
	return imap_become_account(host, x->s.arena, account, &x->s, &x->e) < 0
	    ? IMAP_ERRAND_FAILED
	    : IMAP_ERRAND_DONE;
}

static enum imap_errand_code
run(struct errand *x, struct host *host, const struct service_errand *asked)
{
	static enum imap_errand_code (
		*const ops[IMAP_ERRAND_OPS])(struct errand * x,
	    const struct imap_errand *errand) = {
		[IMAP_ERRAND_URL] = url,
		[IMAP_ERRAND_CREATE] = create,
		[IMAP_ERRAND_DELETE] = delete_it,
		[IMAP_ERRAND_RENAME] = rename_it,
	};
	struct imap_errand errand;
	enum imap_errand_code code;

	if (!imap_errand_read(&errand, asked->request))
		return IMAP_ERRAND_NOTHING;
	code = become(x, host, asked->account, errand.op);
	return code == IMAP_ERRAND_DONE ? ops[errand.op](x, &errand) : code;
}

/* Refusals are all as slow, and text is only what who asks may know. */
static void
answer(struct errand *x, enum imap_errand_code code, int64_t start_ms)
{
	struct imap_errand_tail tail = { .magic = IMAP_ERRAND_MAGIC,
		.code = code };
	int64_t left = start_ms + REFUSAL_MS - clock_mono_ms(NULL);

	if (code == IMAP_ERRAND_CANNOT) {
		buf_reset(&x->s.out);
		buf_addz(&x->s.out, x->e.text);
	} else if (code == IMAP_ERRAND_FAILED)
		log_line(TOPIC, LOG_ERROR, "errand", LOG_S("account", x->asks),
		    LOG_E(&x->e));
	if (code != IMAP_ERRAND_DONE && left > 0)
		clock_sleep_ms((int)left);
	buf_add(&x->s.out, slice_of((const char *)&tail, sizeof(tail)));
	imap_flush(&x->s);
}

int
imap_errand_serve(const struct service_client *client,
    const struct service_errand *asked)
{
	struct login_back who = { .client = client };
	struct errand x = { .s = { .out = BUF_INIT(OUT_MAX) }, .e = ERR_INIT };
	struct conn *conn = conn_new(asked->fd, asked->fd);
	int64_t start_ms = clock_mono_ms(NULL);

	if (!login_back_resume(&who))
		return 1;
	x.asks = x.s.asks = who.account;
	x.s.arena = arena_new(0);
	conn_set_stop(conn, &service_stop);
	conn_set_write_ms(conn, SERVICE_ERRAND_MS);
	imap_reader_init(&x.s.in, conn);
	x.s.in.out = &x.s.out;
	answer(&x, run(&x, client->ctx, asked), start_ms);
	imap_boxes_free(&x.s);
	store_close(&x.s.store);
	imap_reader_free(&x.s.in);
	conn_free(&conn);
	buf_free(&x.s.out);
	arena_free(&x.s.arena);
	return x.s.dead;
}
