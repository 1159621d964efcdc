/*
 * bench_text - what the text index costs, and what it gives.
 *
 *   bench_text FOLDER [MESSAGES]
 *
 * Makes an account in FOLDER with so many (default 10,000) messages as people
 * write them (words of a language, some frequent and most rare; signatures in
 * base64 in the header; some replies that quote, some HTML), then prints a line
 * for each thing measured.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rand.h"
#include "message/parse.h"
#include "message/record.h"
#include "store/index.h"
#include "store/text.h"
#include "t/bin/bench.h"

#define BATCH 500
#define WORDS 20000

static struct store_env env = { .run_fd = -1,
	.hostname = "bench",
	.file_mode = 0600,
	.text_max = UINT64_C(1) << 40 };
static struct store *st;
static struct rand rnd;
static char words[WORDS][16];

static void
must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench_text: %s failed\n", what);
		exit(1);
	}
}

static void
make_words(void)
{
	static const char *const on[] = { "b", "c", "d", "f", "g", "h", "l",
		"m", "n", "p", "r", "s", "t", "st", "tr", "th", "ch", "sh",
		"br", "w" };
	static const char *const vowel[] = { "a", "e", "i", "o", "u", "ea",
		"ou", "ai" };
	static const char *const off[] = { "", "", "n", "r", "s", "t", "ng",
		"l", "ck" };

	for (int i = 0; i < WORDS; i++) {
		int syllables = i < 100 ? 1 : 2 + (int)rand_below(&rnd, 2);
		words[i][0] = 0;
		while (syllables--) {
			size_t n = strlen(words[i]);
			snprintf(words[i] + n, sizeof(words[i]) - n, "%s%s%s",
			    on[rand_below(&rnd, 20)],
			    vowel[rand_below(&rnd, 8)],
			    off[rand_below(&rnd, 9)]);
		}
	}
}

/* The k-th word comes with a frequency of about 1/k. */
static const char *
word(void)
{
	uint64_t size = UINT64_C(1) << rand_below(&rnd, 14);

	return words[size - 1 + rand_below(&rnd, size)];
}

static void
add_base64(struct buf *b, const char *head, int lines)
{
	char text[65];

	buf_addz(b, head);
	while (lines--) {
		rand_text(&rnd, text, 64);
		buf_addf(b, "\r\n\t%s", text);
	}
	buf_addz(b, "\r\n");
}

static void
add_text(struct buf *b, size_t bytes)
{
	size_t end = b->n + bytes, column = 0;

	while (b->n < end) {
		const char *w = word();
		column += strlen(w) + 1;
		buf_addf(b, "%s%s", w, column > 68 ? "\r\n" : " ");
		if (column > 68)
			column = 0;
	}
	buf_addz(b, "\r\n");
}

static void
make_message(struct buf *b, int i)
{
	buf_reset(b);
	add_base64(b, "DKIM-Signature: v=1; a=rsa-sha256; d=example.org;", 5);
	if (i % 3 == 0) {
		add_base64(b, "ARC-Seal: i=1; a=rsa-sha256;", 5);
		add_base64(b, "ARC-Message-Signature: i=1; a=rsa-sha256;", 5);
	}
	buf_addf(b,
	    "Received: from %s.example.org (%s.example.org [10.%d.%d.%d])\r\n"
	    "\tby mx.example.org with ESMTPS id %08x\r\n"
	    "From: %s %s <%s@%s.org>\r\nTo: joe@example.org\r\n",
	    word(), word(), i % 250, i / 250 % 250, i % 7,
	    (unsigned)rand_below(&rnd, UINT32_MAX), word(), word(), word(),
	    word());
	buf_addf(b, "Subject: %s %s %s %s\r\nMessage-ID: <%d.%s@%s.org>\r\n",
	    word(), word(), word(), word(), i, word(), word());
	buf_addf(b,
	    "Date: Sat, 21 Nov 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/%s; charset=utf-8\r\n\r\n",
	    i % 4 ? "plain" : "html");
	/* Most are short, some are long. */
	add_text(b, 300 + (size_t)rand_below(&rnd, i % 10 ? 3000 : 20000));
	if (i % 1000 == 500)
		buf_addz(b, "a needle in a haystack\r\n");
}

static void
add_batch(struct mailbox *mb, int from, int n)
{
	struct mailbox_new *v = xcalloc((size_t)n, sizeof(*v));
	struct buf text = BUF_INIT(1 << 20),
		   *records = xcalloc((size_t)n, sizeof(*records));
	struct arena *arena = arena_new(0);
	struct mailbox_new_result r;

	for (int i = 0; i < n; i++) {
		make_message(&text, from + i);
		v[i].spool = spool_new(&env, 0);
		must(spool_add(v[i].spool, buf_slice(&text), NULL) == 0 &&
			spool_end(v[i].spool, NULL) == 0,
		    "spool");
		records[i] = (struct buf)BUF_INIT(MSGREC_MAX);
		msgparse_all(buf_slice(&text), NULL, &records[i]);
		v[i].record = buf_slice(&records[i]);
		v[i].received = 1796000000 + from + i;
	}
	must(mailbox_add(mb, v, (size_t)n, arena, &r, NULL) == STORE_OK, "add");
	for (int i = 0; i < n; i++) {
		spool_free(&v[i].spool);
		buf_free(&records[i]);
	}
	free(v);
	free(records);
	buf_free(&text);
	arena_free(&arena);
}

static bool
go_on(void *ctx, uint32_t done, uint32_t total)
{
	(void)ctx, (void)done, (void)total;
	return true;
}

static uint64_t
index_bytes(const struct mailbox *mb, int *files_r)
{
	DIR *d = fdopendir(dup(mb->folder.fd));
	uint64_t n = 0;
	struct dirent *ent;
	struct stat s;

	*files_r = 0;
	rewinddir(d);
	while ((ent = readdir(d)) != NULL)
		if (strncmp(ent->d_name, "mox.text.", 9) == 0 &&
		    fstatat(mb->folder.fd, ent->d_name, &s, 0) == 0 &&
		    s.st_size > 0) {
			n += (uint64_t)s.st_size;
			++*files_r;
		}
	closedir(d);
	return n;
}

/* All messages that may have it are read. */
static void
search(struct mailbox *mb, const char *text, bool indexed)
{
	struct arena *arena = arena_new(0);
	struct uidset may = UIDSET_INIT(arena);
	struct slice needle = slice_str(text);
	uint32_t looked = 0, found = 0, count = mailbox_count(mb);
	double t = now(), narrowed = t;

	if (indexed) {
		mailbox_text_may(mb, &needle, 1, &may);
		narrowed = now();
	} else
		uidset_add(&may, 1, UINT32_MAX);
	for (uint32_t seq = 1; seq <= count; seq++) {
		const struct store_msg *m = mailbox_msg(mb, seq);
		if (!uidset_has(&may, m->uid))
			continue;
		looked++;
		found += mailbox_text_contains(mb, m, MAILBOX_TEXT_ALL, needle,
			     NULL) == 1;
	}
	printf("%-8s %-24s %9.2f ms, %7.2f of them the index; %u read, "
	       "%u found\n",
	    indexed ? "search" : "scan", text, (now() - t) * 1e3,
	    (narrowed - t) * 1e3, looked, found);
	fflush(stdout);
	arena_free(&arena);
}

int
main(int argc, char **argv)
{
	static const char *const needles[] = { "needle in a", "unfindable",
		"zzqx", "bram", "th" };
	uint32_t messages = 10000;
	int n, files;
	struct mailbox *mb;
	uint64_t bytes = 0, index;
	double t, c;

	must(argc > 1 && (argc < 3 || slice_u32(slice_str(argv[2]), &messages)),
	    "usage: bench_text FOLDER [MESSAGES]:");
	n = (int)messages;
	must(mkdir(argv[1], 0700) == 0, argv[1]);
	env.data_fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	rand_fake(&rnd, 1);
	make_words();
	must(store_create(&st, &env, SLICE("joe"), NULL, 0, NULL) == 0,
	    "create");
	must(mailbox_open(&mb, st, SLICE("Inbox"), NULL) == 1, "open");
	for (int i = 0; i < n; i += BATCH)
		add_batch(mb, i, n - i < BATCH ? n - i : BATCH);
	must(mailbox_refresh(mb, NULL) >= 0 &&
		mailbox_take_new(mb, &(uint32_t){ 0 }, NULL) == 0,
	    "refresh");
	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++)
		bytes += mailbox_msg(mb, seq)->size;
	printf("%d messages, %.1f KB each\n", n, (double)bytes / n / 1e3);
	search(mb, "unfindable", false);
	t = now();
	c = cpu();
	must(mailbox_text_update(mb, true, go_on, NULL, NULL) == 1, "update");
	c = cpu() - c;
	t = now() - t;
	index = index_bytes(mb, &files);
	printf("build    %.1f ms, %.1f us CPU a message; %.2f KB a message, "
	       "%.0f %% of the mail, %d files\n",
	    t * 1e3, c / n * 1e6, (double)index / n / 1e3,
	    100.0 * (double)index / (double)bytes, files);
	for (size_t i = 0; i < sizeof(needles) / sizeof(*needles); i++)
		search(mb, needles[i], true);
	search(mb, words[3000], true);
	add_batch(mb, n, 100);
	must(mailbox_refresh(mb, NULL) >= 0 &&
		mailbox_take_new(mb, &(uint32_t){ 0 }, NULL) == 0,
	    "refresh");
	t = now();
	must(mailbox_text_update(mb, true, go_on, NULL, NULL) == 1, "update");
	printf("100 more %.1f ms\n", (now() - t) * 1e3);
	mailbox_close(&mb);
	store_close(&st);
	return 0;
}
