/*
 * Parts of records that checks of DNS look at; the checks are in
 * dnscheck.bats.
 */
#include "host/dnscheck_int.h"
#include "t/unit.h"

static void
test_tag(void)
{
	static const struct {
		const char *text, *tag, *want;
	} rows[] = {
		/* RFC 8460, 3.1 */
		{ "v=TLSRPTv1;rua=mailto:reports@example.com", "rua",
		    "mailto:reports@example.com" },
		{ "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt",
		    "rua", "https://reporting.example.com/v1/tlsrpt" },
		/* RFC 8461, 3.1 */
		{ "v=STSv1; id=20160831085700Z;", "id", "20160831085700Z" },
		{ "v=STSv1 ; id = 1 ; x=2", "id", "1" },
		{ "v=STSv1; id=a=b", "id", "a=b" },
		{ "v=STSv1; id=", "id", "" },
		{ "v=STSv1; idx=1", "id", "" },
		{ "v=STSv1", "id", "" },
		{ "", "id", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].text);
		CHECK_SLICE(dnscheck_tag(slice_str(rows[i].text), rows[i].tag),
		    slice_str(rows[i].want));
	}
}

static void
test_sts(void)
{
	static const struct {
		const char *pattern, *host;
		bool want;
	} rows[] = {
		/* RFC 8461, 4.1 */
		{ "mail.example.com", "mail.example.com", true },
		{ "Mail.example.com", "MAIL.EXAMPLE.com", true },
		{ "*.example.com", "mail.example.com", true },
		{ "*.example.com", "a.b.example.com", false },
		{ "*.example.com", "example.com", false },
		{ "mail.example.com", "xmail.example.com", false },
		{ "*.b\xc3\xbc"
		  "cher.example",
		    "mx.xn--bcher-kva.example", true },
		{ "b\xc3\xbc"
		  "cher.example",
		    "xn--bcher-kva.example", true },
		{ "*.", "example", false },
		{ "", "example", false },
	};
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].pattern);
		CHECK_EQ(dnscheck_sts_matches(arena, slice_str(rows[i].pattern),
			     slice_str(rows[i].host)),
		    rows[i].want);
	}
	arena_free(&arena);
}

int
main(void)
{
	RUN(test_tag);
	RUN(test_sts);
	return unit_done();
}
