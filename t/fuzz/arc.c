/*
 * A header with ARC sets: never passes, for its keys are not those of DNS;
 * sealed by us, a chain that was none passes.
 */
#include <stdlib.h>

#include "arc/arc.h"
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
verify(struct arena *arena, struct dns *dns, struct slice message,
    struct arc_result *r)
{
	struct dkim_stream *s = dkim_stream_new();
	struct arc_verify *v = arc_verify_new(s, dns);

	dkim_stream_push(s, message);
	dkim_stream_end(s);
	arc_verify_finish(v, arena, r);
	require(r->status == ARC_NONE || r->n > 0 || r->why.n > 0);
	arc_verify_free(&v);
	dkim_stream_free(&s);
}

static void
seal(struct arena *arena, struct dns *dns, struct slice message,
    const struct arc_result *chain)
{
	static struct dkim_key *key; /* reading it takes milliseconds */
	struct arc_sealer sealer = { .domain = SLICE("football.example.com"),
		.selector = SLICE("brisbane") };
	struct authres results = { .id = SLICE("mx.example") };
	struct dkim_stream *s = dkim_stream_new();
	struct buf b = BUF_INIT(SIZE_MAX);
	struct arc_result r;
	struct arc_draft draft;
	struct arc_seal *sealing;
	int rc;

	if (key == NULL)
		key = dkim_key_parse(slice_str(key_pem), NULL);
	sealer.key = key;
	sealing = arc_seal_new(s);
	dkim_stream_push(s, message);
	dkim_stream_end(s);
	rc = arc_seal_draft(sealing, chain, arena, &draft, NULL);
	require(rc != 0 || chain->over);
	if (rc == 1) {
		require(arc_draft_check(&draft));
		require(arc_sign(&draft, &sealer, &results, NULL, &b, NULL) ==
		    0);
		buf_add(&b, message);
		verify(arena, dns, buf_slice(&b), &r);
		require(r.n == chain->n + 1);
		require((r.status == ARC_PASS) == (chain->status != ARC_FAIL));
	}
	buf_free(&b);
	arc_seal_free(&sealing);
	dkim_stream_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice message = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);
	struct dns *dns = dns_zone_new(slice_str(zone), NULL);
	struct arc_result r;

	verify(arena, dns, message, &r);
	/* A line that goes on would go on with our field. */
	if (size > 0 && message.p[0] != ' ' && message.p[0] != '\t')
		seal(arena, dns, message, &r);
	dns_free(&dns);
	arena_free(&arena);
	return 0;
}
