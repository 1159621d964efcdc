/* local_send - items into mailboxes of this host. */
#include "base/log.h"
#include "host/special.h"
#include "message/compose.h"
#include "message/record.h"
#include "message/smtpaddr.h"
#include "queue/local.h"

#define HOPS_MAX 100 /* Received fields: more is a loop (RFC 5321, 6.3) */

/* The message of the group. */
struct message {
	struct spool *spool;
	struct buf record;
	struct lookup_result author; /* who has From */
	/* Mailboxes that have it: each gets it once, however many of the
	 * recipients lead there. */
	struct deliver_targets done;
};

struct outcome {
	const char *word; /* of the line in the item */
	struct slice text;
};

/* In the order of an SMTP reply; what may be tried again is delayed. */
static struct outcome
reply(struct local *l, int code, const char *enhanced, const char *text)
{
	return (struct outcome){ code < 300 ? "delivered"
		    : code < 500            ? "delayed"
					    : "failed",
		arena_printf(l->group.arena, "%d %s %s", code, enhanced,
		    text) };
}

/* ---- the message ---- */

/* Read it and have it parsed. word NULL in *o_r: go on. -1: no parser. */
static int
load(struct local *l, const struct group_item *items, size_t n,
    struct message *m, struct outcome *o_r, struct err *e)
{
	struct local_reader *r = NULL;
	struct err why = ERR_INIT;
	struct slice piece;
	int rc = local_reader_open(l, items, n, &r, &why);

	*o_r = (struct outcome){ NULL, SLICE_NULL };
	if (rc == 0)
		*o_r = reply(l, 554, "5.3.0", "its file in the queue is gone");
	m->spool = spool_new(&l->host.env, 0);
	while (rc > 0 && (rc = local_read(r, &piece, &why)) > 0)
		if (spool_add(m->spool, piece, &why) < 0)
			rc = -1;
	local_reader_close(&r);
	if (rc == 0 && !o_r->word)
		rc = spool_end(m->spool, &why);
	if (rc < 0 || o_r->word)
		log_line(QUEUE_TOPIC, LOG_ERROR, "no message",
		    LOG_S("item", items[0].name), LOG_E(&why));
	if (rc < 0)
		*o_r = reply(l, 451, "4.3.0", "cannot be read now");
	return o_r->word ? 0 : local_parse(l, m->spool, &m->record, e);
}

static void
look_at(struct local *l, struct message *m, struct outcome *o_r)
{
	struct slice record = buf_slice(&m->record);

	if (msgrec_received(record) > HOPS_MAX)
		*o_r = reply(l, 554, "5.4.6", "mail loop");
	else if (lookup_address(l->host.lookup, l->group.arena,
		     msgrec_text(record, MSGREC_FROM_LOCAL),
		     msgrec_text(record, MSGREC_FROM_DOMAIN), &m->author,
		     NULL) < 0)
		*o_r = reply(l, 451, "4.3.0", "addresses cannot be looked up");
}

/* ---- where it goes ---- */

/* word NULL: targets_r says. */
static struct outcome
route_alias(struct local *l, const struct message *m,
    const struct lookup_result *r, struct slice address,
    struct deliver_targets *targets)
{
	struct lookup *lookup = l->host.lookup;
	struct err e = ERR_INIT;
	int rc = deliver_may_post(lookup, l->group.arena, r->alias, r->address,
	    &m->author, &e);

	if (rc == 0)
		return reply(l, 550, "5.7.2",
		    "not allowed to post to this address");
	if (rc > 0)
		rc = deliver_expand(lookup, l->group.arena, r->alias, address,
		    targets, &e);
	if (rc == 0)
		return reply(l, 451, "4.3.0", "alias has no members now");
	if (rc < 0)
		return reply(l, 451, "4.3.0", e.text);
	return (struct outcome){ NULL, SLICE_NULL };
}

/* localserve: mail to anybody is for its only account. */
static int
look_up(struct local *l, const struct smtpaddr *to, struct lookup_result *r,
    struct err *e)
{
	if (lookup_address(l->host.lookup, l->group.arena, to->local,
		to->domain, r, e) < 0)
		return -1;
	if (l->localserve &&
	    (r->status == LOOKUP_UNKNOWN_USER || r->status == LOOKUP_NOT_LOCAL))
		return lookup_address(l->host.lookup, l->group.arena,
		    SLICE("mox"), SLICE("localhost"), r, e);
	return 0;
}

static struct outcome
route(struct local *l, const struct message *m, const struct smtpaddr *to,
    struct slice address, struct deliver_targets *targets)
{
	struct err e = ERR_INIT;
	struct lookup_result r;

	if (look_up(l, to, &r, &e) < 0)
		return reply(l, 451, "4.3.0", e.text);
	switch (r.status) {
	case LOOKUP_ACCOUNT:
		deliver_target_add(l->group.arena, targets, &r, address,
		    SLICE_NULL);
		return (struct outcome){ NULL, SLICE_NULL };
	case LOOKUP_ALIAS:
		return route_alias(l, m, &r, address, targets);
	case LOOKUP_SMTP_ERROR:
		return reply(l, r.smtp_code, r.smtp_enhanced,
		    arena_cstr(l->group.arena, r.smtp_text));
	case LOOKUP_DOMAIN_DISABLED:
		return reply(l, 450, "4.2.1", "domain is disabled for now");
	case LOOKUP_UNKNOWN_USER:
		return reply(l, 550, "5.1.1", "no such user");
	case LOOKUP_NOT_LOCAL:
		break;
	}
	/* It was when it was routed: the configuration has changed. */
	return reply(l, 451, "4.4.4", "no domain of this host any more");
}

/* localserve: addresses that fail on purpose, as in all SMTP commands. */
static struct outcome
special(struct local *l, const struct group_item *item,
    const struct smtpaddr *to)
{
	struct slice from = item->it.m.from;
	struct slice local =
	    slice_head(from, (size_t)(slice_rchr(from, '@') + 1));
	const char *enhanced = "";
	int code;

	if (!l->localserve)
		return (struct outcome){ NULL, SLICE_NULL };
	local.n -= local.n > 0;
	code = special_code(SPECIAL_MAIL, local, &enhanced);
	if (!code)
		code = special_code(SPECIAL_RCPT, to->local, &enhanced);
	if (!code)
		code = special_code(SPECIAL_DELIVER, to->local, &enhanced);
	return code ? reply(l, code, enhanced, "as you wish")
		    : (struct outcome){ NULL, SLICE_NULL };
}

/* ---- delivery ---- */

static void
prefix(const struct group_item *item, const struct deliver_target *t,
    struct buf *out)
{
	compose_delivered_to(out, t->address);
	compose_return_path(out, item->it.m.from);
}

static bool
is_done(const struct message *m, const struct deliver_target *t)
{
	for (size_t i = 0; i < m->done.n; i++)
		if (slice_eq(m->done.v[i].account, t->account) &&
		    slice_eq(m->done.v[i].mailbox, t->mailbox))
			return true;
	return false;
}

static void
set_done(struct local *l, struct message *m, const struct deliver_target *t)
{
	struct deliver_targets *done = &m->done;
	size_t n = done->n;

	if ((n & (n - 1)) == 0)
		done->v = arena_grow(l->group.arena, done->v, n, n ? 2 * n : 1,
		    sizeof(*done->v));
	done->v[done->n++] = *t;
}

/* What an account forwards is in the queue before it counts as delivered. */
static struct outcome
forward(struct local *l, struct message *m, const struct group_item *item,
    const struct deliver_target *t)
{
	struct err e = ERR_INIT;

	if (local_pass_on(l, m->spool, item, t, &e) == 0)
		return (struct outcome){ NULL, SLICE_NULL };
	log_line(QUEUE_TOPIC, LOG_ERROR, "cannot be forwarded",
	    LOG_S("item", item->name), LOG_S("account", t->account), LOG_E(&e));
	return reply(l, 451, "4.3.0", "cannot be passed on now");
}

static struct outcome
deliver_one(struct local *l, struct message *m, const struct group_item *item,
    const struct deliver_target *t)
{
	struct mailbox_new message = { .spool = m->spool,
		.record = buf_slice(&m->record),
		.received = clock_s(l->host.env.clock) };
	struct buf head = BUF_INIT(16384);
	struct err e = ERR_INIT;
	enum store_code code;
	struct delivered added;

	prefix(item, t, &head);
	message.prefix = buf_slice(&head);
	code = deliver_add(l->deliver, t, &message, &added, &e);
	buf_free(&head);
	if (code == STORE_OK) {
		log_line(QUEUE_TOPIC, LOG_INFO, "delivered",
		    LOG_S("item", item->name), LOG_S("from", item->it.m.from),
		    LOG_S("to", item->it.rcpt.to), LOG_S("account", t->account),
		    LOG_S("mailbox", t->mailbox), LOG_U("uid", added.uid));
		return (struct outcome){ NULL, SLICE_NULL };
	}
	if (code == STORE_OVERQUOTA)
		return reply(l, 452, "4.2.2", "mailbox is full");
	log_line(QUEUE_TOPIC, LOG_ERROR, "delivery failed",
	    LOG_S("item", item->name), LOG_S("account", t->account), LOG_E(&e));
	return reply(l, 451, "4.3.0", "cannot be delivered now");
}

/* What accounts want done with it; word NULL: it stands in the targets. */
static struct outcome
take_forwards(struct local *l, const struct group_item *item,
    struct deliver_targets *targets)
{
	struct err e = ERR_INIT;

	if (deliver_forwards(&l->host, l->group.arena, targets, 0, &e) < 0) {
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot be forwarded",
		    LOG_S("item", item->name), LOG_E(&e));
		return reply(l, 451, "4.3.5",
		    "mail for this address cannot be passed on now");
	}
	for (size_t i = 0; i < targets->n; i++) {
		struct deliver_target *t = &targets->v[i];

		if (t->forward.n == 0 ||
		    !local_has_passed(&item->it, deliver_forwarder(t)))
			continue;
		if (!t->forward.keep)
			return reply(l, 554, "5.4.6",
			    "mail loop: this address has passed it on before");
		t->forward.n = 0;
	}
	return (struct outcome){ NULL, SLICE_NULL };
}

static struct outcome
deliver_target(struct local *l, struct message *m,
    const struct group_item *item, const struct deliver_target *t)
{
	struct outcome o = { NULL, SLICE_NULL };

	if (deliver_is_own(t, &m->author) || is_done(m, t))
		return o;
	if (t->forward.keep)
		o = deliver_one(l, m, item, t);
	if (!o.word && t->forward.n > 0)
		o = forward(l, m, item, t);
	if (!o.word)
		set_done(l, m, t);
	return o;
}

/* When a later mailbox of an alias fails all are tried again, and the earlier
 * ones get it twice, which beats losing it. */
static struct outcome
deliver(struct local *l, struct message *m, const struct group_item *item)
{
	struct deliver_targets targets = { NULL, 0 };
	struct slice to_text = item->it.rcpt.to;
	struct outcome o;
	struct smtpaddr to;

	if (smtpaddr_mailbox(l->group.arena, to_text,
		SMTPADDR_UTF8 | SMTPADDR_LONG, &to, NULL) < 0)
		return reply(l, 553, "5.1.3", "no address");
	o = special(l, item, &to);
	if (!o.word)
		o = route(l, m, &to, to_text, &targets);
	if (!o.word)
		o = take_forwards(l, item, &targets);
	for (size_t i = 0; i < targets.n && !o.word; i++)
		o = deliver_target(l, m, item, &targets.v[i]);
	return o.word ? o : reply(l, 250, "2.0.0", "delivered");
}

int
local_send(struct local *l, struct slice names, struct err *e)
{
	struct message m = { .record = BUF_INIT(MSGREC_MAX) };
	struct outcome all, o;
	struct group_item *items;
	size_t n = group_open(&l->group, names, &items);
	int rc;

	n = group_begin(&l->group, items, n);
	rc = n > 0 ? load(l, items, n, &m, &all, e) : 0;
	if (n > 0 && rc == 0 && !all.word)
		look_at(l, &m, &all);
	for (size_t i = 0; i < n && rc == 0; i++) {
		o = all.word ? all : deliver(l, &m, &items[i]);
		group_result(&l->group, &items[i], o.word, SLICE_NULL, o.text);
	}
	group_close(items, n);
	spool_free(&m.spool);
	buf_free(&m.record);
	return rc;
}
