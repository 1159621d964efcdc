/* write - values of answers: strings, names, flags, sets of UIDs. */
#include <string.h>

#include "imap/imap.h"
#include "text/unicode.h"
#include "text/utf7.h"

/* May stand in a quoted string for every client: 7-bit, no CR, LF, NUL. */
static bool
quotable(struct slice v)
{
	/* Long ones as literals: lines stay short for clients. */
	if (v.n > 4096)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		if (c >= 0x7f || c == 0 || c == '\r' || c == '\n')
			return false;
	}
	return true;
}

void
imap_put_string(struct buf *b, struct slice v)
{
	if (!quotable(v)) {
		buf_addf(b, "{%zu}\r\n", v.n);
		buf_add(b, v);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '"' || v.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, v.p[i]);
	}
	buf_addc(b, '"');
}

void
imap_put_nstring(struct buf *b, struct slice v)
{
	if (v.p)
		imap_put_string(b, v);
	else
		buf_addz(b, "NIL");
}

void
imap_put_mailbox(struct imap_session *s, struct slice name)
{
	struct buf wire = BUF_INIT(8 * STORE_NAME_MAX);

	if (slice_isi(name, "Inbox"))
		buf_addz(&wire, "INBOX");
	else if (s->enabled & (IMAP_UTF8 | IMAP_REV2))
		buf_add(&wire, name);
	else
		utf7_encode(&wire, name);
	/* RFC 9051, 5.1: with rev2 a quoted string may hold UTF-8. */
	if (unicode_is_ascii(buf_slice(&wire)))
		imap_put_string(&s->out, buf_slice(&wire));
	else {
		buf_addc(&s->out, '"');
		for (size_t i = 0; i < wire.n; i++) {
			if (wire.p[i] == '"' || wire.p[i] == '\\')
				buf_addc(&s->out, '\\');
			buf_addc(&s->out, wire.p[i]);
		}
		buf_addc(&s->out, '"');
	}
	buf_free(&wire);
}

void
imap_put_flags(struct buf *b, const struct mailbox *mb, uint16_t flags,
    uint64_t keywords)
{
	static const struct slice names[] = { SLICE("\\Seen "),
		SLICE("\\Answered "), SLICE("\\Flagged "), SLICE("\\Deleted "),
		SLICE("\\Draft "), SLICE("$Forwarded "), SLICE("$Junk "),
		SLICE("$NotJunk "), SLICE("$Phishing "), SLICE("$MDNSent ") };
	const struct slice *words;
	size_t start = b->n, nwords;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flags & 1u << i)
			buf_add(b, names[i]);
	if (keywords) {
		nwords = mailbox_keywords(mb, &words);
		for (size_t i = 0; i < nwords; i++)
			if (keywords & UINT64_C(1) << i) {
				buf_add(b, words[i]);
				buf_addc(b, ' ');
			}
	}
	if (b->n > start)
		buf_cut(b, b->n - 1);
}

void
imap_put_uids(struct buf *b, const uint32_t *uids, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t last = i;
		while (last + 1 < n && uids[last + 1] == uids[last] + 1)
			last++;
		if (i)
			buf_addc(b, ',');
		buf_addu(b, uids[i]);
		if (last > i) {
			buf_addc(b, ':');
			buf_addu(b, uids[last]);
		}
		i = last + 1;
	}
}

void
imap_put_threadid(struct buf *b, uint64_t thread)
{
	buf_addf(b, "T%016llx", (unsigned long long)thread);
}

bool
imap_threadid(struct slice text, uint64_t *thread_r)
{
	return text.n == 17 && *text.p == 'T' &&
	    slice_hex64(slice_skip(text, 1), thread_r);
}
