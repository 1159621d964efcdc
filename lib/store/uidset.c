#include <string.h>

#include "base/scan.h"
#include "store/uidset.h"

/* Index of the first range that ends at or behind uid; s->n if none does. */
static size_t
find(const struct uidset *s, uint32_t uid)
{
	size_t lo = 0, hi = s->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (s->v[mid].last < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Put drop ranges at i out and leave room for put ones. */
static void
splice(struct uidset *s, size_t i, size_t drop, size_t put)
{
	size_t n = s->n - drop + put, size = s->size ? s->size : 4;

	if (n > s->size) {
		while (size < n)
			size *= 2;
		s->v = arena_grow(s->arena, s->v, s->n, size, sizeof(*s->v));
		s->size = size;
	}
	if (s->n > i + drop)
		memmove(s->v + i + put, s->v + i + drop,
		    (s->n - i - drop) * sizeof(*s->v));
	s->n = n;
}

void
uidset_add(struct uidset *s, uint32_t first, uint32_t last)
{
	size_t i = s->n, j;

	if (i > 0 && first <= s->v[i - 1].last) /* not behind all of it */
		i = find(s, first);
	if (i > 0 && s->v[i - 1].last == first - 1)
		i--; /* grows the one before */
	for (j = i;
	     j < s->n && (s->v[j].first <= last || s->v[j].first == last + 1);
	     j++) {
		if (s->v[j].first < first)
			first = s->v[j].first;
		if (s->v[j].last > last)
			last = s->v[j].last;
	}
	if (j != i + 1)
		splice(s, i, j - i, 1);
	s->v[i] = (struct uidrange){ first, last };
}

void
uidset_add_set(struct uidset *s, const struct uidset *other)
{
	for (size_t i = 0; i < other->n; i++)
		uidset_add(s, other->v[i].first, other->v[i].last);
}

void
uidset_remove(struct uidset *s, uint32_t first, uint32_t last)
{
	struct uidrange keep[2], *r;
	size_t i = find(s, first), j, n = 0;

	for (j = i; j < s->n && s->v[j].first <= last; j++) {
		r = &s->v[j];
		if (r->first < first)
			keep[n++] = (struct uidrange){ r->first, first - 1 };
		if (r->last > last)
			keep[n++] = (struct uidrange){ last + 1, r->last };
	}
	if (j == i)
		return;
	splice(s, i, j - i, n);
	memcpy(s->v + i, keep, n * sizeof(*keep));
}

bool
uidset_has(const struct uidset *s, uint32_t uid)
{
	size_t i = find(s, uid);

	return i < s->n && s->v[i].first <= uid;
}

uint64_t
uidset_count(const struct uidset *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += (uint64_t)s->v[i].last - s->v[i].first + 1;
	return n;
}

void
uidset_format(const struct uidset *s, struct buf *b)
{
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			buf_addc(b, ',');
		buf_addu(b, s->v[i].first);
		if (s->v[i].last == s->v[i].first)
			continue;
		buf_addc(b, ':');
		buf_addu(b, s->v[i].last);
	}
}

int
uidset_parse(struct uidset *s, struct slice text, size_t max_ranges,
    struct err *e)
{
	struct scan sc = scan_of(text);
	uint32_t first, last;

	if (text.n == 0)
		return 0;
	do {
		if (!scan_u32(&sc, &first) || first == 0)
			return err_set(e, ERR_SYNTAX, "bad set of UIDs");
		last = first;
		if (scan_char(&sc, ':') &&
		    (!scan_u32(&sc, &last) || last < first))
			return err_set(e, ERR_SYNTAX, "bad set of UIDs");
		uidset_add(s, first, last);
		if (s->n > max_ranges)
			return err_set(e, ERR_LIMIT, "too many UID ranges");
	} while (scan_char(&sc, ','));
	if (!scan_end(&sc))
		return err_set(e, ERR_SYNTAX, "bad set of UIDs");
	return 0;
}

struct uidwalk
uidset_walk(const struct uidset *s)
{
	return (struct uidwalk){ s, 0, 0 };
}

bool
uidset_step(struct uidwalk *w, uint32_t *uid_r)
{
	const struct uidrange *r;

	if (w->i >= w->s->n)
		return false;
	r = &w->s->v[w->i];
	if (w->next < r->first)
		w->next = r->first;
	*uid_r = (uint32_t)w->next++;
	if (w->next > r->last)
		w->i++;
	return true;
}
