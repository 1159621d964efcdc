/* mtasts_http - HTTPS GET of a policy (RFC 8461, 3.3), by libcurl. */
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/opt.h"
#include "tools/mtasts_fetch.h"

#define ADDRESSES_MAX 16
#define HEADER_MAX (64 * 1024) /* bytes of a header: libcurl keeps them */

struct get {
	const struct mtasts_web *web;
	struct arena *arena;
	const char *host; /* mta-sts.DOMAIN */
	struct buf body;
	size_t header; /* bytes so far */
	char error[CURL_ERROR_SIZE];
};

struct slice
mtasts_url(const struct mtasts_web *web, struct arena *arena,
    struct slice domain)
{
	char port[8] = "";

	if (web->port != 443)
		snprintf(port, sizeof(port), ":%u", web->port);
	return arena_printf(arena,
	    "https://mta-sts.%.*s%s/.well-known/mta-sts.txt", SLICE_FMT(domain),
	    port);
}

/* ---- what comes ---- */

/* Returning less than was given ends the transfer. */
static size_t
take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct get *g = ctx;

	(void)size; /* 1 */
	buf_add(&g->body, slice_of(p, n));
	return g->body.over ? 0 : n;
}

static size_t
take_header(char *p, size_t size, size_t n, void *ctx)
{
	struct get *g = ctx;

	(void)p;
	(void)size;
	g->header += n;
	return g->header > HEADER_MAX ? 0 : n;
}

/* ---- what is asked ---- */

/* RFC 8461, 3.3: DNS-IDs only, no name of the subject; "*" is a whole label. */
static CURLcode
set_trust(CURL *curl, void *ssl_ctx, void *ctx)
{
	const struct get *g = ctx;
	X509_STORE *trust =
	    SSL_CTX_get_cert_store(tls_client_context(g->web->tls));
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);

	(void)curl;
	SSL_CTX_set1_cert_store(ssl_ctx, trust);
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, g->host, 0) == 1
	    ? CURLE_OK
	    : CURLE_OUT_OF_MEMORY;
}

/* "host:port:address,[address]": nobody else is asked. */
static struct curl_slist *
addresses_of(const struct get *g, const struct dns_answer *addresses)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct curl_slist *list;
	char text[IP_TEXT];

	buf_addf(&b, "%s:%u:", g->host, g->web->port);
	for (size_t i = 0; i < addresses->n && i < ADDRESSES_MAX; i++) {
		const struct ip *ip = &addresses->v[i].ip;

		buf_addf(&b, ip->family == 6 ? "%s[%s]" : "%s%s",
		    i > 0 ? "," : "", ip_text(ip, text));
	}
	list = curl_slist_append(NULL, buf_cstr(&b));
	buf_free(&b);
	return list;
}

static bool
set_up(CURL *curl, struct get *g, const char *url, struct curl_slist *addresses,
    int64_t timeout_ms)
{
	CURLcode rc = addresses == NULL ? CURLE_OUT_OF_MEMORY : CURLE_OK;

#define SET(option, value) \
	if (rc == CURLE_OK) \
	rc = curl_easy_setopt(curl, option, value)
	SET(CURLOPT_ERRORBUFFER, g->error);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "mox/" MOX_VERSION);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, ""); /* whatever the environment says */
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	SET(CURLOPT_RESOLVE, addresses);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_SSL_CTX_FUNCTION, set_trust);
	SET(CURLOPT_SSL_CTX_DATA, g);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, g);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, g);
#undef SET
	return rc == CURLE_OK;
}

/* ---- what became of it ---- */

static struct mtasts_fetched
failed(const struct get *g, const char *type, const char *what)
{
	return (struct mtasts_fetched){ .failure_type = slice_str(type),
		.failure = arena_printf(g->arena, "%s: %s", g->host, what) };
}

static struct mtasts_fetched
transfer_failed(const struct get *g, CURLcode rc)
{
	const char *text =
	    *g->error != '\0' ? g->error : curl_easy_strerror(rc);

	if (g->body.over)
		return failed(g, "sts-policy-invalid",
		    arena_printf(g->arena, "policy of more than %d bytes",
			MTASTS_POLICY_MAX)
			.p);
	return failed(g,
	    rc == CURLE_PEER_FAILED_VERIFICATION ? "sts-webpki-invalid"
						 : "sts-policy-fetch-error",
	    text);
}

/* RFC 8461, 3.2: text/plain, whatever its parameters. */
static bool
is_text(const char *content_type)
{
	struct slice type, parameters;

	slice_cut(slice_str(content_type), ';', &type, &parameters);
	return slice_isi(slice_trim(type), "text/plain");
}

static struct mtasts_fetched
judge(CURL *curl, const struct get *g)
{
	char what[200];
	char *type = NULL;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	if (status != 200) {
		snprintf(what, sizeof(what), "HTTP status %ld%s", status,
		    status / 100 == 3 ? ", and no redirect is followed" : "");
		return failed(g, "sts-policy-fetch-error", what);
	}
	if (!is_text(type)) {
		snprintf(what, sizeof(what),
		    "Content-Type is %.100s, not text/plain",
		    type != NULL ? type : "missing");
		return failed(g, "sts-policy-invalid", what);
	}
	return (struct mtasts_fetched){ .text = arena_dup(g->arena,
					    buf_slice(&g->body)) };
}

void
mtasts_http_get(const struct mtasts_web *web, struct slice domain,
    const struct dns_answer *addresses, int64_t timeout_ms, struct arena *arena,
    struct mtasts_fetched *fetched_r)
{
	struct get g = { .web = web,
		.arena = arena,
		.host =
		    arena_printf(arena, "mta-sts.%.*s", SLICE_FMT(domain)).p,
		.body = BUF_INIT(MTASTS_POLICY_MAX) };
	struct curl_slist *list = addresses_of(&g, addresses);
	CURL *curl = curl_easy_init();
	CURLcode rc = CURLE_FAILED_INIT;

	if (curl != NULL &&
	    set_up(curl, &g, mtasts_url(web, arena, domain).p, list,
		timeout_ms))
		rc = curl_easy_perform(curl);
	*fetched_r = rc == CURLE_OK ? judge(curl, &g) : transfer_failed(&g, rc);
	if (curl != NULL)
		curl_easy_cleanup(curl);
	curl_slist_free_all(list);
	buf_free(&g.body);
}
