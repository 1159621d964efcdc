/* proxy - the header of the PROXY protocol (HAProxy, proxy-protocol.txt). */
#include "net/proxy.h"

#include <string.h>

#include "base/scan.h"

#define V1_MIN 15  /* "PROXY UNKNOWN\r\n" */
#define V1_MAX 107 /* 2.1: with its CRLF */
#define V2_HEAD 16 /* 2.2: up to and with the length of the rest */

enum { V2_LOCAL, V2_PROXY };             /* commands */
enum { V2_TCP4 = 0x11, V2_TCP6 = 0x21 }; /* families with their protocol */

#define V2_SIGNATURE 12

static const char v2_signature[V2_SIGNATURE] = { '\r', '\n', '\r', '\n', '\0',
	'\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

static unsigned
be16(const char *p)
{
	return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

/* ---- version 1: a line of text ---- */

static bool
scan_address(struct scan *sc, bool ipv6, struct ip *ip_r)
{
	struct slice text = scan_until(sc, ' ');

	return ip_parse(text, ip_r) && (slice_chr(text, ':') >= 0) == ipv6 &&
	    scan_char(sc, ' ');
}

static bool
scan_port(struct slice text, uint16_t *port_r)
{
	uint32_t port;

	if (text.n > 1 && text.p[0] == '0')
		return false;
	if (!slice_u32(text, &port) || port > UINT16_MAX)
		return false;
	*port_r = (uint16_t)port;
	return true;
}

/* 2.1: "PROXY TCP4 source destination port port". */
static bool
parse_line(struct slice line, struct proxy *p)
{
	struct scan sc = scan_of(line);
	bool ipv6;

	if (!scan_lit(&sc, SLICE("PROXY ")))
		return false;
	if (scan_lit(&sc, SLICE("UNKNOWN"))) {
		p->local = true;
		return scan_end(&sc) || scan_peek(&sc) == ' ';
	}
	ipv6 = scan_lit(&sc, SLICE("TCP6 "));
	if (!ipv6 && !scan_lit(&sc, SLICE("TCP4 ")))
		return false;
	return scan_address(&sc, ipv6, &p->source) &&
	    scan_address(&sc, ipv6, &p->destination) &&
	    scan_port(scan_until(&sc, ' '), &p->source_port) &&
	    scan_char(&sc, ' ') &&
	    scan_port(scan_rest(&sc), &p->destination_port);
}

static int
parse_v1(struct slice bytes, struct proxy *p, struct err *e)
{
	ssize_t lf = slice_chr(bytes, '\n');

	if (bytes.n < V1_MIN && lf < 0)
		return (int)(V1_MIN - bytes.n);
	if (lf < 0 && bytes.n >= V1_MAX)
		return err_set(e, ERR_LIMIT, "proxy: line too long");
	if (lf < 0)
		return bytes.p[bytes.n - 1] == '\r' ? 1 : 2;
	if ((size_t)lf + 1 != bytes.n || lf < 1 || bytes.p[lf - 1] != '\r' ||
	    !parse_line(slice_head(bytes, bytes.n - 2), p))
		return err_set(e, ERR_SYNTAX, "proxy: malformed line");
	return 0;
}

/* ---- version 2: binary ---- */

/* The addresses, then the ports. */
static bool
parse_addresses(struct slice rest, unsigned char family, struct proxy *p)
{
	size_t size = family == 4 ? 4 : 16;

	if (rest.n < 2 * size + 4)
		return false;
	p->source = ip_from_bytes(family, rest.p);
	p->destination = ip_from_bytes(family, rest.p + size);
	p->source_port = (uint16_t)be16(rest.p + 2 * size);
	p->destination_port = (uint16_t)be16(rest.p + 2 * size + 2);
	return true;
}

static int
parse_v2(struct slice bytes, struct proxy *p, struct err *e)
{
	unsigned version, command, protocol;
	size_t whole;
	struct slice rest;

	if (bytes.n < V2_HEAD)
		return (int)(V2_HEAD - bytes.n);
	version = (unsigned char)bytes.p[12] >> 4;
	command = (unsigned char)bytes.p[12] & 15;
	protocol = (unsigned char)bytes.p[13];
	whole = V2_HEAD + be16(bytes.p + 14);
	if (version != 2 || command > V2_PROXY)
		return err_set(e, ERR_SYNTAX, "proxy: unknown version");
	if (whole > PROXY_MAX)
		return err_set(e, ERR_LIMIT, "proxy: header too long");
	if (bytes.n < whole)
		return (int)(whole - bytes.n);
	if (bytes.n > whole)
		return err_set(e, ERR_SYNTAX, "proxy: bytes behind header");
	rest = slice_skip(bytes, V2_HEAD);
	/* Other protocols: take the connection, ignore what is said. */
	p->local =
	    command != V2_PROXY || (protocol != V2_TCP4 && protocol != V2_TCP6);
	if (!p->local && !parse_addresses(rest, protocol == V2_TCP4 ? 4 : 6, p))
		return err_set(e, ERR_SYNTAX, "proxy: addresses missing");
	return 0;
}

int
proxy_parse(struct slice bytes, struct proxy *proxy_r, struct err *e)
{
	size_t n = bytes.n < V2_SIGNATURE ? bytes.n : V2_SIGNATURE;

	*proxy_r = (struct proxy){ .local = false };
	if (n == 0)
		return V1_MIN; /* version 2 is longer */
	if (memcmp(bytes.p, v2_signature, n) == 0)
		return parse_v2(bytes, proxy_r, e);
	if (memcmp(bytes.p, "PROXY ", n < 6 ? n : 6) == 0)
		return parse_v1(bytes, proxy_r, e);
	return err_set(e, ERR_SYNTAX, "proxy: no header");
}
