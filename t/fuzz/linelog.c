/*
 * Fuzz lib/db/linelog.c. The first byte chooses: 0, the rest is a log file;
 * else it is text whose lines are appended properly, then one byte of the
 * file is changed and its end cut off, both at places the first bytes say.
 */
#include <string.h>
#include <sys/stat.h>

#include "db/linelog.h"
#include "t/fuzz/folder.h"

#define MAGIC "fuzz 1"

static int file_fd;

static void
setup(void)
{
	if (!folder_begin())
		return;
	file_fd = openat(folder_fd, "log", O_RDWR | O_CREAT, 0600);
	assert(file_fd >= 0);
}

struct count {
	struct slice expected; /* lines not yet seen, when replay is strict */
	bool strict;
	size_t lines;
};

static int
see(void *arg, struct slice payload, uint64_t unit_end, struct err *e)
{
	struct count *c = arg;
	struct slice line;

	(void)unit_end;
	(void)e;
	c->lines++;
	while (c->strict) { /* lines the log refuses were not appended */
		assert(slice_cut(c->expected, '\n', &line, &c->expected));
		if (line.n > 0 && line.p[0] != '@')
			break;
	}
	assert(!c->strict || slice_eq(line, payload));
	return 0;
}

static void
append_lines(struct slice text, size_t group)
{
	struct slice line, lines[8];
	struct db_log l;
	size_t n = 0;

	assert(db_log_start(&l, file_fd, MAGIC, 3, NULL) == 0);
	while (slice_cut(text, '\n', &line, &text)) {
		if (line.n > 0 && line.p[0] != '@')
			lines[n++] = line;
		if (n > group % 8) {
			assert(db_log_append(&l, lines, n, NULL) == 0);
			n = 0;
		}
	}
	assert(db_log_append(&l, lines, n, NULL) == 0);
}

static void
damage(unsigned at, unsigned cut)
{
	struct stat st;
	char c;

	fstat(file_fd, &st);
	if (at > 0 && at < st.st_size && pread(file_fd, &c, 1, at) == 1) {
		c ^= 1;
		assert(pwrite(file_fd, &c, 1, at) == 1);
	}
	if (cut < st.st_size)
		assert(ftruncate(file_fd, st.st_size - cut) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	struct count strict = { 0 }, all = { 0 };
	enum db_log_state state;
	struct db_log l;

	setup();
	if (size < 4)
		return 0;
	assert(ftruncate(file_fd, 0) == 0 && lseek(file_fd, 0, SEEK_SET) == 0);
	if (data[0] == 0) {
		file_write(file_fd, slice_skip(text, 1), NULL);
	} else {
		text = slice_skip(text, 4);
		append_lines(text, data[1]);
		damage(data[2] ? 15u + data[2] : 0, data[3] & 15);
		strict.strict = true;
		strict.expected = text;
	}
	if (db_log_open(&l, folder_fd, "log", MAGIC, NULL) != 1)
		return 0;
	state = db_log_replay(&l, false, NULL, see, &strict, NULL);
	assert(state >= DB_LOG_CLEAN && state <= DB_LOG_ENDED);
	db_log_seek(&l, l.first, NULL);
	db_log_replay(&l, true, NULL, see, &all, NULL);
	assert(all.lines >= strict.lines);
	assert(db_log_cut(&l, l.end, NULL) == 0);
	state = db_log_replay(&l, true, NULL, see, &all, NULL);
	assert(state == DB_LOG_CLEAN);
	db_log_close(&l);
	return 0;
}
