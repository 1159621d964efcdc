#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/log.h"
#include "base/scan.h"
#include "config/field.h"
#include "config/name.h"
#include "message/smtpaddr.h"
#include "net/addr.h"
#include "text/pattern.h"
#include "text/unicode.h"

#define SMTP_TEXT_MAX 256 /* leaves room in a reply line, RFC 5321 4.5.3.1.5 */
#define ACCOUNT_MAX 128   /* a folder name, also when escaped */
#define MAILBOX_MAX 1000  /* STORE_NAME_MAX */

static struct slice
text_of(const void *value)
{
	return *(const struct slice *)value;
}

/* Words is a list of texts separated by blanks. */
static bool
is_word(struct slice text, const char *words)
{
	struct slice rest = slice_str(words), word;

	while (slice_next(&rest, ' ', &word))
		if (slice_eq(word, text))
			return true;
	return false;
}

static bool
is_printable_ascii(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return false;
	return true;
}

const char *
field_text(const void *value)
{
	return text_of(value).n > 0 ? NULL : "must not be empty";
}

/* ---- names of hosts and addresses ---- */

const char *
field_domain(const void *value)
{
	struct arena *arena = arena_new(0);
	struct slice ascii, text = text_of(value);
	bool ok = name_domain(arena, text, &ascii);

	arena_free(&arena);
	if (ok)
		return NULL;
	return slice_findi(text, SLICE("xn--")) >= 0
	    ? "must be a domain in unicode form, without xn--"
	    : "must be a domain without trailing dot";
}

const char *
field_ip(const void *value)
{
	struct in6_addr ip;
	char text[INET6_ADDRSTRLEN];

	if (slice_cstr(text_of(value), text, sizeof(text)) &&
	    (inet_pton(AF_INET, text, &ip) == 1 ||
		inet_pton(AF_INET6, text, &ip) == 1))
		return NULL;
	return "must be an IP address";
}

const char *
field_resolver(const void *value)
{
	struct slice address, port;
	uint32_t n = 1;
	struct ip ip;

	if (slice_cut(text_of(value), '@', &address, &port) &&
	    (!slice_u32(port, &n) || n == 0 || n > UINT16_MAX))
		return "must have a port number behind @";
	return ip_parse(address, &ip) ? NULL : "must be an IP address";
}

const char *
field_public_ip(const void *value)
{
	struct in6_addr ip;
	char text[INET6_ADDRSTRLEN];
	bool ok;

	if (field_ip(value) || !slice_cstr(text_of(value), text, sizeof(text)))
		return field_ip(value);
	if (inet_pton(AF_INET, text, &ip) == 1)
		ok = ip.s6_addr[0] != 0 && ip.s6_addr[0] != 127;
	else
		ok = inet_pton(AF_INET6, text, &ip) == 1 &&
		    !IN6_IS_ADDR_UNSPECIFIED(&ip) && !IN6_IS_ADDR_LOOPBACK(&ip);
	return ok ? NULL : "must be a public address";
}

const char *
field_prefix(const void *value)
{
	struct slice ip, bits;
	uint32_t n;
	bool cut = slice_cut(text_of(value), '/', &ip, &bits);

	if (field_ip(&ip) ||
	    (cut &&
		(!slice_u32(bits, &n) ||
		    n > (slice_chr(ip, ':') < 0 ? 32 : 128))))
		return "must be an IP address or a prefix such as 10.0.0.0/8";
	return NULL;
}

const char *
field_domain_or_ip(const void *value)
{
	if (!field_ip(value) || !field_domain(value))
		return NULL;
	return "must be a domain or an IP address";
}

const char *
field_host_port(const void *value)
{
	struct slice text = text_of(value), host;
	ssize_t colon = slice_rchr(text, ':');
	uint32_t port;

	if (colon > 0 &&
	    slice_u32(slice_skip(text, (size_t)colon + 1), &port) && port > 0 &&
	    port <= 65535) {
		host = slice_head(text, (size_t)colon);
		if (slice_starts(host, SLICE("[")) &&
		    slice_ends(host, SLICE("]")))
			host = slice_sub(host, 1, host.n - 1);
		if (!field_domain_or_ip(&host))
			return NULL;
	}
	return "must be host:port";
}

const char *
field_address(const void *value)
{
	struct arena *arena = arena_new(0);
	struct name_address address;
	bool ok = name_parse(arena, text_of(value), false, &address);

	arena_free(&arena);
	return ok ? NULL : "must be an address, localpart@domain";
}

const char *
field_localpart(const void *value)
{
	struct arena *arena = arena_new(0);
	struct slice local;
	bool ok = name_localpart(arena, text_of(value), &local);

	arena_free(&arena);
	return ok ? NULL : "must be the localpart of an address";
}

const char *
field_ascii_localpart(const void *value)
{
	if (!unicode_is_ascii(text_of(value)) || field_localpart(value))
		return "must be the localpart of an address, in ASCII";
	return NULL;
}

const char *
field_separator(const void *value)
{
	struct slice text = text_of(value);

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '@' || text.p[i] <= ' ')
			text.n = 0;
	return text.n > 0 ? NULL : "must be a character such as + or -";
}

const char *
field_route_domain(const void *value)
{
	struct slice text = text_of(value);

	if (slice_is(text, "."))
		return NULL;
	if (slice_starts(text, SLICE(".")))
		text = slice_skip(text, 1);
	return field_domain(&text);
}

/* ---- accounts and mailboxes ---- */

const char *
field_account(const void *value)
{
	struct slice text = text_of(value);

	if (text.n == 0 || text.n > ACCOUNT_MAX || !unicode_is_nfc(text) ||
	    text.p[0] == '.' || slice_chr(text, '/') >= 0 ||
	    slice_chr(text, '@') >= 0 || !slice_eq(slice_trim(text), text))
		return "must be a name of at most 128 bytes without / and @, "
		       "not beginning with a dot";
	return NULL;
}

/* What the store refuses as an element of a name (RFC 9051, 5.1). */
static bool
is_level(struct slice level)
{
	for (size_t i = 0; i < level.n; i++)
		if ((unsigned char)level.p[i] < 0x20 || level.p[i] == 0x7f)
			return false;
	return level.n > 0 && !slice_is(level, ".") && !slice_is(level, "..");
}

const char *
field_mailbox(const void *value)
{
	struct slice text = text_of(value), rest = text, level;

	if (!unicode_is_nfc(text))
		return "must be in Unicode normal form C";
	if (text.n == 0 || text.n > MAILBOX_MAX ||
	    slice_starts(text, SLICE("#")) || slice_ends(text, SLICE("/")) ||
	    !slice_eq(slice_trim(text), text))
		return "must be a mailbox, with / between levels";
	while (slice_next(&rest, '/', &level))
		if (!is_level(level))
			return "must be a mailbox, with / between levels";
	return NULL;
}

const char *
field_mailbox_not_inbox(const void *value)
{
	if (slice_isi(text_of(value), "inbox"))
		return "must be another mailbox than Inbox";
	return field_mailbox(value);
}

const char *
field_special_mailbox(const void *value)
{
	if (slice_startsi(text_of(value), SLICE("inbox/")))
		return "must not be below Inbox";
	return field_mailbox_not_inbox(value);
}

/* ---- patterns, paths, web ---- */

const char *
field_regexp(const void *value)
{
	return pattern_check(text_of(value), NULL) == 0
	    ? NULL
	    : "must be a regular expression in the syntax of RE2, without "
	      "look-around and back references";
}

const char *
field_path_regexp(const void *value)
{
	if (!slice_starts(text_of(value), SLICE("^")))
		return "must begin with ^";
	return field_regexp(value);
}

const char *
field_path(const void *value)
{
	return slice_starts(text_of(value), SLICE("/")) ? NULL
							: "must begin with /";
}

const char *
field_base_path(const void *value)
{
	return slice_starts(text_of(value), SLICE("/")) &&
		slice_ends(text_of(value), SLICE("/"))
	    ? NULL
	    : "must begin and end with /";
}

static bool
is_url(struct slice text)
{
	return text.n > 0 && text.p[0] != '/' && is_printable_ascii(text) &&
	    slice_chr(text, ' ') < 0;
}

const char *
field_url(const void *value)
{
	struct slice text = text_of(value);

	if ((slice_startsi(text, SLICE("https://")) &&
		is_url(slice_skip(text, 8))) ||
	    (slice_startsi(text, SLICE("http://")) &&
		is_url(slice_skip(text, 7))))
		return NULL;
	return "must be a URL with http or https";
}

/* The path is the request's, so there must be none of its own. */
const char *
field_base_url(const void *value)
{
	struct slice text = text_of(value), path;
	ssize_t host;

	if (!slice_starts(text, SLICE("//")) && field_url(value))
		return field_url(value);
	host = slice_find(text, SLICE("//"));
	path = slice_skip(text, (size_t)host + 2);
	if (!is_url(path))
		return "must be a URL";
	while (path.n > 0 && !strchr("/?#", path.p[0]))
		path = slice_skip(path, 1);
	if (path.n > 1 && path.p[0] == '/' && !strchr("?#", path.p[1]))
		return "must be a URL with path / or none";
	return NULL;
}

const char *
field_header_name(const void *value)
{
	struct slice text = text_of(value);

	for (size_t i = 0; i < text.n; i++) /* RFC 5322, 3.6.8 */
		if (!scan_print[(unsigned char)text.p[i]] || text.p[i] == ':')
			text.n = 0;
	return text.n > 0 ? NULL : "must be a header name";
}

const char *
field_header_value(const void *value)
{
	return is_printable_ascii(text_of(value)) ? NULL
						  : "must be printable ASCII";
}

const char *
field_web_service(const void *value)
{
	return is_word(text_of(value), "admin account webmail webapi")
	    ? NULL
	    : "must be admin, account, webmail or webapi";
}

const char *
field_webhook_event(const void *value)
{
	return is_word(text_of(value),
		   "delivered suppressed delayed failed relayed expanded "
		   "canceled unrecognized")
	    ? NULL
	    : "must be delivered, suppressed, delayed, failed, relayed, "
	      "expanded, canceled or unrecognized";
}

/* ---- words ---- */

const char *
field_log_level(const void *value)
{
	enum log_level level;

	return log_level_parse(text_of(value), &level)
	    ? NULL
	    : "must be error, warn, info, debug, trace, traceauth or "
	      "tracedata";
}

const char *
field_tls_version(const void *value)
{
	return is_word(text_of(value), "TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3")
	    ? NULL
	    : "must be TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3";
}

const char *
field_mechanism(const void *value)
{
	return is_word(text_of(value),
		   "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS "
		   "SCRAM-SHA-1 CRAM-MD5 PLAIN")
	    ? NULL
	    : "must be SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1-PLUS, "
	      "SCRAM-SHA-1, CRAM-MD5 or PLAIN";
}

const char *
field_client_mechanism(const void *value)
{
	struct slice text = text_of(value);

	if (text.n == 0 || slice_is(text, "EXTERNAL"))
		return NULL;
	return field_mechanism(value) ? "must be empty or a SASL mechanism"
				      : NULL;
}

const char *
field_hash(const void *value)
{
	return is_word(text_of(value), "sha256 sha1")
	    ? NULL
	    : "must be sha256 or sha1";
}

const char *
field_yes_no(const void *value)
{
	return is_word(text_of(value), "yes no") ? NULL
						 : "must be empty, yes or no";
}

/* ---- MTA-STS, RFC 8461 ---- */

const char *
field_mtasts_id(const void *value)
{
	struct slice text = text_of(value);
	size_t i = 0;

	while (i < text.n && scan_alnum[(unsigned char)text.p[i]])
		i++;
	return i == text.n && i >= 1 && i <= 32 /* 3.1 */
	    ? NULL
	    : "must be 1 to 32 letters and digits";
}

const char *
field_mtasts_mode(const void *value)
{
	return is_word(text_of(value), "enforce testing none")
	    ? NULL
	    : "must be enforce, testing or none";
}

const char *
field_mtasts_mx(const void *value)
{
	struct slice text = text_of(value);

	if (slice_starts(text, SLICE("*.")))
		text = slice_skip(text, 2);
	return field_domain(&text) ? "must be a host name or *.domain" : NULL;
}

/* ---- SMTP replies ---- */

const char *
field_smtp_text(const void *value)
{
	struct slice text = text_of(value);

	return text.n > 0 && text.n <= SMTP_TEXT_MAX && is_printable_ascii(text)
	    ? NULL
	    : "must be at most 256 characters of printable ASCII";
}

const char *
field_smtp_error(const void *value)
{
	struct slice code, text;

	slice_cut(text_of(value), ' ', &code, &text);
	if (!is_word(code, "421 550"))
		return "must be 421 or 550 and a text";
	return field_smtp_text(value);
}

const char *
field_smtp_code(const void *value)
{
	int code = *(const int *)value;

	return code >= 400 && code <= 599 ? NULL : "must be 400 to 599";
}

/* ---- numbers ---- */

const char *
field_redirect_code(const void *value)
{
	int code = *(const int *)value;

	return code >= 300 && code <= 399 ? NULL : "must be 300 to 399";
}

const char *
field_port(const void *value)
{
	int port = *(const int *)value;

	return port >= 1 && port <= 65535 ? NULL : "must be 1 to 65535";
}

const char *
field_count(const void *value)
{
	return *(const int *)value >= 0 ? NULL : "must not be negative";
}

const char *
field_size(const void *value)
{
	return *(const int64_t *)value >= 0 ? NULL : "must not be negative";
}

/* Below that, little more than one segment at a time would fit. */
const char *
field_index_size(const void *value)
{
	int64_t v = *(const int64_t *)value;

	return v == 0 || v >= 16000000 ? NULL
				       : "must be 0, or 16000000 or more";
}

const char *
field_period(const void *value)
{
	return field_size(value);
}

const char *
field_probability(const void *value)
{
	double v = *(const double *)value;

	return v >= 0 && v <= 1 ? NULL : "must be 0 to 1";
}

const char *
field_half(const void *value)
{
	double v = *(const double *)value;

	return v >= 0 && v <= 0.5 ? NULL : "must be 0 to 0.5";
}
