/*
 * Address lists, addresses of SMTP, parameters, dates, ids: no input is too
 * strange; what strict parsing takes, we write so that it parses the same.
 */
#include <stdlib.h>

#include "message/address.h"
#include "message/compose.h"
#include "message/date.h"
#include "message/encword.h"
#include "message/header.h"
#include "message/param.h"
#include "message/smtpaddr.h"
#include "message/thread.h"
#include "text/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
lists(struct arena *arena, struct slice in)
{
	struct address_list a, b;
	struct buf out = BUF_INIT(1 << 24);
	struct header_field field;
	struct slice rest;

	address_parse(arena, in, 100, &a);
	require(a.n <= 101);
	if (address_parse_strict(arena, in, 100, &a, NULL) < 0)
		return;
	compose_addresses(&out, "To", a.v, a.n, true);
	rest = buf_slice(&out);
	require(header_next(&rest, &field) && rest.n == 0);
	require(address_parse_strict(arena, field.value, 100, &b, NULL) == 0);
	require(a.n == b.n);
	for (size_t i = 0; i < a.n; i++) {
		require(a.v[i].kind == b.v[i].kind);
		require(slice_eq(a.v[i].local, b.v[i].local));
		require(slice_eq(a.v[i].domain, b.v[i].domain));
	}
	buf_free(&out);
}

static void
smtp(struct arena *arena, struct slice in)
{
	struct smtpaddr a, b;
	struct scan sc = scan_of(in);
	struct buf out = BUF_INIT(4096);

	smtpaddr_path(arena, &sc, in.n % 16, &a, NULL);
	if (smtpaddr_mailbox(arena, in, SMTPADDR_UTF8, &a, NULL) == 0) {
		smtpaddr_write(&out, &a);
		require(smtpaddr_mailbox(arena, buf_slice(&out), SMTPADDR_UTF8,
			    &b, NULL) == 0);
		require(slice_eq(a.local, b.local));
		require(slice_eq(a.domain, b.domain));
	}
	buf_free(&out);
}

static void
texts(struct arena *arena, struct slice in)
{
	struct buf out = BUF_INIT(1 << 20), back = BUF_INIT(1 << 20);
	struct buf clean = BUF_INIT(1 << 20);
	struct param_field field;
	struct date date;
	struct slice rest = in, id;

	encword_decode(&out, in);
	require(unicode_valid(buf_slice(&out)));
	/* Encoded and decoded again it is the same. */
	buf_add(&clean, buf_slice(&out));
	buf_reset(&out);
	if (clean.n > 0)
		encword_encode(&out, buf_slice(&clean), 24 + in.n % 60);
	encword_decode(&back, buf_slice(&out));
	require(slice_eq(buf_slice(&back), buf_slice(&clean)));

	buf_reset(&out);
	param_parse(arena, in, &field);
	param_text(&field, "filename", &out);
	require(unicode_valid(buf_slice(&out)));
	date_parse(in, &date);
	while (thread_next_id(&rest, &id))
		thread_canonical_id(&out, id);
	thread_base_subject(&out, in);
	buf_free(&out);
	buf_free(&back);
	buf_free(&clean);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);

	lists(arena, in);
	smtp(arena, in);
	texts(arena, in);
	arena_free(&arena);
	return 0;
}
