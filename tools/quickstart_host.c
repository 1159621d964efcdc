/*
 * quickstart_host - what can be found out about this host and its names.
 */
#include <ifaddrs.h>
#include <net/if.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "dns/dns.h"
#include "dns/resolver.h"
#include "dnsbl/dnsbl.h"
#include "iprev/iprev.h"
#include "net/dial.h"
#include "text/idna.h"
#include "tools/quickstart.h"

#define DNS_MS 10000     /* for all questions together */
#define QUESTION_MS 5000 /* for one */
#define DIAL_TIME_MS 5000
#define HOSTS_MAX (1 << 20) /* of /etc/hosts */

static const char *const lists[] = { "sbl.spamhaus.org", "bl.spamcop.net" };

/* ---- addresses of interfaces ---- */

static void
add_ip(struct quickstart *q, struct quickstart_ips *ips, const struct ip *ip)
{
	for (size_t i = 0; i < ips->n; i++)
		if (ip_eq(&ips->v[i], ip))
			return;
	ips->v =
	    arena_grow(q->arena, ips->v, ips->n, ips->n + 1, sizeof(*ips->v));
	ips->v[ips->n++] = *ip;
}

static bool
has_ip(const struct quickstart_ips *ips, const struct ip *ip)
{
	for (size_t i = 0; i < ips->n; i++)
		if (ip_eq(&ips->v[i], ip))
			return true;
	return false;
}

/* An address that something may listen on; not one of a link. */
static bool
address_of(const struct ifaddrs *i, struct ip *ip_r)
{
	uint16_t port;

	return i->ifa_addr != NULL && i->ifa_flags & IFF_UP &&
	    ip_from_sockaddr(i->ifa_addr, ip_r, &port) &&
	    !ip_is_link_local(ip_r) && !ip_is_multicast(ip_r);
}

/* Does the interface have a private or loopback address? Then all of it is. */
static bool
is_private(const struct ifaddrs *all, const char *name)
{
	struct ip ip;

	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		if (strcmp(i->ifa_name, name) == 0 && address_of(i, &ip) &&
		    (ip_is_private(&ip) || ip_is_loopback(&ip)))
			return true;
	return false;
}

static void
find_interfaces(struct quickstart *q)
{
	struct ifaddrs *all;
	struct ip ip;

	if (getifaddrs(&all) < 0) {
		quickstart_warn(q, "the addresses of this host are not known.");
		return;
	}
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		if (!address_of(i, &ip))
			continue;
		add_ip(q,
		    ip_is_loopback(&ip)                ? &q->loopback
			: is_private(all, i->ifa_name) ? &q->private
						       : &q->public,
		    &ip);
	}
	freeifaddrs(all);
}

/* ---- host name ---- */

/* The first name in DNS of a public address. */
static bool
reverse_name(struct quickstart *q, struct dns *dns)
{
	struct dns_answer a;

	for (size_t i = 0; dns != NULL && i < q->public.n; i++)
		if (dns_reverse(dns, q->arena, &q->public.v[i], &a, NULL) ==
			1 &&
		    slice_chr(a.v[0].host, '.') > 0) {
			q->hostname = a.v[0].host;
			return true;
		}
	return false;
}

static void
find_hostname(struct quickstart *q, struct dns *dns)
{
	char name[256] = "";
	struct err e = ERR_INIT;
	struct slice first;

	gethostname(name, sizeof(name) - 1);
	slice_cut(slice_str(name), '.', &first, &(struct slice){ 0 });
	if (q->wanted_hostname != NULL)
		q->hostname = slice_str(q->wanted_hostname);
	else if (first.n < slice_str(name).n)
		q->hostname = arena_dup(q->arena, slice_str(name));
	else if (!reverse_name(q, dns))
		q->hostname = arena_printf(q->arena, "%.*s.%.*s",
		    SLICE_FMT(first.n > 0 ? first : SLICE("mail")),
		    SLICE_FMT(q->domain));
	if (idna_ascii(q->arena, q->hostname, &q->hostname_ascii, &e) < 0 ||
	    idna_unicode(q->arena, q->hostname, &q->hostname, &e) < 0)
		q->hostname_ascii = q->hostname; /* refused by config_load */
	quickstart_say(q, "Host name: %.*s\n", SLICE_FMT(q->hostname));
}

/* The next word of a line, or false. */
static bool
next_word(struct slice *rest, struct slice *word_r)
{
	struct slice s = slice_trim(*rest);
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	*word_r = slice_head(s, n);
	*rest = slice_skip(s, n);
	return n > 0;
}

/* Does a line of /etc/hosts say that the name is a loopback address? */
static bool
line_says_loopback(struct slice line, struct slice name)
{
	struct slice word;
	struct ip ip;

	slice_cut(line, '#', &line, &(struct slice){ 0 });
	if (!next_word(&line, &word) || !ip_parse(word, &ip) ||
	    !ip_is_loopback(&ip))
		return false;
	while (next_word(&line, &word))
		if (slice_eqi(word, name))
			return true;
	return false;
}

static void
check_hosts_file(struct quickstart *q)
{
	struct buf hosts = BUF_INIT(HOSTS_MAX);
	struct slice rest, line;

	if (file_read(AT_FDCWD, "/etc/hosts", &hosts, NULL) == 1)
		for (rest = buf_slice(&hosts); slice_line(&rest, &line);)
			if (line_says_loopback(line, q->hostname_ascii)) {
				quickstart_warn(q,
				    "/etc/hosts has %.*s as a loopback "
				    "address.\n"
				    "Programs on this host, such as this one, "
				    "will not find its public\n"
				    "addresses. Remove the name from the line "
				    "\"%.*s\".",
				    SLICE_FMT(q->hostname), SLICE_FMT(line));
				break;
			}
	buf_free(&hosts);
}

/* ---- DNS ---- */

static struct dns *
open_dns(struct quickstart *q)
{
	struct resolver_conf conf = { .timeout_ms = QUESTION_MS };
	struct err e = ERR_INIT;
	struct dns *dns;

	resolver_conf_env(&conf, q->arena);
	dns = resolver_new(&conf, &e);
	if (dns == NULL) {
		quickstart_warn(q, "DNS is not asked: %s", e.text);
		return NULL;
	}
	dns->until_ms = clock_mono_ms(NULL) + DNS_MS;
	return dns;
}

/* Questions whose answers are wanted soon, all at once. */
static void
start_questions(struct quickstart *q, struct dns *dns)
{
	dns_start(dns, SLICE("com"), DNS_NS);
	dns_start(dns, q->domain_ascii, DNS_NS);
	dns_start(dns, SLICE("gmail.com"), DNS_MX);
	if (q->wanted_hostname != NULL)
		dns_start_addresses(dns, slice_str(q->wanted_hostname));
	for (size_t i = 0; i < q->public.n; i++)
		dns_start_reverse(dns, &q->public.v[i]);
}

static void
check_dnssec(struct quickstart *q, struct dns *dns)
{
	struct err e = ERR_INIT;
	struct dns_answer a;
	int rc = dns_query(dns, q->arena, SLICE("com"), DNS_NS, &a, &e);

	q->dnssec = rc == 1 && a.secure;
	if (q->dnssec)
		return;
	if (rc < 0 && !a.bogus) {
		quickstart_warn(q,
		    "DNS does not answer: %s\n"
		    "Mail cannot be sent without. A resolver on this host is "
		    "best: install unbound\n"
		    "or knot-resolver, and let /etc/resolv.conf have as its "
		    "only nameserver line\n"
		    "\n\tnameserver 127.0.0.1\n",
		    e.text);
		return;
	}
	quickstart_warn(q,
	    "DNSSEC does not work: the answer for \"com\" is not validated.\n"
	    "Without it, DANE does not protect mail on its way. The resolver "
	    "in /etc/resolv.conf\n"
	    "must pass on signatures; those of many routers, Pi-hole, and the "
	    "stub of\n"
	    "systemd-resolved (127.0.0.53) often do not. Install unbound on "
	    "this host, and put in\n"
	    "/etc/resolv.conf, with no other nameserver line:\n"
	    "\n\tnameserver 127.0.0.1\n\toptions edns0 trust-ad\n\n"
	    "Everything else works without; mail goes on with unverified TLS.");
}

/* Addresses of the host name; are they this host's? */
static void
find_host_ips(struct quickstart *q, struct dns *dns)
{
	struct err e = ERR_INIT;
	struct dns_answer a;
	int rc = dns_addresses(dns, q->arena, q->hostname_ascii, &a, &e);

	q->host_secure = a.secure;
	if (rc < 0)
		quickstart_warn(q, "%.*s was not looked up: %s",
		    SLICE_FMT(q->hostname), e.text);
	else if (rc == 0)
		quickstart_warn(q,
		    "%.*s has no addresses in DNS yet.\n"
		    "Add A and AAAA records with the public addresses of this "
		    "host.",
		    SLICE_FMT(q->hostname));
	for (size_t i = 0; rc == 1 && i < a.n; i++)
		if (ip_is_loopback(&a.v[i].ip))
			quickstart_warn(q,
			    "DNS has a loopback address for %.*s.",
			    SLICE_FMT(q->hostname));
		else
			add_ip(q, &q->host, &a.v[i].ip);
}

static void
check_reverse(struct quickstart *q, struct dns *dns)
{
	const struct quickstart_ips *ips =
	    q->host.n > 0 ? &q->host : &q->public;
	struct iprev_result r;
	char text[IP_TEXT];

	for (size_t i = 0; i < ips->n; i++) {
		bool found = false;
		if (ip_is_private(&ips->v[i]))
			continue;
		iprev_check(dns, q->arena, &ips->v[i], &r);
		for (size_t k = 0; k < r.nnames; k++)
			found |= slice_eqi(r.names[k], q->hostname_ascii);
		ip_text(&ips->v[i], text);
		if (r.status == IPREV_TEMPERROR)
			quickstart_warn(q, "the name of %s was not looked up.",
			    text);
		else if (!found)
			quickstart_warn(q,
			    "the reverse name of %s is %s%.*s, not %.*s.\n"
			    "Many servers refuse mail from such an address. "
			    "Who gave you the address can\n"
			    "set it.",
			    text, r.nnames > 0 ? "" : "missing",
			    SLICE_FMT(r.nnames > 0 ? r.names[0] : SLICE_NULL),
			    SLICE_FMT(q->hostname));
	}
}

static void
check_lists(struct quickstart *q, struct dns *dns)
{
	const struct quickstart_ips *ips =
	    q->host.n > 0 ? &q->host : &q->public;
	struct dnsbl_result r;
	char text[IP_TEXT];

	for (size_t i = 0; i < ips->n; i++)
		for (size_t k = 0; k < 2; k++)
			if (dnsbl_lookup(dns, q->arena, slice_str(lists[k]),
				&ips->v[i], &r, NULL) == 0 &&
			    r.status == DNSBL_FAIL)
				quickstart_warn(q,
				    "%s is listed in %s: %.*s\n"
				    "Others may refuse its mail. Ask for "
				    "another address, or to be taken off.",
				    ip_text(&ips->v[i], text), lists[k],
				    SLICE_FMT(r.why));
}

/* Can mail be sent at all? Many providers block it. */
static void
check_dial(struct quickstart *q, struct dns *dns)
{
	struct dns_answer mx, hosts;
	struct ip ips[4];
	struct dial_opts o = { .ips = ips, .port = 25, .ms = DIAL_TIME_MS };
	struct err e = ERR_INIT;
	int fd;

	if (dns_query(dns, q->arena, SLICE("gmail.com"), DNS_MX, &mx, &e) !=
		1 ||
	    dns_addresses(dns, q->arena, mx.v[0].mx.host, &hosts, &e) != 1) {
		quickstart_warn(q,
		    "whether mail can be sent was not tried, without DNS.");
		return;
	}
	for (; o.n < 4 && o.n < hosts.n; o.n++)
		ips[o.n] = hosts.v[o.n].ip;
	fd = net_dial(&o, NULL, &e);
	if (fd >= 0) {
		close(fd);
		return;
	}
	quickstart_warn(q,
	    "no connection to port 25 of %.*s: %s\n"
	    "Many providers block it: ask yours to open it, or send through "
	    "a smarthost, see\n"
	    "Transports in mox.conf(5).",
	    SLICE_FMT(mx.v[0].mx.host), e.text);
}

static void
check_domain(struct quickstart *q, struct dns *dns)
{
	struct dns_answer a;
	struct err e = ERR_INIT;

	if (dns_query(dns, q->arena, q->domain_ascii, DNS_NS, &a, &e) < 0)
		quickstart_warn(q, "%.*s was not looked up: %s",
		    SLICE_FMT(q->domain), e.text);
	else if (a.nxdomain)
		quickstart_warn(q, "%.*s is not in DNS.", SLICE_FMT(q->domain));
	q->domain_secure = a.secure;
}

/* ---- which addresses to listen on ---- */

/* Those addresses of the host name that are ours. */
static void
listen_on_host_ips(struct quickstart *q)
{
	for (size_t i = 0; i < q->host.n; i++)
		if (has_ip(&q->public, &q->host.v[i]) ||
		    has_ip(&q->private, &q->host.v[i]))
			add_ip(q, &q->listen, &q->host.v[i]);
}

/* None of them is: a router has them, if they are public and ours are not. */
static void
listen_behind_nat(struct quickstart *q)
{
	for (size_t i = 0; i < q->host.n; i++)
		if (!ip_is_private(&q->host.v[i]))
			add_ip(q, &q->nat, &q->host.v[i]);
	if (q->nat.n > 0)
		q->listen = q->private;
}

static void
warn_of_others(struct quickstart *q)
{
	char text[IP_TEXT];

	for (size_t i = 0; i < q->host.n; i++)
		if (!has_ip(&q->public, &q->host.v[i]) &&
		    !has_ip(&q->private, &q->host.v[i]) &&
		    !has_ip(&q->nat, &q->host.v[i]))
			quickstart_warn(q,
			    "%s, which DNS has for %.*s, is no address of this "
			    "host.",
			    ip_text(&q->host.v[i], text),
			    SLICE_FMT(q->hostname));
}

static void
choose(struct quickstart *q)
{
	const struct ip any4 = { .family = 4 }, any6 = { .family = 6 };

	listen_on_host_ips(q);
	if (q->listen.n == 0 && q->public.n == 0 && q->private.n > 0)
		listen_behind_nat(q);
	warn_of_others(q);
	if (q->listen.n == 0)
		q->listen = q->public;
	if (q->listen.n == 0) {
		add_ip(q, &q->listen, &any4);
		add_ip(q, &q->listen, &any6);
	}
}

static void
say_ips(struct quickstart *q, const char *what,
    const struct quickstart_ips *ips)
{
	char text[IP_TEXT];

	if (ips->n == 0)
		return;
	quickstart_say(q, "%s", what);
	for (size_t i = 0; i < ips->n; i++)
		quickstart_say(q, " %s", ip_text(&ips->v[i], text));
	quickstart_say(q, "\n");
}

void
quickstart_look(struct quickstart *q)
{
	struct dns *dns = open_dns(q);

	find_interfaces(q);
	if (dns != NULL)
		start_questions(q, dns);
	find_hostname(q, dns);
	check_hosts_file(q);
	if (dns != NULL) {
		check_dnssec(q, dns);
		find_host_ips(q, dns);
		check_domain(q, dns);
		check_reverse(q, dns);
		check_lists(q, dns);
		if (!q->skip_dial)
			check_dial(q, dns);
	}
	choose(q);
	say_ips(q, "Listens on:", &q->listen);
	say_ips(q, "Public addresses, behind NAT:", &q->nat);
	dns_free(&dns);
}
