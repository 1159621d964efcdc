/* tlsrpt_note - results, a line each, as sessions end. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "db/lock.h"
#include "db/newfile.h"
#include "tlsrpt/tlsrpt_int.h"

#define VALUE_MAX 300    /* bytes of a name, a reason */
#define POLICY_MAX 4096  /* bytes of all lines of a policy, about */
#define ROOM (64 * 1024) /* four times all that, escaped */
#define FOLDED "folded " /* begins a file of joined lines: their bytes */
#define DAY_US (86400 * INT64_C(1000000))

/* ---- a line ---- */

static void
add(struct buf *b, const char *key, struct slice value)
{
	if (value.n > 0)
		log_format(b, key, slice_head(value, VALUE_MAX));
}

static void
add_all(struct buf *b, const char *key, const struct slice *v, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n && sum < POLICY_MAX; i++) {
		add(b, key, v[i]);
		sum += v[i].n + 1;
	}
}

static void
add_result(struct buf *b, const struct tlsrpt_result *r)
{
	buf_addz(b, "n=1");
	add(b, "type", slice_str(tlsrpt_policy_name(r->type)));
	add(b, "rcpt-domain", r->rcpt_domain);
	add_all(b, "policy", r->policy, r->npolicy);
	add_all(b, "mx", r->mx, r->nmx);
	if (r->is_host)
		add(b, "host", SLICE("1"));
	add(b, "failure", r->failure);
	add(b, "reason", r->reason);
	add(b, "sending-ip", r->sending_ip);
	add(b, "mx-host", r->mx_host);
	add(b, "mx-helo", r->mx_helo);
	add(b, "receiving-ip", r->receiving_ip);
	buf_addc(b, '\n');
}

/* ---- folders ---- */

void
tlsrpt_day(int64_t us, char day_r[TLSRPT_DAY])
{
	char text[CLOCK_TEXT];

	clock_rfc3339(us, text);
	snprintf(day_r, TLSRPT_DAY, "%.4s%.2s%.2s", text, text + 5, text + 8);
}

/* Folders of days before the oldest to be kept: names sort as days do. */
static void
remove_old(int tlsresults_fd, int64_t now_us)
{
	struct arena *arena = arena_new(0);
	char oldest[TLSRPT_DAY];
	struct slice *days;
	size_t n;

	tlsrpt_day(now_us - TLSRPT_KEEP_DAYS * DAY_US, oldest);
	if (tlsrpt_results_days(tlsresults_fd, arena, &days, &n, NULL) == 0)
		for (size_t i = 0; i < n; i++)
			if (slice_cmp(days[i], slice_str(oldest)) < 0)
				file_remove_tree(tlsresults_fd,
				    arena_cstr(arena, days[i]), NULL);
	arena_free(&arena);
}

/* The folder of the day, made if it is the first result. */
static int
open_day(int tlsresults_fd, int64_t now_us, struct err *e)
{
	char day[TLSRPT_DAY];
	int fd;

	tlsrpt_day(now_us, day);
	fd = openat(tlsresults_fd, day, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	remove_old(tlsresults_fd, now_us);
	if (file_mkdirs(tlsresults_fd, day, 0700, e) < 0)
		return -1;
	fd = openat(tlsresults_fd, day, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "tlsresults/%s", day) : fd;
}

/* ---- joining equal lines ---- */

static int
write_joined(int fd, const struct map *lines, struct err *e)
{
	struct buf b = BUF_INIT(TLSRPT_FILE_MAX + ROOM);
	struct slice line;
	void *count;
	char head[sizeof(FOLDED) + 20];
	int rc;

	for (size_t i = 0; map_next(lines, &i, &line, &count);)
		buf_addf(&b, "n=%ju %.*s\n", (uintmax_t)(uintptr_t)count,
		    SLICE_FMT(line));
	snprintf(head, sizeof(head), FOLDED "%zu\n", b.n);
	rc = b.over ? err_set(e, ERR_LIMIT, "too many results")
		    : file_write(fd, slice_str(head), e);
	if (rc == 0)
		rc = file_write(fd, buf_slice(&b), e);
	buf_free(&b);
	return rc;
}

/* A crash leaves the old file or the new one. */
static int
replace(int day_fd, const char *name, const struct map *lines, struct err *e)
{
	struct db_newfile f = DB_NEWFILE_INIT;
	int rc = db_newfile_begin(&f, day_fd, name, 0600, e);

	if (rc == 0)
		rc = write_joined(f.fd, lines, e);
	if (rc == 0)
		rc = db_newfile_replace(&f, name, e);
	db_newfile_end(&f);
	return rc;
}

static int
fold(int day_fd, const char *name, struct err *e)
{
	struct buf b = BUF_INIT(TLSRPT_FILE_MAX + ROOM);
	struct map *lines = map_new();
	struct slice rest, line, what;
	uint64_t n;
	int rc = file_read(day_fd, name, &b, e);

	rest = buf_slice(&b);
	while (slice_line(&rest, &line))
		if (tlsrpt_line_count(line, &n, &what)) {
			n += (uintptr_t)map_get(lines, what);
			map_set(lines, what, (void *)(uintptr_t)n);
		}
	if (rc == 1)
		rc = replace(day_fd, name, lines, e);
	map_free(&lines);
	buf_free(&b);
	return rc < 0 ? -1 : 0;
}

/* When it is twice as large as it was when its lines were joined last. */
static bool
is_due(int fd, off_t size)
{
	char head[sizeof(FOLDED) + 20] = "";
	struct slice number, rest;
	uint64_t folded = 0;

	if (size < TLSRPT_FOLD)
		return false;
	if (pread(fd, head, sizeof(head) - 1, 0) > 0 &&
	    slice_starts(slice_str(head), SLICE(FOLDED))) {
		slice_cut(slice_skip(slice_str(head), sizeof(FOLDED) - 1), '\n',
		    &number, &rest);
		slice_u64(number, &folded);
	}
	return (uint64_t)size / 2 >= folded;
}

/* ---- appending ---- */

/* A line that a crash cut off is ended first. */
static int
append(int fd, off_t size, struct slice line, struct err *e)
{
	struct buf b = BUF_INIT(ROOM + 1);
	char last = '\n';
	int rc;

	if (size > 0 && file_pread(fd, &last, 1, size - 1, e) < 0)
		return -1;
	if (last != '\n')
		buf_addc(&b, '\n');
	buf_add(&b, line);
	rc = file_write(fd, buf_slice(&b), e);
	buf_free(&b);
	return rc;
}

static int
note(int day_fd, const char *name, struct slice line, struct err *e)
{
	int fd =
	    openat(day_fd, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	bool due = false;
	struct stat st;
	int rc;

	if (fd < 0)
		return err_sys(e, "tlsresults/%s", name);
	if (fstat(fd, &st) < 0)
		rc = err_sys(e, "tlsresults/%s", name);
	else if (st.st_size >= TLSRPT_FILE_MAX)
		rc = err_set(e, ERR_LIMIT,
		    "tlsresults/%s is full: no more results of today", name);
	else
		rc = append(fd, st.st_size, line, e);
	if (rc == 0)
		due = is_due(fd, st.st_size + (off_t)line.n);
	close(fd);
	return due ? fold(day_fd, name, e) : rc;
}

int
tlsrpt_note(int tlsresults_fd, const struct clock *clock,
    const struct tlsrpt_result *result, struct err *e)
{
	struct buf name = BUF_INIT(NAME_MAX), line = BUF_INIT(ROOM);
	struct db_lock lock = DB_LOCK_INIT;
	int day_fd = -1, rc = tlsrpt_file_name(result->policy_domain, &name, e);

	add_result(&line, result);
	if (rc == 0)
		rc = day_fd = open_day(tlsresults_fd, clock_us(clock), e);
	if (rc >= 0)
		rc = db_lock(&lock, tlsresults_fd, ".lock", 0, DB_LOCK_MS, e) ==
			1
		    ? note(day_fd, buf_cstr(&name), buf_slice(&line), e)
		    : -1;
	db_unlock(&lock);
	if (day_fd >= 0)
		close(day_fd);
	buf_free(&name);
	buf_free(&line);
	return rc < 0 ? -1 : 0;
}
