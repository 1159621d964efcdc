/* precis - preparation of passwords and login names for comparison. */
#include "text/precis.h"

#include <string.h>
#include <unictype.h>

#include "text/unicode.h"

/* Categories of FreeformClass (RFC 8264, 4.3.1 and 9): letters, marks,
 * numbers, punctuation, symbols; spaces where allowed are added. */
#define VISIBLE \
	(UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N | \
	    UC_CATEGORY_MASK_P | UC_CATEGORY_MASK_S)

struct text {
	uint32_t c[PRECIS_MAX];
	size_t n;
};

/* ---- rules that depend on neighbours (RFC 5892, appendix A) ---- */

static bool
is_virama(const struct text *t, size_t i)
{
	return i > 0 && uc_combining_class(t->c[i - 1]) == UC_CCC_VR;
}

static bool
is_script(uint32_t c, const char *name)
{
	return uc_is_script(c, uc_script_byname(name));
}

/* A.1: between letters that join, or behind a virama. */
static bool
zero_width_non_joiner(const struct text *t, size_t i)
{
	size_t before = i, after = i + 1;
	int type;

	if (is_virama(t, i))
		return true;
	while (before > 0 &&
	    uc_joining_type(t->c[before - 1]) == UC_JOINING_TYPE_T)
		before--;
	while (after < t->n &&
	    uc_joining_type(t->c[after]) == UC_JOINING_TYPE_T)
		after++;
	if (before == 0 || after == t->n)
		return false;
	type = uc_joining_type(t->c[before - 1]);
	if (type != UC_JOINING_TYPE_L && type != UC_JOINING_TYPE_D)
		return false;
	type = uc_joining_type(t->c[after]);
	return type == UC_JOINING_TYPE_R || type == UC_JOINING_TYPE_D;
}

static bool
between_l(const struct text *t, size_t i) /* A.3: Catalan */
{
	return i > 0 && i + 1 < t->n && t->c[i - 1] == 'l' &&
	    t->c[i + 1] == 'l';
}

static bool
before_greek(const struct text *t, size_t i) /* A.4 */
{
	return i + 1 < t->n && is_script(t->c[i + 1], "Greek");
}

static bool
after_hebrew(const struct text *t, size_t i) /* A.5, A.6 */
{
	return i > 0 && is_script(t->c[i - 1], "Hebrew");
}

static bool
with_japanese(const struct text *t, size_t i) /* A.7 */
{
	(void)i;
	for (size_t k = 0; k < t->n; k++)
		if (t->c[k] != 0x30fb &&
		    (is_script(t->c[k], "Hiragana") ||
			is_script(t->c[k], "Katakana") ||
			is_script(t->c[k], "Han")))
			return true;
	return false;
}

static bool
has_none_of(const struct text *t, uint32_t low, uint32_t high)
{
	for (size_t k = 0; k < t->n; k++)
		if (t->c[k] >= low && t->c[k] <= high)
			return false;
	return true;
}

static bool
no_extended_digits(const struct text *t, size_t i) /* A.8 */
{
	(void)i;
	return has_none_of(t, 0x6f0, 0x6f9);
}

static bool
no_arabic_digits(const struct text *t, size_t i) /* A.9 */
{
	(void)i;
	return has_none_of(t, 0x660, 0x669);
}

static bool
never(const struct text *t, size_t i)
{
	(void)t;
	(void)i;
	return false;
}

/* Exceptions (RFC 8264, 9.6 with RFC 5892, 2.6), join controls, old Hangul
 * jamo (RFC 8264, 9.9). Exceptions that are allowed are so anyway. */
static const struct rule {
	uint32_t low, high;
	bool (*allowed)(const struct text *t, size_t i);
} rules[] = {
	{ 0xb7, 0xb7, between_l },
	{ 0x375, 0x375, before_greek },
	{ 0x5f3, 0x5f4, after_hebrew },
	{ 0x640, 0x640, never },
	{ 0x660, 0x669, no_extended_digits },
	{ 0x6f0, 0x6f9, no_arabic_digits },
	{ 0x7fa, 0x7fa, never },
	{ 0x1100, 0x11ff, never },
	{ 0x200c, 0x200c, zero_width_non_joiner },
	{ 0x200d, 0x200d, is_virama }, /* A.2 */
	{ 0x302e, 0x302f, never },
	{ 0x3031, 0x3035, never },
	{ 0x303b, 0x303b, never },
	{ 0x30fb, 0x30fb, with_japanese },
	{ 0xa960, 0xa97c, never },
	{ 0xd7b0, 0xd7fb, never },
};

/* ---- the classes ---- */

static bool
is_allowed(const struct text *t, size_t i, uint32_t categories)
{
	uint32_t c = t->c[i];

	for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++)
		if (c >= rules[k].low && c <= rules[k].high)
			return rules[k].allowed(t, i);
	return uc_is_general_category_withtable(c, categories) &&
	    !uc_is_property(c, UC_PROPERTY_DEFAULT_IGNORABLE_CODE_POINT);
}

/* Spaces of any kind become U+0020 (RFC 8265, 4.2.2 (2)). */
static void
map_spaces(struct buf *out, struct slice s)
{
	uint32_t c;

	while (unicode_next(&s, &c))
		unicode_put(out,
		    uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Zs)
			? ' '
			: c);
}

/* Are all characters of s, which is in normal form, allowed? */
static bool
check(struct slice s, uint32_t categories)
{
	struct text t = { .n = 0 };
	bool ok = true;

	while (t.n < PRECIS_MAX && unicode_next(&s, &t.c[t.n]))
		t.n++;
	for (size_t i = 0; i < t.n && ok; i++)
		ok = is_allowed(&t, i, categories);
	explicit_bzero(&t, sizeof(t));
	return ok && s.n == 0;
}

static int
prepare(struct buf *out, struct slice s, bool spaces, const char *what,
    struct err *e)
{
	struct buf mapped = BUF_INIT(PRECIS_MAX);
	struct buf normal = BUF_INIT(PRECIS_MAX);
	bool ok;

	if (s.n == 0)
		return err_set(e, ERR_SYNTAX, "%s is empty", what);
	if (spaces && unicode_valid(s))
		map_spaces(&mapped, s);
	else
		buf_add(&mapped, s);
	ok = unicode_nfc(&normal, buf_slice(&mapped)) && !mapped.over &&
	    !normal.over &&
	    check(buf_slice(&normal),
		VISIBLE | (spaces ? UC_CATEGORY_MASK_Zs : 0));
	if (ok)
		buf_add(out, buf_slice(&normal));
	buf_wipe(&mapped);
	buf_wipe(&normal);
	return ok ? 0
		  : err_set(e, ERR_SYNTAX,
			"%s is too long or has characters not allowed", what);
}

int
precis_password(struct buf *out, struct slice password, struct err *e)
{
	return prepare(out, password, true, "password", e);
}

int
precis_login(struct buf *out, struct slice name, struct err *e)
{
	return prepare(out, name, false, "login name", e);
}
