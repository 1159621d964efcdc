#include "config/dnsrecords.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/file.h"
#include "base/sha.h"
#include "config/clientsettings.h"
#include "config/name.h"
#include "dane/dane.h"
#include "dkim/dkim_key.h"
#include "net/addr.h"
#include "text/idna.h"

#define KEY_FILE_MAX (64 * 1024)
#define RECORD_MAX 4096
#define TTL 300 /* while things are being set up */

struct make {
	const struct config *config;
	const struct conf_domain *conf;
	const struct dnsrecords_opts *opts;
	struct arena *arena;
	struct dnsrecords *records;
	struct slice host, domain;
};

/* ---- adding ---- */

static struct dnsrecord *
add(struct make *m, struct slice name, const char *type, struct slice value)
{
	struct dnsrecords *r = m->records;

	r->v = arena_grow(m->arena, r->v, r->n, r->n + 1, sizeof(*r->v));
	r->v[r->n] =
	    (struct dnsrecord){ .name = name, .type = type, .value = value };
	return &r->v[r->n++];
}

/* PREFIX.NAME; either may be empty. */
static struct slice
below(struct make *m, const char *prefix, struct slice name)
{
	return name_glue(m->arena, slice_str(prefix), '.', name);
}

static struct slice
with_dot(struct make *m, struct slice host)
{
	return arena_printf(m->arena, "%.*s.", SLICE_FMT(host));
}

static void
about(struct make *m, size_t first, const char *text)
{
	if (m->records->n > first)
		m->records->v[first].about = slice_str(text);
}

/* ---- of the host ---- */

static EVP_PKEY *
read_key(struct make *m, struct slice file, struct err *e)
{
	const char *path = config_file(m->config, m->arena, file);
	struct buf pem = BUF_INIT(KEY_FILE_MAX);
	EVP_PKEY *key = NULL;
	BIO *bio;
	int rc = file_read(AT_FDCWD, path, &pem, e);

	if (rc == 0)
		err_set(e, ERR_PERM, "%s: no such file", path);
	if (rc > 0) {
		bio = BIO_new_mem_buf(pem.p, (int)pem.n);
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
		BIO_free(bio);
		if (!key)
			err_set(e, ERR_SYNTAX,
			    "%s: no private key in PEM without password", path);
	}
	buf_wipe(&pem);
	return key;
}

/* RFC 7672, 3.1.1: DANE-EE(3) SPKI(1) SHA2-256(1). */
static void
add_tlsa(struct make *m, EVP_PKEY *key)
{
	unsigned char digest[SHA_MAX], *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	struct tls_tlsa tlsa = { DANE_EE, 1, 1,
		slice_of((char *)digest, sha_size(SHA_256)) };

	sha_digest(SHA_256, slice_of((char *)der, n > 0 ? (size_t)n : 0),
	    digest);
	OPENSSL_free(der);
	add(m, below(m, "_25._tcp", m->host), "TLSA",
	    dane_text(m->arena, &tlsa))
	    ->optional = !m->opts->host_dnssec;
}

/* ECDSA first: what is preferred is checked first. */
static int
add_dane(struct make *m, const struct conf_listener *l, struct err *e)
{
	const struct conf_strings *files = &l->tls->host_private_key_files;
	size_t first = m->records->n;

	for (int rsa = 0; rsa < 2; rsa++)
		for (size_t i = 0; i < files->n; i++) {
			EVP_PKEY *key = read_key(m, files->v[i], e);

			if (!key)
				return -1;
			if (EVP_PKEY_is_a(key, rsa ? "RSA" : "EC"))
				add_tlsa(m, key);
			EVP_PKEY_free(key);
		}
	about(m, first,
	    m->opts->host_dnssec
		? "DANE: other mail servers verify the certificate of our "
		  "mail host with these keys. Once for the host, whatever the "
		  "number of domains."
		: "DANE: other mail servers could verify the certificate of "
		  "our mail host with these keys. They only believe signed "
		  "zones: add them once DNSSEC protects the host name.");
	return 0;
}

static struct slice
report_uri(struct make *m, struct slice localpart, struct slice domain)
{
	struct buf uri = BUF_INIT(RECORD_MAX);
	struct slice r;

	buf_addz(&uri, "mailto:");
	for (size_t i = 0; i < localpart.n; i++) {
		unsigned char c = (unsigned char)localpart.p[i];

		if (slice_chr(SLICE("abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~+="),
			(char)c) >= 0)
			buf_addc(&uri, (char)c);
		else /* RFC 6068, 2 */
			buf_addf(&uri, "%%%02X", c);
	}
	buf_addc(&uri, '@');
	buf_add(&uri, domain);
	r = arena_dup(m->arena, buf_slice(&uri));
	buf_free(&uri);
	return r;
}

/* RFC 8460, 3. */
static void
add_tlsrpt(struct make *m, struct slice name, struct slice uri)
{
	add(m, below(m, "_smtp._tls", name), "TXT",
	    arena_printf(m->arena, "v=TLSRPTv1; rua=%.*s", SLICE_FMT(uri)));
}

static int
add_host(struct make *m, struct err *e)
{
	const struct mox_conf *mox = &m->config->mox;
	size_t first;

	for (size_t i = 0; i < mox->listeners.n; i++)
		if (slice_is(mox->listeners.v[i].name, "public") &&
		    mox->listeners.v[i].tls &&
		    add_dane(m, &mox->listeners.v[i], e) < 0)
			return -1;
	if (slice_eq(m->host, m->domain))
		return 0;
	first = m->records->n;
	add(m, m->host, "TXT", SLICE("v=spf1 a -all"));
	about(m, first,
	    "Once for the host: it says its name in SMTP, and sends reports "
	    "of undelivered mail without a sender address.");
	if (mox->host_tlsrpt) {
		first = m->records->n;
		add_tlsrpt(m, m->host,
		    report_uri(m, mox->host_tlsrpt->localpart, m->host));
		about(m, first,
		    "Once for the host: where others send reports about TLS "
		    "with it, which include those about DANE.");
	}
	return 0;
}

/* ---- mail of the domain ---- */

/* Addresses we send from. */
struct sources {
	struct arena *arena;
	struct dnsrecords_source *v;
	size_t n;
};

static void
add_source(struct sources *s, struct slice text, struct slice host)
{
	struct ip ip;

	if (!ip_parse(text, &ip) || ip_is_unspecified(&ip) ||
	    ip_is_loopback(&ip) || ip_is_private(&ip))
		return;
	for (size_t i = 0; i < s->n; i++)
		if (ip_eq(&s->v[i].ip, &ip))
			return;
	s->v = arena_grow(s->arena, s->v, s->n, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = (struct dnsrecords_source){ ip, host };
}

struct dnsrecords_source *
dnsrecords_sources(const struct config *config, struct arena *arena,
    size_t *n_r)
{
	const struct mox_conf *mox = &config->mox;
	struct sources s = { .arena = arena };
	struct slice host;

	for (size_t i = 0; i < mox->listeners.n; i++) {
		const struct conf_listener *l = &mox->listeners.v[i];
		const struct conf_strings *ips =
		    l->nat_ips.n > 0 ? &l->nat_ips : &l->ips;

		if (l->smtp && l->smtp->enabled && !l->ips_nated)
			for (size_t k = 0; k < ips->n; k++)
				add_source(&s, ips->v[k], config->hostname);
	}
	for (size_t i = 0; i < mox->transports.n; i++) {
		const struct conf_transport_socks *socks =
		    mox->transports.v[i].socks;

		if (!socks ||
		    idna_ascii(arena, socks->remote_hostname, &host, NULL) < 0)
			continue;
		for (size_t k = 0; k < socks->remote_ips.n; k++)
			add_source(&s, socks->remote_ips.v[k], host);
	}
	*n_r = s.n;
	return s.v;
}

static struct slice
spf(struct make *m)
{
	struct buf spf = BUF_INIT(RECORD_MAX);
	char ip[IP_TEXT];
	struct slice text;
	size_t n;
	struct dnsrecords_source *v =
	    dnsrecords_sources(m->config, m->arena, &n);

	buf_addz(&spf, "v=spf1 ");
	for (size_t i = 0; i < n; i++)
		buf_addf(&spf, "ip%d:%s ", v[i].ip.family,
		    ip_text(&v[i].ip, ip));
	buf_addz(&spf, "mx ~all");
	text = arena_dup(m->arena, buf_slice(&spf));
	buf_free(&spf);
	return text;
}

static int
add_selector(struct make *m, const struct conf_selector *s, struct err *e)
{
	const char *path =
	    config_file(m->config, m->arena, s->private_key_file);
	struct dkim_key *key = dkim_key_load(path, e);
	struct buf value = BUF_INIT(DKIM_RECORD_MAX);
	struct slice selector = s->name;

	if (!key)
		return -1;
	idna_ascii(m->arena, s->name, &selector, NULL);
	dkim_key_write_record(key, &value);
	add(m,
	    arena_printf(m->arena, "%.*s._domainkey.%.*s", SLICE_FMT(selector),
		SLICE_FMT(m->domain)),
	    "TXT", arena_dup(m->arena, buf_slice(&value)));
	dkim_key_free(&key);
	buf_free(&value);
	return 0;
}

static int
add_dkim(struct make *m, struct err *e)
{
	const struct conf_dkim *dkim = m->conf->dkim;
	size_t first = m->records->n;

	for (size_t i = 0; dkim && i < dkim->selectors.n; i++)
		if (add_selector(m, &dkim->selectors.v[i], e) < 0)
			return -1;
	about(m, first,
	    "DKIM: keys that verify the signatures of mail from the domain. "
	    "A key that does not sign yet is for the day it is needed.");
	return 0;
}

/* Domain in ASCII form of an address for reports. */
static struct slice
reports_domain(struct make *m, const struct conf_reports *reports)
{
	struct slice ascii = m->domain;

	if (reports->domain.n > 0)
		idna_ascii(m->arena, reports->domain, &ascii, NULL);
	return ascii;
}

static void
add_dmarc(struct make *m)
{
	const struct conf_reports *dmarc = m->conf->dmarc;
	struct slice domain, rua = SLICE_NULL;
	size_t first = m->records->n;

	if (dmarc) {
		domain = reports_domain(m, dmarc);
		rua = arena_printf(m->arena, ";rua=%.*s!10m",
		    SLICE_FMT(report_uri(m, dmarc->localpart, domain)));
	}
	add(m, below(m, "_dmarc", m->domain), "TXT",
	    arena_printf(m->arena, "v=DMARC1;p=reject%.*s", SLICE_FMT(rua)));
	about(m, first,
	    "DMARC: others should refuse mail from the domain that neither "
	    "DKIM nor SPF verifies, and send reports.");
	if (!dmarc || slice_eq(domain, m->domain))
		return;
	first = m->records->n; /* RFC 7489, 7.1 */
	add(m,
	    arena_printf(m->arena, "%.*s._report._dmarc.%.*s",
		SLICE_FMT(m->domain), SLICE_FMT(domain)),
	    "TXT", SLICE("v=DMARC1"));
	about(m, first,
	    "In the zone of the domain that gets the reports: it takes them.");
}

static void
add_mtasts(struct make *m)
{
	const struct conf_mtasts *mtasts = m->conf->mtasts;
	size_t first = m->records->n;

	if (!mtasts)
		return;
	add(m, below(m, "mta-sts", m->domain), "CNAME", with_dot(m, m->host));
	add(m, below(m, "_mta-sts", m->domain), "TXT",
	    arena_printf(m->arena, "v=STSv1; id=%.*s",
		SLICE_FMT(mtasts->policy_id)));
	about(m, first,
	    "MTA-STS: others use TLS with a verified certificate when "
	    "delivering to the domain. The policy itself is served by https. "
	    "Change the id whenever the policy changes.");
}

static int
add_mail(struct make *m, struct err *e)
{
	size_t first = m->records->n;

	add(m, m->domain, "MX",
	    arena_printf(m->arena, "10 %.*s.", SLICE_FMT(m->host)));
	about(m, first, "Mail to the domain is delivered to this host.");
	if (add_dkim(m, e) < 0)
		return -1;
	first = m->records->n;
	add(m, m->domain, "TXT", spf(m));
	about(m, first,
	    "SPF: addresses that mail from the domain comes from. ~all lets "
	    "others look at DKIM for mail that was forwarded.");
	add_dmarc(m);
	add_mtasts(m);
	if (m->conf->tlsrpt) {
		first = m->records->n;
		add_tlsrpt(m, m->domain,
		    report_uri(m, m->conf->tlsrpt->localpart,
			reports_domain(m, m->conf->tlsrpt)));
		about(m, first,
		    "TLSRPT: where others send reports about TLS with the "
		    "mail hosts of the domain.");
	}
	return 0;
}

/* ---- mail programs ---- */

/* RFC 6186: where the service is, or that it is not offered. */
static void
add_srv(struct make *m, const char *service, struct slice host, int port)
{
	struct slice value = SLICE("0 0 0 .");

	if (port > 0)
		value = arena_printf(m->arena, "0 1 %d %.*s.", port,
		    SLICE_FMT(host));
	add(m, below(m, service, m->domain), "SRV", value);
}

/* The first of a kind; with TLS, or, if tls is false, only if there is no
 * such. */
static void
add_service(struct make *m, const struct clientsettings *all, bool imap,
    bool tls, const char *service)
{
	const struct clientsetting *with = NULL, *without = NULL, *s;

	for (size_t i = 0; i < all->n; i++) {
		s = &all->v[i];
		if (s->imap != imap)
			continue;
		if (s->tls == CLIENT_TLS)
			with = with ? with : s;
		else
			without = without ? without : s;
	}
	s = tls ? with : with ? NULL : without;
	add_srv(m, service, s ? s->host : SLICE_NULL, s ? s->port : 0);
}

static bool
serves_autoconfig(const struct config *config)
{
	const struct conf_listeners *listeners = &config->mox.listeners;

	for (size_t i = 0; i < listeners->n; i++)
		if (listeners->v[i].autoconfig_https &&
		    listeners->v[i].autoconfig_https->enabled)
			return true;
	return false;
}

static void
add_clients(struct make *m)
{
	struct clientsettings all =
	    clientsettings_make(m->config, m->conf, m->arena);
	size_t first = m->records->n;
	struct slice client;

	if (m->conf->client_settings_domain.n > 0 &&
	    idna_ascii(m->arena, m->conf->client_settings_domain, &client,
		NULL) == 0 &&
	    !slice_eq(client, m->host))
		add(m, client, "CNAME", with_dot(m, m->host));
	about(m, first,
	    "Host name for mail programs, so that the domain can move to "
	    "another host.");
	first = m->records->n;
	if (serves_autoconfig(m->config)) {
		add(m, below(m, "autoconfig", m->domain), "CNAME",
		    with_dot(m, m->host));
		add_srv(m, "_autodiscover._tcp", m->host, 443);
	}
	about(m, first, "Mail programs find their settings by themselves.");
	first = m->records->n;
	add_service(m, &all, true, true, "_imaps._tcp");
	add_service(m, &all, false, true, "_submissions._tcp");
	about(m, first,
	    "Services that mail programs should use, and those that are not "
	    "offered.");
	add_service(m, &all, true, false, "_imap._tcp");
	add_service(m, &all, false, false, "_submission._tcp");
	add_srv(m, "_pop3._tcp", SLICE_NULL, 0);
	add_srv(m, "_pop3s._tcp", SLICE_NULL, 0);
}

/* ---- certificates ---- */

static struct slice
acme_issuer(const struct config *config)
{
	const struct mox_conf *mox = &config->mox;

	for (size_t i = 0; i < mox->listeners.n; i++) {
		const struct conf_tls *tls = mox->listeners.v[i].tls;

		for (size_t k = 0; tls && k < mox->acme.n; k++)
			if (slice_eq(mox->acme.v[k].name, tls->acme) &&
			    mox->acme.v[k].issuer_domain_name.n > 0)
				return mox->acme.v[k].issuer_domain_name;
	}
	return SLICE_NULL;
}

/* RFC 8657: only our account, only the ways it proves itself. */
static void
add_caa_account(struct make *m, struct slice name, struct slice issuer)
{
	add(m, name, "CAA",
	    arena_printf(m->arena,
		"0 issue \"%.*s; accounturi=%.*s; "
		"validationmethods=tls-alpn-01,http-01\"",
		SLICE_FMT(issuer), SLICE_FMT(m->opts->acme_account_uri)))
	    ->optional = true;
}

static void
add_caa(struct make *m)
{
	struct slice issuer = acme_issuer(m->config), client;
	size_t first = m->records->n;

	if (issuer.n == 0)
		return;
	add(m, m->domain, "CAA",
	    arena_printf(m->arena, "0 issue \"%.*s\"", SLICE_FMT(issuer)))
	    ->optional = m->opts->has_caa;
	about(m, first,
	    "If you like: no other authority may issue certificates for the "
	    "domain.");
	if (m->opts->acme_account_uri.n == 0)
		return;
	first = m->records->n;
	add_caa_account(m, m->domain, issuer);
	about(m, first,
	    "Or, more strictly, only to the account of this host. Other "
	    "programs that get certificates for these names stop working.");
	if (serves_autoconfig(m->config))
		add_caa_account(m, below(m, "autoconfig", m->domain), issuer);
	if (m->conf->mtasts)
		add_caa_account(m, below(m, "mta-sts", m->domain), issuer);
	if (m->conf->client_settings_domain.n > 0 &&
	    idna_ascii(m->arena, m->conf->client_settings_domain, &client,
		NULL) == 0)
		add_caa_account(m, client, issuer);
	if (!slice_eq(m->host, m->domain))
		add_caa_account(m, m->host, issuer);
}

int
dnsrecords_make(const struct config *config, const struct conf_domain *domain,
    const struct dnsrecords_opts *opts, struct arena *arena,
    struct dnsrecords *records_r, struct err *e)
{
	struct make m = { .config = config,
		.conf = domain,
		.opts = opts,
		.arena = arena,
		.host = config->hostname };

	*records_r = (struct dnsrecords){ SLICE_NULL, NULL, 0 };
	m.records = records_r;
	if (idna_ascii(arena, domain->name, &m.domain, e) < 0)
		return -1;
	records_r->domain = m.domain;
	if (add_host(&m, e) < 0 || add_mail(&m, e) < 0)
		return -1;
	add_clients(&m);
	add_caa(&m);
	return 0;
}

/* ---- as text ---- */

#define COMMENT_WIDTH 78

static void
comment(struct slice text, struct buf *b)
{
	struct slice word;
	size_t column = 0;

	while (slice_next(&text, ' ', &word)) {
		if (column > 0 && column + 1 + word.n > COMMENT_WIDTH) {
			buf_addc(b, '\n');
			column = 0;
		}
		buf_addz(b, column == 0 ? "; " : " ");
		buf_add(b, word);
		column += word.n + (column == 0 ? 2 : 1);
	}
	buf_addc(b, '\n');
}

void
dnsrecords_line(const struct dnsrecord *r, struct buf *b)
{
	buf_addf(b, "%.*s. %s ", SLICE_FMT(r->name), r->type);
	if (strcmp(r->type, "TXT") == 0)
		dkim_txt_split(r->value, b);
	else
		buf_add(b, r->value);
	buf_addc(b, '\n');
}

static void
record_line(const struct dnsrecord *r, struct buf *b)
{
	struct buf line = BUF_INIT(2 * RECORD_MAX);
	struct slice rest, part;

	dnsrecords_line(r, &line);
	for (rest = buf_slice(&line); slice_line(&rest, &part);) {
		if (r->optional)
			buf_addz(b, ";; ");
		buf_add(b, part);
		buf_addc(b, '\n');
	}
	buf_free(&line);
}

void
dnsrecords_zone(const struct dnsrecords *records, struct buf *b)
{
	comment(SLICE("Times to live are short while things are set up: 300 "
		      "seconds until a mistake is mended everywhere."),
	    b);
	buf_addf(b, "$TTL %d\n", TTL);
	for (size_t i = 0; i < records->n; i++) {
		if (records->v[i].about.n > 0) {
			buf_addc(b, '\n');
			comment(records->v[i].about, b);
		}
		record_line(&records->v[i], b);
	}
}
