#include "imap/url.h"

#include "base/clock.h"
#include "db/escape.h"
#include "imap/box.h"
#include "imap/fetch.h"
#include "text/unicode.h"

/* ---- pieces ---- */

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
	return slice_u32(digits, v_r) && *v_r > 0;
}

/* ---- the server ---- */

/* host [":" port]; which host it is is not looked at: we have many names. */
static bool
is_host(struct slice host)
{
	ssize_t bracket = slice_rchr(host, ']');
	struct slice name = host, port = SLICE_NULL;
	ssize_t colon = slice_rchr(host, ':');
	uint32_t n;

	if (colon > bracket) {
		name = slice_head(host, (size_t)colon);
		port = slice_skip(host, (size_t)colon + 1);
	}
	if (port.n > 0 && (!number(port, &n) || n > 65535))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!scan_print[(unsigned char)name.p[i]] ||
		    slice_chr(SLICE("@/?#\\\"<>"), name.p[i]) >= 0)
			return false;
	return name.n > 0;
}

/* "imap://fred;AUTH=*@example.org:143" is taken from the text. */
static const char *
parse_server(struct imap_session *s, struct slice *text, struct imap_url *u)
{
	struct slice server, host, user = SLICE_NULL, mechanism;
	ssize_t slash;

	*text = slice_skip(*text, SLICE("imap://").n);
	slash = slice_chr(*text, '/');
	server = slash < 0 ? *text : slice_head(*text, (size_t)slash);
	*text = slice_skip(*text, server.n);
	if (slice_cut(server, '@', &user, &host))
		cut_word(&user, ";AUTH=", &mechanism);
	else {
		host = server;
		user = SLICE_NULL;
	}
	if (!is_host(host))
		return "bad server in supplied URL";
	if (!decode(s, user, &u->user))
		return "bad owner username in supplied URL";
	return NULL;
}

/* ---- who may use it ---- */

/* ";EXPIRE=..." at the end of the path. */
static bool
parse_expire(struct slice *path, struct imap_url *u)
{
	struct slice date;

	if (!cut_word(path, ";EXPIRE=", &date))
		return true;
	return clock_rfc3339_parse(date, &u->expire_us);
}

/* "submit+fred:internal:9135...", the end of text, of which the rump is what
 * stands before the first colon. */
static const char *
parse_access(struct imap_session *s, struct slice text, struct slice end,
    struct imap_url *u)
{
	static const struct {
		struct slice name;
		enum imap_url_access access;
		bool user; /* follows */
	} kinds[] = {
		{ SLICE("submit+"), IMAP_URL_SUBMIT, true },
		{ SLICE("user+"), IMAP_URL_USER, true },
		{ SLICE("authuser"), IMAP_URL_AUTHUSER, false },
		{ SLICE("anonymous"), IMAP_URL_ANONYMOUS, false },
	};
	struct slice access, verifier, user;

	if (slice_cut(end, ':', &access, &verifier)) {
		slice_cut(verifier, ':', &u->mechanism, &u->token);
		if (u->mechanism.n == 0 || u->token.n == 0)
			return "bad authorization in supplied URL";
	}
	u->rump = slice_head(text, text.n - end.n + access.n);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!slice_startsi(access, kinds[i].name))
			continue;
		user = slice_skip(access, kinds[i].name.n);
		if ((user.n > 0) != kinds[i].user ||
		    !decode(s, user, &u->access_user))
			break;
		u->access = kinds[i].access;
		return NULL;
	}
	return "bad access identifier in supplied URL";
}

/* ---- what it means ---- */

/* "/Drafts;UIDVALIDITY=1", the mailbox. */
static bool
parse_mailbox(struct imap_session *s, struct slice path, struct imap_url *u)
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

/* "/Drafts/;UID=20/;SECTION=1.2/;PARTIAL=0.100" */
static const char *
parse_path(struct imap_session *s, struct slice path, struct imap_url *u)
{
	struct slice uid, section;

	if (s->mb && !u->absolute && slice_startsi(path, SLICE(";UID="))) {
		u->mailbox = imap_full_name(s, s->mb);
		uid = slice_skip(path, 5);
	} else if (!cut_word(&path, "/;UID=", &uid))
		return "supplied URL is not one of a message";
	else if (!parse_mailbox(s, path, u))
		return "bad mailbox in supplied URL";
	cut_word(&uid, "/;PARTIAL=", &u->partial);
	cut_word(&uid, "/;SECTION=", &section);
	if (!number(uid, &u->uid))
		return "bad UID in supplied URL";
	return decode(s, section, &u->section) ? NULL
					       : "bad section in supplied URL";
}

const char *
imap_url_parse(struct imap_session *s, struct slice text, struct imap_url *u)
{
	struct slice path = text, access;
	const char *wrong = NULL;

	*u = (struct imap_url){ .expire_us = IMAP_URL_FOREVER };
	u->absolute = slice_startsi(text, SLICE("imap://"));
	if (u->absolute)
		wrong = parse_server(s, &path, u);
	if (!wrong && cut_word(&path, ";URLAUTH=", &access)) {
		wrong = parse_access(s, text, access, u);
		if (!wrong && !parse_expire(&path, u))
			wrong = "bad EXPIRE in supplied URL";
	}
	return wrong ? wrong : parse_path(s, path, u);
}

struct fetch_item *
imap_url_item(struct imap_session *s, const struct imap_url *u)
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

uint32_t
imap_url_seq(const struct mailbox *mb, const struct imap_url *u)
{
	if (u->uidvalidity && u->uidvalidity != mailbox_uidvalidity(mb))
		return 0;
	return mailbox_seq(mb, u->uid);
}

/* ---- reading ---- */

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
read_from(struct mailbox *mb, const struct imap_url *u,
    const struct fetch_item *item, struct sink *k)
{
	uint32_t seq = imap_url_seq(mb, u);

	if (seq == 0)
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

/* Its mailbox, if the user may read it: 1, 0, -1. */
static int
readable(struct imap_session *s, const struct imap_url *u,
    struct imap_box *box_r, struct err *e)
{
	int rc = imap_resolve(s, u->mailbox, box_r, e);

	return rc == 1 && !(box_r->rights & ACL_READ) ? 0 : rc;
}

int
imap_url_open(struct imap_session *s, const struct imap_url *u,
    struct mailbox **mb_r, struct err *e)
{
	struct imap_box box;
	int rc = readable(s, u, &box, e);

	return rc == 1 ? mailbox_open(mb_r, box.store, box.name, e) : rc;
}

int
imap_url_read(struct imap_session *s, struct slice url,
    int (*put)(void *ctx, struct slice wire, struct err *e), void *ctx,
    struct err *e)
{
	struct sink k = { put, ctx, e, false };
	const struct fetch_item *item;
	struct mailbox *mb = s->mb;
	struct imap_box box;
	struct imap_url u;
	int rc;

	if (imap_url_parse(s, url, &u) || u.absolute || u.access ||
	    !(item = imap_url_item(s, &u)))
		return 0;
	rc = readable(s, &u, &box, e);
	if (rc == 1 && !imap_is_selected(s, &box)) {
		mb = NULL;
		rc = mailbox_open(&mb, box.store, box.name, e);
	}
	if (rc == 1)
		rc = read_from(mb, &u, item, &k);
	if (mb != s->mb)
		mailbox_close(&mb);
	return rc;
}
