/* tlsrpt_int - what the files of lib/tlsrpt share. */
#ifndef TLSRPT_TLSRPT_INT_H
#define TLSRPT_TLSRPT_INT_H

#include "tlsrpt/tlsrpt.h"

/* The name of a domain's file of results. 0, or -1 with e: too long. */
int tlsrpt_file_name(struct slice domain, struct buf *name, struct err *e);

/* Take a line of it apart: how many sessions, and what happened (the rest of
 * the line). False if it is none. */
bool tlsrpt_line_count(struct slice line, uint64_t *n_r, struct slice *what_r);

/* Room for one more in an array that has n: v, or a larger copy when it is
 * full, which is when n is a power of two, or 0. */
void *tlsrpt_room(struct arena *arena, void *v, size_t n, size_t size);

#endif
