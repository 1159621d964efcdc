/*
 * GENURLAUTH, RESETKEY and URLFETCH: URLs with which others get a message or
 * part of it (RFC 4467), and what it is beside its octets (RFC 5524).
 */
#include "base/clock.h"
#include "base/sha.h"
#include "config/lookup.h"
#include "imap/box.h"
#include "imap/errand.h"
#include "imap/fetch.h"
#include "imap/url.h"
#include "store/urlkeys.h"

/* RFC 4467, 2.4.1: a token says how it was made, so that there may be another
 * way one day. 01: HMAC-SHA-256, hexadecimal. */
#define TOKEN_HOW "01"
#define TOKEN_MAX (2 + 2 * SHA_MAX)
/* Quoted, each with its token. */
#define ANSWER_MAX (4 * IMAP_COMMAND_MAX)

/* The account of a login name; empty: there is none. */
static struct slice
account_of(struct imap_session *s, struct slice login)
{
	struct lookup_result r;
	struct err e = ERR_INIT;

	if (s->lookup &&
	    lookup_login(s->lookup, s->arena, login, &r, &e) == 0 &&
	    r.status == LOOKUP_ACCOUNT)
		return r.account;
	return SLICE_NULL;
}

/* Is this a login name of the session's account? */
static bool
is_mine(struct imap_session *s, struct slice login)
{
	if (login.n > 0 && slice_eq(login, s->user))
		return true;
	return slice_eq(account_of(s, login), store_account(s->store));
}

/* Is it one of who asks? */
static bool
is_asking(struct imap_session *s, struct slice login)
{
	return s->asks.p ? slice_eq(account_of(s, login), s->asks)
			 : is_mine(s, login);
}

/*
 * What authorizes a URL of this mailbox, appended to token; the key is always
 * one of the session's own account (RFC 4467, 2.2). UIDVALIDITY is in it, as UIDs that mean other messages now must not be had with a URL of
 * before. make: a key, if there is none. 1, 0 there is none, -1.
 */
static int
make_token(struct imap_session *s, struct mailbox *mb, struct slice rump,
    bool make, struct buf *token, struct err *e)
{
	uint32_t uidvalidity = mailbox_uidvalidity(mb);
	struct buf signedtext = BUF_INIT(IMAP_COMMAND_MAX);
	unsigned char key[URLKEY], mac[SHA_MAX];
	int rc = urlkey_get(s->store, uidvalidity, make, key, e);

	if (rc == 1) {
		buf_addf(&signedtext, "%u ", uidvalidity);
		buf_add(&signedtext, rump);
		sha_hmac(SHA_256, slice_of((char *)key, sizeof(key)),
		    buf_slice(&signedtext), mac);
		buf_addz(token, TOKEN_HOW);
		for (size_t i = 0; i < sha_size(SHA_256); i++)
			buf_addf(token, "%02x", mac[i]);
	}
	sha_wipe(key, sizeof(key));
	buf_free(&signedtext);
	return rc;
}

/* The only mechanism (RFC 4467, 2.4.1). */
static bool
mechanism(struct imap_parse *p)
{
	struct slice name;

	return (imap_atom(p, &name) && slice_isi(name, "INTERNAL")) ||
	    imap_wrong(p, "the mechanism is INTERNAL");
}

/* ---- GENURLAUTH ---- */

/* RFC 4467, 7: what may be authorized; NULL, or what is wrong. */
static const char *
parse_rump(struct imap_session *s, struct slice text, struct imap_url *u)
{
	const char *wrong = imap_url_parse(s, text, u);

	if (wrong)
		return wrong;
	if (!u->absolute)
		return "supplied URL has no server";
	if (u->user.n == 0)
		return "missing owner username in supplied URL";
	if (u->access == IMAP_URL_PLAIN)
		return "missing access identifier in supplied URL";
	if (u->mechanism.n > 0)
		return "supplied URL is authorized already";
	if (!imap_url_item(s, u))
		return "bad section in supplied URL";
	if (!is_mine(s, u->user))
		return "owner in supplied URL is not who is logged in";
	return NULL;
}

/* The answer for one URL, appended to line. */
static enum imap_result
authorize(struct imap_session *s, struct imap_command *c, struct slice text,
    struct buf *line)
{
	struct buf full = BUF_INIT(IMAP_COMMAND_MAX + TOKEN_MAX);
	struct mailbox *mb = NULL;
	struct err e = ERR_INIT;
	struct imap_url u;
	const char *wrong = parse_rump(s, text, &u);
	int rc;

	if (wrong)
		return imap_bad(c, "%s", wrong);
	if (u.expire_us <= clock_us(store_env_of(s->store)->clock))
		return imap_no(c, NULL, "supplied URL has expired");
	rc = imap_url_open(s, &u, &mb, &e);
	if (rc == 1 && u.uidvalidity &&
	    u.uidvalidity != mailbox_uidvalidity(mb))
		rc = 0;
	buf_add(&full, u.rump);
	buf_addz(&full, ":internal:");
	if (rc == 1)
		rc = make_token(s, mb, u.rump, true, &full, &e);
	mailbox_close(&mb);
	if (rc == 1) {
		buf_addc(line, ' ');
		imap_put_string(line, buf_slice(&full));
	}
	buf_free(&full);
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	return rc == 1 ? IMAP_OK
		       : imap_bad(c, "no such mailbox as in supplied URL");
}

enum imap_result
imap_cmd_genurlauth(struct imap_session *s, struct imap_command *c)
{
	struct imap_parse p = c->p;
	struct buf line = BUF_INIT(ANSWER_MAX);
	enum imap_result rc = IMAP_OK;
	struct slice url;

	/* All are looked at before the first is answered. */
	do {
		if (!imap_sp(&c->p) || !imap_astring(&c->p, &url) ||
		    !imap_sp(&c->p) || !mechanism(&c->p))
			return imap_bad_args(c);
	} while (!imap_end(&c->p));
	while (rc == IMAP_OK && imap_sp(&p)) {
		imap_astring(&p, &url);
		rc = authorize(s, c, url, &line);
		imap_sp(&p);
		mechanism(&p);
	}
	if (rc == IMAP_OK) {
		buf_addz(&s->out, "* GENURLAUTH");
		buf_add(&s->out, buf_slice(&line));
		buf_addz(&s->out, "\r\n");
	}
	buf_free(&line);
	return rc;
}

/* ---- RESETKEY ---- */

static enum imap_result
reset_one(struct imap_session *s, struct imap_command *c, struct slice name)
{
	struct mailbox *mb = NULL;
	struct err e = ERR_INIT;
	struct imap_box box;
	enum imap_result found = imap_box(s, c, name, ACL_READ, &box);
	int rc;

	if (found != IMAP_OK)
		return found;
	rc = mailbox_open(&mb, box.store, box.name, &e);
	if (rc == 0)
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	if (rc == 1)
		rc = urlkey_reset(s->store, mailbox_uidvalidity(mb), &e);
	mailbox_close(&mb);
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	imap_code(c, "URLMECH INTERNAL");
	return IMAP_OK;
}

/* The next GENURLAUTH makes a new key. */
enum imap_result
imap_cmd_resetkey(struct imap_session *s, struct imap_command *c)
{
	struct err e = ERR_INIT;
	struct slice name;

	if (imap_end(&c->p)) {
		if (urlkey_reset(s->store, 0, &e) < 0)
			return imap_store_failed(c, STORE_FAILED, &e);
		return IMAP_OK;
	}
	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name))
		return imap_bad_args(c);
	while (!imap_end(&c->p))
		if (!imap_sp(&c->p) || !mechanism(&c->p))
			return imap_bad_args(c);
	return reset_one(s, c, name);
}

/* ---- URLFETCH ---- */

struct wanted {
	struct slice url;
	unsigned what; /* IMAP_WANT_* */
};

/* url or (url BODYPARTSTRUCTURE BINARY) */
static bool
wanted_one(struct imap_parse *p, struct wanted *w)
{
	unsigned what;

	*w = (struct wanted){ 0 };
	if (!imap_char(p, '('))
		return imap_astring(p, &w->url);
	if (!imap_astring(p, &w->url))
		return false;
	while (imap_char(p, ' ')) {
		if (imap_word(p, "BODYPARTSTRUCTURE"))
			what = IMAP_WANT_STRUCTURE;
		else if (imap_word(p, "BODY"))
			what = IMAP_WANT_BODY;
		else if (imap_word(p, "BINARY"))
			what = IMAP_WANT_BINARY;
		else
			return imap_wrong(p, "unknown URLFETCH parameter");
		if (w->what & what)
			return imap_wrong(p, "URLFETCH parameter is twice");
		w->what |= what;
	}
	return imap_char(p, ')') || imap_wrong(p, "expected )");
}

/* RFC 4467, 3: may who asks use the URL? No account here is that of a
 * submission server. */
static bool
may_use(struct imap_session *s, const struct imap_url *u)
{
	switch (u->access) {
	case IMAP_URL_AUTHUSER:
	case IMAP_URL_ANONYMOUS:
		return true;
	case IMAP_URL_USER:
		return is_asking(s, u->access_user);
	case IMAP_URL_SUBMIT:
	case IMAP_URL_PLAIN:
		break;
	}
	return false;
}

/* Can it be one that somebody signed, for who asks, and that holds still? */
static bool
is_candidate(struct imap_session *s, struct slice text, struct imap_url *u)
{
	return !imap_url_parse(s, text, u) && u->absolute && u->user.n > 0 &&
	    slice_isi(u->mechanism, "INTERNAL") && may_use(s, u) &&
	    u->expire_us > clock_us(store_env_of(s->store)->clock);
}

/*
 * RFC 4467, 6: the mailbox of the URL if the URL is good for this session, with
 * the number of its message: one of the session's account, or that others share
 * with it now. 1, 0, -1.
 */
static int
open_url(struct imap_session *s, const struct imap_url *u,
    struct mailbox **mb_r, uint32_t *seq_r, struct fetch_item **item_r,
    struct err *e)
{
	struct buf token = BUF_INIT(TOKEN_MAX);
	int rc = imap_url_open(s, u, mb_r, e);

	if (rc == 1)
		rc = make_token(s, *mb_r, u->rump, false, &token, e);
	if (rc == 1 && !slice_eq_secret(buf_slice(&token), u->token))
		rc = 0;
	buf_free(&token);
	if (rc != 1)
		return rc;
	*seq_r = imap_url_seq(*mb_r, u);
	*item_r = imap_url_item(s, u);
	return *seq_r && *item_r;
}

/* ` "url"`, as it stands before what is told of it. */
static struct slice
label(struct imap_session *s, struct slice url)
{
	struct buf b = BUF_INIT(2 * IMAP_COMMAND_MAX);
	struct slice text;

	buf_addz(&b, "* URLFETCH ");
	imap_put_string(&b, url);
	text = arena_dup(s->arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

struct source {
	struct mailbox *mb;
	uint32_t seq;
	struct fetch_item *item;
};

/* The octets behind a label, or NIL. False, with e set, on failure. */
static bool
put_octets(struct imap_session *s, const struct source *from, struct slice text,
    bool binary, struct err *e)
{
	struct fetch_item item = *from->item;
	enum fetch_status st = FETCH_NO_PART;

	item.label = text;
	/* Only whole parts have an encoding to take off. */
	if (binary && item.section == SECTION_WHOLE &&
	    item.kind == FETCH_SECTION) {
		item.kind = FETCH_BINARY;
		st = imap_fetch_body(s, from->mb, from->seq, &item, e);
		item.kind = FETCH_SECTION;
	}
	if (st == FETCH_NO_PART)
		st = imap_fetch_body(s, from->mb, from->seq, &item, e);
	if (st != FETCH_OK && !s->dead) {
		buf_add(&s->out, text);
		buf_addz(&s->out, " NIL");
	}
	return st != FETCH_FAILED;
}

/* RFC 5524, 3.2: left out where it would be of no whole part. */
static bool
put_structure(struct imap_session *s, const struct source *from, bool binary,
    struct err *e)
{
	struct buf text = BUF_INIT(MSGREC_MAX);
	struct fetch_item item = *from->item;
	enum fetch_status st = FETCH_NO_PART;

	if (item.kind == FETCH_SECTION && binary && item.npath > 0) {
		item.kind = FETCH_BINARY;
		st = imap_fetch_part_structure(from->mb, from->seq, &item,
		    &text, e);
		item.kind = FETCH_SECTION;
	}
	if (item.kind == FETCH_SECTION && st == FETCH_NO_PART)
		st = imap_fetch_part_structure(from->mb, from->seq, &item,
		    &text, e);
	if (st == FETCH_OK) {
		buf_addz(&s->out, " (BODYPARTSTRUCTURE ");
		buf_add(&s->out, buf_slice(&text));
		buf_addc(&s->out, ')');
	}
	buf_free(&text);
	return st != FETCH_FAILED;
}

static bool
put_elements(struct imap_session *s, unsigned wants, const struct source *from,
    struct slice text, struct err *e)
{
	if (!wants)
		return put_octets(s, from, text, false, e);
	buf_add(&s->out, text);
	if (wants & IMAP_WANT_STRUCTURE &&
	    !put_structure(s, from, wants & IMAP_WANT_BINARY, e))
		return false;
	if (wants & IMAP_WANT_BODY) {
		if (!put_octets(s, from, SLICE(" (BODY"), false, e))
			return false;
		buf_addc(&s->out, ')');
	}
	if (wants & IMAP_WANT_BINARY) {
		if (!put_octets(s, from, SLICE(" (BINARY"), true, e))
			return false;
		buf_addc(&s->out, ')');
	}
	return true;
}

int
imap_url_tell(struct imap_session *s, struct slice text, unsigned wants,
    struct err *e)
{
	struct source from = { 0 };
	struct imap_url u;
	int rc;

	if (!is_candidate(s, text, &u) || !is_mine(s, u.user))
		return 0;
	rc = open_url(s, &u, &from.mb, &from.seq, &from.item, e);
	if (rc == 1 && !put_elements(s, wants, &from, label(s, text), e))
		rc = -1;
	mailbox_close(&from.mb);
	if (rc == 1) {
		buf_addz(&s->out, "\r\n");
		imap_flush_large(s);
	}
	return rc;
}

/* The same for one that another account signed: that does it. A name that is no
 * log-in is asked like one that is. */
static int
ask_other(struct imap_session *s, const struct wanted *w,
    const struct imap_url *u, struct err *e)
{
	const struct imap_errand errand = {
		.op = IMAP_ERRAND_URL, .wants = w->what, .a = w->url
	};
	struct slice account = account_of(s, u->user);
	struct imap_answer answer;
	int rc = imap_errand_ask(s, account.n ? account : u->user, &errand,
	    &answer, e);

	if (rc == 0 && answer.code == IMAP_ERRAND_DONE)
		rc = imap_answer_copy(s, &answer, e) < 0 ? -1 : 1;
	else if (rc == 0 && answer.code == IMAP_ERRAND_FAILED)
		rc = err_set(e, ERR_TEMP, "message of another account");
	imap_answer_free(&answer);
	/* Without a parent, or of a URL that is too long, there is none. */
	return rc < 0 && (e->kind == ERR_PERM || e->kind == ERR_LIMIT) ? 0 : rc;
}

/* A line for one URL. */
static enum imap_result
fetch_url(struct imap_session *s, struct imap_command *c,
    const struct wanted *w)
{
	struct err e = ERR_INIT;
	struct imap_url u;
	int rc;

	if (is_candidate(s, w->url, &u) && !is_mine(s, u.user))
		rc = ask_other(s, w, &u, &e);
	else
		rc = imap_url_tell(s, w->url, w->what, &e);
	if (rc < 0)
		return s->dead ? IMAP_ANSWERED
			       : imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0) {
		buf_add(&s->out, label(s, w->url));
		buf_addz(&s->out, " NIL\r\n");
	}
	return IMAP_OK;
}

enum imap_result
imap_cmd_urlfetch(struct imap_session *s, struct imap_command *c)
{
	struct imap_parse p = c->p;
	enum imap_result rc = IMAP_OK;
	struct wanted w;

	do {
		if (!imap_sp(&c->p) || !wanted_one(&c->p, &w))
			return imap_bad_args(c);
	} while (!imap_end(&c->p));
	while (rc == IMAP_OK && !s->dead && imap_sp(&p) && wanted_one(&p, &w))
		rc = fetch_url(s, c, &w);
	return rc;
}
