/*
 * record - what one pass over a message found out, as flat bytes.
 *
 * Made by msgparse_finish, kept in a cache segment, handed from jailed
 * process to process. It is self-contained: a fixed head, the table of parts,
 * then texts; all numbers little-endian (README has the layout). The texts
 * meant for IMAP are ready to be sent as they are.
 *
 * Bytes from another process go through msgrec_check once, those from a disk
 * through msgrec_in_bounds: the accessors below trust such a record and never
 * fail. Slices point into the record.
 */
#ifndef MESSAGE_RECORD_H
#define MESSAGE_RECORD_H

#include "base/buf.h"

/* Most bytes of a record: MSGREC_PARTS_MAX parts and their structure fit. */
#define MSGREC_MAX (4 * 1024 * 1024)
#define MSGREC_PARTS_MAX 10000 /* real mail has tens; Dovecot's limit too */
#define MSGREC_DEPTH_MAX 100   /* nesting; deeper is not taken apart */

/* Dates are between these (years 0 and 9999), so they can be formatted. */
#define MSGREC_DATE_MIN (-62167305600)
#define MSGREC_DATE_MAX 253402387199

enum msgrec_flag {
	MSGREC_8BIT_HEADER = 1,  /* the main header needs SMTPUTF8 */
	MSGREC_8BIT_BODY = 2,    /* a byte above 127 after it */
	MSGREC_NUL = 4,          /* a NUL somewhere */
	MSGREC_BARE = 8,         /* bare CR or LF somewhere (wire form) */
	MSGREC_DATE = 16,        /* Date is valid, see msgrec_date */
	MSGREC_REPLY = 32,       /* subject is a reply or forward (RFC 5256) */
	MSGREC_CUT = 64,         /* limits left out some text or structure */
	MSGREC_DSN = 128,        /* multipart/report of delivery status */
	MSGREC_LIST = 256,       /* has List-Id or List-Post */
	MSGREC_ATTACHMENT = 512, /* some part's disposition is attachment */
	MSGREC_FLAGS = 1023,
};

enum msgrec_text {
	MSGREC_ENVELOPE,  /* IMAP ENVELOPE, with parentheses */
	MSGREC_STRUCTURE, /* IMAP BODYSTRUCTURE, with parentheses */
	MSGREC_PREVIEW,   /* up to 256 characters of text; lines end in LF */
	MSGREC_SUBJECT,   /* this and the next four: decoded to UTF-8, one */
	MSGREC_FROM,      /* line, repeated fields joined by ", " */
	MSGREC_TO,
	MSGREC_CC,
	MSGREC_BCC,
	MSGREC_SUBJECT_BASE, /* RFC 5256, 2.1; folded (text/unicode.h) */
	MSGREC_MSGID,        /* canonical, without <>, for threads */
	MSGREC_REFERENCES,   /* canonical ids with a space between: the last */
			     /* 50 of References, or one of In-Reply-To */
	MSGREC_FROM_LOCAL,   /* first address of From, unquoted, as written */
	MSGREC_FROM_DOMAIN,
	MSGREC_TEXTS
};

/*
 * A place in the message: octets and line breaks before it, in wire form.
 * In a file with LF line ends it is at off - breaks, in a verbatim one at off.
 */
struct msgrec_pos {
	uint64_t off;
	uint64_t breaks;
};

enum msgrec_kind {
	MSGREC_LEAF,
	MSGREC_MULTIPART,
	MSGREC_MESSAGE, /* message/rfc822 or message/global: one child */
};

enum msgrec_encoding {
	MSGREC_7BIT,
	MSGREC_8BIT,
	MSGREC_BINARY,
	MSGREC_BASE64,
	MSGREC_QP,
	MSGREC_ENCODING_OTHER,
};

#define MSGREC_NONE UINT32_MAX

struct msgrec_part {
	uint32_t parent; /* index, MSGREC_NONE for part 0 */
	uint32_t number; /* among its siblings, from 1 */
	uint32_t next;   /* index behind its last descendant */
	enum msgrec_kind kind;
	enum msgrec_encoding encoding;
	bool attachment;          /* Content-Disposition: attachment */
	struct msgrec_pos header; /* first octet of the header */
	struct msgrec_pos body;   /* behind the empty line */
	struct msgrec_pos end;    /* behind the body */
	struct slice type;        /* "text/plain", lower case */
	struct slice charset;     /* as written, may be empty */
};

/*
 * Is this a record every accessor may be used on, and are the IMAP texts
 * what an IMAP server may send: one balanced list, quoted strings of 7-bit
 * text, literals of the announced length without NUL, no line break elsewhere?
 */
bool msgrec_check(struct slice record);
/*
 * The part of it that keeps accessors inside the record and the parts a tree,
 * for what was checked before it was written and has the right checksum: a
 * tenth of the time, as texts are not read.
 */
bool msgrec_in_bounds(struct slice record);

uint64_t msgrec_wire_size(struct slice record); /* RFC822.SIZE */
unsigned msgrec_flags(struct slice record);     /* bits of msgrec_flag */
int64_t msgrec_date(struct slice record);       /* seconds since 1970, UTC */
unsigned msgrec_received(struct slice record);  /* Received fields, hops */
unsigned msgrec_froms(struct slice record);     /* addresses in From */
struct slice msgrec_text(struct slice record, enum msgrec_text which);

/* IMAP BODY: MSGREC_STRUCTURE without extension data, appended to out. */
void msgrec_body(struct slice record, struct buf *out);

/*
 * The BODYSTRUCTURE of part i alone, appended to out; with decoded (may be NULL)
 * as that of the same part without its transfer encoding. False, and nothing
 * added, if there is none, or decoded and it is no leaf.
 */
struct msgrec_decoded {
	uint64_t size, lines;
};
bool msgrec_structure(struct slice record, uint32_t i,
    const struct msgrec_decoded *decoded, struct buf *out);

/* Parts stand in the order of the message, parents first; 1 or more. */
uint32_t msgrec_parts(struct slice record);
void msgrec_part(struct slice record, uint32_t i, struct msgrec_part *part_r);

/*
 * The record of the same message with prefix (whole header fields, wire form)
 * put before it, appended to out. False, and nothing added, if the prefix has
 * a field that the texts are made of (From, Date, Message-ID, Subject, MIME
 * fields, ...), or a line that is no field: parse anew.
 */
bool msgrec_prefix(struct slice record, struct slice prefix, struct buf *out);

#endif
