/*
 * queue - the folders of outgoing mail, and adding a message to them.
 *
 * The only way in: smtpd, httpd and tools fill in a struct queue_message and
 * call queue_add. README has the files and every state of them.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/rand.h"
#include "store/spool.h"

#define QUEUE_ID 18           /* characters of an ID */
#define QUEUE_ITEM_NAME 32    /* room for ID.N and a NUL */
#define QUEUE_VIA_MAX 100     /* more is a loop */
#define QUEUE_BUCKET 16       /* room for 20261130T1504Z and a NUL */
#define QUEUE_RCPTS_MAX 10000 /* of one message: N has up to 5 digits */
#define QUEUE_TOPIC "queue"   /* of log lines; also watched: run/watch/queue */

struct queue {
	int fd;     /* data/queue */
	int run_fd; /* for poking, -1: nobody is poked */
	const struct clock *clock;
	struct rand *rand;
};

/* Open data/queue below data_fd, making what is missing of it. run_fd, clock
 * and rand stay the caller's. 0, or -1 with e. */
int queue_open(struct queue *q, int data_fd, int run_fd,
    const struct clock *clock, struct rand *rand, struct err *e);
void queue_close(struct queue *q);

/* RFC 3461, 4.1 NOTIFY, bits; 0: not given. */
enum {
	QUEUE_NOTIFY_NEVER = 1,
	QUEUE_NOTIFY_SUCCESS = 2,
	QUEUE_NOTIFY_FAILURE = 4,
	QUEUE_NOTIFY_DELAY = 8,
};
enum queue_ret { QUEUE_RET_NONE, QUEUE_RET_FULL, QUEUE_RET_HDRS };
/* RFC 8689: REQUIRETLS; "TLS-Required: No". */
enum queue_tls { QUEUE_TLS_DEFAULT, QUEUE_TLS_YES, QUEUE_TLS_NO };

struct queue_rcpt {
	struct slice to; /* localpart@domain, quoted where needed */
	unsigned notify;
	struct slice orcpt;
	struct slice fromid;
	/* Delivered already, here: there is only the sender to be told, as
	 * notify says. "delivered TEXT", or "expanded TEXT" for several who
	 * have it now (RFC 3464, 2.3.3); TEXT as an SMTP reply. */
	struct slice done;
};

struct queue_pair {
	struct slice key, value;
};

/* What is known of a message besides its bytes. Strings without control
 * characters; those that have some get spaces in their place. */
struct queue_message {
	struct slice account;
	struct slice from; /* empty: <> */
	/* Mail passed on: whom notifications are for, in place of the account;
	 * and who has passed it on: where it must not come to again. */
	struct slice bounce;
	const struct slice *via;
	size_t nvia; /* at most QUEUE_VIA_MAX */
	const struct queue_rcpt *rcpts;
	size_t nrcpts; /* 1 or more */
	bool utf8, eightbit, report;
	enum queue_tls requiretls;
	enum queue_ret ret;
	struct slice envid, source, msgid, subject, transport;
	int64_t until_us;  /* 0: at once */
	unsigned attempts; /* 0: as usual */
	const struct queue_pair *extra;
	size_t nextra;
};

/*
 * Put the message into the queue: prefix (header lines in wire form, may be
 * empty) and then what spool has. Durable when it returns 0, and the runner is
 * poked; id_r (QUEUE_ID + 1 bytes, may be NULL) is its ID. -1 with e: ERR_TEMP
 * when the disk is full or fails (nothing was queued), ERR_LIMIT for too many
 * recipients.
 */
int queue_add(struct queue *q, const struct queue_message *m,
    struct spool *spool, struct slice prefix, char *id_r, struct err *e);

/* ---- names ---- */

/* A new ID. */
void queue_new_id(const struct queue *q, char id[QUEUE_ID + 1]);
/* ID of an item or envelope name, N of an item (0: an envelope). False: the
 * name is neither. */
bool queue_name(struct slice name, struct slice *id_r, unsigned *n_r);
/* "msg/NN/ID.N" of an item's name. */
struct slice queue_message_path(struct arena *arena, struct slice item);
/* The bucket of a time: rounded up to the minute. */
void queue_bucket(int64_t us, char bucket[QUEUE_BUCKET]);
/* The time a bucket is due, 0 for "now"; false if it is no bucket. */
bool queue_bucket_time(struct slice bucket, int64_t *us_r);

/*
 * NOTIFY of a recipient for whom mail goes on to another address; last: to that
 * alone. Else who passes it on tells that it arrived (RFC 3461, 5.2.7.2 and
 * 5.2.7.3), and nobody behind does.
 */
unsigned queue_notify_on(unsigned notify, bool last);
/* The domain of an address, what follows its last @. */
struct slice queue_domain(struct slice address);
/* Wake the runner. */
void queue_poke(const struct queue *q);

#endif
