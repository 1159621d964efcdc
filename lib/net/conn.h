/*
 * conn - one connection: buffered reading and writing with deadlines, over
 * plain descriptors or TLS.
 *
 * The read buffer is looked at in place: conn_line and conn_fill give slices
 * of it, conn_consume passes over what was used. Writes gather in a buffer
 * until conn_flush, or until it is full. Reading and writing fail apart, and
 * the first failure of each sticks (but for a read that timed out): a sequence
 * of conn_write needs one test, at its conn_flush, and a client that timed out
 * or ended can still be told something.
 *
 * A connection that waits for longer than a second gives back what memory it
 * can. All calls block, for at most the deadline, except where noted. Works in
 * the jail of a front. Depends on lib/base and net/tls.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <signal.h>

#include "base/err.h"
#include "base/slice.h"
#include "net/tls.h"
#include "net/tls_client.h"

struct conn;

enum conn_status {
	CONN_OK,
	CONN_EOF,      /* the peer is done: no (whole) line follows */
	CONN_TIMEOUT,  /* deadline passed; a read may be tried again */
	CONN_TOO_LONG, /* the line is longer than allowed; not sticky */
	CONN_STOP,     /* this process is to end; writing still works */
	CONN_AGAIN,    /* conn_try_*: not without waiting; not sticky */
	CONN_ERROR,    /* reset, TLS failure, ...: conn_error says */
};

/* Longest line, and most that conn_fill can be asked for. */
#define CONN_BUFFER (32 * 1024)

/* Read and write descriptors, usually the same; they become non-blocking.
 * They are the caller's and not closed by conn_free. */
struct conn *conn_new(int read_fd, int write_fd);
void conn_free(struct conn **c);

/* Deadlines in ms of one call: for a whole line, or all that conn_fill asks
 * for, to come; for a flush. 30 s at first. */
void conn_set_read_ms(struct conn *c, int ms);
void conn_set_write_ms(struct conn *c, int ms);
/* Every wait ends at mono_ms (clock_mono_ms) at the latest, as at its own
 * deadline; 0: no such end. */
void conn_set_end_ms(struct conn *c, int64_t mono_ms);
/*
 * *stop is not 0 when this process is to end, and grows; signals interrupt
 * waits. From 1 on, conn_line gives CONN_STOP instead of waiting for a command
 * that has not begun; from CONN_STOP_ALL on every wait to read does.
 */
#define CONN_STOP_ALL 8
void conn_set_stop(struct conn *c, const volatile sig_atomic_t *stop);
/*
 * For clients that misbehave, as after the 3rd failed login:
 * a second of sleep before each read, a byte a second of each write until 5 s
 * of its deadline are left, then the rest in one piece.
 */
void conn_set_slow(struct conn *c, bool slow);
/* Called once in each wait that lasts longer than a second; NULL for none. */
void conn_set_idle(struct conn *c, void (*idle)(void *ctx), void *ctx);

/* ---- reading ---- */

/*
 * The next line, without its LF or CRLF, passed over; *bare_r (may be NULL)
 * says that there was no CR. Valid until the next read. TOO_LONG: no line end
 * within max bytes (line end not counted; max <= CONN_BUFFER - 2); nothing is
 * passed over.
 */
enum conn_status conn_line(struct conn *c, size_t max, struct slice *line_r,
    bool *bare_r);
/* Wait until at least n bytes are buffered, n <= CONN_BUFFER. */
enum conn_status conn_fill(struct conn *c, size_t n);
/* What is buffered. Valid until the next read. */
struct slice conn_buffered(const struct conn *c);
void conn_consume(struct conn *c, size_t n);
/* A whole further line is here already: an answer may wait for its answer. */
bool conn_has_line(const struct conn *c);
/* Would a read give something without waiting? Poll only if not: what is
 * buffered, perhaps compressed, no descriptor tells. */
bool conn_pending(const struct conn *c);
/* Put bytes in front of what is buffered: what another process had read.
 * False if there is no room. */
bool conn_unread(struct conn *c, struct slice bytes);

/* ---- writing ---- */

void conn_write(struct conn *c, struct slice s);
void conn_writez(struct conn *c, const char *cstr);
void conn_writef(struct conn *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum conn_status conn_flush(struct conn *c);

/* ---- TLS ---- */

/*
 * Be the server of a TLS handshake, for at most ms. ERROR when bytes are
 * buffered already: what was sent in the clear must never count as sent under
 * TLS (CVE-2011-0411). What is to be said before goes through conn_flush.
 */
enum conn_status conn_tls_accept(struct conn *c, struct tls_server *tls,
    int ms);
/*
 * Be the client of one. A peer that is not whom expect says is a failure, and
 * so are bytes that are buffered already. OK, or as conn_tls_accept.
 */
enum conn_status conn_tls_connect(struct conn *c, struct tls_client *tls,
    const struct tls_expect *expect, int ms);
/* What a client found wrong with its peer, also after a handshake that failed:
 * tls_client_failure; conn_error where that has no text. */
enum tls_failure conn_tls_failure(const struct conn *c, char *text,
    size_t size);
/* The record that verified the peer: tls_client_match. */
bool conn_tls_match(const struct conn *c, struct tls_tlsa *tlsa_r);
bool conn_is_tls(const struct conn *c);
/* Facts of the session: NULL before a handshake. */
const struct tls_facts *conn_tls_facts(const struct conn *c);
/* Tell the peer that nothing follows (close_notify, then end of sending). It
 * may go on, and be read. Waits for nothing. */
void conn_end_write(struct conn *c);
/* The same, and pass over what it said: the connection is to be closed. */
void conn_shutdown(struct conn *c);

/* ---- compression ---- */

/*
 * From here on both directions are raw DEFLATE (RFC 1951), inside TLS if there
 * is TLS; what is to be said before goes through conn_flush. Once only. Not for
 * conn_try_*, which read and write what is there.
 */
void conn_deflate(struct conn *c);
bool conn_is_deflated(const struct conn *c);
/*
 * The peer compresses no more after the line that was read last: wait for the end
 * of that, for at most ms. What follows is plain, and conn_buffered has what came of
 * it; nothing more can be read here. ERROR if it said something else before.
 */
enum conn_status conn_inflate_end(struct conn *c, int ms);
/* text, as the last that is said compressed, appended to out: for who goes on with
 * this connection. Here nothing is said. */
void conn_deflate_last(const struct conn *c, struct slice text,
    struct buf *out);

/* ---- for loops of one's own: these do not wait ---- */

/* Read at most n bytes, past the buffer, which must be empty. EOF, AGAIN,
 * ERROR or OK with *n_r > 0. AGAIN: poll for conn_poll_*. */
enum conn_status conn_try_read(struct conn *c, char *p, size_t n, size_t *n_r);
/* Write part of s. After AGAIN the same bytes must come again. */
enum conn_status conn_try_write(struct conn *c, struct slice s, size_t *n_r);
int conn_read_fd(const struct conn *c);
/* What the last AGAIN of each waits for: POLLIN or POLLOUT. */
short conn_read_events(const struct conn *c);
short conn_write_events(const struct conn *c);

/* ---- facts ---- */

/* Why it failed first: empty if nothing did. */
const char *conn_error(const struct conn *c);
uint64_t conn_bytes_in(const struct conn *c); /* inside TLS */
uint64_t conn_bytes_out(const struct conn *c);

#endif
