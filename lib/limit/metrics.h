/*
 * metrics - counters by name in a file that all services of a host map
 * (run/counters).
 *
 * A name is as Prometheus has it, with labels:
 * mox_smtpserver_connection_total{kind="submission"}. Adding is one atomic
 * instruction. Counters start at 0 at boot.
 */
#ifndef LIMIT_METRICS_H
#define LIMIT_METRICS_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"

struct metrics;

typedef _Atomic uint64_t metrics_counter;

#define METRICS_NAME 112 /* longest name */
#define METRICS_SLOTS 1024

/* Map the file, making it if it is missing or of another version. NULL with
 * e; NULL is a file whose counters count for nobody. */
struct metrics *metrics_open(const char *path, struct err *e);
void metrics_close(struct metrics **m);

/*
 * The counter of that name, made if it is new. Never NULL: one that counts
 * for nobody if the file is full or the name too long. Look up once, keep.
 */
metrics_counter *metrics_get(struct metrics *m, const char *name);

static inline void
metrics_add(metrics_counter *c, uint64_t n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

/* All counters as "name value" lines, sorted, appended: the text format of
 * Prometheus. */
void metrics_print(struct metrics *m, struct buf *out);

#endif
