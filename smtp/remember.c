/*
 * remember - what was found of a message, for judging what comes next from
 * the same people. Done once the client has its answer.
 */
#include <string.h>

#include "base/clock.h"
#include "dns/orgdomain.h"
#include "smtp/back.h"
#include "text/idna.h"

/* ---- who ---- */

/* The form DNS has; what has none stays as it is. */
static struct slice
ascii(struct smtp_back *b, struct slice domain)
{
	struct slice name = domain;

	idna_ascii(b->arena, domain, &name, NULL);
	return name;
}

static struct slice
address(struct smtp_back *b, struct slice local, struct slice domain)
{
	if (domain.n == 0)
		return SLICE_NULL;
	return arena_printf(b->arena, "%.*s@%.*s", SLICE_FMT(local),
	    SLICE_FMT(ascii(b, domain)));
}

/* ---- how that was confirmed ---- */

static enum history_validation
validation_of_spf(enum spf_status status)
{
	static const enum history_validation all[] = {
		[SPF_NONE] = HISTORY_NONE,
		[SPF_NEUTRAL] = HISTORY_NEUTRAL,
		[SPF_PASS] = HISTORY_PASS,
		[SPF_FAIL] = HISTORY_FAIL,
		[SPF_SOFTFAIL] = HISTORY_SOFTFAIL,
		[SPF_TEMPERROR] = HISTORY_TEMPERROR,
		[SPF_PERMERROR] = HISTORY_PERMERROR,
	};

	return all[status];
}

/* Of two, what says more of From. */
static enum history_validation
better(enum history_validation is, struct slice from, struct slice passed)
{
	if (is == HISTORY_STRICT || slice_eqi(from, passed))
		return HISTORY_STRICT;
	return dns_same_org(from, passed) ? HISTORY_RELAXED : is;
}

enum history_validation
smtp_from_validation(struct smtp_back *b)
{
	const struct smtp_checks *c = &b->checks;
	enum history_validation is = HISTORY_NONE;
	struct slice from = ascii(b, c->from_domain);

	if (c->dns == NULL)
		return HISTORY_UNKNOWN;
	if (from.n == 0)
		return HISTORY_NONE;
	for (size_t i = 0; i < c->dkim.n; i++)
		if (c->dkim.v[i].status == DKIM_PASS)
			is = better(is, from, c->dkim.v[i].sig.domain);
	if (c->spf.status == SPF_PASS)
		is = better(is, from, c->spf.domain);
	if (is == HISTORY_RELAXED && c->has_dmarc &&
	    c->dmarc.status == DMARC_PASS)
		return HISTORY_DMARC;
	return is;
}

/* ---- all ---- */

static void
add_dkim(struct smtp_back *b, struct history_message *m)
{
	const struct dkim_results *all = &b->checks.dkim;

	for (size_t i = 0; i < all->n && m->ndkim < HISTORY_DKIM_MAX; i++) {
		struct slice domain = all->v[i].sig.domain;
		bool known = all->v[i].status != DKIM_PASS;
		for (size_t k = 0; k < m->ndkim; k++)
			known |= slice_eqi(m->dkim[k], domain);
		if (!known)
			m->dkim[m->ndkim++] = domain;
	}
}

static void
set_message(struct smtp_back *b, struct history_message *m)
{
	const struct smtp_checks *c = &b->checks;
	struct slice record = buf_slice(&b->record);

	*m = (struct history_message){
		.received = clock_s(b->login.host->env.clock),
		.ip = b->login.client->ip,
		.helo = ascii(b, b->helo),
		.mail_from = address(b, b->from_local, b->from_domain),
		.from = address(b, msgrec_text(record, MSGREC_FROM_LOCAL),
		    msgrec_text(record, MSGREC_FROM_DOMAIN)),
		.from_is = smtp_from_validation(b),
		.list = msgrec_flags(record) & MSGREC_LIST,
		.msgid = msgrec_text(record, MSGREC_MSGID),
		.size = spool_wire_size(b->spool),
	};
	if (c->has_spf && c->spf.helo)
		m->helo_is = validation_of_spf(c->spf.status);
	else if (c->has_spf)
		m->mail_from_is = validation_of_spf(c->spf.status);
	if (c->has_dmarc)
		m->dmarc = slice_str(dmarc_status_name(c->dmarc.status));
	add_dkim(b, m);
}

void
smtp_remember(struct smtp_back *b)
{
	struct history_message m;

	if (b->ndelivered == 0)
		return;
	set_message(b, &m);
	for (size_t i = 0; i < b->ndelivered; i++) {
		memcpy(m.emailid, b->delivered[i].what.emailid, STORE_EMAILID);
		deliver_remember(b->deliver, b->delivered[i].target, &m);
	}
}
