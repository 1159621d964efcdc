#include <string.h>

#include "config/schema_int.h"

#define LINE_WIDTH 80 /* of comments, with their indentation */
#define TAB_WIDTH 8
#define TEXT_MIN 40 /* however deep */

static void describe_struct(
    const struct schema *schema, struct buf *b, unsigned depth);

static void
indent(struct buf *b, unsigned depth)
{
	while (depth-- > 0)
		buf_addc(b, '\t');
}

static void
describe_doc(const struct schema_field *field, struct buf *b, unsigned depth)
{
	struct buf doc = BUF_INIT(SIZE_MAX);
	struct slice rest, word;
	size_t width = LINE_WIDTH - 1, column = 0;

	if (width > depth * TAB_WIDTH + TEXT_MIN)
		width -= depth * TAB_WIDTH;
	else
		width = TEXT_MIN;
	buf_addz(&doc, field->doc);
	if (field->flags & SCHEMA_LATER)
		buf_addz(&doc, " Not in effect yet.");
	if (!(field->flags & SCHEMA_REQUIRED))
		buf_addz(&doc, " (optional)");
	for (rest = buf_slice(&doc); slice_next(&rest, ' ', &word);) {
		if (column > 0 && column + 1 + word.n > width) {
			buf_addc(b, '\n');
			column = 0;
		}
		if (column == 0) {
			indent(b, depth);
			buf_addc(b, '#');
			column = 1;
		}
		buf_addc(b, ' ');
		buf_add(b, word);
		column += 1 + word.n;
	}
	buf_addc(b, '\n');
	buf_free(&doc);
}

/* "-" items of a list: its default, or one empty. */
static void
describe_strings(
    const struct schema_field *field, struct buf *b, unsigned depth)
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

/* mdoc(7): a line must not begin with a control character, and a backslash
 * starts an escape. A sentence begins a line. */
static void
manual_text(const char *text, struct buf *b)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\\')
			buf_addz(b, "\\e");
		else if (p > text && *p == ' ' && p[-1] == '.')
			buf_addc(b, '\n');
		else
			buf_addc(b, *p);
	}
	buf_addc(b, '\n');
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
		manual_text(field->doc, b);
		if (field->flags & SCHEMA_LATER)
			buf_addz(b, "Not in effect yet.\n");
		if (field->of)
			schema_manual(field->of, b);
	}
	buf_addz(b, ".El\n");
}
