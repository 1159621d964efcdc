/*
 * schema - one table of fields is a configuration file: the table parses,
 * fills defaults, checks, describes and writes it.
 *
 * A schema describes a C struct. The struct's first member is `struct slice
 * name`: the map key, or for other structs the text of the line it began
 * with. As all strings it points into the file's text, so the line of any
 * struct or string can be told in a later error.
 *
 * Memory comes from the caller's arena; strings point into the file.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stddef.h>

#include "base/buf.h"
#include "config/sconf.h"

enum schema_type {
	SCHEMA_STRING,   /* struct slice */
	SCHEMA_BOOL,     /* bool */
	SCHEMA_TRI,      /* enum schema_tri: a bool that may be unset */
	SCHEMA_INT,      /* int */
	SCHEMA_INT64,    /* int64_t */
	SCHEMA_FLOAT,    /* double */
	SCHEMA_DURATION, /* int64_t, nanoseconds */
	SCHEMA_STRINGS,  /* struct conf_strings: a list */
	SCHEMA_PAIRS,    /* struct conf_pairs: a map of strings */
	SCHEMA_STRUCT,   /* struct x *, NULL if optional and not there */
	SCHEMA_LIST,     /* struct { struct x *v; size_t n; }, in file order */
	SCHEMA_MAP,      /* the same, each x named by its key, in file order */
};

enum schema_tri { TRI_UNSET, TRI_FALSE, TRI_TRUE };

#define SCHEMA_SECOND INT64_C(1000000000) /* a duration */
#define SCHEMA_HOUR (3600 * SCHEMA_SECOND)

struct conf_strings {
	struct slice *v;
	size_t n;
};

struct conf_pair {
	struct slice name;
	struct slice value;
};

struct conf_pairs {
	struct conf_pair *v;
	size_t n;
};

/* Any list or map, however its elements are typed. */
struct schema_array {
	void *v;
	size_t n;
};

#define SCHEMA_OPTIONAL 0
#define SCHEMA_REQUIRED 1
#define SCHEMA_LATER 2 /* accepted, but nothing acts on it yet */

struct schema;

struct schema_field {
	const char *name;
	enum schema_type type;
	size_t offset;
	const struct schema *of; /* STRUCT, LIST, MAP: what they hold */
	unsigned flags;
	const char *def; /* value when absent or zero, as schema_write
	                  * writes it (STRINGS: words); NULL: zero */
	/*
	 * Is the value well formed? NULL if so, else what it must be: "must
	 * be 1 to 65535". Gets each string of STRINGS, each value of PAIRS,
	 * and the keys of a MAP as a struct slice, else the C value. Not
	 * called for an optional value that is zero.
	 */
	const char *(*check)(const void *value);
	const char *doc; /* sentences; wrapped when printed */
};

/* At most 64 fields: the parser keeps the set of those seen in a word. */
struct schema {
	size_t size; /* of the C struct */
	const struct schema_field *fields;
	size_t n;
};

/*
 * Rows of tables. IN is defined as the struct's tag around each table:
 *   #define IN conf_smtp
 *   static const struct schema_field smtp_fields[] = {
 *   	{ "Port", INT(port), OPTIONAL, "25", check_port, "Port to use." },
 */
#define SCHEMA_IS(member, ctype) \
	__builtin_types_compatible_p(__typeof__(((struct IN *)0)->member), \
	    ctype)
#define SCHEMA_AT(member, ctype) \
	(offsetof(struct IN, member) + \
	    0 * sizeof(char[2 * SCHEMA_IS(member, ctype) - 1]))
#define SCHEMA_OF(tag, table) \
	{ \
		sizeof(struct tag), table, sizeof(table) / sizeof((table)[0]) \
	}

#define STRING(m) SCHEMA_STRING, SCHEMA_AT(m, struct slice), NULL
#define BOOL(m) SCHEMA_BOOL, SCHEMA_AT(m, bool), NULL
#define TRI(m) SCHEMA_TRI, SCHEMA_AT(m, enum schema_tri), NULL
#define INT(m) SCHEMA_INT, SCHEMA_AT(m, int), NULL
#define INT64(m) SCHEMA_INT64, SCHEMA_AT(m, int64_t), NULL
#define FLOAT(m) SCHEMA_FLOAT, SCHEMA_AT(m, double), NULL
#define DURATION(m) SCHEMA_DURATION, SCHEMA_AT(m, int64_t), NULL
#define STRINGS(m) SCHEMA_STRINGS, SCHEMA_AT(m, struct conf_strings), NULL
#define PAIRS(m) SCHEMA_PAIRS, SCHEMA_AT(m, struct conf_pairs), NULL
#define STRUCT(m, tag, schema) \
	SCHEMA_STRUCT, SCHEMA_AT(m, struct tag *), &(schema)
#define SCHEMA_ARRAY_AT(m, tag) \
	(offsetof(struct IN, m) + 0 * SCHEMA_AT(m.v, struct tag *))
#define LIST(m, tag, schema) SCHEMA_LIST, SCHEMA_ARRAY_AT(m, tag), &(schema)
#define MAP(m, tag, schema) SCHEMA_MAP, SCHEMA_ARRAY_AT(m, tag), &(schema)

/*
 * Parse a whole file into dst (schema->size bytes, zeroed), defaults filled
 * in. Problems go to file->errors; dst is usable even then, with required
 * structs present.
 */
void schema_parse(const struct schema *schema, const struct sconf_file *file,
    struct arena *arena, void *dst);

/*
 * Parse text that schema_write made and nobody touched: nothing is checked
 * or required, unknown fields are passed over. Strings point into text.
 */
void schema_parse_trusted(const struct schema *schema, struct slice text,
    struct arena *arena, void *dst);

/*
 * Write src as a file: fields in table order, map keys sorted, optional
 * values that are zero or the default left out.
 */
void schema_write(const struct schema *schema, const void *src, struct buf *b);

/* A copy of src whose structs and arrays are in arena, free to be changed.
 * Strings are shared. */
void schema_copy(const struct schema *schema, const void *src,
    struct arena *arena, void *dst);

/* Do both say the same, maps in the same order? */
bool schema_equal(const struct schema *schema, const void *a, const void *b);

/*
 * Append text, a file that parses to `from` without problems, changed to say
 * what `to` says: lines that differ are replaced, removed or put in, all
 * others stay as they are, with comments and order. New fields come in the
 * order of the table, new entries of maps at the end. Comments outside of
 * what is removed stay.
 */
void schema_splice(const struct schema *schema, struct slice text,
    const void *from, const void *to, struct buf *b);

/* An annotated file with every field, for people to start from. */
void schema_describe(const struct schema *schema, struct buf *b);

/* The fields as mdoc(7) lists, for the manual. */
void schema_manual(const struct schema *schema, struct buf *b);

/*
 * Call seen once for each field of the table that is set somewhere in src but
 * not in effect yet, with the name member of the first struct that sets it.
 */
void schema_later(const struct schema *schema, const void *src,
    void (*seen)(void *ctx, struct slice parent, const char *name), void *ctx);

/* Values as text, in Go's form: 1h30m, 24h0m0s, 500ms. */
bool schema_duration_parse(struct slice text, int64_t *nanoseconds_r);
void schema_duration_format(int64_t nanoseconds, struct buf *b);

#endif
