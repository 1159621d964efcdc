/* remote_send - the items of one message, and what is told of them. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/remote.h"
#include "smtp/esmtp.h"

void
remote_close(struct remote *r)
{
	if (r->client)
		smtp_client_quit(r->client);
	smtp_client_free(&r->client);
	r->sent = 0;
}

/* ---- results ---- */

static bool
is_answer(const struct smtp_result *result)
{
	return result->answer.code != 0;
}

/* What is said without an answer of the server's has a code all the same,
 * where the reason has one. */
static struct slice
text_of(struct remote *r, const struct smtp_result *result)
{
	const struct smtp_answer *a = &result->answer;
	bool perm = result->outcome == SMTP_RES_PERM;
	int code = is_answer(result)          ? a->code
	    : slice_is(a->enhanced, "5.1.10") ? 556 /* RFC 7505, 4.1 */
	    : perm                            ? 554
					      : 451;

	if (!is_answer(result) && a->enhanced.n == 0)
		return result->why;
	return arena_printf(r->group.arena, "%d %.*s%s%.*s", code,
	    SLICE_FMT(a->enhanced), a->enhanced.n ? " " : "",
	    SLICE_FMT(slice_head(is_answer(result) ? a->text : result->why,
		4096)));
}

/* Does it say something of the host, rather than of the message? */
static bool
is_trouble(const struct smtp_result *result)
{
	switch (result->outcome) {
	case SMTP_RES_CONNECT:
	case SMTP_RES_LOST:
	case SMTP_RES_UNKNOWN:
		return true;
	case SMTP_RES_TEMP:
		return result->answer.code == 421 ||
		    (is_answer(result) && result->step <= SMTP_STEP_MAIL);
	default:
		return false;
	}
}

static void
note(struct remote *r, const struct smtp_result *result)
{
	r->delivered = r->delivered || result->outcome == SMTP_RES_OK;
	r->trouble = r->trouble || is_trouble(result);
}

static void
write_dialed(struct remote *r, const struct transfer *t,
    const struct group_item *item)
{
	char ip[IP_TEXT];

	for (size_t i = 0; i < t->ndialed; i++)
		group_append(&r->group, item, "dialed", "%.*s %s",
		    SLICE_FMT(t->dialed[i].host),
		    ip_text(&t->dialed[i].ip, ip));
}

static void
tell(struct remote *r, const struct transfer *t, const struct group_item *item,
    const struct smtp_result *result, struct slice host)
{
	const char *word = result->outcome == SMTP_RES_OK ? "delivered"
	    : result->outcome == SMTP_RES_PERM            ? "failed"
							  : "delayed";
	struct slice text = text_of(r, result);
	char ip[IP_TEXT];

	note(r, result);
	/* Before the result, and only if there is another attempt: one that is
	 * delivered may have no file to write it to. */
	if (result->outcome != SMTP_RES_OK && result->outcome != SMTP_RES_PERM)
		write_dialed(r, t, item);
	group_result(&r->group, item, word, host, text);
	/* RFC 3461, 5.2.1: from here on it is the other's to tell. */
	if (result->outcome == SMTP_RES_OK &&
	    item->it.rcpt.notify & QUEUE_NOTIFY_SUCCESS &&
	    smtp_client_offers(r->client)->dsn)
		group_append(&r->group, item, "dsn success", "%.*s",
		    SLICE_FMT(host));
	log_line(QUEUE_TOPIC, LOG_INFO, word, LOG_S("item", item->name),
	    LOG_S("account", item->it.m.account),
	    LOG_S("from", item->it.m.from), LOG_S("to", item->it.rcpt.to),
	    LOG_S("host", host), LOG_Z("ip", ip_text(&r->ip, ip)),
	    LOG_S("reply", text));
}

/* ---- recipients of a message ---- */

/* How much a result says, if a message is not delivered: what another host may
 * still change goes before what this one cannot do, an answer before silence. */
static int
weight(const struct smtp_result *result)
{
	if (result->outcome == SMTP_RES_NONE)
		return 0;
	if (result->outcome == SMTP_RES_PERM)
		return 1;
	return is_answer(result) ? 3 : 2;
}

static void
keep(struct remote *r, struct transfer_rcpt *who,
    const struct smtp_result *result)
{
	note(r, result);
	if (weight(result) < weight(&who->kept))
		return;
	who->kept = *result;
	who->host = arena_dup(r->group.arena, slice_str(r->host));
}

/* This address did not take it from everybody. */
static void
note_dialed(const struct remote *r, struct transfer *t)
{
	struct item_dialed *last =
	    t->ndialed ? &t->dialed[t->ndialed - 1] : NULL;

	if (r->ip.family == 0 || r->server || t->ndialed == TRANSFER_DIALED ||
	    (last && slice_is(last->host, r->host)))
		return;
	t->dialed[t->ndialed++] =
	    (struct item_dialed){ arena_dup(r->group.arena, slice_str(r->host)),
		    r->ip };
}

void
transfer_put_off(struct remote *r, struct transfer *t,
    const struct smtp_result *result)
{
	for (size_t i = 0; i < t->now; i++)
		keep(r, &t->who[i], result);
	t->now = 0;
	note_dialed(r, t);
}

void
transfer_next(struct transfer *t)
{
	t->now = t->left;
}

void
transfer_end(struct remote *r, struct transfer *t)
{
	for (size_t i = 0; i < t->left; i++)
		tell(r, t, t->who[i].item, &t->who[i].kept, t->who[i].host);
	t->left = t->now = 0;
}

/* An IPv4 address may be welcome where the IPv6 address was not, and the other
 * way round: once that is found out by the next attempt. */
static void
soften(const struct remote *r, const struct transfer *t,
    struct smtp_result *result)
{
	if (t->first && r->dual && result->outcome == SMTP_RES_PERM &&
	    slice_starts(result->answer.enhanced, SLICE("5.7.")))
		result->outcome = SMTP_RES_TEMP;
}

/* Is it the last word? Not what another host may do better; but perhaps this
 * one has taken it, and then no other is to have it as well. */
static bool
is_final(const struct smtp_result *result)
{
	return result->outcome == SMTP_RES_OK ||
	    result->outcome == SMTP_RES_UNKNOWN ||
	    (result->outcome == SMTP_RES_PERM && is_answer(result));
}

/* What became of somebody who was in the transaction. False: that was his last word. */
static bool
put_off(struct remote *r, struct transfer *t, struct smtp_result *result,
    struct transfer_rcpt *who)
{
	soften(r, t, result);
	if (result->outcome != SMTP_RES_OK && result->outcome != SMTP_RES_PERM)
		note_dialed(r, t);
	if (is_final(result)) {
		tell(r, t, who->item, result, slice_str(r->host));
		return false;
	}
	keep(r, who, result);
	return true;
}

/* After a transaction: first those who are to be in another, then those put
 * off before and now. */
static void
sort_out(struct remote *r, struct transfer *t)
{
	struct transfer old = *t;

	t->rcpts = arena_array(r->group.arena, old.left, sizeof(*t->rcpts));
	t->who = arena_array(r->group.arena, old.left, sizeof(*t->who));
	t->left = 0;
	for (size_t i = 0; i < old.now; i++)
		if (old.rcpts[i].result.outcome == SMTP_RES_AGAIN) {
			t->rcpts[t->left] = old.rcpts[i];
			t->who[t->left++] = old.who[i];
		}
	t->now = t->left;
	for (size_t i = 0; i < old.left; i++)
		if (i >= old.now ||
		    (old.rcpts[i].result.outcome != SMTP_RES_AGAIN &&
			put_off(r, t, &old.rcpts[i].result, &old.who[i]))) {
			t->rcpts[t->left] = old.rcpts[i];
			t->who[t->left++] = old.who[i];
		}
}

/* ---- transactions ---- */

/* A server may close a connection between messages whenever it likes: that is
 * no failure of the message. */
static bool
was_stale(const struct remote *r, const struct smtp_result *result)
{
	return r->sent > 0 && result->step <= SMTP_STEP_MAIL &&
	    (result->outcome == SMTP_RES_LOST || result->answer.code == 421);
}

void
transfer_pass(struct remote *r, struct transfer *t)
{
	struct smtp_result result;

	while (t->now && r->client) {
		smtp_client_send(r->client, &t->mail, t->rcpts, t->now,
		    r->group.arena, &result);
		if (was_stale(r, &result)) {
			remote_close(r);
			return;
		}
		r->sent++;
		sort_out(r, t);
		if (!smtp_client_usable(r->client))
			remote_close(r);
	}
}

/* ---- one message ---- */

static void
set_mail(const struct remote *r, const struct item *it, int fd, uint64_t size,
    struct smtp_client_mail *mail)
{
	*mail = (struct smtp_client_mail){ .from = it->m.from,
		.smtputf8 = it->m.utf8,
		.requiretls = it->m.requiretls == QUEUE_TLS_YES,
		.need_8bitmime = r->config->mox.pedantic && it->m.eightbit,
		.ret = (enum smtp_ret)it->m.ret,
		.envid = it->m.envid,
		.source = { .fd = fd,
		    .offset = it->offset,
		    .size = size - it->offset } };
}

static int
begin(struct remote *r, struct transfer *t, struct group_item *items, size_t n,
    int *fd_r, struct err *e)
{
	struct stat st;
	int rc = group_message(&r->group, items, n, fd_r, e);

	if (rc <= 0)
		return rc;
	if (fstat(*fd_r, &st) < 0)
		return err_sys(e, "message");
	if ((uint64_t)st.st_size < items[0].it.offset)
		return err_set(e, ERR_PERM, "message file is too short");
	*t = (struct transfer){ .items = items, .n = n, .first = true };
	t->rcpts = arena_array(r->group.arena, n, sizeof(*t->rcpts));
	t->who = arena_array(r->group.arena, n, sizeof(*t->who));
	for (size_t i = 0; i < n; i++) {
		const struct queue_rcpt *rcpt = &items[i].it.rcpt;
		t->rcpts[i] = (struct smtp_client_rcpt){ .to = rcpt->to,
			.notify = rcpt->notify,
			.orcpt = rcpt->orcpt };
		t->who[i].item = &items[i];
		t->first = t->first && items[i].it.nattempts == 0;
	}
	t->left = t->now = n;
	set_mail(r, &items[0].it, *fd_r, (uint64_t)st.st_size, &t->mail);
	return 1;
}

/* All alike, without a connection. */
static void
refuse(struct remote *r, struct group_item *items, size_t n, struct slice text)
{
	bool later = !slice_starts(text, SLICE("5"));

	for (size_t i = 0; i < n; i++)
		group_result(&r->group, &items[i], later ? "delayed" : "failed",
		    SLICE_NULL, text);
}

/* True: no host could be reached. */
static bool
send_items(struct remote *r, struct group_item *items, size_t n)
{
	struct err e = ERR_INIT;
	struct transfer t;
	bool failed = false;
	int fd = -1, rc = 1;

	if (r->refuse.n)
		refuse(r, items, n, r->refuse);
	else
		rc = begin(r, &t, items, n, &fd, &e);
	if (rc == 0)
		refuse(r, items, n,
		    SLICE("554 5.3.0 its file in the queue is gone"));
	else if (rc < 0)
		refuse(r, items, n,
		    arena_printf(r->group.arena, "451 4.3.0 %s", e.text));
	else if (fd >= 0)
		failed = (r->server ? remote_server : remote_mx)(r, &t);
	if (fd >= 0)
		close(fd);
	return failed;
}

int
remote_send(struct remote *r, struct slice names, const char **answer)
{
	struct group_item *items;
	size_t n = group_open(&r->group, names, &items);

	r->delivered = r->trouble = false;
	n = group_begin(&r->group, items, n);
	if (n > 0 && send_items(r, items, n))
		*answer = "ready host-failed";
	else if (r->trouble && !r->delivered)
		*answer = "ready busy";
	group_close(items, n);
	return 0;
}
