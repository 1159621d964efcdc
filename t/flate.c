/* Unit test of lib/net/flate.c, and of conn over it. */
#include "net/flate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"
#include "net/conn.h"
#include "t/unit.h"

/* Through f, and back through g in small pieces. */
static void
pass(struct flate *f, struct flate *g, struct slice s, bool flush,
    size_t piece_max, struct buf *got)
{
	struct slice packed;
	char piece[5000];
	size_t n;

	flate_write(f, s);
	while (flate_next(f, flush, &packed)) {
		memcpy(flate_room(g), packed.p, packed.n);
		flate_filled(g, packed.n);
		while (flate_read(g, piece, piece_max, &n) == FLATE_OK)
			buf_add(got, slice_of(piece, n));
		CHECK(!flate_has_more(g));
	}
}

static void
test_round(void)
{
	static const size_t sizes[] = { 0, 1, 5, 100, 16383, 16384, 16385,
		200000 };
	struct flate *f = flate_new(), *g = flate_new();
	struct buf all = BUF_INIT(SIZE_MAX), got = BUF_INIT(SIZE_MAX);
	char *bytes = xmalloc(200000);
	struct rand r = { 0 };

	rand_fake(&r, 7);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (int random = 0; random < 2; random++) {
			if (random)
				rand_fill(&r, bytes, sizes[i]);
			else
				memset(bytes, 'a' + (int)i, sizes[i]);
			buf_add(&all, slice_of(bytes, sizes[i]));
			pass(f, g, slice_of(bytes, sizes[i]), i % 2,
			    1 + i * 700, &got);
		}
	}
	pass(f, g, SLICE_NULL, true, 100, &got);
	pass(f, g, SLICE_NULL, true, 100, &got); /* nothing to flush */
	CHECK_EQ(got.n, all.n);
	CHECK(got.n == all.n && memcmp(got.p, all.p, all.n) == 0);
	/* Small talk gets smaller. */
	buf_reset(&all);
	for (int i = 0; i < 100; i++)
		buf_addf(&all, "* %d FETCH (UID %d FLAGS (\\Seen))\r\n", i, i);
	got.n = 0;
	flate_write(f, buf_slice(&all));
	for (struct slice packed; flate_next(f, true, &packed);)
		got.n += packed.n;
	CHECK(got.n < all.n / 5);
	flate_free(&f);
	flate_free(&g);
	flate_free(&g);
	buf_free(&all);
	buf_free(&got);
	free(bytes);
}

static void
test_damaged(void)
{
	struct flate *g = flate_new();
	char p[10];
	size_t n;

	CHECK_EQ(flate_read(g, p, sizeof(p), &n), FLATE_HUNGRY);
	memset(flate_room(g), 0xff, 20);
	flate_filled(g, 20);
	CHECK_EQ(flate_read(g, p, sizeof(p), &n), FLATE_DAMAGED);
	CHECK_EQ(flate_read(g, p, sizeof(p), &n), FLATE_DAMAGED);
	CHECK_EQ(n, 0);
	flate_free(&g);
	/* An empty stream that ends, and bytes behind it. */
	g = flate_new();
	memcpy(flate_room(g), "\3\0xyz", 5);
	flate_filled(g, 5);
	CHECK_EQ(flate_read(g, p, sizeof(p), &n), FLATE_END);
	CHECK(!flate_has_more(g));
	flate_free(&g);
}

/* s as a peer packs it, with two flushes at the end. */
static size_t
pack(struct slice s, int level, int flush, int then, char *p, size_t n)
{
	z_stream z = { 0 };

	deflateInit2(&z, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (Bytef *)(uintptr_t)s.p;
	z.avail_in = (uInt)s.n;
	z.next_out = (Bytef *)p;
	z.avail_out = (uInt)n;
	deflate(&z, flush);
	if (then)
		deflate(&z, then);
	n -= z.avail_out;
	deflateEnd(&z);
	return n;
}

/* Read text and then the end of it, with the bytes coming so many at a time. */
static enum flate_status
read_to_end(struct slice packed, size_t step, struct slice text,
    struct buf *rest)
{
	struct flate *g = flate_new();
	enum flate_status status = FLATE_HUNGRY;
	struct slice some;
	char p[100];
	size_t got = 0, n;

	while (packed.n > 0 && status == FLATE_HUNGRY) {
		some = slice_head(packed, step);
		packed = slice_skip(packed, some.n);
		memcpy(flate_room(g), some.p, some.n);
		flate_filled(g, some.n);
		while (got < text.n &&
		    (status = flate_read(g, p, text.n - got, &n)) == FLATE_OK)
			got += n;
		if (got == text.n)
			status = flate_read_end(g, &some);
	}
	CHECK_EQ(got, text.n);
	if (status == FLATE_END) {
		buf_add(rest, some);
		buf_add(rest, packed);
	}
	flate_free(&g);
	return status;
}

/* RFC 8437, 4.1: compressed data ends, and plain text follows. */
static void
test_end(void)
{
	static const struct {
		const char *name;
		int flush, then;
		enum flate_status status;
	} rows[] = {
		{ "sync flush", Z_SYNC_FLUSH, 0, FLATE_END },
		{ "full flush", Z_FULL_FLUSH, 0, FLATE_END },
		{ "finish", Z_FINISH, 0, FLATE_END },
		{ "sync flush, finish", Z_SYNC_FLUSH, Z_FINISH, FLATE_END },
		{ "no end", Z_BLOCK, 0, FLATE_HUNGRY },
	};
	struct slice text = SLICE("a UNAUTHENTICATE\r\n");
	struct slice plain = SLICE("b LOGIN x y\r\n");
	struct buf rest = BUF_INIT(SIZE_MAX);
	char packed[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t step = 1; step < 80; step++)
			for (int level = 0; level < 10; level += 9) {
				bool ends = rows[i].status == FLATE_END;
				size_t n = pack(text, level, rows[i].flush,
				    rows[i].then, packed, 150);
				/* Bytes that come later are not known of. */
				if (rows[i].then && step < n)
					continue;
				if (ends)
					memcpy(packed + n, plain.p, plain.n);
				ROW(rows[i].name);
				buf_reset(&rest);
				CHECK_EQ(read_to_end(slice_of(packed,
							 n +
							     (ends ? plain.n
								   : 0)),
					     step, text, &rest),
				    rows[i].status);
				if (ends)
					CHECK_SLICE(buf_slice(&rest), plain);
			}
	ROW("more is compressed");
	text = SLICE("a UNAUTHENTICATE\r\nb LOGIN x y\r\n");
	CHECK_EQ(read_to_end(slice_of(packed,
				 pack(text, 9, Z_SYNC_FLUSH, 0, packed, 150)),
		     150, slice_head(text, 18), &rest),
	    FLATE_DAMAGED);
	buf_free(&rest);
}

/* The last words: the stream goes on as if they had not been said. */
static void
test_last(void)
{
	struct flate *f = flate_new(), *g = flate_new();
	struct buf got = BUF_INIT(SIZE_MAX), last = BUF_INIT(SIZE_MAX);
	struct slice rest;
	char piece[100];
	size_t n;

	pass(f, g, SLICE("first words "), true, 100, &got);
	flate_last(f, SLICE("last words"), &last);
	buf_add(&last, SLICE("plain"));
	pass(f, g, SLICE("other words "), true, 100, &got);
	CHECK_SLICE(buf_slice(&got), SLICE("first words other words "));
	flate_free(&g);
	flate_free(&f);
	f = flate_new();
	g = flate_new();
	pass(f, g, SLICE("first words "), true, 100, &got);
	memcpy(flate_room(g), last.p, last.n);
	flate_filled(g, last.n);
	CHECK_EQ(flate_read(g, piece, sizeof(piece), &n), FLATE_OK);
	CHECK_SLICE(slice_of(piece, n), SLICE("last words"));
	CHECK_EQ(flate_read_end(g, &rest), FLATE_END);
	CHECK_SLICE(rest, SLICE("plain"));
	flate_free(&g);
	flate_free(&f);
	buf_free(&got);
	buf_free(&last);
}

static void
test_conn(void)
{
	struct conn *a, *b;
	struct slice line;
	char big[50000];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	a = conn_new(pair[0], pair[0]);
	b = conn_new(pair[1], pair[1]);
	conn_set_read_ms(b, 50);
	conn_writez(a, "plain\r\n");
	CHECK_EQ(conn_flush(a), CONN_OK);
	conn_deflate(a);
	conn_writez(a, "packed\r\nmore\r\n");
	CHECK_EQ(conn_flush(a), CONN_OK);
	CHECK_EQ(conn_line(b, 100, &line, NULL), CONN_OK);
	CHECK_SLICE(line, SLICE("plain"));
	/* Part of the compressed bytes is buffered already. */
	CHECK(conn_buffered(b).n > 0);
	conn_deflate(b);
	CHECK(conn_is_deflated(b) && conn_pending(b));
	CHECK_EQ(conn_line(b, 100, &line, NULL), CONN_OK);
	CHECK_SLICE(line, SLICE("packed"));
	CHECK_EQ(conn_line(b, 100, &line, NULL), CONN_OK);
	CHECK_SLICE(line, SLICE("more"));
	CHECK(!conn_pending(b));
	CHECK_EQ(conn_line(b, 100, &line, NULL), CONN_TIMEOUT);
	/* More than the buffer holds, of few bytes: no descriptor tells that
	 * there is more. */
	memset(big, 'x', sizeof(big));
	conn_write(a, slice_of(big, sizeof(big)));
	conn_writez(a, "\r\nend\r\n");
	CHECK_EQ(conn_flush(a), CONN_OK);
	CHECK(conn_bytes_out(a) < 1000);
	CHECK_EQ(conn_fill(b, CONN_BUFFER), CONN_OK);
	conn_consume(b, CONN_BUFFER);
	CHECK_EQ(conn_buffered(b).n, 0);
	CHECK(conn_pending(b));
	CHECK_EQ(conn_line(b, 30000, &line, NULL), CONN_OK);
	CHECK_EQ(line.n, sizeof(big) - CONN_BUFFER);
	CHECK_EQ(conn_line(b, 100, &line, NULL), CONN_OK);
	CHECK_SLICE(line, SLICE("end"));
	/* What is not compressed ends it. */
	CHECK_EQ(write(pair[0], "\xff\xff\xff\xff\xff", 5), 5);
	CHECK_EQ(conn_line(b, 100, &line, NULL), CONN_ERROR);
	CHECK_SLICE(slice_str(conn_error(b)),
	    SLICE("compressed data is damaged"));
	conn_free(&a);
	conn_free(&b);
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	RUN(test_round);
	RUN(test_damaged);
	RUN(test_end);
	RUN(test_last);
	RUN(test_conn);
	return unit_done();
}
