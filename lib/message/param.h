/*
 * param - fields with parameters: Content-Type, Content-Disposition and kin
 * (RFC 2045, 5.1; RFC 2231).
 *
 * Forgiving. Strings are slices of the input where possible, else in the
 * arena.
 */
#ifndef MESSAGE_PARAM_H
#define MESSAGE_PARAM_H

#include "base/arena.h"
#include "base/buf.h"

#define PARAM_MAX 100 /* parameters of a field; more are ignored */

extern const bool param_token[256]; /* RFC 2045, 5.1 */

struct param {
	struct slice name;  /* lower case, "*" at its end if encoded */
	struct slice value; /* unquoted; continuations joined (RFC 2231, 3) */
};

struct param_field {
	struct slice value; /* "text/plain", "attachment"; as written */
	struct param *v;
	size_t n;
};

void param_parse(struct arena *arena, struct slice field,
    struct param_field *field_r);

/* Value of name or name*, or the empty slice; not decoded. */
struct slice param_get(const struct param_field *field, const char *name);

/*
 * Value of name as UTF-8: name* with its charset and %XX (RFC 2231, 4), or
 * encoded words in name, which RFC 2047, 5 forbids and many send. True if
 * the parameter is there.
 */
bool param_text(const struct param_field *field, const char *name,
    struct buf *out);

/* Type and subtype of a Content-Type value, lower case, in the arena. False
 * unless both are tokens. */
bool param_media_type(struct arena *arena, struct slice value,
    struct slice *type_r, struct slice *subtype_r);

/* ; name=value, quoted where needed, or name*=utf-8''... if not ASCII. */
void param_write(struct buf *out, const char *name, struct slice value);

#endif
