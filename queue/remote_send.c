/* remote_send - the items of one message over the connection. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/remote.h"
#include "smtp/esmtp.h"

#define MESSAGE_MS 60000 /* and a second for each MiB (smtp.md 17) */
#define MIB (1024 * 1024)

/* ---- the connection ---- */

void
remote_close(struct remote *r)
{
	if (r->client)
		smtp_client_quit(r->client);
	smtp_client_free(&r->client);
	r->sent = 0;
}

static enum smtp_tls_mode
tls_mode(const struct remote *r)
{
	if (r->server->no_starttls && !r->immediate)
		return SMTP_TLS_NONE;
	return r->server->starttls_insecure_skip_verify ? SMTP_TLS_REQUIRED
							: SMTP_TLS_PKIX;
}

static struct smtp_result
cannot_connect(struct slice why)
{
	return (struct smtp_result){ .outcome = SMTP_RES_CONNECT,
		.step = SMTP_STEP_CONNECT,
		.why = why };
}

static int
dial(struct remote *r, struct smtp_result *result)
{
	struct dial_opts opts = {
		.ips = r->ips, .n = r->nips, .port = r->port
	};
	struct err e = r->resolve;
	int fd = r->nips ? net_dial(&opts, NULL, &e) : -1;

	if (fd < 0)
		*result = cannot_connect(arena_dup(r->group.arena,
		    slice_str(e.text)));
	return fd;
}

static int
log_in(struct remote *r, struct smtp_result *result)
{
	const struct conf_transport_auth *auth = r->server->auth;
	struct smtp_login login;

	if (!auth)
		return 0;
	login = (struct smtp_login){ .login = auth->username,
		.password = auth->password,
		.mechanisms = auth->mechanisms.v,
		.nmechanisms = auth->mechanisms.n,
		.plain_without_tls = r->server->no_starttls };
	return smtp_client_auth(r->client, &login, NULL, r->group.arena,
	    result);
}

static int
connect_server(struct remote *r, struct smtp_result *result)
{
	struct smtp_client_opts opts = { .hello = r->config->hostname,
		.tls_mode = tls_mode(r),
		.tls_immediate = r->immediate,
		.tls = r->tls,
		.expect = {
		    .sni = r->names[0], .names = r->names, .nnames = 1 } };
	int fd = dial(r, result);

	if (fd < 0)
		return -1;
	r->client = smtp_client_new(fd, &opts);
	smtp_client_limit_ms(r->client, MESSAGE_MS);
	if (smtp_client_open(r->client, r->group.arena, result) == 0 &&
	    log_in(r, result) == 0)
		return 0;
	smtp_client_free(&r->client);
	return -1;
}

/* ---- one message ---- */

struct transfer {
	struct group_item *items;
	size_t n;
	struct smtp_client_rcpt *rcpts; /* those of this transaction */
	struct group_item **who;        /* whose each is */
	size_t left;
	struct smtp_client_mail mail;
};

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
	*t = (struct transfer){ .items = items, .n = n };
	t->rcpts = arena_array(r->group.arena, n, sizeof(*t->rcpts));
	t->who = arena_array(r->group.arena, n, sizeof(*t->who));
	for (size_t i = 0; i < n; i++) {
		const struct queue_rcpt *rcpt = &items[i].it.rcpt;
		t->rcpts[t->left] = (struct smtp_client_rcpt){ .to = rcpt->to,
			.notify = rcpt->notify,
			.orcpt = rcpt->orcpt };
		t->who[t->left++] = &items[i];
	}
	set_mail(r, &items[0].it, *fd_r, (uint64_t)st.st_size, &t->mail);
	return 1;
}

/* ---- results ---- */

static struct slice
text_of(struct remote *r, const struct smtp_result *result)
{
	const struct smtp_answer *a = &result->answer;

	if (a->code == 0)
		return result->why;
	return arena_printf(r->group.arena, "%d %.*s%s%.*s", a->code,
	    SLICE_FMT(a->enhanced), a->enhanced.n ? " " : "",
	    SLICE_FMT(slice_head(a->text, 4096)));
}

static void
tell(struct remote *r, const struct group_item *item,
    const struct smtp_result *result)
{
	const char *word = result->outcome == SMTP_RES_OK ? "delivered"
	    : result->outcome == SMTP_RES_PERM            ? "failed"
							  : "delayed";

	group_result(&r->group, item, word, slice_str(r->host),
	    text_of(r, result));
	/* RFC 3461, 5.2.1: from here on it is the other's to tell. */
	if (result->outcome == SMTP_RES_OK &&
	    item->it.rcpt.notify & QUEUE_NOTIFY_SUCCESS &&
	    smtp_client_offers(r->client)->dsn)
		group_append(&r->group, item, "dsn success", "%s", r->host);
	log_line(QUEUE_TOPIC, LOG_INFO, word, LOG_S("item", item->name),
	    LOG_S("account", item->it.m.account),
	    LOG_S("from", item->it.m.from), LOG_S("to", item->it.rcpt.to),
	    LOG_Z("host", r->host), LOG_S("reply", text_of(r, result)));
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

/* One transaction for those left; who is told has it behind him. */
static void
transact(struct remote *r, struct transfer *t)
{
	struct smtp_result result;
	size_t n = t->left, again = 0;

	smtp_client_limit_ms(r->client,
	    MESSAGE_MS + (int64_t)(t->mail.source.size / MIB) * 1000);
	smtp_client_send(r->client, &t->mail, t->rcpts, n, r->group.arena,
	    &result);
	if (was_stale(r, &result)) {
		remote_close(r);
		return;
	}
	r->sent++;
	for (size_t i = 0; i < n; i++) {
		if (t->rcpts[i].result.outcome == SMTP_RES_AGAIN) {
			t->rcpts[again] = t->rcpts[i];
			t->who[again++] = t->who[i];
		} else
			tell(r, t->who[i], &t->rcpts[i].result);
	}
	t->left = again;
	if (!smtp_client_usable(r->client))
		remote_close(r);
}

/* True: the destination cannot be reached. */
static bool
transfer(struct remote *r, struct transfer *t)
{
	struct smtp_result result;

	while (t->left) {
		if (!r->client && connect_server(r, &result) < 0) {
			for (size_t i = 0; i < t->left; i++) {
				/* Whatever it is, it is not the message's
				 * fault: no user is refused for it. */
				if (result.outcome == SMTP_RES_PERM)
					result.outcome = SMTP_RES_TEMP;
				tell(r, t->who[i], &result);
			}
			return true;
		}
		transact(r, t);
	}
	return false;
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

int
remote_send(struct remote *r, struct slice names, const char **answer)
{
	struct group_item *items;
	size_t n = group_open(&r->group, names, &items);
	struct err e = ERR_INIT;
	struct transfer t;
	int fd = -1, rc = 1;

	n = group_begin(&r->group, items, n);
	if (n > 0 && !r->server)
		refuse(r, items, n, r->refuse);
	else if (n > 0)
		rc = begin(r, &t, items, n, &fd, &e);
	if (rc == 0)
		refuse(r, items, n,
		    SLICE("554 5.3.0 its file in the queue is gone"));
	else if (rc < 0)
		refuse(r, items, n,
		    arena_printf(r->group.arena, "451 4.3.0 %s", e.text));
	else if (fd >= 0 && transfer(r, &t))
		*answer = "ready host-failed";
	if (fd >= 0)
		close(fd);
	group_close(items, n);
	return 0;
}
