/* Unit test of lib/store/spool.c. */
#include "store/spool.h"
#include "t/scratch.h"

static struct store_env env = {
	.run_fd = -1, .hostname = "h", .file_mode = 0600
};

/* What is stored of wire. */
static const struct {
	const char *name, *wire, *stored;
	bool verbatim;
} rows[] = {
	{ "empty", "", "", false },
	{ "one line", "a\r\n", "a\n", false },
	{ "no end", "a: b\r\n\r\nbody", "a: b\n\nbody", false },
	{ "empty lines", "\r\n\r\n\r\n", "\n\n\n", false },
	{ "bare LF", "a\r\nb\nc\r\n", "a\r\nb\nc\r\n", true },
	{ "bare LF first", "\na\r\n", "\na\r\n", true },
	{ "bare CR", "a\r\nb\rc\r\n", "a\r\nb\rc\r\n", true },
	{ "CR CR LF", "a\r\r\nb\r\n", "a\r\r\nb\r\n", true },
	{ "CR at the end", "a\r\nb\r", "a\r\nb\r", true },
	{ "LF CR", "a\r\nb\n\rc\r\n", "a\r\nb\n\rc\r\n", true },
	{ "only CR", "\r", "\r", true },
	{ "only LF", "\n", "\n", true },
};

static struct slice
contents(struct spool *sp, struct slice prefix, struct arena *arena)
{
	struct buf b = BUF_INIT(100 << 20);
	struct slice text;
	uint64_t stored = 1, wire = 1;
	int fd = openat(scratch_fd, "out", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK_EQ(spool_write(sp, prefix, fd, &stored, &wire, NULL), 0);
	lseek(fd, 0, SEEK_SET);
	CHECK_EQ(file_read_fd(fd, &b, NULL), 0);
	close(fd);
	CHECK_EQ(stored, b.n);
	CHECK_EQ(wire, spool_wire_size(sp) + prefix.n);
	text = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* All that spool_read gives, from an offset. */
static struct slice
read_from(struct spool *sp, uint64_t offset, struct arena *arena)
{
	struct buf b = BUF_INIT(100 << 20);
	struct slice piece, text;
	int rc;

	while ((rc = spool_read(sp, &offset, &piece, NULL)) == 1)
		buf_add(&b, piece);
	CHECK_EQ(rc, 0);
	CHECK_EQ(offset, spool_wire_size(sp));
	text = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

static void
check_row(size_t row, size_t piece)
{
	struct arena *arena = arena_new(0);
	struct slice wire = slice_str(rows[row].wire);
	struct spool *sp = spool_new(&env, 0);

	for (struct slice s = wire; s.n > 0; s = slice_skip(s, piece))
		CHECK_EQ(spool_add(sp, slice_head(s, piece), NULL), 0);
	CHECK_EQ(spool_end(sp, NULL), 0);
	CHECK_EQ(spool_verbatim(sp), rows[row].verbatim);
	CHECK_EQ(spool_wire_size(sp), wire.n);
	CHECK_EQ(spool_stored_size(sp), strlen(rows[row].stored));
	CHECK_SLICE(contents(sp, SLICE_NULL, arena),
	    slice_str(rows[row].stored));
	CHECK_SLICE(read_from(sp, 0, arena), wire);
	CHECK_SLICE(read_from(sp, wire.n / 2, arena),
	    slice_skip(wire, wire.n / 2));
	spool_free(&sp);
	arena_free(&arena);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].name);
		for (size_t piece = 1; piece < 8; piece++)
			check_row(i, piece);
	}
}

static void
test_prefix(void)
{
	struct arena *arena = arena_new(0);
	struct spool *sp = spool_new(&env, 0);

	spool_add(sp, SLICE("a\r\n"), NULL);
	spool_end(sp, NULL);
	CHECK_SLICE(contents(sp, SLICE("x: y\r\n z\r\n"), arena),
	    SLICE("x: y\n z\na\n"));
	spool_free(&sp);
	sp = spool_new(&env, 0);
	spool_add(sp, SLICE("a\n"), NULL);
	spool_end(sp, NULL);
	CHECK_SLICE(contents(sp, SLICE("x: y\r\n"), arena),
	    SLICE("x: y\r\na\n"));
	spool_free(&sp);
	spool_free(&sp);
	arena_free(&arena);
}

/* Lines so that CRLFs fall onto every boundary; last is what ends it. */
static void
check_large(size_t size, size_t piece, struct slice last)
{
	struct arena *arena = arena_new(0);
	struct buf wire = BUF_INIT(100 << 20), lf = BUF_INIT(100 << 20);
	struct spool *sp = spool_new(&env, 0);

	while (wire.n < size) {
		size_t n = wire.n % 97;

		for (size_t i = 0; i < n; i++)
			buf_addc(&wire, (char)('a' + i % 26));
		buf_add(&lf, slice_skip(buf_slice(&wire), wire.n - n));
		buf_addc(&lf, '\n');
		buf_add(&wire, SLICE("\r\n"));
	}
	buf_add(&wire, last);
	buf_add(&lf, last);
	for (struct slice s = buf_slice(&wire); s.n > 0;
	     s = slice_skip(s, piece))
		CHECK_EQ(spool_add(sp, slice_head(s, piece), NULL), 0);
	CHECK_EQ(spool_end(sp, NULL), 0);
	CHECK_EQ(spool_verbatim(sp), last.n > 0);
	CHECK(slice_eq(contents(sp, SLICE_NULL, arena),
	    buf_slice(last.n > 0 ? &wire : &lf)));
	CHECK(slice_eq(read_from(sp, 0, arena), buf_slice(&wire)));
	CHECK(slice_eq(read_from(sp, 500001, arena),
	    slice_skip(buf_slice(&wire), 500001)));
	spool_free(&sp);
	buf_free(&wire);
	buf_free(&lf);
	arena_free(&arena);
}

static void
test_large(void)
{
	check_large(600 * 1024, 7, SLICE_NULL);
	check_large(SPOOL_MEMORY, 4096, SLICE_NULL);
	check_large(SPOOL_MEMORY + 1, 4096, SLICE("\n"));
	check_large(3 << 20, 65536, SLICE_NULL);
	check_large(3 << 20, 5 << 20, SLICE("\r"));
	check_large(3 << 20, 65535, SLICE("\rx"));
}

static void
test_limit(void)
{
	struct spool *sp = spool_new(&env, 10);
	struct err e = ERR_INIT;

	CHECK_EQ(spool_add(sp, SLICE("0123456789"), &e), 0);
	CHECK_EQ(spool_add(sp, SLICE(""), &e), 0);
	CHECK_EQ(spool_add(sp, SLICE("0"), &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	e = (struct err)ERR_INIT;
	CHECK_EQ(spool_add(sp, SLICE(""), &e), -1);
	CHECK_EQ(spool_end(sp, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	spool_free(&sp);
}

int
main(void)
{
	scratch_begin();
	env.data_fd = scratch_fd;
	RUN(test_rows);
	RUN(test_prefix);
	RUN(test_large);
	RUN(test_limit);
	scratch_end();
	return unit_done();
}
