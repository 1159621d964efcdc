/*
 * local_forward - where an account of this host forwards to: once more into
 * the queue.
 *
 * What comes this way was taken here, from users, or was passed on by another
 * account: its sender's domain is ours, so that MAIL FROM stays, and who had it
 * stands in the item. Nothing of it is changed, and nothing is sealed: there is
 * no key here (README of smtp/).
 */
#include "base/log.h"
#include "message/compose.h"
#include "message/record.h"
#include "queue/local.h"
#include "text/unicode.h"

#define PREFIX_MAX 4096

bool
local_has_passed(const struct item *it, struct slice forwarder)
{
	for (size_t i = 0; i < it->m.nvia; i++)
		if (slice_eqi(it->m.via[i], forwarder))
			return true;
	return it->m.nvia == QUEUE_VIA_MAX;
}

int
local_pass_on(struct local *l, struct spool *spool,
    const struct group_item *item, const struct deliver_target *t,
    struct err *e)
{
	struct arena *arena = l->group.arena;
	const struct item *it = &item->it;
	const struct forward *f = &t->forward;
	struct slice *via = arena_array(arena, it->m.nvia + 1, sizeof(*via));
	struct queue_rcpt *rcpts = arena_array(arena, f->n, sizeof(*rcpts));
	struct buf prefix = BUF_INIT(PREFIX_MAX);
	struct queue_message m = it->m;
	char id[QUEUE_ID + 1];
	int rc;

	for (size_t i = 0; i < it->m.nvia; i++)
		via[i] = it->m.via[i];
	via[m.nvia++] = deliver_forwarder(t);
	m.via = via;
	for (size_t i = 0; i < f->n; i++) {
		rcpts[i] = (struct queue_rcpt){ .to = f->to[i],
			.orcpt = it->rcpt.orcpt,
			.notify = queue_notify_on(it->rcpt.notify,
			    f->n == 1 && !f->keep) };
		m.utf8 |= !unicode_is_ascii(f->to[i]);
	}
	m.rcpts = rcpts;
	m.nrcpts = f->n;
	m.transport = SLICE_NULL; /* it was for this way only */
	m.until_us = 0;
	compose_delivered_to(&prefix, deliver_forwarder(t));
	rc = queue_add(&l->queue, &m, spool, buf_slice(&prefix), id, e);
	buf_free(&prefix);
	if (rc == 0)
		log_line(QUEUE_TOPIC, LOG_INFO, "passed on",
		    LOG_S("item", item->name), LOG_Z("queueid", id),
		    LOG_S("by", deliver_forwarder(t)), LOG_S("from", m.from),
		    LOG_S("to", rcpts[0].to), LOG_U("recipients", m.nrcpts));
	return rc;
}
