#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "base/buf.h"
#include "config/sconf.h"

#define MESSAGE_MAX 1024 /* a value quoted in a message may be long */

/* ---- problems ---- */

void
sconf_errors_init(struct sconf_errors *errors, struct arena *arena)
{
	*errors = (struct sconf_errors){ .arena = arena };
}

/* Counting goes on from the last place if that is before this one. */
static size_t
line_number(struct sconf_errors *errors, struct slice text, const char *where)
{
	const char *p = text.p, *lf;
	size_t line = 1;

	if (!where || !text.p || where < text.p || where > text.p + text.n)
		return 0;
	if (errors->mark_text == text.p && errors->mark <= where) {
		p = errors->mark;
		line = errors->mark_line;
	}
	while ((lf = memchr(p, '\n', (size_t)(where - p))) != NULL) {
		p = lf + 1;
		line++;
	}
	errors->mark_text = text.p;
	errors->mark = p;
	errors->mark_line = line;
	return line;
}

static void
report(const struct sconf_file *file, struct slice where, bool warning,
    const char *fmt, va_list ap)
{
	struct sconf_errors *errors = file->errors;
	struct sconf_error *error;
	struct buf text = BUF_INIT(MESSAGE_MAX);

	if (!errors)
		return;
	if (!warning)
		errors->errors++;
	if (errors->n == SCONF_ERRORS_MAX)
		return;
	if (!errors->v)
		errors->v = arena_array(errors->arena, SCONF_ERRORS_MAX,
		    sizeof(*errors->v));
	buf_addv(&text, fmt, ap);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			text.p[i] = '?';
	error = &errors->v[errors->n];
	error->path = arena_dup(errors->arena, file->path);
	error->first = errors->n++;
	for (size_t i = 0; i < error->first; i++)
		if (slice_eq(errors->v[i].path, file->path))
			error->first = errors->v[i].first;
	error->line = line_number(errors, file->text, where.p);
	error->warning = warning;
	error->text = arena_dup(errors->arena, buf_slice(&text));
	buf_free(&text);
}

void
sconf_error(const struct sconf_file *file, struct slice where, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(file, where, false, fmt, ap);
	va_end(ap);
}

void
sconf_warning(const struct sconf_file *file, struct slice where,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(file, where, true, fmt, ap);
	va_end(ap);
}

/* Stable, and quick for what is nearly sorted. */
void
sconf_errors_sort(struct sconf_errors *errors)
{
	struct sconf_error e, *v = errors->v;
	size_t j;

	for (size_t i = 1; i < errors->n; i++) {
		e = v[i];
		for (j = i; j > 0 &&
		     (v[j - 1].first > e.first ||
			 (v[j - 1].first == e.first && v[j - 1].line > e.line));
		     j--)
			v[j] = v[j - 1];
		v[j] = e;
	}
}

struct slice
sconf_error_format(const struct sconf_error *error, struct arena *arena)
{
	const char *kind = error->warning ? "warning: " : "";

	if (error->line == 0)
		return arena_printf(arena, "%.*s: %s%.*s",
		    SLICE_FMT(error->path), kind, SLICE_FMT(error->text));
	return arena_printf(arena, "%.*s:%zu: %s%.*s", SLICE_FMT(error->path),
	    error->line, kind, SLICE_FMT(error->text));
}

/* ---- lines ---- */

static void
check_bytes(const struct sconf_file *file)
{
	struct slice text = file->text;
	const char *bad;
	char c;

	if (text.n == 0)
		return;
	bad = (const char *)u8_check((const uint8_t *)text.p, text.n);
	if (bad)
		sconf_error(file, slice_of(bad, 1),
		    "not UTF-8: save the file in this encoding");
	for (size_t i = 0; i < text.n; i++) {
		c = text.p[i];
		if ((unsigned char)c >= 0x20 || c == '\n' || c == '\t')
			continue;
		if (c == '\r')
			sconf_error(file, slice_of(text.p + i, 1),
			    "carriage return: save the file with Unix line "
			    "ends");
		else
			sconf_error(file, slice_of(text.p + i, 1),
			    "control character 0x%02x", (unsigned)c);
		return;
	}
}

struct sconf_file
sconf_file(struct slice path, struct slice text, struct sconf_errors *errors)
{
	struct sconf_file file = { path, text, errors };

	if (errors)
		check_bytes(&file);
	return file;
}

struct sconf
sconf_start(const struct sconf_file *file)
{
	return (struct sconf){ .file = file };
}

/* A line with something on it: its depth, its text, what is wrong with it. */
struct line {
	unsigned depth;
	struct slice text;
	size_t end; /* offset behind it and its LF */
	const char *wrong;
};

/* The next such line at or after offset at. */
static bool
next_line(struct slice text, size_t at, struct line *line)
{
	const char *lf;
	struct slice l;
	size_t end;

	for (; at < text.n; at = end) {
		lf = memchr(text.p + at, '\n', text.n - at);
		l = slice_sub(text, at, lf ? (size_t)(lf - text.p) : text.n);
		end = at + l.n + (lf ? 1 : 0);
		if (l.n > 0 && l.p[l.n - 1] == '\r')
			l.n--; /* check_bytes told */
		if (l.n == 0)
			continue;
		line->end = end;
		line->wrong = NULL;
		line->depth = 0;
		while (l.n > 0 && l.p[0] == '\t') {
			line->depth++;
			l = slice_skip(l, 1);
		}
		line->text = l;
		while (l.n > 0 && (l.p[0] == ' ' || l.p[0] == '\t'))
			l = slice_skip(l, 1);
		if (l.n > 0 && l.p[0] == '#')
			continue;
		if (l.n == 0)
			line->wrong = "line of blanks only: remove it, or "
				      "leave it empty";
		else if (l.p != line->text.p)
			line->wrong = "space in the indentation: indent with "
				      "tabs, one for each level";
		return true;
	}
	return false;
}

/* The next well-formed line. Others are passed over; a run of lines with the
 * same fault, as a file indented with spaces has, is reported as one. */
static bool
peek(struct sconf *sc, struct line *line)
{
	const char *wrong;
	struct slice first;
	size_t n;
	bool found;

	while ((found = next_line(sc->file->text, sc->at, line)) &&
	    line->wrong) {
		wrong = line->wrong;
		first = line->text;
		n = 0;
		do {
			n++;
			sc->at = line->end;
			found = next_line(sc->file->text, sc->at, line);
		} while (found && line->wrong == wrong);
		sc->bad += n;
		if (n == 1)
			sconf_error(sc->file, first, "%s", wrong);
		else
			sconf_error(sc->file, first, "%s (%zu lines)", wrong,
			    n);
	}
	return found;
}

bool
sconf_next(struct sconf *sc, unsigned depth, struct slice *line_r)
{
	struct line line;

	while (peek(sc, &line) && line.depth >= depth) {
		if (line.depth == depth) {
			sc->at = line.end;
			*line_r = line.text;
			return true;
		}
		sconf_error(sc->file, line.text,
		    "indented too far: expected %u tab%s, found %u", depth,
		    depth == 1 ? "" : "s", line.depth);
		sc->bad++;
		sconf_skip(sc, depth + 1);
	}
	return false;
}

bool
sconf_more(const struct sconf *sc, unsigned depth)
{
	struct line line;

	return next_line(sc->file->text, sc->at, &line) &&
	    (line.wrong || line.depth >= depth);
}

void
sconf_skip(struct sconf *sc, unsigned depth)
{
	struct line line;

	while (next_line(sc->file->text, sc->at, &line) && line.depth >= depth)
		sc->at = line.end;
}

size_t
sconf_count(const struct sconf *sc, unsigned depth)
{
	struct line line;
	size_t n = 0;

	for (size_t at = sc->at; next_line(sc->file->text, at, &line) &&
	     (line.wrong || line.depth >= depth);
	     at = line.end)
		if (line.depth == depth && !line.wrong)
			n++;
	return n;
}

bool
sconf_key(struct sconf *sc, struct slice line, struct slice *key_r,
    struct slice *value_r)
{
	if (!slice_cut(line, ':', key_r, value_r) || key_r->n == 0) {
		sconf_error(sc->file, line,
		    "expected \"Key: value\" or \"Key:\", not \"%.*s\"",
		    SLICE_FMT(line));
		return false;
	}
	if (value_r->n == 0)
		return true;
	if (value_r->p[0] != ' ') {
		sconf_error(sc->file, line,
		    "%.*s: a space is needed after the colon",
		    SLICE_FMT(*key_r));
		return false;
	}
	*value_r = slice_skip(*value_r, 1);
	return true;
}

bool
sconf_item(struct sconf *sc, struct slice line, struct slice *value_r)
{
	if (line.n == 0 || line.p[0] != '-') {
		sconf_error(sc->file, line,
		    "expected a list item, \"- value\", not \"%.*s\"",
		    SLICE_FMT(line));
		return false;
	}
	*value_r = slice_skip(line, 1);
	if (value_r->n > 0 && value_r->p[0] == ' ')
		*value_r = slice_skip(*value_r, 1);
	return true;
}

struct slice
sconf_find(const struct sconf_file *file, struct slice parent, const char *key)
{
	struct sconf_file quiet = { file->path, file->text, NULL };
	struct sconf sc = sconf_start(&quiet);
	struct slice line, head, value, text = file->text;
	struct line l;
	unsigned depth = 0;

	if (parent.p) {
		if (!text.p || parent.p < text.p || parent.p > text.p + text.n)
			return parent;
		head = slice_head(text, (size_t)(parent.p - text.p));
		sc.at = (size_t)(slice_rchr(head, '\n') + 1);
		if (!peek(&sc, &l))
			return parent;
		sc.at = l.end;
		depth = l.depth + 1;
	}
	while (sconf_next(&sc, depth, &line)) {
		if (slice_cut(line, ':', &head, &value) && slice_is(head, key))
			return line;
		sconf_skip(&sc, depth + 1);
	}
	return parent;
}
