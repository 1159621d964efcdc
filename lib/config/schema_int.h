/*
 * schema_int - what the files of the schema share: scalars as text.
 */
#ifndef CONFIG_SCHEMA_INT_H
#define CONFIG_SCHEMA_INT_H

#include "config/schema.h"

/* One row for each scalar type. */
struct schema_scalar {
	size_t size;
	const char *empty; /* its zero, as written */
	const char *what;  /* for the manual: "a number" */
	/* Fill *dst. NULL, or what the text must be. */
	const char *(*parse)(struct slice text, void *dst);
	void (*format)(const void *src, struct buf *b);
};

/* NULL if type is none of the scalars. */
const struct schema_scalar *schema_scalar(enum schema_type type);

static inline const void *
schema_member(const struct schema_field *field, const void *of)
{
	return (const char *)of + field->offset;
}

/* Lists and maps are read and made whatever the type of their elements. */
struct schema_array schema_array_get(const struct schema_field *field,
    const void *of);

/* The struct of a STRUCT field, or NULL. */
const void *schema_struct_get(const struct schema_field *field, const void *of);

/* Whether the value is its type's zero, or the field's default. */
bool schema_is_zero(const struct schema_field *field, const void *of);
bool schema_is_default(const struct schema_field *field, const void *of);

/* Does schema_write write the field? */
bool schema_is_written(const struct schema_field *field, const void *of);

/* Size of an element of STRINGS, PAIRS, LIST and MAP. */
size_t schema_element_size(const struct schema_field *field);
/* Element i; those of maps and pairs begin with their key. */
const void *schema_element(const struct schema_field *field,
    struct schema_array array, size_t i);

/* As schema_write, lines indented by depth: a field with its key; an element of
 * a STRINGS, PAIRS, LIST or MAP. */
void schema_write_field(const struct schema_field *field, const void *src,
    struct buf *b, unsigned depth);
void schema_write_element(const struct schema_field *field, const void *element,
    struct buf *b, unsigned depth);
/* "Key: value" or "Key:". */
void schema_write_key(struct buf *b, unsigned depth, struct slice key,
    struct slice value);

bool schema_equal_field(const struct schema_field *field, const void *a,
    const void *b);
bool schema_equal_element(const struct schema_field *field, const void *a,
    const void *b);

#endif
