/*
 * A message with signatures, verified and signed: nothing passes but what was
 * signed here; how it is cut into pieces does not matter. The first line is a
 * key record, which reads the same again when written.
 */
#include <stdlib.h>
#include <string.h>

#include "dkim/dkim.h"
#include "dns/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
static const char zone[] =
    "brisbane._domainkey.football.example.com TXT \"v=DKIM1; k=ed25519; "
    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n";

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
record(struct arena *arena, struct slice text)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct dkim_record r, again;
	struct dkim_key *key;

	if (dkim_record_parse(arena, text, &r, NULL) != 1)
		return;
	dkim_record_write(&r, &b);
	require(dkim_record_parse(arena, buf_slice(&b), &again, NULL) == 1);
	require(slice_eq(r.public_key, again.public_key));
	require(r.testing == again.testing && r.strict == again.strict);
	key = dkim_key_public(r.type, r.public_key, NULL);
	dkim_key_free(&key);
	buf_free(&b);
}

static void
verify(struct arena *arena, struct dns *dns, struct slice message, size_t piece,
    struct dkim_results *results_r)
{
	struct dkim_stream *s = dkim_stream_new();
	struct dkim_verify_opts opts = { .dns = dns, .lenient = true };
	struct dkim_verify *v = dkim_verify_new(s, &opts);

	for (; message.n > 0; message = slice_skip(message, piece))
		dkim_stream_push(s, slice_head(message, piece));
	dkim_stream_end(s);
	dkim_verify_finish(v, arena, results_r);
	dkim_verify_free(&v);
	dkim_stream_free(&s);
}

/* What is signed here verifies, first of all signatures. */
static void
sign(struct arena *arena, struct dns *dns, struct slice message, bool relaxed)
{
	static struct dkim_key *key; /* reading it takes milliseconds */
	struct dkim_signer signer = { .domain = SLICE("football.example.com"),
		.selector = SLICE("brisbane"),
		.hash = SHA_256,
		.header_relaxed = relaxed,
		.body_relaxed = !relaxed,
		.headers = dkim_default_headers,
		.headers_n = dkim_default_headers_n,
		.copy_headers = relaxed,
		.seal = true };
	struct dkim_stream *s = dkim_stream_new();
	struct dkim_sign *signing = dkim_sign_new(s, &signer, 1, NULL);
	struct buf b = BUF_INIT(SIZE_MAX);
	struct dkim_results r;

	if (key == NULL)
		key = dkim_key_parse(slice_str(key_pem), NULL);
	signer.key = key;
	dkim_stream_push(s, message);
	dkim_stream_end(s);
	/* A line that goes on would go on with our field. */
	if (message.n > 0 && message.p[0] != ' ' && message.p[0] != '\t' &&
	    dkim_sign_finish(signing, &b, NULL) == 0) {
		buf_add(&b, message);
		verify(arena, dns, buf_slice(&b), 100, &r);
		require(r.n > 0 && r.v[0].status == DKIM_PASS);
	}
	buf_free(&b);
	dkim_sign_free(&signing);
	dkim_stream_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data, size), line;
	struct arena *arena = arena_new(0);
	struct dns *dns = dns_zone_new(slice_str(zone), NULL);
	struct dkim_results whole, pieces;

	if (slice_line(&rest, &line))
		record(arena, line);
	verify(arena, dns, rest, rest.n + 1, &whole);
	verify(arena, dns, rest, 1 + size % 7, &pieces);
	require(whole.n == pieces.n);
	for (size_t i = 0; i < whole.n; i++)
		require(whole.v[i].status == pieces.v[i].status);
	sign(arena, dns, rest, size % 2);
	dns_zone_free(&dns);
	arena_free(&arena);
	return 0;
}
