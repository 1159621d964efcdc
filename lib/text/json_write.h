/*
 * json_write - JSON text, appended to a buf.
 *
 *   struct json_out j = JSON_OUT(&buf, true);
 *   json_put_object(&j, NULL);
 *   json_put_str(&j, "name", name);
 *   json_put_end(&j);
 *
 * name is the member's name inside an object, NULL elsewhere. Whether all
 * fitted is asked of the buf at the end; too deep counts as not fitting.
 */
#ifndef TEXT_JSON_WRITE_H
#define TEXT_JSON_WRITE_H

#include "base/buf.h"

#define JSON_OUT_DEPTH 64

struct json_out {
	struct buf *out;
	bool indent; /* lines and tabs, for people */
	bool begun;  /* the innermost has a member already */
	bool named;  /* json_put_name came last */
	unsigned depth;
	char close[JSON_OUT_DEPTH]; /* '}' or ']' of what is open */
};

#define JSON_OUT(buf_, indent_) \
	{ \
		(buf_), (indent_), false, false, 0, "" \
	}

void json_put_object(struct json_out *j, const char *name);
void json_put_array(struct json_out *j, const char *name);
/* Ends the innermost object or array; the outermost with a line end. */
void json_put_end(struct json_out *j);

/* What is no UTF-8 in s becomes U+FFFD. */
void json_put_str(struct json_out *j, const char *name, struct slice s);
void json_put_u64(struct json_out *j, const char *name, uint64_t v);
void json_put_i64(struct json_out *j, const char *name, int64_t v);
void json_put_bool(struct json_out *j, const char *name, bool v);
void json_put_null(struct json_out *j, const char *name);
/* Text that is JSON already, or a number made elsewhere. */
void json_put_raw(struct json_out *j, const char *name, struct slice json);
/* RFC 3339 in UTC, "2006-01-02T15:04:05.000Z"; microseconds since 1970. */
void json_put_time(struct json_out *j, const char *name, int64_t us);

/* A member whose name is data: to be followed by a put with name NULL. */
void json_put_name(struct json_out *j, struct slice name);

#endif
