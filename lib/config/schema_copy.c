/*
 * Whole structs, whatever their schema: copy and compare.
 */
#include <string.h>

#include "config/schema_int.h"

/* ---- copy ---- */

static void
put(const struct schema_field *field, void *dst, const void *src, size_t size)
{
	memcpy((char *)dst + field->offset, src, size);
}

static void
copy_array(const struct schema_field *field, const void *src,
    struct arena *arena, void *dst)
{
	struct schema_array from = schema_array_get(field, src), to = from;
	size_t size = schema_element_size(field);

	to.v = arena_array(arena, from.n, size);
	if (from.n > 0)
		memcpy(to.v, from.v, from.n * size);
	for (size_t i = 0; field->of && i < from.n; i++)
		schema_copy(field->of, schema_element(field, from, i), arena,
		    (char *)to.v + i * size);
	put(field, dst, &to, sizeof(to));
}

void
schema_copy(const struct schema *schema, const void *src, struct arena *arena,
    void *dst)
{
	const struct schema_field *field;
	const void *of;
	void *copy;

	memcpy(dst, src, schema->size);
	for (size_t i = 0; i < schema->n; i++) {
		field = &schema->fields[i];
		if (field->type > SCHEMA_STRUCT ||
		    field->type == SCHEMA_STRINGS ||
		    field->type == SCHEMA_PAIRS)
			copy_array(field, src, arena, dst);
		else if (field->type == SCHEMA_STRUCT &&
		    (of = schema_struct_get(field, src)) != NULL) {
			copy = arena_alloc(arena, field->of->size);
			schema_copy(field->of, of, arena, copy);
			put(field, dst, &copy, sizeof(copy));
		}
	}
}

/* ---- compare ---- */

static bool
equal_names(const void *a, const void *b)
{
	return slice_eq(*(const struct slice *)a, *(const struct slice *)b);
}

bool
schema_equal_element(const struct schema_field *field, const void *a,
    const void *b)
{
	if (field->type == SCHEMA_PAIRS)
		return equal_names(a, b) &&
		    slice_eq(((const struct conf_pair *)a)->value,
			((const struct conf_pair *)b)->value);
	if (field->type != SCHEMA_LIST && !equal_names(a, b))
		return false;
	return !field->of || schema_equal(field->of, a, b);
}

static bool
equal_arrays(const struct schema_field *field, const void *a, const void *b)
{
	struct schema_array x = schema_array_get(field, a);
	struct schema_array y = schema_array_get(field, b);

	if (x.n != y.n)
		return false;
	for (size_t i = 0; i < x.n; i++)
		if (!schema_equal_element(field, schema_element(field, x, i),
			schema_element(field, y, i)))
			return false;
	return true;
}

static bool
is_unset(const struct schema_field *field, const void *of)
{
	return schema_is_zero(field, of) || schema_is_default(field, of);
}

static bool
equal_values(const struct schema_field *field, const void *a, const void *b)
{
	const struct schema_scalar *scalar = schema_scalar(field->type);
	const void *x, *y;

	if (field->type == SCHEMA_STRING)
		return equal_names(schema_member(field, a),
		    schema_member(field, b));
	if (scalar)
		return memcmp(schema_member(field, a), schema_member(field, b),
			   scalar->size) == 0;
	if (field->type != SCHEMA_STRUCT)
		return equal_arrays(field, a, b);
	x = schema_struct_get(field, a);
	y = schema_struct_get(field, b);
	return x == y || (x && y && schema_equal(field->of, x, y));
}

bool
schema_equal_field(const struct schema_field *field, const void *a,
    const void *b)
{
	return equal_values(field, a, b) ||
	    (field->def && is_unset(field, a) && is_unset(field, b));
}

bool
schema_equal(const struct schema *schema, const void *a, const void *b)
{
	for (size_t i = 0; i < schema->n; i++)
		if (!schema_equal_field(&schema->fields[i], a, b))
			return false;
	return true;
}
