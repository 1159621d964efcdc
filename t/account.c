/* Unit test of accounts and their lists of mailboxes: lib/store/account.c,
 * list.c, create.c, rename.c, subscribe.c, use.c. */
#include <poll.h>
#include <sys/stat.h>

#include "store/metadata.h"
#include "store/store_int.h"
#include "t/scratch.h"

static struct store_env env = {
	.run_fd = -1, .hostname = "h", .file_mode = 0600
};
static struct arena *arena;

static const struct store_initial initial[] = {
	{ { "Sent", 4 }, STORE_USE_SENT },
	{ { "Trash", 5 }, STORE_USE_TRASH },
};

/* ---- helpers ---- */

/* A new account with Inbox, Sent and Trash. */
static struct store *
fresh(void)
{
	static unsigned n;
	struct store *st = NULL;
	struct err e = ERR_INIT;

	if (store_create(&st, &env, arena_printf(arena, "user%u", ++n), initial,
		2, &e) < 0) {
		UNIT_FAIL("create: %s", e.text);
		exit(1);
	}
	return st;
}

/* The list as text: name, then s subscribed, ! not there, + children, and the
 * first letter of each use. */
static struct slice
list(struct store *st)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct store_mailbox *v;
	struct slice text;
	size_t n;

	CHECK_EQ(store_list(st, arena, &v, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		buf_add(&b, i ? SLICE(" ") : SLICE_NULL);
		buf_add(&b, v[i].name);
		buf_addc(&b, ':');
		buf_addz(&b, v[i].subscribed ? "s" : "");
		buf_addz(&b, v[i].exists ? "" : "!");
		buf_addz(&b, v[i].has_children ? "+" : "");
		for (unsigned u = 0; u < 5; u++) {
			if (v[i].use & 1u << u)
				buf_addc(&b, "ADJST"[u]);
		}
	}
	text = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

static enum store_code
create(struct store *st, const char *name, unsigned use)
{
	return store_mailbox_create(st, slice_str(name), use, arena, NULL, NULL,
	    NULL);
}

static enum store_code
rename_mailbox(struct store *st, const char *from, const char *to)
{
	return store_mailbox_rename(st, slice_str(from), slice_str(to), NULL);
}

static void
put_file(int fd, const char *name, const char *text)
{
	int f =
	    openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK_EQ(file_write(f, slice_str(text), NULL), 0);
	close(f);
}

static struct slice
get_file(int fd, const char *name)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct slice text;

	CHECK_EQ(file_read(fd, name, &b, NULL), 1);
	text = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* ---- tests ---- */

static void
test_create_account(void)
{
	struct store *st = fresh(), *again = NULL;
	struct stat s;

	CHECK_SLICE(list(st), SLICE("Inbox:s Sent:sS Trash:sT"));
	CHECK_SLICE(get_file(st->maildir_fd, "subscriptions"),
	    SLICE("V\t2\n\nINBOX\nSent\nTrash\n"));
	CHECK_SLICE(get_file(st->fd, "specialuse"),
	    SLICE("sent Sent\ntrash Trash\n"));
	CHECK_EQ(fstatat(st->maildir_fd, ".Sent/cur", &s, 0), 0);
	CHECK_EQ(s.st_mode & 07777, 0700);
	CHECK_EQ(fstatat(st->maildir_fd, ".Sent/maildirfolder", &s, 0), 0);
	CHECK_EQ(store_create(&again, &env, store_account(st), initial, 1,
		     NULL),
	    0);
	CHECK_SLICE(list(again), list(st));
	store_close(&again);
	CHECK_EQ(store_open(&again, &env, SLICE("nobody"), NULL), 0);
	CHECK(again == NULL);
	CHECK_EQ(store_open(&again, &env, SLICE(""), NULL), -1);
	CHECK_EQ(store_open(&again, &env, SLICE(".."), NULL), 0);
	CHECK_EQ(store_create(&again, &env, SLICE("../a/b"), NULL, 0, NULL), 0);
	CHECK_SLICE(list(again), SLICE("Inbox:s"));
	store_close(&again);
	store_close(&st);
	store_close(&st);
	/* Nothing half made stays behind. */
	CHECK_EQ(fstatat(env.data_fd, "accounts/%2E./a%2Fb", &s, 0), -1);
	CHECK_EQ(fstatat(env.data_fd, "accounts/%2E.%2Fa%2Fb", &s, 0), 0);
}

static void
test_bare_account(void)
{
	struct store *st = NULL;

	CHECK_EQ(file_mkdirs(env.data_fd, "accounts/bare", 0700, NULL), 0);
	CHECK_EQ(store_open(&st, &env, SLICE("bare"), NULL), 1);
	CHECK_SLICE(list(st), SLICE("Inbox:"));
	store_close(&st);
}

static void
test_create(void)
{
	struct store *st = fresh();
	struct slice *made;
	size_t n;
	char longest[NAME_MAX + 1];

	CHECK_EQ(store_mailbox_create(st, SLICE("a/b/c"), 0, arena, &made, &n,
		     NULL),
	    STORE_OK);
	CHECK_EQ(n, 3);
	CHECK_SLICE(made[0], SLICE("a"));
	CHECK_SLICE(made[1], SLICE("a/b"));
	CHECK_SLICE(made[2], SLICE("a/b/c"));
	CHECK_EQ(store_mailbox_create(st, SLICE("a/d"),
		     STORE_USE_SENT | STORE_USE_JUNK, arena, &made, &n, NULL),
	    STORE_OK);
	CHECK_EQ(n, 1);
	CHECK_SLICE(list(st),
	    SLICE("Inbox:s Sent:s Trash:sT a:s+ a/b:s+ "
		  "a/b/c:s a/d:sJS"));
	CHECK_EQ(create(st, "a", 0), STORE_EXISTS);
	CHECK_EQ(create(st, "Inbox", 0), STORE_EXISTS);
	CHECK_EQ(create(st, "Inbox/x", 0), STORE_OK);
	CHECK_EQ(faccessat(st->maildir_fd, ".INBOX.x/new", F_OK, 0), 0);
	CHECK_EQ(create(st, "#.b&r", 0), STORE_CANNOT);
	memset(longest, 'x', sizeof(longest));
	CHECK_EQ(store_mailbox_create(st, slice_of(longest, sizeof(longest)), 0,
		     arena, NULL, NULL, NULL),
	    STORE_CANNOT);
	store_close(&st);
}

static void
test_delete(void)
{
	struct store *st = fresh();

	create(st, "a/b", STORE_USE_JUNK);
	put_file(st->maildir_fd, ".a.b/cur/1.x.h:2,S", "x\n");
	CHECK_EQ(store_mailbox_delete(st, SLICE("Inbox"), NULL), STORE_CANNOT);
	CHECK_EQ(store_mailbox_delete(st, SLICE("x"), NULL), STORE_NONEXISTENT);
	CHECK_EQ(store_mailbox_delete(st, SLICE("a"), NULL), STORE_HASCHILDREN);
	CHECK_EQ(store_mailbox_delete(st, SLICE("a/b"), NULL), STORE_OK);
	CHECK_SLICE(list(st), SLICE("Inbox:s Sent:sS Trash:sT a:s a/b:s!"));
	CHECK_EQ(store_mailbox_delete(st, SLICE("a/b"), NULL),
	    STORE_NONEXISTENT);
	CHECK_EQ(create(st, "a/b", 0), STORE_OK);
	CHECK_EQ(faccessat(st->maildir_fd, ".a.b/cur/1.x.h:2,S", F_OK, 0), -1);
	/* What a crash left is removed by the next. */
	CHECK_EQ(file_mkdirs(st->maildir_fd, "tmp/.old.x.tmp/cur", 0700, NULL),
	    0);
	CHECK_EQ(store_mailbox_delete(st, SLICE("a/b"), NULL), STORE_OK);
	CHECK_EQ(faccessat(st->maildir_fd, "tmp/.old.x.tmp", F_OK, 0), -1);
	store_close(&st);
}

static void
test_rename(void)
{
	struct store *st = fresh();

	create(st, "a/b/c", STORE_USE_JUNK);
	create(st, "ab", 0);
	put_file(st->maildir_fd, ".a.b/cur/1.x.h:2,S", "x\n");
	CHECK_EQ(rename_mailbox(st, "a/b", "x/y"), STORE_OK);
	CHECK_SLICE(list(st),
	    SLICE("Inbox:s Sent:sS Trash:sT a:s ab:s x:s+ "
		  "x/y:s+ x/y/c:sJ"));
	CHECK_EQ(faccessat(st->maildir_fd, ".x.y/cur/1.x.h:2,S", F_OK, 0), 0);
	CHECK_EQ(faccessat(st->fd, "rename", F_OK, 0), -1);

	CHECK_EQ(rename_mailbox(st, "none", "b"), STORE_NONEXISTENT);
	CHECK_EQ(rename_mailbox(st, "x", "x/z"), STORE_CANNOT);
	CHECK_EQ(rename_mailbox(st, "x", "x"), STORE_EXISTS);
	CHECK_EQ(rename_mailbox(st, "x", "Sent"), STORE_EXISTS);
	CHECK_EQ(rename_mailbox(st, "x", "Inbox"), STORE_EXISTS);
	CHECK_EQ(rename_mailbox(st, "x", "#.b&r"), STORE_CANNOT);
	create(st, "q/y", 0);
	CHECK_EQ(store_mailbox_delete(st, SLICE("q/y"), NULL), STORE_OK);
	CHECK_EQ(rename_mailbox(st, "x", "q"), STORE_EXISTS);
	CHECK_EQ(rename_mailbox(st, "x", "Inbox/q/.r"), STORE_OK);
	CHECK_SLICE(list(st),
	    SLICE(
		"Inbox:s+ Inbox/q:s+ Inbox/q/.r:s+ "
		"Inbox/q/.r/y:s+ Inbox/q/.r/y/c:sJ Sent:sS Trash:sT a:s ab:s q:s "
		"q/y:s!"));
	store_close(&st);
}

/* RFC 9051, 6.3.6: messages move, Inbox and what is below it stay. */
static void
test_rename_inbox(void)
{
	struct store *st = fresh();
	struct mailbox_status status;

	create(st, "Inbox/x", 0);
	put_file(st->maildir_fd, "cur/1.x.h:2,S", "x\n");
	CHECK_EQ(rename_mailbox(st, "Inbox", "Sent"), STORE_EXISTS);
	CHECK_EQ(rename_mailbox(st, "Inbox", "old/mail"), STORE_OK);
	CHECK_SLICE(list(st),
	    SLICE("Inbox:s+ Inbox/x:s Sent:sS Trash:sT old:s+ old/mail:s"));
	CHECK_EQ(mailbox_status(st, SLICE("Inbox"), true, &status, NULL), 1);
	CHECK_EQ(status.counts.messages, 0);
	CHECK_EQ(mailbox_status(st, SLICE("old/mail"), true, &status, NULL), 1);
	CHECK_EQ(status.counts.messages, 1);
	CHECK_EQ(status.uidnext, 2);
	store_close(&st);
}

/* A child whose new name would be too long: nothing moves. */
static void
test_rename_long(void)
{
	struct store *st = fresh();
	char to[NAME_MAX];

	create(st, "a/b", 0);
	memset(to, 'x', sizeof(to));
	CHECK_EQ(store_mailbox_rename(st, SLICE("a"),
		     slice_of(to, NAME_MAX - 2), NULL),
	    STORE_CANNOT);
	CHECK_SLICE(list(st), SLICE("Inbox:s Sent:sS Trash:sT a:s+ a/b:s"));
	CHECK_EQ(store_mailbox_rename(st, SLICE("a"),
		     slice_of(to, NAME_MAX - 3), NULL),
	    STORE_OK);
	store_close(&st);
}

static void
test_subscribe(void)
{
	struct store *st = fresh();

	CHECK_EQ(store_subscribe(st, SLICE("no/such"), true, NULL), 0);
	CHECK_EQ(store_subscribe(st, SLICE("no/such"), true, NULL), 0);
	CHECK_EQ(store_subscribe(st, SLICE("we ird.\xc3\xa9"), true, NULL), 0);
	CHECK_EQ(store_subscribe(st, SLICE("Inbox/x"), true, NULL), 0);
	CHECK_EQ(store_subscribe(st, SLICE("Sent"), false, NULL), 0);
	CHECK_EQ(store_subscribe(st, SLICE("gone"), false, NULL), 0);
	CHECK_SLICE(get_file(st->maildir_fd, "subscriptions"),
	    SLICE("V\t2\n\nINBOX\nTrash\nno\tsuch\nwe ird&AC4-&AOk-\n"
		  "INBOX\tx\n"));
	CHECK_SLICE(list(st),
	    SLICE("Inbox:s Inbox/x:s! Sent:S Trash:sT "
		  "no:! no/such:s! we ird.\xc3\xa9:s!"));
	/* Version 1, with a line of nonsense. */
	put_file(st->maildir_fd, "subscriptions",
	    "INBOX\nLists.qmail\n..\nSent");
	CHECK_SLICE(list(st),
	    SLICE("Inbox:s Lists:! Lists/qmail:s! Sent:sS Trash:T"));
	CHECK_EQ(store_subscribe(st, SLICE("Sent"), false, NULL), 0);
	CHECK_SLICE(get_file(st->maildir_fd, "subscriptions"),
	    SLICE("V\t2\n\nINBOX\nLists\tqmail\n"));
	/* Escapes. */
	CHECK_EQ(mkdirat(st->maildir_fd, ".\001\t&", 0700), 0);
	CHECK_EQ(store_subscribe(st, SLICE("#.=01=09&"), true, NULL), 0);
	CHECK_SLICE(get_file(st->maildir_fd, "subscriptions"),
	    SLICE("V\t2\n\nINBOX\nLists\tqmail\n\0011\001t&\n"));
	CHECK_SLICE(list(st),
	    SLICE("Inbox:s #.=01=09&:s Lists:! Lists/qmail:s! "
		  "Sent:S Trash:T"));
	store_close(&st);
}

static void
test_use(void)
{
	struct store *st = fresh();

	CHECK_EQ(store_set_use(st, SLICE("Trash"),
		     STORE_USE_SENT | STORE_USE_DRAFTS, NULL),
	    STORE_OK);
	CHECK_SLICE(list(st), SLICE("Inbox:s Sent:s Trash:sDS"));
	CHECK_EQ(store_set_use(st, SLICE("Trash"), 0, NULL), STORE_OK);
	CHECK_SLICE(list(st), SLICE("Inbox:s Sent:s Trash:s"));
	CHECK_EQ(store_set_use(st, SLICE("none"), STORE_USE_JUNK, NULL),
	    STORE_NONEXISTENT);
	put_file(st->fd, "specialuse",
	    "junk Sent\nbogus Trash\narchive\n"
	    "drafts gone\n");
	CHECK_SLICE(list(st), SLICE("Inbox:s Sent:sJ Trash:s"));
	store_close(&st);
}

static void
test_foreign(void)
{
	struct store *st = fresh();

	CHECK_EQ(mkdirat(st->maildir_fd, ".Lists.qmail", 0700), 0);
	CHECK_EQ(mkdirat(st->maildir_fd, ".b&r", 0700), 0);
	CHECK_EQ(mkdirat(st->maildir_fd, "..DOVECOT-TRASHED", 0700), 0);
	CHECK_EQ(mkdirat(st->maildir_fd, ".Inbox", 0700), 0);
	CHECK_EQ(symlinkat(".b&r", st->maildir_fd, ".link"), 0);
	CHECK_EQ(symlinkat("nowhere", st->maildir_fd, ".broken"), 0);
	put_file(st->maildir_fd, ".file", "");
	CHECK_SLICE(list(st),
	    SLICE("Inbox:s #.Inbox: #.b&r: Lists:!+ "
		  "Lists/qmail: Sent:sS Trash:sT link:"));
	CHECK_EQ(rename_mailbox(st, "#.b&r", "b&r"), STORE_OK);
	CHECK_EQ(rename_mailbox(st, "Lists", "L"), STORE_NONEXISTENT);
	CHECK_EQ(store_mailbox_delete(st, SLICE("Lists"), NULL),
	    STORE_NONEXISTENT);
	CHECK_EQ(store_mailbox_delete(st, SLICE("#.Inbox"), NULL), STORE_OK);
	CHECK_EQ(unlinkat(st->maildir_fd, ".link", 0), 0);
	CHECK_SLICE(list(st),
	    SLICE("Inbox:s Lists:!+ Lists/qmail: Sent:sS "
		  "Trash:sT b&r:"));
	store_close(&st);
}

static void
test_folder_open(void)
{
	struct store *st = fresh();
	struct folder f;
	struct stat s;

	CHECK_EQ(mkdirat(st->maildir_fd, ".half", 0700), 0);
	CHECK_EQ(folder_open(&f, st, SLICE("half"), NULL), 1);
	CHECK_EQ(fstatat(f.fd, "cur", &s, 0), 0);
	CHECK(folder_current(&f, st));
	CHECK_EQ(rename_mailbox(st, "half", "whole"), STORE_OK);
	CHECK(!folder_current(&f, st));
	folder_close(&f);
	CHECK_EQ(folder_open(&f, st, SLICE("half"), NULL), 0);
	CHECK_EQ(folder_open(&f, st, SLICE("#.whole"), NULL), 0);
	put_file(st->maildir_fd, ".file", "");
	CHECK_EQ(folder_open(&f, st, SLICE("file"), NULL), 0);
	folder_close(&f);
	store_close(&st);
}

static void
test_uidvalidity(void)
{
	struct store *st = fresh();
	struct clock clock;
	struct err e = ERR_INIT;
	uint32_t v;

	clock_fake(&clock, 1700000000LL * 1000000);
	env.clock = &clock;
	CHECK_EQ(store_next_uidvalidity(st, &v, NULL), 0);
	CHECK_EQ(v, 850000001);
	CHECK_EQ(store_next_uidvalidity(st, &v, NULL), 0);
	CHECK_EQ(v, 850000002);
	CHECK_EQ(store_note_uidvalidity(st, 5, NULL), 0);
	CHECK_EQ(store_next_uidvalidity(st, &v, NULL), 0);
	CHECK_EQ(v, 850000003);
	CHECK_EQ(store_note_uidvalidity(st, 1700000000, NULL), 0);
	CHECK_EQ(store_next_uidvalidity(st, &v, NULL), 0);
	CHECK_EQ(v, 1700000001);
	CHECK_EQ(store_note_uidvalidity(st, UINT32_MAX, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK_EQ(store_next_uidvalidity(st, &v, NULL), 0);
	CHECK_EQ(v, 1700000002);
	put_file(st->fd, "uidvalidity", "4294967295\n");
	CHECK_EQ(store_next_uidvalidity(st, &v, &e), -1);
	put_file(st->fd, "uidvalidity", "x");
	CHECK_EQ(store_next_uidvalidity(st, &v, &e), -1);
	env.clock = NULL;
	store_close(&st);
}

static void
test_watch(void)
{
	struct store *st, *other = NULL;
	struct pollfd poll_fd;

	env.run_fd = env.data_fd;
	st = fresh();
	CHECK(store_watch(st) >= 0);
	CHECK_EQ(store_watch(st), store_watch(st));
	CHECK_EQ(store_open(&other, &env, store_account(st), NULL), 1);
	poll_fd = (struct pollfd){ store_watch(st), POLLIN, 0 };
	CHECK_EQ(poll(&poll_fd, 1, 0), 0);
	store_poke(other);
	CHECK_EQ(poll(&poll_fd, 1, 0), 1);
	store_watch_drain(st);
	CHECK_EQ(poll(&poll_fd, 1, 0), 0);
	create(other, "new", 0);
	CHECK_EQ(poll(&poll_fd, 1, 0), 1);
	store_unwatch(st);
	store_unwatch(st);
	store_close(&other);
	store_close(&st);
	env.run_fd = -1;
}

/* Which mailboxes a poke is about. */
static void
test_watch_take(void)
{
	struct metadata_entry entry = { SLICE("/private/comment"), SLICE("x") };
	struct store *st;
	struct slice *names;
	size_t n;

	env.run_fd = env.data_fd;
	st = fresh();
	CHECK(!store_watch_take(st, arena, &names, &n)); /* not watched */
	create(st, "a/b.c", 0);
	CHECK(store_watch(st) >= 0);
	CHECK(store_watch_take(st, arena, &names, &n));
	CHECK_EQ(n, 0);
	CHECK_EQ(metadata_change(st, SLICE("a/b.c"), &entry, 1, NULL),
	    METADATA_OK);
	CHECK_EQ(metadata_change(st, SLICE("Inbox"), &entry, 1, NULL),
	    METADATA_OK);
	CHECK(store_watch_take(st, arena, &names, &n));
	CHECK_EQ(n, 2);
	CHECK(slice_is(names[0], "a/b.c"));
	CHECK(slice_is(names[1], "Inbox"));
	CHECK_EQ(store_subscribe(st, SLICE("x"), true, NULL), 0);
	CHECK(!store_watch_take(st, arena, &names, &n)); /* the list */
	CHECK_EQ(metadata_change(st, SLICE(""), &entry, 1, NULL), METADATA_OK);
	CHECK(!store_watch_take(st, arena, &names, &n));
	store_close(&st);
	env.run_fd = -1;
}

/* As if nobody had written for a while. */
static void
make_old(struct store *st, const char *path)
{
	struct timespec t[2] = { { 1000, 0 }, { 1000, 0 } };

	CHECK_EQ(utimensat(st->maildir_fd, path, t, 0), 0);
}

static void
test_stamps(void)
{
	struct metadata_entry entry = { SLICE("/private/comment"), SLICE("x") };
	struct slice a = SLICE("a"), b = SLICE("b");
	struct store *st = fresh();
	uint64_t v, w;

	/* The list. */
	CHECK_EQ(store_list_stamp(st), STORE_STAMP_YOUNG);
	create(st, "a", 0);
	make_old(st, "subscriptions");
	make_old(st, ".");
	v = store_list_stamp(st);
	CHECK(v != STORE_STAMP_YOUNG);
	CHECK_EQ(store_list_stamp(st), v);
	CHECK_EQ(store_subscribe(st, SLICE("x"), true, NULL), 0);
	CHECK(store_list_stamp(st) != v);
	create(st, "c", 0);
	CHECK(store_list_stamp(st) != v);

	/* A mailbox; one without index, one that is not there. */
	make_old(st, ".a/new");
	make_old(st, ".a/cur");
	v = store_mailbox_stamp(st, a);
	CHECK(v != STORE_STAMP_YOUNG);
	CHECK_EQ(store_mailbox_stamp(st, a), v);
	w = store_mailbox_stamp(st, SLICE("none"));
	CHECK_EQ(store_mailbox_stamp(st, SLICE("none")), w);
	CHECK(w != v);
	put_file(st->maildir_fd, ".a/cur/1.f:2,", "x");
	CHECK_EQ(store_mailbox_stamp(st, a), STORE_STAMP_YOUNG);
	make_old(st, ".a/cur");
	CHECK_EQ(store_mailbox_stamp(st, a), v); /* the same mtime, that is */

	/* Annotations. */
	v = store_metadata_stamp(st, a);
	CHECK_EQ(metadata_change(st, a, &entry, 1, NULL), METADATA_OK);
	CHECK_EQ(store_metadata_stamp(st, a), STORE_STAMP_YOUNG);
	make_old(st, ".a/mox.metadata");
	CHECK(store_metadata_stamp(st, a) != v);
	v = store_metadata_stamp(st, SLICE(""));
	CHECK_EQ(metadata_change(st, SLICE(""), &entry, 1, NULL), METADATA_OK);
	CHECK(store_metadata_stamp(st, SLICE("")) != v);

	/* Folders have an identity. */
	v = store_mailbox_identity(st, a);
	CHECK(v != 0 && v != store_mailbox_identity(st, SLICE("c")));
	CHECK_EQ(store_mailbox_identity(st, b), 0);
	CHECK_EQ(store_mailbox_rename(st, a, b, NULL), STORE_OK);
	CHECK_EQ(store_mailbox_identity(st, b), v);
	create(st, "a", 0);
	CHECK(store_mailbox_identity(st, a) != v);
	store_close(&st);
}

int
main(void)
{
	scratch_begin();
	env.data_fd = scratch_fd;
	arena = arena_new(0);
	RUN(test_create_account);
	RUN(test_bare_account);
	RUN(test_create);
	RUN(test_delete);
	RUN(test_rename);
	RUN(test_rename_inbox);
	RUN(test_rename_long);
	RUN(test_subscribe);
	RUN(test_use);
	RUN(test_foreign);
	RUN(test_folder_open);
	RUN(test_uidvalidity);
	RUN(test_watch);
	RUN(test_watch_take);
	RUN(test_stamps);
	arena_free(&arena);
	scratch_end();
	return unit_done();
}
