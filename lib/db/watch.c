/*
 * watch.c - fifodirs. See watch.h.
 */
#include "db/watch.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rand.h"
#include "db/escape.h"

#define RANDOM_CHARS 16

/* A FIFO has a page at least. With less than this in it a writer always found
 * room for its word. */
#define WORDS_SURE (4096 - 2 * (DB_WORD_MAX + 1))

/* Making a FIFO races with the last waiter's removal of the folder. */
#define TRIES 10

/* "watch/TOPIC", with a NUL; false if that is too long for a file name. */
static bool
topic_path(struct slice topic, struct buf *path)
{
	buf_addz(path, "watch/");
	db_escape(path, topic);
	buf_cstr(path);
	return !path->over && path->n - strlen("watch/") <= NAME_MAX;
}

static int
make_folder(int run_fd, const char *path)
{
	if (mkdirat(run_fd, "watch", 0700) != 0 && errno != EEXIST)
		return -1;
	return mkdirat(run_fd, path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

/* Make the FIFO under a dot name, open it, then give it its name: whoever sees
 * it finds a reader. Open for writing as well, it never reads end of file. */
static int
make_fifo(struct db_watch *w, const char *folder)
{
	char hidden[PATH_MAX], name[RANDOM_CHARS + 1];
	int saved;

	rand_text(NULL, name, RANDOM_CHARS);
	snprintf(w->path, sizeof(w->path), "%s/%s", folder, name);
	snprintf(hidden, sizeof(hidden), "%s/.%s", folder, name);
	if (mkfifoat(w->run_fd, hidden, 0600) != 0)
		return -1;
	w->fd = openat(w->run_fd, hidden, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (w->fd >= 0 && renameat(w->run_fd, hidden, w->run_fd, w->path) == 0)
		return 0;
	saved = errno;
	unlinkat(w->run_fd, hidden, 0);
	db_watch_close(w);
	errno = saved;
	return -1;
}

int
db_watch_open(struct db_watch *w, int run_fd, struct slice topic, struct err *e)
{
	struct buf path = BUF_INIT(PATH_MAX - RANDOM_CHARS - 3);
	int rc = -1;

	*w = (struct db_watch)DB_WATCH_INIT;
	w->run_fd = run_fd;
	errno = ENAMETOOLONG;
	if (topic_path(topic, &path)) {
		for (int i = 0; rc != 0 && i < TRIES; i++) {
			rc = make_folder(run_fd, path.p);
			if (rc == 0)
				rc = make_fifo(w, path.p);
			if (rc != 0 && errno != ENOENT)
				break;
		}
	}
	if (rc != 0)
		err_sys(e, "watch");
	buf_free(&path);
	return rc;
}

struct slice
db_watch_name(const struct db_watch *w)
{
	struct slice path = slice_str(w->path);
	ssize_t slash = slice_rchr(path, '/');

	return slash < 0 ? SLICE_NULL : slice_skip(path, (size_t)slash + 1);
}

int
db_watch_resume(struct db_watch *w, int run_fd, struct slice topic,
    struct slice name, int fd, struct err *e)
{
	struct buf path = BUF_INIT(PATH_MAX - RANDOM_CHARS - 3);
	bool ok = name.n == RANDOM_CHARS && topic_path(topic, &path);

	for (size_t i = 0; i < name.n; i++)
		ok &= isalnum((unsigned char)name.p[i]) != 0;
	*w = (struct db_watch)DB_WATCH_INIT;
	if (ok) {
		w->run_fd = run_fd;
		w->fd = fd;
		snprintf(w->path, sizeof(w->path), "%s/%.*s", path.p,
		    SLICE_FMT(name));
	} else
		close(fd);
	buf_free(&path);
	return ok ? 0 : err_set(e, ERR_SYNTAX, "watch: no such name");
}

void
db_watch_drain(struct db_watch *w)
{
	char bytes[512];

	while (w->fd >= 0 && read(w->fd, bytes, sizeof(bytes)) > 0)
		;
}

bool
db_watch_words(struct db_watch *w, struct buf *words)
{
	char bytes[4096];
	size_t total = 0;
	char before = '\0';
	bool all = false;
	ssize_t n;

	while (w->fd >= 0 && (n = read(w->fd, bytes, sizeof(bytes))) > 0) {
		total += (size_t)n;
		for (ssize_t i = 0; i < n; before = bytes[i++])
			all |= bytes[i] == '\0' && before == '\0';
		buf_add(words, slice_of(bytes, (size_t)n));
	}
	return !all && !words->over && total < WORDS_SURE;
}

void
db_watch_close(struct db_watch *w)
{
	char *slash = strrchr(w->path, '/');

	if (slash != NULL) {
		unlinkat(w->run_fd, w->path, 0);
		*slash = '\0';
		unlinkat(w->run_fd, w->path, AT_REMOVEDIR); /* if empty */
	}
	if (w->fd >= 0)
		close(w->fd);
	*w = (struct db_watch)DB_WATCH_INIT;
}

/* word has its NUL; one write of less than PIPE_BUF is never cut. */
static void
poke_one(int folder_fd, const char *name, struct slice word)
{
	int fd = openat(folder_fd, name,
	    O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0) {
		if (errno == ENXIO) /* nobody reads: its process died */
			unlinkat(folder_fd, name, 0);
		return;
	}
	n = write(fd, word.p, word.n);
	(void)n; /* a full pipe has been poked enough */
	close(fd);
}

void
db_poke(int run_fd, struct slice topic)
{
	db_poke_word(run_fd, topic, SLICE(""));
}

void
db_poke_word(int run_fd, struct slice topic, struct slice word)
{
	char text[DB_WORD_MAX + 1] = "";
	struct buf path = BUF_INIT(PATH_MAX);
	struct dirent *entry;
	DIR *dir = NULL;
	int fd = -1;

	slice_cstr(word, text, sizeof(text));
	if (topic_path(topic, &path))
		fd = openat(run_fd, path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_free(&path);
	if (fd >= 0)
		dir = fdopendir(fd);
	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			poke_one(fd, entry->d_name,
			    slice_of(text, strlen(text) + 1));
	closedir(dir);
}
