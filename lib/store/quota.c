/*
 * quota.c - maildirsize, the quota file of Maildir++.
 *
 *   LIMITS         e.g. 1000000S,500C: bytes, messages
 *   BYTES COUNT    what was there when the file was written
 *   BYTES COUNT    a change each, appended; negative when removed
 *
 * Everybody appends without a lock, and writes it anew when it has grown.
 * What is appended just then is lost, and foreign programs that know nothing
 * of quotas append nothing; the next writing mends both.
 *
 * Who adds to a mailbox of another account (share.h) cannot reach that file:
 * BYTES COUNT lines of theirs go to shared/added in the account's folder, count
 * as if they were here, and are gone when it is written anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "db/newfile.h"
#include "store/store_int.h"

#define FILE_NAME "maildirsize"
#define GROWN 5120         /* bytes; the format's own number */
#define STALE_S (15 * 60)  /* a refusal needs figures younger than this */
#define FILE_MAX (1 << 20) /* somebody else's, never written anew */
#define NOTES SHARED_NOTES "/added"
#define NOTES_MAX (FILE_MAX / 2) /* then it is left to the next writing anew */

/* ---- reading ---- */

static uint64_t
parse_limits(struct slice limits)
{
	struct slice field;
	uint64_t v, bytes = 0;

	while (slice_next(&limits, ',', &field)) {
		if (field.n > 1 && field.p[field.n - 1] == 'S' &&
		    slice_u64(slice_head(field, field.n - 1), &v))
			bytes = v;
	}
	return bytes;
}

/* Courier pads with spaces. */
static bool
parse_line(struct slice line, int64_t *bytes_r, int64_t *count_r)
{
	struct slice bytes, count;

	line = slice_trim(line);
	slice_cut(line, ' ', &bytes, &count);
	return slice_i64(bytes, bytes_r) &&
	    slice_i64(slice_trim(count), count_r);
}

/* Lines of changes. */
struct sums {
	int64_t bytes, count;
	size_t lines;
};

static bool
add_lines(struct slice text, struct sums *s)
{
	struct slice line;
	int64_t bytes, count;

	for (; slice_line(&text, &line); s->lines++) {
		if (!parse_line(line, &bytes, &count) ||
		    __builtin_add_overflow(s->bytes, bytes, &s->bytes) ||
		    __builtin_add_overflow(s->count, count, &s->count))
			return false;
	}
	return true;
}

static bool
parse(struct slice text, struct quota *q, struct sums *s)
{
	struct slice line;

	*q = (struct quota){ 0 };
	*s = (struct sums){ 0 };
	if (!slice_line(&text, &line))
		return false;
	q->limit = parse_limits(line);
	return add_lines(text, s) && s->lines > 0;
}

/* Notes of others; what makes no sense is left out. */
static void
add_notes(struct store *st, struct sums *s)
{
	struct buf b = BUF_INIT(FILE_MAX);
	struct sums all = *s;

	if (file_read(st->fd, NOTES, &b, NULL) == 1 &&
	    add_lines(buf_slice(&b), &all))
		*s = all;
	buf_free(&b);
}

static uint64_t
at_least_0(int64_t v)
{
	return v > 0 ? (uint64_t)v : 0;
}

int
quota_read(struct store *st, struct quota *q, struct err *e)
{
	struct buf b = BUF_INIT(FILE_MAX);
	struct sums sums;
	struct stat s;
	int rc = file_read(st->maildir_fd, FILE_NAME, &b, e);

	if (rc == 1 && !parse(buf_slice(&b), q, &sums))
		rc = 0;
	if (rc == 1) {
		add_notes(st, &sums);
		q->bytes = at_least_0(sums.bytes);
		q->count = at_least_0(sums.count);
		q->lines = sums.lines;
	}
	if (rc == 1 && fstatat(st->maildir_fd, FILE_NAME, &s, 0) == 0)
		q->age_s = clock_s(st->env->clock) - s.st_mtime;
	buf_free(&b);
	return rc;
}

uint64_t
quota_own(struct store *st)
{
	struct buf b = BUF_INIT(FILE_MAX);
	struct quota q;
	struct sums s = { 0 };
	bool good = file_read(st->maildir_fd, FILE_NAME, &b, NULL) == 1 &&
	    parse(buf_slice(&b), &q, &s);

	buf_free(&b);
	return good ? at_least_0(s.bytes) : 0;
}

/* ---- writing anew ---- */

static int
totals(struct store *st, struct quota *q, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct mailbox_folder *v;
	uint64_t count, bytes;
	size_t n;
	int rc = list_folders(st, arena, &v, &n, e);

	*q = (struct quota){ .limit = st->quota, .lines = 1 };
	for (size_t i = 0; rc >= 0 && i <= n; i++) {
		count = bytes = 0;
		rc = index_totals(st, i < n ? v[i].name : SLICE("Inbox"),
		    &count, &bytes, e);
		q->count += count;
		q->bytes += bytes;
	}
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

int
quota_rebuild(struct store *st, uint64_t limit, struct err *e)
{
	struct quota q;
	char text[100];

	/* First: what is added from here on may count twice, not never. */
	if (db_unlink(st->fd, NOTES, e) < 0 || totals(st, &q, e) < 0)
		return -1;
	snprintf(text, sizeof(text), "%" PRIu64 "S\n%" PRIu64 " %" PRIu64 "\n",
	    limit, q.bytes, q.count);
	return db_write_file(st->maildir_fd, FILE_NAME, slice_str(text),
	    st->env->file_mode, e);
}

int
quota_recount(struct store *st, struct quota *was_r, struct quota *is_r,
    struct err *e)
{
	int rc;

	*was_r = *is_r = (struct quota){ 0 };
	if (faccessat(st->maildir_fd, FILE_NAME, F_OK, 0) != 0)
		return 0;
	rc = quota_read(st, was_r, e);
	if (rc < 0 || totals(st, is_r, e) < 0)
		return -1;
	if (rc == 1 && was_r->bytes == is_r->bytes &&
	    was_r->count == is_r->count)
		return 0;
	return quota_rebuild(st, was_r->limit ? was_r->limit : st->quota, e) ==
		0
	    ? 1
	    : -1;
}

/* The figures, after writing them anew if they are not for our limit. */
static int
current(struct store *st, struct quota *q, struct err *e)
{
	int rc = quota_read(st, q, e);

	if (rc == 1 && q->limit == st->quota)
		return 0;
	if (quota_rebuild(st, st->quota, e) < 0)
		return -1;
	rc = quota_read(st, q, e);
	if (rc == 0)
		return err_set(e, ERR_TEMP, "maildirsize is gone");
	return rc < 0 ? -1 : 0;
}

/* ---- for the store ---- */

static bool
fits(const struct quota *q, uint64_t bytes)
{
	return bytes <= q->limit && q->bytes <= q->limit - bytes;
}

/*
 * Of an account that was opened by another one: what it had then, and what
 * others noted since. Fewer notes than before: the file was written anew, and
 * has them.
 */
static uint64_t
used_of_other(struct store *st)
{
	struct sums s = { 0 };
	uint64_t noted;

	add_notes(st, &s);
	noted = at_least_0(s.bytes);
	if (noted < st->other_noted)
		st->other_used += st->other_noted;
	st->other_noted = noted;
	return st->other_used + noted;
}

enum store_code
store_quota_check(struct store *st, uint64_t bytes, struct err *e)
{
	struct quota q = { 0 };

	if (st->quota == 0)
		return STORE_OK;
	if (st->other) {
		q = (struct quota){ .limit = st->quota,
			.bytes = used_of_other(st) };
		return fits(&q, bytes) ? STORE_OK : STORE_OVERQUOTA;
	}
	if (current(st, &q, e) < 0)
		return STORE_FAILED;
	if (!fits(&q, bytes) && (q.lines > 1 || q.age_s > STALE_S) &&
	    (quota_rebuild(st, st->quota, e) < 0 || current(st, &q, e) < 0))
		return STORE_FAILED;
	return fits(&q, bytes) ? STORE_OK : STORE_OVERQUOTA;
}

void
quota_add(struct store *st, int64_t bytes, int64_t count)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC;
	struct stat s;
	char line[50];
	int fd, n;

	if ((bytes == 0 && count == 0) || (st->other && st->quota == 0))
		return;
	fd = st->other
	    ? openat(st->fd, NOTES, flags | O_CREAT, st->env->file_mode)
	    : openat(st->maildir_fd, FILE_NAME, flags);
	if (fd < 0)
		return;
	if (st->other && (fstat(fd, &s) != 0 || s.st_size > NOTES_MAX)) {
		close(fd);
		return;
	}
	n = snprintf(line, sizeof(line), "%" PRId64 " %" PRId64 "\n", bytes,
	    count);
	file_write(fd, slice_of(line, (size_t)n), NULL);
	close(fd);
}

void
quota_tidy(struct store *st)
{
	struct quota q = { 0 };
	struct stat s;

	if (st->other || fstatat(st->maildir_fd, FILE_NAME, &s, 0) != 0 ||
	    (s.st_size <= GROWN &&
		(fstatat(st->fd, NOTES, &s, 0) != 0 || s.st_size <= GROWN)))
		return;
	/* Not every program is told the limit. */
	if (st->quota == 0 && quota_read(st, &q, NULL) == 1)
		quota_rebuild(st, q.limit, NULL);
	else
		quota_rebuild(st, st->quota, NULL);
}

int
store_quota_used(struct store *st, uint64_t *bytes_r, uint64_t *count_r,
    struct err *e)
{
	struct quota q = { 0 };
	int rc;

	if (st->other) {
		*bytes_r = used_of_other(st);
		*count_r = 0;
		return 0;
	}
	rc = st->quota > 0 ? current(st, &q, e) : totals(st, &q, e);

	if (rc < 0)
		return -1;
	*bytes_r = q.bytes;
	*count_r = q.count;
	return 0;
}
