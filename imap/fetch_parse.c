/* fetch_parse - the arguments of FETCH (RFC 9051, 9 fetch-att). */
#include <string.h>

#include "imap/fetch.h"

static struct fetch_item *
add_item(struct imap_parse *p, struct fetch *f, enum fetch_kind kind)
{
	struct fetch_item *item;

	if (f->nitems == FETCH_ITEMS_MAX) {
		imap_wrong(p, "too many items");
		return NULL;
	}
	item = arena_alloc(p->arena, sizeof(*item));
	item->kind = kind;
	f->items = arena_grow(p->arena, f->items, f->nitems, f->nitems + 1,
	    sizeof(*f->items));
	f->items[f->nitems++] = item;
	return item;
}

/* ---- sections ---- */

/* "1.2.3", a dot behind it if something follows. */
static bool
section_path(struct imap_parse *p, struct fetch_item *item)
{
	uint32_t n;

	while (scan_peek(&p->sc) >= '0' && scan_peek(&p->sc) <= '9') {
		if (item->npath == FETCH_PATH_MAX)
			return imap_wrong(p, "section too deep");
		if (!imap_number(p, &n) || n == 0)
			return imap_wrong(p, "bad part number");
		item->path[item->npath++] = n;
		if (!imap_char(p, '.'))
			return true;
	}
	return item->npath == 0 || !imap_peek(p, ']') ||
	    imap_wrong(p, "section ends in a dot");
}

static bool
field_names(struct imap_parse *p, struct fetch_item *item)
{
	if (!imap_sp(p) || !imap_char(p, '('))
		return imap_wrong(p, "expected ( before header names");
	do {
		if (item->nfields == FETCH_FIELDS_MAX)
			return imap_wrong(p, "too many header names");
		item->fields = arena_grow(p->arena, item->fields, item->nfields,
		    item->nfields + 1, sizeof(*item->fields));
		if (!imap_astring(p, &item->fields[item->nfields]))
			return false;
		item->nfields++;
	} while (imap_char(p, ' '));
	return imap_char(p, ')') || imap_wrong(p, "expected )");
}

static bool
section_text(struct imap_parse *p, struct fetch_item *item)
{
	if (imap_peek(p, ']')) {
		item->section = SECTION_WHOLE;
		return true;
	}
	if (imap_word(p, "HEADER.FIELDS.NOT")) {
		item->not = true;
		item->kind = FETCH_FIELDS;
	} else if (imap_word(p, "HEADER.FIELDS"))
		item->kind = FETCH_FIELDS;
	item->section = SECTION_HEADER;
	if (item->kind == FETCH_FIELDS)
		return field_names(p, item);
	if (imap_word(p, "HEADER"))
		return true;
	if (imap_word(p, "TEXT")) {
		item->section = SECTION_TEXT;
		return true;
	}
	item->section = SECTION_MIME;
	return (item->npath && imap_word(p, "MIME")) ||
	    imap_wrong(p, "unknown section");
}

/* "<0.1024>" (RFC 9051, 6.4.5). */
static bool
partial(struct imap_parse *p, struct fetch_item *item)
{
	if (!imap_char(p, '<'))
		return true;
	item->partial = true;
	return (imap_number64(p, &item->offset) && imap_char(p, '.') &&
		   imap_number64(p, &item->length) && item->length > 0 &&
		   imap_char(p, '>')) ||
	    imap_wrong(p, "expected <offset.length>");
}

/*
 * The echo is what the client wrote, without PEEK and length, upper case but
 * for header names: clients compare it. For BINARY the offset is not echoed
 * (RFC 9051, 9 msg-att-static).
 */
static bool
label(struct imap_parse *p, const char *word, struct slice section,
    struct fetch_item *item)
{
	struct buf b = BUF_INIT(FETCH_LABEL_MAX);

	buf_addz(&b, word);
	for (size_t i = 0; i < section.n; i++) {
		char c = section.p[i];
		bool lower = c >= 'a' && c <= 'z' && item->kind != FETCH_FIELDS;
		buf_addc(&b, lower ? (char)(c - 32) : c);
	}
	if (item->partial && item->kind != FETCH_BINARY)
		buf_addf(&b, "<%llu>", (unsigned long long)item->offset);
	item->label = arena_dup(p->arena, buf_slice(&b));
	buf_free(&b);
	return !b.over || imap_wrong(p, "section too long");
}

static bool
body_section(struct imap_parse *p, struct fetch *f, bool peek)
{
	struct fetch_item *item = add_item(p, f, FETCH_SECTION);
	const char *from = p->sc.p;
	struct slice section;

	if (!item || !imap_char(p, '[') || !section_path(p, item) ||
	    !section_text(p, item) || !imap_char(p, ']'))
		return imap_wrong(p, "bad section");
	section = slice_of(from, (size_t)(p->sc.p - from));
	f->sets_seen |= !peek;
	return partial(p, item) && label(p, "BODY", section, item);
}

/* RFC 3516; RFC 9051, 6.4.5 */
static bool
binary_section(struct imap_parse *p, struct fetch *f, enum fetch_kind kind,
    bool peek)
{
	struct fetch_item *item = add_item(p, f, kind);
	bool size = kind == FETCH_BINARY_SIZE;
	const char *from = p->sc.p;
	struct slice section;

	if (!item || !imap_char(p, '[') || !section_path(p, item) ||
	    !imap_char(p, ']'))
		return imap_wrong(p, "bad section");
	section = slice_of(from, (size_t)(p->sc.p - from));
	f->sets_seen |= !peek;
	return (size || partial(p, item)) &&
	    label(p, size ? "BINARY.SIZE" : "BINARY", section, item);
}

static bool
rfc822(struct imap_parse *p, struct fetch *f, const char *name,
    enum section_kind section, bool peek)
{
	struct fetch_item *item = add_item(p, f, FETCH_SECTION);

	if (!item)
		return false;
	item->section = section;
	item->label = slice_str(name);
	f->sets_seen |= !peek;
	return true;
}

/* ---- items ---- */

/* "PREVIEW" or "PREVIEW (LAZY)", RFC 8970, 3. What follows a space may also be
 * the modifiers of the command: they come behind the items. */
static bool
preview(struct imap_parse *p, struct fetch *f)
{
	struct scan before = p->sc;
	bool lazy = imap_char(p, ' ') && imap_char(p, '(') &&
	    imap_word(p, "LAZY") && imap_char(p, ')');

	if (!lazy)
		p->sc = before;
	return add_item(p, f, lazy ? FETCH_PREVIEW_LAZY : FETCH_PREVIEW);
}

static bool
fetch_item(struct imap_parse *p, struct fetch *f)
{
	if (imap_word(p, "UID"))
		return f->uid = true;
	if (imap_word(p, "FLAGS"))
		return f->flags = true;
	if (imap_word(p, "MODSEQ"))
		return f->modseq = true;
	if (imap_word(p, "INTERNALDATE"))
		return add_item(p, f, FETCH_INTERNALDATE);
	if (imap_word(p, "ENVELOPE"))
		return add_item(p, f, FETCH_ENVELOPE);
	if (imap_word(p, "BODYSTRUCTURE"))
		return add_item(p, f, FETCH_STRUCTURE);
	if (imap_word(p, "BODY.PEEK"))
		return body_section(p, f, true);
	if (imap_word(p, "BODY"))
		return imap_peek(p, '[') ? body_section(p, f, false)
					 : add_item(p, f, FETCH_BODY) != NULL;
	if (imap_word(p, "BINARY.SIZE"))
		return binary_section(p, f, FETCH_BINARY_SIZE, true);
	if (imap_word(p, "BINARY.PEEK"))
		return binary_section(p, f, FETCH_BINARY, true);
	if (imap_word(p, "BINARY"))
		return binary_section(p, f, FETCH_BINARY, false);
	if (imap_word(p, "SAVEDATE"))
		return add_item(p, f, FETCH_SAVEDATE);
	if (imap_word(p, "EMAILID"))
		return add_item(p, f, FETCH_EMAILID);
	if (imap_word(p, "THREADID"))
		return add_item(p, f, FETCH_THREADID);
	if (imap_word(p, "PREVIEW"))
		return preview(p, f);
	if (imap_word(p, "RFC822.SIZE"))
		return add_item(p, f, FETCH_SIZE);
	if (imap_word(p, "RFC822.HEADER"))
		return rfc822(p, f, "RFC822.HEADER", SECTION_HEADER, true);
	if (imap_word(p, "RFC822.TEXT"))
		return rfc822(p, f, "RFC822.TEXT", SECTION_TEXT, false);
	if (imap_word(p, "RFC822"))
		return rfc822(p, f, "RFC822", SECTION_WHOLE, false);
	return imap_wrong(p, "unknown fetch item");
}

/* ALL, FAST and FULL stand alone (RFC 9051, 6.4.5). */
static bool
macro(struct imap_parse *p, struct fetch *f)
{
	bool all = imap_word(p, "ALL"), full = !all && imap_word(p, "FULL");

	if (!all && !full && !imap_word(p, "FAST"))
		return false;
	f->flags = true;
	add_item(p, f, FETCH_INTERNALDATE);
	add_item(p, f, FETCH_SIZE);
	if (all || full)
		add_item(p, f, FETCH_ENVELOPE);
	if (full)
		add_item(p, f, FETCH_BODY);
	return true;
}

static bool
fetch_items(struct imap_parse *p, struct fetch *f)
{
	if (!imap_char(p, '('))
		return macro(p, f) || fetch_item(p, f);
	do {
		if (!fetch_item(p, f))
			return false;
	} while (imap_char(p, ' '));
	return imap_char(p, ')') || imap_wrong(p, "expected ) after items");
}

bool
imap_fetch_list(struct imap_parse *p, struct fetch *f)
{
	return (imap_peek(p, '(') || imap_wrong(p, "expected (items)")) &&
	    fetch_items(p, f);
}

/* One of "(CHANGEDSINCE 123 VANISHED PARTIAL 1:100)", RFC 7162, 3.1.4.1 and
 * 3.2.6; RFC 9394, 3.4. */
static bool
modifier(struct imap_parse *p, struct fetch *f)
{
	if (imap_word(p, "CHANGEDSINCE")) {
		f->changed = f->modseq = true;
		return (imap_sp(p) && imap_number64(p, &f->since)) ||
		    imap_wrong(p, "expected CHANGEDSINCE modseq");
	}
	if (imap_word(p, "PARTIAL"))
		return imap_sp(p) && imap_partial(p, &f->partial);
	f->vanished = imap_word(p, "VANISHED");
	return f->vanished || imap_wrong(p, "unknown fetch modifier");
}

static bool
modifiers(struct imap_parse *p, struct fetch *f)
{
	if (!imap_char(p, ' '))
		return true;
	if (!imap_char(p, '('))
		return imap_wrong(p, "expected ( before fetch modifiers");
	do {
		if (!modifier(p, f))
			return false;
	} while (imap_char(p, ' '));
	return imap_char(p, ')') || imap_wrong(p, "expected ) of modifiers");
}

bool
imap_fetch_args(struct imap_parse *p, struct fetch *f)
{
	return fetch_items(p, f) && modifiers(p, f) && imap_end(p);
}
