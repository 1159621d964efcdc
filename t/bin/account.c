/*
 * account - drives the list of mailboxes from the tests of crashes
 * (account.bats). DATA is the data folder; the account is "test".
 *
 *   account DATA COMMAND...   one or more, in order:
 *     new                     make the account, with Sent
 *     create NAME USE         USE: bits of STORE_USE_*
 *     delete NAME
 *     rename FROM TO
 *     subscribe NAME
 *     uidvalidity             print the next
 *     line NAME TEXT          append TEXT to mox.log
 *     list                    name, flags: s subscribed, ! not there, uses
 *
 * What changed something prints its words when done; that is a mark.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/index.h"

void fault_mark(const char *text) __attribute__((weak));

static struct store_env env = {
	.run_fd = -1, .hostname = "h", .file_mode = 0600
};
static struct store *st;
static struct arena *arena;
static struct err e = ERR_INIT;

static void
acknowledge(struct slice line)
{
	const char *text = arena_cstr(arena, line);

	if (fault_mark != NULL)
		fault_mark(text);
	puts(text);
	fflush(stdout);
}

static void
fail(const char *what)
{
	fprintf(stderr, "account: %s: %s\n", what, e.text);
	exit(1);
}

static void
must(enum store_code code, const char *verb, const char *a, const char *b)
{
	if (code != STORE_OK)
		fail(verb);
	acknowledge(arena_printf(arena, "%s %s %s", verb, a, b));
}

static void
list(void)
{
	struct store_mailbox *v;
	size_t n;

	if (store_list(st, arena, &v, &n, &e) < 0)
		fail("list");
	for (size_t i = 0; i < n; i++)
		printf("%.*s %s%s%u\n", SLICE_FMT(v[i].name),
		    v[i].subscribed ? "s" : "", v[i].exists ? "" : "!",
		    v[i].use);
}

/* Below the calls of mailbox.h: what a test wants to damage. */
static void
append_line(struct slice name, struct slice text)
{
	struct mailbox *mb = NULL;

	if (index_open(&mb, st, name, false, &e) != 1 ||
	    index_lock(mb, &e) != 0 ||
	    db_pair_append(&mb->pair, &text, 1, &e) != 0)
		fail("line");
	index_unlock(mb);
	index_close(&mb);
}

/* Does one command; returns how many words it took. */
static int
command(char **w, int n)
{
	const struct store_initial sent = { SLICE("Sent"), STORE_USE_SENT };
	struct slice a = slice_str(n > 1 ? w[1] : "");
	struct slice b = slice_str(n > 2 ? w[2] : "");
	uint32_t v;

	if (strcmp(w[0], "list") == 0) {
		list();
		return 1;
	}
	if (strcmp(w[0], "new") == 0) {
		if (store_create(&st, &env, SLICE("test"), &sent, 1, &e) < 0)
			fail("new");
		acknowledge(SLICE("new"));
		return 1;
	}
	if (strcmp(w[0], "uidvalidity") == 0) {
		if (store_next_uidvalidity(st, &v, &e) < 0)
			fail("uidvalidity");
		acknowledge(arena_printf(arena, "uidvalidity %u", v));
		return 1;
	}
	if (strcmp(w[0], "line") == 0) {
		append_line(a, b);
		return 3;
	}
	if (strcmp(w[0], "delete") == 0) {
		must(store_mailbox_delete(st, a, &e), w[0], w[1], "");
		return 2;
	}
	if (strcmp(w[0], "subscribe") == 0) {
		if (store_subscribe(st, a, true, &e) < 0)
			fail("subscribe");
		must(STORE_OK, w[0], w[1], "");
		return 2;
	}
	if (strcmp(w[0], "create") == 0)
		must(store_mailbox_create(st, a, (unsigned)(w[2][0] - '0'),
			 arena, NULL, NULL, &e),
		    w[0], w[1], w[2]);
	else
		must(store_mailbox_rename(st, a, b, &e), w[0], w[1], w[2]);
	return 3;
}

int
main(int argc, char **argv)
{
	struct err open_e = ERR_INIT;

	env.data_fd = argc > 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
	if (env.data_fd < 0) {
		fprintf(stderr, "usage: account DATA COMMAND...\n");
		return 2;
	}
	arena = arena_new(0);
	if (strcmp(argv[2], "new") != 0 &&
	    store_open(&st, &env, SLICE("test"), &open_e) != 1) {
		fprintf(stderr, "account: open: %s\n", open_e.text);
		return 3;
	}
	for (int i = 2; i < argc;)
		i += command(argv + i, argc - i);
	store_close(&st);
	arena_free(&arena);
	return 0;
}
