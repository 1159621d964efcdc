/*
 * bench_dkim - messages a second of processor time, signed or verified with
 * one key; or KB of memory at most for verifying one:
 *
 *	bench_dkim sign|verify KEY.pem BYTES SECONDS
 *	bench_dkim memory KEY.pem BYTES 0
 *
 * relaxed/relaxed, the default headers. The key's record comes from a zone in
 * memory, and is parsed each time, as it is of a warm resolver.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/proc.h"
#include "dkim/dkim.h"
#include "dns/zone.h"

#define PIECE 65536 /* as a server reads */

struct bench {
	struct dkim_key *key;
	struct dns *dns;
	struct buf message;
	struct dkim_signer signer;
};

static void
push(struct dkim_stream *s, struct slice message)
{
	for (; message.n > 0; message = slice_skip(message, PIECE))
		dkim_stream_push(s, slice_head(message, PIECE));
	dkim_stream_end(s);
}

static bool
sign(struct bench *b, struct buf *out)
{
	struct dkim_stream *s = dkim_stream_new();
	struct dkim_sign *signing = dkim_sign_new(s, &b->signer, 1, NULL);
	bool ok;

	push(s, buf_slice(&b->message));
	buf_reset(out);
	ok = dkim_sign_finish(signing, out, NULL) == 0;
	dkim_sign_free(&signing);
	dkim_stream_free(&s);
	return ok;
}

static bool
verify(struct bench *b, struct buf *out)
{
	struct arena *arena = arena_new(0);
	struct dkim_stream *s = dkim_stream_new();
	struct dkim_verify_opts opts = { .dns = b->dns };
	struct dkim_verify *v = dkim_verify_new(s, &opts);
	struct dkim_results r;
	bool ok;

	(void)out;
	push(s, buf_slice(&b->message));
	dkim_verify_finish(v, arena, &r);
	ok = r.n == 1 && r.v[0].status == DKIM_PASS;
	dkim_verify_free(&v);
	dkim_stream_free(&s);
	arena_free(&arena);
	return ok;
}

static void
make_message(struct buf *out, size_t bytes)
{
	buf_addz(out,
	    "From: Joe <joe@peer.example>\r\n"
	    "To: Suzie <suzie@example.net>\r\n"
	    "Subject: Is dinner ready?\r\n"
	    "Date: Fri, 11 Jul 2003 21:00:37 -0700\r\n"
	    "Message-ID: <1@peer.example>\r\n"
	    "\r\n");
	while (out->n < bytes)
		buf_addz(out,
		    "The quick brown fox jumps over the lazy dog, and "
		    "over and over again, until.\r\n");
}

static void
put_before(struct buf *message, struct slice fields)
{
	struct buf whole = BUF_INIT(SIZE_MAX);

	buf_add(&whole, fields);
	buf_add(&whole, buf_slice(message));
	buf_free(message);
	*message = whole;
}

static void
prepare(struct bench *b, const char *pem, size_t bytes)
{
	struct buf zone = BUF_INIT(8192);
	struct err e = ERR_INIT;

	b->key = dkim_key_load(pem, &e);
	if (b->key == NULL)
		proc_die("bench_dkim", &e);
	buf_addz(&zone, "s._domainkey.peer.example TXT \"");
	dkim_key_write_record(b->key, &zone);
	buf_addz(&zone, "\"\n");
	b->dns = dns_zone_new(buf_slice(&zone), NULL);
	buf_free(&zone);
	b->message = (struct buf)BUF_INIT(SIZE_MAX);
	make_message(&b->message, bytes);
	b->signer = (struct dkim_signer){ .domain = SLICE("peer.example"),
		.selector = SLICE("s"),
		.key = b->key,
		.hash = SHA_256,
		.header_relaxed = true,
		.body_relaxed = true,
		.headers = dkim_default_headers,
		.headers_n = dkim_default_headers_n,
		.seal = true };
}

static int64_t
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The most this process ever had, from /proc; 0 if that cannot be read. */
static uint64_t
memory_kb(void)
{
	struct buf b = BUF_INIT(64 * 1024);
	struct slice rest, line, name, value;
	uint64_t kb = 0;

	if (file_read(AT_FDCWD, "/proc/self/status", &b, NULL) != 1)
		return 0;
	rest = buf_slice(&b);
	while (slice_line(&rest, &line))
		if (slice_cut(line, ':', &name, &value) &&
		    slice_is(name, "VmHWM")) {
			slice_cut(slice_trim(value), ' ', &name, &value);
			slice_u64(name, &kb);
		}
	buf_free(&b);
	return kb;
}

/* One message of that size, made as it is read. */
static void
verify_stream(struct bench *b, uint64_t bytes)
{
	struct arena *arena = arena_new(0);
	struct dkim_stream *s = dkim_stream_new();
	struct dkim_verify_opts opts = { .dns = b->dns };
	struct dkim_verify *v = dkim_verify_new(s, &opts);
	struct dkim_results r;

	for (uint64_t n = 0; n < bytes; n += b->message.n)
		dkim_stream_push(s, buf_slice(&b->message));
	dkim_stream_end(s);
	dkim_verify_finish(v, arena, &r);
	dkim_verify_free(&v);
	dkim_stream_free(&s);
	arena_free(&arena);
}

static void
finish(struct bench *b, struct buf *out)
{
	buf_free(out);
	buf_free(&b->message);
	dns_free(&b->dns);
	dkim_key_free(&b->key);
}

int
main(int argc, char **argv)
{
	bool (*run)(struct bench * b, struct buf * out) = sign;
	struct buf out = BUF_INIT(DKIM_HEADER_MAX);
	struct bench b = { .key = NULL };
	uint64_t bytes, seconds, n = 0;
	int64_t begin, took = 0;

	if (argc != 5 || !slice_u64(slice_str(argv[3]), &bytes) ||
	    !slice_u64(slice_str(argv[4]), &seconds))
		return EXIT_USAGE;
	if (strcmp(argv[1], "memory") == 0) {
		prepare(&b, argv[2], PIECE);
		if (!sign(&b, &out))
			return EXIT_FAILED;
		put_before(&b.message, buf_slice(&out));
		verify_stream(&b, bytes);
		printf("%llu\n", (unsigned long long)memory_kb());
		finish(&b, &out);
		return EXIT_DONE;
	}
	prepare(&b, argv[2], (size_t)bytes);
	if (strcmp(argv[1], "verify") == 0) {
		if (!sign(&b, &out))
			return EXIT_FAILED;
		put_before(&b.message, buf_slice(&out));
		run = verify;
	}
	for (begin = cpu_ms(); took < (int64_t)seconds * 1000; n++) {
		if (!run(&b, &out))
			return EXIT_FAILED;
		took = cpu_ms() - begin;
	}
	printf("%.1f\n", (double)n * 1000 / (double)took);
	finish(&b, &out);
	return EXIT_DONE;
}
