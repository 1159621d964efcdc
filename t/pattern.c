#include "text/pattern.h"
#include "t/unit.h"

static const struct {
	const char *expression;
	const char *wrong; /* part of the message; NULL: it is fine */
} rows[] = {
	{ "", NULL },
	{ "^(junk|spam)", NULL },
	{ "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects)", NULL },
	{ "a.*b+?c{2,3}$", NULL },
	{ "a**", "" },
	{ "[a-z0-9._]+@example\\.org$", NULL },
	{ "[]a]", NULL },
	{ "[^]a]", NULL },
	{ "[[:alpha:]\\d]", NULL },
	{ "(?:a|b)", NULL },
	{ "(?i)abc", NULL },
	{ "(?i-s:abc)", NULL },
	{ "(?P<name>a)", NULL },
	{ "(?<name>a)", NULL },
	{ "\\bword\\b\\x41\\x{e9}\\pL\\p{Greek}\\.", NULL },
	{ "\\Q(?=*\\E+", NULL },
	{ "gr\xc3\xbc\xc3\x9f+e", NULL },
	{ "(", "" },
	{ "[a", "" },
	{ "a)", "" },
	{ "*a", "" },
	{ "\\", "backslash at the end" },
	{ "(a)\\1", "back reference" },
	{ "[\\1]", "back reference" },
	{ "(?P=name)", "look-around" },
	{ "\\k<name>", "unknown escape" },
	{ "(?=a)", "look-around" },
	{ "(?!a)", "look-around" },
	{ "(?<=a)b", "look-around" },
	{ "(?<!a)b", "look-around" },
	{ "(?>a)", "look-around" },
	{ "(?R)", "look-around" },
	{ "(?1)", "look-around" },
	{ "(?(1)a)", "look-around" },
	{ "(*ACCEPT)a", "nothing to repeat" },
	{ "a++", "possessive" },
	{ "a*+", "possessive" },
	{ "a{2}+", "possessive" },
	{ "\\K", "unknown escape" },
	{ "\\R", "unknown escape" },
	{ "\xff", "" },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		int rc = pattern_check(slice_str(rows[i].expression), &e);

		ROW(rows[i].expression);
		CHECK_EQ(rc, rows[i].wrong ? -1 : 0);
		if (rc < 0)
			CHECK(strstr(e.text,
			    rows[i].wrong ? rows[i].wrong : "?"));
	}
}

static void
test_long(void)
{
	char text[PATTERN_MAX + 1];

	memset(text, 'a', sizeof(text));
	CHECK_EQ(pattern_check(slice_of(text, PATTERN_MAX), NULL), 0);
	CHECK_EQ(pattern_check(slice_of(text, PATTERN_MAX + 1), NULL), -1);
}

int
main(void)
{
	RUN(test_rows);
	RUN(test_long);
	return unit_done();
}
