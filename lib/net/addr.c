/* addr - IP addresses and networks. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct ip
ip_from_bytes(unsigned char family, const void *bytes)
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff }; /* RFC 4291, 2.5.5.2 */
	struct ip ip = { .family = family };

	memcpy(ip.b, bytes, family == 4 ? 4 : 16);
	if (family == 6 && memcmp(ip.b, mapped, sizeof(mapped)) == 0)
		return ip_from_bytes(4, ip.b + sizeof(mapped));
	return ip;
}

/* ---- text ---- */

bool
ip_parse(struct slice text, struct ip *ip_r)
{
	char cstr[IP_TEXT];
	unsigned char b[16];

	if (!slice_cstr(text, cstr, sizeof(cstr)))
		return false;
	if (inet_pton(AF_INET, cstr, b) == 1)
		*ip_r = ip_from_bytes(4, b);
	else if (inet_pton(AF_INET6, cstr, b) == 1)
		*ip_r = ip_from_bytes(6, b);
	else
		return false;
	return true;
}

const char *
ip_text(const struct ip *ip, char text[IP_TEXT])
{
	text[0] = '\0';
	if (ip->family != 0)
		inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->b, text,
		    IP_TEXT);
	return text;
}

bool
ip_prefix_parse(struct slice text, struct ip_prefix *prefix_r)
{
	struct slice address, number;
	struct ip masked;
	uint32_t bits;

	if (slice_cut(text, '/', &address, &number)) {
		if (!ip_parse(address, &prefix_r->ip) ||
		    !slice_u32(number, &bits) || bits > ip_bits(&prefix_r->ip))
			return false;
	} else {
		if (!ip_parse(address, &prefix_r->ip))
			return false;
		bits = ip_bits(&prefix_r->ip);
	}
	prefix_r->bits = bits;
	masked = ip_mask(&prefix_r->ip, bits);
	return ip_eq(&masked, &prefix_r->ip);
}

void
ip_reverse(const struct ip *ip, struct buf *out)
{
	if (ip->family == 4)
		buf_addf(out, "%u.%u.%u.%u", ip->b[3], ip->b[2], ip->b[1],
		    ip->b[0]);
	for (int i = 15; i >= 0 && ip->family == 6; i--)
		buf_addf(out, "%x.%x%s", ip->b[i] & 15, ip->b[i] >> 4,
		    i > 0 ? "." : "");
}

/* ---- values ---- */

unsigned
ip_bits(const struct ip *ip)
{
	return ip->family == 4 ? 32 : ip->family == 6 ? 128 : 0;
}

int
ip_cmp(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family - b->family;
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool
ip_eq(const struct ip *a, const struct ip *b)
{
	return ip_cmp(a, b) == 0;
}

struct ip
ip_mask(const struct ip *ip, unsigned bits)
{
	struct ip out = { .family = ip->family };

	for (unsigned i = 0; i < sizeof(out.b) && bits > 0; i++) {
		unsigned take = bits < 8 ? bits : 8;
		out.b[i] = ip->b[i] & (unsigned char)(0xff00 >> take);
		bits -= take;
	}
	return out;
}

bool
ip_prefix_has(const struct ip_prefix *prefix, const struct ip *ip)
{
	struct ip masked = ip_mask(ip, prefix->bits);

	return ip_eq(&masked, &prefix->ip);
}

/* ---- classes ---- */

/* In the prefix of the first bits of an address of that family? */
static bool
within(const struct ip *ip, unsigned char family, unsigned char b0,
    unsigned char b1, unsigned bits)
{
	struct ip_prefix prefix = { { family, { b0, b1 } }, bits };

	return ip_prefix_has(&prefix, ip);
}

bool
ip_is_loopback(const struct ip *ip)
{
	static const struct ip one = { 6, { [15] = 1 } };

	return within(ip, 4, 127, 0, 8) || ip_eq(ip, &one);
}

bool
ip_is_unspecified(const struct ip *ip)
{
	return within(ip, 4, 0, 0, 32) || within(ip, 6, 0, 0, 128);
}

bool
ip_is_multicast(const struct ip *ip)
{
	return within(ip, 4, 224, 0, 4) || within(ip, 6, 0xff, 0, 8);
}

bool
ip_is_link_local(const struct ip *ip)
{
	return within(ip, 4, 169, 254, 16) || within(ip, 6, 0xfe, 0x80, 10);
}

bool
ip_is_private(const struct ip *ip)
{
	return within(ip, 4, 10, 0, 8) || within(ip, 4, 172, 16, 12) ||
	    within(ip, 4, 192, 168, 16) || within(ip, 6, 0xfc, 0, 7);
}

/* ---- sockets ---- */

bool
ip_from_sockaddr(const struct sockaddr *sa, struct ip *ip_r, uint16_t *port_r)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&in, sa, sizeof(in));
		*ip_r = ip_from_bytes(4, &in.sin_addr);
		*port_r = ntohs(in.sin_port);
		return true;
	case AF_INET6:
		memcpy(&in6, sa, sizeof(in6));
		*ip_r = ip_from_bytes(6, &in6.sin6_addr);
		*port_r = ntohs(in6.sin6_port);
		return true;
	default:
		*ip_r = (struct ip){ 0 };
		*port_r = 0;
		return false;
	}
}

socklen_t
ip_to_sockaddr(const struct ip *ip, uint16_t port,
    struct sockaddr_storage *sa_r)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };

	memset(sa_r, 0, sizeof(*sa_r));
	if (ip->family == 4) {
		memcpy(&in.sin_addr, ip->b, 4);
		memcpy(sa_r, &in, sizeof(in));
		return sizeof(in);
	}
	memcpy(&in6.sin6_addr, ip->b, 16);
	memcpy(sa_r, &in6, sizeof(in6));
	return sizeof(in6);
}

bool
ip_peer(int fd, struct ip *ip_r, uint16_t *port_r)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = sizeof(sa);

	if (getpeername(fd, (struct sockaddr *)&sa, &n) < 0)
		sa.ss_family = AF_UNSPEC;
	return ip_from_sockaddr((struct sockaddr *)&sa, ip_r, port_r);
}

bool
ip_local(int fd, struct ip *ip_r, uint16_t *port_r)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &n) < 0)
		sa.ss_family = AF_UNSPEC;
	return ip_from_sockaddr((struct sockaddr *)&sa, ip_r, port_r);
}
