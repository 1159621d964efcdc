/*
 * Fuzz the session of mox-imapd: the input is what a client sends after login,
 * to an account with a few messages. Answers must be lines with literals of
 * the length they say, each untagged, a continuation, or tagged by a command.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "imap/imap.h"
#include "store/index.h"
#include "t/fuzz/folder.h"

#define INPUT_MAX 65536

static struct store_env env = {
	.run_fd = -1, .hostname = "fuzz", .file_mode = 0600
};

static const struct slice messages[] = {
	SLICE("From: a@example.org\r\nSubject: one\r\n\r\nplain\r\n"),
	SLICE(
	    "From: =?utf-8?q?=C3=84?= <b@example.org>\r\nSubject: two\r\n"
	    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
	    "--x\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nYcOkAA==\r\n"
	    "--x\r\nContent-Type: message/rfc822\r\n\r\n"
	    "From: c@example.org\r\nSubject: three\r\n\r\ninner\r\n--x--\r\n"),
	SLICE("Subject: bare\nX: y\n\nb\0dy\r\n"),
};

static void
setup(void)
{
	if (!folder_begin())
		return;
	env.data_fd = folder_fd;
	log_init("fuzz", LOG_FATAL);
}

static void
add_message(struct store *st, struct slice text, unsigned n)
{
	struct arena *arena = arena_new(0);
	struct slice keyword = SLICE("word");
	struct mailbox_new m = { .spool = spool_new(&env, 0),
		.received = 1000000 * n,
		.flags = { .flags = n & 3,
		    .keywords = &keyword,
		    .nkeywords = n & 1 } };
	struct mailbox_new_result r;
	struct mailbox *mb;

	assert(spool_add(m.spool, text, NULL) == 0);
	assert(spool_end(m.spool, NULL) == 0);
	assert(mailbox_open(&mb, st, SLICE("Inbox"), NULL) == 1);
	assert(mailbox_add(mb, &m, 1, arena, &r, NULL) == STORE_OK);
	mailbox_close(&mb);
	spool_free(&m.spool);
	arena_free(&arena);
}

/* May the input change what is stored? Nothing else does without these. */
static bool
changes(struct slice input)
{
	static const char *const words[] = { "SELECT", "APPEND", "COPY",
		"CREATE", "DELETE", "RENAME", "SUBSCRIBE", "REPLACE",
		"METADATA", "GENURLAUTH", "RESETKEY", "ACL" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (slice_findi(input, slice_str(words[i])) >= 0)
			return true;
	return false;
}

/* A new account, whatever inputs before did to theirs. */
static struct store *
new_store(void)
{
	static const struct store_initial initial[] = {
		{ SLICE("Sent"), STORE_USE_SENT },
		{ SLICE("a/b"), 0 },
	};
	struct store *st;

	file_remove_tree(env.data_fd, "accounts", NULL);
	assert(store_create(&st, &env, SLICE("joe"), initial, 2, NULL) == 0);
	for (unsigned i = 0; i < 3; i++)
		add_message(st, messages[i], i);
	return st;
}

/* Is a line, whose literals are passed over, one a server may send? */
static void
check_answers(struct slice out)
{
	bool fresh = true; /* not behind a literal */
	while (out.n) {
		struct slice line, digits;
		ssize_t brace;
		uint64_t n;
		ssize_t lf = slice_chr(out, '\n');
		assert(lf > 0 && out.p[lf - 1] == '\r');
		line = slice_head(out, (size_t)lf - 1);
		out = slice_skip(out, (size_t)lf + 1);
		assert(!fresh || slice_find(line, SLICE(" ")) > 0);
		assert(slice_chr(line, '\r') < 0 && slice_chr(line, '\0') < 0);
		brace = slice_rchr(line, '{');
		fresh = true;
		if (brace < 0 || line.p[line.n - 1] != '}')
			continue;
		digits = slice_sub(line, (size_t)brace + 1, line.n - 1);
		if (!slice_u64(digits, &n))
			continue;
		assert(n <= out.n);
		out = slice_skip(out, (size_t)n);
		fresh = false;
	}
	assert(fresh);
}

static void
check_file(int fd)
{
	struct buf out = BUF_INIT(1 << 30);

	assert(lseek(fd, 0, SEEK_SET) == 0);
	assert(file_read_fd(fd, &out, NULL) >= 0);
	check_answers(buf_slice(&out));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice input = slice_of((const char *)data, n);
	static bool changed = true; /* the account, by the input before */
	struct imap_session s = { 0 };
	struct conn *conn;
	int in, out;

	if (n > INPUT_MAX)
		return 0;
	setup();
	in = memfd_create("in", MFD_CLOEXEC);
	out = memfd_create("out", MFD_CLOEXEC);
	assert(in >= 0 && out >= 0);
	assert(write(in, data, n) == (ssize_t)n && lseek(in, 0, SEEK_SET) == 0);
	conn = conn_new(in, out);
	imap_reader_init(&s.in, conn);
	if (changed)
		s.store = new_store();
	else
		assert(store_open(&s.store, &env, SLICE("joe"), NULL) == 1);
	changed = changes(input);
	s.user = SLICE("joe@localhost");
	imap_session_run(&s, NULL, -1);
	imap_reader_free(&s.in);
	conn_free(&conn);
	check_file(out);
	close(in);
	close(out);
	return 0;
}
