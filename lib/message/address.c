/*
 * address - address lists of header fields.
 *
 * One parser for both ways: it goes on over any input and notes the first
 * thing that RFC 5322 does not allow, which the strict caller refuses.
 */
#include "message/address.h"

#include "message/lex.h"
#include "message/smtpaddr.h"
#include "text/unicode.h"

struct parser {
	struct arena *arena;
	struct scan sc;
	size_t max, room;
	struct address_list *list;
	const char *fault; /* first thing not allowed, NULL: none */
	bool in_group;
	struct slice comment; /* the last one passed */

	/* The words before "<", "@", ":" or the end of an entry. */
	struct buf name;  /* all, one space where there was any */
	struct buf word;  /* the last, a local part if "@" follows */
	size_t word_from; /* where it begins in name */
	size_t words;
	bool dotted; /* a dot outside quotes */
	bool pieces; /* word has more than an atom or a quoted string */
	bool quoted; /* word is a quoted string */
	bool comma;  /* an entry must follow */
};

static void
blame(struct parser *p, const char *fault)
{
	if (p->fault == NULL)
		p->fault = fault;
}

/* Returns whether there was anything to skip. */
static bool
skip_cfws(struct parser *p)
{
	const char *from = p->sc.p;
	bool closed = true;

	do
		scan_skip(&p->sc, lex_space);
	while (lex_comment(p->arena, &p->sc, &p->comment, &closed));
	if (!closed)
		blame(p, "comment without end");
	return p->sc.p > from;
}

static struct address *
add_entry(struct parser *p, enum address_kind kind)
{
	struct address_list *list = p->list;
	struct address *a;

	if (list->n == p->room) {
		size_t room = p->room == 0 ? 4 : p->room * 2;

		list->v = arena_grow(p->arena, list->v, list->n, room,
		    sizeof(*list->v));
		p->room = room;
	}
	a = &list->v[list->n++];
	*a = (struct address){ .kind = kind };
	return a;
}

static struct slice
keep(struct parser *p, const struct buf *b)
{
	return arena_dup(p->arena, buf_slice(b));
}

/* ---- words ---- */

static void
start_words(struct parser *p)
{
	buf_reset(&p->name);
	buf_reset(&p->word);
	p->word_from = 0;
	p->words = 0;
	p->dotted = p->pieces = false;
	p->comment = SLICE_NULL;
}

/* text belongs to the word before it if nothing or a dot is between. */
static void
add_word(struct parser *p, struct slice text, bool space, bool quoted)
{
	bool dot = !quoted && slice_chr(text, '.') >= 0;
	bool goes_on = p->words > 0 &&
	    (!space || (!quoted && text.p[0] == '.') ||
		(p->word.n > 0 && p->word.p[p->word.n - 1] == '.'));

	if (goes_on)
		p->pieces = true;
	else {
		p->words++;
		p->pieces = false;
		buf_reset(&p->word);
		p->word_from = p->name.n;
	}
	if (space && p->name.n > 0)
		buf_addc(&p->name, ' ');
	buf_add(&p->name, text);
	buf_add(&p->word, text);
	p->dotted = p->dotted || dot;
	p->quoted = quoted;
}

static bool
take_atoms(struct scan *sc, struct slice *text_r)
{
	const char *from = sc->p;

	while (scan_skip(sc, lex_atext) > 0 || scan_char(sc, '.'))
		continue;
	*text_r = slice_of(from, (size_t)(sc->p - from));
	return text_r->n > 0;
}

/* Up to a special that is none of a word's; junk on the way is dropped. */
static void
take_words(struct parser *p)
{
	bool space = skip_cfws(p);

	while (!scan_end(&p->sc)) {
		struct slice text;
		bool closed = true;

		if (take_atoms(&p->sc, &text))
			add_word(p, text, space, false);
		else if (lex_quoted(p->arena, &p->sc, &text, &closed)) {
			add_word(p, text, space, true);
			if (!closed)
				blame(p, "quoted string without end");
		} else if (slice_chr(SLICE("<@:,;"), *p->sc.p) >= 0 ||
		    (*p->sc.p == '>' && p->words > 0))
			return;
		else {
			p->sc.p++;
			blame(p, "character that is not allowed");
		}
		space = skip_cfws(p);
	}
}

/* ---- domains ---- */

static void
take_domain(struct parser *p, struct slice *domain_r)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct slice text;
	bool space = false;

	skip_cfws(p);
	if (scan_char(&p->sc, '[')) {
		buf_addc(&b, '[');
		while (!scan_end(&p->sc) &&
		    slice_chr(SLICE("]>,"), *p->sc.p) < 0)
			buf_addc(&b, *p->sc.p++);
		if (scan_char(&p->sc, ']'))
			buf_addc(&b, ']');
	} else
		while (take_atoms(&p->sc, &text)) {
			bool dot;

			buf_add(&b, text);
			if (space) /* RFC 5322, 4.4 */
				blame(p, "space in a domain");
			dot = text.p[text.n - 1] == '.';
			space = skip_cfws(p);
			if (!dot && scan_peek(&p->sc) != '.')
				break;
		}
	*domain_r = keep(p, &b);
	buf_free(&b);
	if (!smtpaddr_domain(*domain_r, true) && !smtpaddr_literal(*domain_r))
		blame(p, "domain that is not valid");
	skip_cfws(p);
}

/* "@a,@b:" in front of an address (RFC 5322, 4.4). */
static void
take_route(struct parser *p, struct slice *route_r)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	blame(p, "source route");
	while (scan_char(&p->sc, '@')) {
		struct slice domain;

		take_domain(p, &domain);
		if (b.n > 0)
			buf_addc(&b, ',');
		buf_addc(&b, '@');
		buf_add(&b, domain);
		while (scan_char(&p->sc, ','))
			skip_cfws(p);
	}
	scan_char(&p->sc, ':');
	*route_r = keep(p, &b);
	buf_free(&b);
}

/* ---- entries ---- */

static bool
is_dot_atom(struct slice s)
{
	return !slice_starts(s, SLICE(".")) && !slice_ends(s, SLICE(".")) &&
	    slice_find(s, SLICE("..")) < 0;
}

static void
set_local(struct parser *p, struct address *a)
{
	a->local = keep(p, &p->word);
	if (p->words == 0)
		blame(p, "address without local part");
	else if (p->pieces)
		blame(p, "local part in pieces");
	else if (!p->quoted && !is_dot_atom(a->local))
		blame(p, "dot in the wrong place");
	else if (slice_chr(a->local, '\t') >= 0) /* SMTP has none */
		blame(p, "tab in a local part");
}

/* Behind "<", to behind ">". */
static void
take_angle(struct parser *p, struct address *a)
{
	struct slice comment = p->comment;

	skip_cfws(p);
	while (scan_char(&p->sc, '<')) {
		blame(p, "\"<\" twice");
		skip_cfws(p);
	}
	if (scan_peek(&p->sc) == '@')
		take_route(p, &a->route);
	start_words(p);
	take_words(p);
	set_local(p, a);
	if (p->words > 1) {
		a->local = keep(p, &p->name);
		blame(p, "space in an address");
	}
	if (scan_char(&p->sc, '@'))
		take_domain(p, &a->domain);
	else
		blame(p, "address without domain");
	p->comment = comment;
	while (!scan_char(&p->sc, '>')) {
		blame(p, "address without \">\"");
		if (scan_end(&p->sc) || *p->sc.p == ',')
			break;
		p->sc.p++;
	}
}

/* "@" follows words: an address, or a name that looks like one. */
static void
take_spec(struct parser *p)
{
	struct address *a = add_entry(p, ADDRESS_MAILBOX);

	p->sc.p++;
	set_local(p, a);
	take_domain(p, &a->domain);
	if (scan_char(&p->sc, '<')) {
		blame(p, "\"@\" in a name without quotes");
		buf_addc(&p->name, '@');
		buf_add(&p->name, a->domain);
		a->name = keep(p, &p->name);
		a->domain = SLICE_NULL;
		take_angle(p, a);
		return;
	}
	if (p->words > 1) {
		blame(p, "name without \"<\"");
		buf_cut(&p->name, p->word_from);
		a->name = keep(p, &p->name);
	}
}

/* Neither "<" nor "@": one word is a local part, several are a name. */
static void
take_bare(struct parser *p)
{
	struct address *a;

	blame(p, p->words == 0 ? "empty entry" : "address without \"@\"");
	if (p->words == 0)
		return;
	a = add_entry(p, ADDRESS_MAILBOX);
	if (p->words == 1)
		a->local = keep(p, &p->word);
	else
		a->name = keep(p, &p->name);
}

static void
end_group(struct parser *p)
{
	if (p->in_group)
		add_entry(p, ADDRESS_END);
	p->in_group = false;
}

static void
take_group(struct parser *p)
{
	p->sc.p++;
	if (p->in_group || p->words == 0) {
		blame(p, "\":\" in the wrong place");
		return;
	}
	if (p->dotted)
		blame(p, "dot in a name without quotes");
	add_entry(p, ADDRESS_GROUP)->name = keep(p, &p->name);
	p->in_group = true;
	p->comma = false;
}

static void
take_mailbox(struct parser *p)
{
	size_t before = p->list->n;
	struct address *a;

	if (scan_peek(&p->sc) == '@')
		take_spec(p);
	else if (scan_char(&p->sc, '<')) {
		if (p->dotted)
			blame(p, "dot in a name without quotes");
		a = add_entry(p, ADDRESS_MAILBOX);
		a->name = keep(p, &p->name);
		take_angle(p, a);
	} else
		take_bare(p);
	skip_cfws(p);
	if (p->list->n == before)
		return;
	a = &p->list->v[before];
	if (a->name.n == 0)
		a->name = p->comment;
	a->broken = a->local.n == 0 || a->domain.n == 0;
}

/* ";", which may be followed by a comma only. */
static void
take_group_end(struct parser *p)
{
	if (!p->in_group)
		blame(p, "\";\" outside a group");
	if (p->comma)
		blame(p, "empty entry");
	end_group(p);
	skip_cfws(p);
	p->comma = scan_char(&p->sc, ',');
	if (!p->comma && !scan_end(&p->sc))
		blame(p, "group without comma behind");
}

/* To the next separator; what stands before it belongs to nothing. */
static void
take_separator(struct parser *p)
{
	struct slice text;

	for (p->comma = false; !scan_end(&p->sc); skip_cfws(p)) {
		if (scan_char(&p->sc, ',')) {
			p->comma = true;
			return;
		}
		if (scan_char(&p->sc, ';')) {
			take_group_end(p);
			return;
		}
		blame(p, "two addresses without comma");
		if (!lex_quoted(NULL, &p->sc, &text, NULL))
			p->sc.p++;
	}
}

static void
take_entry(struct parser *p)
{
	start_words(p);
	take_words(p);
	if (scan_peek(&p->sc) == ':')
		take_group(p);
	else if (p->words == 0 && p->in_group && scan_char(&p->sc, ';'))
		take_group_end(p); /* an empty one: RFC 5322, 3.4 */
	else {
		take_mailbox(p);
		take_separator(p);
	}
}

static void
parse(struct parser *p, struct slice value)
{
	p->sc = scan_of(value);
	p->name = p->word = (struct buf)BUF_INIT(SIZE_MAX);
	for (skip_cfws(p); !scan_end(&p->sc); skip_cfws(p)) {
		if (p->list->n >= p->max) {
			p->list->cut = true;
			break;
		}
		take_entry(p);
	}
	if (p->comma)
		blame(p, "empty entry");
	if (p->in_group)
		blame(p, "group without \";\"");
	end_group(p);
	buf_free(&p->name);
	buf_free(&p->word);
}

void
address_parse(struct arena *arena, struct slice value, size_t max,
    struct address_list *list_r)
{
	struct parser p = { .arena = arena, .max = max, .list = list_r };

	*list_r = (struct address_list){ .n = 0 };
	parse(&p, value);
}

/* Other than white space (RFC 5322, 4.1 has them). */
static bool
has_control(struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		if (((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f) &&
		    !lex_space[(unsigned char)value.p[i]])
			return true;
	return false;
}

int
address_parse_strict(struct arena *arena, struct slice value, size_t max,
    struct address_list *list_r, struct err *e)
{
	struct parser p = { .arena = arena, .max = max, .list = list_r };

	*list_r = (struct address_list){ .n = 0 };
	parse(&p, value);
	if (list_r->cut)
		return err_set(e, ERR_LIMIT, "too many addresses");
	if (p.fault == NULL && list_r->n == 0)
		p.fault = "no address";
	if (p.fault == NULL && !unicode_valid(value))
		p.fault = "not UTF-8";
	if (p.fault == NULL && has_control(value))
		p.fault = "control character";
	if (p.fault != NULL)
		return err_set(e, ERR_SYNTAX, "address: %s", p.fault);
	return 0;
}

bool
address_parse_spec(struct arena *arena, struct slice text,
    struct slice *local_r, struct slice *domain_r)
{
	struct smtpaddr addr;

	if (smtpaddr_mailbox(arena, text, SMTPADDR_UTF8 | SMTPADDR_LONG, &addr,
		NULL) < 0)
		return false;
	*local_r = addr.local;
	*domain_r = addr.domain;
	return true;
}

void
address_write_spec(struct buf *out, struct slice local, struct slice domain)
{
	smtpaddr_write_local(out, local);
	buf_addc(out, '@');
	buf_add(out, domain);
}
