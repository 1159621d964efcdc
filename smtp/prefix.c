/* prefix - header lines put before a message (RFC 5321, 4.4). */
#include "base/clock.h"
#include "message/compose.h"
#include "message/smtpaddr.h"
#include "smtp/back.h"
#include "text/base64.h"

static struct slice
from_address(const struct smtp_back *b, struct buf *out)
{
	struct smtpaddr addr = { .local = b->from_local,
		.domain = b->from_domain, .empty = b->mail.empty };

	smtpaddr_write(out, &addr);
	return buf_slice(out);
}

/* SMTP, ESMTP, UTF8SMTP; S with TLS, A authenticated (RFC 3848, RFC 6531). */
static void
protocol(const struct smtp_back *b, struct buf *out)
{
	buf_addz(out, b->mail.smtputf8 ? "UTF8SMTP"
	    : b->mail.esmtp	       ? "ESMTP"
				       : "SMTP");
	if (b->mail.esmtp && b->login.channel.tls)
		buf_addc(out, 'S');
	if (b->mail.esmtp && b->login.account.n)
		buf_addc(out, 'A');
}

static void
received(const struct smtp_back *b, const struct smtp_target *target,
    struct buf *out)
{
	const struct service_client *client = b->login.client;
	struct buf with = BUF_INIT(32), tls = BUF_INIT(128);
	struct slice version = slice_str(b->login.facts.version);
	char from[IP_TEXT], by[IP_TEXT];
	int64_t now = clock_s(b->login.host->env.clock);
	struct compose_received r = {
		.helo = b->helo,
		.by = b->login.host->config->hostname,
		.requiretls = b->mail.requiretls,
		.id = slice_str(b->id),
		.s = now,
		.zone_s = clock_zone_s(now),
	};

	protocol(b, &with);
	r.with = buf_slice(&with);
	if (b->submission)
		/* Where our users are is nobody's business. */
		r.helo = r.by;
	else {
		ip_text(&client->ip, from);
		ip_text(&client->local_ip, by);
		r.from_ip = slice_str(from);
		r.by_ip = slice_str(by);
	}
	if (version.n) {
		buf_addz(&tls, "TLS");
		buf_add(&tls, slice_skip(version, 4)); /* "TLSv1.3" */
		buf_addf(&tls, " %s", b->login.facts.cipher);
		r.tls = buf_slice(&tls);
	}
	/* RFC 5321, 7.2: several recipients may not know of each other. */
	if (b->nto == 1)
		r.rcpt = target->address;
	compose_received(out, &r);
	buf_free(&with);
	buf_free(&tls);
}

/* RFC 6409, 8.3 and 8.2 */
static void
missing_fields(const struct smtp_back *b, const struct smtp_deliver *d,
    struct buf *out)
{
	int64_t now = clock_s(b->login.host->env.clock);
	struct buf id = BUF_INIT(512);
	unsigned char random[16];
	struct slice ids;

	if (d->no_message_id) {
		rand_fill(b->login.host->env.rand, random, sizeof(random));
		base64_encode_url(&id, slice_of((char *)random,
		    sizeof(random)));
		buf_addc(&id, '@');
		buf_add(&id, b->login.host->config->hostname);
		ids = buf_slice(&id);
		compose_ids(out, "Message-Id", &ids, 1);
		buf_free(&id);
	}
	if (d->no_date)
		compose_date(out, "Date", now, clock_zone_s(now));
}

void
smtp_prefix(const struct smtp_back *b, const struct smtp_deliver *d,
    const struct smtp_target *target, struct buf *out)
{
	struct buf from = BUF_INIT(2048);

	compose_delivered_to(out, target->address);
	compose_return_path(out, from_address(b, &from));
	received(b, target, out);
	if (b->submission)
		missing_fields(b, d, out);
	buf_free(&from);
}
