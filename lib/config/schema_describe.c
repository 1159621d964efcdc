#include <string.h>

#include "config/schema_int.h"

#define LINE_WIDTH 79 /* with the indentation */
#define TAB_WIDTH 8
#define TEXT_MIN 40 /* however deep */

static void describe_struct(const struct schema *schema, struct buf *b,
    unsigned depth);

static void
indent(struct buf *b, unsigned depth)
{
	while (depth-- > 0)
		buf_addc(b, '\t');
}

/* text in lines of at most width, each with the prefix behind its tabs. */
static void
wrap(struct slice text, const char *prefix, size_t width, unsigned depth,
    struct buf *b)
{
	struct slice word;
	size_t column = 0;

	while (slice_next(&text, ' ', &word)) {
		if (column > 0 && column + 1 + word.n > width) {
			buf_addc(b, '\n');
			column = 0;
		}
		if (column == 0) {
			indent(b, depth);
			buf_addz(b, prefix);
			column = strlen(prefix);
		} else {
			buf_addc(b, ' ');
			column++;
		}
		buf_add(b, word);
		column += word.n;
	}
	buf_addc(b, '\n');
}

static void
describe_doc(const struct schema_field *field, struct buf *b, unsigned depth)
{
	size_t indented = depth * TAB_WIDTH;
	struct buf doc = BUF_INIT(SIZE_MAX);

	buf_addz(&doc, field->doc);
	if (field->flags & SCHEMA_LATER)
		buf_addz(&doc, " Not in effect yet.");
	if (!(field->flags & SCHEMA_REQUIRED))
		buf_addz(&doc, " (optional)");
	wrap(buf_slice(&doc), "# ",
	    indented + TEXT_MIN < LINE_WIDTH ? LINE_WIDTH - indented : TEXT_MIN,
	    depth, b);
	buf_free(&doc);
}

/* "-" items of a list: its default, or one empty. */
static void
describe_strings(const struct schema_field *field, struct buf *b,
    unsigned depth)
{
	struct slice rest = slice_str(field->def), word = SLICE_NULL;

	do {
		if (!slice_next(&rest, ' ', &word))
			word = SLICE_NULL;
		indent(b, depth);
		buf_addc(b, '-');
		if (word.n > 0)
			buf_addc(b, ' ');
		buf_add(b, word);
		buf_addc(b, '\n');
	} while (rest.n > 0);
}

static void
describe_value(const struct schema_field *field, struct buf *b, unsigned depth)
{
	const struct schema_scalar *scalar = schema_scalar(field->type);
	const char *value;

	if (scalar) {
		value = field->def ? field->def : scalar->empty;
		buf_addz(b, *value ? " " : "");
		buf_addz(b, value);
	}
	buf_addc(b, '\n');
	if (scalar)
		return;
	if (field->type == SCHEMA_STRINGS) {
		describe_strings(field, b, depth + 1);
		return;
	}
	if (field->type != SCHEMA_STRUCT) {
		depth++;
		indent(b, depth);
		buf_addz(b, field->type == SCHEMA_LIST ? "-\n" : "x:\n");
	}
	if (field->type != SCHEMA_PAIRS)
		describe_struct(field->of, b, depth + 1);
}

static void
describe_struct(const struct schema *schema, struct buf *b, unsigned depth)
{
	const struct schema_field *field;

	for (size_t i = 0; i < schema->n; i++) {
		field = &schema->fields[i];
		if (i > 0)
			buf_addc(b, '\n');
		describe_doc(field, b, depth);
		indent(b, depth);
		buf_addz(b, field->name);
		buf_addc(b, ':');
		describe_value(field, b, depth);
	}
}

void
schema_describe(const struct schema *schema, struct buf *b)
{
	buf_addz(b,
	    "# Indent with tabs, one for each level. Comments stand on "
	    "lines of their own.\n# Values are not quoted and end with the "
	    "line.\n\n");
	describe_struct(schema, b, 0);
}

/* ---- manual ---- */

static const char *
type_name(enum schema_type type)
{
	switch (type) {
	case SCHEMA_STRINGS:
		return "list of texts";
	case SCHEMA_PAIRS:
		return "map of texts";
	case SCHEMA_STRUCT:
		return "fields";
	case SCHEMA_LIST:
		return "list of fields";
	case SCHEMA_MAP:
		return "map of fields";
	default:
		return schema_scalar(type)->what;
	}
}

/* A sentence begins a line. What mdoc(7) would take for more than text, a
 * backslash, or a dot that begins a line, is not used in docs. */
static void
manual_text(struct slice text, struct buf *b)
{
	ssize_t end;

	while ((end = slice_find(text, SLICE(". "))) >= 0) {
		wrap(slice_head(text, (size_t)end + 1), "", LINE_WIDTH, 0, b);
		text = slice_skip(text, (size_t)end + 2);
	}
	wrap(text, "", LINE_WIDTH, 0, b);
}

void
schema_manual(const struct schema *schema, struct buf *b)
{
	const struct schema_field *field;

	buf_addz(b, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < schema->n; i++) {
		field = &schema->fields[i];
		buf_addf(b, ".It Ic %s : No %s%s%s%s\n", field->name,
		    type_name(field->type),
		    field->flags & SCHEMA_REQUIRED ? ", required" : "",
		    field->def ? ", default " : "",
		    field->def ? field->def : "");
		manual_text(slice_str(field->doc), b);
		if (field->flags & SCHEMA_LATER)
			buf_addz(b, "Not in effect yet.\n");
		if (field->of)
			schema_manual(field->of, b);
	}
	buf_addz(b, ".El\n");
}
