/*
 * sizes.c - RFC822.SIZE of files that others put there, whose names do not say
 * it: the line ends in them are counted when somebody asks.
 *
 * Of a walk through the mailbox the next messages are measured too, twice as
 * many each time, so that there is one lock, one line and one write for many.
 */
#include <stdlib.h>
#include <unistd.h>

#include "store/index.h"

/* Measured at once, but not many more bytes than that. */
#define SIZES_MAX 256u
#define SIZES_BYTES (8u << 20)

struct sizes {
	struct line v[SIZES_MAX];
	uint32_t n;
	uint64_t bytes;
};

uint32_t
walk_step(struct walk *w, uint32_t pos, uint32_t max)
{
	if (pos != w->to || w->ahead == 0)
		w->ahead = 1;
	else if (w->ahead < max)
		w->ahead *= 2;
	return w->ahead;
}

/* 1, 0 it is gone, -1. */
static int
measure(struct mailbox *mb, uint32_t uid, struct sizes *s, struct err *e)
{
	struct line *l = &s->v[s->n];
	uint64_t size;
	bool mixed;
	int fd, rc = message_open(mb, uid, &fd, e);

	if (rc != 1)
		return rc;
	*l = (struct line){ .type = 's', .record = { .msg = { .uid = uid } } };
	rc = message_measure(fd, &size, &l->record.msg.wire_size, &mixed, e);
	close(fd);
	if (rc != 0)
		return -1;
	l->record.bits = mixed ? RECORD_MIXED : 0;
	s->bytes += size;
	s->n++;
	return 1;
}

/* What cannot be written is at least known to this process. */
static void
remember(struct mailbox *mb, const struct sizes *s)
{
	struct lines ls = LINES_INIT;
	int rc;

	if (s->n == 0)
		return;
	rc = mb->readonly ? -1 : index_lock(mb, NULL);
	for (uint32_t i = 0; i < s->n; i++)
		lines_add(&ls, &s->v[i]);
	if (rc == 0) {
		rc = index_append(mb, &ls, NULL);
		index_unlock(mb);
	}
	lines_free(&ls);
	for (uint32_t i = 0; i < s->n && rc != 0; i++)
		index_apply(mb, &s->v[i]);
}

/* Those behind a message that are not known either, up to one that is, or that
 * cannot be read. Returns the UID of the last. */
static uint32_t
measure_ahead(struct mailbox *mb, uint32_t uid, uint32_t max, struct sizes *s)
{
	const struct index *ix = &mb->ix;
	uint32_t last = uid;

	while (s->n < max && s->bytes < SIZES_BYTES) {
		/* Opening a file may take in a fold. */
		uint32_t pos = index_from(ix, uid + 1);
		const struct record *r;

		if (pos == index_end(ix))
			break;
		r = index_at(ix, pos);
		uid = r->msg.uid;
		if (!record_live(r))
			continue;
		if (!record_unmeasured(r) || measure(mb, uid, s, NULL) != 1)
			break;
		last = uid;
	}
	return last;
}

static int
measure_some(struct mailbox *mb, uint32_t uid, uint64_t *size_r, struct err *e)
{
	struct sizes *s = xcalloc(1, sizeof(*s));
	uint32_t pos = index_from(&mb->ix, uid);
	uint32_t max = mb->readonly ? 1 : walk_step(&mb->sized, pos, SIZES_MAX);
	int rc = measure(mb, uid, s, e);

	if (rc == 1) {
		uid = measure_ahead(mb, uid, max, s);
		*size_r = s->v[0].record.msg.wire_size;
		remember(mb, s);
		mb->sized.to = index_from(&mb->ix, uid) + 1;
	}
	free(s);
	return rc;
}

int
mailbox_wire_size(struct mailbox *mb, const struct store_msg *m,
    uint64_t *size_r, struct err *e)
{
	const struct record *r = record_of_msg(mb, m);

	if (r == NULL)
		return 0;
	if (record_unmeasured(r))
		return measure_some(mb, r->msg.uid, size_r, e);
	*size_r = r->msg.wire_size;
	return 1;
}

/* The first of those not known with a UID from this on; 0: none. */
static uint32_t
next_unmeasured(const struct index *ix, uint32_t uid)
{
	for (uint32_t pos = index_from(ix, uid); pos < index_end(ix); pos++) {
		const struct record *r = index_at(ix, pos);

		if (record_live(r) && record_unmeasured(r))
			return r->msg.uid;
	}
	return 0;
}

int
mailbox_measure(struct mailbox *mb, struct err *e)
{
	uint64_t done = 0, all = mb->ix.unmeasured;
	uint32_t uid = all > 0 ? next_unmeasured(&mb->ix, 0) : 0;
	struct sizes *s;
	int rc = 0;

	if (uid == 0)
		return 0;
	s = xcalloc(1, sizeof(*s));
	while (uid != 0 && rc == 0) {
		s->n = 0;
		s->bytes = 0;
		do {
			measure(mb, uid, s, NULL);
			uid = next_unmeasured(&mb->ix, uid + 1);
		} while (uid != 0 && s->n < SIZES_MAX &&
		    s->bytes < SIZES_BYTES);
		remember(mb, s);
		done += s->n;
		rc = store_progress(mb->st, done < all ? done : all, all, e);
	}
	free(s);
	return rc;
}
