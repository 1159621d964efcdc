/*
 * SPF records and macro strings: what parses is written as a record that
 * parses to the same; checks end, whatever a domain publishes.
 */
#include <stdlib.h>
#include <string.h>

#include "spf/spf_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* Every name has the input as its record, and some addresses. */
static int
query(struct dns *dns, struct arena *arena, struct slice name,
    enum dns_type type, struct dns_answer *a, struct err *e)
{
	static const unsigned char address[16] = { 192, 0, 2, 1 };
	struct slice record = *(struct slice *)(dns + 1);

	a->name = name;
	if (name.n % 7 == 3)
		return err_set(e, ERR_TEMP, "no answer");
	if (name.n % 5 == 2)
		return 0;
	a->n = 1 + name.n % 3;
	a->v = arena_array(arena, a->n, sizeof(*a->v));
	for (size_t i = 0; i < a->n; i++)
		if (type == DNS_TXT)
			a->v[i].text = i == 0 ? record : SLICE("%{s}");
		else if (type == DNS_A || type == DNS_AAAA)
			a->v[i].ip =
			    ip_from_bytes(type == DNS_A ? 4 : 6, address);
		else if (type == DNS_MX)
			a->v[i].mx.host = SLICE("mx.example.org");
		else
			a->v[i].host = SLICE("ptr.example.org");
	return 1;
}

static void
check(struct arena *arena, struct slice in)
{
	struct {
		struct dns dns;
		struct slice record;
	} handle = { { .query = query }, in };
	struct spf_args args = { .ip = { 4, { 192, 0, 2, 1 } },
		.helo = SLICE("helo.example"),
		.local = slice_head(in, 8),
		.domain = SLICE("a.example.org") };
	struct spf_result r;
	struct buf out = BUF_INIT(1 << 16);

	if (in.n % 2 != 0)
		args.ip.family = 6;
	spf_verify(&handle.dns, arena, &args, &r);
	require(r.lookups <= 11 && r.voids <= 3);
	spf_received(&out, &args, &r);
	require(!out.over && out.n > 2);
	buf_free(&out);
}

static void
record(struct arena *arena, struct slice in)
{
	struct buf a = BUF_INIT(1 << 20), b = BUF_INIT(1 << 20);
	struct spf_record r;

	if (spf_parse(arena, in, &r, NULL) == 0) {
		spf_write(&a, &r);
		require(spf_parse(arena, buf_slice(&a), &r, NULL) == 0);
		spf_write(&b, &r);
		require(slice_eq(buf_slice(&a), buf_slice(&b)));
	}
	buf_free(&a);
	buf_free(&b);
}

static struct slice
validated(void *ctx)
{
	(void)ctx;
	return SLICE("x.example.org");
}

static void
macros(struct slice in)
{
	const struct spf_args args = { .ip = { 6, { 0x20, 1 } }, .helo = in };
	const struct spf_macros m = { .args = &args,
		.local = slice_head(in, 10),
		.sender_domain = SLICE("a.b"),
		.domain = SLICE("c.d"),
		.validated = validated };
	struct buf out = BUF_INIT(8192);

	if (spf_is_macro_string(in, true))
		spf_macro_expand(&out, in, &m);
	if (spf_is_domain_spec(in))
		require(spf_is_macro_string(in, false));
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);

	record(arena, in);
	macros(in);
	check(arena, in);
	arena_free(&arena);
	return 0;
}
