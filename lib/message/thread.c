/* thread - message ids and base subjects. */
#include "message/thread.h"

#include "base/scan.h"
#include "message/lex.h"
#include "text/unicode.h"

/* ---- message ids ---- */

bool
thread_next_id(struct slice *rest, struct slice *id_r)
{
	struct slice before, id;

	while (slice_cut(*rest, '<', &before, rest)) {
		if (!slice_cut(*rest, '>', &id, rest))
			return false;
		/* "<lost <id@here>": the last one counts. */
		id = slice_skip(id, (size_t)(slice_rchr(id, '<') + 1));
		*id_r = slice_trim(id);
		if (id_r->n > 0)
			return true;
	}
	return false;
}

/* Lower case, without white space and controls. */
static void
add_lower(struct buf *out, char c)
{
	if ((unsigned char)c <= ' ' || c == 0x7f)
		return;
	buf_addc(out, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
}

void
thread_canonical_id(struct buf *out, struct slice id)
{
	ssize_t at = slice_rchr(id, '@');
	struct slice local = slice_head(id, at < 0 ? id.n : (size_t)at);
	struct slice domain = slice_skip(id, local.n);
	bool quoted = domain.n > 0 && local.n >= 2 && local.p[0] == '"' &&
	    local.p[local.n - 1] == '"';

	if (quoted)
		local = slice_sub(local, 1, local.n - 1);
	for (size_t i = 0; i < local.n; i++) {
		if (quoted && local.p[i] == '\\' && i + 1 < local.n)
			i++;
		add_lower(out, local.p[i]);
	}
	for (size_t i = 0; i < domain.n; i++)
		add_lower(out, domain.p[i]);
}

/* ---- base subject: RFC 5256, 2.1 ---- */

static void
collapse(struct buf *out, struct slice s)
{
	bool space = false;

	s = slice_trim(s);
	for (size_t i = 0; i < s.n; i++) {
		if (lex_space[(unsigned char)s.p[i]]) {
			space = true;
			continue;
		}
		if (space)
			buf_addc(out, ' ');
		space = false;
		buf_addc(out, s.p[i]);
	}
}

/* subj-blob: "[" without brackets inside "]" *WSP */
static bool
take_blob(struct scan *sc)
{
	struct scan at = *sc;

	if (!scan_char(&at, '['))
		return false;
	while (!scan_end(&at) && *at.p != '[' && *at.p != ']')
		at.p++;
	if (!scan_char(&at, ']'))
		return false;
	scan_skip(&at, scan_wsp);
	*sc = at;
	return true;
}

/* subj-refwd: ("re" / "fw" / "fwd") *WSP [subj-blob] ":" */
static bool
take_refwd(struct scan *sc)
{
	struct scan at = *sc;

	if (!scan_liti(&at, SLICE("re")) && !scan_liti(&at, SLICE("fwd")) &&
	    !scan_liti(&at, SLICE("fw")))
		return false;
	scan_skip(&at, scan_wsp);
	take_blob(&at);
	if (!scan_char(&at, ':'))
		return false;
	*sc = at;
	return true;
}

/* (2) */
static bool
cut_trailers(struct slice *s)
{
	bool reply = false;

	for (;; reply = true) {
		*s = slice_trim(*s);
		if (!slice_endsi(*s, SLICE("(fwd)")))
			return reply;
		s->n -= 5;
	}
}

/*
 * (3) to (5): all replies with the blobs before them, then all blobs that do
 * not leave the subject empty.
 */
static bool
cut_leaders(struct slice *s)
{
	struct scan sc = scan_of(*s), at, last;
	bool reply = false;

	for (;; sc = at, reply = true) {
		scan_skip(&sc, scan_wsp);
		at = last = sc;
		while (take_blob(&at))
			if (!scan_end(&at))
				last = at;
		if (!take_refwd(&at))
			break;
	}
	*s = scan_rest(&last);
	return reply;
}

bool
thread_base_subject(struct buf *out, struct slice subject)
{
	struct buf one = BUF_INIT(subject.n);
	struct slice s;
	bool reply = false;

	collapse(&one, subject);
	for (s = buf_slice(&one);;) {
		reply |= cut_trailers(&s);
		reply |= cut_leaders(&s);
		/* (6) */
		if (!slice_startsi(s, SLICE("[fwd:")) || s.p[s.n - 1] != ']')
			break;
		s = slice_sub(s, 5, s.n - 1);
		reply = true;
	}
	unicode_fold(out, s);
	buf_free(&one);
	return reply;
}
