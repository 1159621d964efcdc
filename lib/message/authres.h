/*
 * authres - the Authentication-Results field, both ways (RFC 8601).
 *
 * The parser is forgiving where the meaning is clear (values that should be
 * quoted). Reentrant; strings are slices of the input or in the arena.
 */
#ifndef MESSAGE_AUTHRES_H
#define MESSAGE_AUTHRES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define AUTHRES_METHODS_MAX 100 /* real ones have up to 10 */
#define AUTHRES_PROPS_MAX 20    /* of a method */

struct authres_prop { /* smtp.mailfrom=a@example.org */
	struct slice type, name, value;
};

struct authres_method {
	struct slice method;  /* "dkim" */
	struct slice result;  /* "pass" */
	struct slice comment; /* behind the result, without parentheses */
	struct slice reason;
	struct authres_prop *props;
	size_t n;
};

struct authres {
	struct slice id;          /* who says so: a host name */
	struct authres_method *v; /* none: nothing was checked */
	size_t n;
};

/*
 * Parse the value of a field, folded or not. -1 with e: ERR_SYNTAX, ERR_LIMIT,
 * ERR_PERM for a version that is not 1.
 */
int authres_parse(struct arena *arena, struct slice value, struct authres *a_r,
    struct err *e);

/* Append begin ("Authentication-Results:" or "ARC-Authentication-Results:
 * i=1;"), the value with a line a method, and CRLF. Control characters become
 * spaces. */
void authres_write(struct buf *out, const char *begin, const struct authres *a);

/* Building one, in the arena; texts must outlive it. The method is valid until
 * the next authres_add. A property with an empty value is left out. */
struct authres_method *authres_add(struct arena *arena, struct authres *a,
    const char *method, const char *result);
void authres_add_prop(struct arena *arena, struct authres_method *m,
    const char *type, const char *name, struct slice value);

/* The first value of a property in a method, or empty. */
struct slice authres_prop(const struct authres_method *m, const char *type,
    const char *name);

#endif
