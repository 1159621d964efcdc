/* mtasts_cache - policies kept in data/mtasts/, a file a domain. */
#include <fcntl.h>
#include <limits.h>

#include "base/file.h"
#include "db/escape.h"
#include "db/newfile.h"
#include "mtasts/mtasts.h"

#define HEAD "mox-mtasts 1\n"
#define HEAD_MAX 4096 /* bytes of the lines before a policy */
#define DAY_US (86400 * INT64_C(1000000))

/* ---- names ---- */

static int
file_name(struct slice domain, struct buf *name, struct err *e)
{
	db_escape_lower(name, domain);
	return name->over ? err_set(e, ERR_LIMIT, "domain name too long") : 0;
}

/* ---- reading ---- */

struct reader {
	struct mtasts_entry *entry;
	bool fetched;
};

static bool
read_id(struct reader *r, struct slice value)
{
	r->entry->id = value;
	return true;
}

static bool
read_fetched(struct reader *r, struct slice value)
{
	r->entry->have = true;
	return clock_rfc3339_parse(value, &r->entry->fetched_us);
}

static bool
read_failed(struct reader *r, struct slice value)
{
	return clock_rfc3339_parse(value, &r->entry->failed_us);
}

static bool
read_failure_type(struct reader *r, struct slice value)
{
	r->entry->failure_type = value;
	return true;
}

static bool
read_failure(struct reader *r, struct slice value)
{
	r->entry->failure = value;
	return true;
}

static const struct {
	const char *key;
	bool (*read)(struct reader *r, struct slice value);
} keys[] = {
	{ "id", read_id },
	{ "fetched", read_fetched },
	{ "failed", read_failed },
	{ "failure-type", read_failure_type },
	{ "failure", read_failure },
};

static int
read_line(struct reader *r, struct slice line, struct err *e)
{
	struct slice key, value;

	slice_cut(line, ' ', &key, &value);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (slice_is(key, keys[i].key) && !keys[i].read(r, value))
			return err_set(e, ERR_SYNTAX, "bad line %s",
			    keys[i].key);
	return 0;
}

int
mtasts_entry_parse(struct slice text, struct arena *arena,
    struct mtasts_entry *entry_r, struct err *e)
{
	struct reader r = { .entry = entry_r };
	struct slice line;

	*entry_r = (struct mtasts_entry){ 0 };
	if (!slice_starts(text, SLICE(HEAD)))
		return err_set(e, ERR_SYNTAX, "not of the cache");
	while (slice_line(&text, &line) && line.n > 0)
		if (read_line(&r, line, e) < 0)
			return -1;
	if (!entry_r->have)
		return 0;
	entry_r->text = text;
	if (mtasts_policy_parse(text, arena, &entry_r->policy, e) < 0)
		return -1;
	entry_r->end_us =
	    entry_r->fetched_us + entry_r->policy.max_age * INT64_C(1000000);
	return 0;
}

static int64_t
mtime_us(const struct stat *st)
{
	return st->st_mtim.tv_sec * INT64_C(1000000) +
	    st->st_mtim.tv_nsec / 1000;
}

static int
read_file(int mtasts_fd, const char *name, struct arena *arena,
    struct mtasts_entry *entry_r, struct err *e)
{
	struct buf b = BUF_INIT(HEAD_MAX + MTASTS_POLICY_MAX);
	struct stat st;
	int rc = file_read(mtasts_fd, name, &b, e);

	if (rc == 1 &&
	    mtasts_entry_parse(arena_dup(arena, buf_slice(&b)), arena, entry_r,
		e) < 0)
		rc = -1;
	if (rc == 1 && fstatat(mtasts_fd, name, &st, 0) == 0)
		entry_r->used_us = mtime_us(&st);
	buf_free(&b);
	return rc;
}

int
mtasts_cache_read(int mtasts_fd, struct slice domain, struct arena *arena,
    struct mtasts_entry *entry_r, struct err *e)
{
	struct buf name = BUF_INIT(NAME_MAX);
	int rc = file_name(domain, &name, e);

	*entry_r = (struct mtasts_entry){ 0 };
	if (rc == 0)
		rc = read_file(mtasts_fd, buf_cstr(&name), arena, entry_r, e);
	if (rc < 0) {
		*entry_r = (struct mtasts_entry){ 0 };
		err_prefix(e, "mtasts/%s", buf_cstr(&name));
	}
	buf_free(&name);
	return rc;
}

/* ---- writing ---- */

static void
add_line(struct buf *b, const char *key, struct slice value)
{
	if (value.n == 0)
		return;
	buf_addf(b, "%s ", key);
	for (size_t i = 0; i < value.n; i++)
		buf_addc(b, (unsigned char)value.p[i] < ' ' ? ' ' : value.p[i]);
	buf_addc(b, '\n');
}

static void
add_time(struct buf *b, const char *key, int64_t us)
{
	char text[CLOCK_TEXT];

	clock_rfc3339(us, text);
	add_line(b, key, slice_str(text));
}

void
mtasts_entry_write(struct buf *out, const struct mtasts_entry *entry)
{
	buf_addz(out, HEAD);
	add_line(out, "id", slice_head(entry->id, 100));
	if (entry->have)
		add_time(out, "fetched", entry->fetched_us);
	if (entry->failed_us != 0) {
		add_time(out, "failed", entry->failed_us);
		add_line(out, "failure-type",
		    slice_head(entry->failure_type, 100));
		add_line(out, "failure", slice_head(entry->failure, 1000));
	}
	buf_addc(out, '\n');
	if (entry->have)
		buf_add(out, entry->text);
}

static int
set_mtime(int dirfd, int fd, const char *name, int64_t us, struct err *e)
{
	const struct timespec t = { us / 1000000, us % 1000000 * 1000 };
	const struct timespec times[2] = { t, t };
	int rc =
	    fd >= 0 ? futimens(fd, times) : utimensat(dirfd, name, times, 0);

	return rc == 0 ? 0 : err_sys(e, "%s", name);
}

/* The folder is not synced: what power loss takes back is fetched again. */
static int
write_file(int mtasts_fd, const char *name, struct slice text, int64_t used_us,
    struct err *e)
{
	struct db_newfile f = DB_NEWFILE_INIT;
	int rc;

	rc = db_newfile_begin(&f, mtasts_fd, name, 0600, e);
	if (rc == 0)
		rc = file_write(f.fd, text, e);
	if (rc == 0)
		rc = set_mtime(mtasts_fd, f.fd, name, used_us, e);
	if (rc == 0)
		rc = db_newfile_sync(&f, e);
	if (rc == 0)
		rc = db_newfile_replace(&f, name, e);
	db_newfile_end(&f);
	return rc;
}

int
mtasts_cache_write(int mtasts_fd, struct slice domain,
    const struct mtasts_entry *entry, struct err *e)
{
	struct buf name = BUF_INIT(NAME_MAX), text = BUF_INIT(SIZE_MAX);
	int rc = file_name(domain, &name, e);

	mtasts_entry_write(&text, entry);
	if (rc == 0)
		rc = write_file(mtasts_fd, buf_cstr(&name), buf_slice(&text),
		    entry->used_us, e);
	buf_free(&name);
	buf_free(&text);
	return rc < 0 ? err_prefix(e, "mtasts") : 0;
}

int
mtasts_cache_used(int mtasts_fd, struct slice domain, const struct clock *clock,
    struct err *e)
{
	struct buf name = BUF_INIT(NAME_MAX);
	int64_t now = clock_us(clock);
	struct stat st;
	int rc = file_name(domain, &name, e);

	if (rc == 0 && fstatat(mtasts_fd, buf_cstr(&name), &st, 0) == 0 &&
	    now - mtime_us(&st) >= DAY_US)
		rc = set_mtime(mtasts_fd, -1, buf_cstr(&name), now, e);
	buf_free(&name);
	return rc;
}

int
mtasts_cache_remove(int mtasts_fd, struct slice domain, struct err *e)
{
	struct buf name = BUF_INIT(NAME_MAX);
	int rc = file_name(domain, &name, e);

	if (rc == 0)
		rc = db_unlink(mtasts_fd, buf_cstr(&name), e);
	buf_free(&name);
	return rc < 0 ? -1 : 0;
}

int
mtasts_cache_list(int mtasts_fd, struct arena *arena, struct slice **domains_r,
    size_t *n_r, struct err *e)
{
	return db_escaped_list(mtasts_fd, ".", arena, domains_r, n_r, e);
}

/* ---- what a fetch brought ---- */

int
mtasts_cache_take(int mtasts_fd, struct slice domain, struct slice id,
    const struct clock *clock, const struct mtasts_fetched *fetched,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	struct mtasts_fetched f = *fetched;
	struct mtasts_entry old, new = { .have = true };
	struct err bad = ERR_INIT;
	int64_t now = clock_us(clock);
	int rc;

	mtasts_cache_read(mtasts_fd, domain, arena, &old, NULL);
	if (f.failure_type.n == 0 &&
	    mtasts_policy_parse(f.text, arena, &new.policy, &bad) < 0) {
		f.failure_type = SLICE("sts-policy-invalid");
		f.failure = slice_str(bad.text);
	}
	if (f.failure_type.n == 0) {
		new.id = id;
		new.fetched_us = now;
		new.text = f.text;
	} else {
		new = old;
		if (!old.have)
			new.id = id;
		new.failed_us = now;
		new.failure = f.failure;
		new.failure_type = f.failure_type;
	}
	new.used_us = old.used_us != 0 ? old.used_us : now;
	rc = mtasts_cache_write(mtasts_fd, domain, &new, e);
	arena_free(&arena);
	if (rc < 0)
		return -1;
	return f.failure_type.n == 0 ? 1 : 0;
}
