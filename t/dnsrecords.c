/*
 * Records a domain should have, as zone text, and settings of mail programs.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/sha.h"
#include "config/clientsettings.h"
#include "config/dnsrecords.h"
#include "t/scratch.h"

/* Keys whose public halves openssl(1) printed. */
static const char ed25519_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n"; /* RFC 8032, 7.1, TEST 1 */

static const char mox_conf[] =
    "DataDir: data\n"
    "LogLevel: info\n"
    "Hostname: mail.example.org\n"
    "ACME:\n"
    "\tle:\n"
    "\t\tDirectoryURL: https://acme-v02.api.letsencrypt.org/directory\n"
    "\t\tContactEmail: a@example.org\n"
    "Listeners:\n"
    "\tinternal:\n"
    "\t\tIPs:\n"
    "\t\t\t- 127.0.0.1\n"
    "\t\tHostname: localhost\n"
    "\t\tIMAP:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1143\n"
    "\t\t\tNoRequireSTARTTLS: true\n"
    "\t\tSubmission:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tNoRequireSTARTTLS: true\n"
    "\tpublic:\n"
    "\t\tIPs:\n"
    "\t\t\t- 10.0.0.1\n"
    "\t\t\t- 2001:db8::1\n"
    "\t\tNATIPs:\n"
    "\t\t\t- 192.0.2.10\n"
    "\t\t\t- 192.0.2.1\n"
    "\t\t\t- 2001:db8::1\n"
    "\t\tTLS:\n"
    "\t\t\tACME: le\n"
    "\t\t\tHostPrivateKeyFiles:\n"
    "\t\t\t\t- host.pem\n"
    "\t\tSMTP:\n"
    "\t\t\tEnabled: true\n"
    "\t\tSubmissions:\n"
    "\t\t\tEnabled: true\n"
    "\t\tSubmission:\n"
    "\t\t\tEnabled: true\n"
    "\t\tIMAP:\n"
    "\t\t\tEnabled: true\n"
    "\t\tIMAPS:\n"
    "\t\t\tEnabled: true\n"
    "\t\tAutoconfigHTTPS:\n"
    "\t\t\tEnabled: true\n"
    "\t\tMTASTSHTTPS:\n"
    "\t\t\tEnabled: true\n"
    "Postmaster:\n"
    "\tAccount: a\n"
    "\tMailbox: Postmaster\n"
    "HostTLSRPT:\n"
    "\tAccount: a\n"
    "\tMailbox: TLSRPT\n"
    "\tLocalpart: tls/reports\n"
    "Transports:\n"
    "\tsocks:\n"
    "\t\tSocks:\n"
    "\t\t\tAddress: 127.0.0.1:1080\n"
    "\t\t\tRemoteIPs:\n"
    "\t\t\t\t- 192.0.2.77\n"
    "\t\t\t\t- 192.0.2.1\n"
    "\t\t\tRemoteHostname: out.example.org\n";

static const char domains_conf[] = "Domains:\n"
				   "\tb\xc3\xbc"
				   "cher.example:\n"
				   "\t\tClientSettingsDomain: mail.b\xc3\xbc"
				   "cher.example\n"
				   "\t\tDKIM:\n"
				   "\t\t\tSelectors:\n"
				   "\t\t\t\t2026a:\n"
				   "\t\t\t\t\tPrivateKeyFile: dkim.pem\n"
				   "\t\tDMARC:\n"
				   "\t\t\tLocalpart: dmarcreports\n"
				   "\t\t\tDomain: mail.example.org\n"
				   "\t\t\tAccount: a\n"
				   "\t\t\tMailbox: DMARC\n"
				   "\t\tMTASTS:\n"
				   "\t\t\tPolicyID: 20260101T000000\n"
				   "\t\t\tMode: enforce\n"
				   "\t\t\tMaxAge: 24h\n"
				   "\t\tTLSRPT:\n"
				   "\t\t\tLocalpart: tlsreports\n"
				   "\t\t\tAccount: a\n"
				   "\t\t\tMailbox: TLSRPT\n"
				   "\tmail.example.org: nil\n"
				   "Accounts:\n"
				   "\ta:\n"
				   "\t\tDomain: mail.example.org\n"
				   "\t\tDestinations:\n"
				   "\t\t\ta@mail.example.org: nil\n";

#define D "xn--bcher-kva.example."
#define SPF \
	"\"v=spf1 ip4:192.0.2.10 ip4:192.0.2.1 ip6:2001:db8::1 " \
	"ip4:192.0.2.77 mx ~all\"\n"

/* Without comments; %s is the digest of the host's key. */
static const char zone[] =
    "$TTL 300\n"
    ";; _25._tcp.mail.example.org. TLSA 3 1 1 %s\n"
    "mail.example.org. TXT \"v=spf1 a -all\"\n"
    "_smtp._tls.mail.example.org. TXT "
    "\"v=TLSRPTv1; rua=mailto:tls%%2Freports@mail.example.org\"\n" D
    " MX 10 mail.example.org.\n"
    "2026a._domainkey." D " TXT \"v=DKIM1;h=sha256;k=ed25519;"
    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n" D " TXT " SPF
    "_dmarc." D " TXT \"v=DMARC1;p=reject;"
    "rua=mailto:dmarcreports@mail.example.org!10m\"\n"
    "xn--bcher-kva.example._report._dmarc.mail.example.org. TXT "
    "\"v=DMARC1\"\n"
    "mta-sts." D " CNAME mail.example.org.\n"
    "_mta-sts." D " TXT \"v=STSv1; id=20260101T000000\"\n"
    "_smtp._tls." D " TXT "
    "\"v=TLSRPTv1; rua=mailto:tlsreports@xn--bcher-kva.example\"\n"
    "mail." D " CNAME mail.example.org.\n"
    "autoconfig." D " CNAME mail.example.org.\n"
    "_autodiscover._tcp." D " SRV 0 1 443 mail.example.org.\n"
    "_imaps._tcp." D " SRV 0 1 993 mail." D "\n"
    "_submissions._tcp." D " SRV 0 1 465 mail." D "\n"
    "_imap._tcp." D " SRV 0 0 0 .\n"
    "_submission._tcp." D " SRV 0 0 0 .\n"
    "_pop3._tcp." D " SRV 0 0 0 .\n"
    "_pop3s._tcp." D " SRV 0 0 0 .\n" D " CAA 0 issue \"letsencrypt.org\"\n"
#define CAA(name) \
	";; " name " CAA 0 issue \"letsencrypt.org; accounturi=https://ca/1; " \
	"validationmethods=tls-alpn-01,http-01\"\n"
    CAA(D) CAA("autoconfig." D) CAA("mta-sts." D) CAA("mail." D)
	CAA("mail.example.org.");

/* The domain that is the host itself says less. */
static const char host_zone[] =
    "$TTL 300\n"
    "_25._tcp.mail.example.org. TLSA 3 1 1 %s\n"
    "mail.example.org. MX 10 mail.example.org.\n"
    "mail.example.org. TXT " SPF
    "_dmarc.mail.example.org. TXT \"v=DMARC1;p=reject\"\n"
    "autoconfig.mail.example.org. CNAME mail.example.org.\n"
    "_autodiscover._tcp.mail.example.org. SRV 0 1 443 mail.example.org.\n"
    "_imaps._tcp.mail.example.org. SRV 0 1 993 mail.example.org.\n"
    "_submissions._tcp.mail.example.org. SRV 0 1 465 mail.example.org.\n"
    "_imap._tcp.mail.example.org. SRV 0 0 0 .\n"
    "_submission._tcp.mail.example.org. SRV 0 0 0 .\n"
    "_pop3._tcp.mail.example.org. SRV 0 0 0 .\n"
    "_pop3s._tcp.mail.example.org. SRV 0 0 0 .\n"
    ";; mail.example.org. CAA 0 issue \"letsencrypt.org\"\n";

static struct arena *arena;
static struct config *config;
static struct config_domains *domains;

/* A P-256 key in host.pem; the SHA-256 of its SubjectPublicKeyInfo. */
static struct slice
make_host_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char digest[SHA_MAX], *der = NULL;
	struct slice hex = SLICE_NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long n;
	int len = i2d_PUBKEY(key, &der);

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(bio, &pem);
	scratch_put("host.pem", slice_of(pem, (size_t)n));
	sha_digest(SHA_256, slice_of((char *)der, (size_t)len), digest);
	for (size_t i = 0; i < 32; i++)
		hex =
		    arena_printf(arena, "%.*s%02x", SLICE_FMT(hex), digest[i]);
	OPENSSL_free(der);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return hex;
}

/* The zone text without comments and empty lines. */
static struct slice
zone_of(size_t i, const struct dnsrecords_opts *opts)
{
	struct buf text = BUF_INIT(1 << 20);
	struct dnsrecords records;
	struct err e = ERR_INIT;
	struct slice rest, line, all = SLICE_NULL;

	CHECK_EQ(dnsrecords_make(config, &domains->conf.domains.v[i], opts,
		     arena, &records, &e),
	    0);
	CHECK_STR(e.text, "");
	dnsrecords_zone(&records, &text);
	for (rest = buf_slice(&text); slice_line(&rest, &line);) {
		CHECK(line.n <= 80 || !slice_starts(line, SLICE("; ")));
		if (line.n > 0 && !slice_starts(line, SLICE("; ")))
			all = arena_printf(arena, "%.*s%.*s\n", SLICE_FMT(all),
			    SLICE_FMT(line));
	}
	buf_free(&text);
	return all;
}

/* want with its one %s replaced, and %% as it is in printf. */
static struct slice
with_digest(const char *want, struct slice hex)
{
	struct buf b = BUF_INIT(1 << 20);
	struct slice r;

	for (; *want; want++)
		if (want[0] == '%' && want[1] == 's') {
			buf_add(&b, hex);
			want++;
		} else if (want[0] == '%') {
			buf_addc(&b, '%');
			want++;
		} else
			buf_addc(&b, *want);
	r = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return r;
}

static void
test_zone(void)
{
	struct dnsrecords_opts opts = { .acme_account_uri =
					    SLICE("https://ca/1") };
	struct dnsrecords_opts signed_zone = { .host_dnssec = true,
		.has_caa = true };
	struct slice hex = make_host_key();

	CHECK_SLICE(zone_of(0, &opts), with_digest(zone, hex));
	CHECK_SLICE(zone_of(1, &signed_zone), with_digest(host_zone, hex));
}

/* Private ones are not; each once. */
static void
test_sources(void)
{
	static const struct {
		const char *ip, *host;
	} want[] = {
		{ "192.0.2.10", "mail.example.org" },
		{ "192.0.2.1", "mail.example.org" },
		{ "2001:db8::1", "mail.example.org" },
		{ "192.0.2.77", "out.example.org" },
	};
	struct dnsrecords_source *v;
	char text[IP_TEXT];
	size_t n;

	v = dnsrecords_sources(config, arena, &n);
	CHECK_EQ(n, 4);
	for (size_t i = 0; i < 4 && i < n; i++) {
		CHECK_STR(ip_text(&v[i].ip, text), want[i].ip);
		CHECK_SLICE(v[i].host, slice_str(want[i].host));
	}
}

static void
test_missing_key(void)
{
	struct dnsrecords_opts opts = { 0 };
	struct dnsrecords records;
	struct err e = ERR_INIT;

	CHECK_EQ(unlinkat(scratch_fd, "host.pem", 0), 0);
	CHECK_EQ(dnsrecords_make(config, &domains->conf.domains.v[0], &opts,
		     arena, &records, &e),
	    -1);
	CHECK_STR(e.text, "./host.pem: no such file");
}

static void
test_clients(void)
{
	static const struct {
		const char *protocol, *host;
		int port;
		const char *listener, *note;
	} want[] = {
		{ "IMAP", "mail." D, 993, "public", "with TLS" },
		{ "IMAP", "mail." D, 143, "public", "with STARTTLS required" },
		{ "IMAP", "mail." D, 1143, "internal",
		    "plain text, no STARTTLS configured" },
		{ "Submission (SMTP)", "mail." D, 465, "public", "with TLS" },
		{ "Submission (SMTP)", "mail." D, 587, "public",
		    "with STARTTLS required" },
		{ "Submission (SMTP)", "mail." D, 587, "internal",
		    "plain text, no STARTTLS configured" },
	};
	struct clientsettings all =
	    clientsettings_make(config, &domains->conf.domains.v[0], arena);

	CHECK_EQ(all.n, 6);
	for (size_t i = 0; i < 6 && i < all.n; i++) {
		const struct clientsetting *s = &all.v[i];

		CHECK_STR(clientsettings_protocol(s), want[i].protocol);
		CHECK_SLICE(arena_printf(arena, "%.*s.", SLICE_FMT(s->host)),
		    slice_str(want[i].host));
		CHECK_EQ(s->port, want[i].port);
		CHECK_SLICE(s->listener, slice_str(want[i].listener));
		CHECK_STR(clientsettings_note(s), want[i].note);
	}
	/* Without a name of the domain: those of the listeners. */
	all = clientsettings_make(config, NULL, arena);
	CHECK_SLICE(all.v[0].host, SLICE("mail.example.org"));
	CHECK_SLICE(all.v[2].host, SLICE("localhost"));
}

int
main(void)
{
	struct sconf_errors errors;

	unsetenv("MOX_LOGLEVEL");
	arena = arena_new(0);
	scratch_begin();
	if (chdir(scratch_path) < 0)
		return 111;
	scratch_put("mox.conf", slice_str(mox_conf));
	scratch_put("domains.conf", slice_str(domains_conf));
	scratch_put("dkim.pem", slice_str(ed25519_pem));
	sconf_errors_init(&errors, arena);
	CHECK_EQ(config_load("mox.conf", &config, &errors), 0);
	CHECK_EQ(config_domains_load(config, &errors, &domains), 0);
	for (size_t i = 0; i < errors.n; i++) {
		struct slice line = sconf_error_format(&errors.v[i], arena);

		printf("%.*s\n", SLICE_FMT(line));
	}
	RUN(test_zone);
	RUN(test_sources);
	RUN(test_missing_key);
	RUN(test_clients);
	config_domains_free(&domains);
	config_free(&config);
	arena_free(&arena);
	scratch_end();
	return unit_done();
}
