/*
 * A notification: whatever is parsed can be written, is parsed again the same
 * but for what is cut, and no text of it makes a line of its own.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "message/dsn.h"
#include "message/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static int
to_buf(void *ctx, struct slice wire, struct err *e)
{
	(void)e;
	buf_add(ctx, wire);
	return 0;
}

static void
again(struct arena *arena, const struct dsn_status *s, struct slice in)
{
	struct buf out = BUF_INIT(SIZE_MAX), record = BUF_INIT(MSGREC_MAX);
	struct dsn_letter letter = { .status = s,
		.from = SLICE("a@b"),
		.to = s->rcpts[0].final.text,
		.subject = s->rcpts[0].diagnostic.text,
		.header = in };
	struct dsn_status back;
	struct slice rest, line;

	require(dsn_write(&letter, to_buf, &out, NULL) == 0);
	msgparse_all(buf_slice(&out), NULL, &record);
	require(dsn_parse_message(arena, buf_slice(&record), buf_slice(&out),
		    &back, NULL) == 0);
	require(back.nrcpts == s->nrcpts);
	for (rest = buf_slice(&out); slice_line(&rest, &line);) {
		require(line.n <= 998);
		require(slice_chr(line, '\r') < 0 && slice_chr(line, 0) < 0);
	}
	buf_free(&out);
	buf_free(&record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);
	struct dsn_status s;

	dsn_orcpt(arena, in);
	dsn_envid(arena, in);
	if (dsn_parse(arena, in, &s, NULL) == 0)
		again(arena, &s, in);
	arena_free(&arena);
	return 0;
}
