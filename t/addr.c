/* Unit test of lib/net/addr.c. */
#include "net/addr.h"

#include <sys/socket.h>

#include "t/unit.h"

static struct ip
ip(const char *text)
{
	struct ip ip = { 0 };

	if (!ip_parse(slice_str(text), &ip))
		UNIT_FAIL("no address: %s", text);
	return ip;
}

static void
test_text(void)
{
	static const struct {
		const char *text, *expected; /* NULL: not an address */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "256.0.0.1", NULL },
		{ "1.2.3", NULL },
		{ "1.2.3.4.5", NULL },
		{ "01.2.3.4", NULL },
		{ " 1.2.3.4", NULL },
		{ "1.2.3.4 ", NULL },
		{ "", NULL },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" }, /* RFC 5952 */
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::ffff:c000:201", "192.0.2.1" },
		{ "fe80::1%eth0", NULL },
		{ "[::1]", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ ":::", NULL },
		{ "12345::", NULL },
	};
	char text[IP_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip got;
		bool ok = ip_parse(slice_str(rows[i].text), &got);
		ROW(rows[i].text);
		CHECK_EQ(ok, rows[i].expected != NULL);
		if (ok)
			CHECK_STR(ip_text(&got, text), rows[i].expected);
	}
	ROW("NUL inside");
	CHECK(!ip_parse(SLICE("1.2.3.4\0"), &(struct ip){ 0 }));
	ROW("none");
	CHECK_STR(ip_text(&(struct ip){ 0 }, text), "");
}

static void
test_prefix(void)
{
	static const struct {
		const char *prefix, *ip;
		bool valid, has;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.255", true, true },
		{ "192.0.2.0/24", "192.0.3.0", true, false },
		{ "192.0.2.1", "192.0.2.1", true, true },
		{ "192.0.2.1", "192.0.2.2", true, false },
		{ "0.0.0.0/0", "198.51.100.1", true, true },
		{ "0.0.0.0/0", "::2", true, false },
		{ "::/0", "2001:db8::1", true, true },
		{ "2001:db8::/33", "2001:db8:7fff::", true, true },
		{ "2001:db8::/33", "2001:db8:8000::", true, false },
		{ "192.0.2.1/24", "192.0.2.1", false, false },
		{ "192.0.2.0/33", "192.0.2.1", false, false },
		{ "192.0.2.0/", "192.0.2.1", false, false },
		{ "192.0.2.0/-1", "192.0.2.1", false, false },
		{ "/8", "192.0.2.1", false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip_prefix p;
		struct ip address = ip(rows[i].ip);
		ROW(rows[i].prefix);
		CHECK_EQ(ip_prefix_parse(slice_str(rows[i].prefix), &p),
		    rows[i].valid);
		if (rows[i].valid)
			CHECK_EQ(ip_prefix_has(&p, &address), rows[i].has);
	}
}

static void
test_classes(void)
{
	static const struct {
		const char *ip;
		bool loopback, unspecified, multicast, link_local, private;
	} rows[] = {
		{ "127.0.0.1", true, false, false, false, false },
		{ "127.255.0.1", true, false, false, false, false },
		{ "::1", true, false, false, false, false },
		{ "::ffff:127.0.0.1", true, false, false, false, false },
		{ "128.0.0.1", false, false, false, false, false },
		{ "0.0.0.0", false, true, false, false, false },
		{ "::", false, true, false, false, false },
		{ "239.1.2.3", false, false, true, false, false },
		{ "ff02::1", false, false, true, false, false },
		{ "169.254.9.9", false, false, false, true, false },
		{ "fe80::1", false, false, false, true, false },
		{ "febf::1", false, false, false, true, false },
		{ "fec0::1", false, false, false, false, false },
		{ "10.9.8.7", false, false, false, false, true },
		{ "172.31.0.1", false, false, false, false, true },
		{ "172.32.0.1", false, false, false, false, false },
		{ "192.168.3.4", false, false, false, false, true },
		{ "fd00::1", false, false, false, false, true },
		{ "2001:db8::1", false, false, false, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip a = ip(rows[i].ip);
		ROW(rows[i].ip);
		CHECK_EQ(ip_is_loopback(&a), rows[i].loopback);
		CHECK_EQ(ip_is_unspecified(&a), rows[i].unspecified);
		CHECK_EQ(ip_is_multicast(&a), rows[i].multicast);
		CHECK_EQ(ip_is_link_local(&a), rows[i].link_local);
		CHECK_EQ(ip_is_private(&a), rows[i].private);
	}
}

static void
test_reverse(void)
{
	struct buf b = BUF_INIT(100);
	struct ip a = ip("192.0.2.99");

	ip_reverse(&a, &b); /* RFC 5782, 2.1 */
	CHECK_SLICE(buf_slice(&b), SLICE("99.2.0.192"));
	buf_reset(&b);
	a = ip("2001:db8:1:2:3:4:567:89ab"); /* RFC 5782, 2.4 */
	ip_reverse(&a, &b);
	CHECK_SLICE(buf_slice(&b),
	    SLICE("b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0."
		  "1.0.0.2"));
	buf_free(&b);
}

static void
test_sockaddr(void)
{
	static const char *const rows[] = { "192.0.2.1", "2001:db8::1" };
	struct sockaddr_storage sa;
	struct ip got;
	uint16_t port;

	for (size_t i = 0; i < 2; i++) {
		struct ip a = ip(rows[i]);
		CHECK(ip_to_sockaddr(&a, 993, &sa) > 0);
		CHECK(ip_from_sockaddr((struct sockaddr *)&sa, &got, &port));
		CHECK(ip_eq(&a, &got));
		CHECK_EQ(port, 993);
	}
	sa.ss_family = AF_UNIX;
	CHECK(!ip_from_sockaddr((struct sockaddr *)&sa, &got, &port));
	CHECK_EQ(got.family, 0);
	CHECK(!ip_peer(0, &got, &port));
}

static void
test_order(void)
{
	struct ip a = ip("192.0.2.1"), b = ip("192.0.2.2"), c = ip("::1");

	CHECK(ip_cmp(&a, &b) < 0);
	CHECK(ip_cmp(&b, &c) < 0);
	CHECK(ip_cmp(&(struct ip){ 0 }, &a) < 0);
	CHECK(!ip_eq(&a, &b));
}

int
main(void)
{
	RUN(test_text);
	RUN(test_prefix);
	RUN(test_classes);
	RUN(test_reverse);
	RUN(test_sockaddr);
	RUN(test_order);
	return unit_done();
}
