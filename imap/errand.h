/*
 * errand - what a session asks of another account (service.h): a message by its
 * URL, and making, removing and renaming mailboxes by the rights k and x.
 *
 * A session reaches its own account and what is shared with it. For the rest a
 * fresh process, which reaches the other account and no more of this one than
 * that one does, takes a request as if a client had sent it, knows from the
 * parent who asks, decides, does it, and answers:
 *
 *	request: struct head, the names      answer: text, struct tail
 *
 * What has no tail is no answer: the process died.
 */
#ifndef IMAP_ERRAND_H
#define IMAP_ERRAND_H

#include "imap/imap.h"
#include "service/service.h"

enum imap_errand_op {
	IMAP_ERRAND_URL = 1, /* URLFETCH of a */
	IMAP_ERRAND_CREATE,  /* a; the answer has a line for MAILBOXID, and one
			      * for each mailbox that was made */
	IMAP_ERRAND_DELETE,  /* a */
	IMAP_ERRAND_RENAME,  /* a to b */
	IMAP_ERRAND_OPS,
};

/* RFC 5524, 3.1: what is wanted of a URL; none: the octets. */
enum {
	IMAP_WANT_STRUCTURE = 1,
	IMAP_WANT_BODY = 2,
	IMAP_WANT_BINARY = 4,
	IMAP_WANTS = 7,
};

struct imap_errand {
	enum imap_errand_op op;
	unsigned wants;    /* of a URL */
	struct slice a, b; /* URL, or names of the owner's */
};

enum imap_errand_code {
	IMAP_ERRAND_DONE = 1,
	IMAP_ERRAND_NOTHING, /* not there, or nothing that who asks may know */
	IMAP_ERRAND_NOPERM,
	IMAP_ERRAND_EXISTS,
	IMAP_ERRAND_HASCHILDREN,
	IMAP_ERRAND_CANNOT, /* text says why */
	IMAP_ERRAND_FAILED, /* now; the log says why */
	IMAP_ERRAND_CODES,
};

/* A request as bytes. */
void imap_errand_write(const struct imap_errand *errand, struct buf *b);
/* And back; slices are of bytes. False for what no write made. */
bool imap_errand_read(struct imap_errand *errand_r, struct slice bytes);

/* ---- in a session ---- */

#define IMAP_ANSWER_MEMORY (64 * 1024) /* more is in an unnamed file */
/* Most that is taken: a message twice, as BODY and BINARY. */
#define IMAP_ANSWER_MAX (2 * IMAP_APPEND_MAX + (1 << 20))

struct imap_answer {
	enum imap_errand_code code;
	uint64_t n;      /* bytes of text */
	struct buf text; /* all of it, if fd is -1 */
	int fd;
};

/* Ask the account, and wait for the whole answer. 0, or -1 with e set: it could
 * not be asked now. imap_answer_free in any case. */
int imap_errand_ask(struct imap_session *s, struct slice account,
    const struct imap_errand *errand, struct imap_answer *answer_r,
    struct err *e);
/* Write the text to the client. -1 with e set: the file cannot be read. */
int imap_answer_copy(struct imap_session *s, const struct imap_answer *answer,
    struct err *e);
void imap_answer_free(struct imap_answer *answer);

/* ---- the other process ---- */

/* As struct service's errand; client->ctx is the struct host. */
int imap_errand_serve(const struct service_client *client,
    const struct service_errand *asked);

/* How an answer ends. */
struct imap_errand_tail {
	char magic[8]; /* IMAP_ERRAND_MAGIC */
	uint32_t code; /* enum imap_errand_code */
};
#define IMAP_ERRAND_MAGIC "errand1"

#endif
