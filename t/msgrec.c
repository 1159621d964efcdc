/* Unit tests of lib/message: msgrec_check, msgrec_in_bounds, msgrec_prefix,
 * section_find, msgrec_structure. */
#include "message/parse.h"
#include "message/record_int.h"
#include "message/section.h"
#include "t/unit.h"

/* A record with these IMAP texts, as a malicious front could make it. */
static bool
check_with(const char *envelope, const char *structure, const char *preview)
{
	struct msgrec_part part = { .parent = MSGREC_NONE,
		.number = 1,
		.next = 1,
		.type = SLICE("text/plain") };
	struct msgrec_draft d = { .parts = &part, .nparts = 1 };
	struct buf b = BUF_INIT(MSGREC_MAX);
	bool ok;

	d.texts[MSGREC_ENVELOPE] = slice_str(envelope);
	d.texts[MSGREC_STRUCTURE] = slice_str(structure);
	d.texts[MSGREC_PREVIEW] = slice_str(preview);
	msgrec_write(&b, &d);
	ok = msgrec_check(buf_slice(&b));
	CHECK(msgrec_in_bounds(buf_slice(&b)));
	buf_free(&b);
	return ok;
}

#define NO_LISTS " NIL NIL NIL NIL NIL NIL"
#define ENVELOPE "(NIL NIL" NO_LISTS " NIL NIL)"
#define LEAF "\"A\" \"B\" NIL NIL NIL \"7BIT\" 1"
#define TAIL " NIL NIL NIL NIL"

static void
test_envelope(void)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ ENVELOPE, true },
		{ "(\"a\" \"\\\"\\\\\"" NO_LISTS " NIL NIL)", true },
		{ "(NIL {3}\r\n\r\n)" NO_LISTS " NIL NIL)", true },
		{ "(NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)) NIL NIL NIL "
		  "NIL NIL NIL NIL)",
		    true },
		{ "", false },
		{ "()", false },
		{ "(NIL NIL" NO_LISTS " NIL NIL", false },
		{ ENVELOPE " ", false },
		{ ENVELOPE "\r\n* BYE", false },
		{ "(NIL NIL" NO_LISTS " NIL NIL NIL)", false },
		{ "(NIL  NIL" NO_LISTS " NIL NIL)", false },
		{ "(\"a\r\nb\" NIL" NO_LISTS " NIL NIL)", false },
		{ "(\"\xc3\xa4\" NIL" NO_LISTS " NIL NIL)", false },
		{ "(\"a\\b\" NIL" NO_LISTS " NIL NIL)", false },
		{ "(\"a NIL" NO_LISTS " NIL NIL)", false },
		{ "(atom NIL" NO_LISTS " NIL NIL)", false },
		{ "(1 NIL" NO_LISTS " NIL NIL)", false },
		{ "({99}\r\nab NIL" NO_LISTS " NIL NIL)", false },
		{ "({99999999999999}\r\nab NIL" NO_LISTS " NIL NIL)", false },
		{ "({2+}\r\nab NIL" NO_LISTS " NIL NIL)", false },
		{ "({2}\nab NIL" NO_LISTS " NIL NIL)", false },
		{ "(NIL NIL () NIL NIL NIL NIL NIL NIL NIL)", false },
		{ "(NIL NIL ((NIL)) NIL NIL NIL NIL NIL NIL NIL)", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ROW(rows[i].text);
		CHECK_EQ(check_with(rows[i].text, "(" LEAF TAIL ")", ""),
		    rows[i].ok);
	}
}

static void
test_structure(void)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ "(" LEAF TAIL ")", true },
		{ "((" LEAF TAIL ")(" LEAF TAIL ") \"M\" NIL NIL NIL NIL)",
		    true },
		{ "(\"TEXT\" \"B\" (\"C\" \"D\") NIL NIL \"7BIT\" 1 2 NIL (\"E\" "
		  "(\"F\" \"G\")) (\"H\" \"I\") \"J\")",
		    true },
		{ "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 1 " ENVELOPE
		  " (" LEAF TAIL ") 2" TAIL ")",
		    true },
		{ "(" LEAF ")", false },
		{ "(" LEAF TAIL, false },
		{ "(" LEAF TAIL "))", false },
		{ "(" LEAF TAIL ")(" LEAF TAIL ")", false },
		{ "((" LEAF TAIL ") (" LEAF TAIL ") \"M\" NIL NIL NIL NIL)",
		    false },
		{ "(\"TEXT\" \"B\" NIL NIL NIL \"7BIT\" 1" TAIL ")", false },
		{ "(\"A\" \"B\" (\"C\") NIL NIL \"7BIT\" 1" TAIL ")", false },
		{ "(\"A\" \"B\" () NIL NIL \"7BIT\" 1" TAIL ")", false },
		{ "(\"A\" \"B\" NIL NIL NIL NIL 1" TAIL ")", false },
		{ "(\"A\" \"B\" NIL NIL NIL \"7BIT\" -1" TAIL ")", false },
		{ "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 1 2" TAIL ")",
		    false },
		{ "(\"A\" \"B\" NIL NIL NIL \"7BIT\" 1 NIL (\"x\") NIL NIL)",
		    false },
	};
	struct buf deep = BUF_INIT(MSGREC_MAX);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ROW(rows[i].text);
		CHECK_EQ(check_with(ENVELOPE, rows[i].text, ""), rows[i].ok);
	}
	ROW("deep");
	for (int i = 0; i < 1000000; i++)
		buf_addc(&deep, '(');
	CHECK(!check_with(ENVELOPE, buf_cstr(&deep), ""));
	buf_free(&deep);
}

static void
test_texts(void)
{
	struct buf b = BUF_INIT(1000);

	CHECK(check_with(ENVELOPE, "(" LEAF TAIL ")", "a\nb\n"));
	CHECK(!check_with(ENVELOPE, "(" LEAF TAIL ")", "a\r\nb"));
	CHECK(!check_with(ENVELOPE, "(" LEAF TAIL ")", "\xff"));
	for (int i = 0; i < 256; i++)
		buf_addz(&b, "ä");
	CHECK(check_with(ENVELOPE, "(" LEAF TAIL ")", buf_cstr(&b)));
	buf_addc(&b, 'x');
	CHECK(!check_with(ENVELOPE, "(" LEAF TAIL ")", buf_cstr(&b)));
	buf_free(&b);
}

static bool
check_parts(struct msgrec_part *parts, uint32_t n, uint64_t wire_size)
{
	struct msgrec_draft d = {
		.parts = parts, .nparts = n, .wire_size = wire_size
	};
	struct buf b = BUF_INIT(MSGREC_MAX);
	bool ok;

	d.texts[MSGREC_ENVELOPE] = SLICE(ENVELOPE);
	d.texts[MSGREC_STRUCTURE] = SLICE("(" LEAF TAIL ")");
	msgrec_write(&b, &d);
	ok = msgrec_check(buf_slice(&b));
	CHECK_EQ(msgrec_in_bounds(buf_slice(&b)), ok);
	buf_free(&b);
	return ok;
}

/* Each row breaks a good table of three parts in one place. */
static void
test_parts(void)
{
#define BREAK(field, value) \
	do { \
		struct msgrec_part broken[3]; \
		memcpy(broken, good, sizeof(good)); \
		broken[i].field = (value); \
		ROW(#field " = " #value); \
		CHECK(!check_parts(broken, 3, 100)); \
	} while (0)

	struct msgrec_part good[3] = {
		{ .parent = MSGREC_NONE,
		    .number = 1,
		    .next = 3,
		    .kind = MSGREC_MULTIPART,
		    .body = { 10, 2 },
		    .end = { 100, 12 } },
		{ .parent = 0,
		    .number = 1,
		    .next = 2,
		    .header = { 20, 3 },
		    .body = { 30, 4 },
		    .end = { 40, 5 } },
		{ .parent = 0,
		    .number = 2,
		    .next = 3,
		    .header = { 50, 6 },
		    .body = { 60, 7 },
		    .end = { 90, 9 } },
	};
	int i = 0;

	CHECK(check_parts(good, 3, 100));
	CHECK(!check_parts(good, 3, 101));
	CHECK(!check_parts(good, 2, 100));
	BREAK(parent, 0);
	BREAK(next, 2);
	BREAK(kind, MSGREC_LEAF);
	BREAK(kind, MSGREC_MESSAGE);
	BREAK(kind, 7);
	BREAK(encoding, 9);
	BREAK(header.off, 1);
	BREAK(body.off, 101);
	BREAK(body.breaks, 11);
	BREAK(end.breaks, 6);
	BREAK(type, SLICE("a\r\nb"));
	BREAK(charset, SLICE("a\r\nb"));
	i = 1;
	BREAK(parent, 1);
	BREAK(parent, 2);
	BREAK(parent, 1000000);
	BREAK(number, 2);
	BREAK(next, 1);
	BREAK(next, 3);
	BREAK(next, 4);
	BREAK(kind, MSGREC_MULTIPART);
	BREAK(header.off, 9);
	BREAK(body.off, 19);
	BREAK(end.off, 51);
	BREAK(end.off, UINT64_MAX);
	BREAK(end.breaks, 16);
	i = 2;
	BREAK(end.off, 101);
#undef BREAK
}

static const char nested[] =
    "From: a@b\r\nContent-Type: multipart/mixed; "
    "boundary=x\r\n\r\n--x\r\nContent-Type: text/html"
    "\r\n\r\n<p>hello\r\n--x\r\nContent-Type: message/"
    "rfc822\r\n\r\nSubject: s\r\n\r\nbody\r\n--x--\r\n";

static void
test_cut(void)
{
	struct buf b = BUF_INIT(MSGREC_MAX);
	struct slice r;

	msgparse_all(slice_str(nested), NULL, &b);
	r = buf_slice(&b);
	CHECK(msgrec_check(r));
	for (size_t n = 0; n < r.n; n++)
		CHECK(!msgrec_in_bounds(slice_head(r, n)));
	/* No text may begin or end outside. */
	for (size_t i = 0; i < MSGREC_TEXTS; i++) {
		size_t at = 40 + 8 * i; /* README */
		char was = b.p[at + 3], length = b.p[at + 7];

		b.p[at + 3] = 1;
		CHECK(!msgrec_in_bounds(r));
		b.p[at + 3] = was;
		b.p[at + 7] = 1;
		CHECK(!msgrec_in_bounds(r));
		b.p[at + 7] = length;
	}
	CHECK(msgrec_in_bounds(r));
	b.p[8] = (char)0xff; /* unknown flags */
	b.p[9] = (char)0xff;
	CHECK(!msgrec_check(r));
	buf_free(&b);
}

static void
test_prefix(void)
{
	struct buf a = BUF_INIT(MSGREC_MAX), b = BUF_INIT(MSGREC_MAX);
	struct buf m = BUF_INIT(MSGREC_MAX), c = BUF_INIT(MSGREC_MAX);
	struct slice prefix = SLICE("Received: x\r\n y\r\nX-A: \xc3\xa4\r\n");

	msgparse_all(slice_str(nested), NULL, &a);
	CHECK(msgrec_prefix(buf_slice(&a), prefix, &b));
	CHECK(msgrec_check(buf_slice(&b)));
	CHECK_EQ(msgrec_received(buf_slice(&b)), 1);
	buf_add(&m, prefix);
	buf_addz(&m, nested);
	msgparse_all(buf_slice(&m), NULL, &c);
	CHECK(slice_eq(buf_slice(&b), buf_slice(&c)));

	buf_reset(&b);
	CHECK(msgrec_prefix(buf_slice(&a), SLICE(""), &b));
	CHECK(slice_eq(buf_slice(&a), buf_slice(&b)));
	buf_reset(&b);
	CHECK(!msgrec_prefix(buf_slice(&a), SLICE("Date: x\r\n"), &b));
	CHECK(!msgrec_prefix(buf_slice(&a), SLICE("X: y"), &b));
	CHECK(!msgrec_prefix(buf_slice(&a), SLICE("X: y\r\n\r\n"), &b));
	CHECK(!msgrec_prefix(buf_slice(&a), SLICE(" x\r\n"), &b));
	CHECK(!msgrec_prefix(buf_slice(&a), SLICE("junk\r\n"), &b));
	CHECK_EQ(b.n, 0);
	buf_free(&a);
	buf_free(&b);
	buf_free(&c);
	buf_free(&m);
}

/* ---- sections: the example of RFC 9051, 6.4.5.1 ---- */

#define FIELD(name) "X: " name "\r\n"
#define PART(b, type, name) \
	"--" b "\r\nContent-Type: " type "\r\n" FIELD(name) "\r\n"
#define BODY(name) "body " name "\r\n"
#define MIXED(b) "multipart/mixed; boundary=" b

static const char example[] =
    "Content-Type: " MIXED("a") "\r\n" FIELD("HEADER") "\r\n" PART("a",
	"text/plain",
	"1.MIME") BODY("1") PART("a", "application/octet-stream", "2.MIME")
	BODY("2") PART("a", "message/rfc822", "3.MIME") "Content-Type: " MIXED(
	    "c") "\r\n" FIELD("3.HEADER") "\r\n" PART("c", "text/plain",
	    "3.1.MIME") BODY("3.1") PART("c", "application/octet-stream",
	    "3.2.MIME") BODY("3.2") "--c--\r\n" PART("a", MIXED("d"), "4.MIME")
	    PART("d", "image/gif", "4.1.MIME") BODY("4.1")
		PART("d", "message/rfc822", "4.2.MIME") "Content-Type: " MIXED(
		    "e") "\r\n" FIELD("4.2.HEADER") "\r\n" PART("e",
		    "text/plain", "4.2.1.MIME") BODY("4.2.1")
		    PART("e", MIXED("f"), "4.2.2.MIME")
			PART("f", "text/plain", "4.2.2.1.MIME") BODY("4.2.2.1")
			    PART("f", "text/richtext", "4.2.2.2.MIME")
				BODY("4.2.2.2") "--f--\r\n"
						"--e--\r\n"
						"--d--\r\n"
						"--a--\r\n";

static bool
find(struct slice record, const char *name, struct section *s)
{
	struct slice rest = slice_str(name), word;
	enum section_kind kind = SECTION_WHOLE;
	uint32_t path[10];
	size_t n = 0;

	while (slice_next(&rest, '.', &word)) {
		if (slice_is(word, "HEADER"))
			kind = SECTION_HEADER;
		else if (slice_is(word, "TEXT"))
			kind = SECTION_TEXT;
		else if (slice_is(word, "MIME"))
			kind = SECTION_MIME;
		else
			CHECK(slice_u32(word, &path[n++]));
	}
	return section_find(record, path, n, kind, s);
}

static void
test_sections(void)
{
	static const char *const mine[] = { "1", "2", "3.1", "3.2", "4.1",
		"4.2.1", "4.2.2.1", "4.2.2.2" };
	static const char *const fields[] = { "HEADER", "1.MIME", "2.MIME",
		"3.MIME", "3.HEADER", "3.1.MIME", "3.2.MIME", "4.MIME",
		"4.1.MIME", "4.2.MIME", "4.2.HEADER", "4.2.1.MIME",
		"4.2.2.MIME", "4.2.2.1.MIME", "4.2.2.2.MIME" };
	static const char *const none[] = { "0", "5", "1.1", "1.HEADER",
		"1.TEXT", "4.HEADER", "3.3", "4.2.2.3", "4.2.2.1.1", "MIME",
		"3.1.TEXT" };
	struct buf b = BUF_INIT(MSGREC_MAX);
	struct slice m = slice_str(example), r;
	struct section s;

	msgparse_all(m, NULL, &b);
	r = buf_slice(&b);
	for (size_t i = 0; i < sizeof(mine) / sizeof(*mine); i++) {
		struct slice got;

		ROW(mine[i]);
		CHECK(find(r, mine[i], &s));
		got = slice_sub(m, s.from.off, s.from.off + s.size);
		CHECK(slice_starts(got, SLICE("body ")));
		CHECK_SLICE(slice_skip(got, 5), slice_str(mine[i]));
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		struct slice got;
		ssize_t at;

		ROW(fields[i]);
		CHECK(find(r, fields[i], &s));
		got = slice_sub(m, s.from.off, s.from.off + s.size);
		CHECK(slice_starts(got, SLICE("Content-Type: ")));
		at = slice_find(got, SLICE("X: "));
		got = slice_skip(got, (size_t)at + 3);
		CHECK(slice_starts(got, slice_str(fields[i])));
		CHECK_EQ(got.n, slice_str(fields[i]).n + 4);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		ROW(none[i]);
		CHECK(!find(r, none[i], &s));
	}
	ROW("");
	CHECK(find(r, "", &s));
	CHECK_EQ(s.size, m.n);
	CHECK(find(r, "TEXT", &s));
	CHECK(slice_starts(slice_skip(m, s.from.off), SLICE("--a\r\n")));
	CHECK(find(r, "3.TEXT", &s));
	CHECK(slice_starts(slice_skip(m, s.from.off), SLICE("--c\r\n")));
	CHECK(find(r, "3", &s));
	CHECK(slice_starts(slice_skip(m, s.from.off), SLICE("Content-Type: ")));
	CHECK(find(r, "4", &s));
	CHECK(slice_starts(slice_skip(m, s.from.off), SLICE("--d\r\n")));
	buf_free(&b);
}

static void
test_plain_sections(void)
{
	struct buf b = BUF_INIT(MSGREC_MAX);
	struct section s;

	msgparse_all(SLICE("A: b\r\n\r\ntext"), NULL, &b);
	CHECK(find(buf_slice(&b), "1", &s));
	CHECK_EQ(s.from.off, 8);
	CHECK_EQ(s.from.breaks, 2);
	CHECK_EQ(s.size, 4);
	CHECK(find(buf_slice(&b), "1.MIME", &s));
	CHECK_EQ(s.size, 8);
	CHECK(!find(buf_slice(&b), "2", &s));
	CHECK(!find(buf_slice(&b), "1.1", &s));
	CHECK(!find(buf_slice(&b), "1.TEXT", &s));
	buf_free(&b);
}

static const char *
structure_of(struct slice record, const char *name,
    const struct msgrec_decoded *decoded, struct buf *out)
{
	struct section s;

	buf_reset(out);
	CHECK(find(record, name, &s));
	return msgrec_structure(record, s.part, decoded, out) ? buf_cstr(out)
							      : "none";
}

static void
test_part_structure(void)
{
	static const struct {
		const char *name, *start;
	} pieces[] = {
		{ "1", "(\"TEXT\" \"PLAIN\" " },
		{ "3", "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" " },
		{ "3.TEXT", "((\"TEXT\" \"PLAIN\" " },
		{ "3.2", "(\"APPLICATION\" \"OCTET-STREAM\" NIL " },
		{ "4", "((\"IMAGE\" \"GIF\" NIL NIL NIL \"7BIT\" 8 " },
		{ "4.2.2.2", "(\"TEXT\" \"RICHTEXT\" " },
	};
	const struct msgrec_decoded d = { 5, 7 };
	struct buf b = BUF_INIT(MSGREC_MAX), out = BUF_INIT(MSGREC_MAX);
	struct slice r;

	msgparse_all(slice_str(example), NULL, &b);
	r = buf_slice(&b);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct slice got =
		    slice_str(structure_of(r, pieces[i].name, NULL, &out));

		ROW(pieces[i].name);
		CHECK_SLICE(slice_head(got, strlen(pieces[i].start)),
		    slice_str(pieces[i].start));
		CHECK(check_with(ENVELOPE, buf_cstr(&out), ""));
	}
	ROW("decoded");
	CHECK_STR(structure_of(r, "1", &d, &out),
	    "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL "
	    "\"BINARY\" 5 7 NIL NIL NIL NIL)");
	CHECK_STR(structure_of(r, "2", &d, &out),
	    "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL "
	    "\"BINARY\" 5 NIL NIL NIL NIL)");
	CHECK_STR(structure_of(r, "3", &d, &out), "none");
	CHECK_STR(structure_of(r, "4", &d, &out), "none");
	CHECK(!msgrec_structure(r, msgrec_parts(r), NULL, &out));
	structure_of(r, "", NULL, &out);
	CHECK_SLICE(buf_slice(&out), msgrec_text(r, MSGREC_STRUCTURE));
	buf_free(&b);
	buf_free(&out);
}

int
main(void)
{
	RUN(test_envelope);
	RUN(test_structure);
	RUN(test_texts);
	RUN(test_parts);
	RUN(test_cut);
	RUN(test_prefix);
	RUN(test_sections);
	RUN(test_plain_sections);
	RUN(test_part_structure);
	return unit_done();
}
