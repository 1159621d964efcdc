/*
 * text_int - what textfind.c, textbuild.c and textmerge.c share: the segments
 * of a mailbox.
 */
#ifndef STORE_TEXT_INT_H
#define STORE_TEXT_INT_H

#include "store/index.h"
#include "store/text.h"
#include "store/textseg.h"

/* Segments are mox.text.FIRST-LAST by UID; the lease of who makes them. */
#define TEXT_PREFIX "mox.text."
#define TEXT_LOCK "mox.text.lock"
#define TEXT_NAME 48

/*
 * The segments of a mailbox that make sense: those of its UIDVALIDITY, open, by
 * UID; a segment within another one is not among them.
 */
struct text_files {
	struct text_file {
		char name[TEXT_NAME];
		struct textseg seg;
	} * v;
	size_t n;
	uint64_t bytes; /* of all */
	bool stale;     /* there are files that are not among them */
};

/*
 * Damaged files are removed, and that is logged. clean: those that are not
 * needed, too, which is for the holder of the lease. 0 or -1.
 */
int text_files_open(struct text_files *f, struct mailbox *mb, bool clean,
    struct err *e);
void text_files_close(struct text_files *f);
void text_remove(const struct mailbox *mb, const char *name);
void text_name(uint32_t first, uint32_t last, char name_r[TEXT_NAME]);

/* A damaged segment, met while it was read: remove it. */
void text_damaged(const struct mailbox *mb, const struct text_file *file);

/*
 * Under the lease: merge segments while there are several of about one size
 * (all: and rewrite those that have mostly messages that are gone), keep below
 * the limit of bytes by removing the oldest. Stops, with nothing half-done, when goes_on says no. 0 or -1.
 */
int text_merge(struct mailbox *mb, bool all, mailbox_text_goes_on *goes_on,
    void *ctx, struct err *e);

#endif
