#include <stdlib.h>
#include <string.h>

#include "config/schema_int.h"

static bool write_struct(const struct schema *schema, const void *src,
    struct buf *b, unsigned depth);

static void
indent(struct buf *b, unsigned depth)
{
	while (depth-- > 0)
		buf_addc(b, '\t');
}

/* "Key:" or "Key: value" */
static void
key_line(struct buf *b, unsigned depth, struct slice key, struct slice value)
{
	indent(b, depth);
	buf_add(b, key);
	buf_addc(b, ':');
	if (value.n > 0)
		buf_addc(b, ' ');
	buf_add(b, value);
	buf_addc(b, '\n');
}

static void
write_scalar(const struct schema_field *field, const void *src, struct buf *b,
    unsigned depth)
{
	struct buf text = BUF_INIT(SIZE_MAX);

	schema_scalar(field->type)->format(schema_member(field, src), &text);
	key_line(b, depth, slice_str(field->name), buf_slice(&text));
	buf_free(&text);
}

static void
write_strings(struct conf_strings strings, struct buf *b, unsigned depth)
{
	for (size_t i = 0; i < strings.n; i++) {
		indent(b, depth);
		buf_addz(b, "- ");
		buf_add(b, strings.v[i]);
		buf_addc(b, '\n');
	}
}

static void
write_list(const struct schema *of, struct schema_array array, struct buf *b,
    unsigned depth)
{
	for (size_t i = 0; i < array.n; i++) {
		indent(b, depth);
		buf_addz(b, "-\n");
		write_struct(of, (char *)array.v + i * of->size, b, depth + 1);
	}
}

/* Elements of pairs and of maps both begin with their name. */
static int
compare_names(const void *a, const void *b)
{
	const struct slice *const *x = a, *const *y = b;

	return slice_cmp(**x, **y);
}

static void
write_entry(const struct schema *of, const struct slice *name, struct buf *b,
    unsigned depth)
{
	size_t before = b->n;

	key_line(b, depth, *name, SLICE_NULL);
	if (write_struct(of, name, b, depth + 1) || b->over)
		return;
	buf_cut(b, before);
	key_line(b, depth, *name, SLICE("nil"));
}

static void
write_map(const struct schema_field *field, struct schema_array array,
    struct buf *b, unsigned depth)
{
	const struct slice **sorted = xcalloc(array.n, sizeof(void *));
	bool pairs = field->type == SCHEMA_PAIRS;
	size_t size = pairs ? sizeof(struct conf_pair) : field->of->size;

	for (size_t i = 0; i < array.n; i++)
		sorted[i] = (void *)((char *)array.v + i * size);
	qsort(sorted, array.n, sizeof(void *), compare_names);
	for (size_t i = 0; i < array.n; i++) {
		if (pairs)
			key_line(b, depth, *sorted[i],
			    ((const struct conf_pair *)sorted[i])->value);
		else
			write_entry(field->of, sorted[i], b, depth);
	}
	free(sorted);
}

static void
write_field(const struct schema_field *field, const void *src, struct buf *b,
    unsigned depth)
{
	const void *of;

	if (field->type <= SCHEMA_DURATION) {
		write_scalar(field, src, b, depth);
		return;
	}
	key_line(b, depth, slice_str(field->name), SLICE_NULL);
	switch (field->type) {
	case SCHEMA_STRINGS:
		write_strings(*(const struct conf_strings *)schema_member(field,
				  src),
		    b, depth + 1);
		break;
	case SCHEMA_LIST:
		write_list(field->of, schema_array_get(field, src), b,
		    depth + 1);
		break;
	case SCHEMA_STRUCT:
		of = schema_struct_get(field, src);
		/* With no line below it would not parse: say one default. */
		if (!write_struct(field->of, of, b, depth + 1))
			write_field(&field->of->fields[0], of, b, depth + 1);
		break;
	default:
		write_map(field, schema_array_get(field, src), b, depth + 1);
		break;
	}
}

/* Whether there was anything to write. */
static bool
write_struct(const struct schema *schema, const void *src, struct buf *b,
    unsigned depth)
{
	size_t before = b->n;

	for (size_t i = 0; i < schema->n; i++) {
		const struct schema_field *field = &schema->fields[i];

		if ((field->flags & SCHEMA_REQUIRED) ||
		    (!schema_is_zero(field, src) &&
			!schema_is_default(field, src)))
			write_field(field, src, b, depth);
	}
	return b->n > before;
}

void
schema_write(const struct schema *schema, const void *src, struct buf *b)
{
	write_struct(schema, src, b, 0);
}

/* ---- fields that are set but not in effect ---- */

/* More rows than the tables have such fields. */
#define LATER_MAX 256

struct later {
	void (*seen)(void *ctx, struct slice parent, const char *name);
	void *ctx;
	const struct schema_field *told[LATER_MAX]; /* each row once */
	size_t n;
};

static void later_struct(struct later *later, const struct schema *schema,
    const void *src);

static void
tell(struct later *later, const struct schema_field *field, const void *src)
{
	struct slice parent;

	for (size_t i = 0; i < later->n; i++)
		if (later->told[i] == field)
			return;
	if (later->n == LATER_MAX)
		return;
	later->told[later->n++] = field;
	memcpy(&parent, src, sizeof(parent));
	later->seen(later->ctx, parent, field->name);
}

static void
later_field(struct later *later, const struct schema_field *field,
    const void *src)
{
	struct schema_array array;

	if (schema_is_zero(field, src) || schema_is_default(field, src))
		return;
	if (field->flags & SCHEMA_LATER)
		tell(later, field, src);
	else if (field->type == SCHEMA_STRUCT)
		later_struct(later, field->of, schema_struct_get(field, src));
	else if (field->type == SCHEMA_LIST || field->type == SCHEMA_MAP) {
		array = schema_array_get(field, src);
		for (size_t i = 0; i < array.n; i++)
			later_struct(later, field->of,
			    (char *)array.v + i * field->of->size);
	}
}

static void
later_struct(struct later *later, const struct schema *schema, const void *src)
{
	for (size_t i = 0; i < schema->n; i++)
		later_field(later, &schema->fields[i], src);
}

void
schema_later(const struct schema *schema, const void *src,
    void (*seen)(void *ctx, struct slice parent, const char *name), void *ctx)
{
	struct later later = { .seen = seen, .ctx = ctx };

	later_struct(&later, schema, src);
}
