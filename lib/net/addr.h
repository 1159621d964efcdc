/*
 * addr - IP addresses and networks: text both ways, masks, classes.
 *
 * An IPv4-mapped IPv6 address (::ffff:192.0.2.1) becomes IPv4 wherever one
 * comes in, so that limits and lists see one address. Zones (fe80::1%eth0)
 * are not taken. Pure; keeps no state.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/slice.h"

struct ip {
	unsigned char family; /* 4, 6, or 0 for none */
	unsigned char b[16];  /* network order; IPv4 uses 4, the rest is 0 */
};

struct ip_prefix {
	struct ip ip;  /* host bits zero */
	unsigned bits; /* 0 to 32 or 128 */
};

#define IP_TEXT 46 /* longest text form, with the NUL */

/* Strict: dotted quad without leading zeros, or RFC 4291, 2.2. */
bool ip_parse(struct slice text, struct ip *ip_r);
/* RFC 5952: shortest form. "" for no address. */
const char *ip_text(const struct ip *ip, char text[IP_TEXT]);

unsigned ip_bits(const struct ip *ip); /* 32, 128, or 0 */
bool ip_eq(const struct ip *a, const struct ip *b);
int ip_cmp(const struct ip *a, const struct ip *b); /* none < IPv4 < IPv6 */
/* The network: all but the first bits set to zero. */
struct ip ip_mask(const struct ip *ip, unsigned bits);

bool ip_is_loopback(const struct ip *ip);    /* 127/8, ::1 */
bool ip_is_unspecified(const struct ip *ip); /* 0.0.0.0, :: */
bool ip_is_multicast(const struct ip *ip);
bool ip_is_link_local(const struct ip *ip);
/* 10/8, 172.16/12, 192.168/16 (RFC 1918), fc00::/7 (RFC 4193). */
bool ip_is_private(const struct ip *ip);

/* "192.0.2.0/24", or an address for the network of it alone. Host bits must
 * be zero. */
bool ip_prefix_parse(struct slice text, struct ip_prefix *prefix_r);
bool ip_prefix_has(const struct ip_prefix *prefix, const struct ip *ip);

/* Append "1.2.0.192" or 32 nibbles with dots, last first, as in.addr.arpa,
 * ip6.arpa and DNS lists have it (RFC 5782, 2.1 and 2.4). */
void ip_reverse(const struct ip *ip, struct buf *out);

/* 4 or 16 bytes in network order. */
struct ip ip_from_bytes(unsigned char family, const void *bytes);

/* False, and no address, for other families than IPv4 and IPv6. */
bool ip_from_sockaddr(const struct sockaddr *sa, struct ip *ip_r,
    uint16_t *port_r);
socklen_t ip_to_sockaddr(const struct ip *ip, uint16_t port,
    struct sockaddr_storage *sa_r);

/* The two ends of a socket. False if it is none, or not connected. */
bool ip_peer(int fd, struct ip *ip_r, uint16_t *port_r);
bool ip_local(int fd, struct ip *ip_r, uint16_t *port_r);

#endif
