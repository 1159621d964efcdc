/*
 * Bytes that pass msgrec_in_bounds are safe for every accessor, and after
 * msgrec_check BODY is a list. The input is a
 * small message, then changes of bytes in its record: without a good start
 * nothing would get far.
 */
#include <stdlib.h>
#include <string.h>

#include "message/parse.h"
#include "message/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char message[] =
    "From: A \"B\" <a@b.c>, g: x@y;\r\nSubject: \xc3\xa4\r\n"
    "Message-ID: <i@j>\r\nDate: 1 Jan 2001 00:00:00 +0000\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nTo: x\r\n\r\nhello\r\n--b--\r\n";

static volatile size_t sink;

static void
touch(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		sink += (unsigned char)s.p[i];
}

static void
use(struct slice record)
{
	struct buf out = BUF_INIT(2 * MSGREC_MAX);

	for (size_t i = 0; i < MSGREC_TEXTS; i++)
		touch(msgrec_text(record, i));
	for (uint32_t i = 0; i < msgrec_parts(record); i++) {
		struct msgrec_part part;
		struct section s;
		uint32_t path[] = { 1, 2, 1, 1 };

		msgrec_part(record, i, &part);
		touch(part.type);
		touch(part.charset);
		for (size_t n = 0; n <= 4; n++)
			section_find(record, path, n, i % 4, &s);
	}
	msgrec_body(record, &out);
	if (msgrec_check(record) &&
	    (msgrec_text(record, MSGREC_STRUCTURE).n < 2 || out.n < 2 ||
		out.p[0] != '(' || out.p[out.n - 1] != ')'))
		abort();
	buf_reset(&out);
	if (!msgrec_prefix(record, SLICE("X: y\r\n"), &out))
		abort();
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf record = BUF_INIT(MSGREC_MAX);
	struct slice raw = slice_of((const char *)data, size);

	if (msgrec_in_bounds(raw))
		use(raw);
	msgparse_all(slice_str(message), NULL, &record);
	for (size_t i = 0; i + 3 <= size && i < 60; i += 3) {
		size_t at = (size_t)(data[i] << 8 | data[i + 1]);

		record.p[at % record.n] = (char)data[i + 2];
	}
	/* In memory of exactly its size, so that reading past it shows. */
	raw.p = memcpy(malloc(record.n), record.p, record.n);
	raw.n = record.n;
	if (msgrec_in_bounds(raw))
		use(raw);
	free((char *)raw.p);
	buf_free(&record);
	return 0;
}
