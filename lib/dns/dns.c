/* dns - typed questions, through whatever answers them. */
#include "dns/dns.h"

#include <string.h>

#include "dns/name.h"

static const struct {
	enum dns_type type;
	const char *name;
} types[] = {
	{ DNS_A, "A" },
	{ DNS_NS, "NS" },
	{ DNS_CNAME, "CNAME" },
	{ DNS_PTR, "PTR" },
	{ DNS_MX, "MX" },
	{ DNS_TXT, "TXT" },
	{ DNS_AAAA, "AAAA" },
	{ DNS_SRV, "SRV" },
	{ DNS_TLSA, "TLSA" },
	{ DNS_CAA, "CAA" },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

bool
dns_type_parse(struct slice name, enum dns_type *type_r)
{
	for (size_t i = 0; i < TYPES; i++)
		if (slice_isi(name, types[i].name)) {
			*type_r = types[i].type;
			return true;
		}
	return false;
}

void
dns_free(struct dns **dns)
{
	if (*dns != NULL && (*dns)->free != NULL)
		(*dns)->free(*dns);
	*dns = NULL;
}

int
dns_query(struct dns *dns, struct arena *arena, struct slice name,
    enum dns_type type, struct dns_answer *answer_r, struct err *e)
{
	*answer_r = (struct dns_answer){ .name = name };
	if (!dns_name_valid(name))
		return err_set(e, ERR_SYNTAX, "dns: \"%.*s\" is no name",
		    SLICE_FMT(slice_head(name, DNS_NAME_MAX)));
	return dns->query(dns, arena, name, type, answer_r, e);
}

void
dns_start(struct dns *dns, struct slice name, enum dns_type type)
{
	if (dns->start != NULL && dns_name_valid(name))
		dns->start(dns, name, type);
}

void
dns_forget(struct dns *dns)
{
	if (dns->forget != NULL)
		dns->forget(dns);
}

void
dns_start_addresses(struct dns *dns, struct slice host)
{
	dns_start(dns, host, DNS_A);
	dns_start(dns, host, DNS_AAAA);
}

int
dns_addresses(struct dns *dns, struct arena *arena, struct slice host,
    struct dns_answer *answer_r, struct err *e)
{
	struct dns_answer v4, v6;
	int rc4, rc6;

	dns_start_addresses(dns, host);
	rc4 = dns_query(dns, arena, host, DNS_A, &v4, e);
	rc6 = dns_query(dns, arena, host, DNS_AAAA, &v6, e);
	*answer_r = rc4 >= 0 ? v4 : v6;
	answer_r->secure = (rc4 >= 0 || rc6 >= 0) && (rc4 < 0 || v4.secure) &&
	    (rc6 < 0 || v6.secure);
	answer_r->bogus = v4.bogus || v6.bogus;
	answer_r->timeout = v4.timeout || v6.timeout;
	answer_r->why = v4.why.n > 0 ? v4.why : v6.why;
	answer_r->n = v4.n + v6.n;
	answer_r->v = arena_array(arena, answer_r->n, sizeof(*answer_r->v));
	if (v4.n > 0)
		memcpy(answer_r->v, v4.v, v4.n * sizeof(*v4.v));
	if (v6.n > 0)
		memcpy(answer_r->v + v4.n, v6.v, v6.n * sizeof(*v6.v));
	if (answer_r->n > 0)
		return 1;
	return rc4 < 0 || rc6 < 0 ? -1 : 0;
}

static void
reverse_name(struct buf *name, const struct ip *ip)
{
	ip_reverse(ip, name);
	buf_addz(name, ip->family == 4 ? ".in-addr.arpa" : ".ip6.arpa");
}

void
dns_start_reverse(struct dns *dns, const struct ip *ip)
{
	struct buf name = BUF_INIT(DNS_NAME_MAX);

	reverse_name(&name, ip);
	dns_start(dns, buf_slice(&name), DNS_PTR);
	buf_free(&name);
}

int
dns_reverse(struct dns *dns, struct arena *arena, const struct ip *ip,
    struct dns_answer *answer_r, struct err *e)
{
	struct buf name = BUF_INIT(DNS_NAME_MAX);
	struct slice copy;

	reverse_name(&name, ip);
	copy = arena_dup(arena, buf_slice(&name));
	buf_free(&name);
	return dns_query(dns, arena, copy, DNS_PTR, answer_r, e);
}
