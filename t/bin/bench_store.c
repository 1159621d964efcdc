/*
 * bench_store - what the store does in a second, on one mailbox.
 *
 *   bench_store FOLDER [MESSAGES]
 *
 * Makes an account in FOLDER with so many (default 100,000) messages of 4 KB,
 * adds them in batches, then prints a line for each thing measured.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "message/parse.h"
#include "message/record.h"
#include "store/index.h"
#include "t/bin/bench.h"

#define BATCH 1000
#define DELIVER 1000 /* one by one, synced */
#define SIZE 4096

static struct store_env env = {
	.run_fd = -1, .hostname = "bench", .file_mode = 0600
};
static struct store *st;
static struct arena *arena;

static void
must(int rc, const char *what, const struct err *e)
{
	if (rc < 0) {
		fprintf(stderr, "bench_store: %s: %s\n", what, e->text);
		exit(1);
	}
}

static void
report(const char *what, double seconds, double cpu_s, double n,
    const char *unit)
{
	printf("%-36s %10.3f ms %12.0f %s/s  %8.2f us CPU each\n", what,
	    seconds * 1e3, n / seconds, unit, cpu_s / n * 1e6);
	fflush(stdout);
}

#define MEASURE(what, n, unit, code) \
	do { \
		double t_ = now(), c_ = cpu(); \
		code; \
		report(what, now() - t_, cpu() - c_, (double)(n), unit); \
	} while (0)

static struct slice wire, record;

static void
make_message(void)
{
	struct buf b = BUF_INIT(1 << 20), r = BUF_INIT(MSGREC_MAX);

	buf_addz(&b,
	    "From: a@example.org\r\nTo: b@example.org\r\n"
	    "Subject: a message for the bench\r\n"
	    "Message-ID: <bench@example.org>\r\n"
	    "Date: Sat, 21 Nov 2026 08:00:00 +0000\r\n\r\n");
	while (b.n < SIZE)
		buf_addz(&b,
		    "Some text in a line of usual length, and on.\r\n");
	msgparse_all(buf_slice(&b), NULL, &r);
	wire = arena_dup(arena, buf_slice(&b));
	record = arena_dup(arena, buf_slice(&r));
	buf_free(&b);
	buf_free(&r);
}

static void
add(struct mailbox *mb, size_t n)
{
	struct arena *a = arena_new(0);
	struct mailbox_new *m = arena_array(a, n, sizeof(*m));
	struct mailbox_new_result r;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		m[i] = (struct mailbox_new){ .spool = spool_new(&env, 0),
			.record = record,
			.received = 1000000 };
		spool_add(m[i].spool, wire, NULL);
		spool_end(m[i].spool, NULL);
	}
	if (mailbox_add(mb, m, n, a, &r, &e) != STORE_OK)
		must(-1, "add", &e);
	for (size_t i = 0; i < n; i++)
		spool_free(&m[i].spool);
	arena_free(&a);
}

static struct mailbox *
open_inbox(void)
{
	struct mailbox *mb;
	struct err e = ERR_INIT;

	must(mailbox_open(&mb, st, SLICE("Inbox"), &e) - 1, "open", &e);
	return mb;
}

/* As files of another program: fast to make, and adoption is measured. */
static void
fill(size_t n)
{
	char path[128];
	int fd;

	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path),
		    "accounts/bench/Maildir/cur/%zu.R.bench,S=%zu,W=%zu:2,S",
		    1000000 + i, wire.n, wire.n);
		fd = openat(env.data_fd, path, O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || write(fd, wire.p, wire.n) < 0)
			exit(1);
		close(fd);
	}
}

static uint64_t
walk(const struct mailbox *mb)
{
	uint64_t sum = 0;

	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++) {
		const struct store_msg *m = mailbox_msg(mb, seq);

		sum += m->uid + m->flags + m->keywords;
	}
	return sum;
}

static void
records(struct mailbox *mb, uint32_t n)
{
	struct err e = ERR_INIT;
	struct slice r;

	for (uint32_t seq = 1; seq <= n; seq++)
		must(mailbox_record(mb, mailbox_msg(mb, seq), &r, &e), "record",
		    &e);
}

static uint64_t
bodies(struct mailbox *mb, uint32_t n)
{
	uint64_t bytes = 0;

	for (uint32_t seq = 1; seq <= n; seq++) {
		struct mailbox_reader *r;
		struct slice piece;
		struct err e = ERR_INIT;

		must(mailbox_read_open(&r, mb, mailbox_msg(mb, seq), &e),
		    "read", &e);
		while (mailbox_read(r, 1 << 20, &piece, &e) == 1)
			bytes += piece.n;
		mailbox_read_close(&r);
	}
	return bytes;
}

static struct uidset
first_uids(const struct mailbox *mb, uint32_t n)
{
	struct uidset s = UIDSET_INIT(arena);

	uidset_add(&s, mailbox_msg(mb, 1)->uid, mailbox_msg(mb, n)->uid);
	return s;
}

static void
store(struct mailbox *mb, uint32_t n, enum mailbox_flagop op, uint16_t flag)
{
	struct uidset s = first_uids(mb, n);
	struct store_flags f = { .flags = flag };
	struct mailbox_store_result r;
	struct err e = ERR_INIT;

	must(mailbox_store(mb, &s, op, &f, false, 0, arena, &r, &e), "store",
	    &e);
}

static void
copy(struct mailbox *mb, uint32_t n, const char *name, bool move)
{
	const struct mailbox_target to = { .store = mailbox_store_of(mb),
		.name = slice_str(name) };
	struct uidset s = first_uids(mb, n);
	struct mailbox_copy_result r;
	struct err e = ERR_INIT;

	if (mailbox_copy(mb, &s, &to, move, arena, &r, &e) != STORE_OK)
		must(-1, "copy", &e);
}

static void
take_all(struct mailbox *mb)
{
	struct err e = ERR_INIT;
	uint32_t *seqs, first;
	size_t n;

	must(mailbox_take_expunged(mb, arena, &seqs, &n, NULL, &e), "take", &e);
	must(mailbox_take_new(mb, &first, &e), "take", &e);
}

int
main(int argc, char **argv)
{
	struct uidset gone;
	struct mailbox *mb;
	struct err e = ERR_INIT;
	uint64_t n = 100000, bytes = 0, modseq;
	uint32_t some;

	if (argc < 2 || (argc > 2 && !slice_u64(slice_str(argv[2]), &n))) {
		fprintf(stderr, "usage: bench_store folder [messages]\n");
		return EXIT_USAGE;
	}
	env.data_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	arena = arena_new(0);
	make_message();
	must(store_create(&st, &env, SLICE("bench"), NULL, 0, &e), "create",
	    &e);
	if (store_mailbox_create(st, SLICE("Other"), 0, arena, NULL, NULL,
		&e) != STORE_OK)
		must(-1, "create", &e);
	fill(n);
	MEASURE("adopt a foreign Maildir", n, "msg", mb = open_inbox());
	MEASURE("fold", n, "msg", must(index_fold(mb, &e), "fold", &e));
	MEASURE("deliver, synced, one by one", DELIVER, "msg",
	    for (int i = 0; i < DELIVER; i++) add(mb, 1));
	MEASURE("add 1000 at once", 1000, "msg", add(mb, 1000));
	MEASURE("close", 1, "close", mailbox_close(&mb));
	MEASURE("open, cold tail", 1, "open", mb = open_inbox());
	mailbox_close(&mb);
	MEASURE(
	    "open and close, warm, tail of log", 100, "open",
	    for (int i = 0; i < 100; i++) {
		    mb = open_inbox();
		    mailbox_close(&mb);
	    });
	mb = open_inbox();
	must(index_fold(mb, &e), "fold", &e);
	mailbox_close(&mb);
	MEASURE(
	    "open and close, warm, just folded", 100, "open",
	    for (int i = 0; i < 100; i++) {
		    mb = open_inbox();
		    mailbox_close(&mb);
	    });
	mb = open_inbox();
	must(mailbox_refresh(mb, &e), "refresh", &e);
	some = mailbox_count(mb) < 10000 ? mailbox_count(mb) : 10000;
	MEASURE("flags of all, first time", mailbox_count(mb), "msg",
	    bytes += walk(mb));
	MEASURE("flags of all, again", mailbox_count(mb), "msg",
	    bytes += walk(mb));
	MEASURE("records, parsed and cached", some, "msg", records(mb, some));
	MEASURE("records, from the cache", some, "msg", records(mb, some));
	MEASURE("bodies", some, "msg", bytes = bodies(mb, some));
	printf("%-36s %10.1f MB\n", "", (double)bytes / 1e6);
	MEASURE("STORE of 10000", some, "msg",
	    store(mb, some, MAILBOX_ADD, STORE_FLAGGED));
	MEASURE("STORE of one", 100, "store",
	    for (int i = 0; i < 100; i++) store(mb, 1,
		i % 2 ? MAILBOX_ADD : MAILBOX_REMOVE, STORE_ANSWERED));
	MEASURE("refresh, nothing new", 10000, "refresh",
	    for (int i = 0; i < 10000; i++) mailbox_refresh(mb, &e));
	mb->names_at = 0;
	MEASURE("tidy: 10000 flags into names", some, "msg",
	    mailbox_tidy(mb, 60000));
	MEASURE("COPY of 10000", some, "msg", copy(mb, some, "Other", false));
	MEASURE("MOVE of 10000", some, "msg", copy(mb, some, "Other", true));
	take_all(mb);
	store(mb, some, MAILBOX_ADD, STORE_DELETED);
	gone = (struct uidset)UIDSET_INIT(arena);
	MEASURE("EXPUNGE of 10000", some, "msg",
	    must(mailbox_expunge(mb, NULL, &gone, &modseq, &e), "expunge", &e));
	MEASURE("tidy: their files, fold", some, "msg",
	    mailbox_tidy(mb, 60000));
	take_all(mb);
	mailbox_close(&mb);
	store_close(&st);
	arena_free(&arena);
	return bytes == 0;
}
