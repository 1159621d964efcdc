/*
 * LIST with its extensions (RFC 9051, 6.3.9; RFC 5258, 5819, 6154, 8440, 9590)
 * and LSUB (RFC 3501, 6.3.9).
 */
#include <string.h>

#include "base/log.h"
#include "imap/box.h"
#include "imap/notify.h"
#include "imap/use.h"

#define PATTERNS_MAX 100 /* in one LIST */

struct list_args {
	bool extended;   /* any selection, several patterns, RETURN */
	bool subscribed; /* selection options */
	bool special_use;
	bool recursive;
	bool return_subscribed; /* return options */
	bool return_children;
	bool return_status;
	bool return_myrights; /* RFC 8440 */
	unsigned status_items;
	struct imap_entries metadata; /* return option; n 0: not given */
	struct slice reference;
	struct slice patterns[PATTERNS_MAX];
	size_t npatterns;
};

/* ---- arguments ---- */

/* "(SUBSCRIBED RECURSIVEMATCH)", RFC 9051, 6.3.9.1 */
static bool
selection_options(struct imap_parse *p, struct list_args *a)
{
	if (!imap_char(p, '('))
		return true;
	a->extended = true;
	while (!imap_char(p, ')')) {
		if (imap_word(p, "SUBSCRIBED"))
			a->subscribed = true;
		else if (imap_word(p, "REMOTE"))
			; /* there are no remote mailboxes */
		else if (imap_word(p, "RECURSIVEMATCH"))
			a->recursive = true;
		else if (imap_word(p, "SPECIAL-USE"))
			a->special_use = true;
		else
			return imap_wrong(p, "unknown selection option");
		if (!imap_char(p, ' ') && !imap_peek(p, ')'))
			return imap_wrong(p, "expected ) or option");
	}
	if (a->recursive && !a->subscribed && !a->special_use)
		return imap_wrong(p, "RECURSIVEMATCH needs another option");
	return imap_sp(p);
}

static bool
return_options(struct imap_parse *p, struct list_args *a)
{
	if (!imap_char(p, ' '))
		return true;
	if (!imap_word(p, "RETURN") || !imap_sp(p) || !imap_char(p, '('))
		return imap_wrong(p, "expected RETURN (");
	a->extended = true;
	while (!imap_char(p, ')')) {
		if (imap_word(p, "SUBSCRIBED"))
			a->return_subscribed = true;
		else if (imap_word(p, "CHILDREN"))
			a->return_children = true;
		else if (imap_word(p, "MYRIGHTS"))
			a->return_myrights = true;
		else if (imap_word(p, "SPECIAL-USE"))
			; /* always told */
		else if (imap_word(p, "STATUS")) {
			a->return_status = true;
			if (!imap_sp(p) ||
			    !imap_status_items(p, &a->status_items))
				return false;
		} else if (imap_word(p, "METADATA")) {
			if (!imap_sp(p) || !imap_peek(p, '(') ||
			    !imap_entries(p, &a->metadata))
				return imap_wrong(p, "expected (entries)");
		} else
			return imap_wrong(p, "unknown return option");
		if (!imap_char(p, ' ') && !imap_peek(p, ')'))
			return imap_wrong(p, "expected ) or option");
	}
	return true;
}

static bool
pattern(struct imap_parse *p, struct list_args *a)
{
	if (a->npatterns == PATTERNS_MAX)
		return imap_wrong(p, "too many patterns");
	return imap_pattern(p, &a->patterns[a->npatterns++]);
}

/* "(a b)" */
static bool
patterns(struct imap_parse *p, struct list_args *a)
{
	if (!imap_char(p, '('))
		return pattern(p, a);
	a->extended = true;
	do {
		if (!pattern(p, a))
			return false;
	} while (imap_char(p, ' '));
	return imap_char(p, ')') || imap_wrong(p, "expected )");
}

/* ---- matching ---- */

/*
 * Does name match pattern, with "*" for anything and "%" for anything within
 * a level? after[i]: can what was looked at of the pattern end before
 * name.p[i]? So the time is bounded by |pattern| * |name|.
 */
static bool
matches(struct slice pattern, struct slice name)
{
	bool after[STORE_NAME_MAX + 1] = { true };

	if (name.n > STORE_NAME_MAX)
		return false;
	for (size_t p = 0; p < pattern.n; p++) {
		char c = pattern.p[p];
		if (c == '*' || c == '%') {
			for (size_t i = 0; i < name.n; i++)
				after[i + 1] |=
				    after[i] && (c == '*' || name.p[i] != '/');
			continue;
		}
		for (size_t i = name.n; i > 0; i--)
			after[i] = after[i - 1] && name.p[i - 1] == c;
		after[0] = false;
	}
	return after[name.n];
}

/* The reference is put before the pattern (RFC 9051, 6.3.9); "inbox" in any
 * case means Inbox as the first level. */
static struct slice
whole_pattern(struct imap_session *s, const struct list_args *a, size_t i)
{
	struct slice whole = arena_printf(s->arena, "%.*s%.*s",
	    SLICE_FMT(a->reference), SLICE_FMT(a->patterns[i]));

	if (slice_startsi(whole, SLICE("inbox")) &&
	    (whole.n == 5 || whole.p[5] == '/'))
		memcpy((char *)whole.p, "Inbox", 5);
	return whole;
}

static bool
matches_any(const struct list_args *a, struct slice name)
{
	for (size_t i = 0; i < a->npatterns; i++)
		if (matches(a->patterns[i], name))
			return true;
	return false;
}

/* ---- answering ---- */

static bool
selected(const struct list_args *a, const struct store_mailbox *m)
{
	if (!a->subscribed && !a->special_use)
		return m->exists || m->has_children;
	return (!a->subscribed || m->subscribed) && (!a->special_use || m->use);
}

/* Is there a mailbox below list[i] that is selected but not listed itself? */
static bool
has_selected_child(const struct list_args *a, const struct store_mailbox *list,
    size_t n, size_t i)
{
	struct slice parent = list[i].name;

	for (size_t k = i + 1; k < n; k++) {
		struct slice name = list[k].name;
		bool below = slice_starts(name, parent);
		if (!below && i > 0)
			break; /* sorted, but for Inbox, which is first */
		if (below && name.p[parent.n] == '/' && selected(a, &list[k]) &&
		    !matches_any(a, name))
			return true;
	}
	return false;
}

/* RFC 9051, 7.3.1; the order of attributes is what clients know from mox. */
static void
put_attributes(struct buf *b, const struct list_args *a,
    const struct store_mailbox *m, bool known_nonexistent)
{
	if (m->subscribed && a->subscribed)
		buf_addz(b, " \\Subscribed");
	if (!m->exists)
		buf_addz(b,
		    known_nonexistent ? " \\NonExistent" : " \\Noselect");
	if (a->return_children)
		buf_addz(b,
		    m->has_children ? " \\HasChildren" : " \\HasNoChildren");
	if (m->subscribed && a->return_subscribed && !a->subscribed)
		buf_addz(b, " \\Subscribed");
	imap_put_use(b, m->use);
}

static void
tell_listed(struct imap_session *s, const struct list_args *a,
    const struct store_mailbox *m, bool child_info)
{
	/* Clients of RFC 3501 know \Noselect only. */
	bool extended = a->extended || s->enabled & IMAP_REV2;
	struct buf attributes = BUF_INIT(1024);
	struct buf *b = &s->out;

	put_attributes(&attributes, a, m, extended);
	buf_addz(b, "* LIST (");
	buf_add(b, slice_skip(buf_slice(&attributes), 1));
	buf_addz(b, ") \"/\" ");
	imap_put_mailbox(s, m->name);
	if (child_info)
		buf_addf(b, " (\"CHILDINFO\" (%s%s%s))",
		    a->subscribed ? "\"SUBSCRIBED\"" : "",
		    a->subscribed && a->special_use ? " " : "",
		    a->special_use ? "\"SPECIAL-USE\"" : "");
	buf_addz(b, "\r\n");
	buf_free(&attributes);
}

/* RFC 5819, 2: one that has none to tell does not spoil the others. */
static void
tell_status(struct imap_session *s, struct slice name, unsigned items)
{
	struct err e = ERR_INIT;

	if (imap_tell_status(s, name, items, &e) < 0)
		log_line("imapserver", LOG_ERROR, "status",
		    LOG_S("mailbox", name), LOG_E(&e));
}

static void
tell_metadata(struct imap_session *s, struct slice name,
    const struct imap_entries *entries)
{
	struct err e = ERR_INIT;

	if (imap_tell_metadata(s, name, entries, &e) < 0)
		log_line("imapserver", LOG_ERROR, "annotations",
		    LOG_S("mailbox", name), LOG_E(&e));
}

static enum imap_result
list_all(struct imap_session *s, struct imap_command *c, struct list_args *a)
{
	struct store_mailbox *list;
	struct err e = ERR_INIT;
	size_t n;

	for (size_t i = 0; i < a->npatterns; i++)
		a->patterns[i] = whole_pattern(s, a, i);
	if (imap_mailboxes(s, &list, &n, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	for (size_t i = 0; i < n; i++) {
		const struct store_mailbox *m = &list[i];
		bool child;
		if (!matches_any(a, m->name))
			continue;
		child = a->recursive && has_selected_child(a, list, n, i);
		if (!child && !selected(a, m))
			continue;
		tell_listed(s, a, m, child);
		if (a->return_myrights && m->exists)
			imap_tell_myrights(s, m->name);
		if (a->return_status && m->exists)
			tell_status(s, m->name, a->status_items);
		if (a->metadata.n > 0 && m->exists)
			tell_metadata(s, m->name, &a->metadata);
		imap_flush_large(s);
	}
	return IMAP_OK;
}

enum imap_result
imap_cmd_list(struct imap_session *s, struct imap_command *c)
{
	struct list_args a = { 0 };
	struct imap_parse *p = &c->p;
	struct slice wire;

	if (!imap_sp(p) || !selection_options(p, &a) ||
	    !imap_astring(p, &wire) ||
	    !imap_decode_name(p, wire, &a.reference) || !imap_sp(p) ||
	    !patterns(p, &a) || !return_options(p, &a) || !imap_end(p))
		return imap_bad_args(c);
	if (!a.extended && a.patterns[0].n == 0) {
		/* RFC 9051, 6.3.9: the hierarchy separator, nothing else. */
		imap_line(s, "LIST () \"/\" \"\"");
		return IMAP_OK;
	}
	imap_notify_begin(s);
	return list_all(s, c, &a);
}

/*
 * LSUB: subscribed names. RFC 3501, 6.3.9: with "%", a level that is not
 * subscribed but has subscribed ones below it is told as \NoSelect.
 */
enum imap_result
imap_cmd_lsub(struct imap_session *s, struct imap_command *c)
{
	struct list_args a = { .subscribed = true, .recursive = true };
	struct imap_parse *p = &c->p;
	struct store_mailbox *list;
	struct err e = ERR_INIT;
	struct slice wire;
	size_t n;

	if (!imap_sp(p) || !imap_astring(p, &wire) ||
	    !imap_decode_name(p, wire, &a.reference) || !imap_sp(p) ||
	    !pattern(p, &a) || !imap_end(p))
		return imap_bad_args(c);
	a.patterns[0] = whole_pattern(s, &a, 0);
	imap_notify_begin(s);
	if (imap_mailboxes(s, &list, &n, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	for (size_t i = 0; i < n; i++) {
		if (!matches_any(&a, list[i].name))
			continue;
		if (!list[i].subscribed && !has_selected_child(&a, list, n, i))
			continue;
		buf_addz(&s->out,
		    list[i].subscribed ? "* LSUB () \"/\" "
				       : "* LSUB (\\NoSelect) \"/\" ");
		imap_put_mailbox(s, list[i].name);
		buf_addz(&s->out, "\r\n");
		imap_flush_large(s);
	}
	return IMAP_OK;
}
