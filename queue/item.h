/*
 * item - one recipient of a queued message: a text file of keys and values
 * that is appended to (README, "An envelope, and an item").
 */
#ifndef QUEUE_ITEM_H
#define QUEUE_ITEM_H

#include "base/buf.h"
#include "base/scan.h"
#include "net/addr.h"
#include "queue/queue.h"

#define ITEM_MAX (256 * 1024) /* bytes of an item; more is no item of ours */
#define ENVELOPE_MAX (8 * 1024 * 1024) /* 10,000 recipients fit */

#define QUEUE_BACKOFF_S 450 /* after the first failure; doubled by each */
#define QUEUE_ATTEMPTS 8    /* then it has failed, unless it says otherwise */

/* How the last attempt, or the whole, ended. */
enum item_state {
	ITEM_WAITING, /* no attempt yet, or delayed */
	ITEM_TRYING,  /* an attempt has begun */
	ITEM_DELIVERED,
	ITEM_FAILED,
	ITEM_CANCELED, /* is to fail: an administrator said so */
	ITEM_DROPPED,  /* is to go without a word */
};

/* Bits of struct item.told. */
enum { ITEM_TOLD_FAILURE = 1, ITEM_TOLD_DELAY = 2, ITEM_TOLD_SUCCESS = 4 };

/* One line `delivered`, `delayed`, `failed` or `lost`. */
struct item_attempt {
	int64_t us;
	struct slice result; /* the first word of the line */
	struct slice host;   /* empty if there was none */
	struct slice text;
};

/* One line `dialed`: an address that did not take it. */
struct item_dialed {
	struct slice host;
	struct ip ip;
};

struct item {
	struct queue_message m; /* nrcpts is 1 for an item; strings in the arena
				 * or the text it was parsed from */
	struct queue_rcpt rcpt; /* m.rcpts of an item points here */
	int64_t queued_us;
	uint64_t size;   /* octets on the wire */
	uint64_t offset; /* of the message in its file */
	bool verbatim;
	enum item_state state;
	unsigned tries; /* attempts that ended: `delayed` and `lost` */
	unsigned told;
	int64_t next_us; /* of the last `next` line */
	struct item_attempt *attempts;
	size_t nattempts;
	struct item_attempt last; /* of those; result empty: none */
	struct item_dialed *dialed;
	size_t ndialed;
};

/*
 * Parse the text of an item, or of an envelope up to its empty line (then
 * nrcpts may be more, and *message_r is where the message begins). 0, or -1
 * with e (ERR_SYNTAX: what is wrong with which line).
 */
int item_parse(struct slice text, struct arena *arena, struct item *it,
    struct err *e);
int item_parse_envelope(struct slice text, struct arena *arena, struct item *it,
    size_t *message_r, struct err *e);

/* Read and parse dirfd/name. 1, 0 it is not there (any more), -1. */
int item_read(int dirfd, const char *name, struct arena *arena, struct item *it,
    struct err *e);
/* The same for an envelope; reads no more of the message than it must. */
int item_read_envelope(int dirfd, const char *name, struct arena *arena,
    struct item *it, struct err *e);

/* The item ID.1 of an envelope ID with one recipient, as long as it has no file
 * of its own. 1, 0 there is no such envelope, -1. */
int item_read_inside(int dirfd, struct slice name, struct arena *arena,
    struct item *it, struct err *e);

/* The first lines of an envelope (with its empty line); of the item of
 * recipient n (from 0) of an envelope. */
void item_write_envelope(struct buf *out, const struct item *it);
void item_write(struct buf *out, const struct item *it, size_t n);

/*
 * Append one line `WORD TIME rest`, from the format without LF, to the open
 * item fd (O_APPEND or not; written at its end, in one write). Control
 * characters become spaces. Not synced. 0, or -1 with e.
 */
int item_append(int fd, const char *word, int64_t us, struct err *e,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same for a line without time: `transport NAME`, `requiretls no`. */
int item_set(int fd, const char *key, struct slice value, struct err *e);

/* When it is given up if nothing but delays comes, about. */
int64_t item_expires_us(const struct item *it);

/* Open an item for reading and appending. 1, 0 it is gone, -1. */
int item_open(int dirfd, const char *name, int *fd_r, struct err *e);

#endif
