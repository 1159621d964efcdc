/* idna - domain names with U-labels and A-labels. */
#include "text/idna.h"

#include <idn2.h>

#include "base/scan.h"

/* In UTF-8 that becomes IDNA_DOMAIN bytes of A-labels; and some characters
 * are mapped to nothing. */
#define UNICODE_MAX 1024

/* Letters, digits and hyphen as in host names (RFC 1123, 2.1), and the
 * underscore of other names in DNS. */
static const bool is_label[256] = {
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
	['0' ... '9'] = true,
	['-'] = true,
	['_'] = true,
};

/* Labels of 1 to 63 such characters with dots between. */
static bool
is_domain(struct slice s)
{
	struct scan sc = scan_of(s);
	struct slice label;

	if (s.n > IDNA_DOMAIN)
		return false;
	do
		if (!scan_take(&sc, is_label, &label) || label.n > IDNA_LABEL)
			return false;
	while (scan_char(&sc, '.'));
	return scan_end(&sc);
}

static int
bad_name(struct slice domain, const char *why, struct err *e)
{
	return err_set(e, ERR_SYNTAX, "domain name \"%.*s\": %s",
	    (int)slice_head(domain, 80).n, domain.p == NULL ? "" : domain.p,
	    why);
}

static struct slice
lower_case(struct arena *arena, struct slice s)
{
	char *p = arena_cstr(arena, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] |= 0x20;
	return slice_of(p, s.n);
}

/* What idn2 allocated, in the arena. */
static struct slice
take_over(struct arena *arena, char *text)
{
	struct slice s = arena_dup(arena, slice_str(text));

	idn2_free(text);
	return s;
}

/* Non-ASCII to A-labels; an error code of idn2. */
static int
to_ascii(struct arena *arena, struct slice domain, struct slice *ascii_r)
{
	uint8_t *ascii = NULL;
	int rc = idn2_lookup_u8((const uint8_t *)arena_cstr(arena, domain),
	    &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if (rc == IDN2_OK)
		*ascii_r = take_over(arena, (char *)ascii);
	return rc;
}

int
idna_ascii(struct arena *arena, struct slice domain, struct slice *ascii_r,
    struct err *e)
{
	struct slice s;
	int rc;

	if (is_domain(domain)) {
		*ascii_r = lower_case(arena, domain);
		return 0;
	}
	if (domain.n > UNICODE_MAX || slice_chr(domain, '\0') >= 0)
		return bad_name(domain, "too long or with a NUL", e);
	rc = to_ascii(arena, domain, &s);
	if (rc != IDN2_OK)
		return bad_name(domain, idn2_strerror(rc), e);
	if (!is_domain(s)) /* mapping makes ASCII of some characters */
		return bad_name(domain, "not allowed", e);
	*ascii_r = lower_case(arena, s);
	return 0;
}

int
idna_unicode(struct arena *arena, struct slice domain, struct slice *unicode_r,
    struct err *e)
{
	struct slice ascii = SLICE_NULL, again = SLICE_NULL, u_labels;
	char *text = NULL;

	if (idna_ascii(arena, domain, &ascii, e) < 0)
		return -1;
	*unicode_r = ascii;
	if (slice_find(ascii, SLICE("xn--")) < 0 ||
	    idn2_to_unicode_8z8z(arena_cstr(arena, ascii), &text, 0) != IDN2_OK)
		return 0;
	/* Decoding alone would let controls and look-alikes through. */
	u_labels = take_over(arena, text);
	if (to_ascii(arena, u_labels, &again) == IDN2_OK &&
	    slice_eq(again, ascii))
		*unicode_r = u_labels;
	return 0;
}
