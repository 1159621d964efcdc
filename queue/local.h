/*
 * local - what mox-local knows: items of one message are delivered to
 * accounts of this host (local_send.c), or their sender is told (local_tell.c).
 *
 * Works in active/RUNNER/ by the lines that README describes. The message is
 * parsed by a child that may do nothing else (local_parse.c); another one has
 * keys (local_sign.c).
 */
#ifndef QUEUE_LOCAL_H
#define QUEUE_LOCAL_H

#include "host/deliver.h"
#include "host/host_sign.h"
#include "queue/group.h"

/* Signing with keys that another process has. */
struct local_signing {
	struct host_signers signers; /* here with public keys; n 0: none */
	int fd;                      /* to the signer */
};

struct local {
	struct host host;
	struct deliver *deliver;
	struct group group;
	struct queue queue; /* for what goes on, and notifications that leave */
	struct local_signing signing;
	int parser; /* socket to the parser */
	bool localserve;
};

/* ---- local_message.c ---- */

/* The message of an item, read in wire form, in pieces. */
struct local_reader;
/* 1, 0 its file is gone, -1. */
int local_reader_open(struct local *l, const struct group_item *items, size_t n,
    struct local_reader **r_r, struct err *e);
/* 1 a piece, valid until the next call; 0 the end; -1. */
int local_read(void *reader, struct slice *wire_r, struct err *e);
void local_reader_close(struct local_reader **r);

/* ---- local_parse.c ---- */

/* Fork a child that runs with a socket, jailed, having nothing else; in the
 * parent *fd_r is the other end. run returns to end it. */
int local_child_start(void (*run)(void *ctx, int fd), void *ctx, int *fd_r,
    struct err *e);
/* Exactly n bytes. 1, 0 the other end is gone, -1. */
int local_receive(int fd, void *p, size_t n, struct err *e);
/* Fork the parser; *fd_r is the socket to it. */
int local_parser_start(int *fd_r, struct err *e);
/* The record of what is spooled. 0, or -1: the parser is gone for good. */
int local_parse(struct local *l, struct spool *spool, struct buf *record,
    struct err *e);

/* ---- local_sign.c ---- */

/* Load the keys that the domain of the host signs with, and give them to a
 * child. To be called before anything of others is read. 0, or -1 with e. */
int local_signing_start(struct local_signing *s, struct host *h,
    struct arena *arena, struct err *e);
/* Append the DKIM-Signature fields for what is spooled; none without keys. 0,
 * or -1 with e. */
int local_sign(struct local *l, struct spool *spool, struct buf *out,
    struct err *e);

/* ---- local_forward.c ---- */

/* Has this address passed the message on before, or have too many? */
bool local_has_passed(const struct item *it, struct slice forwarder);
/* Into the queue for the addresses that the account of t forwards to, durable.
 * 0, or -1 with e. */
int local_pass_on(struct local *l, struct spool *spool,
    const struct group_item *item, const struct deliver_target *t,
    struct err *e);

/* ---- for each kind of group; only the parser's death is an error ---- */

int local_send(struct local *l, struct slice names, struct err *e);
/* kind: failure, delay, success. */
int local_tell(struct local *l, struct slice kind, struct slice names,
    struct err *e);

#endif
