/*
 * thread - message ids and base subjects: what joins mail into threads.
 */
#ifndef MESSAGE_THREAD_H
#define MESSAGE_THREAD_H

#include "base/arena.h"
#include "base/buf.h"

/*
 * The next message id of *rest, the value of References, In-Reply-To or
 * Message-ID: what stands between < and >, white space removed; words
 * between ids are skipped. False when there is none.
 */
bool thread_next_id(struct slice *rest, struct slice *id_r);

/* Canonical form appended: without <>, lower case, local part unquoted, white
 * space out; as it is if it does not look like an address. */
void thread_canonical_id(struct buf *out, struct slice id);

/*
 * RFC 5256, 2.1: base subject of a decoded subject (UTF-8) appended, folded by
 * unicode_fold, so that equal ones are equal bytes. Returns whether it was a reply or forward.
 */
bool thread_base_subject(struct buf *out, struct slice subject);

#endif
