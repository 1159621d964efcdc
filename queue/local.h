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
#include "queue/item.h"

struct local {
	struct host host;
	struct deliver *deliver;
	int queue_fd; /* data/queue */
	int dir;      /* active/RUNNER in it */
	int parser;   /* socket to the parser */
	bool localserve;
	struct arena *arena; /* of one group */
};

/* An item of the group, open. */
struct local_item {
	struct slice name;
	int fd;
	struct item it;
};

/* ---- local_message.c ---- */

/* Open and parse those of the items named that are still there. *items_r is
 * in l->arena; to be given to local_close. */
size_t local_open(struct local *l, struct slice names,
    struct local_item **items_r);
void local_close(struct local_item *items, size_t n);

/* Append a line to an item. For a result: also say it on stdout. */
void local_append(struct local *l, const struct local_item *item,
    const char *word, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void local_result(struct local *l, const struct local_item *item,
    const char *word, struct slice text);

/* The message of an item, read in wire form, in pieces. */
struct local_reader;
/* 1, 0 its file is gone, -1. */
int local_reader_open(struct local *l, const struct local_item *item,
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

/* ---- for each kind of group; only the parser's death is an error ---- */

int local_send(struct local *l, struct slice names, struct err *e);
/* kind: failure, delay, success. */
int local_tell(struct local *l, struct slice kind, struct slice names,
    struct err *e);

#endif
