/* add - the queue's folders and names, and a message into it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "db/watch.h"
#include "queue/item.h"

#define MINUTE_US (60 * INT64_C(1000000))

/* ---- names ---- */

void
queue_new_id(const struct queue *q, char id[QUEUE_ID + 1])
{
	snprintf(id, QUEUE_ID + 1, "%013llx%05llx",
	    (unsigned long long)clock_us(q->clock) & 0xfffffffffffff,
	    (unsigned long long)rand_below(q->rand, 1 << 20));
}

static bool
is_id(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("0123456789abcdef", s.p[i], 16))
			return false;
	return s.n == QUEUE_ID;
}

bool
queue_name(struct slice name, struct slice *id_r, unsigned *n_r)
{
	struct slice n;

	*n_r = 0;
	if (!slice_cut(name, '.', id_r, &n))
		return is_id(*id_r);
	return is_id(*id_r) && n.n > 0 && n.p[0] != '0' && slice_u32(n, n_r) &&
	    *n_r <= QUEUE_RCPTS_MAX;
}

struct slice
queue_message_path(struct arena *arena, struct slice item)
{
	return arena_printf(arena, "msg/%.*s/%.*s",
	    SLICE_FMT(slice_sub(item, QUEUE_ID - 2, QUEUE_ID)),
	    SLICE_FMT(item));
}

void
queue_bucket(int64_t us, char bucket[QUEUE_BUCKET])
{
	time_t minute = (time_t)((us + MINUTE_US - 1) / MINUTE_US * 60);
	struct tm tm;

	if (!gmtime_r(&minute, &tm) ||
	    strftime(bucket, QUEUE_BUCKET, "%Y%m%dT%H%MZ", &tm) == 0)
		snprintf(bucket, QUEUE_BUCKET, "now");
}

bool
queue_bucket_time(struct slice bucket, int64_t *us_r)
{
	char text[32];

	*us_r = 0;
	if (slice_is(bucket, "now"))
		return true;
	if (bucket.n != QUEUE_BUCKET - 2 || bucket.p[8] != 'T')
		return false;
	snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:00Z", bucket.p,
	    bucket.p + 4, bucket.p + 6, bucket.p + 9, bucket.p + 11);
	return bucket.p[13] == 'Z' &&
	    clock_rfc3339_parse(slice_str(text), us_r);
}

unsigned
queue_notify_on(unsigned notify, bool last)
{
	if (last || !(notify & QUEUE_NOTIFY_SUCCESS))
		return notify;
	notify &= ~(unsigned)QUEUE_NOTIFY_SUCCESS;
	return notify ? notify : QUEUE_NOTIFY_NEVER;
}

struct slice
queue_domain(struct slice address)
{
	return slice_skip(address, (size_t)(slice_rchr(address, '@') + 1));
}

/* ---- the folders ---- */

/* Made by root, folders are for whoever has the mail. */
static int
give_away(int data_fd, const char *folder, struct err *e)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (fstat(data_fd, &st) < 0 ||
	    fchownat(data_fd, folder, st.st_uid, st.st_gid,
		AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s", folder);
	return 0;
}

/* What is put into folders is durable only if they are. */
static int
sync_folders(const struct queue *q, int data_fd, struct err *e)
{
	int due = openat(q->fd, "due", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = due < 0 ? err_sys(e, "queue/due")
			 : db_fsync_dir(due, "queue/due", e);

	if (due >= 0)
		close(due);
	if (rc == 0)
		rc = db_fsync_dir(q->fd, "queue", e);
	return rc == 0 ? db_fsync_dir(data_fd, "data", e) : -1;
}

int
queue_open(struct queue *q, int data_fd, int run_fd, const struct clock *clock,
    struct rand *rand, struct err *e)
{
	static const char *const folders[] = { "queue", "queue/tmp",
		"queue/todo", "queue/msg", "queue/due", "queue/due/now",
		"queue/hold", "queue/active", "queue/retired", "queue/suppress",
		"queue/failures" };
	bool made = false;

	*q = (struct queue){
		.fd = -1, .run_fd = run_fd, .clock = clock, .rand = rand
	};
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		if (faccessat(data_fd, folders[i], F_OK, 0) == 0)
			continue;
		made = true;
		if (file_mkdirs(data_fd, folders[i], 0700, e) < 0 ||
		    give_away(data_fd, folders[i], e) < 0)
			return -1;
	}
	q->fd = openat(data_fd, "queue", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (q->fd < 0)
		return err_sys(e, "queue");
	return made ? sync_folders(q, data_fd, e) : 0;
}

void
queue_close(struct queue *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}

void
queue_poke(const struct queue *q)
{
	if (q->run_fd >= 0)
		db_poke(q->run_fd, SLICE(QUEUE_TOPIC));
}

/* ---- a message ---- */

static int
write_message(struct db_newfile *f, const struct item *it, struct spool *spool,
    struct slice prefix, struct err *e)
{
	struct buf head = BUF_INIT(ENVELOPE_MAX);
	uint64_t stored, wire;
	int rc;

	item_write_envelope(&head, it);
	if (head.over)
		rc = err_set(e, ERR_LIMIT, "envelope too long for the queue");
	else
		rc = file_write(f->fd, buf_slice(&head), e);
	if (rc == 0)
		rc = spool_write(spool, prefix, f->fd, &stored, &wire, e);
	if (rc == 0)
		rc = db_newfile_sync(f, e);
	buf_free(&head);
	return rc;
}

/* Into todo/, and make that durable. An ID that is taken is not ours to
 * replace; with 20 random bits a microsecond it never is. */
static int
place(struct queue *q, struct db_newfile *f, const char *id, struct err *e)
{
	int todo = openat(q->fd, "todo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (todo < 0)
		return err_sys(e, "queue/todo");
	rc = db_move(f->dirfd, f->tmp, todo, id, e);
	if (rc > 0) {
		f->tmp[0] = '\0';
		rc = db_fsync_dir(todo, "queue/todo", e);
		/* Not acknowledged: the client sends it again. */
		if (rc < 0)
			db_unlink(todo, id, NULL);
	} else if (rc == 0)
		rc = err_set(e, ERR_TEMP, "queue/todo/%s exists", id);
	close(todo);
	return rc;
}

int
queue_add(struct queue *q, const struct queue_message *m, struct spool *spool,
    struct slice prefix, char *id_r, struct err *e)
{
	struct item it = { .m = *m,
		.queued_us = clock_us(q->clock),
		.size = prefix.n + spool_wire_size(spool),
		.verbatim = spool_verbatim(spool) };
	struct db_newfile f = DB_NEWFILE_INIT;
	char id[QUEUE_ID + 1];
	int tmp, rc = -1;

	if (m->nrcpts == 0 || m->nrcpts > QUEUE_RCPTS_MAX)
		return err_set(e, ERR_LIMIT, "%zu recipients in one message",
		    m->nrcpts);
	tmp = openat(q->fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tmp < 0)
		return err_sys(e, "queue/tmp");
	queue_new_id(q, id);
	if (db_newfile_begin(&f, tmp, id, 0600, e) == 0 &&
	    write_message(&f, &it, spool, prefix, e) == 0)
		rc = place(q, &f, id, e);
	db_newfile_end(&f);
	close(tmp);
	if (rc == 0) {
		queue_poke(q);
		if (id_r)
			memcpy(id_r, id, sizeof(id));
	}
	return rc;
}
