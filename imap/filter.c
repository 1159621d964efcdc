#include "imap/filter.h"

#include "imap/box.h"

static const struct {
	const char *name;
	enum filter_kind kind;
	bool names;
} kinds[] = {
	{ "selected-delayed", FILTER_SELECTED_DELAYED, false },
	{ "selected", FILTER_SELECTED, false },
	{ "inboxes", FILTER_INBOXES, false },
	{ "personal", FILTER_PERSONAL, false },
	{ "subscribed", FILTER_SUBSCRIBED, false },
	{ "subtree-one", FILTER_SUBTREE_ONE, true },
	{ "subtree", FILTER_SUBTREE, true },
	{ "mailboxes", FILTER_MAILBOXES, true },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* ---- arguments ---- */

static bool
add_name(struct imap_parse *p, struct imap_filter *f)
{
	struct slice name;

	if (f->n == FILTER_NAMES_MAX)
		return imap_wrong(p, "too many mailboxes");
	if (!imap_mailbox(p, &name))
		return false;
	f->names =
	    arena_grow(p->arena, f->names, f->n, f->n + 1, sizeof(*f->names));
	f->names[f->n++] = name;
	return true;
}

/* One name, or a list of them (RFC 5465, 8 one-or-more-mailbox). */
static bool
names(struct imap_parse *p, struct imap_filter *f)
{
	if (!imap_sp(p))
		return false;
	if (!imap_char(p, '('))
		return add_name(p, f);
	do {
		if (!add_name(p, f))
			return false;
	} while (imap_char(p, ' '));
	return imap_char(p, ')') || imap_wrong(p, "expected )");
}

bool
imap_filter(struct imap_parse *p, struct imap_filter *f_r)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (!imap_word(p, kinds[i].name))
			continue;
		*f_r = (struct imap_filter){ .kind = kinds[i].kind };
		return !kinds[i].names || names(p, f_r);
	}
	return imap_wrong(p, "unknown set of mailboxes");
}

/* ---- what is in it ---- */

/* Is name below top; one: directly? */
static bool
is_below(struct slice name, struct slice top, bool one)
{
	return slice_starts(name, top) && name.n > top.n &&
	    name.p[top.n] == '/' &&
	    (!one || slice_chr(slice_skip(name, top.n + 1), '/') < 0);
}

static bool
is_named(const struct imap_filter *f, struct slice name)
{
	for (size_t i = 0; i < f->n; i++) {
		struct slice top = f->names[i];
		if (slice_eq(name, top) ||
		    (f->kind != FILTER_MAILBOXES &&
			is_below(name, top, f->kind == FILTER_SUBTREE_ONE)))
			return true;
	}
	return false;
}

bool
imap_filter_has(const struct imap_filter *f, struct slice name, bool subscribed,
    bool selected)
{
	switch (f->kind) {
	case FILTER_SELECTED:
	case FILTER_SELECTED_DELAYED:
		return selected;
	case FILTER_INBOXES:
		return slice_is(name, "Inbox") ||
		    is_below(name, SLICE("Inbox"), false);
	case FILTER_PERSONAL:
		return !imap_is_others(name);
	case FILTER_SUBSCRIBED:
		return subscribed;
	default:
		return is_named(f, name);
	}
}
