/*
 * threads.c - which thread a message belongs to (mox's rules, RFC 5256's base
 * subjects).
 *
 * The account's table `threads` (lib/db/table.h) has two kinds of keys, with
 * digests instead of what a sender chose, so that all are short:
 *
 *   m HASH(message id)   -> THREAD HASH(base subject)
 *   s HASH(base subject) -> THREAD RECEIVED, of the newest message with it
 *
 * Of rule 3, a reply without references, only the newest message with the
 * subject is looked at, in whatever mailbox: a list of them would grow with
 * the mail.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/sha.h"
#include "message/record.h"
#include "store/store_int.h"

#define HASH 12     /* characters of 6 bits */
#define TAKEN 200   /* entries put under one lock */
#define REFS_MAX 64 /* looked up; a crafted message has thousands */
#define WINDOW_BACK (28 * 86400)
#define WINDOW_AHEAD 86400

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789-_";

struct hash {
	char text[1 + HASH]; /* kind, then the digest */
	uint64_t number;     /* never 0 */
};

static struct slice
key(const struct hash *h)
{
	return slice_of(h->text, sizeof(h->text));
}

static struct hash
make_hash(char kind, struct slice s)
{
	unsigned char digest[SHA_MAX];
	struct hash h = { .number = 0 };

	sha_digest(SHA_256, s, digest);
	h.text[0] = kind;
	for (size_t i = 0; i < HASH; i++)
		h.text[1 + i] = base64url[digest[i] & 63];
	for (size_t i = 0; i < 8; i++)
		h.number = h.number << 8 | digest[16 + i];
	h.number = h.number & INT64_MAX ? h.number & INT64_MAX : 1;
	return h;
}

/* ---- the table ---- */

static bool
begin(struct store *st)
{
	if (st->other)
		return false;
	if (!st->threads &&
	    db_table_open(&st->threads, st->fd, "threads", st->env->file_mode,
		NULL) < 0)
		return false;
	return db_table_begin(st->threads, NULL) == 0;
}

/* The value's number, and what stands behind it. False if there is none. */
static bool
look_up(struct store *st, const struct hash *h, uint64_t *thread_r,
    struct slice *rest_r)
{
	struct slice value, number;

	return db_table_get(st->threads, key(h), &value, NULL) == 1 &&
	    slice_cut(value, ' ', &number, rest_r) &&
	    slice_hex64(number, thread_r) && *thread_r != 0;
}

static void
put_message(struct store *st, const struct hash *id, const struct hash *subject,
    uint64_t thread)
{
	char value[64];
	int n = snprintf(value, sizeof(value), "%" PRIx64 " %.*s", thread, HASH,
	    subject->text + 1);

	db_table_put(st->threads, key(id), slice_of(value, (size_t)n));
}

static void
put_subject(struct store *st, const struct hash *subject, uint64_t thread,
    int64_t received)
{
	char value[64];
	struct slice rest;
	uint64_t other;
	int64_t newest;
	int n;

	if (look_up(st, subject, &other, &rest) && slice_i64(rest, &newest) &&
	    newest > received)
		return;
	n = snprintf(value, sizeof(value), "%" PRIx64 " %" PRId64, thread,
	    received);
	db_table_put(st->threads, key(subject), slice_of(value, (size_t)n));
}

/* ---- the rules ---- */

struct message {
	struct hash id, subject;
	bool has_id, has_subject;
	int64_t received;
	unsigned flags;
	struct slice references;
};

static struct message
describe(struct slice record, int64_t received)
{
	struct slice id = msgrec_text(record, MSGREC_MSGID);
	struct slice subject = msgrec_text(record, MSGREC_SUBJECT_BASE);

	return (struct message){
		.id = make_hash('m', id),
		.subject = make_hash('s', subject),
		.has_id = id.n > 0,
		.has_subject = subject.n > 0,
		.received = received,
		.flags = msgrec_flags(record),
		.references = msgrec_text(record, MSGREC_REFERENCES),
	};
}

/* Rule 2: from the last to the first. */
static bool
by_reference(struct store *st, const struct message *m, uint64_t *thread_r)
{
	struct slice refs = m->references, id, subject;
	struct hash h;
	ssize_t space;

	for (size_t i = 0; i < REFS_MAX && refs.n > 0; i++) {
		space = slice_rchr(refs, ' ');
		id = slice_skip(refs, (size_t)(space + 1));
		refs = slice_head(refs, space < 0 ? 0 : (size_t)space);
		h = make_hash('m', id);
		if (look_up(st, &h, thread_r, &subject) &&
		    (m->flags & MSGREC_DSN ||
			slice_eq(subject, slice_of(m->subject.text + 1, HASH))))
			return true;
	}
	return false;
}

static bool
by_subject(struct store *st, const struct message *m, uint64_t *thread_r)
{
	struct slice rest;
	int64_t received;

	return m->references.n == 0 && m->flags & MSGREC_REPLY &&
	    m->has_subject && look_up(st, &m->subject, thread_r, &rest) &&
	    slice_i64(rest, &received) &&
	    received >= m->received - WINDOW_BACK &&
	    received <= m->received + WINDOW_AHEAD;
}

/* A thread of its own: from the message id, so that it is the same when the
 * table is lost. */
static uint64_t
own_thread(const struct store *st, const struct message *m)
{
	return m->has_id ? m->id.number
			 : 1 + rand_below(st->env->rand, INT64_MAX);
}

/* In the open transaction. */
static void
put(struct store *st, const struct message *m, uint64_t thread)
{
	if (m->has_id)
		put_message(st, &m->id, &m->subject, thread);
	if (m->has_subject)
		put_subject(st, &m->subject, thread, m->received);
}

static uint64_t
assign(struct store *st, struct message *m)
{
	struct slice rest;
	uint64_t thread;

	if (m->has_id && look_up(st, &m->id, &thread, &rest))
		m->has_id = false; /* nothing to enter */
	else if (!by_reference(st, m, &thread) && !by_subject(st, m, &thread))
		thread = own_thread(st, m);
	put(st, m, thread);
	return thread;
}

void
threads_assign_all(struct store *st, struct thread_asked *v, size_t n)
{
	bool begun = begin(st);

	for (size_t i = 0; i < n; i++) {
		struct message m = describe(v[i].record, v[i].received);

		v[i].thread = begun ? assign(st, &m) : own_thread(st, &m);
	}
	if (begun)
		db_table_commit(st->threads, NULL);
}

uint64_t
threads_assign(struct store *st, struct slice record, int64_t received)
{
	struct thread_asked one = { record, received, 0 };

	threads_assign_all(st, &one, 1);
	return one.thread;
}

uint64_t
threads_assign_anew(struct store *st, struct slice record,
    const struct store_msg *msg, bool late)
{
	struct message m = describe(record, msg->received);
	struct slice emailid = slice_of(msg->emailid, STORE_EMAILID), rest;
	uint64_t thread,
	    own = m.has_id ? m.id.number : make_hash('e', emailid).number;

	if (!begin(st))
		return own;
	if (!(late && by_reference(st, &m, &thread)) &&
	    !(m.has_id && look_up(st, &m.id, &thread, &rest)) &&
	    !by_reference(st, &m, &thread) && !by_subject(st, &m, &thread))
		thread = own;
	put(st, &m, thread);
	db_table_commit(st->threads, NULL);
	return thread;
}

void
threads_enter(struct store *st, struct slice record, uint64_t thread,
    int64_t received)
{
	struct message m = describe(record, received);

	if (!begin(st))
		return;
	put(st, &m, thread);
	db_table_commit(st->threads, NULL);
}

int
threads_take(struct store *st, struct db_table *from, struct err *e)
{
	struct db_table_iter it = DB_TABLE_ITER;
	struct slice k, value;
	bool more = true;

	for (uint64_t done = 0; more;) {
		if (!begin(st))
			return err_set(e, ERR_TEMP, "table of threads");
		for (size_t i = 0;
		     i < TAKEN && (more = db_table_next(from, &it, &k, &value));
		     i++, done++)
			db_table_put(st->threads, k, value);
		if (db_table_commit(st->threads, e) < 0 ||
		    store_progress(st, done, done, e) < 0)
			return -1;
		threads_tidy(st);
	}
	return 0;
}

void
threads_tidy(struct store *st)
{
	if (st->threads)
		db_table_tidy(st->threads, NULL);
}
