/* Unit test of lib/text/qp.c. */
#include "text/qp.h"
#include "t/unit.h"

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

static void
test_encode(void)
{
	static const struct {
		const char *name;
		struct slice input, expected;
	} rows[] = {
		{ "empty", SLICE(""), SLICE("") },
		{ "plain", SLICE("a b\tc"), SLICE("a b\tc") },
		{ "breaks", SLICE("a\nb\r\n\n"), SLICE("a\r\nb\r\n\r\n") },
		{ "bytes", SLICE("=\xc3\xa9\x7f"), SLICE("=3D=C3=A9=7F") },
		{ "controls", SLICE("a\rb\x00"), SLICE("a=0Db=00") },
		{ "white at the end", SLICE("a \nb\t\n "),
		    SLICE("a=20\r\nb=09\r\n=20") },
		{ "white inside", SLICE("a  b"), SLICE("a  b") },
		{ "dot", SLICE(".\n.a\na."), SLICE("=2E\r\n=2Ea\r\na.") },
		{ "from", SLICE("From x\nFromage\n"),
		    SLICE("=46rom x\r\nFromage\r\n") },
		{ "75", SLICE(X70 "12345"), SLICE(X70 "12345") },
		{ "76", SLICE(X70 "123456"), SLICE(X70 "12345=\r\n6") },
		{ "no break inside =XX", SLICE(X70 "123\xff"),
		    SLICE(X70 "123=\r\n=FF") },
		{ "room for =XX", SLICE(X70 "12\xff"), SLICE(X70 "12=FF") },
		{ "dot after a soft break", SLICE(X70 "12345."),
		    SLICE(X70 "12345=\r\n=2E") },
	};
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].name);
		buf_reset(&b);
		qp_encode(&b, rows[i].input);
		CHECK_SLICE(buf_slice(&b), rows[i].expected);
	}
	buf_free(&b);
}

static void
test_decode(void)
{
	static const struct {
		const char *name;
		struct slice input, expected;
		bool bad;
	} rows[] = {
		/* RFC 2045, 6.7 */
		{ "example",
		    SLICE("Now's the time =\r\nfor all folk to come=\r\n"
			  " to the aid of their country."),
		    SLICE("Now's the time for all folk to come"
			  " to the aid of their country."),
		    false },
		{ "empty", SLICE(""), SLICE(""), false },
		{ "bytes", SLICE("=3D=c3=A9=00"), SLICE("=\xc3\xa9\0"), false },
		{ "line ends stay", SLICE("a\r\nb\nc\rd\r\r\n"),
		    SLICE("a\r\nb\nc\rd\r\r\n"), false },
		{ "white dropped", SLICE("a \t \r\nb  \nc  "),
		    SLICE("a\r\nb\nc"), false },
		{ "white encoded", SLICE("a=20 \r\nb=09\r\n"),
		    SLICE("a \r\nb\t\r\n"), false },
		{ "soft break", SLICE("a=\nb=  \r\nc= \t\nd"), SLICE("abcd"),
		    false },
		{ "white before soft break", SLICE("a  =\r\nb"), SLICE("a  b"),
		    false },
		{ "soft break last", SLICE("a="), SLICE("a"), false },
		{ "not hex", SLICE("=ZZ =3 =\r=\xff"), SLICE("=ZZ =3 =\r=\xff"),
		    true },
		{ "one digit last", SLICE("a=4"), SLICE("a=4"), true },
		{ "equals twice", SLICE("a==3D=="), SLICE("a==="), true },
		{ "white and CR", SLICE("a \r b"), SLICE("a \r b"), false },
	};
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t size = 1; size < 9; size++) {
			struct qp_dec d = QP_DEC_INIT;
			struct slice in = rows[i].input;

			ROW(rows[i].name);
			buf_reset(&b);
			for (; in.n > 0; in = slice_skip(in, size))
				qp_dec_push(&d, slice_head(in, size), &b);
			qp_dec_end(&d, &b);
			CHECK_SLICE(buf_slice(&b), rows[i].expected);
			CHECK_EQ(d.bad, rows[i].bad);
		}
	buf_free(&b);
}

/* More white space than can be kept is text. */
static void
test_much_white(void)
{
	struct qp_dec d = QP_DEC_INIT;
	struct buf b = BUF_INIT(10000);

	for (int i = 0; i < 1000; i++)
		qp_dec_push(&d, SLICE(" "), &b);
	qp_dec_push(&d, SLICE("\n"), &b);
	qp_dec_end(&d, &b);
	CHECK(b.n > 900 && b.n < 1001);
	CHECK(slice_ends(buf_slice(&b), SLICE(" \n")));
	buf_free(&b);
}

static void
test_round_trip(void)
{
	char data[256 * 3];
	struct qp_dec d = QP_DEC_INIT;
	struct buf b = BUF_INIT(10000), back = BUF_INIT(10000);

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	for (size_t i = 0; i < sizeof(data); i++)
		if (data[i] == '\n')
			data[i] = 'x';
	qp_encode(&b, slice_of(data, sizeof(data)));
	qp_dec_push(&d, buf_slice(&b), &back);
	qp_dec_end(&d, &back);
	CHECK(slice_eq(buf_slice(&back), slice_of(data, sizeof(data))));
	for (struct slice rest = buf_slice(&b), line; slice_line(&rest, &line);)
		CHECK(line.n <= QP_LINE);
	buf_free(&b);
	buf_free(&back);
}

int
main(void)
{
	RUN(test_encode);
	RUN(test_decode);
	RUN(test_much_white);
	RUN(test_round_trip);
	return unit_done();
}
