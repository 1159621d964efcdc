/*
 * Unit test of the text index (lib/store/text.h): with it and without the same
 * is found, whatever happens to mailbox and files.
 */
#include "store/text.h"

#include <dirent.h>

#include "base/log.h"
#include "base/rand.h"
#include "store/text_int.h"
#include "t/scratch.h"
#include "text/unicode.h"

static struct store_env env = {
	.run_fd = -1, .hostname = "test", .file_mode = 0600, .text_max = 1 << 30
};
static struct store *st;
static struct mailbox *mb;
static struct arena *arena;
static struct rand rnd;

#define MAILDIR "accounts/joe/Maildir/"

/* ---- help ---- */

static void
begin(void)
{
	scratch_begin();
	env.data_fd = scratch_fd;
	env.text_max = 1 << 30;
	arena = arena_new(0);
	rand_fake(&rnd, 7);
	CHECK_EQ(store_create(&st, &env, SLICE("joe"), NULL, 0, NULL), 0);
	CHECK_EQ(mailbox_open(&mb, st, SLICE("Inbox"), NULL), 1);
}

static void
end(void)
{
	mailbox_close(&mb);
	store_close(&st);
	arena_free(&arena);
	scratch_end();
}

static void
take(void)
{
	struct uidset uids = UIDSET_INIT(arena);
	uint32_t first, *seqs;
	size_t n;
	int pending;

	mb->scan_at = mb->suspect_at = 0;
	pending = mailbox_refresh(mb, NULL);
	CHECK(pending >= 0);
	if (pending & MAILBOX_EXPUNGE)
		CHECK_EQ(mailbox_take_expunged(mb, arena, &seqs, &n, &uids,
			     NULL),
		    0);
	if (pending & MAILBOX_NEW)
		CHECK_EQ(mailbox_take_new(mb, &first, NULL), 0);
}

/* As another program would: nothing is synced, which takes its time. */
static void
add(const char *text)
{
	static int n;

	scratch_put(arena_printf(arena, MAILDIR "new/%d.%d.x", 1000000000 + n,
			n)
			.p,
	    slice_str(text));
	n++;
}

static const char *const words[] = { "alpha", "beta", "gamma", "delta",
	"epsilon", "zeta", "aleph", "bet", "gimel", "dalet", "one", "two",
	"three", "four", "\xc3\x84pfel", "stra\xc3\x9f\x65", "na\xc3\xafve",
	"\xe6\x97\xa5\xe6\x9c\xac" };

#define WORDS (sizeof(words) / sizeof(*words))

/* A message with some words, n times them in its text. */
static void
add_words(unsigned n)
{
	struct buf b = BUF_INIT(1 << 16);

	buf_addf(&b,
	    "From: a@example.org\r\nSubject: %s\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n",
	    words[rand_below(&rnd, WORDS)]);
	while (n--)
		buf_addf(&b, "%s%s", words[rand_below(&rnd, WORDS)],
		    n % 5 ? " " : "\r\n");
	add(buf_cstr(&b));
	buf_free(&b);
}

static bool
go_on(void *ctx, uint32_t done, uint32_t total)
{
	int *left = ctx;

	CHECK(done <= total);
	return !left || --*left >= 0;
}

static int
update(void)
{
	struct err e = ERR_INIT;
	int rc = mailbox_text_update(mb, true, go_on, NULL, &e);

	if (rc < 0)
		UNIT_FAIL("update: %s", e.text);
	return rc;
}

/* Names of segments, in f of that many. */
static int
segments(char names[][TEXT_NAME], int max)
{
	DIR *d = opendir(arena_printf(arena, "%s/" MAILDIR, scratch_path).p);
	struct dirent *ent;
	int n = 0;

	while ((ent = readdir(d)) != NULL)
		if (strncmp(ent->d_name, TEXT_PREFIX, strlen(TEXT_PREFIX)) ==
			0 &&
		    strcmp(ent->d_name, TEXT_LOCK) != 0 && n < max)
			memcpy(names[n++], ent->d_name, TEXT_NAME);
	closedir(d);
	return n;
}

static struct slice
folded(const char *text)
{
	struct buf b = BUF_INIT(1 << 16);
	struct slice s;

	unicode_fold(&b, slice_str(text));
	s = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return s;
}

/* How many messages have it; and the index must not rule out any of them.
 * *may_r: how many it did not. */
static uint32_t
check(const char *text, uint32_t *may_r)
{
	struct uidset may = UIDSET_INIT(arena);
	struct slice needle = folded(text);
	uint32_t found = 0;

	*may_r = 0;
	mailbox_text_may(mb, &needle, 1, &may);
	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++) {
		uint32_t uid = mailbox_msg(mb, seq)->uid;
		bool has = mailbox_text_contains(mb, mailbox_msg(mb, seq),
			       MAILBOX_TEXT_ALL, needle, NULL) == 1;
		found += has;
		*may_r += uidset_has(&may, uid);
		if (has && !uidset_has(&may, uid))
			UNIT_FAIL("%s is in %u, and ruled out", text, uid);
	}
	return found;
}

/* Many needles: pieces of words, across them, and what is nowhere. */
static void
check_all(void)
{
	char text[64];
	uint32_t may;

	for (int i = 0; i < 40; i++) {
		const char *a = words[rand_below(&rnd, WORDS)];
		size_t n = 1 + (size_t)rand_below(&rnd, strlen(a));
		while (n < strlen(a) && ((unsigned char)a[n] & 0xc0) == 0x80)
			n++;
		snprintf(text, sizeof(text), "%.*s%s", (int)n, a,
		    i % 3       ? ""
			: i % 2 ? " a"
				: "x");
		check(text, &may);
	}
}

/* ---- tests ---- */

/* What the parts of a message are as text, and that the index knows them. */
static void
test_texts(void)
{
	static const struct {
		const char *needle;
		int found;
	} rows[] = {
		{ "From: <a@example.org>", 1 }, /* name and all */
		{ "a b c", 1 },                 /* unfolded */
		{ "\xc3\xa4pfel subject", 1 },
		{ "tight", 1 }, /* an encoded word right behind the colon */
		{ "quoted=printable", 1 },
		{ "base64 text \xc3\x9f", 1 },
		{ "latin \xc3\xbc", 1 },
		{ "inner subject", 1 },
		{ "inner body", 1 },
		{ "softbreak", 1 },
		{ "last", 1 },
		{ "in a picture", 0 },
		{ "subject from", 0 }, /* not across fields */
		{ "x=?", 0 },
	};
	uint32_t may;

	begin();
	add("From: <a@example.org>\r\nX-Long: a\r\n b\r\n\tc\r\n"
	    "Subject: =?utf-8?q?=C3=84pfel?= Subject\r\n"
	    "X-Tight:=?utf-8?b?VElHSFQ=?=\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "Quoted=3Dprintable soft=\r\nbreak\r\n"
	    "--b\r\nContent-Type: text/html\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n"
	    "YmFzZTY0IHRleHQgw58=\r\n"
	    "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n"
	    "latin \xfc\r\n"
	    "--b\r\nContent-Type: image/png\r\n\r\nin a picture\r\n"
	    "--b\r\nContent-Type: message/rfc822\r\n\r\n"
	    "Subject: Inner Subject\r\n\r\nInner body\r\n"
	    "--b\r\nContent-Type: text/plain\r\n\r\nlast\r\n--b--\r\n");
	for (int i = 0; i < TEXT_UPDATE_MESSAGES; i++)
		add("Subject: other\r\n\r\nnothing\r\n");
	take();
	CHECK_EQ(update(), 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ROW(rows[i].needle);
		CHECK_EQ(check(rows[i].needle, &may), rows[i].found);
		CHECK(may <= 1);
	}
	ROW("");
	/* Two bytes at the end of a text, and in the middle. */
	CHECK_EQ(check("g\r", &may), TEXT_UPDATE_MESSAGES);
	CHECK_EQ(check("\r\n", &may), TEXT_UPDATE_MESSAGES);
	CHECK_EQ(check("qu", &may), 1);
	CHECK_EQ(may, 1);
	CHECK_EQ(check("zz", &may), 0);
	CHECK_EQ(may, 0);
	/* One byte: the index does not know. */
	CHECK_EQ(check("~", &may), 0);
	CHECK_EQ(may, TEXT_UPDATE_MESSAGES + 1);
	end();
}

static void
test_body_only(void)
{
	begin();
	add("Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n"
	    "Subject: inner\r\n\r\nbody\r\n");
	take();
	CHECK_EQ(mailbox_text_contains(mb, mailbox_msg(mb, 1),
		     MAILBOX_TEXT_BODY, SLICE("outer"), NULL),
	    0);
	CHECK_EQ(mailbox_text_contains(mb, mailbox_msg(mb, 1),
		     MAILBOX_TEXT_BODY, SLICE("inner"), NULL),
	    1);
	CHECK_EQ(mailbox_text_contains(mb, mailbox_msg(mb, 1), MAILBOX_TEXT_ALL,
		     SLICE("outer"), NULL),
	    1);
	end();
}

/* Few are not worth it; more come; some go; all is merged now and then. */
static void
test_grows(void)
{
	char names[100][TEXT_NAME];
	struct uidset all = UIDSET_INIT(NULL), gone;
	uint32_t may;
	uint64_t modseq;

	begin();
	add_words(10);
	take();
	CHECK_EQ(update(), 1);
	CHECK_EQ(segments(names, 100), 0);
	for (int round = 0; round < 12; round++) {
		for (int i = 0; i < 70; i++)
			add_words(1 + (unsigned)rand_below(&rnd, 30));
		take();
		CHECK_EQ(update(), 1);
		check_all();
		CHECK_EQ(check("unfindable", &may), 0);
		CHECK_EQ(may, 0);
		/* Twice three of a level, and those below. */
		CHECK(segments(names, 100) <= 9);
	}
	/* Two of three are expunged: a new segment has only what is left. */
	all.arena = arena;
	for (uint32_t seq = 1; seq <= mailbox_count(mb); seq++)
		if (seq % 3)
			uidset_add(&all, mailbox_msg(mb, seq)->uid,
			    mailbox_msg(mb, seq)->uid);
	CHECK_EQ(mailbox_store(mb, &all, MAILBOX_ADD,
		     &(struct store_flags){ .flags = STORE_DELETED }, false, 0,
		     arena, &(struct mailbox_store_result){ .modseq = 0 },
		     NULL),
	    0);
	gone = (struct uidset)UIDSET_INIT(arena);
	CHECK_EQ(mailbox_expunge(mb, NULL, &gone, &modseq, NULL), 0);
	take();
	check_all();
	for (int i = 0; i < 70; i++)
		add_words(5);
	take();
	CHECK_EQ(update(), 1);
	check_all();
	end();
}

/* What is new is not merged with what is much larger, or every few messages all
 * would be written again. */
static void
test_large_stays(void)
{
	char names[100][TEXT_NAME], large[TEXT_NAME] = "";

	begin();
	for (int i = 0; i < 1200; i++)
		add_words(3);
	take();
	CHECK_EQ(update(), 1);
	CHECK_EQ(segments(&large, 1), 1);
	for (int round = 1; round <= 6; round++) {
		for (int i = 0; i < 70; i++)
			add_words(3);
		take();
		CHECK_EQ(update(), 1);
		CHECK(scratch_has(arena_printf(arena, MAILDIR "%s", large).p));
		CHECK(segments(names, 100) <= 4);
	}
	check_all();
	end();
}

/* Stopped anywhere, it goes on from there, and is right at any time. */
static void
test_stopped(void)
{
	int rc = 0, times = 0;

	begin();
	for (int i = 0; i < 400; i++)
		add_words(5);
	take();
	for (int left; rc == 0 && times < 100; times++) {
		left = 100;
		rc = mailbox_text_update(mb, true, go_on, &left, NULL);
		CHECK(rc >= 0);
		check_all();
	}
	CHECK_EQ(rc, 1);
	CHECK(times >= 4);
	end();
}

/* Where a file is damaged, cut off or gone, its messages are indexed again. */
static void
test_damaged(void)
{
	char names[100][TEXT_NAME];
	struct buf b = BUF_INIT(1 << 24);
	uint32_t may;
	int n;

	begin();
	for (int i = 0; i < 300; i++)
		add_words(20);
	take();
	for (int how = 0; how < 4; how++) {
		CHECK_EQ(update(), 1);
		n = segments(names, 100);
		CHECK(n >= 1);
		for (int i = 0; i < n; i++) {
			char *path =
			    (char *)arena_printf(arena, MAILDIR "%s", names[i])
				.p;
			struct slice all = scratch_get(path, &b);
			if (how == 0)
				unlinkat(scratch_fd, path, 0);
			else if (how == 1)
				scratch_put(path, slice_head(all, all.n / 2));
			else if (how == 2) {
				memset(b.p + all.n / 3, 0xa5, all.n / 3);
				scratch_put(path, all);
			} else
				scratch_put(path, SLICE_NULL);
		}
		check_all();
		CHECK_EQ(check("unfindable", &may), 0);
		CHECK_EQ(may, 300); /* it is not there any more */
		CHECK_EQ(update(), 1);
		CHECK_EQ(check("unfindable", &may), 0);
		CHECK_EQ(may, 0);
		check_all();
	}
	buf_free(&b);
	end();
}

/* What a merge leaves that was not finished: segments within another, and the
 * file it was writing. */
static void
test_leftovers(void)
{
	char names[100][TEXT_NAME], merged[TEXT_NAME] = "";
	struct buf one = BUF_INIT(1 << 24), two = BUF_INIT(1 << 24);
	uint32_t may;

	begin();
	for (int i = 0; i < 70; i++)
		add_words(5);
	take();
	CHECK_EQ(update(), 1);
	CHECK_EQ(segments(names, 100), 1);
	scratch_get(arena_printf(arena, MAILDIR "%s", names[0]).p, &one);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 70; i++)
			add_words(5);
		take();
		CHECK_EQ(update(), 1);
	}
	CHECK_EQ(segments(&merged, 1), 1);
	CHECK(strcmp(merged, names[0]) != 0);
	scratch_put(arena_printf(arena, MAILDIR "%s", names[0]).p,
	    buf_slice(&one));
	check_all();
	for (int i = 0; i < 70; i++)
		add_words(5);
	take();
	CHECK_EQ(update(), 1);
	check_all();
	CHECK_EQ(check("unfindable", &may), 0);
	CHECK_EQ(may, 0);
	CHECK(!scratch_has(arena_printf(arena, MAILDIR "%s", names[0]).p));
	buf_free(&one);
	buf_free(&two);
	end();
}

/* A segment of another UIDVALIDITY says nothing. */
static void
test_stale(void)
{
	char names[100][TEXT_NAME];
	uint32_t may;

	begin();
	for (int i = 0; i < 100; i++)
		add_words(5);
	take();
	CHECK_EQ(update(), 1);
	mailbox_close(&mb);
	CHECK_EQ(index_renew(st, SLICE("Inbox"), NULL), 0);
	CHECK_EQ(mailbox_open(&mb, st, SLICE("Inbox"), NULL), 1);
	CHECK_EQ(check("unfindable", &may), 0);
	CHECK_EQ(may, 100);
	/* There was an index, so there is one to be. */
	CHECK_EQ(mailbox_text_update(mb, false, go_on, NULL, NULL), 1);
	CHECK_EQ(check("unfindable", &may), 0);
	CHECK_EQ(may, 0);
	CHECK_EQ(segments(names, 100), 1);
	end();
}

/* With a limit the oldest go, and are not indexed again and again. */
static void
test_limit(void)
{
	char names[100][TEXT_NAME];
	uint64_t bytes = 0;
	uint32_t may;
	int n, stop = 0;

	begin();
	env.text_max = 12000;
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 70; i++)
			add_words(60);
		take();
		CHECK_EQ(update(), 1);
	}
	n = segments(names, 100);
	for (int i = 0; i < n; i++) {
		struct buf b = BUF_INIT(1 << 24);
		bytes +=
		    scratch_get(arena_printf(arena, MAILDIR "%s", names[i]).p,
			&b)
			.n;
		buf_free(&b);
	}
	CHECK(bytes <= env.text_max);
	CHECK(bytes >= env.text_max / 2);
	check_all();
	CHECK_EQ(check("unfindable", &may), 0);
	CHECK(may > 0 && may < mailbox_count(mb));
	/* Nothing to do: it would be stopped at once. */
	CHECK_EQ(mailbox_text_update(mb, true, go_on, &stop, NULL), 1);
	/* Off: what is there is used, and nothing is made. */
	CHECK(n > 1);
	env.text_max = 0;
	for (int i = 0; i < 70; i++)
		add_words(5);
	take();
	CHECK_EQ(update(), 1);
	check_all();
	end();
}

/* One at a time: who comes second does not wait. */
static void
test_lease(void)
{
	struct db_lock lease = DB_LOCK_INIT;
	char names[1][TEXT_NAME];

	begin();
	for (int i = 0; i < 70; i++)
		add_words(5);
	take();
	CHECK_EQ(db_lock(&lease, mb->folder.fd, TEXT_LOCK, DB_LOCK_LEASE, 0,
		     NULL),
	    1);
	CHECK_EQ(update(), 0);
	CHECK_EQ(segments(names, 1), 0);
	db_unlock(&lease);
	CHECK_EQ(update(), 1);
	CHECK_EQ(segments(names, 1), 1);
	end();
}

/* A message that cannot be read, and one with more than any language has. */
static void
test_unindexed(void)
{
	struct buf b = BUF_INIT(1 << 22);
	uint32_t may;

	begin();
	buf_addz(&b, "Subject: noise\r\n\r\n");
	for (int i = 0; i < 1000; i++) {
		char text[1001];
		rand_text(&rnd, text, 1000);
		buf_addf(&b, "%s\r\n", text);
	}
	add(buf_cstr(&b));
	for (int i = 0; i < 70; i++)
		add_words(5);
	take();
	CHECK_EQ(update(), 1);
	CHECK_EQ(check("unfindable", &may), 0);
	CHECK_EQ(may, 1);
	CHECK_EQ(check("noise", &may), 1);
	buf_free(&b);
	end();
}

int
main(void)
{
	log_init("text", LOG_FATAL);
	RUN(test_texts);
	RUN(test_body_only);
	RUN(test_grows);
	RUN(test_large_stays);
	RUN(test_stopped);
	RUN(test_damaged);
	RUN(test_leftovers);
	RUN(test_stale);
	RUN(test_limit);
	RUN(test_lease);
	RUN(test_unindexed);
	return unit_done();
}
