/*
 * pass - mail that goes on from here: to where an account forwards (RFC 5321,
 * 3.9.1), and notifications back to senders whose address was rewritten for
 * that (lib/srs). Both go into the queue, as submissions do.
 */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/back.h"
#include "smtp/front.h"
#include "text/idna.h"
#include "text/unicode.h"

#define PREFIX_MAX (64 * 1024 + SMTP_SEAL_MAX)

/* ---- RCPT ---- */

int
smtp_take_forwards(struct smtp_back *b, size_t first, struct err *e)
{
	struct err why = ERR_INIT;

	if (deliver_forwards(b->login.host, b->arena, &b->targets, first,
		&why) < 0) {
		log_line(SMTP_TOPIC, LOG_ERROR, "cannot be forwarded",
		    LOG_E(&why));
		return smtp_verdict(b, 451, "4.3.5", e,
		    "mail for this address cannot be passed on now");
	}
	for (size_t i = first; i < b->targets.n; i++)
		if (b->targets.v[i].forward.n > 0) {
			b->passes = true;
			b->seals.wanted = b->checks.dns != NULL;
		}
	return 1;
}

int
smtp_route_back(struct smtp_back *b, struct slice local, struct slice domain,
    bool *taken_r, struct err *e)
{
	struct slice by, to_local = SLICE_NULL, to_domain = SLICE_NULL;
	struct buf text = BUF_INIT(SMTP_LINE_MAX);
	enum srs_status status = SRS_NONE;

	if (idna_ascii(b->arena, domain, &by, NULL) == 0)
		status = srs_reverse(&b->d->srs, local, by,
		    clock_s(b->login.host->env.clock), &text, &to_local,
		    &to_domain);
	*taken_r = status != SRS_NONE;
	if (status == SRS_OK) {
		b->pass_back = smtp_address_text(b, to_local, to_domain);
		b->passes = true;
	}
	buf_free(&text);
	if (status == SRS_FORGED)
		return smtp_verdict(b, 550, "5.1.1", e,
		    "no sender's address was rewritten to this one here");
	if (status == SRS_OLD)
		return smtp_verdict(b, 550, "5.1.1", e,
		    "address was for notifications about an old message");
	if (status == SRS_OK && !b->mail.empty)
		return smtp_verdict(b, 550, "5.7.1", e,
		    "address is for notifications only");
	return 1;
}

/* ---- what is not passed on ---- */

static bool
has_line(struct slice lines, struct slice address)
{
	struct slice line;

	while (slice_next(&lines, '\n', &line))
		if (slice_eqi(line, address))
			return true;
	return false;
}

/*
 * A message that claims to be from one of our domains and does not prove it,
 * of a domain that would let DMARC tell: it would leave as from us, and pass.
 */
static bool
is_disguised(struct smtp_back *b)
{
	const struct smtp_checks *c = &b->checks;
	const struct conf_domain *domain;

	return c->has_dmarc && c->dmarc.status == DMARC_FAIL &&
	    lookup_domain(b->login.host->lookup, b->arena, c->from_domain,
		&domain, NULL) > 0;
}

int
smtp_check_pass(struct smtp_back *b, const struct smtp_fields *fields,
    struct slice hops, struct err *e)
{
	bool disguised = b->passes && is_disguised(b);

	for (size_t i = 0; i < b->targets.n; i++) {
		struct deliver_target *t = &b->targets.v[i];
		bool loop = t->forward.n > 0 &&
		    (fields->too_long || has_line(hops, deliver_forwarder(t)));

		if (loop && !t->forward.keep)
			return smtp_verdict(b, 554, "5.4.6", e,
			    "mail loop: this address has passed it on before");
		if (loop)
			t->forward.n = 0;
		if (t->forward.n == 0 || !disguised)
			continue;
		log_line(SMTP_TOPIC, LOG_WARN,
		    "not forwarded: may be forged as from one of our domains",
		    LOG_S("account", t->account),
		    LOG_S("fromdomain", b->checks.from_domain));
		t->forward = (struct forward){ .keep = true };
	}
	return 1;
}

/* ---- the envelope ---- */

/* The domain that forwards, one of ours, in ASCII form. */
static struct slice
domain_of(struct smtp_back *b, const struct deliver_target *t)
{
	struct lookup *lookup = b->login.host->lookup;
	struct slice name = queue_domain(deliver_forwarder(t)), ascii;
	const struct conf_account *account;
	const struct conf_domain *domain;

	/* Postmaster's is none, say. */
	if (lookup_domain(lookup, b->arena, name, &domain, NULL) <= 0 &&
	    lookup_account(lookup, b->arena, t->account, &account, NULL) > 0)
		name = account->domain;
	return idna_ascii(b->arena, name, &ascii, NULL) == 0 ? ascii : name;
}

/* MAIL FROM: of a sender elsewhere, an address at by that leads back to him.
 * SPF speaks for us, then. */
static struct slice
sender_of(struct smtp_back *b, const struct deliver_target *t, struct slice by)
{
	struct slice domain = b->from_domain, address;
	const struct conf_domain *ours;
	struct buf local = BUF_INIT(SRS_ADDRESS_MAX);
	struct err e = ERR_INIT;

	if (b->mail.empty)
		return SLICE_NULL;
	idna_ascii(b->arena, domain, &domain, NULL);
	if (lookup_domain(b->login.host->lookup, b->arena, domain, &ours,
		NULL) > 0)
		return smtp_address_text(b, b->from_local, b->from_domain);
	if (srs_forward(&b->d->srs, b->from_local, domain, by,
		clock_s(b->login.host->env.clock), &local, &e) == 0)
		address = smtp_address_text(b, buf_slice(&local), by);
	else /* a very long one: notifications are the forwarder's */
		address = deliver_forwarder(t);
	buf_free(&local);
	return address;
}

/* Whom we notify: the sender, if it may be him; a forged one has nothing to do
 * with it (RFC 5321, 6.2), then it is the account. */
static struct slice
notified(struct smtp_back *b)
{
	const struct smtp_checks *c = &b->checks;
	bool forged = c->has_spf &&
	    (c->spf.status == SPF_FAIL || c->spf.status == SPF_SOFTFAIL) &&
	    !(c->has_dmarc && c->dmarc.status == DMARC_PASS);

	return b->mail.empty || forged
	    ? SLICE_NULL
	    : smtp_address_text(b, b->from_local, b->from_domain);
}

/* Who had it, as far as the queue takes them, and who passes it on now. */
static void
set_via(struct smtp_back *b, struct slice hops, struct slice now,
    struct queue_message *m)
{
	struct slice *v = arena_array(b->arena, QUEUE_VIA_MAX, sizeof(*v));
	struct slice line;

	v[m->nvia++] = now;
	while (m->nvia < QUEUE_VIA_MAX && slice_next(&hops, '\n', &line))
		v[m->nvia++] = line;
	m->via = v;
}

static void
set_message(struct smtp_back *b, const struct smtp_fields *fields,
    struct queue_message *m)
{
	char ip[IP_TEXT];

	smtp_queue_message(b, fields, m);
	m->source = arena_printf(b->arena, "%.*s ([%s])",
	    SLICE_FMT(slice_head(b->helo, 255)),
	    ip_text(&b->login.client->ip, ip));
}

static int
add(struct smtp_back *b, struct queue_message *m, struct slice address,
    struct slice domain, struct err *e)
{
	struct buf prefix = BUF_INIT(PREFIX_MAX);
	char id[QUEUE_ID + 1];
	int rc;

	for (size_t i = 0; i < m->nrcpts; i++)
		m->utf8 |= !unicode_is_ascii(m->rcpts[i].to);
	m->utf8 |= !unicode_is_ascii(m->from);
	smtp_pass_prefix(b, address, domain, &prefix);
	rc = prefix.over
	    ? err_set(e, ERR_LIMIT, "fields before the message are too long")
	    : queue_add(&b->d->queue, m, b->spool, buf_slice(&prefix), id, e);
	if (rc == 0)
		log_line(SMTP_TOPIC, LOG_INFO, "passed on",
		    LOG_Z("queueid", id), LOG_S("account", m->account),
		    LOG_S("by", address), LOG_S("from", m->from),
		    LOG_S("to", m->rcpts[0].to), LOG_U("recipients", m->nrcpts),
		    LOG_S("msgid", m->msgid));
	buf_free(&prefix);
	return rc;
}

/* One address gets it, and nothing is kept. */
static bool
is_last(const struct deliver_target *t)
{
	return t->forward.n == 1 && !t->forward.keep;
}

/* RFC 3461, 4.2 and 5.2.1: whom the sender wrote to, as far as we know; the
 * address in xtext. */
static struct slice
original(struct smtp_back *b, const struct smtp_to *to)
{
	struct slice address = smtp_address_text(b, to->local, to->domain);
	struct buf text = BUF_INIT(SMTP_LINE_MAX);
	struct slice made;

	if (to->orcpt.n > 0 || !unicode_is_ascii(address))
		return to->orcpt;
	buf_addz(&text, "rfc822;");
	for (size_t i = 0; i < address.n; i++) {
		unsigned char c = (unsigned char)address.p[i];

		if (c < '!' || c > '~' || c == '+' || c == '=')
			buf_addf(&text, "+%02X", c);
		else
			buf_addc(&text, (char)c);
	}
	made = text.over ? SLICE_NULL : arena_dup(b->arena, buf_slice(&text));
	buf_free(&text);
	return made;
}

int
smtp_pass_on(struct smtp_back *b, const struct smtp_to *to,
    const struct deliver_target *t, const struct smtp_fields *fields,
    struct slice hops, struct err *e)
{
	struct slice by = domain_of(b, t), forwarder = deliver_forwarder(t);
	struct queue_rcpt *rcpts =
	    arena_array(b->arena, t->forward.n, sizeof(*rcpts));
	struct queue_message m;

	for (size_t i = 0; i < t->forward.n; i++)
		rcpts[i] = (struct queue_rcpt){ .to = t->forward.to[i],
			.notify = queue_notify_on(to->params.notify,
			    !to->alias && is_last(t)),
			.orcpt = original(b, to) };
	set_message(b, fields, &m);
	m.account = t->account;
	m.from = sender_of(b, t, by);
	m.bounce = notified(b);
	m.rcpts = rcpts;
	m.nrcpts = t->forward.n;
	set_via(b, hops, forwarder, &m);
	return add(b, &m, forwarder, by, e);
}

int
smtp_pass_back(struct smtp_back *b, struct err *e)
{
	const struct conf_postmaster *pm =
	    b->login.host->config->mox.postmaster;
	const struct smtp_fields none = { .too_long = false };
	struct queue_rcpt rcpt = { .to = b->pass_back };
	struct queue_message m;

	set_message(b, &none, &m);
	m.account = pm ? pm->account : SLICE_NULL;
	m.rcpts = &rcpt;
	m.nrcpts = 1;
	return add(b, &m, smtp_address_text(b, b->to[0].local, b->to[0].domain),
	    SLICE_NULL, e);
}

/* ---- NOTIFY=SUCCESS (RFC 3461) ---- */

/* How a recipient has it, as in queue_rcpt.done; empty: who gets it next will
 * tell. */
static struct slice
how_done(const struct smtp_back *b, const struct smtp_to *to)
{
	const struct deliver_target *t =
	    to->n > 0 ? &b->targets.v[to->first] : NULL;

	if (to->alias)
		return SLICE("expanded 250 2.1.5 to the members of an alias");
	if (t == NULL || t->forward.keep)
		return SLICE("delivered 250 2.1.5 into the mailbox");
	return is_last(t)
	    ? SLICE_NULL
	    : SLICE("expanded 250 2.1.5 to the addresses it forwards to");
}

/*
 * The message goes into the queue for those who are to be told of, as
 * delivered: mox-local writes and signs the notification. That it cannot is no
 * reason to have the message sent again.
 */
void
smtp_notify(struct smtp_back *b, const struct smtp_fields *fields)
{
	const struct conf_postmaster *pm =
	    b->login.host->config->mox.postmaster;
	struct queue_rcpt *rcpts =
	    arena_array(b->arena, b->nto, sizeof(*rcpts));
	struct queue_message m;
	struct err e = ERR_INIT;

	set_message(b, fields, &m);
	m.account = pm ? pm->account : SLICE_NULL;
	m.bounce = m.from = notified(b);
	m.rcpts = rcpts;
	for (size_t i = 0; i < b->nto; i++) {
		const struct smtp_to *to = &b->to[i];
		struct slice done = how_done(b, to);

		if (to->params.notify & QUEUE_NOTIFY_SUCCESS && done.n > 0)
			rcpts[m.nrcpts++] = (struct queue_rcpt){
				.to =
				    smtp_address_text(b, to->local, to->domain),
				.notify = QUEUE_NOTIFY_SUCCESS,
				.orcpt = to->orcpt,
				.done = done,
			};
	}
	if (m.from.n > 0 && m.nrcpts > 0 &&
	    queue_add(&b->d->queue, &m, b->spool, SLICE_NULL, NULL, &e) < 0)
		log_line(SMTP_TOPIC, LOG_ERROR, "no notification of delivery",
		    LOG_S("to", m.from), LOG_E(&e));
}
