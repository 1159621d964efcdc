/* metrics - counters by name in a shared file. */
#include "limit/metrics.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/slice.h"
#include "limit/mapfile.h"

#define MAGIC "mox counters 1\n"

/* A slot is claimed, then named, then ready. One whose process was killed
 * between is lost, which costs nothing but the slot. */
enum { FREE, CLAIMED, READY };

struct slot {
	_Atomic uint32_t state;
	uint32_t n; /* bytes of the name */
	char name[METRICS_NAME];
	metrics_counter value;
};

struct metrics {
	struct mapfile_head head;
	struct slot slots[METRICS_SLOTS];
};

static metrics_counter nobody; /* counts what cannot be kept */

static bool
is_named(const struct slot *s, struct slice name)
{
	return atomic_load(&s->state) == READY && s->n == name.n &&
	    memcmp(s->name, name.p, name.n) == 0;
}

metrics_counter *
metrics_get(struct metrics *m, const char *name)
{
	struct slice want = slice_str(name);

	for (size_t i = 0;
	     m != NULL && want.n <= METRICS_NAME && i < METRICS_SLOTS; i++) {
		struct slot *s = &m->slots[i];
		uint32_t state = FREE;
		if (is_named(s, want))
			return &s->value;
		if (!atomic_compare_exchange_strong(&s->state, &state, CLAIMED))
			continue;
		memcpy(s->name, want.p, want.n);
		s->n = (uint32_t)want.n;
		atomic_store(&s->state, READY);
		return &s->value;
	}
	return &nobody;
}

static int
by_name(const void *a, const void *b)
{
	const struct slot *const *x = a, *const *y = b;

	return slice_cmp(slice_of((*x)->name, (*x)->n),
	    slice_of((*y)->name, (*y)->n));
}

void
metrics_print(struct metrics *m, struct buf *out)
{
	const struct slot *ready[METRICS_SLOTS];
	size_t n = 0;

	for (size_t i = 0; m != NULL && i < METRICS_SLOTS; i++)
		if (atomic_load(&m->slots[i].state) == READY &&
		    m->slots[i].n <= METRICS_NAME)
			ready[n++] = &m->slots[i];
	/* cppcheck-suppress uninitvar */
	qsort(ready, n, sizeof(*ready), by_name);
	for (size_t i = 0; i < n; i++) {
		uint64_t sum = atomic_load(&ready[i]->value);
		/* Two processes may have made the same counter at once. */
		while (i + 1 < n && by_name(&ready[i], &ready[i + 1]) == 0)
			sum += atomic_load(&ready[++i]->value);
		buf_add(out, slice_of(ready[i]->name, ready[i]->n));
		buf_addc(out, ' ');
		buf_addu(out, sum);
		buf_addc(out, '\n');
	}
}

struct metrics *
metrics_open(const char *path, struct err *e)
{
	return mapfile_open(path, MAGIC, sizeof(struct metrics), e);
}

void
metrics_close(struct metrics **m)
{
	if (*m != NULL)
		munmap(*m, sizeof(**m));
	*m = NULL;
}
