#include "imap/url.h"

#include "db/escape.h"
#include "imap/fetch.h"
#include "text/unicode.h"

struct url {
	struct slice mailbox;
	uint32_t uidvalidity, uid; /* uidvalidity 0: not given */
	struct slice section;
	struct slice partial; /* "0.100" or "0", or empty */
};

/* %XX decoded, in the arena; false if it is no UTF-8. */
static bool
decode(struct imap_session *s, struct slice raw, struct slice *text_r)
{
	struct buf b = BUF_INIT(IMAP_LITERAL_MAX);
	bool ok = raw.n == 0 || db_unescape(&b, raw);

	*text_r = arena_dup(s->arena, buf_slice(&b));
	buf_free(&b);
	return ok && unicode_valid(*text_r);
}

/* Cut s before word, case ignored; what is behind word goes to *rest_r. */
static bool
cut_word(struct slice *s, const char *word, struct slice *rest_r)
{
	ssize_t at = slice_findi(*s, slice_str(word));

	*rest_r = SLICE_NULL;
	if (at < 0)
		return false;
	*rest_r = slice_skip(*s, (size_t)at + slice_str(word).n);
	*s = slice_head(*s, (size_t)at);
	return true;
}

static bool
number(struct slice digits, uint32_t *v_r)
{
	struct scan sc = scan_of(digits);

	return scan_u32(&sc, v_r) && scan_end(&sc) && *v_r > 0;
}

/* "/Drafts;UIDVALIDITY=1", the mailbox. */
static bool
parse_mailbox(struct imap_session *s, struct slice path, struct url *u)
{
	struct slice validity, name;
	struct err e = ERR_INIT;

	if (cut_word(&path, ";UIDVALIDITY=", &validity) &&
	    !number(validity, &u->uidvalidity))
		return false;
	if (!slice_starts(path, SLICE("/")))
		return false;
	return decode(s, slice_skip(path, 1), &name) &&
	    store_name_check(s->arena, name, &u->mailbox, &e) == 0;
}

static bool
parse_url(struct imap_session *s, struct slice url, struct url *u)
{
	struct slice path = url, uid, section;

	*u = (struct url){ 0 };
	if (s->mb && slice_startsi(url, SLICE(";UID="))) {
		u->mailbox = mailbox_name(s->mb);
		uid = slice_skip(url, 5);
	} else if (!cut_word(&path, "/;UID=", &uid) ||
	    !parse_mailbox(s, path, u))
		return false;
	cut_word(&uid, "/;PARTIAL=", &u->partial);
	cut_word(&uid, "/;SECTION=", &section);
	return number(uid, &u->uid) && decode(s, section, &u->section);
}

/* The same as FETCH would ask for it. */
static const struct fetch_item *
item_of(struct imap_session *s, const struct url *u)
{
	struct buf text = BUF_INIT(IMAP_LITERAL_MAX);
	struct imap_parse p = { .arena = s->arena, .utf8 = true };
	struct fetch f = { 0 };
	bool ok;

	buf_addf(&text, "BODY.PEEK[%.*s]", SLICE_FMT(u->section));
	if (u->partial.n > 0)
		buf_addf(&text, "<%.*s%s>", SLICE_FMT(u->partial),
		    slice_chr(u->partial, '.') < 0 ? ".9223372036854775807"
						   : "");
	p.sc = scan_of(arena_dup(s->arena, buf_slice(&text)));
	ok = !text.over && imap_fetch_args(&p, &f) && imap_end(&p) &&
	    f.nitems == 1 && !f.flags && !f.uid && !f.modseq;
	buf_free(&text);
	return ok ? f.items[0] : NULL;
}

struct sink {
	int (*put)(void *ctx, struct slice wire, struct err *e);
	void *ctx;
	struct err *e;
	bool failed;
};

static void
put_piece(void *ctx, struct slice wire)
{
	struct sink *k = ctx;

	if (!k->failed && k->put(k->ctx, wire, k->e) < 0)
		k->failed = true;
}

static int
read_from(struct mailbox *mb, const struct url *u,
    const struct fetch_item *item, struct sink *k)
{
	uint32_t seq = mailbox_seq(mb, u->uid);

	if (seq == 0 ||
	    (u->uidvalidity && u->uidvalidity != mailbox_uidvalidity(mb)))
		return 0;
	switch (imap_fetch_octets(mb, seq, item, put_piece, k, k->e)) {
	case FETCH_OK:
		return k->failed ? -1 : 1;
	case FETCH_FAILED:
		return -1;
	default:
		return 0;
	}
}

int
imap_url_read(struct imap_session *s, struct slice url,
    int (*put)(void *ctx, struct slice wire, struct err *e), void *ctx,
    struct err *e)
{
	struct sink k = { put, ctx, e, false };
	const struct fetch_item *item;
	struct mailbox *mb = s->mb;
	struct url u;
	int rc = 1;

	if (!parse_url(s, url, &u) || !(item = item_of(s, &u)))
		return 0;
	if (!mb || !slice_eq(mailbox_name(mb), u.mailbox)) {
		mb = NULL;
		rc = mailbox_open(&mb, s->store, u.mailbox, e);
	}
	if (rc == 1)
		rc = read_from(mb, &u, item, &k);
	if (mb != s->mb)
		mailbox_close(&mb);
	return rc;
}
