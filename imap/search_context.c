/*
 * search_context - results that are kept up to date (RFC 5267, 4.3).
 *
 * A context has the program, parsed anew into memory of its own, and the UIDs
 * it found, in order. A change gives a message a higher modseq: those above what
 * was looked at last are matched again. What messages are sorted by never
 * changes, so those that stay keep their order.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "imap/fetch.h"
#include "imap/sort.h"

struct search_context {
	struct search_context *next;
	struct arena *arena;
	struct slice tag;
	bool uid;
	bool sorted;
	struct sort sort;
	struct search search;
	struct slice fetch; /* of new messages (RFC 5465, 7) */
	uint32_t uidnext;   /* below it messages are not new */
	uint64_t modseq;    /* messages up to here have been matched */
	uint32_t *uids;     /* in the order of the result */
	uint32_t n, size;
};

bool
imap_context_has(const struct imap_session *s, struct slice tag)
{
	for (const struct search_context *c = s->contexts; c; c = c->next)
		if (slice_eq(c->tag, tag))
			return true;
	return false;
}

static void
context_free(struct search_context *c)
{
	arena_free(&c->arena);
	free(c->uids);
	free(c);
}

void
imap_contexts_free(struct imap_session *s)
{
	struct search_context *c;

	while ((c = s->contexts) != NULL) {
		s->contexts = c->next;
		context_free(c);
	}
}

/* ---- begin and cancel ---- */

static uint64_t
highest_modseq(const struct mailbox *mb)
{
	uint64_t modseq = 0;

	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++)
		if (mailbox_msg(mb, seq)->modseq > modseq)
			modseq = mailbox_msg(mb, seq)->modseq;
	return modseq;
}

static void
set_result(struct search_context *c, const struct mailbox *mb,
    const struct search_found *found)
{
	if (found->count > c->size) {
		c->size = 2 * found->count;
		c->uids = xreallocarray(c->uids, c->size, sizeof(*c->uids));
	}
	c->n = found->count;
	for (uint32_t i = 0; i < found->count; i++)
		c->uids[i] = mailbox_msg(mb, found->seqs[i])->uid;
}

/* It was parsed before, so it can be again. */
static bool
parse_again(struct imap_session *s, struct search_context *c,
    struct slice program, bool utf8)
{
	struct imap_parse p = { .sc = scan_of(arena_dup(c->arena, program)),
		.arena = c->arena,
		.utf8 = utf8 };
	struct arena *arena = s->arena;
	bool ok;

	s->arena = c->arena;
	ok = c->sorted ? imap_search_criteria(s, &p, &c->search)
		       : imap_search_program(s, &p, &c->search);
	s->arena = arena;
	return ok;
}

void
imap_context_begin(struct imap_session *s, const struct imap_command *cmd,
    struct slice program, struct slice fetch, const struct sort *sort,
    const struct search_found *found)
{
	struct search_context *c, **last = &s->contexts;
	unsigned count = 0;

	for (; *last; last = &(*last)->next)
		count++;
	c = xcalloc(1, sizeof(*c));
	c->arena = arena_new(0);
	c->tag = arena_dup(c->arena, cmd->tag);
	c->uid = cmd->uid;
	c->sorted = sort != NULL;
	if (sort)
		c->sort = *sort;
	if (count == SEARCH_CONTEXTS_MAX ||
	    !parse_again(s, c, program, cmd->p.utf8)) {
		buf_addz(&s->out, "* NO [NOUPDATE ");
		imap_put_string(&s->out, cmd->tag);
		buf_addz(&s->out, "] too many contexts\r\n");
		context_free(c);
		return;
	}
	c->fetch = arena_dup(c->arena, fetch);
	c->uidnext = mailbox_uidnext(s->mb);
	c->modseq = highest_modseq(s->mb);
	set_result(c, s->mb, found);
	*last = c;
}

/* False if there is none of that tag. */
static bool
cancel(struct imap_session *s, struct slice tag)
{
	struct search_context **at = &s->contexts, *c;

	for (; (c = *at) != NULL; at = &c->next)
		if (slice_eq(c->tag, tag)) {
			*at = c->next;
			context_free(c);
			return true;
		}
	return false;
}

/* CANCELUPDATE (RFC 5267, 4.3.5) */
enum imap_result
imap_cmd_cancelupdate(struct imap_session *s, struct imap_command *c)
{
	struct slice tag = SLICE_NULL;
	bool known = true;

	while (imap_char(&c->p, ' ')) {
		if (!imap_string(&c->p, &tag))
			return imap_bad_args(c);
		known &= cancel(s, tag);
	}
	if (!tag.p || !imap_end(&c->p))
		return imap_bad_args(c);
	return known ? IMAP_OK : imap_no(c, NULL, "no updates of that tag");
}

/* ---- telling ---- */

static void
tell_begin(struct imap_session *s, const struct search_context *c,
    const char *what)
{
	buf_addz(&s->out, "* ESEARCH (TAG ");
	imap_put_string(&s->out, c->tag);
	buf_addf(&s->out, ")%s %s (", c->uid ? " UID" : "", what);
}

/* Numbers of a result in mailbox order, whose positions need not be told. */
static void
tell_set(struct imap_session *s, const struct search_context *c,
    const char *what, const uint32_t *numbers, uint32_t n)
{
	if (n == 0)
		return;
	tell_begin(s, c, what);
	buf_addz(&s->out, "0 ");
	imap_put_uids(&s->out, numbers, n);
	buf_addz(&s->out, ")\r\n");
}

/* ---- what goes ---- */

struct leaving {
	const uint32_t *uids, *numbers; /* ascending; as they are told */
	uint32_t n;
};

static uint32_t
find(const struct leaving *l, uint32_t uid)
{
	uint32_t lo = 0, hi = l->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (l->uids[mid] < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && l->uids[lo] == uid ? lo : l->n;
}

/* From the end, so that positions of those before stay as they are. */
static void
tell_removed_sorted(struct imap_session *s, const struct search_context *c,
    const struct leaving *l)
{
	bool any = false;

	for (uint32_t i = c->n; i > 0; i--) {
		uint32_t k = find(l, c->uids[i - 1]);
		if (k == l->n)
			continue;
		if (any)
			buf_addc(&s->out, ' ');
		else
			tell_begin(s, c, "REMOVEFROM");
		buf_addf(&s->out, "%u %u", i, l->numbers[k]);
		any = true;
	}
	if (any)
		buf_addz(&s->out, ")\r\n");
}

static void
tell_removed(struct imap_session *s, const struct search_context *c,
    const struct leaving *l)
{
	uint32_t *numbers = arena_array(s->arena, l->n, sizeof(*numbers));
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		uint32_t k = find(l, c->uids[i]);
		if (k < l->n)
			numbers[n++] = l->numbers[k];
	}
	tell_set(s, c, "REMOVEFROM", numbers, n);
}

static void
remove_from(struct imap_session *s, struct search_context *c,
    const struct leaving *l)
{
	uint32_t n = 0;

	if (l->n == 0)
		return;
	if (c->sorted)
		tell_removed_sorted(s, c, l);
	else
		tell_removed(s, c, l);
	for (uint32_t i = 0; i < c->n; i++)
		if (find(l, c->uids[i]) == l->n)
			c->uids[n++] = c->uids[i];
	c->n = n;
}

void
imap_contexts_expunged(struct imap_session *s, const uint32_t *seqs, size_t n,
    const struct uidset *uids)
{
	uint32_t *list, *numbers, uid;
	struct leaving l = { .n = 0 };
	struct uidwalk w = uidset_walk(uids);

	if (!s->contexts)
		return;
	list = arena_array(s->arena, n, sizeof(*list));
	numbers = arena_array(s->arena, n, sizeof(*numbers));
	for (; l.n < n && uidset_step(&w, &uid); l.n++) {
		list[l.n] = uid;
		numbers[l.n] = seqs[n - 1 - l.n];
	}
	l.uids = list;
	for (struct search_context *c = s->contexts; c; c = c->next) {
		l.numbers = c->uid ? list : numbers;
		remove_from(s, c, &l);
	}
}

/* ---- what comes ---- */

/* What changed: messages that match and those that do not, ascending. */
struct changes {
	struct search_found in, out;
};

static int
match_changed(struct imap_session *s, struct search_context *c,
    struct changes *ch, struct err *e)
{
	uint32_t count = mailbox_count(s->mb);
	uint64_t highest = c->modseq;

	ch->in.seqs = arena_array(s->arena, count, sizeof(uint32_t));
	ch->out.seqs = arena_array(s->arena, count, sizeof(uint32_t));
	for (uint32_t seq = 1; seq <= count; seq++) {
		uint64_t modseq = mailbox_msg(s->mb, seq)->modseq;
		struct search_found *to;
		int rc;
		if (modseq <= c->modseq)
			continue;
		rc = imap_search_match(s->mb, &c->search, seq, NULL, e);
		if (rc < 0)
			return -1;
		to = rc ? &ch->in : &ch->out;
		to->seqs[to->count++] = seq;
		if (modseq > highest)
			highest = modseq;
	}
	c->modseq = highest;
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
remove_changed(struct imap_session *s, struct search_context *c,
    const struct search_found *out)
{
	uint32_t *uids = arena_array(s->arena, out->count, sizeof(*uids));
	struct leaving l = { uids, c->uid ? uids : out->seqs, out->count };

	for (uint32_t i = 0; i < out->count; i++)
		uids[i] = mailbox_msg(s->mb, out->seqs[i])->uid;
	remove_from(s, c, &l);
}

/* Each at its place in the result as it will be, from the first on. */
static void
tell_added_sorted(struct imap_session *s, const struct search_context *c,
    const struct search_found *all, const struct leaving *before)
{
	bool any = false;

	for (uint32_t i = 0; i < all->count; i++) {
		uint32_t uid = mailbox_msg(s->mb, all->seqs[i])->uid;
		if (find(before, uid) < before->n)
			continue;
		if (any)
			buf_addc(&s->out, ' ');
		else
			tell_begin(s, c, "ADDTO");
		buf_addf(&s->out, "%u %u", i + 1, c->uid ? uid : all->seqs[i]);
		any = true;
	}
	if (any)
		buf_addz(&s->out, ")\r\n");
}

static void
tell_added(struct imap_session *s, const struct search_context *c,
    const struct search_found *in, const struct leaving *before)
{
	uint32_t *numbers = arena_array(s->arena, in->count, sizeof(*numbers));
	uint32_t n = 0;

	for (uint32_t i = 0; i < in->count; i++) {
		uint32_t uid = mailbox_msg(s->mb, in->seqs[i])->uid;
		if (find(before, uid) == before->n)
			numbers[n++] = c->uid ? uid : in->seqs[i];
	}
	tell_set(s, c, "ADDTO", numbers, n);
}

static int
add_changed(struct imap_session *s, struct search_context *c,
    const struct search_found *in, struct err *e)
{
	uint32_t *uids = arena_array(s->arena, c->n, sizeof(*uids));
	struct leaving before = { uids, uids, c->n };
	struct search_found all = { .seqs = arena_array(s->arena,
					(size_t)c->n + in->count,
					sizeof(uint32_t)) };

	if (c->n > 0)
		memcpy(uids, c->uids, c->n * sizeof(*uids));
	qsort(uids, c->n, sizeof(*uids), by_number);
	for (uint32_t i = 0; i < c->n; i++) {
		uint32_t seq = mailbox_seq(s->mb, uids[i]);
		if (seq)
			all.seqs[all.count++] = seq;
	}
	for (uint32_t i = 0; i < in->count; i++)
		if (find(&before, mailbox_msg(s->mb, in->seqs[i])->uid) ==
		    before.n)
			all.seqs[all.count++] = in->seqs[i];
	qsort(all.seqs, all.count, sizeof(*all.seqs), by_number);
	if (c->sorted && imap_sort(s, &c->sort, &all, e) < 0)
		return -1;
	if (c->sorted)
		tell_added_sorted(s, c, &all, &before);
	else
		tell_added(s, c, in, &before);
	set_result(c, s->mb, &all);
	return 0;
}

/* RFC 5465, 7: between EXISTS and ADDTO; not of those that flags brought. */
static void
tell_attributes(struct imap_session *s, struct search_context *c,
    const struct search_found *in)
{
	uint32_t n = 0;

	while (n < in->count &&
	    mailbox_msg(s->mb, in->seqs[in->count - n - 1])->uid >= c->uidnext)
		n++;
	if (c->fetch.n && n)
		imap_fetch_new(s, c->fetch, in->seqs + (in->count - n), n);
	c->uidnext = mailbox_uidnext(s->mb);
}

static int
update(struct imap_session *s, struct search_context *c, struct err *e)
{
	struct changes ch = { .in = { .count = 0 } };

	if (match_changed(s, c, &ch, e) < 0)
		return -1;
	tell_attributes(s, c, &ch.in);
	if (ch.out.count > 0)
		remove_changed(s, c, &ch.out);
	return ch.in.count > 0 ? add_changed(s, c, &ch.in, e) : 0;
}

void
imap_contexts_update(struct imap_session *s)
{
	struct err e = ERR_INIT;

	for (struct search_context *c = s->contexts; c; c = c->next)
		if (update(s, c, &e) < 0)
			log_line("imapserver", LOG_ERROR, "updating a search",
			    LOG_S("mailbox", mailbox_name(s->mb)), LOG_E(&e));
}
