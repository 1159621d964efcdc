/* dsn - names and encodings of delivery status notifications. */
#include "message/dsn.h"

#include "base/scan.h"
#include "message/dsn_int.h"
#include "text/unicode.h"

#define PARAM_TEXT_MAX 4096 /* of ENVID or ORCPT; SMTP lines are shorter */

/* ---- actions ---- */

static const char *const actions[DSN_ACTIONS] = {
	[DSN_FAILED] = "failed",
	[DSN_DELAYED] = "delayed",
	[DSN_DELIVERED] = "delivered",
	[DSN_RELAYED] = "relayed",
	[DSN_EXPANDED] = "expanded",
};

const char *
dsn_action_name(enum dsn_action action)
{
	return actions[action];
}

bool
dsn_action_parse(struct slice name, enum dsn_action *action_r)
{
	for (int i = 0; i < DSN_ACTIONS; i++)
		if (slice_isi(name, actions[i])) {
			*action_r = (enum dsn_action)i;
			return true;
		}
	return false;
}

/* ---- texts ---- */

struct slice
dsn_clip(struct slice s)
{
	if (s.n <= DSN_TEXT_MAX)
		return s;
	s.n = DSN_TEXT_MAX;
	s.n -= unicode_partial(s);
	return s;
}

/* RFC 6533, 3: what stands for itself, but for other than ASCII. */
static const bool is_qchar[256] = {
	['!' ... '*'] = true,
	[',' ... '<'] = true,
	['>' ... '['] = true,
	[']' ... '~'] = true,
};

void
dsn_unitext_write(struct buf *out, struct slice text)
{
	uint32_t c;

	while (unicode_next(&text, &c))
		if (c >= 0x80 || is_qchar[c])
			unicode_put(out, c);
		else
			buf_addf(out, "\\x{%02X}", (unsigned)c);
}

/* "\x{HEX}" */
static bool
take_embedded(struct scan *sc, uint32_t *c_r)
{
	struct scan before = *sc;
	struct slice hex;
	uint64_t c;

	if (scan_lit(sc, SLICE("\\x{")) && scan_take(sc, scan_hexdigit, &hex) &&
	    hex.n <= 6 && slice_hex64(hex, &c) && scan_char(sc, '}')) {
		*c_r = (uint32_t)c;
		return true;
	}
	*sc = before;
	return false;
}

void
dsn_unitext_read(struct buf *out, struct slice text)
{
	struct scan sc = scan_of(text);
	uint32_t c;

	while (!scan_end(&sc))
		if (take_embedded(&sc, &c))
			unicode_put(out, c);
		else
			buf_addc(out, *sc.p++);
}

/* ---- parameters of SMTP ---- */

/* RFC 3461, 4: "+" and two digits. */
static void
xtext_read(struct buf *out, struct slice xtext)
{
	struct scan sc = scan_of(xtext);

	while (!scan_end(&sc)) {
		struct slice rest = scan_rest(&sc);
		uint64_t c;
		if (rest.p[0] == '+' && rest.n >= 3 &&
		    slice_hex64(slice_sub(rest, 1, 3), &c)) {
			buf_addc(out, (char)c);
			sc.p += 3;
		} else
			buf_addc(out, *sc.p++);
	}
}

struct slice
dsn_envid(struct arena *arena, struct slice xtext)
{
	struct buf out = BUF_INIT(PARAM_TEXT_MAX);
	struct slice s;

	xtext_read(&out, xtext);
	s = arena_dup(arena, buf_slice(&out));
	buf_free(&out);
	return s;
}

struct dsn_typed
dsn_orcpt(struct arena *arena, struct slice orcpt)
{
	struct dsn_typed t = { SLICE_NULL, SLICE_NULL };
	struct buf out = BUF_INIT(PARAM_TEXT_MAX);
	struct slice type, text;

	if (!slice_cut(orcpt, ';', &type, &text))
		return t;
	if (slice_isi(type, "utf-8"))
		dsn_unitext_read(&out, text);
	else
		xtext_read(&out, text);
	t.type = arena_dup(arena, type);
	t.text = arena_dup(arena, buf_slice(&out));
	buf_free(&out);
	return t;
}
