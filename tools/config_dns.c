/*
 * mox-config dnsrecords, dnscheck
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "config/dnsrecords.h"
#include "dane/dane.h"
#include "host/dnscheck.h"
#include "host/host_dns.h"
#include "net/dial.h"
#include "smtp/client.h"
#include "text/idna.h"
#include "tools/config_tool.h"

#define OUTPUT_MAX (1 << 20)
#define DIAL_TIME 10000 /* ms, for the connection and for all after it */
#define STEP_TIME 5000  /* ms, for an answer of the server */
#define RECORDS_MS 5000 /* for what dnsrecords asks */

static bool opt_dnssec, opt_dial, opt_offline;

/* A domain of domains.conf, and what it was read with. */
struct loaded {
	struct config *config;
	struct config_domains *domains;
	const struct conf_domain *domain;
};

static int
load(const char *name, struct loaded *l)
{
	const struct check_domain *found;
	struct err e = ERR_INIT;

	l->domains = config_need_domains(&l->config);
	found = check_domain_find(l->domains->model, slice_str(name));
	if (found != NULL) {
		l->domain = found->conf;
		return EXIT_DONE;
	}
	err_set(&e, ERR_PERM, "there is no domain \"%s\"", name);
	return config_fail(&e);
}

static void
unload(struct loaded *l)
{
	config_domains_free(&l->domains);
	config_free(&l->config);
}

static struct dns *
open_dns(const struct loaded *l, int ms, struct err *e)
{
	struct resolver_conf conf;
	struct dns *dns;

	host_dns_conf(l->config, l->domains->arena, &conf);
	dns = resolver_new(&conf, e);
	if (dns != NULL)
		dns->until_ms = clock_mono_ms(NULL) + ms;
	return dns;
}

/* ---- dnsrecords ---- */

/* As things are now. What is not known now is taken for not signed, and said. */
static int
look_up(const struct loaded *l, struct dnsrecords_opts *opts, struct err *e)
{
	struct slice domain;
	struct dnscheck_status status;
	struct dns *dns = open_dns(l, RECORDS_MS, e);

	if (dns == NULL ||
	    idna_ascii(l->domains->arena, l->domain->name, &domain, e) < 0)
		return -1;
	dnscheck_status(dns, l->domains->arena, l->config->hostname, domain,
	    &status);
	dns_free(&dns);
	if (status.why.n > 0)
		fprintf(stderr,
		    "mox-config: not known, and taken for not signed: %.*s\n",
		    SLICE_FMT(status.why));
	opts->host_dnssec |= status.host_signed;
	opts->domain_dnssec |= status.domain_signed;
	opts->has_caa = status.has_caa;
	return 0;
}

static void
json_records(const struct dnsrecords *records, struct buf *b)
{
	struct json_out j = JSON_OUT(b, true);

	json_put_array(&j, NULL);
	for (size_t i = 0; i < records->n; i++) {
		const struct dnsrecord *r = &records->v[i];

		json_put_object(&j, NULL);
		json_put_str(&j, "Name", r->name);
		json_put_str(&j, "Type", slice_str(r->type));
		json_put_str(&j, "Value", r->value);
		json_put_bool(&j, "Optional", r->optional);
		json_put_end(&j);
	}
	json_put_end(&j);
}

static int
dnsrecords(int argc, char **argv)
{
	struct dnsrecords_opts opts = { .host_dnssec = opt_dnssec,
		.domain_dnssec = opt_dnssec };
	struct buf text = BUF_INIT(OUTPUT_MAX);
	struct loaded l = { 0 };
	struct dnsrecords records;
	struct err e = ERR_INIT;
	int rc;

	(void)argc;
	log_init("mox-config", LOG_WARN);
	rc = load(argv[0], &l);
	if (rc == EXIT_DONE &&
	    ((!opt_offline && look_up(&l, &opts, &e) < 0) ||
		dnsrecords_make(l.config, l.domain, &opts, l.domains->arena,
		    &records, &e) < 0))
		rc = config_fail(&e);
	if (rc == EXIT_DONE) {
		if (config_json)
			json_records(&records, &text);
		else
			dnsrecords_zone(&records, &text);
		rc = command_end(EXIT_DONE, &text);
	}
	unload(&l);
	return rc;
}

/* ---- dnscheck ---- */

static int
open_client(int fd, const struct smtp_client_opts *o, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct smtp_client *c = smtp_client_new(fd, o);
	struct smtp_result r;
	int rc;

	smtp_client_limit_ms(c, DIAL_TIME);
	rc = smtp_client_open(c, arena, &r);
	if (rc < 0)
		err_set(e,
		    r.outcome == SMTP_RES_LOST || r.outcome == SMTP_RES_TEMP
			? ERR_TEMP
			: ERR_PERM,
		    "%.*s", SLICE_FMT(r.why));
	smtp_client_quit(c);
	smtp_client_free(&c);
	arena_free(&arena);
	return rc;
}

/* For dnscheck_opts: as another server that wants to be sure. */
static int
dial(const struct dnscheck_dial *d, struct err *e)
{
	struct dial_opts to = {
		.ips = &d->ip, .n = 1, .port = 25, .ms = DIAL_TIME
	};
	struct tls_client_opts trust = { .ca_file = d->ntlsa > 0 ? "" : NULL };
	struct smtp_client_opts o = { .hello = d->host,
		.tls_mode = d->ntlsa > 0 ? SMTP_TLS_DANE : SMTP_TLS_PKIX,
		.step_ms = STEP_TIME,
		.expect = { .sni = d->host, .names = &d->host, .nnames = 1 } };
	struct tls_tlsa *tlsa = xcalloc(d->ntlsa + 1, sizeof(*tlsa));
	int fd, rc = -1;

	for (size_t i = 0; i < d->ntlsa; i++)
		tlsa[i] = dane_record(&d->tlsa[i]);
	o.expect.tlsa = tlsa;
	o.expect.ntlsa = d->ntlsa;
	o.tls = tls_client_new(&trust, e);
	if (o.tls != NULL && (fd = net_dial(&to, NULL, e)) >= 0)
		rc = open_client(fd, &o, e);
	tls_client_free(&o.tls);
	free(tlsa);
	return rc;
}

static void
text_section(const struct dnscheck_section *s, bool first, struct buf *b)
{
	buf_addf(b, "%s# %s\n", first ? "" : "\n", s->name);
	for (size_t i = 0; i < s->n; i++)
		buf_addf(b, "%s: %.*s\n",
		    dnscheck_level_name(s->lines[i].level),
		    SLICE_FMT(s->lines[i].text));
	if (s->ninstructions > 0)
		buf_addc(b, '\n');
	for (size_t i = 0; i < s->ninstructions; i++)
		buf_addf(b, "%.*s\n", SLICE_FMT(s->instructions[i]));
}

static void
json_lines(const struct dnscheck_section *s, enum dnscheck_level level,
    const char *name, struct json_out *j)
{
	json_put_array(j, name);
	for (size_t i = 0; i < s->n; i++)
		if (s->lines[i].level == level)
			json_put_str(j, NULL, s->lines[i].text);
	json_put_end(j);
}

static void
json_section(const struct dnscheck_section *s, struct json_out *j)
{
	bool temporary = false;

	for (size_t i = 0; i < s->n; i++)
		temporary |= s->lines[i].temporary;
	json_put_object(j, NULL);
	json_put_str(j, "Name", slice_str(s->name));
	json_lines(s, DNSCHECK_ERROR, "Errors", j);
	json_lines(s, DNSCHECK_WARNING, "Warnings", j);
	json_lines(s, DNSCHECK_NOTE, "Notes", j);
	json_put_array(j, "Instructions");
	for (size_t i = 0; i < s->ninstructions; i++)
		json_put_str(j, NULL, s->instructions[i]);
	json_put_end(j);
	json_put_bool(j, "Temporary", temporary);
	json_put_end(j);
}

static int
print_result(const struct dnscheck_result *r)
{
	struct buf b = BUF_INIT(OUTPUT_MAX);
	struct json_out j = JSON_OUT(&b, true);

	if (config_json) {
		json_put_object(&j, NULL);
		json_put_str(&j, "Domain", r->domain);
		json_put_array(&j, "Checks");
		for (size_t i = 0; i < r->n; i++)
			json_section(&r->sections[i], &j);
		json_put_end(&j);
		json_put_end(&j);
	} else
		for (size_t i = 0; i < r->n; i++)
			text_section(&r->sections[i], i == 0, &b);
	if (command_end(EXIT_DONE, &b) != EXIT_DONE || r->errors > 0)
		return EXIT_FAILED;
	return r->temporary > 0 ? EXIT_LATER : EXIT_DONE;
}

static int
dnscheck(int argc, char **argv)
{
	struct dnscheck_opts opts = { .dial = opt_dial ? dial : NULL };
	struct dnscheck_result result;
	struct loaded l = { 0 };
	struct err e = ERR_INIT;
	struct dns *dns = NULL;
	int rc;

	(void)argc;
	log_init("mox-config", LOG_WARN);
	rc = load(argv[0], &l);
	if (rc == EXIT_DONE) {
		dns = open_dns(&l, DNSCHECK_MS, &e);
		if (dns == NULL ||
		    dnscheck_run(l.config, l.domain, &opts, dns,
			l.domains->arena, &result, &e) < 0)
			rc = config_fail(&e);
		else
			rc = print_result(&result);
	}
	dns_free(&dns);
	unload(&l);
	return rc;
}

static const struct opt records_opts[] = {
	{ "dnssec", OPT_BOOL, &opt_dnssec, NULL,
	    "zones are signed, or will be: TLSA records count" },
	{ "json", OPT_BOOL, &config_json, NULL, "print JSON" },
	{ "offline", OPT_BOOL, &opt_offline, NULL,
	    "do not ask DNS whether zones are signed" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

static const struct opt check_opts[] = {
	{ "dial", OPT_BOOL, &opt_dial, NULL,
	    "connect to port 25 of this host, by its public addresses, and "
	    "verify TLS" },
	{ "json", OPT_BOOL, &config_json, NULL, "print JSON" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

const struct config_command config_dns_commands[] = {
	{ { "dnsrecords", "[-dnssec] [-json] [-offline] domain", 1, 1,
	      records_opts,
	      "Print the DNS records that a domain should have, as a zone "
	      "file." },
	    dnsrecords, NULL },
	{ { "dnscheck", "[-dial] [-json] domain", 1, 1, check_opts,
	      "Compare what DNS has for a domain with what it should have, and "
	      "say what to change." },
	    dnscheck, NULL },
	{ { NULL, NULL, 0, 0, NULL, NULL }, NULL, NULL },
};
