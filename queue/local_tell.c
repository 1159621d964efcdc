/* local_tell - delivery status notifications, into the sender's mailbox. */
#include "base/log.h"
#include "message/compose.h"
#include "message/record.h"
#include "message/dsn.h"
#include "message/header.h"
#include "queue/local.h"
#include "text/unicode.h"

#define FULL_MAX (1024 * 1024) /* more of a message is not sent back */
#define HEAD_MAX (64 * 1024)   /* signatures */

/* To whom, of what kind. */
struct letter {
	const char *word; /* of the line in the items */
	enum dsn_action action;
	const struct item *it; /* of the first: all have the same message */
	struct deliver_target to;
	struct dsn_status status;
	struct dsn_letter dsn;
	struct buf header;
	struct local_reader *reader;
	int64_t now_us;
};

/* ---- what happened ---- */

/* "5.1.1" of "550 5.1.1 no such user". */
static struct slice
enhanced_of(struct slice reply)
{
	struct slice code, rest, word;
	struct scan sc;
	uint32_t n;

	slice_cut(reply, ' ', &code, &rest);
	slice_cut(rest, ' ', &word, &rest);
	sc = scan_of(word);
	if (!slice_u32(code, &n) || n < 200 || n > 599 || !scan_u32(&sc, &n) ||
	    !scan_char(&sc, '.') || !scan_u32(&sc, &n) ||
	    !scan_char(&sc, '.') || !scan_u32(&sc, &n) || !scan_end(&sc))
		return SLICE_NULL;
	return word;
}

/* "after 8 attempts: 450 4.2.1 busy": true, and the reply in it. */
static bool
take_expired(struct slice *text)
{
	struct scan sc = scan_of(*text);
	uint32_t n;

	if (!scan_lit(&sc, SLICE("after ")) || !scan_u32(&sc, &n) ||
	    !scan_lit(&sc, SLICE(" attempts: ")))
		return false;
	*text = scan_rest(&sc);
	return true;
}

static bool
is_reply(struct slice text)
{
	return text.n > 3 && scan_digit[(unsigned char)text.p[0]] &&
	    scan_digit[(unsigned char)text.p[1]] &&
	    scan_digit[(unsigned char)text.p[2]] && text.p[3] == ' ';
}

/* RFC 3461, 6: the result of the last attempt of a recipient. */
static void
describe(struct local *l, const struct letter *letter, const struct item *it,
    struct dsn_recipient *r)
{
	const struct item_attempt *attempt = &it->last;
	struct slice text = attempt->text;
	bool expired = take_expired(&text);

	/* The runner gave up: the attempt before says where. */
	if (expired && !attempt->host.n && it->nattempts > 1)
		attempt = &it->attempts[it->nattempts - 2];

	*r = (struct dsn_recipient){
		.original = dsn_orcpt(l->group.arena, it->rcpt.orcpt),
		.final = { SLICE_NULL, it->rcpt.to },
		.action = letter->action,
		/* RFC 3463: delivery time expired. */
		.status = expired ? SLICE("5.4.7") : enhanced_of(text),
		.remote_mta = { SLICE_NULL, attempt->host },
		.diagnostic = { is_reply(text) ? SLICE("smtp") : SLICE("x-mox"),
		    text },
		.last_attempt = attempt->us / 1000000,
	};
	/* A status of another kind than the action would contradict it. */
	if (r->status.n && letter->action == DSN_FAILED &&
	    r->status.p[0] != '5')
		r->status = SLICE_NULL;
	if (letter->action == DSN_DELAYED)
		r->will_retry_until = item_expires_us(it) / 1000000;
	if (letter->action == DSN_DELIVERED && it->last.host.n)
		r->action = DSN_RELAYED;
	if (slice_starts(it->rcpt.done, SLICE("expanded ")))
		r->action = DSN_EXPANDED;
}

/* ---- the letter ---- */

static bool
set_kind(struct letter *letter, struct slice kind)
{
	static const struct {
		const char *kind, *word;
		enum dsn_action action;
	} kinds[] = {
		{ "failure", "dsn failure", DSN_FAILED },
		{ "delay", "dsn delay", DSN_DELAYED },
		{ "success", "dsn success", DSN_DELIVERED },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (slice_is(kind, kinds[i].kind)) {
			letter->word = kinds[i].word;
			letter->action = kinds[i].action;
			return true;
		}
	return false;
}

/* Who sent what was passed on; else the Inbox of the account; of one that is
 * gone, the postmaster's mailbox. 1, 0 nobody, -1. */
static int
addressee(struct local *l, struct letter *letter, struct err *e)
{
	const struct conf_postmaster *pm = l->host.config->mox.postmaster;
	struct slice account = letter->it->m.account;
	const struct conf_account *settings;
	int rc;

	if (letter->it->m.from.n == 0 || letter->it->m.report)
		return 0; /* RFC 5321, 6.1: never about notifications */
	if (letter->it->m.bounce.n > 0)
		return 1;
	letter->to = (struct deliver_target){ .account = account,
		.mailbox = SLICE("Inbox"),
		.address = letter->it->m.from };
	rc = account.n ? lookup_account(l->host.lookup, l->group.arena, account,
			     &settings, e)
		       : 0;
	if (rc != 0 || !pm)
		return rc;
	letter->to.account = pm->account;
	letter->to.mailbox = pm->mailbox.n ? pm->mailbox : SLICE("Inbox");
	return lookup_account(l->host.lookup, l->group.arena, pm->account,
	    &settings, e);
}

static void
set_status(struct local *l, struct letter *letter,
    const struct group_item *items, size_t n)
{
	const struct item *it = letter->it;
	struct dsn_status *s = &letter->status;
	char until[CLOCK_TEXT];

	*s = (struct dsn_status){
		.envid = dsn_envid(l->group.arena, it->m.envid),
		.reporting_mta = { SLICE_NULL, l->host.config->hostname },
		.received_from = { SLICE_NULL, it->m.source },
		.arrival = it->queued_us / 1000000,
		.rcpts = arena_array(l->group.arena, n, sizeof(*s->rcpts)),
		.nrcpts = n,
	};
	if (it->m.until_us) {
		clock_rfc3339(it->m.until_us, until);
		s->future_release =
		    arena_printf(l->group.arena, "until;%s", until);
	}
	for (size_t i = 0; i < n; i++)
		describe(l, letter, &items[i].it, &s->rcpts[i]);
}

/* What the letter is about: its header, and perhaps all of it. A message that
 * is gone is no reason to say nothing. */
static void
attach(struct local *l, const struct group_item *items, size_t n,
    struct letter *letter)
{
	const struct item *it = letter->it;
	struct dsn_letter *d = &letter->dsn;
	struct local_reader *r = NULL;
	struct err e = ERR_INIT;
	struct slice piece;

	letter->header = (struct buf)BUF_INIT(4 * DSN_HEADER_MAX);
	if (local_reader_open(l, items, n, &r, &e) <= 0)
		return;
	while (letter->header.n < DSN_HEADER_MAX &&
	    local_read(r, &piece, &e) > 0)
		buf_add(&letter->header, piece);
	local_reader_close(&r);
	d->header = buf_slice(&letter->header);
	d->header.n = header_size(d->header);
	/* RFC 3461, 4.3: all of it only of what failed. Bare CR and LF would
	 * make the letter binary. */
	if (it->m.ret != QUEUE_RET_FULL || letter->action != DSN_FAILED ||
	    it->size > FULL_MAX || it->verbatim ||
	    local_reader_open(l, items, n, &letter->reader, &e) <= 0)
		return;
	d->read = local_read;
	d->ctx = letter->reader;
	d->is_8bit = it->m.eightbit;
}

static void
address(struct local *l, struct letter *letter)
{
	struct slice host = l->host.config->hostname;
	char id[17];
	struct dsn_letter *d = &letter->dsn;

	rand_text(l->host.env.rand, id, sizeof(id) - 1);
	d->status = &letter->status;
	d->from =
	    arena_printf(l->group.arena, "postmaster@%.*s", SLICE_FMT(host));
	d->to =
	    letter->it->m.bounce.n ? letter->it->m.bounce : letter->it->m.from;
	d->msgid = arena_printf(l->group.arena, "%s@%.*s", id, SLICE_FMT(host));
	d->date = letter->now_us / 1000000;
	d->zone_s = clock_zone_s(d->date);
	d->about_msgid = letter->it->m.msgid;
	d->rand = l->host.env.rand;
}

static int
to_spool(void *ctx, struct slice wire, struct err *e)
{
	return spool_add(ctx, wire, e);
}

/* Into the queue, signed, for somebody elsewhere. 1, 0 not now. */
static int
mail(struct local *l, struct letter *letter)
{
	const struct conf_postmaster *pm = l->host.config->mox.postmaster;
	struct spool *spool = spool_new(&l->host.env, 0);
	struct queue_rcpt rcpt = { .to = letter->dsn.to };
	struct queue_message m = { .account = pm ? pm->account : SLICE_NULL,
		.rcpts = &rcpt,
		.nrcpts = 1,
		.utf8 = letter->it->m.utf8 || !unicode_is_ascii(rcpt.to),
		.eightbit = letter->dsn.is_8bit,
		.msgid = letter->dsn.msgid };
	struct buf head = BUF_INIT(HEAD_MAX);
	struct err e = ERR_INIT;
	char id[QUEUE_ID + 1];
	int rc = dsn_write(&letter->dsn, to_spool, spool, &e);

	if (rc == 0)
		rc = spool_end(spool, &e);
	if (rc == 0)
		rc = local_sign(l, spool, &head, &e);
	if (rc == 0)
		rc = queue_add(&l->queue, &m, spool, buf_slice(&head), id, &e);
	if (rc == 0)
		log_line(QUEUE_TOPIC, LOG_INFO, "notification",
		    LOG_Z("kind", letter->word), LOG_S("to", letter->dsn.to),
		    LOG_Z("queueid", id));
	else
		log_line(QUEUE_TOPIC, LOG_ERROR, "notification failed",
		    LOG_Z("kind", letter->word), LOG_S("to", letter->dsn.to),
		    LOG_E(&e));
	spool_free(&spool);
	buf_free(&head);
	return rc == 0;
}

/* Into the mailbox. 1, 0 not now, -1: no parser. */
static int
post(struct local *l, struct letter *letter, struct err *e)
{
	struct buf record = BUF_INIT(MSGREC_MAX), prefix = BUF_INIT(16384);
	struct spool *spool = spool_new(&l->host.env, 0);
	struct mailbox_new message = { .spool = spool,
		.received = letter->now_us / 1000000 };
	struct err why = ERR_INIT;
	enum store_code code = STORE_FAILED;
	struct delivered added = { 0 };
	int rc = 0;

	compose_delivered_to(&prefix, letter->to.address);
	compose_return_path(&prefix, SLICE_NULL);
	message.prefix = buf_slice(&prefix);
	if (dsn_write(&letter->dsn, to_spool, spool, &why) == 0 &&
	    spool_end(spool, &why) == 0 &&
	    (rc = local_parse(l, spool, &record, e)) == 0) {
		message.record = buf_slice(&record);
		code = deliver_add(l->deliver, &letter->to, &message, &added,
		    &why);
	}
	if (code == STORE_OK)
		log_line(QUEUE_TOPIC, LOG_INFO, "notification",
		    LOG_Z("kind", letter->word), LOG_S("to", letter->dsn.to),
		    LOG_S("account", letter->to.account),
		    LOG_U("uid", added.uid));
	else if (rc == 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "notification failed",
		    LOG_Z("kind", letter->word),
		    LOG_S("account", letter->to.account),
		    code == STORE_OVERQUOTA ? LOG_Z("err", "over quota")
					    : LOG_E(&why));
	spool_free(&spool);
	buf_free(&record);
	buf_free(&prefix);
	return rc < 0 ? -1 : code == STORE_OK;
}

/* ---- all ---- */

static void
tell_items(struct local *l, const struct letter *letter,
    const struct group_item *items, size_t n, struct slice account)
{
	for (size_t i = 0; i < n; i++) {
		group_append(&l->group, &items[i], letter->word, "%.*s",
		    SLICE_FMT(account));
		printf("%.*s dsn %.*s\n", SLICE_FMT(items[i].name),
		    SLICE_FMT(account));
		if (slice_is(account, "-"))
			log_line(QUEUE_TOPIC, LOG_WARN, "nobody to notify",
			    LOG_S("item", items[i].name),
			    LOG_Z("kind", letter->word),
			    LOG_S("to", items[i].it.rcpt.to),
			    LOG_S("reply", items[i].it.last.text));
	}
}

static int
tell(struct local *l, struct letter *letter, const struct group_item *items,
    size_t n, struct err *e)
{
	int rc = addressee(l, letter, e);

	if (rc == 0)
		tell_items(l, letter, items, n, SLICE("-"));
	if (rc < 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "notification failed",
		    LOG_E(e));
	if (rc <= 0)
		return 0;
	set_status(l, letter, items, n);
	attach(l, items, n, letter);
	address(l, letter);
	rc = letter->it->m.bounce.n ? mail(l, letter) : post(l, letter, e);
	if (rc > 0)
		tell_items(l, letter, items, n,
		    letter->it->m.bounce.n ? letter->it->m.bounce
					   : letter->to.account);
	local_reader_close(&letter->reader);
	buf_free(&letter->header);
	return rc < 0 ? -1 : 0;
}

int
local_tell(struct local *l, struct slice kind, struct slice names,
    struct err *e)
{
	struct letter letter = { .now_us = clock_us(l->host.env.clock) };
	struct group_item *items;
	size_t n;
	int rc = 0;

	if (!set_kind(&letter, kind)) {
		log_line(QUEUE_TOPIC, LOG_ERROR, "unknown notification",
		    LOG_S("kind", kind));
		return 0;
	}
	n = group_open(&l->group, names, &items);
	if (n > 0) {
		letter.it = &items[0].it;
		rc = tell(l, &letter, items, n, e);
	}
	group_close(items, n);
	return rc;
}
