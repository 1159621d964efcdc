/*
 * Items, envelopes and hold rules: no text is too strange; what is read, we
 * write so that it reads the same. The first byte chooses.
 */
#include <assert.h>

#include "queue/holdrules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
names(struct slice in)
{
	struct arena *arena = arena_new(0);
	char bucket[QUEUE_BUCKET];
	struct slice id;
	int64_t us;
	unsigned n;

	if (queue_name(in, &id, &n)) {
		assert(id.n == QUEUE_ID && n <= QUEUE_RCPTS_MAX);
		if (n > 0)
			assert(slice_starts(queue_message_path(arena, in),
			    SLICE("msg/")));
	}
	if (queue_bucket_time(in, &us) && us > 0) {
		queue_bucket(us, bucket);
		assert(us % 60000000 == 0);
	}
	arena_free(&arena);
}

/* Control characters become spaces when they are written. */
static bool
is_clean(struct slice in)
{
	for (size_t i = 0; i < in.n; i++)
		if (((unsigned char)in.p[i] < ' ' && in.p[i] != '\n') ||
		    in.p[i] == 127)
			return false;
	return true;
}

/* The head that is written from an item reads as that item. */
static void
item(struct arena *arena, struct slice in)
{
	struct buf text = BUF_INIT(16 * ITEM_MAX), again = text;
	struct item it, read;

	if (item_parse(in, arena, &it, NULL) < 0)
		return;
	assert(it.m.nrcpts == 1 && it.nattempts <= in.n);
	item_expires_us(&it);
	if (!is_clean(in))
		return;
	item_write(&text, &it, 0);
	assert(item_parse(buf_slice(&text), arena, &read, NULL) == 0);
	item_write(&again, &read, 0);
	assert(slice_eq(buf_slice(&text), buf_slice(&again)));
	buf_free(&text);
	buf_free(&again);
}

static void
envelope(struct arena *arena, struct slice in)
{
	struct buf text = BUF_INIT(16 * ENVELOPE_MAX);
	struct item it, read;
	size_t message, end;

	if (item_parse_envelope(in, arena, &it, &message, NULL) < 0)
		return;
	assert(message <= in.n && it.m.nrcpts <= QUEUE_RCPTS_MAX);
	if (!is_clean(slice_head(in, message)))
		return;
	item_write_envelope(&text, &it);
	assert(item_parse_envelope(buf_slice(&text), arena, &read, &end,
		   NULL) == 0);
	assert(end == text.n && read.m.nrcpts == it.m.nrcpts);
	/* The item that an envelope with one recipient holds. */
	buf_reset(&text);
	it.offset = message;
	item_write(&text, &it, 0);
	assert(text.n > ITEM_MAX ||
	    (item_parse(buf_slice(&text), arena, &read, NULL) == 0 &&
		read.offset == message));
	buf_free(&text);
}

static void
rules(struct arena *arena, struct slice in)
{
	struct holdrules rules = { NULL, 0 };

	if (holdrules_parse(in, arena, &rules, NULL) == 0)
		holdrules_match(&rules, SLICE("anna"),
		    SLICE("anna@example.org"), slice_head(in, 100));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);
	char first = size ? in.p[0] : 0;

	names(in);
	in = slice_skip(in, 1);
	if (first == 'r')
		rules(arena, in);
	else if (first == 'e')
		envelope(arena, in);
	else
		item(arena, in);
	arena_free(&arena);
	return 0;
}
