/*
 * json_read - JSON (RFC 8259) from outside: strict parse, typed access.
 *
 * Values are small handles into a parsed document that lives in an arena,
 * with the text they came from: both stay while values are used. Looking at a
 * value as something it is not gives false, so a chain of look-ups is tested
 * once, at its end.
 */
#ifndef TEXT_JSON_READ_H
#define TEXT_JSON_READ_H

#include "base/arena.h"
#include "base/err.h"

#define JSON_DEPTH 64          /* arrays in objects in arrays ... */
#define JSON_VALUES (1U << 20) /* names and values in a document */
#define JSON_TEXT (64U << 20)  /* bytes of a document */

enum json_type {
	JSON_NONE, /* no such value */
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_doc;

struct json {
	const struct json_doc *doc;
	int at; /* token, -1 for JSON_NONE */
};

/* text is not copied. -1 is ERR_SYNTAX, or ERR_LIMIT. */
int json_parse(struct arena *arena, struct slice text, struct json *root_r,
    struct err *e);

enum json_type json_type(struct json v);
/* Members of an object, elements of an array, else 0. */
size_t json_count(struct json v);

/* The member called name (the last of several), or JSON_NONE. */
struct json json_get(struct json object, const char *name);

/*
 * Over members or elements: for (it = json_first(v); it.at >= 0;
 * it = json_next(it)). In an object `it` stands for the member's value, and
 * json_name gives its name.
 */
struct json json_first(struct json v);
struct json json_next(struct json it);
bool json_name(struct arena *arena, struct json it, struct slice *name_r);

/* Decoded, in the arena or in the text. */
bool json_str(struct arena *arena, struct json v, struct slice *s_r);
bool json_bool(struct json v, bool *b_r);
bool json_i64(struct json v, int64_t *n_r); /* integers in range only */
bool json_u64(struct json v, uint64_t *n_r);
/* The text of a value as it stands in the document. */
struct slice json_raw(struct json v);

#endif
