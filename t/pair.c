/*
 * Unit test of lib/db/pair.c and fold.c. The state of the test's pairs is a
 * text: the lines in order, each ended by a comma. The CDB keeps it under
 * "text".
 */
#include "db/pair.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "db/newfile.h"
#include "t/scratch.h"

struct side {
	struct db_pair pair;
	struct buf text;
	int resets;
	bool keep; /* something stands in place of lines taken back */
	struct side *other;
	int folds;             /* by the other, when a state is taken in */
	bool stays;            /* over a fold */
	const char *meanwhile; /* the other adds, while this one folds */
};

static void side_add(struct side *s, const char *text);

static int
reset(void *arg, const struct db_cdb *next, struct err *e)
{
	struct side *s = arg;
	struct slice value;

	s->resets++;
	buf_reset(&s->text);
	if (db_cdb_get(next, SLICE("text"), &value, e) == 1)
		buf_add(&s->text, value);
	if (s->folds > 0) {
		s->folds--;
		CHECK_EQ(db_pair_fold(&s->other->pair, NULL), 1);
	}
	return 0;
}

static int
line(void *arg, struct slice payload, uint64_t unit_end, struct err *e)
{
	struct side *s = arg;

	(void)unit_end;
	(void)e;
	buf_add(&s->text, payload);
	buf_addc(&s->text, ',');
	return 0;
}

static bool
stands(void *arg, const struct db_cdb *next)
{
	const struct side *s = arg;
	struct slice value;

	/* All that is in it has been taken in. */
	CHECK_EQ(db_cdb_get(next, SLICE("text"), &value, NULL), 1);
	CHECK(slice_starts(buf_slice(&s->text), value));
	return s->stays;
}

static int
build(void *arg, struct db_cdb_make *m, struct err *e)
{
	struct side *s = arg;

	(void)e;
	db_cdb_make_add(m, SLICE("text"), buf_slice(&s->text));
	if (s->meanwhile)
		side_add(s->other, s->meanwhile);
	s->meanwhile = NULL;
	return 0;
}

static void
instead(void *arg, struct buf *b)
{
	struct side *s = arg;

	if (s->keep)
		buf_addf(b, "%zu instead", s->text.n);
}

static const struct db_pair_ops ops = {
	.magic = "test 1",
	.reset = reset,
	.stands = stands,
	.line = line,
	.build = build,
	.instead = instead,
};

static int
side_open(struct side *s, const char *name)
{
	*s = (struct side){ .text = BUF_INIT(SIZE_MAX) };
	return db_pair_open(&s->pair, scratch_fd, name, 0600, &ops, s, NULL);
}

static void
side_close(struct side *s)
{
	db_pair_close(&s->pair);
	buf_free(&s->text);
}

/* A new pair, open. */
static void
side_new(struct side *s, const char *name)
{
	CHECK_EQ(db_pair_create(scratch_fd, name, 0600, &ops, NULL, 0, NULL),
	    1);
	CHECK_EQ(side_open(s, name), 1);
}

static void
side_add(struct side *s, const char *text)
{
	struct slice payload = slice_str(text);
	struct err e = ERR_INIT;

	CHECK_EQ(db_pair_lock(&s->pair, 1000, &e), 0);
	CHECK_STR(e.text, "");
	CHECK_EQ(db_pair_append(&s->pair, &payload, 1, &e), 0);
	db_pair_unlock(&s->pair);
}

#define CHECK_TEXT(side, want) \
	CHECK_SLICE(buf_slice(&(side)->text), slice_str(want))

/* What somebody who opens it now sees. */
static void
check_fresh(const char *name, const char *want)
{
	struct side s;

	CHECK_EQ(side_open(&s, name), 1);
	CHECK_TEXT(&s, want);
	side_close(&s);
}

static void
test_create(void)
{
	const struct slice lines[] = { SLICE("one"), SLICE("two") };
	static struct slice many[2500];
	struct side s;

	CHECK_EQ(side_open(&s, "c"), 0);
	CHECK_EQ(db_pair_create(scratch_fd, "c", 0600, &ops, lines, 2, NULL),
	    1);
	CHECK_EQ(db_pair_create(scratch_fd, "c", 0600, &ops, lines, 2, NULL),
	    0);
	check_fresh("c", "one,two,");
	CHECK_EQ(db_pair_discard(scratch_fd, "c", NULL), 0);
	CHECK_EQ(side_open(&s, "c"), 0);

	/* A Maildir of somebody else's: more lines than a unit takes. */
	for (size_t i = 0; i < 2500; i++)
		many[i] = SLICE("x");
	CHECK_EQ(db_pair_create(scratch_fd, "n", 0600, &ops, many, 2500, NULL),
	    1);
	CHECK_EQ(side_open(&s, "n"), 1);
	CHECK_EQ(s.text.n, 5000);
	side_close(&s);
}

static void
test_append(void)
{
	struct side a, b;

	side_new(&a, "a");
	CHECK_EQ(side_open(&b, "a"), 1);
	side_add(&a, "1");
	CHECK_TEXT(&a, "1,");
	CHECK_TEXT(&b, "");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "1,");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 0);
	side_add(&b, "2");
	side_add(&a, "3"); /* takes in 2 first */
	CHECK_TEXT(&a, "1,2,3,");
	CHECK_EQ(db_pair_sync(&a.pair, NULL, NULL), 0);
	CHECK_EQ(a.pair.synced, a.pair.log.end);
	CHECK_EQ(a.resets, 1);
	check_fresh("a", "1,2,3,");
	side_close(&a);
	side_close(&b);
}

static void
test_lock(void)
{
	struct err e = ERR_INIT;
	struct side a, b;

	side_new(&a, "l");
	CHECK_EQ(side_open(&b, "l"), 1);
	CHECK_EQ(db_pair_lock(&a.pair, 0, NULL), 0);
	CHECK_EQ(db_pair_lock(&b.pair, 0, &e), -1);
	CHECK_EQ(e.kind, ERR_TEMP);
	db_pair_unlock(&a.pair);
	CHECK_EQ(db_pair_lock(&b.pair, 0, &e), 0);
	db_pair_unlock(&b.pair);
	side_close(&a);
	side_close(&b);
}

static void
test_fold(void)
{
	struct side a, b, idle;

	side_new(&a, "f");
	CHECK_EQ(side_open(&b, "f"), 1);
	CHECK_EQ(side_open(&idle, "f"), 1);
	side_add(&a, "1");
	side_add(&a, "2");
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);
	CHECK_TEXT(&a, "1,2,");
	CHECK_EQ(a.pair.cdb_gen, 2);
	CHECK_EQ(a.pair.log.gen, 2);
	check_fresh("f", "1,2,");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_EQ(b.pair.cdb_gen, 2);
	CHECK_TEXT(&b, "1,2,");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 0);
	side_add(&b, "3");
	CHECK_EQ(db_pair_fold(&b.pair, NULL), 1);
	CHECK_EQ(db_pair_fold(&b.pair, NULL), 1);
	side_add(&a, "4");
	CHECK_TEXT(&a, "1,2,3,4,");
	/* One who slept through it all. */
	CHECK_EQ(db_pair_refresh(&idle.pair, NULL), 1);
	CHECK_TEXT(&idle, "1,2,3,4,");
	CHECK_EQ(idle.pair.cdb_gen, 4);
	side_close(&a);
	side_close(&b);
	side_close(&idle);
}

/* The state stays over a fold, also with lines that came while it was done, until
 * it is renewed; not over two. */
static void
test_fold_stays(void)
{
	struct side a, b, c;

	side_new(&a, "stay");
	side_add(&a, "0");
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);
	CHECK_EQ(side_open(&b, "stay"), 1);
	CHECK_EQ(side_open(&c, "stay"), 1);
	b.stays = c.stays = true;
	side_add(&a, "1");
	a.other = &c;
	a.meanwhile = "2";
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "0,1,2,");
	CHECK_EQ(b.resets, 1);
	CHECK(b.pair.followed);
	CHECK_EQ(b.pair.cdb_gen, 3);
	CHECK_EQ(b.pair.log.gen, 3);
	CHECK_EQ(db_pair_tail(&b.pair), db_pair_tail(&a.pair));
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 0);
	/* c goes over under the lock. */
	side_add(&c, "3");
	CHECK_EQ(c.resets, 1);
	side_add(&b, "4");
	CHECK_EQ(db_pair_sync(&b.pair, NULL, NULL), 0);
	CHECK_TEXT(&b, "0,1,2,3,4,");
	check_fresh("stay", "0,1,2,3,4,");
	CHECK_EQ(db_pair_renew(&b.pair, NULL), 1);
	CHECK_EQ(b.resets, 2);
	CHECK(!b.pair.followed);
	CHECK_TEXT(&b, "0,1,2,3,4,");
	CHECK_EQ(db_pair_renew(&b.pair, NULL), 0);
	/* Who stayed may fold. */
	CHECK_EQ(db_pair_fold(&c.pair, NULL), 1);
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_EQ(b.resets, 3);
	CHECK_TEXT(&b, "0,1,2,3,4,");
	side_close(&a);
	side_close(&b);
	side_close(&c);
}

static void
test_due(void)
{
	static char long_line[40 * 1024];
	struct side a;

	memset(long_line, 'x', sizeof(long_line) - 1);
	side_new(&a, "d");
	side_add(&a, long_line);
	CHECK(!db_pair_due(&a.pair));
	side_add(&a, long_line);
	CHECK(db_pair_due(&a.pair));
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);
	CHECK(!db_pair_due(&a.pair));
	side_close(&a);
}

/* Somebody has the lease: not done, and not waited for. */
static void
test_fold_busy(void)
{
	struct db_lock lease = DB_LOCK_INIT;
	struct side a;

	side_new(&a, "busy");
	CHECK_EQ(db_lock(&lease, scratch_fd, "busy.lock",
		     DB_LOCK_SECOND | DB_LOCK_LEASE, 0, NULL),
	    1);
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 0);
	side_add(&a, "1");
	db_unlock(&lease);
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);
	side_close(&a);
}

/* ---- what a crash leaves ---- */

static void
test_torn(void)
{
	struct side a, b;

	side_new(&a, "t");
	CHECK_EQ(side_open(&b, "t"), 1);
	side_add(&a, "1");
	scratch_append("t.log", SLICE("2 0123456"));
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "1,");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 0);
	side_add(&a, "3");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "1,3,");
	check_fresh("t", "1,3,");
	side_close(&a);
	side_close(&b);
}

static bool
aside_exists(const char *prefix)
{
	struct arena *arena = arena_new(0);
	struct slice *names;
	bool found = false;
	size_t n;

	CHECK_EQ(file_list(scratch_fd, ".", arena, &names, &n, NULL), 1);
	for (size_t i = 0; i < n; i++)
		found |= slice_starts(names[i], slice_str(prefix));
	arena_free(&arena);
	return found;
}

static void
test_damaged(void)
{
	struct side a, b;

	side_new(&a, "m");
	CHECK_EQ(side_open(&b, "m"), 1);
	side_add(&a, "1");
	side_add(&a, "2");
	side_add(&a, "3");
	CHECK_EQ(pwrite(a.pair.log.fd, "X", 1, (off_t)a.pair.log.end - 22), 1);
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "1,3,");
	CHECK_EQ(b.pair.bad, 11);
	CHECK(!aside_exists("m.log.bad-"));
	side_add(&b, "4"); /* begins a new log first */
	CHECK_TEXT(&b, "1,3,4,");
	CHECK(aside_exists("m.log.bad-"));
	CHECK_EQ(b.pair.log.gen, 2);
	CHECK_EQ(b.pair.bad, 0);
	CHECK_EQ(db_pair_refresh(&a.pair, NULL), 1);
	CHECK_TEXT(&a, "1,3,4,");
	side_close(&a);
	side_close(&b);
}

/* The steps of a fold, stopped after each by hand. */
static void
test_half_done(void)
{
	struct buf old_log = BUF_INIT(10000);
	struct side a, b;

	side_new(&a, "h");
	CHECK_EQ(side_open(&b, "h"), 1);
	side_add(&a, "1");
	side_add(&a, "2");
	scratch_get("h.log", &old_log);
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);

	/* CDB placed, old log: readers see all, the next writer goes on. */
	CHECK_EQ(db_write_file(scratch_fd, "h.log", buf_slice(&old_log), 0600,
		     NULL),
	    0);
	CHECK_EQ(side_open(&b, "h"), 1);
	CHECK_TEXT(&b, "1,2,");
	CHECK_EQ(b.pair.cdb_gen, 2);
	CHECK_EQ(b.pair.log.gen, 1);
	CHECK(db_pair_due(&b.pair));
	side_add(&b, "3");
	CHECK_EQ(b.pair.log.gen, 2);
	CHECK_EQ(b.pair.cdb_gen, 2);
	CHECK_TEXT(&b, "1,2,3,");
	check_fresh("h", "1,2,3,");

	/* The same, and the power cut took lines that the CDB has. */
	side_close(&b);
	CHECK_EQ(db_write_file(scratch_fd, "h.log",
		     slice_head(buf_slice(&old_log), old_log.n - 5), 0600,
		     NULL),
	    0);
	CHECK_EQ(side_open(&b, "h"), 1);
	CHECK_TEXT(&b, "1,2,");
	CHECK_EQ(b.pair.bad, 5);
	side_add(&b, "4");
	CHECK_EQ(b.pair.log.gen, 2);
	check_fresh("h", "1,2,4,");

	side_close(&a);
	side_close(&b);
	buf_free(&old_log);
}

/* `@end` written, log not renamed. */
static void
test_abandoned_end(void)
{
	const struct slice end = SLICE("@end 2");
	struct side a, b;

	side_new(&a, "e");
	CHECK_EQ(side_open(&b, "e"), 1);
	side_add(&a, "1");
	CHECK_EQ(db_log_append(&a.pair.log, &end, 1, NULL), 0);
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_EQ(b.pair.state, DB_LOG_ENDED);
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 0);
	check_fresh("e", "1,");
	side_add(&b, "2");
	CHECK_TEXT(&b, "1,2,");
	check_fresh("e", "1,2,");
	side_close(&a);
	side_close(&b);
}

static void
test_lost(void)
{
	struct err e = ERR_INIT;
	struct side a;

	side_new(&a, "x");
	side_add(&a, "1");
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);
	side_close(&a);
	unlinkat(scratch_fd, "x.cdb", 0);
	a = (struct side){ .text = BUF_INIT(SIZE_MAX) };
	CHECK_EQ(db_pair_open(&a.pair, scratch_fd, "x", 0600, &ops, &a, &e),
	    -1);
	CHECK_EQ(e.kind, ERR_SYNTAX);
	CHECK_EQ(db_pair_discard(scratch_fd, "x", NULL), 0);
	CHECK(aside_exists("x.log.bad-"));
	side_new(&a, "x");
	CHECK_TEXT(&a, "");

	/* Only the log is gone: what was folded is there. */
	side_add(&a, "1");
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);
	side_add(&a, "2");
	side_close(&a);
	unlinkat(scratch_fd, "x.log", 0);
	side_new(&a, "x");
	CHECK_TEXT(&a, "1,");
	side_add(&a, "3");
	check_fresh("x", "1,3,");

	/* Removed under us. */
	unlinkat(scratch_fd, "x.log", 0);
	CHECK_EQ(db_pair_refresh(&a.pair, &e), -1);
	CHECK_EQ(e.kind, ERR_PERM);
	side_close(&a);
}

/* Somebody's sync failed and could say so. */
static void
test_suspect(void)
{
	const struct slice suspect = SLICE("@suspect");
	struct side a, b;

	side_new(&a, "s");
	CHECK_EQ(side_open(&b, "s"), 1);
	side_add(&a, "1");
	CHECK_EQ(db_log_append(&a.pair.log, &suspect, 1, NULL), 0);
	side_add(&b, "2");
	CHECK_EQ(b.pair.log.gen, 2);
	CHECK(!b.pair.log.suspect);
	CHECK(!aside_exists("s.log.bad-"));
	check_fresh("s", "1,2,");
	side_close(&a);
	side_close(&b);
}

/* Make the next sync fail: a pipe cannot be synced. */
static void
break_log(struct side *s)
{
	int ends[2];

	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(dup2(ends[0], s->pair.log.fd), s->pair.log.fd);
	close(ends[0]);
	close(ends[1]);
}

static void
test_sync_fails(void)
{
	struct err e = ERR_INIT;
	struct side a, b;
	bool stays = true;

	side_new(&a, "y");
	side_add(&a, "1");
	CHECK_EQ(db_pair_sync(&a.pair, &stays, &e), 0);
	CHECK(!stays);
	CHECK_EQ(side_open(&b, "y"), 1);

	/* Nothing behind our line: it is taken back, for others too. */
	side_add(&a, "2");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "1,2,");
	break_log(&a);
	CHECK_EQ(db_pair_sync(&a.pair, &stays, &e), -1);
	CHECK_EQ(e.kind, ERR_TEMP);
	CHECK(!stays);
	CHECK_TEXT(&a, "1,");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "1,");
	side_add(&b, "3");
	CHECK_EQ(b.pair.log.gen, 2);

	/* A line of somebody else behind it: it stays, and we are told. */
	side_add(&a, "4");
	side_add(&b, "5");
	break_log(&a);
	CHECK_EQ(db_pair_sync(&a.pair, &stays, &e), -1);
	CHECK(stays);
	CHECK_TEXT(&a, "1,3,4,5,");
	CHECK(a.pair.log.suspect);
	side_add(&a, "not 4");
	CHECK_EQ(a.pair.log.gen, 3);
	CHECK_EQ(db_pair_sync(&a.pair, &stays, &e), 0);

	/* Folded by somebody else meanwhile: then it is on disk. */
	side_add(&a, "6");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_EQ(db_pair_fold(&b.pair, NULL), 1);
	break_log(&a);
	CHECK_EQ(db_pair_sync(&a.pair, &stays, &e), 0);
	CHECK(!stays);
	CHECK_TEXT(&a, "1,3,4,5,not 4,6,");
	side_close(&a);
	side_close(&b);
}

/* A line in the place of those that are taken back, made from a state that
 * has them: for readers who have taken them in, and others. */
static void
test_instead(void)
{
	const struct slice two[] = { SLICE("2 of some length"), SLICE("3") };
	struct side a, b;
	uint64_t end;

	side_new(&a, "i");
	CHECK_EQ(side_open(&b, "i"), 1);
	a.keep = true;
	side_add(&a, "1");
	end = a.pair.log.end;
	CHECK_EQ(db_pair_lock(&a.pair, 1000, NULL), 0);
	db_pair_undo(&a.pair, end); /* nothing to undo */
	CHECK_TEXT(&a, "1,");
	CHECK_EQ(db_pair_append(&a.pair, two, 2, NULL), 0);
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "1,2 of some length,3,");
	db_pair_undo(&a.pair, end);
	db_pair_unlock(&a.pair);
	CHECK_TEXT(&a, "1,21 instead,");
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "1,21 instead,");
	CHECK_EQ(db_pair_sync(&a.pair, NULL, NULL), 0);

	side_add(&a, "4");
	break_log(&a);
	CHECK_EQ(db_pair_sync(&a.pair, NULL, NULL), -1);
	CHECK_TEXT(&a, "1,21 instead,15 instead,");
	side_add(&b, "5");
	CHECK_EQ(b.pair.log.gen, 2);
	check_fresh("i", "1,21 instead,15 instead,5,");
	side_close(&a);
	side_close(&b);
}

/* A fold between the CDB and the first line of the log: lines are not missing,
 * not even for a moment. */
static void
test_fold_between(void)
{
	struct side a, b, late = { .text = BUF_INIT(SIZE_MAX) };

	side_new(&a, "w");
	CHECK_EQ(side_open(&b, "w"), 1);
	side_add(&a, "1");
	CHECK_EQ(db_pair_fold(&a.pair, NULL), 1);
	side_add(&a, "2");
	b.other = late.other = &a;
	b.folds = 2;
	CHECK_EQ(db_pair_refresh(&b.pair, NULL), 1);
	CHECK_TEXT(&b, "1,2,");
	CHECK_EQ(b.resets, 4);
	side_add(&a, "3");
	late.folds = 1;
	CHECK_EQ(db_pair_open(&late.pair, scratch_fd, "w", 0600, &ops, &late,
		     NULL),
	    1);
	CHECK_TEXT(&late, "1,2,3,");
	side_close(&a);
	side_close(&b);
	side_close(&late);
}

/* ---- at the same time ---- */

#define WRITERS 4
#define LINES 200

static void
write_lines(char name)
{
	struct side s;
	char text[20];

	if (side_open(&s, "p") != 1)
		_exit(2);
	s.stays = name % 2 == 0;
	for (int i = 0; i < LINES; i++) {
		snprintf(text, sizeof(text), "%c%d", name, i);
		side_add(&s, text);
		if (i % 50 == 25 && db_pair_fold(&s.pair, NULL) < 0)
			_exit(3);
	}
	side_close(&s);
	_exit(unit_failures != 0);
}

/* Every line of every writer is there once, in its writer's order. */
static void
check_lines(struct slice text)
{
	struct slice token;
	int next[WRITERS] = { 0 };

	while (slice_next(&text, ',', &token)) {
		uint32_t i, w = (uint32_t)(token.p[0] - 'a');

		CHECK(w < WRITERS);
		CHECK(slice_u32(slice_skip(token, 1), &i));
		CHECK_EQ(i, next[w]);
		next[w]++;
	}
	for (int w = 0; w < WRITERS; w++)
		CHECK_EQ(next[w], LINES);
}

static void
test_parallel(void)
{
	struct side reader, staying;
	int status, left = WRITERS;
	size_t before = 0;

	side_new(&reader, "p");
	CHECK_EQ(side_open(&staying, "p"), 1);
	staying.stays = true;
	for (int w = 0; w < WRITERS; w++)
		if (fork() == 0)
			write_lines((char)('a' + w));
	while (left > 0) {
		CHECK(db_pair_refresh(&reader.pair, NULL) >= 0);
		CHECK(reader.text.n >= before); /* nothing ever goes away */
		before = reader.text.n;
		CHECK(db_pair_refresh(&staying.pair, NULL) >= 0);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			CHECK_EQ(status, 0);
			left--;
		}
		usleep(100);
	}
	CHECK(db_pair_refresh(&reader.pair, NULL) >= 0);
	check_lines(buf_slice(&reader.text));
	CHECK(reader.resets > 1);
	CHECK(db_pair_refresh(&staying.pair, NULL) >= 0);
	check_lines(buf_slice(&staying.text));
	side_close(&reader);
	side_close(&staying);
}

int
main(void)
{
	scratch_begin();
	RUN(test_create);
	RUN(test_append);
	RUN(test_lock);
	RUN(test_fold);
	RUN(test_fold_stays);
	RUN(test_due);
	RUN(test_fold_busy);
	RUN(test_torn);
	RUN(test_damaged);
	RUN(test_half_done);
	RUN(test_abandoned_end);
	RUN(test_lost);
	RUN(test_suspect);
	RUN(test_sync_fails);
	RUN(test_instead);
	RUN(test_fold_between);
	RUN(test_parallel);
	scratch_end();
	return unit_done();
}
