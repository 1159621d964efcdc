/*
 * mox-message - what a message is made of.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/opt.h"
#include "base/proc.h"
#include "message/parse.h"
#include "message/record.h"
#include "text/json_write.h"
#include "tools/message_file.h"

static bool opt_smtputf8;

static const struct opt options[] = {
	{ "smtputf8", OPT_BOOL, &opt_smtputf8, NULL,
	    "also say whether sending it needs SMTPUTF8" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-message",
	"[options] parse file", "Print the parts of a message as JSON.",
	options };

static void
put_text(struct json_out *j, struct slice record, const char *name,
    enum msgrec_text which)
{
	struct slice text = msgrec_text(record, which);

	if (text.n > 0)
		json_put_str(j, name, text);
}

static void
put_envelope(struct json_out *j, struct slice record)
{
	json_put_object(j, "Envelope");
	if (msgrec_flags(record) & MSGREC_DATE)
		json_put_time(j, "Date", msgrec_date(record) * 1000000);
	put_text(j, record, "Subject", MSGREC_SUBJECT);
	put_text(j, record, "From", MSGREC_FROM);
	put_text(j, record, "To", MSGREC_TO);
	put_text(j, record, "CC", MSGREC_CC);
	put_text(j, record, "BCC", MSGREC_BCC);
	put_text(j, record, "MessageID", MSGREC_MSGID);
	put_text(j, record, "References", MSGREC_REFERENCES);
	json_put_end(j);
}

static const char *
encoding_name(enum msgrec_encoding encoding)
{
	static const char *names[] = {
		[MSGREC_7BIT] = "7bit",
		[MSGREC_8BIT] = "8bit",
		[MSGREC_BINARY] = "binary",
		[MSGREC_BASE64] = "base64",
		[MSGREC_QP] = "quoted-printable",
		[MSGREC_ENCODING_OTHER] = "other",
	};

	return names[encoding];
}

static void
put_fields(struct json_out *j, const struct msgrec_part *p)
{
	struct slice type, subtype;

	slice_cut(p->type, '/', &type, &subtype);
	json_put_str(j, "MediaType", type);
	json_put_str(j, "MediaSubType", subtype);
	if (p->charset.n > 0)
		json_put_str(j, "Charset", p->charset);
	json_put_str(j, "ContentTransferEncoding",
	    slice_str(encoding_name(p->encoding)));
	json_put_bool(j, "Attachment", p->attachment);
	json_put_u64(j, "HeaderOffset", p->header.off);
	json_put_u64(j, "BodyOffset", p->body.off);
	json_put_u64(j, "EndOffset", p->end.off);
	json_put_u64(j, "RawLineCount", p->end.breaks - p->body.breaks);
}

/* Part i with those inside it; nesting is deeper than what JSON may be, so
 * from some depth on they stand beside each other. */
static void
put_part(struct json_out *j, struct slice record, uint32_t i, unsigned depth)
{
	struct msgrec_part p, child;

	msgrec_part(record, i, &p);
	put_fields(j, &p);
	if (p.next == i + 1 || depth == 0)
		return;
	json_put_array(j, "Parts");
	for (uint32_t k = i + 1; k < p.next; k = child.next) {
		msgrec_part(record, k, &child);
		json_put_object(j, NULL);
		put_part(j, record, k, depth - 1);
		json_put_end(j);
	}
	json_put_end(j);
}

#define DEPTH 28 /* objects and arrays: two a level, JSON_OUT_DEPTH */

static void
print_record(struct slice record)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct json_out j = JSON_OUT(&text, true);

	json_put_object(&j, NULL);
	put_envelope(&j, record);
	json_put_u64(&j, "Size", msgrec_wire_size(record));
	json_put_u64(&j, "Received", msgrec_received(record));
	put_text(&j, record, "Preview", MSGREC_PREVIEW);
	put_part(&j, record, 0, DEPTH);
	json_put_end(&j);
	fwrite(text.p, 1, text.n, stdout);
	buf_free(&text);
}

/* ---- SMTPUTF8 ---- */

struct part_header {
	uint64_t from, to;
};

struct header_scan {
	struct part_header *v; /* in the order of the message */
	size_t n;
	uint64_t at;
	bool found; /* a byte above 127 */
};

static void
scan_headers(void *ctx, struct slice wire)
{
	struct header_scan *s = ctx;
	uint64_t end = s->at + wire.n;

	for (size_t i = 0; i < s->n && s->v[i].from < end; i++) {
		uint64_t k = s->v[i].from > s->at ? s->v[i].from : s->at;

		for (; k < s->v[i].to && k < end; k++)
			if ((unsigned char)wire.p[k - s->at] >= 0x80)
				s->found = true;
	}
	s->at = end;
}

/* Is there non-ASCII in the header of any part (RFC 6531, 3.2)? */
static int
needs_smtputf8(struct message_file *f, struct slice record, bool *needs_r,
    struct err *e)
{
	uint32_t n = msgrec_parts(record);
	struct arena *arena = arena_new(0);
	struct header_scan scan = { .n = n };
	int rc;

	scan.v = arena_array(arena, n, sizeof(*scan.v));
	for (uint32_t i = 0; i < n; i++) {
		struct msgrec_part p;

		msgrec_part(record, i, &p);
		scan.v[i] = (struct part_header){ p.header.off, p.body.off };
	}
	rc = message_file_wire(f, scan_headers, &scan, e);
	*needs_r = scan.found;
	arena_free(&arena);
	return rc;
}

/* ---- */

static void
push(void *ctx, struct slice wire)
{
	msgparse_push(ctx, wire);
}

static int
parse(const char *path, struct err *e)
{
	struct buf record = BUF_INIT(MSGREC_MAX);
	struct msgparse *p;
	struct message_file f;
	bool needs = false;
	int rc;

	if (message_file_open(&f, path, e) < 0)
		return -1;
	if (opt_smtputf8 && !message_file_again(&f))
		rc = err_set(e, ERR_PERM,
		    "%s: is no regular file, and is read twice", path);
	else {
		p = msgparse_new(NULL);
		rc = message_file_wire(&f, push, p, e);
		msgparse_finish(p, &record);
		msgparse_free(&p);
	}
	if (rc == 0 && opt_smtputf8)
		rc = needs_smtputf8(&f, buf_slice(&record), &needs, e);
	if (rc == 0)
		print_record(buf_slice(&record));
	if (rc == 0 && opt_smtputf8)
		printf("message needs smtputf8: %s\n",
		    needs ? "true" : "false");
	buf_free(&record);
	message_file_close(&f);
	return rc;
}

int
main(int argc, char **argv)
{
	int first = opt_parse(&program, argc, argv);
	struct err e = ERR_INIT;

	if (first == argc || strcmp(argv[first], "parse") != 0)
		opt_usage(&program, "the command is parse");
	first += opt_parse(&program, argc - first, argv + first);
	if (argc - first != 1)
		opt_usage(&program, "parse wants one file");
	if (parse(argv[first], &e) < 0)
		proc_die(program.name, &e);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}
