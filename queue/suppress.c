/* suppress - lists of addresses, and counts of failures, by account. */
#include "queue/suppress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/map.h"
#include "db/escape.h"
#include "db/lock.h"
#include "db/newfile.h"
#include "message/smtpaddr.h"
#include "text/idna.h"

#define LISTS "suppress"
#define FAILURES "failures"
#define LOCK_NAME LISTS "/.lock"
#define FILES_MAX 64 /* kept in memory */
#define IN_A_ROW 3   /* failures, with the last one */
/* Lines of failures that are kept when a file is written anew, and when that
 * is done. */
#define FAILURES_KEPT 10000
#define FAILURES_MAX 20000
#define LINE_SIZE 8192
#define PREFIX 16 /* bytes before the end that tell whether it was edited */

/* A file, as far as it was read. */
struct file {
	char *path; /* below the queue */
	ino_t ino;
	off_t size; /* up to the end of the last whole line */
	char before[PREFIX];
	size_t lines;
	struct map *map; /* first word -> line behind it, struct slice */
	struct arena *arena;
};

struct suppress {
	const struct queue *q;
	struct file *files[FILES_MAX];
	size_t n;
};

struct suppress *
suppress_new(const struct queue *q)
{
	struct suppress *s = xcalloc(1, sizeof(*s));

	s->q = q;
	return s;
}

static void
forget(struct suppress *s)
{
	for (size_t i = 0; i < s->n; i++) {
		map_free(&s->files[i]->map);
		arena_free(&s->files[i]->arena);
		free(s->files[i]->path);
		free(s->files[i]);
	}
	s->n = 0;
}

void
suppress_free(struct suppress **s)
{
	if (!*s)
		return;
	forget(*s);
	free(*s);
	*s = NULL;
}

/* ---- addresses ---- */

static struct slice
lower(struct arena *arena, struct slice s)
{
	char *p = arena_cstr(arena, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] += 'a' - 'A';
	return slice_of(p, s.n);
}

static struct slice
base_local(struct arena *arena, struct slice local)
{
	struct slice head, rest;
	char *p;
	size_t n = 0;

	slice_cut(local, '+', &head, &rest);
	slice_cut(head, '-', &head, &rest);
	p = arena_alloc(arena, head.n + 1);
	for (size_t i = 0; i < head.n; i++)
		if (head.p[i] != '.')
			p[n++] = head.p[i];
	/* "+x" and "+y" are not one address. */
	return n > 0 ? slice_of(p, n) : local;
}

struct slice
suppress_base(struct arena *arena, struct slice address)
{
	struct slice domain;
	struct smtpaddr a;

	if (smtpaddr_mailbox(arena, address, SMTPADDR_UTF8 | SMTPADDR_LONG, &a,
		NULL) < 0)
		return lower(arena, address);
	domain = a.domain;
	idna_ascii(arena, a.domain, &domain, NULL);
	return lower(arena,
	    arena_printf(arena, "%.*s@%.*s",
		SLICE_FMT(base_local(arena, a.local)), SLICE_FMT(domain)));
}

static struct slice
escaped(struct arena *arena, struct slice s)
{
	struct buf b = BUF_INIT(LINE_SIZE);
	struct slice r;

	db_escape(&b, s);
	r = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return r;
}

static struct slice
unescaped(struct arena *arena, struct slice s)
{
	struct buf b = BUF_INIT(LINE_SIZE);
	struct slice r = s;

	if (db_unescape(&b, s))
		r = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return r;
}

/* ---- files in memory ---- */

static const char *
path_of(struct arena *arena, const char *folder, struct slice account)
{
	return arena_printf(arena, "%s/%.*s", folder,
	    SLICE_FMT(escaped(arena, account)))
	    .p;
}

static struct file *
find_file(struct suppress *s, const char *path)
{
	struct file *f;

	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->files[i]->path, path) == 0)
			return s->files[i];
	if (s->n == FILES_MAX)
		forget(s);
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->map = map_new();
	f->arena = arena_new(0);
	s->files[s->n++] = f;
	return f;
}

static void
reset(struct file *f)
{
	map_free(&f->map);
	f->map = map_new();
	arena_reset(f->arena);
	f->ino = 0;
	f->size = 0;
	f->lines = 0;
}

static void
take_line(struct file *f, struct slice line)
{
	struct slice word, *rest;

	if (line.n == 0 || line.p[0] == '#')
		return;
	rest = arena_alloc(f->arena, sizeof(*rest));
	slice_cut(line, ' ', &word, rest);
	*rest = arena_dup(f->arena, *rest);
	map_set(f->map, word, rest);
	f->lines++;
}

/* Nothing but more lines, since it was read. */
static bool
was_appended(const struct file *f, int fd, const struct stat *st)
{
	char now[PREFIX];
	size_t n = f->size < PREFIX ? (size_t)f->size : PREFIX;

	return f->ino == st->st_ino && st->st_size >= f->size &&
	    pread(fd, now, n, f->size - (off_t)n) == (ssize_t)n &&
	    memcmp(now, f->before, n) == 0;
}

static int
read_tail(struct file *f, int fd, const struct stat *st, struct err *e)
{
	size_t n = (size_t)(st->st_size - f->size);
	char *p = xmalloc(n + 1);
	struct slice text = slice_of(p, n), line;
	int rc = file_pread(fd, p, n, f->size, e);

	if (rc == 0) {
		/* What has no end yet is being written, or torn. */
		text.n = (size_t)(slice_rchr(text, '\n') + 1);
		f->ino = st->st_ino;
		f->size += (off_t)text.n;
		n = f->size < PREFIX ? (size_t)f->size : PREFIX;
		if (text.n > 0)
			rc =
			    file_pread(fd, f->before, n, f->size - (off_t)n, e);
		while (slice_line(&text, &line))
			take_line(f, line);
	}
	free(p);
	return rc;
}

/* As it is now; an empty one if there is none. */
static int
load(struct suppress *s, const char *folder, struct slice account,
    struct file **file_r, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct file *f = find_file(s, path_of(arena, folder, account));
	int fd = openat(s->q->fd, f->path, O_RDONLY | O_CLOEXEC), rc = 0;
	struct stat st;

	arena_free(&arena);
	*file_r = f;
	if (fd < 0 && errno == ENOENT) {
		reset(f);
		return 0;
	}
	if (fd < 0)
		return err_sys(e, "queue/%s", f->path);
	if (fstat(fd, &st) < 0)
		rc = err_sys(e, "queue/%s", f->path);
	else if (st.st_size > SUPPRESS_FILE_MAX)
		rc = err_set(e, ERR_LIMIT, "queue/%s: larger than %d MB",
		    f->path, SUPPRESS_FILE_MAX >> 20);
	else {
		if (!was_appended(f, fd, &st))
			reset(f);
		if (st.st_size > f->size)
			rc = read_tail(f, fd, &st, e);
	}
	close(fd);
	return rc;
}

/* ---- files on disk ---- */

static int
lock(struct suppress *s, struct db_lock *l, struct err *e)
{
	return db_lock(l, s->q->fd, LOCK_NAME, DB_LOCK_LEASE, DB_LOCK_MS, e) ==
		1
	    ? 0
	    : -1;
}

/* Behind whatever a crash has left at the end. Under the lock. */
static int
append(struct suppress *s, const struct file *f, struct slice line,
    struct err *e)
{
	struct buf text = BUF_INIT(2 * LINE_SIZE);
	struct stat st;
	char last = '\n';
	int rc = -1,
	    fd = openat(s->q->fd, f->path,
		O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "queue/%s", f->path);
	if (fstat(fd, &st) < 0 ||
	    (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
		err_sys(e, "queue/%s", f->path);
	else {
		if (last != '\n')
			buf_addc(&text, '\n');
		buf_add(&text, line);
		buf_addc(&text, '\n');
		rc = file_write(fd, buf_slice(&text), e);
	}
	close(fd);
	buf_free(&text);
	return rc;
}

/* A file anew, durable. An empty one is removed. */
static int
rewrite(struct suppress *s, const struct file *f, struct slice text,
    struct err *e)
{
	const char *name = strchr(f->path, '/') + 1;
	char folder[sizeof(LISTS) + sizeof(FAILURES)];
	int fd, rc;

	slice_cstr(slice_of(f->path, (size_t)(name - f->path - 1)), folder,
	    sizeof(folder));
	fd = openat(s->q->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "queue/%s", folder);
	if (text.n == 0)
		rc = db_unlink(fd, name, e) < 0 ? -1 : 0;
	else
		rc = db_write_file(fd, name, text, 0600, e);
	close(fd);
	return rc;
}

/* ---- lists ---- */

static struct suppress_entry
parse_entry(struct arena *arena, struct slice word, struct slice rest)
{
	struct suppress_entry entry = { .base = unescaped(arena, word),
		.manual = true };
	struct slice time, kind, address;

	slice_cut(rest, ' ', &time, &rest);
	slice_cut(rest, ' ', &kind, &rest);
	slice_cut(rest, ' ', &address, &entry.reason);
	clock_rfc3339_parse(time, &entry.created_us);
	entry.manual = !slice_is(kind, "auto");
	entry.address = address.n ? unescaped(arena, address) : entry.base;
	return entry;
}

int
suppress_find(struct suppress *s, struct slice account, struct slice address,
    struct arena *arena, struct suppress_entry *entry_r, struct err *e)
{
	const struct slice *rest = NULL;
	struct slice key;
	struct file *f;

	if (load(s, LISTS, account, &f, e) < 0)
		return -1;
	if (map_count(f->map) == 0)
		return 0;
	key = escaped(arena, suppress_base(arena, address));
	rest = map_get(f->map, key);
	if (rest && entry_r)
		*entry_r = parse_entry(arena, key, arena_dup(arena, *rest));
	return rest != NULL;
}

int
suppress_list(struct suppress *s, struct slice account, struct arena *arena,
    struct suppress_entry **v_r, size_t *n_r, struct err *e)
{
	struct slice word;
	struct file *f;
	size_t i = 0;
	void *rest;

	*n_r = 0;
	if (load(s, LISTS, account, &f, e) < 0)
		return -1;
	*v_r = arena_array(arena, map_count(f->map), sizeof(**v_r));
	while (map_next(f->map, &i, &word, &rest))
		(*v_r)[(*n_r)++] = parse_entry(arena, arena_dup(arena, word),
		    arena_dup(arena, *(struct slice *)rest));
	return 0;
}

int
suppress_accounts(struct suppress *s, struct arena *arena,
    struct slice **names_r, size_t *n_r, struct err *e)
{
	size_t kept = 0;

	*n_r = 0;
	if (file_list(s->q->fd, LISTS, arena, names_r, n_r, e) < 0)
		return -1;
	for (size_t i = 0; i < *n_r; i++)
		if ((*names_r)[i].p[0] != '.')
			(*names_r)[kept++] = unescaped(arena, (*names_r)[i]);
	*n_r = kept;
	return 0;
}

static struct slice
entry_line(struct suppress *s, struct arena *arena, struct slice address,
    bool manual, struct slice reason)
{
	struct slice base = escaped(arena, suppress_base(arena, address));
	char time[CLOCK_TEXT], *p;

	clock_rfc3339(clock_us(s->q->clock), time);
	p = arena_cstr(arena, slice_head(reason, 500));
	for (char *c = p; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return arena_printf(arena, "%.*s %s %s %.*s%s%s", SLICE_FMT(base), time,
	    manual ? "manual" : "auto", SLICE_FMT(escaped(arena, address)),
	    *p ? " " : "", p);
}

/* All lines but those of one address. */
static void
lines_without(const struct file *f, struct slice key, struct buf *text)
{
	struct slice word;
	size_t i = 0;
	void *rest;

	while (map_next(f->map, &i, &word, &rest)) {
		const struct slice *r = rest;
		if (slice_eq(word, key))
			continue;
		buf_addf(text, "%.*s%s%.*s\n", SLICE_FMT(word), r->n ? " " : "",
		    SLICE_FMT(*r));
	}
}

/* What somebody has typed is to stay. */
static int
add_durably(struct suppress *s, const struct file *f, struct slice line,
    struct err *e)
{
	struct buf text = BUF_INIT(SUPPRESS_FILE_MAX);
	int rc;

	lines_without(f, SLICE_NULL, &text);
	buf_addf(&text, "%.*s\n", SLICE_FMT(line));
	rc = text.over ? err_set(e, ERR_LIMIT, "queue/%s: too long", f->path)
		       : rewrite(s, f, buf_slice(&text), e);
	buf_free(&text);
	return rc;
}

int
suppress_add(struct suppress *s, struct slice account, struct slice address,
    bool manual, struct slice reason, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct slice line = entry_line(s, arena, address, manual, reason);
	struct db_lock l = DB_LOCK_INIT;
	struct file *f;
	int rc = lock(s, &l, e);

	if (rc == 0)
		rc = suppress_find(s, account, address, arena, NULL, e);
	if (rc > 0)
		rc = 0; /* it is there */
	else if (rc == 0 && load(s, LISTS, account, &f, e) == 0 &&
	    (manual ? add_durably(s, f, line, e) : append(s, f, line, e)) == 0)
		rc = 1;
	else
		rc = -1;
	db_unlock(&l);
	arena_free(&arena);
	return rc;
}

static int
remove_from(struct suppress *s, const char *folder, struct slice account,
    struct slice key, struct err *e)
{
	struct buf text = BUF_INIT(SUPPRESS_FILE_MAX);
	struct file *f;
	int rc = load(s, folder, account, &f, e);

	if (rc == 0 && map_has(f->map, key)) {
		lines_without(f, key, &text);
		rc = rewrite(s, f, buf_slice(&text), e) < 0 ? -1 : 1;
	}
	buf_free(&text);
	return rc;
}

int
suppress_remove(struct suppress *s, struct slice account, struct slice address,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	struct db_lock l = DB_LOCK_INIT;
	int rc = lock(s, &l, e);

	if (rc == 0)
		rc = remove_from(s, LISTS, account,
		    escaped(arena, suppress_base(arena, address)), e);
	if (rc > 0 &&
	    remove_from(s, FAILURES, account,
		escaped(arena, lower(arena, address)), e) < 0)
		rc = -1;
	db_unlock(&l);
	arena_free(&arena);
	return rc;
}

int
suppress_drop(struct suppress *s, struct slice account, struct err *e)
{
	struct arena *arena = arena_new(0);
	int rc = db_unlink(s->q->fd, path_of(arena, LISTS, account), e);

	if (rc >= 0)
		rc = db_unlink(s->q->fd, path_of(arena, FAILURES, account), e);
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

/* ---- results ---- */

/* Is the mailbox, or the whole domain, what was refused? */
static bool
is_final(uint32_t code, struct slice enhanced)
{
	static const uint32_t codes[] = { 521, 550, 551, 553, 556 };
	static const char *const kinds[] = { "1.1", "1.2", "1.3", "1.6", "2.1",
		"7.1" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (code == codes[i])
			return true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (enhanced.n == 5 && enhanced.p[0] == '5' &&
		    enhanced.p[1] == '.' &&
		    slice_is(slice_skip(enhanced, 2), kinds[i]))
			return true;
	return false;
}

/* How often in a row has it failed before? */
static uint32_t
failures_of(const struct file *f, struct slice key)
{
	const struct slice *rest = map_get(f->map, key);
	struct slice count, time;
	uint32_t n = 0;

	if (rest) {
		slice_cut(*rest, ' ', &count, &time);
		slice_u32(count, &n);
	}
	return n;
}

/* The newest of those that count, without lines that others replaced. */
static int
compact(struct suppress *s, const struct file *f, struct err *e)
{
	struct buf text = BUF_INIT(SUPPRESS_FILE_MAX);
	size_t skip = map_count(f->map), i = 0;
	struct slice word;
	void *rest;
	int rc;

	skip = skip > FAILURES_KEPT ? skip - FAILURES_KEPT : 0;
	while (map_next(f->map, &i, &word, &rest))
		if (skip > 0)
			skip--;
		else if (failures_of(f, word) > 0)
			buf_addf(&text, "%.*s %.*s\n", SLICE_FMT(word),
			    SLICE_FMT(*(struct slice *)rest));
	rc = rewrite(s, f, buf_slice(&text), e);
	buf_free(&text);
	return rc;
}

/* n in a row, from now on. */
static int
set_failures(struct suppress *s, const struct file *f, struct slice key,
    uint32_t n, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct db_lock l = DB_LOCK_INIT;
	char time[CLOCK_TEXT];
	int rc = lock(s, &l, e);

	clock_rfc3339(clock_us(s->q->clock), time);
	if (rc == 0 && f->lines >= FAILURES_MAX)
		rc = compact(s, f, e);
	if (rc == 0)
		rc = append(s, f,
		    arena_printf(arena, "%.*s %u %s", SLICE_FMT(key),
			(unsigned)n, time),
		    e);
	db_unlock(&l);
	arena_free(&arena);
	return rc;
}

static int
count_failure(struct suppress *s, struct slice account, struct slice key,
    uint32_t *n_r, struct err *e)
{
	struct file *f;

	if (load(s, FAILURES, account, &f, e) < 0)
		return -1;
	*n_r = failures_of(f, key) + 1;
	return set_failures(s, f, key, *n_r, e);
}

int
suppress_failed(struct suppress *s, struct slice account, struct slice address,
    struct slice reply, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct slice code, enhanced, rest;
	uint32_t number = 0, n = 0;
	int rc = count_failure(s, account,
	    escaped(arena, lower(arena, address)), &n, e);

	slice_cut(reply, ' ', &code, &rest);
	slice_cut(rest, ' ', &enhanced, &rest);
	if (code.n != 3 || !slice_u32(code, &number))
		number = 0;
	if (rc == 0 && number >= 500 && number < 600 &&
	    (is_final(number, enhanced) || n >= IN_A_ROW))
		rc = suppress_add(s, account, address, false, reply, e) < 0 ? -1
									    : 1;
	arena_free(&arena);
	return rc;
}

bool
suppress_is_counted(struct suppress *s, struct slice account,
    struct slice address)
{
	struct arena *arena = arena_new(0);
	struct file *f;
	bool counted;

	/* One that cannot be read counts when the result is noted. */
	counted = load(s, FAILURES, account, &f, NULL) < 0 ||
	    (map_count(f->map) > 0 &&
		failures_of(f, escaped(arena, lower(arena, address))) > 0);
	arena_free(&arena);
	return counted;
}

int
suppress_delivered(struct suppress *s, struct slice account,
    struct slice address, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct slice key;
	struct file *f;
	int rc = 0;

	if (suppress_is_counted(s, account, address)) {
		key = escaped(arena, lower(arena, address));
		rc = load(s, FAILURES, account, &f, e);
		if (rc == 0)
			rc = set_failures(s, f, key, 0, e);
	}
	arena_free(&arena);
	return rc;
}
