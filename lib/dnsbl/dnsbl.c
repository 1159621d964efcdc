/* dnsbl - block lists in DNS. */
#include "dnsbl/dnsbl.h"

#include "dns/name.h"

/* RFC 5782, 2.1 and 2.4 */
static void
query_name(struct buf *out, const struct ip *ip, struct slice zone)
{
	ip_reverse(ip, out);
	buf_addc(out, '.');
	buf_add(out, zone);
}

/* Set the question under way. */
static void
start(struct dns *dns, struct slice zone, const struct ip *ip)
{
	struct buf name = BUF_INIT(DNS_NAME_MAX);

	query_name(&name, ip, zone);
	if (!name.over)
		dns_start(dns, buf_slice(&name), DNS_A);
	buf_free(&name);
}

/*
 * RFC 5782, 2.1: entries are in 127/8. Lists that were given up answer
 * anything with the address of a web server. 127.255.255/24 is what large
 * lists say to who may not ask: taken for a listing, it would refuse all mail.
 */
static int
check_code(const struct ip *code, struct slice zone, struct err *e)
{
	char text[IP_TEXT];

	if (code->b[0] != 127)
		return err_set(e, ERR_PERM,
		    "dnsbl: %.*s answers %s: it is no list (any more)",
		    SLICE_FMT(zone), ip_text(code, text));
	if (code->b[1] == 255 && code->b[2] == 255)
		return err_set(e, ERR_PERM,
		    "dnsbl: %.*s answers %s: it does not want to be asked by "
		    "this resolver",
		    SLICE_FMT(zone), ip_text(code, text));
	return 0;
}

int
dnsbl_lookup(struct dns *dns, struct arena *arena, struct slice zone,
    const struct ip *ip, struct dnsbl_result *result_r, struct err *e)
{
	struct buf b = BUF_INIT(DNS_NAME_MAX);
	struct slice name = SLICE_NULL;
	struct dns_answer a, txt;
	int rc;

	*result_r = (struct dnsbl_result){ .status = DNSBL_PASS };
	query_name(&b, ip, zone);
	if (!b.over)
		name = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	if (name.n == 0)
		return err_set(e, ERR_PERM, "dnsbl: zone name too long");
	rc = dns_query(dns, arena, name, DNS_A, &a, e);
	if (rc <= 0)
		return rc;
	if (check_code(&a.v[0].ip, zone, e) < 0)
		return -1;
	result_r->status = DNSBL_FAIL;
	result_r->code = a.v[0].ip;
	/* Listed is what matters: the text is an extra. */
	if (dns_query(dns, arena, name, DNS_TXT, &txt, NULL) > 0)
		result_r->why = txt.v[0].text;
	return 0;
}

int
dnsbl_health(struct dns *dns, struct arena *arena, struct slice zone,
    struct err *e)
{
	const struct ip listed = { 4, { 127, 0, 0, 2 } };
	const struct ip unlisted = { 4, { 127, 0, 0, 1 } };
	struct dnsbl_result r;

	start(dns, zone, &listed);
	start(dns, zone, &unlisted);
	if (dnsbl_lookup(dns, arena, zone, &listed, &r, e) < 0)
		return -1;
	if (r.status != DNSBL_FAIL)
		return err_set(e, ERR_PERM,
		    "dnsbl: %.*s does not list its test entry 127.0.0.2",
		    SLICE_FMT(zone));
	if (dnsbl_lookup(dns, arena, zone, &unlisted, &r, e) < 0)
		return -1;
	if (r.status != DNSBL_PASS)
		return err_set(e, ERR_PERM,
		    "dnsbl: %.*s lists 127.0.0.1, so it lists everything",
		    SLICE_FMT(zone));
	return 0;
}
