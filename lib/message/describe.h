/*
 * describe - header fields to the texts of a record: ENVELOPE, the header's
 * share of BODYSTRUCTURE, decoded values. Internal to lib/message.
 */
#ifndef MESSAGE_DESCRIBE_H
#define MESSAGE_DESCRIBE_H

#include "base/arena.h"
#include "message/fields.h"
#include "message/record_int.h"

/* What the MIME fields of a part say. Slices are in the arena it was made
 * with. */
struct mime {
	enum msgrec_kind kind;
	enum msgrec_encoding encoding;
	bool attachment;
	bool dsn;          /* multipart/report of delivery status */
	struct slice type; /* "text/plain" */
	struct slice charset;
	struct slice boundary; /* of a multipart; empty: it has none */
};

/*
 * head_r gets what BODYSTRUCTURE says up to the size of a part, of a multipart
 * the subtype and parameters; tail_r the extension data behind. Both begin
 * and end without a space. in_digest: the default type is message/rfc822.
 */
void describe_mime(struct arena *arena, const struct fields *f, bool in_digest,
    struct mime *mime_r, struct buf *head_r, struct buf *tail_r);

/* The same for a part that says nothing, for a container that is not taken
 * apart (RFC 2046, 4.5.1), and an envelope that is too large. */
#define DESCRIBE_EMPTY_HEAD \
	"\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\""
#define DESCRIBE_OPAQUE_HEAD \
	"\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"7BIT\""
#define DESCRIBE_NO_TAIL "NIL NIL NIL NIL"
#define DESCRIBE_NO_ENVELOPE "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

void describe_envelope(struct arena *arena, const struct fields *f,
    struct buf *out);

/* All other texts, flags and counts of the message itself; the texts are in
 * keep, tmp is for the meantime. */
void describe_main(struct arena *keep, struct arena *tmp,
    const struct fields *f, struct msgrec_draft *draft);

#endif
