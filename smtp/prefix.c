/* prefix - header lines put before a message (RFC 5321, 4.4). */
#include "base/clock.h"
#include "message/compose.h"
#include "message/smtpaddr.h"
#include "smtp/back.h"
#include "text/base64.h"
#include "text/unicode.h"

bool
smtp_is_utf8(const struct smtp_back *b)
{
	bool ascii = unicode_is_ascii(b->from_local);

	if (!b->mail.smtputf8 && !b->submission &&
	    !b->login.host->config->mox.pedantic)
		return false;
	for (size_t i = 0; i < b->nto && ascii; i++)
		ascii = unicode_is_ascii(b->to[i].local);
	return !ascii ||
	    msgrec_flags(buf_slice(&b->record)) & MSGREC_8BIT_HEADER;
}

/* SMTP, ESMTP, UTF8SMTP; S with TLS, A authenticated (RFC 3848, RFC 6531). */
static void
protocol(const struct smtp_back *b, struct buf *out)
{
	buf_addz(out,
	    !b->mail.esmtp        ? "SMTP"
		: smtp_is_utf8(b) ? "UTF8SMTP"
				  : "ESMTP");
	if (b->mail.esmtp && b->login.channel.tls)
		buf_addc(out, 'S');
	if (b->mail.esmtp && b->login.account.n)
		buf_addc(out, 'A');
}

static void
received(const struct smtp_back *b, struct slice host, struct slice rcpt,
    int64_t now, struct buf *out)
{
	const struct service_client *client = b->login.client;
	const struct tls_facts *tls = &b->login.facts;
	struct buf with = BUF_INIT(32), cipher = BUF_INIT(128);
	char from[IP_TEXT], by[IP_TEXT];
	struct compose_received r = {
		.helo = host,
		.by = host,
		.requiretls = b->mail.requiretls,
		.id = slice_str(b->id),
		.s = now,
		.zone_s = clock_zone_s(now),
	};

	protocol(b, &with);
	r.with = buf_slice(&with);
	if (!b->submission) { /* where users are is nobody's business */
		r.helo = b->helo;
		ip_text(&client->ip, from);
		ip_text(&client->local_ip, by);
		if (b->checks.iprev.status == IPREV_PASS)
			r.from_name = b->checks.iprev.name;
		r.from_ip = slice_str(from);
		r.by_ip = slice_str(by);
	}
	if (tls->version[0]) {
		/* "TLSv1.3" */
		buf_addf(&cipher, "TLS%.*s %s",
		    SLICE_FMT(slice_skip(slice_str(tls->version), 4)),
		    tls->cipher);
		r.tls = buf_slice(&cipher);
	}
	/* RFC 5321, 7.2: those of a submission may not know of each other. */
	if (!b->submission || b->nto == 1)
		r.rcpt = rcpt;
	compose_received(out, &r);
	buf_free(&with);
	buf_free(&cipher);
}

/* RFC 6409, 8.3 and 8.2: what the message of a user lacks. */
static void
missing_fields(const struct smtp_back *b, int64_t now, struct buf *out)
{
	struct slice record = buf_slice(&b->record), ids;
	struct buf id = BUF_INIT(512);
	unsigned char random[16];

	if (msgrec_text(record, MSGREC_MSGID).n == 0) {
		rand_fill(b->login.host->env.rand, random, sizeof(random));
		base64_encode_url(&id,
		    slice_of((char *)random, sizeof(random)));
		buf_addc(&id, '@');
		buf_add(&id, b->login.host->config->hostname);
		ids = buf_slice(&id);
		compose_ids(out, "Message-Id", &ids, 1);
	}
	/* The ENVELOPE begins with it. */
	if (slice_starts(msgrec_text(record, MSGREC_ENVELOPE), SLICE("(NIL ")))
		compose_date(out, "Date", now, clock_zone_s(now));
	buf_free(&id);
}

/* RFC 8601, 2.7.4: who sent it proved to be a user. */
static void
authenticated(struct slice host, struct slice from, struct buf *out)
{
	struct buf value = BUF_INIT(4096);

	buf_add(&value, host);
	buf_addz(&value, "; auth=pass");
	if (from.n)
		buf_addf(&value, " smtp.mailfrom=%.*s", SLICE_FMT(from));
	compose_folded(out, "Authentication-Results", buf_slice(&value));
	buf_free(&value);
}

void
smtp_prefix(struct smtp_back *b, const struct deliver_target *target,
    struct buf *out)
{
	struct smtpaddr addr = { .local = b->from_local,
		.domain = b->from_domain,
		.empty = b->mail.empty };
	struct slice host =
	    config_listener_hostname(b->login.host->config, b->conf, b->arena);
	int64_t now = clock_s(b->login.host->env.clock);
	struct buf from = BUF_INIT(2048);

	smtpaddr_write(&from, &addr);
	compose_delivered_to(out, target->address);
	compose_return_path(out, buf_slice(&from));
	if (target->member.n)
		buf_add(out, smtp_seal(b, queue_domain(target->address)));
	if (!b->submission)
		smtp_checks_headers(b, out);
	received(b, host, target->address, now, out);
	buf_free(&from);
}

/* No Return-Path: it is not at its end yet (RFC 5321, 4.4). */
void
smtp_pass_prefix(struct smtp_back *b, struct slice address, struct slice domain,
    struct buf *out)
{
	struct slice host =
	    config_listener_hostname(b->login.host->config, b->conf, b->arena);

	compose_delivered_to(out, address);
	buf_add(out, smtp_seal(b, domain));
	smtp_checks_headers(b, out);
	received(b, host, address, clock_s(b->login.host->env.clock), out);
}

void
smtp_submit_prefix(const struct smtp_back *b, struct buf *out)
{
	struct slice host =
	    config_listener_hostname(b->login.host->config, b->conf, b->arena);
	struct smtpaddr addr = { .local = b->from_local,
		.domain = b->from_domain,
		.empty = b->mail.empty };
	int64_t now = clock_s(b->login.host->env.clock);
	struct buf from = BUF_INIT(2048), to = BUF_INIT(2048);

	smtpaddr_write(&from, &addr);
	addr = (struct smtpaddr){ .local = b->to[0].local,
		.domain = b->to[0].domain };
	smtpaddr_write(&to, &addr);
	received(b, host, buf_slice(&to), now, out);
	missing_fields(b, now, out);
	authenticated(host, buf_slice(&from), out);
	buf_free(&from);
	buf_free(&to);
}
