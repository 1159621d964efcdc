/*
 * Authentication-Results: what was read and written again is one field that
 * reads the same.
 */
#include <stdlib.h>

#include "message/authres.h"
#include "message/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static bool
has_controls(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

/* Controls become spaces; an empty value is lost. */
static void
same(struct slice a, struct slice b)
{
	require(slice_eq(a, b) || has_controls(a));
}

static void
same_method(const struct authres_method *a, const struct authres_method *b)
{
	same(a->method, b->method);
	same(a->result, b->result);
	same(a->reason, b->reason);
	require(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		same(a->props[i].type, b->props[i].type);
		same(a->props[i].name, b->props[i].name);
		same(a->props[i].value, b->props[i].value);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size), rest;
	struct arena *arena = arena_new(0);
	struct buf b = BUF_INIT(SIZE_MAX);
	struct header_field field;
	struct authres a, again;

	if (authres_parse(arena, in, &a, NULL) == 0) {
		authres_write(&b, "Authentication-Results:", &a);
		rest = buf_slice(&b);
		require(header_next(&rest, &field) && rest.n == 0);
		require(authres_parse(arena, field.value, &again, NULL) == 0);
		require(a.n == again.n);
		same(a.id, again.id);
		for (size_t i = 0; i < a.n; i++)
			same_method(&a.v[i], &again.v[i]);
	}
	buf_free(&b);
	arena_free(&arena);
	return 0;
}
