/*
 * index_line.c - the lines of mox.log, both ways. README has the table.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "db/escape.h"
#include "store/index.h"

/* Letters of the flags by bit; the first six as in a Maildir name. */
static const char flag_letters[] = "SRFTDPJNHM";

/* ---- fields ---- */

static void
add_flags(struct buf *b, uint16_t flags)
{
	if ((flags & STORE_FLAGS) == 0)
		buf_addc(b, '-');
	for (unsigned i = 0; flag_letters[i] != '\0'; i++)
		if (flags & 1u << i)
			buf_addc(b, flag_letters[i]);
}

static bool
parse_flag(char c, uint16_t *flags)
{
	const char *at = c == '\0' ? NULL : strchr(flag_letters, c);

	if (at == NULL)
		return false;
	*flags = (uint16_t)(*flags | 1u << (at - flag_letters));
	return true;
}

static bool
parse_flags(struct slice s, uint16_t *flags_r)
{
	*flags_r = 0;
	if (slice_is(s, "-"))
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (!parse_flag(s.p[i], flags_r))
			return false;
	return s.n > 0;
}

/* What the file name says: "-" in new/, ":FSab" in cur/. */
static void
add_disk(struct buf *b, const struct record *r)
{
	if (r->place == RECORD_NEW) {
		buf_addc(b, '-');
		return;
	}
	buf_addc(b, ':');
	if (r->disk != 0)
		add_flags(b, r->disk);
	for (int i = 0; i < LETTERS; i++)
		if (r->letters & 1u << i)
			buf_addc(b, (char)('a' + i));
}

static bool
parse_disk(struct slice s, struct record *r)
{
	r->place = RECORD_NEW;
	r->disk = 0;
	r->letters = 0;
	if (slice_is(s, "-"))
		return true;
	if (s.n == 0 || s.p[0] != ':')
		return false;
	r->place = RECORD_CUR;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] >= 'a' && s.p[i] <= 'z')
			r->letters |= 1u << (s.p[i] - 'a');
		else if (!parse_flag(s.p[i], &r->disk))
			return false;
	}
	return (r->disk & ~LAYOUT_FLAGS) == 0;
}

static void
add_cache(struct buf *b, struct cache_place place)
{
	if (place.segment == 0)
		buf_addc(b, '-');
	else
		buf_addf(b, "%" PRIu32 ".%" PRIu32, place.segment,
		    place.offset);
}

static bool
parse_cache(struct slice s, struct cache_place *place_r)
{
	struct slice segment, offset;

	*place_r = (struct cache_place){ 0, 0 };
	return slice_is(s, "-") ||
	    (slice_cut(s, '.', &segment, &offset) &&
		slice_u32(segment, &place_r->segment) &&
		slice_u32(offset, &place_r->offset));
}

static void
add_mtime(struct buf *b, struct mtime m)
{
	if (m.ns == 0)
		buf_addc(b, '-');
	else
		buf_addf(b, "%" PRId64 "%s", m.ns, m.suspect ? "?" : "");
}

static bool
parse_mtime(struct slice s, struct mtime *m_r)
{
	*m_r = (struct mtime){ 0, false };
	if (slice_is(s, "-"))
		return true;
	m_r->suspect = slice_ends(s, SLICE("?"));
	if (m_r->suspect)
		s.n--;
	return slice_i64(s, &m_r->ns) && m_r->ns != 0;
}

/* ---- format ---- */

static void
add_u(struct buf *b, uint64_t v)
{
	buf_addc(b, ' ');
	buf_addu(b, v);
}

static void
format_add(const struct line *l, struct buf *b)
{
	const struct store_msg *m = &l->record.msg;

	add_u(b, m->uid);
	add_u(b, m->modseq);
	buf_addf(b, " %" PRId64 " %" PRId64, m->received, m->saved);
	add_u(b, m->size);
	if (record_unmeasured(&l->record))
		buf_addz(b, " -");
	else
		add_u(b, m->wire_size);
	buf_addc(b, ' ');
	db_escape(b, slice_of(m->emailid, STORE_EMAILID));
	add_u(b, m->thread);
	buf_addc(b, ' ');
	add_flags(b, m->flags);
	buf_addf(b, " %" PRIx64 " ", m->keywords);
	add_cache(b, l->record.cache);
	buf_addc(b, ' ');
	add_disk(b, &l->record);
	buf_addc(b, ' ');
	db_escape(b, l->name);
}

static void
format_flags(const struct line *l, struct buf *b)
{
	static const char ops[] = {
		[MAILBOX_ADD] = '+', [MAILBOX_REMOVE] = '-', [MAILBOX_SET] = '='
	};

	add_u(b, l->modseq);
	buf_addc(b, ' ');
	buf_addc(b, ops[l->op]);
	buf_addc(b, ' ');
	add_flags(b, l->flags);
	buf_addf(b, " %" PRIx64 " ", l->keywords);
	uidset_format(&l->uids, b);
}

void
line_format(const struct line *l, struct buf *b)
{
	buf_addc(b, l->type);
	switch (l->type) {
	case 'v':
		add_u(b, l->uidvalidity);
		add_u(b, l->uidnext);
		buf_addc(b, ' ');
		db_escape(b, l->name);
		break;
	case 'n':
		add_u(b, l->uidnext);
		add_u(b, l->modseq);
		break;
	case 'g':
		add_u(b, l->uidvalidity);
		add_u(b, l->modseq);
		break;
	case 'a':
		format_add(l, b);
		break;
	case 'f':
		format_flags(l, b);
		break;
	case 'x':
	case 'y':
		add_u(b, l->modseq);
		buf_addc(b, ' ');
		uidset_format(&l->uids, b);
		break;
	case 'u':
	case 'o':
		buf_addc(b, ' ');
		uidset_format(&l->uids, b);
		break;
	case 'd':
	case 'w':
		buf_addc(b, ' ');
		add_disk(b, &l->record);
		buf_addc(b, ' ');
		uidset_format(&l->uids, b);
		break;
	case 'r':
		add_u(b, l->record.msg.uid);
		buf_addc(b, ' ');
		db_escape(b, l->name);
		break;
	case 'k':
	case 'l':
		add_u(b, l->number);
		buf_addc(b, ' ');
		db_escape(b, l->name);
		break;
	case 'c':
		add_u(b, l->record.msg.uid);
		buf_addc(b, ' ');
		add_cache(b, l->record.cache);
		add_u(b, l->record.msg.thread);
		add_u(b, l->record.bits);
		break;
	case 's':
		add_u(b, l->record.msg.uid);
		add_u(b, l->record.msg.wire_size);
		add_u(b, l->record.bits);
		break;
	case 'm':
		buf_addc(b, ' ');
		add_mtime(b, l->new);
		buf_addc(b, ' ');
		add_mtime(b, l->cur);
		buf_addz(b, l->placed ? " placed" : "");
		break;
	}
}

/* ---- parse ---- */

/* Fields are taken in order; ok turns false at the first that is wrong. */
struct fields {
	struct slice rest;
	bool ok;
};

static struct slice
take(struct fields *f)
{
	struct slice s = SLICE_NULL;

	if (!slice_next(&f->rest, ' ', &s))
		f->ok = false;
	return s;
}

static uint64_t
take_u64(struct fields *f)
{
	uint64_t v = 0;

	f->ok = slice_u64(take(f), &v) && f->ok;
	return v;
}

static uint32_t
take_u32(struct fields *f)
{
	uint32_t v = 0;

	f->ok = slice_u32(take(f), &v) && f->ok;
	return v;
}

static uint32_t
take_uid(struct fields *f)
{
	uint32_t uid = take_u32(f);

	/* UINT32_MAX is left out so that uid + 1 is a number. */
	f->ok = f->ok && uid > 0 && uid < UINT32_MAX;
	return uid;
}

static int64_t
take_i64(struct fields *f)
{
	int64_t v = 0;

	f->ok = slice_i64(take(f), &v) && f->ok;
	return v;
}

static uint64_t
take_hex(struct fields *f)
{
	uint64_t v = 0;

	f->ok = slice_hex64(take(f), &v) && f->ok;
	return v;
}

static struct slice
take_text(struct fields *f, struct arena *arena)
{
	struct slice escaped = take(f), text;
	struct buf b = BUF_INIT(DB_UNIT_MAX);

	/* Most names have nothing to unescape. */
	if (slice_chr(escaped, '%') < 0)
		return escaped;
	f->ok = db_unescape(&b, escaped) && f->ok;
	text = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* A file name, never a path. */
static struct slice
take_name(struct fields *f, struct arena *arena)
{
	struct slice name = take_text(f, arena);

	f->ok = f->ok && name.n > 0 && name.n <= NAME_MAX &&
	    slice_chr(name, '/') < 0 && slice_chr(name, '\0') < 0;
	return name;
}

static void
take_uids(struct fields *f, struct arena *arena, struct uidset *uids)
{
	struct slice s = take(f);

	*uids = (struct uidset)UIDSET_INIT(arena);
	f->ok =
	    f->ok && uidset_parse(uids, s, SIZE_MAX, NULL) == 0 && uids->n > 0;
}

/* "-": nobody has asked for it yet. */
static void
take_wire_size(struct fields *f, struct record *r)
{
	struct slice s = take(f);

	if (slice_is(s, "-"))
		r->bits |= RECORD_UNMEASURED;
	else
		f->ok = slice_u64(s, &r->msg.wire_size) && f->ok;
}

static void
parse_add(struct fields *f, struct arena *arena, struct line *l)
{
	struct store_msg *m = &l->record.msg;
	struct slice id;

	m->uid = take_uid(f);
	m->modseq = l->modseq = take_u64(f);
	m->received = take_i64(f);
	m->saved = take_i64(f);
	m->size = take_u64(f);
	take_wire_size(f, &l->record);
	id = take_text(f, arena);
	if (id.n == STORE_EMAILID)
		memcpy(m->emailid, id.p, STORE_EMAILID);
	else
		f->ok = false;
	m->thread = take_u64(f);
	f->ok = parse_flags(take(f), &m->flags) && f->ok;
	m->keywords = take_hex(f);
	f->ok = parse_cache(take(f), &l->record.cache) && f->ok;
	f->ok = parse_disk(take(f), &l->record) && f->ok;
	l->name = take_name(f, arena);
}

static void
parse_flag_line(struct fields *f, struct arena *arena, struct line *l)
{
	struct slice op;

	l->modseq = take_u64(f);
	op = take(f);
	l->op = slice_is(op, "+") ? MAILBOX_ADD
	    : slice_is(op, "-")   ? MAILBOX_REMOVE
				  : MAILBOX_SET;
	f->ok = f->ok && (l->op != MAILBOX_SET || slice_is(op, "="));
	f->ok = parse_flags(take(f), &l->flags) && f->ok;
	l->keywords = take_hex(f);
	take_uids(f, arena, &l->uids);
}

static bool
parse_type(struct fields *f, struct arena *arena, struct line *l)
{
	switch (l->type) {
	case 'v':
		l->uidvalidity = take_u32(f);
		l->uidnext = take_u32(f);
		l->name = take_text(f, arena);
		return l->uidvalidity > 0 && l->uidnext > 0 &&
		    l->name.n == MAILBOXID;
	case 'n':
		l->uidnext = take_u32(f);
		l->modseq = take_u64(f);
		return true;
	case 'g':
		l->uidvalidity = take_u32(f);
		l->modseq = take_u64(f);
		return l->uidvalidity > 0;
	case 'a':
		parse_add(f, arena, l);
		return true;
	case 'f':
		parse_flag_line(f, arena, l);
		return true;
	case 'x':
	case 'y':
		l->modseq = take_u64(f);
		take_uids(f, arena, &l->uids);
		return true;
	case 'u':
	case 'o':
		take_uids(f, arena, &l->uids);
		return true;
	case 'd':
	case 'w':
		f->ok = parse_disk(take(f), &l->record) && f->ok;
		take_uids(f, arena, &l->uids);
		return true;
	case 'r':
		l->record.msg.uid = take_uid(f);
		l->name = take_name(f, arena);
		return true;
	case 'k':
		l->number = take_u32(f);
		l->name = take_text(f, arena);
		return l->number < STORE_KEYWORDS_MAX && l->name.n > 0;
	case 'l':
		l->number = take_u32(f);
		l->name = take_text(f, arena);
		return l->number < LETTERS && l->name.n > 0;
	case 'c':
		l->record.msg.uid = take_uid(f);
		f->ok = parse_cache(take(f), &l->record.cache) && f->ok;
		l->record.msg.thread = take_u64(f);
		l->record.bits = (uint8_t)take_u32(f);
		return true;
	case 's':
		l->record.msg.uid = take_uid(f);
		l->record.msg.wire_size = take_u64(f);
		l->record.bits = (uint8_t)take_u32(f) & RECORD_MIXED;
		return true;
	case 'm':
		f->ok = parse_mtime(take(f), &l->new) && f->ok;
		f->ok = parse_mtime(take(f), &l->cur) && f->ok;
		l->placed = slice_is(f->rest, "placed");
		return true;
	}
	return false;
}

bool
line_parse(struct slice text, struct arena *arena, struct line *l_r)
{
	struct fields f = { text, true };
	struct slice type = take(&f);

	memset(l_r, 0, sizeof(*l_r));
	if (type.n != 1)
		return false;
	l_r->type = type.p[0];
	/* Fields that a later version adds at the end are ignored. */
	return parse_type(&f, arena, l_r) && f.ok;
}

/* ---- units ---- */

void
lines_add(struct lines *ls, const struct line *l)
{
	if (ls->n == ls->size) {
		ls->size = ls->size == 0 ? 8 : 2 * ls->size;
		ls->ends = xreallocarray(ls->ends, ls->size, sizeof(size_t));
	}
	line_format(l, &ls->text);
	ls->ends[ls->n++] = ls->text.n;
}

void
lines_free(struct lines *ls)
{
	buf_free(&ls->text);
	free(ls->ends);
	*ls = (struct lines)LINES_INIT;
}

struct slice *
lines_slices(const struct lines *ls, struct arena *arena)
{
	struct slice *v = arena_array(arena, ls->n, sizeof(*v));
	struct slice all = buf_slice(&ls->text);

	for (size_t i = 0, from = 0; i < ls->n; from = ls->ends[i++])
		v[i] = slice_sub(all, from, ls->ends[i]);
	return v;
}
