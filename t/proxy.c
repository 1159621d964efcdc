/* Unit test of lib/net/proxy.c. */
#include "net/proxy.h"

#include "t/unit.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\0\2\1\xc6\x33\x64\x2\x12\x34\0\x19" /* 192.0.2.1 4660 .. 25 */
#define V6 \
	"\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
	"\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\1\0\2"

static const struct {
	const char *name;
	struct slice in;
	int rc;           /* 0, or -1; prefixes are tried as well */
	const char *text; /* of what is found */
} rows[] = {
	{ "tcp4", SLICE("PROXY TCP4 192.0.2.1 198.51.100.2 4660 25\r\n"), 0,
	    "192.0.2.1 4660 198.51.100.2 25" },
	{ "tcp6", SLICE("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n"), 0,
	    "2001:db8::1 1 2001:db8::2 2" },
	{ "mapped", SLICE("PROXY TCP6 ::ffff:192.0.2.1 ::2 1 2\r\n"), 0,
	    "192.0.2.1 1 ::2 2" },
	{ "unknown", SLICE("PROXY UNKNOWN\r\n"), 0, "local" },
	{ "unknown with more",
	    SLICE("PROXY UNKNOWN ffff:f...f:ffff ffff 65535 65535\r\n"), 0,
	    "local" },
	{ "no number", SLICE("PROXY TCP4 192.0.2.1 198.51.100.2 x 25\r\n"), -1,
	    NULL },
	{ "port", SLICE("PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n"), -1,
	    NULL },
	{ "zero", SLICE("PROXY TCP4 192.0.2.1 198.51.100.2 01 25\r\n"), -1,
	    NULL },
	{ "family", SLICE("PROXY TCP4 ::1 ::2 1 2\r\n"), -1, NULL },
	{ "family 6", SLICE("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"), -1,
	    NULL },
	{ "protocol", SLICE("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"), -1,
	    NULL },
	{ "spaces", SLICE("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"), -1,
	    NULL },
	{ "more", SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"), -1, NULL },
	{ "bare lf", SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"), -1, NULL },
	{ "smtp", SLICE("EHLO example.org\r\n"), -1, NULL },
	{ "v2 tcp4", SLICE(SIGNATURE "\x21\x11\0\xc" V4), 0,
	    "192.0.2.1 4660 198.51.100.2 25" },
	{ "v2 tcp6", SLICE(SIGNATURE "\x21\x21\0\x24" V6), 0,
	    "2001:db8::1 1 2001:db8::2 2" },
	{ "v2 fields behind", SLICE(SIGNATURE "\x21\x11\0\xf" V4 "\x4\0\0"), 0,
	    "192.0.2.1 4660 198.51.100.2 25" },
	{ "v2 local", SLICE(SIGNATURE "\x20\0\0\0"), 0, "local" },
	{ "v2 local with addresses", SLICE(SIGNATURE "\x20\x11\0\xc" V4), 0,
	    "local" },
	{ "v2 unix", SLICE(SIGNATURE "\x21\x31\0\1x"), 0, "local" },
	{ "v2 udp", SLICE(SIGNATURE "\x21\x12\0\xc" V4), 0, "local" },
	{ "v2 short", SLICE(SIGNATURE "\x21\x11\0\xb" V4), -1, NULL },
	{ "v2 version", SLICE(SIGNATURE "\x31\x11\0\xc" V4), -1, NULL },
	{ "v2 command", SLICE(SIGNATURE "\x22\x11\0\xc" V4), -1, NULL },
	{ "v2 length", SLICE(SIGNATURE "\x21\x11\xff\xff"), -1, NULL },
};

static void
check_found(const struct proxy *p, const char *expected)
{
	char text[200], a[IP_TEXT], b[IP_TEXT];

	if (p->local)
		snprintf(text, sizeof(text), "local");
	else
		snprintf(text, sizeof(text), "%s %u %s %u",
		    ip_text(&p->source, a), p->source_port,
		    ip_text(&p->destination, b), p->destination_port);
	CHECK_STR(text, expected);
}

/* As a connection gives it: never reading more than was asked for. */
static void
test_bytes(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct proxy p;
		struct err e = ERR_INIT;
		size_t n = 0;
		int need;
		ROW(rows[i].name);
		while ((need = proxy_parse(slice_head(rows[i].in, n), &p, &e)) >
			0 &&
		    n < rows[i].in.n)
			n += (size_t)need;
		CHECK_EQ(need, rows[i].rc);
		if (rows[i].rc == 0 && need == 0) {
			CHECK_EQ(n, rows[i].in.n);
			check_found(&p, rows[i].text);
		}
	}
}

static void
test_long(void)
{
	char line[200];
	struct proxy p;
	struct err e = ERR_INIT;

	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	CHECK(proxy_parse(slice_of(line, 106), &p, &e) > 0);
	CHECK_EQ(proxy_parse(slice_of(line, 107), &p, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
}

int
main(void)
{
	RUN(test_bytes);
	RUN(test_long);
	return unit_done();
}
