/* HELO, EHLO, STARTTLS (RFC 5321, 4.1.1.1; RFC 3207). */

#include "base/clock.h"
#include "base/log.h"
#include "smtp/front.h"

/*
 * The name a client gives. Programs of users make it up and it is shown to
 * nobody, so on submission any will do.
 */
static bool
take_name(struct smtp_front *f, struct slice args)
{
	struct slice name = slice_trim(args);

	if (!smtpaddr_domain(name, true) && !smtpaddr_literal(name)) {
		if (!f->submission || f->pedantic) {
			smtp_reply(f, 501, "5.5.4",
			    "a domain or an address literal is expected");
			return false;
		}
		name = SLICE("unknown");
	}
	smtp_reset_all(f); /* RFC 5321, 4.1.4 */
	slice_cstr(name, f->helo_text, sizeof(f->helo_text));
	f->helo = slice_str(f->helo_text);
	return !f->done;
}

void
smtp_cmd_helo(struct smtp_front *f, struct slice args)
{
	struct smtp_verdict verdict;
	struct slice text;

	if (!take_name(f, args) ||
	    !smtp_ask(f, SMTP_REQ_HELO, &f->helo, 1, &verdict, &text))
		return;
	if (verdict.code >= 400) {
		f->helo = SLICE_NULL;
		smtp_reply_verdict(f, &verdict, text);
		return;
	}
	f->esmtp = false;
	smtp_reply_line(f, 250, true, "%.*s", SLICE_FMT(f->hostname));
}

/* "AUTH ..." with what may be used now; empty where TLS has to come first. */
static void
tell_auth(struct smtp_front *f)
{
	const struct sasl_channel *channel = &f->login.channel;
	struct buf b = BUF_INIT(1024);

	if (channel->tls || !channel->tls_required)
		sasl_announce(&b, channel, f->login.hello.cert_known, " ");
	smtp_reply_line(f, 250, false, "AUTH%s", buf_cstr(&b));
	buf_free(&b);
}

/* RFC 4865, 3: seconds, and the time that is in UTC. */
static void
tell_futurerelease(struct smtp_front *f)
{
	int64_t until = clock_s(clock_program()) + SMTP_HOLD_MAX_S;
	char text[CLOCK_TEXT];

	smtp_reply_line(f, 250, false, "FUTURERELEASE %d %s", SMTP_HOLD_MAX_S,
	    clock_format(until, "%Y-%m-%dT%H:%M:%SZ", text));
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
	if (f->starttls && !offer.tls)
		smtp_reply_line(f, 250, false, "STARTTLS");
	if (offer.requiretls)
		smtp_reply_line(f, 250, false, "REQUIRETLS");
	if (f->submission) {
		tell_auth(f);
		tell_futurerelease(f);
	}
	smtp_reply_line(f, 250, false, "DSN");
	smtp_reply_line(f, 250, false, "ENHANCEDSTATUSCODES");
	smtp_reply_line(f, 250, false, "8BITMIME");
	smtp_reply_line(f, 250, false, "CHUNKING");
	smtp_reply_line(f, 250, false, "BINARYMIME");
	smtp_reply_line(f, 250, false, "LIMITS RCPTMAX=%d", SMTP_RCPT_MAX);
	smtp_reply_line(f, 250, true, "SMTPUTF8");
}

/* RFC 3207, 4.2: what was learnt before TLS is forgotten. */
void
smtp_cmd_starttls(struct smtp_front *f, struct slice args)
{
	(void)args;
	if (f->login.channel.tls || !f->starttls)
		smtp_reply(f, 503, "5.5.1", "STARTTLS is not offered now");
	else if (f->authenticated)
		smtp_reply(f, 503, "5.5.1", "TLS comes before AUTH");
	else if (conn_buffered(f->conn).n) {
		/* It must never count as sent under TLS (CVE-2011-0411). */
		log_line(SMTP_TOPIC, LOG_WARN, "bytes behind STARTTLS");
		smtp_reply(f, 421, "4.7.0", "bytes behind STARTTLS");
		f->done = true;
	} else {
		smtp_reset_all(f);
		f->helo = SLICE_NULL;
		f->esmtp = false;
		smtp_reply(f, 220, "2.7.0", "go ahead");
		if (conn_flush(f->conn) == CONN_OK)
			smtp_hello(f, true);
		else
			f->done = true;
	}
}
