/*
 * dkim_tags - "name=value; name=value" lists (RFC 6376, 3.2): signatures, key
 * records, and the records of DMARC and fields of ARC, which share the form.
 */
#ifndef DKIM_DKIM_TAGS_H
#define DKIM_DKIM_TAGS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define DKIM_TAGS_MAX 64 /* signatures have 14 defined ones */

struct dkim_tag {
	struct slice name;
	struct slice value; /* without white space around; folds as they are */
	struct slice raw;   /* all between "=" and ";" or the end */
};

struct dkim_tags {
	struct dkim_tag v[DKIM_TAGS_MAX];
	size_t n;
};

/*
 * Split text. -1 with e (SYNTAX, LIMIT): a part that is no tag, a name that
 * came before, bytes that cannot be in a value (non-ASCII can: RFC 8616).
 */
int dkim_tags_parse(struct slice text, struct dkim_tags *tags_r, struct err *e);

/* The tag of that name (case matters), or NULL. */
const struct dkim_tag *dkim_tags_get(const struct dkim_tags *tags,
    const char *name);
/* Its value, empty if there is none. */
struct slice dkim_tags_value(const struct dkim_tags *tags, const char *name);

/* The next of a list with sep between, without white space around; *rest is
 * what is left. False at the end; "a::b" has an empty one. */
bool dkim_list_next(struct slice *rest, char sep, struct slice *item_r);
/* Is item in a list with ":" between, case ignored? */
bool dkim_list_has(struct slice list, const char *item);

/* Base64 with white space in it, decoded. False: it is none, or empty. */
bool dkim_base64(struct arena *arena, struct slice text, struct slice *data_r);

/* DKIM-Quoted-Printable (RFC 6376, 2.11) decoded, white space dropped. False:
 * there is an "=" without two digits. */
bool dkim_qp(struct arena *arena, struct slice text, struct slice *data_r);
/* The other way; "|" is encoded too if bar (values in z=). */
void dkim_qp_write(struct slice data, bool bar, struct buf *out);

#endif
