/*
 * stamp.c - has anything changed? Cheap facts for who watches many mailboxes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/index.h"

/* Another change may come within one tick of a clock, or of another host's:
 * as lib/store treats mtimes everywhere. */
#define YOUNG_S 2

struct stamp {
	uint64_t v; /* FNV-1a of what was added */
	int64_t newest_s;
};

static void
mix(struct stamp *s, uint64_t v)
{
	for (unsigned i = 0; i < 64; i += 8)
		s->v = (s->v ^ (v >> i & 0xff)) * UINT64_C(0x100000001b3);
}

static void
add_file(struct stamp *s, int dirfd, const char *path, bool log)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, 0) != 0) {
		mix(s, 0);
		return;
	}
	mix(s, (uint64_t)st.st_ino);
	mix(s, (uint64_t)st.st_size);
	mix(s, (uint64_t)st.st_mtim.tv_sec);
	mix(s, (uint64_t)st.st_mtim.tv_nsec);
	/* A log only grows. */
	if (!log && st.st_mtim.tv_sec > s->newest_s)
		s->newest_s = st.st_mtim.tv_sec;
}

static uint64_t
value(const struct stamp *s)
{
	if (s->newest_s > clock_s(NULL) - YOUNG_S)
		return STORE_STAMP_YOUNG;
	return s->v == STORE_STAMP_YOUNG ? 1 : s->v;
}

uint64_t
store_list_stamp(const struct store *st)
{
	struct stamp s = { 0 };

	add_file(&s, st->maildir_fd, ".", false);
	add_file(&s, st->maildir_fd, "subscriptions", false);
	return value(&s);
}

uint64_t
store_mailbox_stamp(const struct store *st, struct slice mailbox)
{
	static const char *const dirs[] = { "new", "cur" };
	char folder[LAYOUT_NAME], path[2 * LAYOUT_NAME];
	struct stamp s = { 0 };

	if (layout_folder(mailbox, folder, NULL) < 0)
		return STORE_STAMP_YOUNG;
	snprintf(path, sizeof(path), "%s/" INDEX_PAIR ".log", folder);
	add_file(&s, st->maildir_fd, path, true);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, dirs[i]);
		add_file(&s, st->maildir_fd, path, false);
	}
	return value(&s);
}

uint64_t
store_metadata_stamp(const struct store *st, struct slice mailbox)
{
	char folder[LAYOUT_NAME], path[2 * LAYOUT_NAME];
	struct stamp s = { 0 };

	if (mailbox.n == 0)
		add_file(&s, st->fd, METADATA_ACCOUNT_FILE, false);
	else if (layout_folder(mailbox, folder, NULL) == 0) {
		snprintf(path, sizeof(path), "%s/" METADATA_FILE, folder);
		add_file(&s, st->maildir_fd, path, false);
	}
	return value(&s);
}

static const char log_name[] = INDEX_PAIR ".log";

const char *const store_look_names[] = { "new", "cur", log_name, METADATA_FILE,
	METADATA_ACCOUNT_FILE, "subscriptions", NULL };

int
store_folder_fd(const struct store *st)
{
	return st->fd;
}

void
store_put_folder(struct slice mailbox, struct buf *b)
{
	char folder[LAYOUT_NAME];

	if (mailbox.n == 0)
		buf_addz(b, ".");
	else if (layout_folder(mailbox, folder, NULL) == 0) {
		buf_addz(b, "Maildir/");
		buf_addz(b, folder);
	} else
		return;
	buf_addc(b, '\0');
}

uint64_t
store_mailbox_identity(const struct store *st, struct slice mailbox)
{
	char folder[LAYOUT_NAME];
	struct stamp s = { 0 };
	struct statx x;

	if (layout_folder(mailbox, folder, NULL) < 0 ||
	    statx(st->maildir_fd, folder, 0, STATX_INO | STATX_BTIME, &x) != 0)
		return 0;
	mix(&s, x.stx_dev_major);
	mix(&s, x.stx_dev_minor);
	mix(&s, x.stx_ino);
	if (x.stx_mask & STATX_BTIME) {
		mix(&s, (uint64_t)x.stx_btime.tv_sec);
		mix(&s, x.stx_btime.tv_nsec);
	}
	return s.v ? s.v : 1;
}
