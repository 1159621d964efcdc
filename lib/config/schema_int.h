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

#endif
