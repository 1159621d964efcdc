/* Unit test of lib/dns/packet.c: messages as on the wire, RFC 1035, 4. */
#include "dns/packet.h"

#include "t/unit.h"

/* ID, flags, one question, n answers, nothing else. */
#define HEADER(n) "\x00\x00\x81\x80\x00\x01\x00" n "\x00\x00\x00\x00"
/* a.example, type, IN; at 12, example at 14 */
#define QUESTION(type) "\1a\7example\0\0" type "\0\1"
#define SELF "\xc0\x0c"
#define RR(owner, type, length) owner "\0" type "\0\1\0\0\1\x2c\0" length
/* Type 257 has two bytes. */
#define RR_CAA(length) SELF "\1\1\0\1\0\0\1\x2c\0" length

#define P(s) s, sizeof(s) - 1

static struct arena *arena;

static const struct {
	const char *name, *packet;
	size_t n;
	enum dns_type type;
	int rc;
	size_t records;
	const char *owner, *first; /* of the first record */
} rows[] = {
	{ "a", P(HEADER("\1") QUESTION("\1") RR(SELF, "\1", "\4") "\xc0\0\2\1"),
	    DNS_A, 0, 1, "a.example", "192.0.2.1" },
	{ "no records", P(HEADER("\0") QUESTION("\1")), DNS_A, 0, 0,
	    "a.example", "" },
	{ "mx with a pointer",
	    P(HEADER("\1") QUESTION("\x0f")
		    RR(SELF, "\x0f", "\6") "\0\5\1m\xc0\x0e"),
	    DNS_MX, 0, 1, "a.example", "m.example" },
	{ "null mx",
	    P(HEADER("\1") QUESTION("\x0f") RR(SELF, "\x0f", "\3") "\0\0\0"),
	    DNS_MX, 0, 1, "a.example", "" },
	{ "txt of two strings",
	    P(HEADER("\1") QUESTION("\x10") RR(SELF, "\x10", "\6") "\2ab\2cd"),
	    DNS_TXT, 0, 1, "a.example", "abcd" },
	{ "cname, then a",
	    P(HEADER("\2") QUESTION("\1")
		    RR(SELF, "\5", "\4") "\1b\xc0\x0e" RR("\1b\7example\0",
			"\1", "\4") "\xc0\0\2\2"),
	    DNS_A, 0, 1, "b.example", "192.0.2.2" },
	{ "the cname itself",
	    P(HEADER("\1") QUESTION("\5") RR(SELF, "\5", "\4") "\1b\xc0\x0e"),
	    DNS_CNAME, 0, 1, "a.example", "b.example" },
	{ "a cname loop",
	    P(HEADER("\1") QUESTION("\1") RR(SELF, "\5", "\2") "\xc0\x0c"),
	    DNS_A, -1, 0, "", "" },
	{ "records of others",
	    P(HEADER("\1") QUESTION("\1")
		    RR("\1b\xc0\x0e", "\1", "\4") "\xc0\0\2\1"),
	    DNS_A, 0, 0, "a.example", "" },
	{ "odd bytes in a name",
	    P(HEADER("\1") QUESTION("\x0c") RR(SELF, "\x0c", "\7") "\5 .\\\xff"
								   "b\0"),
	    DNS_PTR, 0, 1, "a.example", "\\032\\046\\092\\255b" },
	{ "tlsa",
	    P(HEADER("\1") QUESTION("\x34") RR(SELF, "\x34", "\5") "\3\1\1xy"),
	    DNS_TLSA, 0, 1, "a.example", "xy" },
	{ "caa", P(HEADER("\1") QUESTION("\1") RR_CAA("\xa") "\0\5issuex.y"),
	    DNS_CAA, 0, 1, "a.example", "x.y" },
	{ "caa without value",
	    P(HEADER("\1") QUESTION("\1") RR_CAA("\7") "\0\5issue"), DNS_CAA, 0,
	    1, "a.example", "" },
	{ "caa with a tag past its end",
	    P(HEADER("\1") QUESTION("\1") RR_CAA("\7") "\0\6issue"), DNS_CAA,
	    -1, 0, "", "" },
	{ "caa without tag", P(HEADER("\1") QUESTION("\1") RR_CAA("\2") "\0\0"),
	    DNS_CAA, -1, 0, "", "" },
	{ "srv",
	    P(HEADER("\1") QUESTION("\x21")
		    RR(SELF, "\x21", "\x8") "\0\1\0\2\3\xe1\xc0\x0e"),
	    DNS_SRV, 0, 1, "a.example", "example" },
	/* what is wrong */
	{ "empty", P(""), DNS_A, -1, 0, "", "" },
	{ "header only", P(HEADER("\0")), DNS_A, -1, 0, "", "" },
	{ "cut question", P(HEADER("\0") "\1a\7exam"), DNS_A, -1, 0, "", "" },
	{ "fewer records than said", P(HEADER("\1") QUESTION("\1")), DNS_A, -1,
	    0, "", "" },
	{ "pointer to itself", P(HEADER("\0") "\xc0\x0c\0\1\0\1"), DNS_A, -1, 0,
	    "", "" },
	{ "pointer forward", P(HEADER("\0") "\xc0\x10\0\1\0\1\0"), DNS_A, -1, 0,
	    "", "" },
	{ "pointer half there", P(HEADER("\0") "\xc0"), DNS_A, -1, 0, "", "" },
	{ "label type", P(HEADER("\0") "\x41x\0\0\1\0\1"), DNS_A, -1, 0, "",
	    "" },
	{ "a of 3 bytes",
	    P(HEADER("\1") QUESTION("\1") RR(SELF, "\1", "\3") "\xc0\0\2"),
	    DNS_A, -1, 0, "", "" },
	{ "a of none at the end",
	    P(HEADER("\1") QUESTION("\1") RR(SELF, "\1", "\0")), DNS_A, -1, 0,
	    "", "" },
	{ "string past its record",
	    P(HEADER("\1") QUESTION("\x10") RR(SELF, "\x10", "\2") "\5ab"),
	    DNS_TXT, -1, 0, "", "" },
	{ "data past the packet",
	    P(HEADER("\1") QUESTION("\1") RR(SELF, "\1", "\4") "\xc0\0\2"),
	    DNS_A, -1, 0, "", "" },
	{ "mx of 2 bytes",
	    P(HEADER("\1") QUESTION("\x0f") RR(SELF, "\x0f", "\2") "\0\5"),
	    DNS_MX, -1, 0, "", "" },
	{ "bytes behind a name",
	    P(HEADER("\1") QUESTION("\x0c") RR(SELF, "\x0c", "\3") "\xc0\x0ex"),
	    DNS_PTR, -1, 0, "", "" },
};

/* What a record says, in a few words. */
static struct slice
words(const struct dns_record *r, enum dns_type type, char text[IP_TEXT])
{
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		return slice_str(ip_text(&r->ip, text));
	case DNS_MX:
		return r->mx.host;
	case DNS_SRV:
		return r->srv.host;
	case DNS_TLSA:
		return r->tlsa.data;
	case DNS_CAA:
		return r->caa.value;
	case DNS_TXT:
		return r->text;
	default:
		return r->host;
	}
}

static void
test_packets(void)
{
	char text[IP_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dns_answer a = { 0 };
		ROW(rows[i].name);
		CHECK_EQ(dns_packet_parse(slice_of(rows[i].packet, rows[i].n),
			     arena, rows[i].type, &a),
		    rows[i].rc);
		if (rows[i].rc < 0)
			continue;
		CHECK_SLICE(a.name, slice_str(rows[i].owner));
		CHECK_EQ(a.n, rows[i].records);
		if (a.n > 0) {
			CHECK_SLICE(words(&a.v[0], rows[i].type, text),
			    slice_str(rows[i].first));
			CHECK_EQ(a.v[0].ttl, 300);
		}
	}
}

static void
test_replies(void)
{
	static const struct {
		const char *name;
		struct dns_reply reply;
		int rc;
		bool nxdomain;
		const char *text;
	} replies[] = {
		{ "records",
		    { .packet = { P(HEADER("\1") QUESTION("\1")
			      RR(SELF, "\1", "\4") "\xc0\0\2\1") } },
		    1, false, "" },
		{ "none", { .packet = { P(HEADER("\0") QUESTION("\1")) } }, 0,
		    false, "" },
		{ "no name",
		    { .rcode = DNS_NXDOMAIN,
			.packet = { P(HEADER("\0") QUESTION("\1")) } },
		    0, true, "" },
		{ "failure", { .rcode = DNS_SERVFAIL }, -1, false,
		    "dns: SERVFAIL for a.example" },
		{ "refused", { .rcode = 5, .why = SLICE("no") }, -1, false,
		    "dns: REFUSED for a.example: no" },
		{ "bogus", { .bogus = true, .why = SLICE("expired") }, -1,
		    false, "dns: bogus answer for a.example: expired" },
		{ "late", { .timeout = true }, -1, false,
		    "dns: no answer in time for a.example" },
		{ "malformed", { .packet = SLICE("xxxxxxxxxxxxxx") }, -1, false,
		    "dns: malformed answer for a.example" },
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct err e = ERR_INIT;
		struct dns_answer a;
		ROW(replies[i].name);
		CHECK_EQ(dns_reply_answer(&replies[i].reply, arena,
			     SLICE("a.example"), DNS_A, &a, &e),
		    replies[i].rc);
		CHECK_EQ(a.nxdomain, replies[i].nxdomain);
		CHECK_EQ(a.bogus, replies[i].reply.bogus);
		CHECK_EQ(a.timeout, replies[i].reply.timeout);
		CHECK_STR(e.text, replies[i].text);
		CHECK_EQ(e.kind, replies[i].rc < 0 ? ERR_TEMP : ERR_NONE);
	}
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_packets);
	RUN(test_replies);
	arena_free(&arena);
	return unit_done();
}
