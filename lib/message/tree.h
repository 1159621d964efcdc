/*
 * tree - the parts of a message while it is parsed.
 *
 * The parts that are open form a stack, the message at its bottom. parse.c
 * tells where headers and bodies begin and end and which line is a boundary;
 * what they mean is decided here. Internal to lib/message.
 */
#ifndef MESSAGE_TREE_H
#define MESSAGE_TREE_H

#include "base/arena.h"
#include "message/fields.h"
#include "message/preview.h"
#include "message/record_int.h"

/* RFC 2046, 5.1.1 has 70 characters. */
#define TREE_BOUNDARY_MAX 990

struct part {
	struct msgrec_part rec;
	struct slice head, tail; /* of BODYSTRUCTURE (describe.h) */
	struct slice envelope;   /* of a message */
};

struct open {
	uint32_t part;
	uint32_t children;
	bool digest;      /* its parts are messages if they do not say */
	bool ended;       /* its last boundary was seen */
	size_t bound_off; /* boundary, in bounds */
	size_t bound_n;   /* 0: none */
};

struct tree {
	bool in_header;       /* of the part on top; else in its body */
	bool mime_only;       /* which is no header of a message */
	struct fields fields; /* for parse.c to fill */

	struct part *parts; /* draft.nparts of them */
	size_t room;
	struct open stack[MSGREC_DEPTH_MAX + 1];
	size_t depth;
	struct buf bounds;

	bool no_preview;
	struct preview *preview; /* of preview_part, while it is open */
	uint32_t preview_part;
	struct buf preview_text;

	struct arena *keep; /* until the record is written */
	struct arena *tmp;  /* for one header */
	struct buf head, tail, envelope;
	struct msgrec_draft draft;
};

/* With the message open, in its header. */
void tree_init(struct tree *t, bool no_preview);
void tree_free(struct tree *t);

/* A part begins: its header. */
void tree_open(struct tree *t, struct msgrec_pos pos);
/* The header ends. That of a message in a part opens the message, so
 * in_header may be true again. */
void tree_end_header(struct tree *t, struct msgrec_pos pos);
/* Bytes of the body of the part on top. */
void tree_body(struct tree *t, struct slice bytes);
/* Close parts until depth are open. No part ends before what is in it. */
void tree_close(struct tree *t, size_t depth, struct msgrec_pos end);

/*
 * Place in the stack of the multipart whose boundary the line begins with, or
 * -1. *last_r: the boundary ends it. Boundaries that do not count any more
 * are none.
 */
ssize_t tree_boundary(struct tree *t, struct slice line, bool *last_r);
/* Is any boundary to be looked for? */
bool tree_has_boundary(const struct tree *t);

/* All parts are closed: write the record. */
void tree_write(struct tree *t, uint64_t wire_size, struct buf *record_r);

#endif
