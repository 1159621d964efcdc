/* GETMETADATA and SETMETADATA (RFC 5464), and what LIST tells (RFC 9590). */
#include "imap/box.h"
#include "imap/notify.h"
#include "store/metadata.h"

#define DEPTH_ALL UINT32_MAX
#define SHARED SLICE("/shared/")
#define ONE_OF (ACL_READ | ACL_SEEN | ACL_WRITE | ACL_INSERT | ACL_POST)

/* ---- arguments ---- */

/* A name of an entry, in lower case: names differ in no other way. */
static bool
entry_name(struct imap_parse *p, struct slice *name_r)
{
	const char *wrong;
	struct slice raw;
	char *lower;

	if (!imap_astring(p, &raw))
		return false;
	wrong = metadata_name_wrong(raw);
	if (wrong)
		return imap_wrong(p, wrong);
	lower = arena_alloc(p->arena, raw.n);
	for (size_t i = 0; i < raw.n; i++)
		lower[i] = raw.p[i] >= 'A' && raw.p[i] <= 'Z'
		    ? (char)(raw.p[i] | 0x20)
		    : raw.p[i];
	*name_r = slice_of(lower, raw.n);
	return true;
}

bool
imap_entries(struct imap_parse *p, struct imap_entries *entries_r)
{
	bool paren = imap_char(p, '(');
	struct slice name;
	size_t room = 0;

	*entries_r = (struct imap_entries){ NULL, 0 };
	do {
		if (!entry_name(p, &name))
			return false;
		if (entries_r->n == room) {
			room = 2 * room + 8;
			entries_r->v = arena_grow(p->arena, entries_r->v,
			    entries_r->n, room, sizeof(name));
		}
		entries_r->v[entries_r->n++] = name;
	} while (paren && imap_char(p, ' '));
	return !paren || imap_char(p, ')') || imap_wrong(p, "expected )");
}

/* A mailbox, or "" for the account. */
static bool
where(struct imap_parse *p, struct slice *mailbox_r)
{
	struct imap_parse before = *p;

	if (imap_astring(p, mailbox_r) && mailbox_r->n == 0)
		return true;
	*p = before;
	return imap_mailbox(p, mailbox_r);
}

struct get {
	struct slice mailbox;
	struct imap_entries entries;
	uint32_t max; /* bytes of a value */
	uint32_t depth;
	uint32_t longest; /* of those that are longer; 0: none is */
};

static bool
depth(struct imap_parse *p, uint32_t *depth_r)
{
	if (imap_word(p, "0"))
		*depth_r = 0;
	else if (imap_word(p, "1"))
		*depth_r = 1;
	else if (imap_word(p, "infinity"))
		*depth_r = DEPTH_ALL;
	else
		return imap_wrong(p, "expected 0, 1 or infinity");
	return true;
}

/* "(MAXSIZE 1024 DEPTH 1) ", 4.2.1 and 4.2.2. True if they are not there. */
static bool
options(struct imap_parse *p, struct get *g)
{
	struct imap_parse before = *p;

	if (!imap_char(p, '('))
		return true;
	if (imap_peek(p, '/') || imap_peek(p, '"') || imap_peek(p, '{')) {
		*p = before; /* entries */
		return true;
	}
	do {
		if (imap_word(p, "MAXSIZE")) {
			if (!imap_sp(p) || !imap_number(p, &g->max))
				return false;
		} else if (imap_word(p, "DEPTH")) {
			if (!imap_sp(p) || !depth(p, &g->depth))
				return false;
		} else
			return imap_wrong(p, "unknown option");
	} while (imap_char(p, ' '));
	return (imap_char(p, ')') || imap_wrong(p, "expected )")) && imap_sp(p);
}

/* ---- answers ---- */

void
imap_put_entry_name(struct buf *b, struct slice name)
{
	struct scan sc = scan_of(name);
	struct slice whole;

	if (scan_take(&sc, imap_is_atom, &whole) && scan_end(&sc))
		buf_add(b, name);
	else
		imap_put_string(b, name);
}

/* A literal8 where a string may not be (RFC 5464, 5 value). */
static void
put_value(struct buf *b, struct slice value)
{
	if (slice_chr(value, '\0') >= 0)
		buf_addc(b, '~');
	imap_put_string(b, value);
}

static void
put_entry(struct imap_session *s, struct slice mailbox, bool first,
    struct slice name, struct slice value)
{
	if (first) {
		buf_addz(&s->out, "* METADATA ");
		if (mailbox.n)
			imap_put_mailbox(s, mailbox);
		else
			buf_addz(&s->out, "\"\"");
		buf_addz(&s->out, " (");
	} else
		buf_addc(&s->out, ' ');
	imap_put_entry_name(&s->out, name);
	buf_addc(&s->out, ' ');
	if (value.p)
		put_value(&s->out, value);
	else
		buf_addz(&s->out, "NIL");
}

/* ---- GETMETADATA ---- */

static bool
wanted(const struct get *g, struct slice name)
{
	for (size_t i = 0; i < g->entries.n; i++) {
		struct slice top = g->entries.v[i], below;
		uint32_t levels = 0;

		if (slice_eq(name, top))
			return true;
		if (name.n <= top.n || !slice_starts(name, top) ||
		    name.p[top.n] != '/')
			continue;
		below = slice_skip(name, top.n);
		for (size_t k = 0; k < below.n; k++)
			levels += below.p[k] == '/';
		if (levels <= g->depth)
			return true;
	}
	return false;
}

static void
tell(struct imap_session *s, struct get *g, const struct metadata_entry *v,
    size_t n)
{
	bool first = true;

	for (size_t i = 0; i < n; i++) {
		if (!wanted(g, v[i].name))
			continue;
		if (v[i].value.n > g->max) {
			if (v[i].value.n > g->longest)
				g->longest = (uint32_t)v[i].value.n;
			continue;
		}
		put_entry(s, g->mailbox, first, v[i].name, v[i].value);
		first = false;
	}
	if (!first)
		buf_addz(&s->out, ")\r\n");
}

/* The grammar has the options before the mailbox, the examples behind it. */
static bool
get_args(struct imap_parse *p, struct get *g)
{
	*g = (struct get){ .max = UINT32_MAX };
	return imap_sp(p) && options(p, g) && where(p, &g->mailbox) &&
	    imap_sp(p) && options(p, g) && imap_entries(p, &g->entries) &&
	    imap_end(p);
}

/*
 * Annotations of a mailbox, or of the account if the name is empty: 1, 0 there
 * is none that the user may know of, -1 with e set. RFC 5464, 3.3: "l" and one
 * of the others is needed. What the owner keeps for himself is not for others.
 */
int
imap_read_entries(struct imap_session *s, struct slice mailbox,
    struct metadata_entry **v_r, size_t *n_r, struct err *e)
{
	struct imap_box box = { .store = s->store };
	size_t kept = 0;
	int rc = 1;

	if (mailbox.n > 0) {
		rc = imap_resolve(s, mailbox, &box, e);
		if (rc == 1 &&
		    (!(box.rights & ACL_LOOKUP) || !(box.rights & ONE_OF)))
			rc = 0;
	}
	if (rc == 1)
		rc = metadata_read(box.store, box.name, s->arena, v_r, n_r, e);
	for (size_t i = 0; rc == 1 && i < *n_r; i++)
		if (!box.other || slice_starts((*v_r)[i].name, SHARED))
			(*v_r)[kept++] = (*v_r)[i];
	*n_r = kept;
	return rc;
}

enum imap_result
imap_cmd_getmetadata(struct imap_session *s, struct imap_command *c)
{
	struct metadata_entry *v;
	struct err e = ERR_INIT;
	struct get g;
	size_t n;
	int rc;

	if (!get_args(&c->p, &g))
		return imap_bad_args(c);
	rc = imap_read_entries(s, g.mailbox, &v, &n, &e);
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0)
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	tell(s, &g, v, n);
	if (g.longest)
		imap_code(c, "METADATA LONGENTRIES %u", g.longest);
	return IMAP_OK;
}

/* ---- for LIST ---- */

/* RFC 9590, 3: of each mailbox all entries asked for, NIL if it has none. */
int
imap_tell_metadata(struct imap_session *s, struct slice mailbox,
    const struct imap_entries *entries, struct err *e)
{
	struct metadata_entry *v;
	size_t n;
	int rc = imap_read_entries(s, mailbox, &v, &n, e);

	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < entries->n; i++) {
		struct slice value = SLICE_NULL;

		for (size_t k = 0; k < n && !value.p; k++)
			if (slice_eq(v[k].name, entries->v[i]))
				value = v[k].value;
		put_entry(s, mailbox, i == 0, entries->v[i], value);
	}
	buf_addz(&s->out, ")\r\n");
	return 1;
}

/* ---- SETMETADATA ---- */

/* nstring or literal8 */
static bool
value(struct imap_parse *p, struct slice *value_r)
{
	if (imap_char(p, '~') && !imap_peek(p, '{'))
		return imap_wrong(p, "expected literal");
	return imap_nstring(p, value_r);
}

static bool
set_args(struct imap_parse *p, struct slice *mailbox_r,
    struct metadata_entry **v_r, size_t *n_r)
{
	struct metadata_entry *v = NULL;
	const char *wrong;
	size_t n = 0, room = 0;

	if (!imap_sp(p) || !where(p, mailbox_r) || !imap_sp(p) ||
	    !imap_char(p, '('))
		return imap_wrong(p, "expected mailbox (entry value ...)");
	do {
		if (n == room) {
			room = 2 * room + 8;
			v = arena_grow(p->arena, v, n, room, sizeof(*v));
		}
		if (!entry_name(p, &v[n].name))
			return false;
		wrong = metadata_new_wrong(v[n].name);
		if (wrong)
			return imap_wrong(p, wrong);
		if (!imap_sp(p) || !value(p, &v[n++].value))
			return false;
	} while (imap_char(p, ' '));
	*v_r = v;
	*n_r = n;
	return (imap_char(p, ')') || imap_wrong(p, "expected )")) &&
	    imap_end(p);
}

/* Those of a mailbox are its owner's to change: they are in his files, and count
 * for his limits. */
static enum imap_result
may_set(struct imap_session *s, struct imap_command *c, struct slice mailbox)
{
	enum imap_result rc = IMAP_OK;
	struct imap_box box;

	if (mailbox.n > 0)
		rc = imap_box(s, c, mailbox, ACL_LOOKUP, &box);
	if (mailbox.n > 0 && rc == IMAP_OK &&
	    (box.other || !(box.rights & ONE_OF)))
		rc = imap_no(c, "NOPERM", "you have no right to do that");
	return rc;
}

static void
own_change(struct imap_session *s, struct slice mailbox,
    const struct metadata_entry *v, size_t n)
{
	struct slice *names = arena_array(s->arena, n, sizeof(*names));

	for (size_t i = 0; i < n; i++)
		names[i] = v[i].name;
	imap_notify_own_metadata(s, mailbox, names, n);
}

enum imap_result
imap_cmd_setmetadata(struct imap_session *s, struct imap_command *c)
{
	struct metadata_entry *v = NULL;
	struct err e = ERR_INIT;
	struct slice mailbox = SLICE_NULL;
	size_t n = 0;

	if (!set_args(&c->p, &mailbox, &v, &n))
		return imap_bad_args(c);
	if (may_set(s, c, mailbox) != IMAP_OK)
		return IMAP_NO;
	/* RFC 5464, 6.2.2: the administrator's. */
	for (size_t i = 0; i < n; i++)
		if (mailbox.n == 0 && slice_is(v[i].name, "/shared/admin"))
			return imap_no(c, "NOPERM", "entry cannot be changed");
	switch (metadata_change(s->store, mailbox, v, n, &e)) {
	case METADATA_OK:
		own_change(s, mailbox, v, n);
		return IMAP_OK;
	case METADATA_NONEXISTENT:
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	case METADATA_TOOMANY:
		return imap_no(c, "METADATA TOOMANY",
		    "an account has at most %d entries", METADATA_ENTRIES_MAX);
	case METADATA_TOOLARGE:
		c->code = arena_printf(s->arena, "METADATA MAXSIZE %d",
		    METADATA_BYTES_MAX);
		return imap_no(c, arena_cstr(s->arena, c->code),
		    "all entries of an account have at most so many bytes");
	case METADATA_FAILED:
		break;
	}
	return imap_store_failed(c, STORE_FAILED, &e);
}
