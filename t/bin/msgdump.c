/*
 * msgdump - the record of a message on stdin, for scripts: lines of
 * "name N" with N bytes and a line break behind, then parts, then sections.
 *
 * Usage: msgdump [-lf] [-chunk N] [SECTION]...
 *
 * SECTION is an IMAP section (1.2.MIME, HEADER, "" for all): prints
 * "section SECTION OFFSET BREAKS SIZE", or "section SECTION none".
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "message/parse.h"
#include "message/record.h"
#include "message/section.h"

static const char *const text_names[MSGREC_TEXTS] = {
	[MSGREC_ENVELOPE] = "envelope",
	[MSGREC_STRUCTURE] = "structure",
	[MSGREC_PREVIEW] = "preview",
	[MSGREC_SUBJECT] = "subject",
	[MSGREC_FROM] = "from",
	[MSGREC_TO] = "to",
	[MSGREC_CC] = "cc",
	[MSGREC_BCC] = "bcc",
	[MSGREC_SUBJECT_BASE] = "base",
	[MSGREC_MSGID] = "msgid",
	[MSGREC_REFERENCES] = "references",
	[MSGREC_FROM_LOCAL] = "fromlocal",
	[MSGREC_FROM_DOMAIN] = "fromdomain",
};

static void
print(const char *name, struct slice s)
{
	printf("%s %zu\n", name, s.n);
	fwrite(s.p, 1, s.n, stdout);
	putchar('\n');
}

static void
print_section(struct slice record, struct slice name)
{
	struct slice rest = name, word;
	enum section_kind kind = SECTION_WHOLE;
	uint32_t path[100];
	size_t n = 0;
	struct section s;

	while (n < 100 && slice_next(&rest, '.', &word)) {
		if (slice_is(word, "HEADER"))
			kind = SECTION_HEADER;
		else if (slice_is(word, "TEXT"))
			kind = SECTION_TEXT;
		else if (slice_is(word, "MIME"))
			kind = SECTION_MIME;
		else if (!slice_u32(word, &path[n++]))
			return;
	}
	printf("section %.*s ", SLICE_FMT(name));
	if (section_find(record, path, n, kind, &s))
		printf("%lu %lu %lu\n", s.from.off, s.from.breaks, s.size);
	else
		printf("none\n");
}

static void
print_parts(struct slice record)
{
	for (uint32_t i = 0; i < msgrec_parts(record); i++) {
		struct msgrec_part p;

		msgrec_part(record, i, &p);
		printf("part %u parent %d number %u type %.*s charset %.*s "
		       "header %lu/%lu body %lu/%lu end %lu/%lu\n",
		    i, (int)p.parent, p.number, SLICE_FMT(p.type),
		    SLICE_FMT(p.charset), p.header.off, p.header.breaks,
		    p.body.off, p.body.breaks, p.end.off, p.end.breaks);
	}
}

/* Everything on stdin, in pieces. */
static void
parse_stdin(struct msgparse *p, size_t chunk)
{
	char *piece = xmalloc(chunk);
	size_t n;

	while ((n = fread(piece, 1, chunk, stdin)) > 0)
		msgparse_push(p, slice_of(piece, n));
	free(piece);
}

int
main(int argc, char **argv)
{
	struct buf record = BUF_INIT(MSGREC_MAX), body = BUF_INIT(MSGREC_MAX);
	struct msgparse_opts opts = { MSGPARSE_WIRE, false };
	struct msgparse *p;
	struct slice r;
	uint64_t chunk = 65536;
	int i = 1;

	if (i < argc && slice_is(slice_str(argv[i]), "-lf")) {
		opts.form = MSGPARSE_LF;
		i++;
	}
	if (i + 1 < argc && slice_is(slice_str(argv[i]), "-chunk") &&
	    slice_u64(slice_str(argv[i + 1]), &chunk) && chunk > 0)
		i += 2;
	p = msgparse_new(&opts);
	parse_stdin(p, chunk);
	msgparse_finish(p, &record);
	msgparse_free(&p);
	r = buf_slice(&record);
	if (record.over || !msgrec_check(r)) {
		fprintf(stderr, "msgdump: record is not valid\n");
		return 1;
	}
	printf("size %lu\nflags %u\ndate %ld\nreceived %u\nrecord %zu\n",
	    msgrec_wire_size(r), msgrec_flags(r), msgrec_date(r),
	    msgrec_received(r), r.n);
	for (size_t t = 0; t < MSGREC_TEXTS; t++)
		print(text_names[t], msgrec_text(r, t));
	msgrec_body(r, &body);
	print("body", buf_slice(&body));
	print_parts(r);
	for (; i < argc; i++)
		print_section(r, slice_str(argv[i]));
	buf_free(&record);
	buf_free(&body);
	return 0;
}
