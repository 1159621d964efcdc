/*
 * resize.c - sizes of messages: what the index and the names say, against the
 * content.
 *
 * A message does not change under its UID (RFC 9051, 2.3.1.1), so one that is
 * not as large as was told becomes another: its file gets a second name and is
 * added like a new one; when that is durable the old one is expunged. A crash in
 * between leaves both, and the next run knows the second by its file.
 *
 * Where only the name is wrong, the file is renamed and the line `r` says so. If
 * a crash comes in between, the next scan knows the message by its name up to
 * the first comma.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/newfile.h"
#include "db/sync.h"
#include "store/repair_int.h"

struct resize {
	struct repair *r;
	struct mailbox *mb;
	uint64_t done, replaced, renamed, failed;
};

/* A message, and how large it is. */
struct sized {
	struct record record;
	int fd;
	uint64_t size, wire;
};

/* ---- what is ---- */

/*
 * Kept as it was sent, with bare LF in it: then it is sent as it is. Of a file
 * that has no CRLF at all that is believed only if we named it.
 */
static bool
verbatim(const struct mailbox *mb, const struct record *r, bool mixed)
{
	struct layout_name name;

	return r->msg.size == r->msg.wire_size &&
	    (mixed ||
		(layout_parse(index_name(&mb->ix, r), &name) &&
		    name.emailid.n > 0));
}

/* 1, 0 it is gone, -1. m->fd is open after 1. */
static int
measure(struct mailbox *mb, uint32_t uid, struct sized *m, struct err *e)
{
	const struct record *r;
	bool mixed;
	int rc = message_open(mb, uid, &m->fd, e);

	if (rc != 1)
		return rc;
	r = index_get(&mb->ix, uid); /* opening may take in changes */
	rc = r == NULL ? 0
		       : message_measure(m->fd, &m->size, &m->wire, &mixed, e);
	if (r == NULL || rc != 0) {
		close(m->fd);
		return rc;
	}
	m->record = *r;
	if (verbatim(mb, r, mixed))
		m->wire = m->size;
	return 1;
}

static bool
index_wrong(const struct sized *m)
{
	return m->record.msg.size != m->size ||
	    m->record.msg.wire_size != m->wire;
}

static bool
name_wrong(const struct mailbox *mb, const struct sized *m)
{
	struct layout_name name;

	return layout_parse(index_name(&mb->ix, &m->record), &name) &&
	    ((name.size != LAYOUT_UNKNOWN && name.size != m->size) ||
		(name.wire != LAYOUT_UNKNOWN && name.wire != m->wire));
}

/* ---- another message ---- */

struct replace {
	struct mailbox *mb;
	uint32_t uid;
	bool gone;
};

/* Under the lock: flags as they are now. */
static int
flags_of_old(void *arg, size_t i, struct adding *a, struct keywords *kw,
    struct lines *ls, struct err *e)
{
	struct replace *rp = arg;
	const struct record *r = index_get(&rp->mb->ix, rp->uid);

	(void)i, (void)kw, (void)ls;
	rp->gone = r == NULL;
	if (rp->gone)
		return err_set(e, ERR_PERM, "message is gone");
	a->record.msg.flags = r->msg.flags;
	a->record.msg.keywords = r->msg.keywords;
	return 0;
}

/* The file under a second name, in tmp/. */
static int
link_file(struct mailbox *mb, const struct sized *m, const char *name,
    struct err *e)
{
	char file[LAYOUT_NAME];

	if (record_file(&mb->ix, &m->record, file) &&
	    linkat(record_dir(mb, &m->record), file, mb->folder.tmp, name, 0) ==
		0)
		return 0;
	return message_copy(m->fd, mb->folder.tmp, name, mb->st->env->file_mode,
	    e);
}

/* Is it the same file? */
static bool
is_file(const struct mailbox *mb, const struct record *r, const struct stat *s)
{
	char file[LAYOUT_NAME];
	struct stat t;

	return record_file(&mb->ix, r, file) &&
	    fstatat(record_dir(mb, r), file, &t, AT_SYMLINK_NOFOLLOW) == 0 &&
	    t.st_ino == s->st_ino && t.st_dev == s->st_dev;
}

/* Was it replaced already, by a run that could not end? */
static bool
has_twin(const struct mailbox *mb, const struct sized *m)
{
	const struct record *r;
	uint32_t uid = m->record.msg.uid;
	struct stat s;

	if (fstat(m->fd, &s) != 0 || s.st_nlink < 2)
		return false;
	while ((r = repair_next(mb, &uid)) != NULL)
		if (r->msg.size == m->size && r->msg.wire_size == m->wire &&
		    r->msg.received == m->record.msg.received &&
		    is_file(mb, r, &s))
			return true;
	return false;
}

/* 1, 0 the old one is gone, -1. */
static int
add_twin(struct mailbox *mb, const struct sized *m, struct err *e)
{
	struct replace rp = { mb, m->record.msg.uid, false };
	struct adding_fns fns = { .flags = flags_of_old, .arg = &rp };
	struct adding a = { .record = m->record };
	struct store_msg *msg = &a.record.msg;
	struct slice record;

	/* RFC 8474, 5.1: other content, another EMAILID. */
	if (msg->size != m->size)
		layout_emailid_new(mb->st->env, msg->emailid);
	msg->size = m->size;
	msg->wire_size = m->wire;
	a.record.cache = (struct cache_place){ 0, 0 };
	a.record.place = RECORD_CUR;
	layout_base(mb->st->env, msg->emailid, m->size, m->wire, a.name);
	if (link_file(mb, m, a.name, e) < 0)
		return -1;
	if (adding_commit(mb, &a, 1, &fns, e) != STORE_OK)
		return rp.gone ? 0 : -1;
	quota_add(mb->st, (int64_t)m->size, 1);
	return mailbox_record(mb, msg, &record, e) < 0 ? -1 : 1;
}

/* 1 done, 0 the message is gone, -1. */
static int
replace(struct mailbox *mb, const struct sized *m, struct err *e)
{
	struct uidrange one = { m->record.msg.uid, m->record.msg.uid };
	struct uidset old = { NULL, &one, 1, 1 };
	int rc = has_twin(mb, m) ? 1 : add_twin(mb, m, e);

	if (rc == 1 && expunge_uids(mb, &old, e) < 0)
		rc = -1;
	return rc;
}

/* ---- another name ---- */

struct names {
	char base[LAYOUT_NAME], from[LAYOUT_NAME], to[LAYOUT_NAME];
};

/* False: not now, or not at all. */
static bool
make_names(const struct mailbox *mb, const struct record *r,
    const struct sized *m, struct names *n)
{
	if (r == NULL || record_file_renamed(&mb->ix, r, n->from) ||
	    !record_file(&mb->ix, r, n->from) ||
	    !layout_with_sizes(index_name(&mb->ix, r), m->size, m->wire,
		n->base))
		return false;
	if (r->place == RECORD_CUR)
		return layout_with_flags(slice_str(n->base), r->disk,
		    r->letters, n->to);
	memcpy(n->to, n->base, sizeof(n->to));
	return true;
}

/* Under the lock. 1 done, 0 not now, -1. */
static int
rename_locked(struct mailbox *mb, uint32_t uid, const struct sized *m,
    struct err *e)
{
	const struct record *r = index_get(&mb->ix, uid);
	struct line l = { .type = 'r' };
	struct lines ls = LINES_INIT;
	struct own_change own;
	struct names n;
	int dirfd, rc;

	if (!make_names(mb, r, m, &n))
		return 0;
	dirfd = record_dir(mb, r);
	l.record = *r;
	l.name = slice_str(n.base);
	lines_add(&ls, &l);
	scan_before(mb, &own);
	rc = db_move(dirfd, n.from, dirfd, n.to, e);
	if (rc == 1 && index_append(mb, &ls, e) != 0) {
		db_move(dirfd, n.to, dirfd, n.from, NULL);
		rc = -1;
	}
	if (rc == 1)
		scan_after(mb, &own, false, NULL);
	lines_free(&ls);
	return rc;
}

static int
rename_file(struct mailbox *mb, const struct sized *m, struct err *e)
{
	int rc = index_lock(mb, e);

	if (rc != 0)
		return -1;
	rc = rename_locked(mb, m->record.msg.uid, m, e);
	index_unlock(mb);
	return rc;
}

/* Names come to disk before it is said that all is done. */
static int
sync_names(struct mailbox *mb, struct err *e)
{
	return index_sync(mb, NULL, e) == 0 &&
		db_fsync_dir(mb->folder.new, "new", e) == 0 &&
		db_fsync_dir(mb->folder.cur, "cur", e) == 0
	    ? 0
	    : -1;
}

/* ---- all ---- */

static int
look_at(struct resize *z, uint32_t uid, struct err *e)
{
	struct sized m;
	int rc = measure(z->mb, uid, &m, e);

	if (rc != 1)
		return rc;
	if (index_wrong(&m)) {
		rc = replace(z->mb, &m, e);
		z->replaced += rc == 1;
	} else if (name_wrong(z->mb, &m)) {
		rc = rename_file(z->mb, &m, e);
		z->renamed += rc == 1;
		z->failed += rc == 0;
	}
	close(m.fd);
	return rc;
}

static void
tell(struct resize *z)
{
	struct mailbox *mb = z->mb;
	struct repair_note n = { .messages = z->done,
		.changed = z->replaced + z->renamed };

	if (n.changed + z->failed == 0)
		repair_tell(z->r, mb, n, NULL);
	else
		repair_tell(z->r, mb, n,
		    "%s: %llu messages of another size got new UIDs, %llu file "
		    "names corrected%s",
		    mb->name, (unsigned long long)z->replaced,
		    (unsigned long long)z->renamed,
		    z->failed > 0 ? ", others are being renamed: run it again"
				  : "");
}

static int
resize(struct repair *r, struct mailbox *mb, struct err *e)
{
	struct resize z = { .r = r, .mb = mb };
	uint32_t uid = 0, uidnext = mb->ix.uidnext;
	int rc = 0;

	mb->reader = true; /* so that files of those replaced are removed */
	while (rc >= 0 && repair_next(mb, &uid) != NULL && uid < uidnext) {
		rc = look_at(&z, uid, e);
		if (rc >= 0 && ++z.done % REPAIR_BATCH == 0)
			rc = store_progress(r->st, z.done,
			    mb->ix.counts.messages, e);
	}
	if (z.renamed > 0 && rc >= 0)
		rc = sync_names(mb, e);
	tell(&z);
	return rc < 0 ? -1 : 0;
}

int
repair_sizes(struct repair *r, struct err *e)
{
	return repair_each(r, repair_open, resize, e) == 0 ? repair_quota(r, e)
							   : -1;
}
