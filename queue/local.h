/*
 * local - what mox-local knows: items of one message are delivered to
 * accounts of this host (local_send.c), or their sender is told (local_tell.c).
 *
 * Works in active/RUNNER/ by the lines that README describes. The message is
 * parsed by a child that may do nothing else (local_parse.c).
 */
#ifndef QUEUE_LOCAL_H
#define QUEUE_LOCAL_H

#include "host/deliver.h"
#include "queue/group.h"

struct local {
	struct host host;
	struct deliver *deliver;
	struct group group;
	struct queue queue; /* for what goes on, and notifications that leave */
	int parser;         /* socket to the parser */
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

/* Fork the parser, jailed; in the parent *fd_r is the socket to it. */
int local_parser_start(int *fd_r, struct err *e);
/* The record of what is spooled. 0, or -1: the parser is gone for good. */
int local_parse(struct local *l, struct spool *spool, struct buf *record,
    struct err *e);

/* ---- local_forward.c ---- */

/* Has this address passed the message on before, or have too many? */
bool local_has_passed(const struct item *it, struct slice forwarder);
/* NOTIFY of a recipient for whom the message goes on; last: to one address, and
 * nothing is kept. */
unsigned local_notify(unsigned notify, bool last);
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
