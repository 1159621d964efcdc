/*
 * Unit test of lib/store: thousands of random steps in two views and by a
 * foreign program, compared with a simple model after each.
 */
#include <sys/stat.h>

#include "base/log.h"
#include "store/index.h"
#include "t/scratch.h"

#define STEPS_DEFAULT 3000
#define MESSAGES_MAX 4000
#define LIVE_MAX 120

static struct store_env env = {
	.run_fd = -1, .hostname = "test", .file_mode = 0600
};
static struct store *st;
static struct rand rnd;
static struct arena *arena; /* one step */

#define MAILDIR "accounts/joe/Maildir/"

/* ---- the model ---- */

/* A message, known by its content, a number. */
struct model_msg {
	uint32_t uid; /* 0: no view has seen it yet (foreign) */
	uint16_t flags;
	bool gone;
};

static struct model_msg model[MESSAGES_MAX];
static size_t nmodel;

struct model_view {
	struct mailbox *mb;
	size_t *v; /* what it numbers, as positions in model */
	size_t n;
};

static struct model_view views[2];
static uint64_t last_modseq;
static uint32_t last_uid;

static unsigned
below(unsigned n)
{
	return (unsigned)rand_below(&rnd, n);
}

static size_t
live_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < nmodel; i++)
		n += !model[i].gone;
	return n;
}

/* A live message, or nmodel. */
static size_t
any_live(void)
{
	size_t n = live_count(), k;

	if (n == 0)
		return nmodel;
	k = below((unsigned)n);
	for (size_t i = 0; i < nmodel; i++)
		if (!model[i].gone && k-- == 0)
			return i;
	return nmodel;
}

static size_t
by_uid(uint32_t uid)
{
	size_t i = 0;

	while (i < nmodel && model[i].uid != uid)
		i++;
	return i;
}

static uint16_t
random_flags(void)
{
	uint32_t often = below(64), both = often & below(64);

	return (uint16_t)(both & STORE_FLAGS & 63);
}

static void
must(int rc, const char *what, const struct err *e)
{
	if (rc < 0) {
		UNIT_FAIL("%s: %s", what, e->text);
		exit(1);
	}
}

/* ---- comparing ---- */

static size_t
content_of(struct mailbox *mb, const struct store_msg *m)
{
	struct mailbox_reader *r;
	struct slice piece = SLICE_NULL;
	uint64_t n = UINT64_MAX;

	if (mailbox_read_open(&r, mb, m, NULL) != 1)
		return SIZE_MAX;
	if (mailbox_read(r, 100, &piece, NULL) == 1)
		slice_u64(slice_trim(piece), &n);
	mailbox_read_close(&r);
	return (size_t)n;
}

/* Which message is this? A foreign one is known by its content; if that went
 * before anybody saw it, by having gone. */
static size_t
identify(struct mailbox *mb, const struct store_msg *m)
{
	uint32_t uid = m->uid;
	size_t i = by_uid(uid);

	if (i < nmodel)
		return i;
	i = content_of(mb, m);
	if (i == SIZE_MAX)
		for (i = 0; i < nmodel; i++)
			if (model[i].uid == 0 && model[i].gone)
				break;
	if (i >= nmodel || model[i].uid != 0) {
		UNIT_FAIL("uid %u: unknown content", (unsigned)uid);
		exit(1);
	}
	model[i].uid = uid;
	if (uid > last_uid)
		last_uid = uid;
	return i;
}

/* What the view numbers is what the model says; flags are right now. */
static void
check_view(const struct model_view *v)
{
	struct mailbox_counts c, sum = { 0 };

	CHECK_EQ(mailbox_count(v->mb), v->n);
	for (uint32_t seq = 1; seq <= v->n && seq <= mailbox_count(v->mb);
	     seq++) {
		const struct store_msg *m = mailbox_msg(v->mb, seq);
		const struct model_msg *want = &model[v->v[seq - 1]];

		CHECK_EQ(m->uid, want->uid);
		CHECK_EQ(mailbox_seq(v->mb, m->uid), seq);
		CHECK_EQ((m->flags & STORE_EXPUNGED) != 0, want->gone);
		if (!want->gone)
			CHECK_EQ(m->flags, want->flags);
		index_count(&sum, m, true);
		if (!want->gone && (m->flags & STORE_SEEN) == 0 &&
		    sum.first_unseen == 0)
			sum.first_unseen = seq;
	}
	mailbox_counts(v->mb, &c);
	CHECK_EQ(c.messages, sum.messages);
	CHECK_EQ(c.unseen, sum.unseen);
	CHECK_EQ(c.deleted, sum.deleted);
	CHECK_EQ(c.size, sum.size);
	CHECK_EQ(c.first_unseen, sum.first_unseen);
}

static void
refresh(struct model_view *v)
{
	struct err e = ERR_INIT;

	v->mb->scan_at = v->mb->suspect_at = 0;
	must(mailbox_refresh(v->mb, &e), "refresh", &e);
}

/* New messages: foreign ones get to be known by their content. */
static void
take_new(struct model_view *v)
{
	struct err e = ERR_INIT;
	uint32_t first, count;

	must(mailbox_take_new(v->mb, &first, &e), "take new", &e);
	CHECK_EQ(first, v->n + 1);
	count = mailbox_count(v->mb);
	for (uint32_t seq = first; seq <= count; seq++) {
		v->v[v->n] = identify(v->mb, mailbox_msg(v->mb, seq));
		v->n++;
	}
}

static void
take_expunged(struct model_view *v)
{
	struct err e = ERR_INIT;
	uint32_t *seqs;
	size_t n;

	must(mailbox_take_expunged(v->mb, arena, &seqs, &n, NULL, &e),
	    "take expunged", &e);
	for (size_t i = 0; i < n; i++) {
		CHECK(seqs[i] >= 1 && seqs[i] <= v->n);
		CHECK(model[v->v[seqs[i] - 1]].gone);
		memmove(&v->v[seqs[i] - 1], &v->v[seqs[i]],
		    (v->n - seqs[i]) * sizeof(v->v[0]));
		v->n--;
	}
}

static void
take_flags(struct model_view *v)
{
	struct uidset uids = UIDSET_INIT(arena);
	struct err e = ERR_INIT;

	must(mailbox_take_flags(v->mb, &uids, &e), "take flags", &e);
	for (size_t i = 0; i < uids.n; i++)
		CHECK(by_uid(uids.v[i].first) < nmodel);
}

static void
check_modseq(uint64_t modseq)
{
	CHECK(modseq > last_modseq);
	last_modseq = modseq;
}

/* ---- steps of our programs ---- */

static void
step_add(struct model_view *v)
{
	struct mailbox_new m[3];
	struct mailbox_new_result r;
	struct err e = ERR_INIT;
	size_t n = 1 + below(3);

	if (nmodel + n > MESSAGES_MAX || live_count() > LIVE_MAX)
		return;
	for (size_t i = 0; i < n; i++) {
		struct slice text = arena_printf(arena, "%zu\r\n", nmodel + i);

		m[i] = (struct mailbox_new){ .spool = spool_new(&env, 0),
			.flags = { .flags = below(2) ? random_flags() : 0 } };
		spool_add(m[i].spool, text, NULL);
		spool_end(m[i].spool, NULL);
	}
	if (mailbox_add(v->mb, m, n, arena, &r, &e) != STORE_OK)
		must(-1, "add", &e);
	for (size_t i = 0; i < n; i++) {
		CHECK(r.uids[i] > last_uid);
		last_uid = r.uids[i];
		model[nmodel++] = (struct model_msg){ .uid = r.uids[i],
			.flags = m[i].flags.flags };
		spool_free(&m[i].spool);
	}
	check_modseq(v->mb->ix.modseq);
}

static void
random_uids(const struct model_view *v, struct uidset *s)
{
	for (size_t i = 0; i < v->n; i++)
		if (below(4) == 0)
			uidset_add(s, model[v->v[i]].uid, model[v->v[i]].uid);
}

static void
step_store(struct model_view *v)
{
	struct uidset uids = UIDSET_INIT(arena);
	struct store_flags f = { .flags = random_flags() };
	enum mailbox_flagop op = (enum mailbox_flagop)below(3);
	struct mailbox_store_result r;
	struct err e = ERR_INIT;
	size_t changed = 0;

	random_uids(v, &uids);
	must(mailbox_store(v->mb, &uids, op, &f, false, 0, arena, &r, &e),
	    "store", &e);
	for (size_t i = 0; i < v->n; i++) {
		struct model_msg *m = &model[v->v[i]];
		uint16_t was = m->flags;
		uint64_t keywords = 0;

		if (m->gone || !uidset_has(&uids, m->uid))
			continue;
		flags_change(op, f.flags, 0, &m->flags, &keywords);
		CHECK_EQ(uidset_has(&r.changed, m->uid), was != m->flags);
		changed += was != m->flags;
	}
	CHECK_EQ(uidset_count(&r.changed), changed);
	if (changed > 0)
		check_modseq(r.modseq);
}

static void
step_expunge(struct model_view *v)
{
	struct uidset uids = UIDSET_INIT(arena), gone = UIDSET_INIT(arena);
	struct err e = ERR_INIT;
	uint64_t modseq;

	random_uids(v, &uids);
	must(mailbox_expunge(v->mb, &uids, &gone, &modseq, &e), "expunge", &e);
	for (size_t i = 0; i < v->n; i++) {
		struct model_msg *m = &model[v->v[i]];

		if (!m->gone && uidset_has(&uids, m->uid) &&
		    (m->flags & STORE_DELETED)) {
			CHECK(uidset_has(&gone, m->uid));
			m->gone = true;
		}
	}
	if (gone.n > 0)
		check_modseq(modseq);
}

static void
step_tidy(struct model_view *v)
{
	v->mb->names_at = 0;
	mailbox_tidy(v->mb, 1000);
}

static void
step_fold(struct model_view *v)
{
	struct err e = ERR_INIT;

	must(index_fold(v->mb, &e), "fold", &e);
}

static void
open_view(struct model_view *v)
{
	struct err e = ERR_INIT;

	if (mailbox_open(&v->mb, st, SLICE("Inbox"), &e) != 1)
		must(-1, "open", &e);
	v->n = 0;
	for (uint32_t seq = 1; seq <= mailbox_count(v->mb); seq++) {
		v->v[v->n] = identify(v->mb, mailbox_msg(v->mb, seq));
		v->n++;
	}
}

static void
step_reopen(struct model_view *v)
{
	mailbox_close(&v->mb);
	open_view(v);
	CHECK_EQ(v->n, live_count());
}

/* ---- parking ---- */

static void own_step(struct model_view *v);
static void foreign_step(void);

static void
check_same(const struct uidset *a, const struct uidset *b)
{
	struct buf x = BUF_INIT(1 << 20), y = BUF_INIT(1 << 20);

	uidset_format(a, &x);
	uidset_format(b, &y);
	CHECK_STR(buf_cstr(&x), buf_cstr(&y));
	buf_free(&x);
	buf_free(&y);
}

/* The view stays open, and another is opened with what it knew: after some
 * steps of others, the two are the same. */
static void
step_park(struct model_view *v)
{
	static bool parked;
	struct model_view *other = v == &views[0] ? &views[1] : &views[0];
	struct mailbox_known known;
	struct mailbox *mb = NULL, *was;
	struct uidset gone = UIDSET_INIT(arena), changed = UIDSET_INIT(arena);
	struct err e = ERR_INIT;

	if (parked)
		return;
	parked = true;
	CHECK(mailbox_known(v->mb, &known));
	uidset_add_set(&gone, &known.gone);
	uidset_add_set(&changed, &known.changed);
	known.gone = gone;
	known.changed = changed;
	for (unsigned n = below(5); n > 0; n--) {
		if (below(5) == 0)
			foreign_step();
		else
			own_step(other);
		refresh(other);
	}
	parked = false;
	CHECK_EQ(mailbox_resume(&mb, st, SLICE("Inbox"), &known, &e), 1);
	if (mb == NULL)
		return;
	refresh(v);
	was = v->mb;
	v->mb = mb;
	refresh(v);
	/* A view that stayed may still have flags to tell of one that went. */
	for (size_t i = 0; i < was->view.gone.n; i++)
		uidset_remove(&was->view.changed, was->view.gone.v[i].first,
		    was->view.gone.v[i].last);
	/* And, if it stayed over a fold, places of mail that came and went. */
	CHECK_EQ(mailbox_pending(v->mb) | MAILBOX_NEW,
	    mailbox_pending(was) | MAILBOX_NEW);
	CHECK((mailbox_pending(v->mb) & ~mailbox_pending(was)) == 0);
	/* What was told is less if there were changes of nothing it counts. */
	CHECK(mailbox_modseq(v->mb) <= mailbox_modseq(was) &&
	    mailbox_modseq(v->mb) >= known.told);
	CHECK_EQ(mailbox_uidnext(v->mb), mailbox_uidnext(was));
	check_same(&v->mb->view.gone, &was->view.gone);
	check_same(&v->mb->view.changed, &was->view.changed);
	mailbox_close(&was);
}

/* ---- steps of a foreign program ---- */

/* The file with this content, as path; NULL if it is not there. */
static const char *
find_file(size_t content, const char *folder)
{
	struct slice *names;
	size_t n;

	must(file_list(scratch_fd, folder, arena, &names, &n, NULL), folder,
	    &(struct err)ERR_INIT);
	for (size_t i = 0; i < n; i++) {
		const char *path = arena_cstr(arena,
		    arena_printf(arena, "%s/%.*s", folder,
			SLICE_FMT(names[i])));
		struct buf b = BUF_INIT(1000);
		uint64_t found;
		bool same = file_read(scratch_fd, path, &b, NULL) == 1 &&
		    slice_u64(slice_trim(buf_slice(&b)), &found) &&
		    found == content;

		buf_free(&b);
		if (same)
			return path;
	}
	return NULL;
}

static const char *
find_anywhere(size_t content)
{
	const char *path = find_file(content, MAILDIR "new");

	return path != NULL ? path : find_file(content, MAILDIR "cur");
}

static void
foreign_new(void)
{
	static unsigned serial;
	uint16_t flags = 0;
	bool cur = below(2);
	char path[200];

	if (nmodel == MESSAGES_MAX || live_count() > LIVE_MAX)
		return;
	if (cur)
		flags = random_flags();
	snprintf(path, sizeof(path), MAILDIR "%s/%u.%zu.foreign%s%s%s",
	    cur ? "cur" : "new", ++serial, nmodel, cur ? ":2," : "",
	    flags & STORE_FLAGGED ? "F" : "", flags & STORE_SEEN ? "S" : "");
	flags &= STORE_FLAGGED | STORE_SEEN;
	scratch_put(path, arena_printf(arena, "%zu\n", nmodel));
	model[nmodel++] = (struct model_msg){ .flags = flags };
}

/* Toggle one flag in the name. What the name says now may be old: only the
 * difference counts. */
static void
foreign_flag(void)
{
	static const uint16_t flags[] = { STORE_SEEN, STORE_FLAGGED,
		STORE_ANSWERED, STORE_DELETED };
	size_t i = any_live();
	const char *path = i == nmodel ? NULL : find_anywhere(i);
	struct layout_name name;
	struct slice file;
	uint16_t flag = flags[below(4)];
	char to[LAYOUT_NAME];

	if (path == NULL)
		return;
	file = slice_str(strrchr(path, '/') + 1);
	CHECK(layout_parse(file, &name));
	CHECK(layout_with_flags(file, name.flags ^ flag, name.letters, to));
	CHECK_EQ(renameat(scratch_fd, path, scratch_fd,
		     arena_cstr(arena,
			 arena_printf(arena, MAILDIR "cur/%s", to))),
	    0);
	if (name.flags & flag)
		model[i].flags &= (uint16_t)~flag;
	else
		model[i].flags |= flag;
}

static void
age(const char *folder)
{
	static int64_t ago = 100;
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = clock_s(NULL) - ago++ } };

	CHECK_EQ(utimensat(scratch_fd, folder, t, 0), 0);
}

static void
foreign_delete(void)
{
	size_t i = any_live();
	const char *path = i == nmodel ? NULL : find_anywhere(i);

	if (path == NULL)
		return;
	CHECK_EQ(unlinkat(scratch_fd, path, 0), 0);
	model[i].gone = true;
	age(MAILDIR "new");
	age(MAILDIR "cur");
}

/* ---- the test ---- */

static void
foreign_step(void)
{
	switch (below(4)) {
	case 0:
		foreign_new();
		break;
	case 1:
	case 2:
		foreign_flag();
		break;
	case 3:
		foreign_delete();
		break;
	}
	/* A scan before the next change: the model knows no conflicts. */
	refresh(&views[below(2)]);
}

static void
own_step(struct model_view *v)
{
	static void (*const steps[])(struct model_view *) = { step_add,
		step_add, step_add, step_store, step_store, step_store,
		step_expunge, step_tidy, step_fold, step_reopen, step_park,
		step_park, take_new, take_new, take_expunged, take_flags };

	steps[below(sizeof(steps) / sizeof(steps[0]))](v);
}

static void
finish(void)
{
	for (int i = 0; i < 2; i++) {
		refresh(&views[i]);
		take_expunged(&views[i]);
		take_new(&views[i]);
		check_view(&views[i]);
		CHECK_EQ(views[i].n, live_count());
		CHECK(index_intact(views[i].mb));
		mailbox_close(&views[i].mb);
	}
	open_view(&views[0]);
	check_view(&views[0]);
	for (uint32_t seq = 1; seq <= mailbox_count(views[0].mb); seq++)
		CHECK_EQ(content_of(views[0].mb, mailbox_msg(views[0].mb, seq)),
		    views[0].v[seq - 1]);
	mailbox_close(&views[0].mb);
}

static void
run_seed(uint64_t seed, size_t steps)
{
	struct err e = ERR_INIT;

	rand_fake(&rnd, seed);
	scratch_begin();
	env.data_fd = scratch_fd;
	arena = arena_new(0);
	nmodel = 0;
	last_modseq = last_uid = 0;
	must(store_create(&st, &env, SLICE("joe"), NULL, 0, &e), "create", &e);
	for (int i = 0; i < 2; i++) {
		views[i].v = calloc(MESSAGES_MAX, sizeof(size_t));
		open_view(&views[i]);
	}
	for (size_t i = 0; i < steps && unit_failures == 0; i++) {
		struct model_view *v = &views[below(2)];
		char row[64];

		snprintf(row, sizeof(row), "seed %llu, step %zu",
		    (unsigned long long)seed, i);
		ROW(row);
		if (below(5) == 0)
			foreign_step();
		else
			own_step(v);
		refresh(v);
		check_view(v);
		ROW("");
		arena_reset(arena);
	}
	finish();
	for (int i = 0; i < 2; i++)
		free(views[i].v);
	store_close(&st);
	arena_free(&arena);
	scratch_end();
}

static void
test_random(void)
{
	const char *text = getenv("MOX_RANDOM_STEPS");
	uint64_t steps = STEPS_DEFAULT, seed = 1;

	if (text != NULL)
		slice_u64(slice_str(text), &steps);
	text = getenv("MOX_RANDOM_SEED");
	if (text != NULL)
		slice_u64(slice_str(text), &seed);
	for (int i = 0; i < 4; i++)
		run_seed(seed + (uint64_t)i, steps / 4);
}

int
main(void)
{
	RUN(test_random);
	return unit_done();
}
