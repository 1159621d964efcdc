/* tlsrpt_message - the report in a message (RFC 8460, 5.3). */
#include "message/body.h"
#include "message/parse.h"
#include "text/gzip.h"
#include "tlsrpt/tlsrpt_int.h"

/* In the order in which they are looked for: some send reports as what they
 * are without their purpose. */
static const char *const types[] = {
	"application/tlsrpt+gzip",
	"application/tlsrpt+json",
	"application/gzip",
	"application/x-gzip",
	"application/json",
};

static bool
find_part(struct slice record, struct msgrec_part *part_r)
{
	uint32_t n = msgrec_parts(record);

	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
		for (uint32_t i = 0; i < n; i++) {
			msgrec_part(record, i, part_r);
			if (slice_is(part_r->type, types[t]))
				return true;
		}
	return false;
}

/* Where a place of the record is in this message. */
static size_t
offset(const struct msgrec_pos *pos, bool wire)
{
	return (size_t)(wire ? pos->off : pos->off - pos->breaks);
}

static int
decode(struct slice message, const struct msgrec_part *part, bool wire,
    struct buf *out, struct err *e)
{
	struct body *body = body_new(part->encoding, SLICE_NULL);

	if (body == NULL)
		return err_set(e, ERR_SYNTAX, "TLS report: unknown encoding");
	body_push(body,
	    slice_sub(message, offset(&part->body, wire),
		offset(&part->end, wire)),
	    out);
	body_end(body, out);
	body_free(&body);
	return out->over ? err_set(e, ERR_LIMIT, "TLS report: too large") : 0;
}

/* CRLF, or LF, by the first line. */
static bool
is_wire(struct slice message)
{
	ssize_t lf = slice_chr(message, '\n');

	return lf > 0 && message.p[lf - 1] == '\r';
}

/* The text of the report, appended to out. */
static int
extract(struct slice message, struct buf *out, struct err *e)
{
	bool wire = is_wire(message);
	const struct msgparse_opts opts = {
		.form = wire ? MSGPARSE_WIRE : MSGPARSE_LF, .no_preview = true
	};
	struct buf record = BUF_INIT(MSGREC_MAX);
	struct buf raw = BUF_INIT(TLSRPT_REPORT_MAX);
	struct msgrec_part part;
	int rc;

	msgparse_all(message, &opts, &record);
	rc = find_part(buf_slice(&record), &part)
	    ? decode(message, &part, wire, &raw, e)
	    : err_set(e, ERR_SYNTAX, "no TLS report in the message");
	if (rc == 0 && gzip_is(buf_slice(&raw)))
		rc = gzip_read(buf_slice(&raw), out, e) < 0
		    ? err_prefix(e, "TLS report")
		    : 0;
	else if (rc == 0)
		buf_add(out, buf_slice(&raw));
	buf_free(&record);
	buf_free(&raw);
	return rc;
}

int
tlsrpt_message_parse(struct slice message, struct arena *arena,
    struct tlsrpt_report *report_r, struct err *e)
{
	struct buf json = BUF_INIT(TLSRPT_REPORT_MAX);
	int rc = extract(message, &json, e);

	*report_r = (struct tlsrpt_report){ .npolicies = 0 };
	if (rc == 0)
		rc = tlsrpt_report_parse(arena_dup(arena, buf_slice(&json)),
		    arena, report_r, e);
	buf_free(&json);
	return rc;
}
