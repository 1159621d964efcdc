/* ESEARCH: several mailboxes at once (RFC 7377). */
#include "imap/box.h"
#include "imap/filter.h"
#include "imap/limit.h"

enum { SCOPES_MAX = 100 }; /* in one command */

struct scopes {
	struct imap_filter v[SCOPES_MAX];
	size_t n;
};

/* ---- arguments ---- */

static bool
scope(struct imap_parse *p, struct scopes *all)
{
	struct imap_filter *f = &all->v[all->n];

	if (all->n == SCOPES_MAX)
		return imap_wrong(p, "too many sources");
	if (!imap_filter(p, f))
		return false;
	if (f->kind == FILTER_SELECTED_DELAYED)
		return imap_wrong(p, "unknown source of messages");
	all->n++;
	return true;
}

/* "IN (mailboxes (a b) subtree c) ". No scope options are defined. */
static bool
sources(struct imap_parse *p, struct scopes *all)
{
	all->n = 0;
	if (!imap_word(p, "IN")) {
		all->v[all->n++] =
		    (struct imap_filter){ .kind = FILTER_SELECTED };
		return true;
	}
	if (!imap_sp(p) || !imap_char(p, '('))
		return imap_wrong(p, "expected ( after IN");
	do {
		if (!scope(p, all))
			return false;
	} while (imap_char(p, ' '));
	return (imap_char(p, ')') || imap_wrong(p, "expected )")) && imap_sp(p);
}

/* ---- which mailboxes ---- */

static bool
in_scope(const struct imap_session *s, const struct imap_filter *f,
    const struct store_mailbox *m)
{
	return imap_filter_has(f, m->name, m->subscribed,
	    s->mb && slice_eq(m->name, imap_full_name(s, s->mb)));
}

/* Each once, in the order of the list. */
static int
find_mailboxes(struct imap_session *s, const struct scopes *all,
    struct slice **names_r, size_t *n_r, struct err *e)
{
	struct store_mailbox *list;
	size_t n;

	*n_r = 0;
	if (imap_mailboxes(s, &list, &n, e) < 0)
		return -1;
	*names_r = arena_array(s->arena, n, sizeof(**names_r));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; list[i].exists && k < all->n; k++)
			if (in_scope(s, &all->v[k], &list[i])) {
				(*names_r)[(*n_r)++] = list[i].name;
				break;
			}
	return 0;
}

/* ---- searching ---- */

struct esearch {
	struct imap_session *s;
	struct imap_command *c;
	struct search_return ret;
	struct scan program; /* where it begins */
	bool selected_only;
	bool parse_only;
	bool several;    /* mailboxes */
	uint32_t listed; /* in all of them so far */
};

/* Message numbers are those of the selected mailbox; a saved result and updates
 * are, too (RFC 7377, 2.2). */
static bool
parse_program(struct esearch *x, struct search *search)
{
	struct imap_command *c = x->c;

	c->p.sc = x->program;
	if (!imap_search_program(x->s, &c->p, search))
		return false;
	if (!x->selected_only && search->numbers)
		return imap_wrong(&c->p,
		    "message numbers are of the selected mailbox");
	return imap_search_return_ok(x->s, c, &x->ret, search);
}

/* RFC 9738 has one UID to say where it ended, which of several mailboxes would
 * be no answer: then it ends with NO, and what was told is complete. */
static enum imap_result
limit(struct esearch *x, struct search_found *found)
{
	if (!x->several)
		return imap_limit_found(x->s, x->c, &x->ret, found);
	x->listed += imap_limit_listed(&x->ret, found);
	return imap_over_limit(x->listed) ? imap_limit_refuse(x->c) : IMAP_OK;
}

/* The mailbox is s->mb meanwhile. */
static enum imap_result
search_one(struct esearch *x)
{
	struct search search = { 0 };
	struct search_found found;
	struct err e = ERR_INIT;

	if (!parse_program(x, &search))
		return imap_bad_args(x->c);
	if (x->parse_only)
		return IMAP_OK;
	if (imap_search_run(x->s, x->c->tag, &search, &found, &e) < 0)
		return imap_stopped(x->s, x->c, STORE_FAILED, &e);
	if (limit(x, &found) != IMAP_OK)
		return IMAP_NO;
	imap_search_answer(x->s, x->c, &x->ret, &found, search.modseq);
	imap_flush_large(x->s);
	return IMAP_OK;
}

/* One that is gone, or that cannot be read, is passed over. */
static enum imap_result
search_other(struct esearch *x, struct slice name)
{
	struct imap_session *s = x->s;
	struct mailbox *selected = s->mb;
	enum imap_result rc = IMAP_OK;
	struct imap_box box;

	if (imap_resolve(s, name, &box, NULL) != 1 || !(box.rights & ACL_READ))
		return IMAP_OK;
	if (imap_is_selected(s, &box))
		return search_one(x);
	s->mb = NULL;
	if (mailbox_open(&s->mb, box.store, box.name, NULL) == 1) {
		rc = search_one(x);
		mailbox_close(&s->mb);
	}
	s->mb = selected;
	return rc;
}

static bool
is_selected_only(const struct scopes *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].kind != FILTER_SELECTED)
			return false;
	return true;
}

static enum imap_result
search_all(struct esearch *x, const struct scopes *all)
{
	struct err e = ERR_INIT;
	enum imap_result rc = IMAP_OK;
	struct slice *list;
	size_t n;

	if (x->ret.options & SEARCH_RETURN_UPDATE ||
	    (x->ret.options & SEARCH_RETURN_SAVE && !x->selected_only))
		return imap_bad(x->c, "only of the selected mailbox");
	if (find_mailboxes(x->s, all, &list, &n, &e) < 0)
		return imap_store_failed(x->c, STORE_FAILED, &e);
	/* Also without any mailbox the program must make sense. */
	if (n == 0) {
		x->parse_only = true;
		return search_other(x, SLICE("Inbox"));
	}
	x->several = n > 1;
	for (size_t i = 0; rc == IMAP_OK && i < n; i++)
		rc = search_other(x, list[i]);
	return rc;
}

enum imap_result
imap_cmd_esearch(struct imap_session *s, struct imap_command *c)
{
	struct esearch x = { .s = s, .c = c };
	struct scopes *all = arena_alloc(s->arena, sizeof(*all));

	c->uid = true; /* the answers are UIDs */
	if (!imap_sp(&c->p) || !sources(&c->p, all) ||
	    !imap_search_return(&c->p, &x.ret))
		return imap_bad_args(c);
	x.selected_only = is_selected_only(all);
	if (x.selected_only && !s->mb)
		return imap_bad(c, "no mailbox is selected");
	x.program = c->p.sc;
	x.ret.mailbox = true;
	return search_all(&x, all);
}
