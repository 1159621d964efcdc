/*
 * reader - commands of an IMAP client as they come in, and answers going out.
 *
 * Puts lines and literals together to one text, "A1 LOGIN {3}" CRLF "joe" ...,
 * within limits, sending the continuation requests. Used by the front before
 * login and by the session after it.
 */
#ifndef IMAP_READER_H
#define IMAP_READER_H

#include "base/buf.h"
#include "base/err.h"
#include "net/conn.h"

#define IMAP_LINE_MAX (16 * 1024)       /* RFC 7162, 4 asks for 8192 */
#define IMAP_LITERAL_MAX (100 * 1024)   /* one, but messages */
#define IMAP_LITERALS_MAX (1000 * 1024) /* together, in one command */
#define IMAP_LITERALS_COUNT 1000
/* All of a command: what one connection can make us hold. */
#define IMAP_COMMAND_MAX (IMAP_LITERALS_MAX + 8 * IMAP_LINE_MAX)
#define IMAP_APPEND_MAX UINT64_C(0x7fffffff) /* a message */

#define IMAP_LOGIN_READ_MS (30 * 1000)
#define IMAP_READ_MS (30 * 60 * 1000) /* RFC 9051, 5.4: 30 minutes */
#define IMAP_LITERAL_READ_MS (30 * 1000)
#define IMAP_WRITE_MS (5 * 60 * 1000)

enum imap_read {
	IMAP_READ_OK,
	IMAP_READ_END, /* connection closed or broken */
	IMAP_READ_TIMEOUT,
	IMAP_READ_STOP,   /* this process is to end */
	IMAP_READ_LONG,   /* line over IMAP_LINE_MAX: close */
	IMAP_READ_TOOBIG, /* literals over the limits: BAD [TOOBIG] */
};

enum { IMAP_WAIT_INPUT = 1, IMAP_WAIT_FD = 2 };

struct imap_reader {
	struct conn *conn; /* the caller's */
	struct buf *out;   /* answers, written before waiting; NULL: none */
	struct buf text;   /* the command */
	int timeout_ms;    /* for the next line */
	/* Should the literal behind text be left to imap_reader_literal? NULL:
	 * never. */
	bool (*streams)(struct slice text);
	/* A literal announced and not yet read. */
	bool literal, literal_sync;
	uint64_t literal_size, literal_left;
	bool must_close; /* what follows cannot be told apart from data */
};

void imap_reader_init(struct imap_reader *r, struct conn *conn);
void imap_reader_free(struct imap_reader *r);
/* Give back memory that an idle connection does not need. */
void imap_reader_shrink(struct imap_reader *r);

/*
 * The next command, without its last line end. Good until the next call. If
 * `streams` said so it ends before a literal.
 */
enum imap_read imap_reader_command(struct imap_reader *r, struct slice *text_r);
/* The next line alone, without its line end: DONE, SASL responses. */
enum imap_read imap_reader_line(struct imap_reader *r, struct slice *line_r);

/* ---- a literal that was left ---- */

uint64_t imap_reader_literal_size(const struct imap_reader *r);
/* Ask for it, if the client waits to be asked. */
void imap_reader_continue(struct imap_reader *r);
/* Its next piece; an empty one at its end. */
enum imap_read imap_reader_literal(struct imap_reader *r,
    struct slice *piece_r);
/* The line behind it. If it announces another literal, that one is left. */
enum imap_read imap_reader_rest(struct imap_reader *r, struct slice *line_r);
/* It is not wanted: read on to the end of the command, unless the client waits
 * to be asked. Too much to read sets must_close. */
enum imap_read imap_reader_skip(struct imap_reader *r);

/* ---- waiting and writing ---- */

/* A whole line is here already: answers may wait for those to it. */
bool imap_reader_has_line(const struct imap_reader *r);
/* Write what is in out; -1 when the client is gone, or out was not enough. */
int imap_reader_flush(struct imap_reader *r);
/* Wait for bytes, or for fd or another one (-1: none): IMAP_WAIT_* bits, 0 after
 * timeout_ms or for a signal, -1 the connection is gone. */
int imap_reader_wait(struct imap_reader *r, int fd, int another,
    int timeout_ms);

/* For long work: is the client still there? Waits for nothing. */
enum imap_peer {
	IMAP_PEER_THERE,
	IMAP_PEER_QUIET, /* sends nothing more, may still read */
	IMAP_PEER_GONE,
};
enum imap_peer imap_reader_peer(const struct imap_reader *r);

#endif
