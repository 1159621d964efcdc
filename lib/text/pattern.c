#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/scan.h"
#include "text/pattern.h"

/* Letters after a backslash (RE2, syntax). Punctuation is literal. */
static const char escapes[] = "afnrtvxQEdDsSwWpPAbBz0";

static bool
is_in(int c, const char *set)
{
	return c != 0 && strchr(set, c) != NULL;
}

/* "(?" has been read: flags, a name, or no capture. */
static bool
group_ok(struct scan *sc)
{
	struct scan start;
	struct slice name;

	if (scan_lit(sc, SLICE("P<")) || scan_char(sc, '<')) {
		name = scan_until(sc, '>');
		return name.n > 0 && name.p[0] != '=' && name.p[0] != '!';
	}
	start = *sc;
	while (!scan_end(sc) && is_in(*sc->p, "imsU-"))
		sc->p++;
	return scan_char(sc, ':') || (sc->p > start.p && scan_char(sc, ')'));
}

static int
escape_ok(struct scan *sc, struct err *e)
{
	int c = scan_peek(sc);

	if (c < 0)
		return err_set(e, ERR_SYNTAX, "backslash at the end");
	sc->p++;
	if (c >= '1' && c <= '9')
		return err_set(e, ERR_SYNTAX, "back reference");
	if (scan_alnum[c] && !is_in(c, escapes))
		return err_set(e, ERR_SYNTAX, "unknown escape \\%c", c);
	if (c == 'Q') /* up to \E or the end */
		while (!scan_end(sc) && !scan_lit(sc, SLICE("\\E")))
			sc->p++;
	return 0;
}

/* A class; its first member may be ']'. */
static int
class_ok(struct scan *sc, struct err *e)
{
	scan_char(sc, '^');
	scan_char(sc, ']');
	while (!scan_end(sc) && !scan_char(sc, ']')) {
		if (scan_lit(sc, SLICE("[:")))
			scan_until(sc, ']');
		if (scan_char(sc, '\\')) {
			if (escape_ok(sc, e) < 0)
				return -1;
		} else if (!scan_end(sc))
			sc->p++;
	}
	return 0;
}

/* What pcre2 takes and RE2 does not. */
static int
check_syntax(struct slice expression, struct err *e)
{
	struct scan sc = scan_of(expression);
	bool repeated = false, repeat;

	for (; !scan_end(&sc); repeated = repeat) {
		repeat = false;
		if (scan_char(&sc, '\\')) {
			if (escape_ok(&sc, e) < 0)
				return -1;
		} else if (scan_char(&sc, '[')) {
			if (class_ok(&sc, e) < 0)
				return -1;
		} else if (scan_lit(&sc, SLICE("(*"))) {
			return err_set(e, ERR_SYNTAX, "nothing to repeat");
		} else if (scan_lit(&sc, SLICE("(?"))) {
			if (!group_ok(&sc))
				return err_set(e, ERR_SYNTAX,
				    "look-around or unknown group");
		} else {
			if (*sc.p == '+' && repeated)
				return err_set(e, ERR_SYNTAX,
				    "possessive repetition");
			repeat = !repeated && is_in(*sc.p, "*+?}");
			sc.p++;
		}
	}
	return 0;
}

int
pattern_check(struct slice expression, struct err *e)
{
	PCRE2_UCHAR text[128];
	PCRE2_SIZE offset;
	pcre2_code *code;
	int number;

	if (expression.n > PATTERN_MAX)
		return err_set(e, ERR_SYNTAX, "longer than %d bytes",
		    PATTERN_MAX);
	if (check_syntax(expression, e) < 0)
		return -1;
	code = pcre2_compile((PCRE2_SPTR)(expression.n ? expression.p : ""),
	    expression.n, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY, &number, &offset,
	    NULL);
	if (!code) {
		pcre2_get_error_message(number, text, sizeof(text));
		return err_set(e, ERR_SYNTAX, "%s at offset %zu", (char *)text,
		    offset);
	}
	pcre2_code_free(code);
	return 0;
}
