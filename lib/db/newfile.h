/*
 * newfile - new content: written under another name, synced, then put in
 * place whole.
 *
 * A crash leaves the old content or the new, and perhaps a `.NAME.XXXX.tmp`,
 * which db_tmp_sweep removes. Names are relative to a folder's descriptor.
 */
#ifndef DB_NEWFILE_H
#define DB_NEWFILE_H

#include <limits.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

/* ---- small files in one call ---- */

/*
 * Write, sync, rename over name, sync the folder. Durable when it returns 0;
 * on -1 the old content is there (or, if only the last sync failed, the new,
 * which a power cut may take back).
 */
int db_write_file(int dirfd, const char *name, struct slice content,
    mode_t mode, struct err *e);

/* The same, but never replaces: 1 made, 0 the name exists, -1. */
int db_create_file(int dirfd, const char *name, struct slice content,
    mode_t mode, struct err *e);

/* ---- in steps ---- */

struct db_newfile {
	int dirfd;
	int fd; /* for writing; -1 when there is no new file */
	char tmp[NAME_MAX + 1];
};

#define DB_NEWFILE_INIT \
	{ \
		-1, -1, "" \
	}

/* Make an empty temporary file for name in dirfd, which must stay open. */
int db_newfile_begin(struct db_newfile *f, int dirfd, const char *name,
    mode_t mode, struct err *e);
/* Sync the content. */
int db_newfile_sync(struct db_newfile *f, struct err *e);
/* Rename it over name. The folder is not synced. */
int db_newfile_replace(struct db_newfile *f, const char *name, struct err *e);
/* Rename it to name, never replacing: 1, or 0 if the name exists, or -1. */
int db_newfile_link(struct db_newfile *f, const char *name, struct err *e);
/* Close it, and remove it unless it was put in place. Always called. */
void db_newfile_end(struct db_newfile *f);

/* Remove `.*.tmp` files of dirfd that are older than age_s seconds. */
int db_tmp_sweep(int dirfd, int age_s, struct err *e);

/* ---- names: the system calls with an err ----
 * They do not sync. Lookups: 1 done, 0 as each says, -1 with e set. */

/* 0: the source is gone. Replaces the target. */
int db_rename(int from_dirfd, const char *from, int to_dirfd, const char *to,
    struct err *e);
/* Rename, never replacing. 0: the source is gone or the target exists
 * (errno says which: ENOENT, EEXIST). */
int db_move(int from_dirfd, const char *from, int to_dirfd, const char *to,
    struct err *e);
/* As db_move, keeping the source. errno EMLINK, EXDEV after -1: copy. */
int db_link(int from_dirfd, const char *from, int to_dirfd, const char *to,
    struct err *e);
/* 0: it was not there. */
int db_unlink(int dirfd, const char *name, struct err *e);

#endif
