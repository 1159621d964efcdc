/* dnscheck - the table of checks; what they have in common. */
#include "host/dnscheck_int.h"

#include <string.h>

#include "config/name.h"

#define LINE_MAX_TEXT 1024 /* bytes of a line: names, or a foreign text */
#define RECORD_MAX 8192    /* as zone text */

static const struct dnscheck_check checks[] = {
	{ "DNSSEC", dnscheck_dnssec_start, dnscheck_dnssec },
	{ "IPRev", dnscheck_iprev_start, dnscheck_iprev },
	{ "MX", dnscheck_mx_start, dnscheck_mx },
	{ "TLS", NULL, dnscheck_tls },
	{ "DANE", dnscheck_dane_start, dnscheck_dane },
	{ "SPF", dnscheck_spf_start, dnscheck_spf },
	{ "DKIM", dnscheck_dkim_start, dnscheck_dkim },
	{ "DMARC", dnscheck_dmarc_start, dnscheck_dmarc },
	{ "Host TLSRPT", dnscheck_tlsrpt_start, dnscheck_host_tlsrpt },
	{ "Domain TLSRPT", NULL, dnscheck_domain_tlsrpt },
	{ "MTA-STS", dnscheck_mtasts_start, dnscheck_mtasts },
	{ "SRV", dnscheck_srv_start, dnscheck_srv },
	{ "Autoconfig", dnscheck_autoconfig_start, dnscheck_autoconfig },
	{ "Autodiscover", NULL, dnscheck_autodiscover },
};

#define N_CHECKS (sizeof(checks) / sizeof(checks[0]))

const char *
dnscheck_level_name(enum dnscheck_level level)
{
	static const char *const names[] = { "error", "warning", "note" };

	return names[level];
}

/* ---- adding to the section ---- */

/* What comes from DNS may have anything in it: a terminal sees none of it. */
static struct slice
printable(struct arena *arena, struct slice text)
{
	char *p = arena_cstr(arena, slice_head(text, LINE_MAX_TEXT));
	size_t n = text.n < LINE_MAX_TEXT ? text.n : LINE_MAX_TEXT;

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			p[i] = '?';
	return slice_of(p, n);
}

static void
add_line(struct dnscheck *c, enum dnscheck_level level, bool temporary,
    const char *fmt, va_list ap)
{
	struct dnscheck_section *s = c->section;
	struct slice text =
	    printable(c->arena, arena_vprintf(c->arena, fmt, ap));

	s->lines =
	    arena_grow(c->arena, s->lines, s->n, s->n + 1, sizeof(*s->lines));
	s->lines[s->n++] = (struct dnscheck_line){ level, temporary, text };
	if (temporary)
		c->result->temporary++;
	else if (level == DNSCHECK_ERROR)
		c->result->errors++;
	else if (level == DNSCHECK_WARNING)
		c->result->warnings++;
}

void
dnscheck_error(struct dnscheck *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(c, DNSCHECK_ERROR, false, fmt, ap);
	va_end(ap);
}

void
dnscheck_warn(struct dnscheck *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(c, DNSCHECK_WARNING, false, fmt, ap);
	va_end(ap);
}

void
dnscheck_note(struct dnscheck *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(c, DNSCHECK_NOTE, false, fmt, ap);
	va_end(ap);
}

void
dnscheck_temporary(struct dnscheck *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(c, DNSCHECK_ERROR, true, fmt, ap);
	va_end(ap);
}

void
dnscheck_failed(struct dnscheck *c, struct slice name,
    const struct dns_answer *answer, const struct err *e)
{
	if (answer->bogus)
		dnscheck_error(c,
		    "%.*s: DNSSEC validation fails, nobody who validates sees "
		    "it: %s",
		    SLICE_FMT(name), e->text);
	else if (e->kind == ERR_TEMP)
		dnscheck_temporary(c, "%.*s: temporary failure: %s",
		    SLICE_FMT(name), e->text);
	else
		dnscheck_error(c, "%.*s: %s", SLICE_FMT(name), e->text);
}

static void
instruct(struct dnscheck *c, struct slice text)
{
	struct dnscheck_section *s = c->section;

	s->instructions = arena_grow(c->arena, s->instructions,
	    s->ninstructions, s->ninstructions + 1, sizeof(*s->instructions));
	s->instructions[s->ninstructions++] = text;
}

void
dnscheck_advise(struct dnscheck *c, const char *fmt, ...)
{
	struct slice text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	instruct(c, printable(c->arena, text));
}

static bool
is_at(const struct dnsrecord *r, struct slice name, const char *type)
{
	return slice_eqi(r->name, name) && strcmp(r->type, type) == 0;
}

void
dnscheck_publish(struct dnscheck *c, struct slice name, const char *type)
{
	struct buf b = BUF_INIT(RECORD_MAX);

	for (size_t i = 0; i < c->want.n; i++)
		if (is_at(&c->want.v[i], name, type)) {
			buf_reset(&b);
			dnsrecords_line(&c->want.v[i], &b);
			instruct(c,
			    arena_dup(c->arena,
				slice_head(buf_slice(&b), b.n - 1)));
		}
	buf_free(&b);
}

/* ---- asking ---- */

int
dnscheck_query(struct dnscheck *c, struct slice name, enum dns_type type,
    struct dns_answer *answer_r)
{
	struct err e = ERR_INIT;
	int rc = dns_query(c->dns, c->arena, name, type, answer_r, &e);

	if (rc < 0)
		dnscheck_failed(c, name, answer_r, &e);
	return rc;
}

bool
dnscheck_is_host_ip(const struct dnscheck *c, const struct ip *ip)
{
	for (size_t i = 0; c->ips_rc > 0 && i < c->ips.n; i++)
		if (ip_eq(&c->ips.v[i].ip, ip))
			return true;
	return false;
}

void
dnscheck_leads_here(struct dnscheck *c, struct slice name)
{
	struct dns_answer a;
	struct err e = ERR_INIT;
	char text[IP_TEXT];
	int rc = dns_addresses(c->dns, c->arena, name, &a, &e);
	bool wrong = rc == 0;

	if (rc < 0)
		dnscheck_failed(c, name, &a, &e);
	else if (rc == 0)
		dnscheck_error(c, "%.*s has no addresses", SLICE_FMT(name));
	for (size_t i = 0; rc > 0 && c->ips_rc > 0 && i < a.n; i++)
		if (!dnscheck_is_host_ip(c, &a.v[i].ip)) {
			dnscheck_error(c,
			    "%.*s leads to %s, which is no address of %.*s",
			    SLICE_FMT(name), ip_text(&a.v[i].ip, text),
			    SLICE_FMT(c->host));
			wrong = true;
		}
	if (wrong)
		dnscheck_publish(c, name, "CNAME");
}

const struct dnsrecord *
dnscheck_wanted(const struct dnscheck *c, struct slice name, const char *type)
{
	for (size_t i = 0; i < c->want.n; i++)
		if (is_at(&c->want.v[i], name, type))
			return &c->want.v[i];
	return NULL;
}

struct slice
dnscheck_below(struct dnscheck *c, const char *prefix, struct slice name)
{
	return name_glue(c->arena, slice_str(prefix), '.', name);
}

/* ---- all of it ---- */

int
dnscheck_run(const struct config *config, const struct conf_domain *domain,
    const struct dnscheck_opts *opts, struct dns *dns, struct arena *arena,
    struct dnscheck_result *result_r, struct err *e)
{
	static const struct dnsrecords_opts all = { .host_dnssec = true,
		.domain_dnssec = true };
	struct dnscheck c = { .config = config,
		.conf = domain,
		.opts = opts,
		.dns = dns,
		.arena = arena,
		.host = config->hostname,
		.ips_err = ERR_INIT,
		.result = result_r };

	*result_r = (struct dnscheck_result){ .n = N_CHECKS };
	if (dnsrecords_make(config, domain, &all, arena, &c.want, e) < 0)
		return -1;
	c.domain = result_r->domain = c.want.domain;
	c.sources = dnsrecords_sources(config, arena, &c.nsources);
	result_r->sections =
	    arena_array(arena, N_CHECKS, sizeof(*result_r->sections));
	dns_start_addresses(dns, c.host);
	for (size_t i = 0; i < N_CHECKS; i++)
		if (checks[i].start != NULL)
			checks[i].start(&c);
	c.ips_rc = dns_addresses(dns, arena, c.host, &c.ips, &c.ips_err);
	for (size_t i = 0; i < N_CHECKS; i++) {
		c.section = &result_r->sections[i];
		c.section->name = checks[i].name;
		checks[i].run(&c);
	}
	return 0;
}
