/* HELO, EHLO, STARTTLS (RFC 5321, 4.1.1.1; RFC 3207). */
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "smtp/front.h"

/* The name a client gives; on submission any will do, since clients make them
 * up, and the address is used in its place. */
static bool
take_name(struct smtp_front *f, struct slice args)
{
	struct slice name = slice_trim(args);

	if (!smtpaddr_domain(name, true) && (!f->submission || f->pedantic)) {
		smtp_reply(f, 501, "5.5.4", "syntax: a domain or an address "
		    "literal is expected");
		return false;
	}
	if (!smtpaddr_domain(name, true))
		name = SLICE("[unknown]");
	smtp_reset_all(f);
	arena_reset(f->helo_arena);
	f->hostname = config_listener_hostname(
	    ((const struct host *)f->client->ctx)->config, f->conf,
	    f->helo_arena);
	f->hostname = arena_dup(f->helo_arena, f->hostname);
	f->helo = arena_dup(f->helo_arena, name);
	return !f->done;
}

void
smtp_cmd_helo(struct smtp_front *f, struct slice args)
{
	if (!take_name(f, args))
		return;
	f->esmtp = false;
	smtp_reply_line(f, 250, true, "%.*s", SLICE_FMT(f->hostname));
}

/* "AUTH ..." with what may be used now; empty where TLS has to come first. */
static void
tell_auth(struct smtp_front *f)
{
	struct buf b = BUF_INIT(1024);

	if (f->login.channel.tls || !f->login.channel.tls_required)
		sasl_announce(&b, &f->login.channel,
		    f->login.hello.cert_known, " ");
	smtp_reply_line(f, 250, false, "AUTH%s", buf_cstr(&b));
	buf_free(&b);
}

/* RFC 4865, 3: seconds, and the time that is in UTC. */
static void
tell_futurerelease(struct smtp_front *f)
{
	time_t until = (time_t)(clock_s(clock_program()) + SMTP_HOLD_MAX_S);
	char text[32];
	struct tm tm;

	gmtime_r(&until, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	smtp_reply_line(f, 250, false, "FUTURERELEASE %d %s", SMTP_HOLD_MAX_S,
	    text);
}

void
smtp_cmd_ehlo(struct smtp_front *f, struct slice args)
{
	struct smtp_offer offer;

	if (!take_name(f, args))
		return;
	f->esmtp = true;
	offer = smtp_offer_of(f);
	smtp_reply_line(f, 250, false, "%.*s", SLICE_FMT(f->hostname));
	smtp_reply_line(f, 250, false, "PIPELINING");
	smtp_reply_line(f, 250, false, "SIZE %llu",
	    (unsigned long long)f->max_size);
	if (!offer.tls && f->client->listener->tls &&
	    !(!f->submission && f->conf->smtp && f->conf->smtp->no_starttls))
		smtp_reply_line(f, 250, false, "STARTTLS");
	if (offer.requiretls)
		smtp_reply_line(f, 250, false, "REQUIRETLS");
	if (f->submission) {
		tell_auth(f);
		tell_futurerelease(f);
	}
	smtp_reply_line(f, 250, false, "ENHANCEDSTATUSCODES");
	smtp_reply_line(f, 250, false, "8BITMIME");
	smtp_reply_line(f, 250, false, "CHUNKING");
	smtp_reply_line(f, 250, false, "BINARYMIME");
	smtp_reply_line(f, 250, false, "LIMITS RCPTMAX=%d", SMTP_RCPT_MAX);
	smtp_reply_line(f, 250, true, "SMTPUTF8");
}

void
smtp_cmd_starttls(struct smtp_front *f, struct slice args)
{
	struct err e = ERR_INIT;

	(void)args;
	if (f->login.channel.tls || !f->client->listener->tls ||
	    (!f->submission && f->conf->smtp && f->conf->smtp->no_starttls)) {
		smtp_reply(f, 503, "5.5.1", "STARTTLS not available now");
		return;
	}
	/* What was sent in the clear must not count as sent under TLS. */
	if (conn_buffered(f->conn).n) {
		log_line(SMTP_TOPIC, LOG_WARN, "bytes behind STARTTLS");
		smtp_reply(f, 421, "4.7.0", "bytes behind STARTTLS");
		f->done = true;
		return;
	}
	smtp_reply(f, 220, "2.7.0", "go ahead");
	if (conn_flush(f->conn) != CONN_OK ||
	    conn_tls_accept(f->conn, f->client->listener->tls, SMTP_TLS_MS) !=
		CONN_OK) {
		log_line(SMTP_TOPIC, LOG_INFO, "TLS handshake failed",
		    LOG_Z("err", conn_error(f->conn)));
		f->done = true;
		return;
	}
	/* RFC 3207, 4.2: as at the start, knowledge from before is gone. */
	smtp_reset_all(f);
	f->helo = SLICE_NULL;
	f->esmtp = false;
	if (!f->done && login_front_hello(&f->login, &e) < 0)
		smtp_lost(f, &e);
	f->authenticated = f->login.hello.preauth;
}
