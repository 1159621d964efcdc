/*
 * split - the socket pair between the front and the back of a connection,
 * and the typed messages on it.
 *
 * A message is a type and up to SPLIT_SLICES slices, at most SPLIT_MAX bytes.
 * The front calls (and waits for the reply) or sends (one way: bytes of a
 * message, log lines). The back takes each message by a table that says what
 * may come when, and of which size; anything else ends the connection, for
 * the front is trusted with nothing.
 *
 * After the hand-over of an IMAP connection under TLS the pair carries bare
 * plaintext bytes (service/relay); so it is a stream.
 */
#ifndef SERVICE_SPLIT_H
#define SERVICE_SPLIT_H

#include "base/err.h"
#include "base/slice.h"

/* Bytes of a message, all slices together: a chunk of 32 KB and some. */
#define SPLIT_MAX (64 * 1024)
#define SPLIT_SLICES 16

struct split;

struct split_msg {
	unsigned type;
	size_t n;
	struct slice v[SPLIT_SLICES]; /* valid until the next message is read */
};

/* Types below SPLIT_FIRST are the service library's own. */
enum { SPLIT_LOG = 1, SPLIT_REPLY = 2, SPLIT_FIRST = 16 };

/* ---- front ---- */

/*
 * Send a request and wait for its reply, for at most ms. The reply's slices
 * live until the next call. -1 with e: the back is gone or takes too long, and
 * the connection must end (421, BYE).
 */
int split_call(struct split *sp, unsigned type, const struct slice *v, size_t n,
    int ms, struct split_msg *reply_r, struct err *e);
/* Send one way. Blocks while the back is behind, for at most SPLIT_SEND_MS. */
#define SPLIT_SEND_MS 60000
int split_send(struct split *sp, unsigned type, const struct slice *v, size_t n,
    struct err *e);

/* ---- back ---- */

/*
 * What the back takes. handler returns 0, or -1 with e to end the connection;
 * if it is for calls it gives exactly one split_reply.
 */
struct split_op {
	unsigned type;
	unsigned states; /* bits: may come when split_state is one of them */
	size_t min, max; /* number of slices */
	size_t size;     /* most bytes of any slice; 0: SPLIT_MAX */
	int (*handler)(void *ctx, const struct split_msg *msg, struct err *e);
};

/* The state that ops are checked against, one bit; 1 at first. */
void split_set_state(struct split *sp, unsigned state);
unsigned split_state(const struct split *sp);

/*
 * Wait for a message, for at most ms, and dispatch it by the table, which ends
 * with type 0. Log lines of the front are handled inside. Returns 1 for a
 * message handled, 0 when the front closed its end between messages, -1 with
 * e: time-out (ERR_TEMP), a message that may not come (ERR_SYNTAX), or what a
 * handler said.
 */
int split_serve(struct split *sp, const struct split_op *ops, void *ctx, int ms,
    struct err *e);
int split_reply(struct split *sp, const struct slice *v, size_t n,
    struct err *e);

/* ---- both ---- */

int split_fd(const struct split *sp);
/* One end. fd is taken over. */
struct split *split_new(int fd);
/* Bytes that came behind the last message: after a hand-over the session's
 * first ones may be among them. Valid until split_free. */
struct slice split_rest(const struct split *sp);
/* Frees; closes the descriptor unless fd_r is given, which gets it. */
void split_free(struct split **sp, int *fd_r);

/* In a front: log lines go to the back from here on. */
void split_log(struct split *sp);

/* Numbers and other fixed structs as slices, and back: false if the slice has
 * another size. */
#define SPLIT_OF(var) slice_of((const char *)&(var), sizeof(var))
bool split_get(struct slice s, void *p, size_t size);
#define SPLIT_GET(s, p) split_get((s), (p), sizeof(*(p)))

/* For the fuzzer: a message of at most n bytes at p. Bytes used, 0 when more
 * are needed, -1 with e when it is none. */
ssize_t split_decode(struct slice bytes, struct split_msg *msg_r,
    struct err *e);

#endif
