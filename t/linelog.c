/* Unit test of lib/db/linelog.c. */
#include "db/linelog.h"

#include "base/clock.h"
#include "t/scratch.h"

#define MAGIC "test-log 1"

/* What a replay gave: "payload,payload;" with ';' after each unit. */
struct seen {
	struct buf text;
	uint64_t unit_end;
};

static int
see(void *arg, struct slice payload, uint64_t unit_end, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	if (s->unit_end != 0 && s->unit_end != unit_end)
		buf_addc(&s->text, ';');
	else if (s->text.n > 0)
		buf_addc(&s->text, ',');
	s->unit_end = unit_end;
	buf_add(&s->text, payload);
	return slice_is(payload, "fail") ? -1 : 0;
}

static void
check_replay(struct db_log *l, bool salvage, enum db_log_state want_state,
    const char *want)
{
	struct seen s = { BUF_INIT(SIZE_MAX), 0 };

	CHECK_EQ(db_log_replay(l, salvage, NULL, see, &s, NULL), want_state);
	CHECK_SLICE(buf_slice(&s.text), slice_str(want));
	buf_free(&s.text);
}

/* A new log of generation gen under name, open. */
static void
begin(struct db_log *l, const char *name, uint64_t gen)
{
	struct db_log start;
	int fd = openat(scratch_fd, name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK_EQ(db_log_start(&start, fd, MAGIC, gen, NULL), 0);
	close(fd);
	CHECK_EQ(db_log_open(l, scratch_fd, name, MAGIC, NULL), 1);
}

static void
add(struct db_log *l, const char *text)
{
	struct slice payload = slice_str(text);

	CHECK_EQ(db_log_append(l, &payload, 1, NULL), 0);
}

static void
test_format(void)
{
	const struct slice unit[] = { SLICE("a b"), SLICE("c") };
	struct buf b = BUF_INIT(1000);
	struct db_log l;

	begin(&l, "f", 57);
	CHECK_EQ(l.gen, 57);
	add(&l, "uid 1");
	CHECK_EQ(db_log_append(&l, unit, 2, NULL), 0);
	/* The format is on disks: these sums never change. */
	CHECK_SLICE(scratch_get("f", &b),
	    SLICE("test-log 1 57 42bc263a\n"
		  "uid 1 73003117\n"
		  "a b 478d41b4+\n"
		  "c caf225bb\n"));
	db_log_close(&l);
	CHECK_EQ(db_log_open(&l, scratch_fd, "f", MAGIC, NULL), 1);
	check_replay(&l, false, DB_LOG_CLEAN, "uid 1;a b,c");
	check_replay(&l, false, DB_LOG_CLEAN, "");
	add(&l, "next");
	check_replay(&l, false, DB_LOG_CLEAN, "");
	db_log_close(&l);
	buf_free(&b);
}

static void
test_open(void)
{
	static const char *const bad[] = {
		"",
		"test-log 1 1 0badbad0\n",
		"test-log 1 57 42bc263a",
		"test-log 2 57 42bc263a\n",
		"other 57 42bc263a\n",
		"test-log 1 57 42bc263a+\nc caf225bb\n",
		"test-log 1 58 42bc263a\n",
		"test-log 157 42bc263a\n",
	};
	struct err e = ERR_INIT;
	struct db_log l;

	CHECK_EQ(db_log_open(&l, scratch_fd, "none", MAGIC, &e), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ROW(bad[i]);
		scratch_put("bad", slice_str(bad[i]));
		CHECK_EQ(db_log_open(&l, scratch_fd, "bad", MAGIC, &e), -1);
		CHECK_EQ(e.kind, ERR_SYNTAX);
		CHECK_EQ(l.fd, -1);
	}
}

/* {what stands behind "1" and "2", state, lines, lines with salvage} */
static const struct {
	const char *name, *tail;
	enum db_log_state state;
	const char *salvaged;
} tails[] = {
	{ "nothing", "", DB_LOG_CLEAN, "1;2" },
	{ "half a line", "3", DB_LOG_TORN, "1;2" },
	{ "no LF", "3 12345678", DB_LOG_TORN, "1;2" },
	{ "bad sum", "3 12345678\n", DB_LOG_TORN, "1;2" },
	{ "two bad", "3 12345678\n4 12345678\n", DB_LOG_TORN, "1;2" },
	{ "empty lines", "\n\n", DB_LOG_TORN, "1;2" },
	{ "first of a unit", "a b 478d41b4+\n", DB_LOG_TORN, "1;2" },
	{ "unit torn", "a b 478d41b4+\nc 1d75", DB_LOG_TORN, "1;2" },
	{ "last of a unit", "c caf225bb\n", DB_LOG_TORN, "1;2" },
	{ "bad, then good", "x\nuid 1 73003117\n", DB_LOG_DAMAGED,
	    "1;2;uid 1" },
	{ "bad, unit", "x\na b 478d41b4+\nc caf225bb\n", DB_LOG_DAMAGED,
	    "1;2;a b,c" },
	{ "bad, good, bad", "x\nuid 1 73003117\ny", DB_LOG_DAMAGED,
	    "1;2;uid 1" },
	{ "unit with a bad line", "a b 478d41b4+\nx caf225bb\nuid 1 73003117\n",
	    DB_LOG_DAMAGED, "1;2;uid 1" },
};

static void
test_tails(void)
{
	struct db_log l;

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		ROW(tails[i].name);
		begin(&l, "t", 57);
		add(&l, "1");
		add(&l, "2");
		scratch_append("t", slice_str(tails[i].tail));
		l.end = l.first;
		CHECK_EQ(db_log_seek(&l, l.first, NULL), 0);
		check_replay(&l, false, tails[i].state, "1;2");
		CHECK_EQ(db_log_seek(&l, l.first, NULL), 0);
		check_replay(&l, true,
		    tails[i].state == DB_LOG_DAMAGED
			? (strcmp(tails[i].name, "bad, good, bad") == 0
				  ? DB_LOG_TORN
				  : DB_LOG_CLEAN)
			: tails[i].state,
		    tails[i].salvaged);
		db_log_close(&l);
	}
	/* Zeros, as some file systems leave behind a power cut. */
	begin(&l, "t", 57);
	add(&l, "1");
	scratch_append("t", slice_of((char[5000]){ 0 }, 5000));
	check_replay(&l, false, DB_LOG_TORN, "");
	CHECK_EQ(db_log_cut(&l, l.end, NULL), 0);
	add(&l, "2");
	db_log_seek(&l, l.first, NULL);
	check_replay(&l, false, DB_LOG_CLEAN, "1;2");
	db_log_close(&l);
}

static void
test_other_generation(void)
{
	struct buf b = BUF_INIT(1000);
	struct db_log l;

	begin(&l, "g", 56);
	add(&l, "1");
	scratch_append("g", SLICE("uid 1 73003117\n"));
	check_replay(&l, false, DB_LOG_TORN, "");
	db_log_close(&l);
	buf_free(&b);
}

static void
test_own_lines(void)
{
	struct db_log l;

	begin(&l, "o", 1);
	add(&l, "@placed");
	add(&l, "1");
	add(&l, "@suspect");
	add(&l, "@later version");
	add(&l, "2");
	add(&l, "@end 2");
	CHECK_EQ(db_log_seek(&l, l.first, NULL), 0);
	check_replay(&l, false, DB_LOG_ENDED, "1;2");
	CHECK(l.placed && l.suspect);
	check_replay(&l, false, DB_LOG_ENDED, "");
	CHECK_EQ(db_log_cut(&l, l.end, NULL), 0);
	check_replay(&l, false, DB_LOG_CLEAN, "");
	db_log_close(&l);
}

static void
test_replaced(void)
{
	struct db_log l, other;

	begin(&l, "r", 1);
	CHECK_EQ(db_log_open(&other, scratch_fd, "r", MAGIC, NULL), 1);
	add(&l, "1");
	add(&l, "2");
	check_replay(&other, false, DB_LOG_CLEAN, "1;2");
	/* Taken back, and something else in its place. */
	CHECK_EQ(db_log_cut(&l, l.first, NULL), 0);
	check_replay(&other, false, DB_LOG_REPLACED, "");
	add(&l, "3");
	add(&l, "4");
	add(&l, "5");
	check_replay(&other, false, DB_LOG_REPLACED, "");
	db_log_close(&other);
	CHECK_EQ(db_log_open(&other, scratch_fd, "r", MAGIC, NULL), 1);
	unlinkat(scratch_fd, "r", 0);
	check_replay(&other, false, DB_LOG_REPLACED, "");
	db_log_close(&other);
	db_log_close(&l);
}

static void
test_refused(void)
{
	const struct slice bad[] = { SLICE("a\nb"), SLICE("") };
	struct err e = ERR_INIT;
	struct db_log l;
	uint64_t end;

	begin(&l, "x", 1);
	end = l.end;
	for (size_t i = 0; i < 2; i++)
		CHECK_EQ(db_log_append(&l, &bad[i], 1, &e), -1);
	CHECK_EQ(db_log_append(&l, NULL, 0, &e), 0);
	CHECK_EQ(l.end, end);
	add(&l, "fail");
	db_log_seek(&l, l.first, NULL);
	check_replay(&l, false, DB_LOG_FAILED, "fail");
	CHECK_EQ(l.end, end);
	db_log_close(&l);
}

/* Units longer than the window, and a unit that is refused. */
static void
test_large(void)
{
	const size_t line_n = 3 << 20;
	char *text = malloc(line_n);
	struct slice lines[11];
	struct seen s = { BUF_INIT(SIZE_MAX), 0 };
	struct err e = ERR_INIT;
	struct db_log l;

	memset(text, 'x', line_n);
	for (size_t i = 0; i < 11; i++)
		lines[i] = slice_of(text, line_n);
	begin(&l, "b", 1);
	CHECK_EQ(db_log_append(&l, lines, 11, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK_EQ(db_log_append(&l, lines, 10, &e), 0);
	add(&l, "end");
	CHECK_EQ(db_log_seek(&l, l.first, NULL), 0);
	CHECK_EQ(db_log_replay(&l, false, NULL, see, &s, NULL), DB_LOG_CLEAN);
	CHECK_EQ(s.text.n, 10 * line_n + 13);
	/* Bytes without any LF, longer than a unit may be. */
	for (size_t i = 0; i < 12; i++)
		scratch_append("b", lines[0]);
	CHECK_EQ(db_log_replay(&l, false, NULL, see, &s, NULL), DB_LOG_TORN);
	buf_free(&s.text);
	db_log_close(&l);
	free(text);
}

static void
test_copy(void)
{
	const struct slice unit[] = { SLICE("a"), SLICE("b"), SLICE("c") };
	struct db_log from, to;
	uint64_t offset;

	begin(&from, "from", 1);
	begin(&to, "to", 2);
	add(&from, "0");
	offset = from.end;
	add(&from, "@placed");
	CHECK_EQ(db_log_append(&from, unit, 3, NULL), 0);
	scratch_append("from", SLICE("bad line\n"));
	from.end += 9;
	add(&from, "d");
	CHECK_EQ(db_log_copy(&to, &from, offset, NULL), 0);
	db_log_seek(&to, to.first, NULL);
	check_replay(&to, false, DB_LOG_CLEAN, "a,b,c;d");
	CHECK(!to.placed);
	db_log_close(&from);
	db_log_close(&to);
}

static int
ignore(void *arg, struct slice payload, uint64_t unit_end, struct err *e)
{
	(void)arg;
	(void)payload;
	(void)unit_end;
	(void)e;
	return 0;
}

/* Opening a mailbox replays its tail, so this must be fast. */
static void
test_speed(void)
{
	struct slice lines[100];
	struct db_log l;
	int64_t us;

	for (size_t i = 0; i < 100; i++)
		lines[i] = SLICE("flags 12345 add \\Seen modseq 999999 and so");
	begin(&l, "s", 1);
	while (l.end < 4 << 20) /* 42,000 units of a hundred, then of one */
		CHECK_EQ(db_log_append(&l, lines, l.end < 2 << 20 ? 100 : 1,
			     NULL),
		    0);
	CHECK_EQ(db_log_seek(&l, l.first, NULL), 0);
	us = clock_us(NULL);
	CHECK_EQ(db_log_replay(&l, false, NULL, ignore, NULL, NULL),
	    DB_LOG_CLEAN);
	us = clock_us(NULL) - us;
	if (getenv("MOX_SPEED") != NULL)
		printf("linelog: 4 MB replayed in %lld us\n", (long long)us);
	CHECK(us < 1000000); /* measured: 8,000, several times that in ASan */
	db_log_close(&l);
}

int
main(void)
{
	scratch_begin();
	RUN(test_format);
	RUN(test_open);
	RUN(test_tails);
	RUN(test_other_generation);
	RUN(test_own_lines);
	RUN(test_replaced);
	RUN(test_refused);
	RUN(test_large);
	RUN(test_copy);
	RUN(test_speed);
	scratch_end();
	return unit_done();
}
