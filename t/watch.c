/* Unit test of lib/db/watch.c. */
#include "db/watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "t/scratch.h"

static bool
woken(const struct db_watch *w, int timeout_ms)
{
	struct pollfd p = { w->fd, POLLIN, 0 };

	return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLIN);
}

static size_t
waiters(const char *path)
{
	struct arena *a = arena_new(0);
	struct slice *names;
	size_t n = 0;

	if (file_list(scratch_fd, path, a, &names, &n, NULL) != 1)
		n = 0;
	arena_free(&a);
	return n;
}

static void
test_poke(void)
{
	struct db_watch a, b, other;

	db_poke(scratch_fd, SLICE("topic")); /* nobody there */
	CHECK(!scratch_has("watch"));
	CHECK_EQ(db_watch_open(&a, scratch_fd, SLICE("topic"), NULL), 0);
	CHECK_EQ(db_watch_open(&b, scratch_fd, SLICE("topic"), NULL), 0);
	CHECK_EQ(db_watch_open(&other, scratch_fd, SLICE("t/2"), NULL), 0);
	CHECK(scratch_has("watch/t%2F2"));
	CHECK(!woken(&a, 0));
	db_poke(scratch_fd, SLICE("topic"));
	CHECK(woken(&a, 0) && woken(&b, 0));
	CHECK(!woken(&other, 0));
	db_watch_drain(&a);
	CHECK(!woken(&a, 0));
	CHECK(woken(&b, 0));
	for (int i = 0; i < 70000; i++) /* more than a pipe holds */
		db_poke(scratch_fd, SLICE("t/2"));
	CHECK(woken(&other, 0));
	db_watch_drain(&other);
	CHECK(!woken(&other, 0));
	db_watch_close(&a);
	CHECK_EQ(waiters("watch/topic"), 1);
	db_watch_close(&b);
	db_watch_close(&b);
	CHECK(!scratch_has("watch/topic"));
	db_watch_close(&other);
}

static void
test_dead_waiter(void)
{
	struct db_watch w;
	int status;

	if (fork() == 0)
		_exit(db_watch_open(&w, scratch_fd, SLICE("dead"), NULL));
	wait(&status);
	CHECK_EQ(status, 0);
	CHECK_EQ(waiters("watch/dead"), 1);
	db_poke(scratch_fd, SLICE("dead"));
	CHECK_EQ(waiters("watch/dead"), 0);
}

static void
test_long_topic(void)
{
	static char topic[NAME_MAX + 1];
	struct err e = ERR_INIT;
	struct db_watch w;

	memset(topic, 't', sizeof(topic));
	CHECK_EQ(db_watch_open(&w, scratch_fd, slice_of(topic, NAME_MAX), &e),
	    0);
	db_watch_close(&w);
	CHECK_EQ(db_watch_open(&w, scratch_fd, slice_of(topic, NAME_MAX + 1),
		     &e),
	    -1);
	db_watch_close(&w);
	db_poke(scratch_fd, slice_of(topic, NAME_MAX + 1));
}

/* Another process pokes; waiters come and go meanwhile, so that folders are
 * made and removed. */
static void
test_processes(void)
{
	struct db_watch w;
	int status;
	pid_t pid;

	CHECK_EQ(db_watch_open(&w, scratch_fd, SLICE("p"), NULL), 0);
	pid = fork();
	if (pid == 0) {
		usleep(10000);
		db_poke(scratch_fd, SLICE("p"));
		_exit(0);
	}
	CHECK(woken(&w, 5000));
	waitpid(pid, &status, 0);
	db_watch_close(&w);

	for (int i = 0; i < 3; i++) {
		if (fork() != 0)
			continue;
		for (int k = 0; k < 300; k++) {
			if (db_watch_open(&w, scratch_fd, SLICE("q"), NULL))
				_exit(1);
			db_poke(scratch_fd, SLICE("q"));
			if (!woken(&w, 0))
				_exit(2);
			db_watch_close(&w);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		CHECK_EQ(status, 0);
	CHECK(!scratch_has("watch/q"));
}

/* What words say, and when they do not say all. */
static void
test_words(void)
{
	struct buf words = BUF_INIT(1 << 16);
	char word[DB_WORD_MAX + 2];
	struct db_watch w;

	CHECK_EQ(db_watch_open(&w, scratch_fd, SLICE("words"), NULL), 0);
	CHECK(db_watch_words(&w, &words));
	CHECK_EQ(words.n, 0);
	db_poke_word(scratch_fd, SLICE("words"), SLICE("."));
	db_poke_word(scratch_fd, SLICE("words"), SLICE(".a b"));
	CHECK(db_watch_words(&w, &words));
	CHECK(slice_eq(buf_slice(&words), slice_of(".\0.a b\0", 7)));
	CHECK(!woken(&w, 0));

	/* Without a word: first, last, alone. */
	db_poke(scratch_fd, SLICE("words"));
	CHECK(!db_watch_words(&w, &words));
	db_poke_word(scratch_fd, SLICE("words"), SLICE("x"));
	db_poke(scratch_fd, SLICE("words"));
	CHECK(!db_watch_words(&w, &words));
	db_poke(scratch_fd, SLICE("words"));
	db_poke_word(scratch_fd, SLICE("words"), SLICE("x"));
	CHECK(!db_watch_words(&w, &words));

	/* The longest, and one that is too long. */
	memset(word, 'w', sizeof(word));
	buf_reset(&words);
	db_poke_word(scratch_fd, SLICE("words"), slice_of(word, DB_WORD_MAX));
	CHECK(db_watch_words(&w, &words));
	CHECK_EQ(words.n, DB_WORD_MAX + 1);
	db_poke_word(scratch_fd, SLICE("words"),
	    slice_of(word, DB_WORD_MAX + 1));
	CHECK(!db_watch_words(&w, &words));

	/* So many that some found no room. */
	for (int i = 0; i < 10000; i++)
		db_poke_word(scratch_fd, SLICE("words"), SLICE("many"));
	buf_reset(&words);
	CHECK(!db_watch_words(&w, &words));
	CHECK(!woken(&w, 0));
	CHECK(db_watch_words(&w, &words));
	buf_free(&words);
	db_watch_close(&w);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	scratch_begin();
	RUN(test_poke);
	RUN(test_dead_waiter);
	RUN(test_long_topic);
	RUN(test_processes);
	RUN(test_words);
	scratch_end();
	return unit_done();
}
