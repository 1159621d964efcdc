/*
 * append - taking the messages of APPEND and REPLACE as the client sends them,
 * whole or put together from others (CATENATE).
 *
 * The reader stops before the literal with a message, so that its bytes go
 * straight into a spool and memory does not grow with it; each is a synced file
 * in tmp/ before the next one comes. All become messages together, or none.
 */
#ifndef IMAP_APPEND_H
#define IMAP_APPEND_H

#include "imap/box.h"
#include "imap/imap.h"

struct imap_append {
	struct imap_box box; /* target, of imap_box_target */
	bool many;           /* several messages may come: RFC 3502 */
	/* Bytes that are freed by what the command does next: quotas count the
	 * difference (RFC 8508, 3.4). */
	uint64_t freed;
};

/*
 * Take the messages, of which c->p has what stands before the first literal, at
 * the space behind the mailbox. IMAP_OK: they are durable, and *result_r says
 * as what, in the session's arena, *n_r how many. Otherwise none is there, and
 * the result is that of the command.
 */
enum imap_result imap_append(struct imap_session *s, struct imap_command *c,
    const struct imap_append *a, struct mailbox_new_result *result_r,
    size_t *n_r);

/* Does a command with this text leave its next literal to imap_append? For
 * imap_reader.streams. */
bool imap_append_streams(struct slice text);

#endif
