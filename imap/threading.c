#include "imap/threading.h"

#include <stdlib.h>

#include "base/map.h"

/* ---- trees ---- */

/* The root of all is a node with neither message nor parent. */
static void
adopt(struct thread_node *parent, struct thread_node *child)
{
	child->parent = parent;
	child->prev = NULL;
	child->next = parent->child;
	if (child->next)
		child->next->prev = child;
	parent->child = child;
}

static void
leave(struct thread_node *n)
{
	if (!n->parent)
		return;
	if (n->prev)
		n->prev->next = n->next;
	else
		n->parent->child = n->next;
	if (n->next)
		n->next->prev = n->prev;
	n->parent = n->next = n->prev = NULL;
}

static struct thread_node *
new_node(struct arena *arena, const struct thread_message *m)
{
	struct thread_node *n = arena_alloc(arena, sizeof(*n));

	n->m = m;
	if (m) {
		n->when = m->sent;
		n->number = m->number;
	}
	return n;
}

static int
by_age(const void *a, const void *b)
{
	const struct thread_node *x = *(struct thread_node *const *)a;
	const struct thread_node *y = *(struct thread_node *const *)b;

	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

struct sorter {
	struct thread_node **v;
	size_t size;
};

static void
sort_children(struct sorter *s, struct thread_node *parent)
{
	size_t n = 0;

	for (struct thread_node *c = parent->child; c; c = c->next) {
		if (n == s->size) {
			s->size = s->size ? 2 * s->size : 64;
			s->v = xreallocarray(s->v, s->size, sizeof(*s->v));
		}
		s->v[n++] = c;
	}
	if (n < 2)
		return;
	qsort(s->v, n, sizeof(*s->v), by_age);
	for (size_t i = 0; i < n; i++) {
		s->v[i]->prev = i ? s->v[i - 1] : NULL;
		s->v[i]->next = i + 1 < n ? s->v[i + 1] : NULL;
	}
	parent->child = s->v[0];
}

/* The next of all below top, parents first; NULL at the end. */
static struct thread_node *
walk(const struct thread_node *top, struct thread_node *n)
{
	if (n->child)
		return n->child;
	while (n != top && !n->next)
		n = n->parent;
	return n == top ? NULL : n->next;
}

/* A dummy counts as its first child does. */
static void
date_dummy(struct thread_node *n)
{
	if (n->m || !n->child)
		return;
	n->when = n->child->when;
	n->number = n->child->number;
}

/* ---- steps of REFERENCES ---- */

struct threading {
	struct arena *arena;
	struct map *ids;
	struct thread_node root;
	struct sorter sorter;
};

/* Is above n, or above one of its parents? When that is not known, yes. */
static bool
is_above(const struct thread_node *above, const struct thread_node *n)
{
	int depth = 0;

	for (; n; n = n->parent)
		if (n == above || ++depth > THREAD_DEPTH_MAX)
			return true;
	return false;
}

/* Who has no children is above nobody. */
static bool
makes_loop(const struct thread_node *parent, const struct thread_node *child)
{
	return parent == child || (child->child && is_above(child, parent));
}

static struct thread_node *
node_of_id(struct threading *t, struct slice id)
{
	struct thread_node *n = map_get(t->ids, id);

	if (!n) {
		n = new_node(t->arena, NULL);
		map_set(t->ids, id, n);
	}
	return n;
}

/* The node of a message; of those with one id the first has it. */
static struct thread_node *
node_of_message(struct threading *t, const struct thread_message *m)
{
	struct thread_node *n = m->id.n ? node_of_id(t, m->id) : NULL;

	if (!n || n->m)
		return new_node(t->arena, m);
	n->m = m;
	n->when = m->sent;
	n->number = m->number;
	return n;
}

/* (1) */
static void
link_message(struct threading *t, struct thread_node *n)
{
	struct slice rest = n->m->refs, id;
	struct thread_node *last = NULL;

	while (slice_next(&rest, ' ', &id)) {
		struct thread_node *ref;
		if (!id.n)
			continue;
		ref = node_of_id(t, id);
		if (last && !ref->parent && !makes_loop(last, ref))
			adopt(last, ref);
		last = ref;
	}
	leave(n);
	if (last && !makes_loop(last, n))
		adopt(last, n);
}

/* (2), for all nodes there are */
static void
gather(struct threading *t, struct thread_node *n)
{
	if (!n->parent)
		adopt(&t->root, n);
}

/* (3), one dummy: its children take its place, but many do not become threads
 * of their own. */
static void
prune(struct threading *t, struct thread_node *n)
{
	struct thread_node *parent = n->parent, *c;

	if (n->m || (parent == &t->root && n->child && n->child->next))
		return;
	while ((c = n->child) != NULL) {
		leave(c);
		adopt(parent, c);
	}
	leave(n);
}

static void
link_all(struct threading *t, const struct thread_message *v, size_t n)
{
	struct thread_node **nodes = arena_array(t->arena, n, sizeof(*nodes));
	struct slice id;
	void *node;

	for (size_t i = 0; i < n; i++)
		nodes[i] = node_of_message(t, &v[i]);
	for (size_t i = 0; i < n; i++)
		link_message(t, nodes[i]);
	for (size_t i = 0; i < n; i++)
		gather(t, nodes[i]);
	for (size_t i = 0; map_next(t->ids, &i, &id, &node);)
		gather(t, node);
}

static void
prune_all(struct threading *t)
{
	struct thread_node *n = &t->root, *next;

	/* From the leaves up: down to the first leaf, then siblings, parents. */
	while (n->child)
		n = n->child;
	while (n != &t->root) {
		struct thread_node *parent = n->parent;
		next = n->next;
		prune(t, n);
		n = next ? next : parent;
		while (next && n->child)
			n = n->child;
	}
}

/* (4) and (6) */
static void
sort_all(struct threading *t)
{
	struct thread_node *n;

	for (n = &t->root; n; n = walk(&t->root, n))
		if (n != &t->root)
			sort_children(&t->sorter, n);
	for (n = t->root.child; n; n = n->next)
		date_dummy(n);
	sort_children(&t->sorter, &t->root);
}

/* ---- (5), threads with the same subject ---- */

static const struct thread_message *
speaker(const struct thread_node *n)
{
	return n->m ? n->m : n->child->m;
}

static void
enter_subject(struct map *subjects, struct thread_node *n)
{
	const struct thread_message *m = speaker(n);
	struct thread_node *old;

	if (!m->subject.n)
		return;
	old = map_get(subjects, m->subject);
	if (!old || (old->m && (!n->m || (old->m->reply && !n->m->reply))))
		map_set(subjects, m->subject, n);
}

static void
merge_subject(struct threading *t, struct map *subjects, struct thread_node *n)
{
	struct slice subject = speaker(n)->subject;
	struct thread_node *first, *both;

	first = subject.n ? map_get(subjects, subject) : n;
	if (first == n)
		return;
	leave(n);
	if (!first->m && !n->m) {
		while (n->child) {
			struct thread_node *c = n->child;
			leave(c);
			adopt(first, c);
		}
	} else if (!first->m || (n->m && n->m->reply && !first->m->reply))
		adopt(first, n);
	else {
		both = new_node(t->arena, NULL);
		leave(first);
		adopt(both, first);
		adopt(both, n);
		adopt(&t->root, both);
		map_set(subjects, subject, both);
	}
}

static void
merge_subjects(struct threading *t)
{
	struct map *subjects = map_new();
	struct thread_node **v, *n;
	size_t count = 0, i = 0;

	for (n = t->root.child; n; n = n->next) {
		enter_subject(subjects, n);
		count++;
	}
	v = arena_array(t->arena, count, sizeof(struct thread_node *));
	for (n = t->root.child; n; n = n->next)
		v[i++] = n;
	for (i = 0; i < count; i++)
		merge_subject(t, subjects, v[i]);
	map_free(&subjects);
}

/* ---- algorithms ---- */

static void
references(struct threading *t, const struct thread_message *v, size_t n)
{
	t->ids = map_new();
	link_all(t, v, n);
	prune_all(t);
	sort_all(t);
	map_free(&t->ids);
}

/* Threads of REFS are as old as their newest message. */
static void
sort_by_newest(struct threading *t)
{
	for (struct thread_node *n = t->root.child; n; n = n->next) {
		int64_t newest = n->when;
		for (struct thread_node *c = n; c; c = walk(n, c))
			if (c->when > newest)
				newest = c->when;
		n->when = newest;
	}
	sort_children(&t->sorter, &t->root);
}

static int
by_subject(const void *a, const void *b)
{
	const struct thread_message *x = *(struct thread_message *const *)a;
	const struct thread_message *y = *(struct thread_message *const *)b;
	int c = slice_cmp(x->subject, y->subject);

	if (c != 0)
		return c;
	if (x->sent != y->sent)
		return x->sent < y->sent ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void
ordered_subject(struct threading *t, const struct thread_message *v, size_t n)
{
	const struct thread_message **sorted =
	    arena_array(t->arena, n, sizeof(*sorted));
	struct thread_node *first = NULL, *node;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &v[i];
	qsort(sorted, n, sizeof(*sorted), by_subject);
	for (size_t i = 0; i < n; i++) {
		node = new_node(t->arena, sorted[i]);
		if (first && slice_eq(first->m->subject, node->m->subject)) {
			adopt(first, node);
			continue;
		}
		first = node;
		adopt(&t->root, first);
	}
	sort_all(t);
}

struct thread_node *
imap_thread(struct arena *arena, enum thread_algorithm algorithm,
    const struct thread_message *v, size_t n)
{
	/* Nodes point to their root, so it lives as long as they do. */
	struct threading *t = arena_alloc(arena, sizeof(*t));

	t->arena = arena;
	switch (algorithm) {
	case THREAD_ORDEREDSUBJECT:
		ordered_subject(t, v, n);
		break;
	case THREAD_REFERENCES:
		references(t, v, n);
		merge_subjects(t);
		sort_all(t);
		break;
	case THREAD_REFS:
		references(t, v, n);
		sort_by_newest(t);
		break;
	}
	free(t->sorter.v);
	return t->root.child;
}

/* ---- as text ---- */

static bool
is_alone(const struct thread_node *n)
{
	return !n->next && !n->prev;
}

/* Up from a leaf, closing lists, to where it goes on with another one; NULL at
 * the end of the thread. */
static const struct thread_node *
climb(struct buf *b, const struct thread_node *top, const struct thread_node *n)
{
	while (n != top) {
		if (!is_alone(n))
			buf_addc(b, ')');
		if (n->next) {
			buf_addc(b, '(');
			return n->next;
		}
		n = n->parent;
	}
	return NULL;
}

void
imap_put_threads(struct buf *b, const struct thread_node *first,
    uint32_t (*number_of)(void *ctx, const struct thread_message *m), void *ctx)
{
	const struct thread_node *n;

	for (const struct thread_node *top = first; top; top = top->next) {
		buf_addc(b, '(');
		for (n = top; n;) {
			if (n->m)
				buf_addu(b, number_of(ctx, n->m));
			if (!n->child) {
				n = climb(b, top, n);
				continue;
			}
			if (n->m)
				buf_addc(b, ' ');
			n = n->child;
			if (!is_alone(n))
				buf_addc(b, '(');
		}
		buf_addc(b, ')');
	}
}
