/* Unit tests of lib/arc: chains made here, and what breaks them. */
#include "arc/arc.h"

#include "dns/zone.h"
#include "t/unit.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct arena *arena;
static struct dkim_key *keys[2]; /* RSA, Ed25519 */
static struct dns *dns;
static struct clock now;

static const char message[] = "From: a@example.org\r\n"
			      "To: list@example.com\r\n"
			      "Subject: hello\r\n"
			      "\r\n"
			      "text  of it \r\n\r\n";

static void
verify(struct slice m, size_t piece, struct arc_result *r)
{
	struct dkim_stream *s = dkim_stream_new();
	struct arc_verify *v = arc_verify_new(s, dns);

	for (; m.n > 0; m = slice_skip(m, piece))
		dkim_stream_push(s, slice_head(m, piece));
	dkim_stream_end(s);
	arc_verify_finish(v, arena, r);
	arc_verify_free(&v);
	dkim_stream_free(&s);
}

/* A set more, before the message in b; verified and sealed in one pass. */
static int
seal(struct buf *b, unsigned which)
{
	struct arc_sealer sealer = { .domain = SLICE("seal.example"),
		.selector = which ? SLICE("ed") : SLICE("rsa"),
		.key = keys[which] };
	struct dkim_stream *s = dkim_stream_new();
	struct arc_verify *v = arc_verify_new(s, dns);
	struct arc_seal *sealing = arc_seal_new(s);
	struct authres results = { .id = SLICE("mx.seal.example") };
	struct authres_method *m;
	struct arc_draft draft;
	struct buf out = BUF_INIT(1000000);
	struct arc_result r;
	struct err e = ERR_INIT;
	int rc;

	dkim_stream_push(s, buf_slice(b));
	dkim_stream_end(s);
	arc_verify_finish(v, arena, &r);
	m = authres_add(arena, &results, "arc", arc_status_name(r.status));
	authres_add_prop(arena, m, "smtp", "remote-ip", SLICE("192.0.2.1"));
	rc = arc_seal_draft(sealing, &r, arena, &draft, &e);
	if (rc > 0) {
		CHECK(arc_draft_check(&draft));
		CHECK_EQ(arc_sign(&draft, &sealer, &results, &now, &out, &e),
		    0);
	}
	CHECK_STR(e.text, "");
	buf_add(&out, buf_slice(b));
	buf_reset(b);
	buf_add(b, buf_slice(&out));
	buf_free(&out);
	arc_seal_free(&sealing);
	arc_verify_free(&v);
	dkim_stream_free(&s);
	return rc;
}

static void
start(struct buf *b, unsigned sets)
{
	buf_reset(b);
	buf_addz(b, message);
	for (unsigned i = 0; i < sets; i++)
		CHECK_EQ(seal(b, i % 2), 1);
}

static void
replace(struct buf *b, const char *from, const char *to)
{
	struct buf copy = BUF_INIT(1000000);
	ssize_t at = slice_find(buf_slice(b), slice_str(from));

	CHECK(at >= 0);
	buf_add(&copy, slice_head(buf_slice(b), (size_t)at));
	buf_addz(&copy, to);
	buf_add(&copy,
	    slice_skip(buf_slice(b), (size_t)at + slice_str(from).n));
	buf_reset(b);
	buf_add(b, buf_slice(&copy));
	buf_free(&copy);
}

static void
test_chain(void)
{
	struct buf b = BUF_INIT(1000000);
	struct arc_result r;

	start(&b, 0);
	verify(buf_slice(&b), 10, &r);
	CHECK_EQ(r.status, ARC_NONE);
	CHECK_EQ(r.n, 0);
	start(&b, 3);
	for (size_t piece = 1; piece < b.n; piece += 97) {
		verify(buf_slice(&b), piece, &r);
		CHECK_EQ(r.status, ARC_PASS);
		CHECK_SLICE(r.why, SLICE_NULL);
	}
	CHECK_EQ(r.n, 3);
	CHECK_EQ(r.oldest_pass, 0);
	CHECK(!r.over);
	CHECK_SLICE(r.sets[0].results,
	    SLICE("mx.seal.example;\r\n\tarc=none smtp.remote-ip=192.0.2.1"));
	CHECK_SLICE(r.sets[1].seal_status, SLICE("pass"));
	CHECK_SLICE(r.sets[1].selector, SLICE("ed"));
	CHECK_SLICE(r.sets[2].domain, SLICE("seal.example"));
	buf_free(&b);
}

/* A list changes the message, and says what it was. */
static void
test_changed_on_the_way(void)
{
	struct buf b = BUF_INIT(1000000);
	struct arc_result r;

	start(&b, 2);
	buf_addz(&b, "-- \r\nfooter\r\n");
	verify(buf_slice(&b), 100, &r);
	CHECK_EQ(r.status, ARC_FAIL);
	CHECK_SLICE(r.why, SLICE("message signature 2: body was changed"));
	buf_free(&b);
}

/* What software of lists does: check, change, say what it was, seal. */
static void
test_changed_and_sealed(void)
{
	struct arc_sealer sealer = { .domain = SLICE("seal.example"),
		.selector = SLICE("rsa"),
		.key = keys[0] };
	struct authres results = { .id = SLICE("list.example") };
	struct dkim_stream *s = dkim_stream_new();
	struct arc_seal *sealing = arc_seal_new(s);
	struct arc_draft draft;
	struct buf b = BUF_INIT(1000000), out = BUF_INIT(1000000);
	struct arc_result r;

	start(&b, 1);
	verify(buf_slice(&b), 100, &r);
	CHECK_EQ(r.status, ARC_PASS);
	buf_addz(&b, "-- \r\nfooter\r\n");
	dkim_stream_push(s, buf_slice(&b));
	dkim_stream_end(s);
	CHECK_EQ(arc_seal_draft(sealing, &r, arena, &draft, NULL), 1);
	CHECK_EQ(arc_sign(&draft, &sealer, &results, &now, &out, NULL), 0);
	buf_add(&out, buf_slice(&b));
	verify(buf_slice(&out), 100, &r);
	CHECK_EQ(r.status, ARC_PASS);
	CHECK_EQ(r.n, 2);
	CHECK_EQ(r.oldest_pass, 2);
	CHECK_SLICE(r.sets[1].results, SLICE("list.example; none"));
	/* the result must be that of the message */
	r.n = 1;
	CHECK_EQ(arc_seal_draft(sealing, &r, arena, &draft, NULL), 1);
	r.n = 2;
	CHECK_EQ(arc_seal_draft(sealing, &r, arena, &draft, NULL), -1);
	buf_free(&b);
	buf_free(&out);
	arc_seal_free(&sealing);
	dkim_stream_free(&s);
}

static void
test_broken(void)
{
	static const struct {
		const char *from, *to, *why;
		bool over;
	} rows[] = {
		{ "Subject: hello", "Subject: Hello",
		    "message signature 2: header was changed, or signed with "
		    "another key",
		    false },
		{ "arc=pass", "arc=none",
		    "seal 2: header was changed, or signed with another key",
		    false },
		{ "arc=none", "arc=pass",
		    "seal 2: header was changed, or signed with another key",
		    false },
		{ "cv=pass", "cv=none",
		    "a seal says that the chain was broken (cv=)", false },
		{ "cv=pass", "cv=fail",
		    "a seal says that the chain was broken (cv=)", true },
		{ "cv=none", "cv=pass",
		    "a seal says that the chain was broken (cv=)", false },
		{ "ARC-Seal: i=1;", "ARC-Seal: i=2;",
		    "an instance that is there twice", false },
		{ "ARC-Seal: i=1;", "X-Seal: i=1;",
		    "an instance that is not whole", false },
		{ "ARC-Seal: i=1;", "ARC-Seal: i=51;",
		    "a field without instance of 1 to 50", false },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=0;",
		    "a field without instance of 1 to 50", false },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=4;",
		    "an instance that is not whole", false },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=2; h=from;",
		    "a seal with h=", false },
		{ "ARC-Seal: i=2; a=ed25519-sha256;", "ARC-Seal: i=2;",
		    "no a=", false },
		{ "ARC-Authentication-Results: i=2;",
		    "ARC-Authentication-Results: ",
		    "a field without instance of 1 to 50", false },
		{ "ARC-Message-Signature: i=2;",
		    "ARC-Message-Signature: i=2; l=1;",
		    "message signature 2: l= leaves the end of the body open",
		    false },
	};
	struct buf b = BUF_INIT(1000000);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arc_result r;

		ROW(rows[i].to);
		start(&b, 2);
		replace(&b, rows[i].from, rows[i].to);
		verify(buf_slice(&b), 100, &r);
		CHECK_EQ(r.status, ARC_FAIL);
		CHECK_SLICE(r.why, slice_str(rows[i].why));
		CHECK_EQ(r.over, rows[i].over);
		CHECK(!r.temporary);
	}
	buf_free(&b);
}

/* A broken chain is sealed once more, as broken, and then never again. */
static void
test_seal_broken(void)
{
	struct buf b = BUF_INIT(1000000);
	struct arc_result r;

	start(&b, 2);
	replace(&b, "arc=none", "arc=pass");
	CHECK_EQ(seal(&b, 0), 1);
	verify(buf_slice(&b), 100, &r);
	CHECK_EQ(r.status, ARC_FAIL);
	CHECK_EQ(r.n, 3);
	CHECK(r.over);
	CHECK_EQ(seal(&b, 0), 0);
	buf_free(&b);
}

static void
test_limits(void)
{
	struct buf b = BUF_INIT(1000000);
	struct arc_result r;

	start(&b, 0);
	for (unsigned i = 0; i < ARC_SETS_MAX; i++)
		CHECK_EQ(seal(&b, 1), 1);
	verify(buf_slice(&b), 1000, &r);
	CHECK_EQ(r.status, ARC_PASS);
	CHECK_EQ(r.n, ARC_SETS_MAX);
	CHECK(r.over);
	CHECK_EQ(seal(&b, 1), 0);
	buf_free(&b);
}

static void
test_dns_fails(void)
{
	struct dns *good = dns;
	struct buf b = BUF_INIT(1000000);
	struct arc_result r;

	start(&b, 1);
	dns = dns_zone_new(SLICE("rsa._domainkey.seal.example FAIL\n"), NULL);
	verify(buf_slice(&b), 1000, &r);
	CHECK_EQ(r.status, ARC_FAIL);
	CHECK(r.temporary);
	dns_free(&dns);
	dns = good;
	buf_free(&b);
}

/* What another process may say that is none. */
static void
test_draft_check(void)
{
	static const struct {
		enum arc_status status;
		unsigned n, from, other;
		size_t header, chain;
		bool ok;
	} rows[] = {
		{ ARC_NONE, 0, 1, 255, 10, 0, true },
		{ ARC_PASS, 1, 1, 0, 10, 10, true },
		{ ARC_PASS, 49, 2, 0, ARC_DRAFT_MAX, ARC_DRAFT_MAX, true },
		{ ARC_FAIL, 2, 1, 0, 10, 0, true },
		{ ARC_FAIL, 0, 1, 0, 10, 0, true },
		{ ARC_NONE, 0, 0, 1, 10, 0, false },
		{ ARC_NONE, 1, 1, 0, 10, 0, false },
		{ ARC_NONE, 0, 1, 0, 10, 10, false },
		{ ARC_PASS, 1, 1, 0, 10, 0, false },
		{ ARC_FAIL, 1, 1, 0, 10, 10, false },
		{ ARC_PASS, 50, 1, 0, 10, 10, false },
		{ ARC_NONE, 0, 255, 2, 10, 0, false },
		{ ARC_NONE, 0, 1, 0, ARC_DRAFT_MAX + 1, 0, false },
		{ ARC_PASS, 1, 1, 0, 10, ARC_DRAFT_MAX + 1, false },
		{ (enum arc_status)3, 1, 1, 0, 10, 0, false },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arc_draft d = { .is = { .status = rows[i].status,
					   .n = rows[i].n },
			.header = { "", rows[i].header },
			.chain = { "", rows[i].chain } };

		d.is.counts[0] = (uint8_t)rows[i].from;
		d.is.counts[ARC_SIGNED - 1] = (uint8_t)rows[i].other;
		CHECK_EQ(arc_draft_check(&d), rows[i].ok);
	}
}

/* Too much of it, and what has no author. */
static void
test_no_draft(void)
{
	struct arc_result none = { .status = ARC_NONE };
	struct buf b = BUF_INIT(1000000);
	struct arc_draft draft;
	struct err e;

	for (int i = 0; i < 3; i++) {
		struct dkim_stream *s = dkim_stream_new();
		struct arc_seal *sealing = arc_seal_new(s);

		ROW(i == 0 ? "no From" : i == 1 ? "many To" : "long header");
		e = (struct err)ERR_INIT;
		buf_reset(&b);
		buf_addz(&b, i ? "From: a@b\r\n" : "Subject: a\r\n");
		for (int k = 0; i == 1 && k < DKIM_SIGNED_MAX; k++)
			buf_addz(&b, "To: a@b\r\n");
		for (int k = 0; i == 2 && k < 300; k++)
			buf_addf(&b, "Cc: %01000d\r\n", k);
		buf_addz(&b, "\r\n");
		dkim_stream_push(s, buf_slice(&b));
		dkim_stream_end(s);
		CHECK_EQ(arc_seal_draft(sealing, &none, arena, &draft, &e), -1);
		CHECK_EQ(e.kind, i == 0 ? ERR_SYNTAX : ERR_LIMIT);
		arc_seal_free(&sealing);
		dkim_stream_free(&s);
	}
	buf_free(&b);
}

static void
add_key(struct buf *zone, const char *selector, const struct dkim_key *key)
{
	buf_addf(zone, "%s._domainkey.seal.example TXT \"", selector);
	dkim_key_write_record(key, zone);
	buf_addz(zone, "\"\n");
}

int
main(void)
{
	struct buf zone = BUF_INIT(10000);

	arena = arena_new(0);
	clock_fake(&now, INT64_C(1700000000) * 1000000);
	keys[0] = dkim_key_new(DKIM_RSA, NULL);
	keys[1] = dkim_key_new(DKIM_ED25519, NULL);
	add_key(&zone, "rsa", keys[0]);
	add_key(&zone, "ed", keys[1]);
	dns = dns_zone_new(buf_slice(&zone), NULL);
	RUN(test_chain);
	RUN(test_changed_on_the_way);
	RUN(test_changed_and_sealed);
	RUN(test_broken);
	RUN(test_seal_broken);
	RUN(test_limits);
	RUN(test_dns_fails);
	RUN(test_draft_check);
	RUN(test_no_draft);
	dns_free(&dns);
	dkim_key_free(&keys[0]);
	dkim_key_free(&keys[1]);
	buf_free(&zone);
	arena_free(&arena);
	return unit_done();
}
