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
void
schema_write_key(struct buf *b, unsigned depth, struct slice key,
    struct slice value)
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
	size_t before;

	indent(b, depth);
	buf_addz(b, field->name);
	buf_addc(b, ':');
	before = b->n;
	buf_addc(b, ' ');
	if (field->def && schema_is_zero(field, src))
		buf_addz(b, field->def); /* what zero comes to */
	else
		schema_scalar(field->type)
		    ->format(schema_member(field, src), b);
	if (b->n == before + 1) /* no value: nor a space */
		buf_cut(b, before);
	buf_addc(b, '\n');
}

/* ---- elements ---- */

static void
write_entry(const struct schema *of, const struct slice *name, struct buf *b,
    unsigned depth)
{
	size_t before = b->n;

	schema_write_key(b, depth, *name, SLICE_NULL);
	if (write_struct(of, name, b, depth + 1) || b->over)
		return;
	buf_cut(b, before);
	schema_write_key(b, depth, *name, SLICE("nil"));
}

void
schema_write_element(const struct schema_field *field, const void *element,
    struct buf *b, unsigned depth)
{
	const struct conf_pair *pair = element;

	switch (field->type) {
	case SCHEMA_STRINGS:
		indent(b, depth);
		buf_addz(b, "- ");
		buf_add(b, *(const struct slice *)element);
		buf_addc(b, '\n');
		break;
	case SCHEMA_LIST:
		indent(b, depth);
		buf_addz(b, "-\n");
		write_struct(field->of, element, b, depth + 1);
		break;
	case SCHEMA_PAIRS:
		schema_write_key(b, depth, pair->name, pair->value);
		break;
	default:
		write_entry(field->of, element, b, depth);
		break;
	}
}

static void
write_elements(const struct schema_field *field, const void *src, struct buf *b,
    unsigned depth)
{
	struct schema_array array = schema_array_get(field, src);

	for (size_t i = 0; i < array.n; i++)
		schema_write_element(field, schema_element(field, array, i), b,
		    depth);
}

/* Elements of pairs and of maps both begin with their name. */
static int
compare_names(const void *a, const void *b)
{
	const struct slice *const *x = a, *const *y = b;

	return slice_cmp(**x, **y);
}

static void
write_sorted(const struct schema_field *field, const void *src, struct buf *b,
    unsigned depth)
{
	struct schema_array array = schema_array_get(field, src);
	const void **sorted = xcalloc(array.n, sizeof(void *));

	for (size_t i = 0; i < array.n; i++)
		sorted[i] = schema_element(field, array, i);
	qsort(sorted, array.n, sizeof(void *), compare_names);
	for (size_t i = 0; i < array.n; i++)
		schema_write_element(field, sorted[i], b, depth);
	free(sorted);
}

/* ---- structs ---- */

void
schema_write_field(const struct schema_field *field, const void *src,
    struct buf *b, unsigned depth)
{
	const void *of;

	if (field->type <= SCHEMA_DURATION) {
		write_scalar(field, src, b, depth);
		return;
	}
	schema_write_key(b, depth, slice_str(field->name), SLICE_NULL);
	switch (field->type) {
	case SCHEMA_STRINGS:
	case SCHEMA_LIST:
		write_elements(field, src, b, depth + 1);
		break;
	case SCHEMA_STRUCT:
		of = schema_struct_get(field, src);
		/* With no line below it would not parse: say one default. */
		if (!write_struct(field->of, of, b, depth + 1))
			schema_write_field(&field->of->fields[0], of, b,
			    depth + 1);
		break;
	default:
		write_sorted(field, src, b, depth + 1);
		break;
	}
}

/* A struct with nothing set can be written if its first field has a line. */
static bool
is_writable(const struct schema *schema, const void *of)
{
	if (schema_scalar(schema->fields[0].type))
		return true;
	for (size_t i = 0; i < schema->n; i++)
		if (schema_is_written(&schema->fields[i], of))
			return true;
	return false;
}

bool
schema_is_written(const struct schema_field *field, const void *of)
{
	const void *inner;

	if (field->type == SCHEMA_STRUCT) {
		inner = schema_struct_get(field, of);
		return inner && is_writable(field->of, inner);
	}
	return (field->flags & SCHEMA_REQUIRED) ||
	    (!schema_is_zero(field, of) && !schema_is_default(field, of));
}

/* Whether there was anything to write. */
static bool
write_struct(const struct schema *schema, const void *src, struct buf *b,
    unsigned depth)
{
	size_t before = b->n;

	for (size_t i = 0; i < schema->n; i++)
		if (schema_is_written(&schema->fields[i], src))
			schema_write_field(&schema->fields[i], src, b, depth);
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
