/*
 * pair - drives lib/db from the tests of crashes (db.bats).
 *
 *   pair DIR create           make the pair DIR/p
 *   pair DIR add LINE...      append and sync each, then print it
 *   pair DIR put LINE...      append without sync
 *   pair DIR group LINE...    append all as one unit, sync, print
 *   pair DIR fold
 *   pair DIR show             take the lock, so that all is mended; print
 *   pair DIR file NAME TEXT   write a small file, print its name
 *
 * What was printed was acknowledged and goes into the trace as a mark.
 * Exits 1 if a step failed; an `add` that failed prints "failed LINE", or
 * "stays LINE" where the line could not be taken back.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "db/newfile.h"
#include "db/pair.h"

void fault_mark(const char *text) __attribute__((weak));

static struct buf text = BUF_INIT(SIZE_MAX);
static struct err e = ERR_INIT;

static int
reset(void *arg, const struct db_cdb *next, struct err *why)
{
	struct slice value;

	(void)arg;
	buf_reset(&text);
	if (db_cdb_get(next, SLICE("text"), &value, why) == 1)
		buf_add(&text, value);
	return 0;
}

static int
line(void *arg, struct slice payload, uint64_t unit_end, struct err *why)
{
	(void)arg;
	(void)unit_end;
	(void)why;
	buf_add(&text, payload);
	buf_addc(&text, '\n');
	return 0;
}

static int
build(void *arg, struct db_cdb_make *m, struct err *why)
{
	(void)arg;
	(void)why;
	db_cdb_make_add(m, SLICE("text"), buf_slice(&text));
	return 0;
}

static const struct db_pair_ops ops = {
	.magic = "test 1",
	.reset = reset,
	.line = line,
	.build = build,
};

static void
acknowledge(const char *what)
{
	if (fault_mark != NULL)
		fault_mark(what);
	puts(what);
	fflush(stdout);
}

static int
fail(const char *what)
{
	fprintf(stderr, "pair: %s: %s\n", what, e.text);
	return 1;
}

static int
append(struct db_pair *p, const struct slice *lines, size_t n)
{
	int rc;

	if (db_pair_lock(p, DB_LOCK_MS, &e) != 0)
		return -1;
	rc = db_pair_append(p, lines, n, &e);
	db_pair_unlock(p);
	return rc;
}

static int
add(struct db_pair *p, char **lines, bool sync)
{
	int failed = 0;

	for (; *lines != NULL; lines++) {
		struct slice payload = slice_str(*lines);
		bool stays = false;

		if (append(p, &payload, 1) == 0 &&
		    (!sync || db_pair_sync(p, &stays, &e) == 0)) {
			if (sync)
				acknowledge(*lines);
			continue;
		}
		printf("%s %s\n", stays ? "stays" : "failed", *lines);
		failed = fail(*lines);
	}
	return failed;
}

static int
group(struct db_pair *p, char **lines, size_t n)
{
	struct slice payloads[16];

	for (size_t i = 0; i < n && i < 16; i++)
		payloads[i] = slice_str(lines[i]);
	if (append(p, payloads, n) != 0 || db_pair_sync(p, NULL, &e) != 0)
		return fail("group");
	for (size_t i = 0; i < n; i++)
		acknowledge(lines[i]);
	return 0;
}

static int
show(struct db_pair *p)
{
	if (db_pair_lock(p, DB_LOCK_MS, &e) != 0)
		return fail("lock");
	db_pair_unlock(p);
	printf("%.*s", SLICE_FMT(buf_slice(&text)));
	return 0;
}

static int
run(int dirfd, char **args, int n)
{
	struct db_pair p;
	int rc;

	if (strcmp(args[0], "file") == 0 && n == 3) {
		if (db_write_file(dirfd, args[1], slice_str(args[2]), 0600,
			&e) != 0)
			return fail(args[1]);
		acknowledge(args[1]);
		return 0;
	}
	if (strcmp(args[0], "create") == 0) {
		rc = db_pair_create(dirfd, "p", 0600, &ops, NULL, 0, &e);
		return rc < 0 ? fail("create") : 0;
	}
	rc = db_pair_open(&p, dirfd, "p", 0600, &ops, NULL, &e);
	if (rc != 1)
		return rc == 0 ? 3 : fail("open");
	if (strcmp(args[0], "add") == 0)
		rc = add(&p, args + 1, true);
	else if (strcmp(args[0], "put") == 0)
		rc = add(&p, args + 1, false);
	else if (strcmp(args[0], "group") == 0)
		rc = group(&p, args + 1, (size_t)n - 1);
	else if (strcmp(args[0], "fold") == 0)
		rc = db_pair_fold(&p, &e) == 1 ? 0 : fail("fold");
	else
		rc = show(&p);
	db_pair_close(&p);
	return rc;
}

int
main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;

	if (fd < 0) {
		fprintf(stderr, "usage: pair DIR COMMAND...\n");
		return 2;
	}
	return run(fd, argv + 2, argc - 2);
}
