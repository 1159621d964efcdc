/*
 * What accounts and addresses have outside of the configuration. A new kind of
 * thing that uses addresses, or is an account's, goes here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rand.h"
#include "db/escape.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "service/user.h"
#include "store/share.h"
#include "tools/config_tool.h"
#include "tools/queue_tool.h"

#define RANDOM_CHARS 12
/* Services see within a second that the account is gone; a delivery before
 * would make its folder again. */
#define SEEN_MS 1500

/* ---- addresses in use ---- */

static int
protect_keys(const struct config *config, struct edit *edit, struct err *e)
{
	struct auth_opts opts = { .data_fd = -1 };
	struct arena *arena = arena_new(0);
	struct auth *auth = NULL;
	struct auth_key *keys = NULL;
	size_t n = 0;
	int rc = -1;

	opts.data_fd =
	    open(config->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (opts.data_fd < 0)
		err_sys(e, "%s", config->data_dir);
	else if (auth_open(&opts, &auth, e) == 0)
		rc = auth_key_list(auth, arena, SLICE_NULL, &keys, &n, e);
	for (size_t i = 0; i < n; i++)
		edit_protect(edit, keys[i].login,
		    arena_printf(arena, "TLS public key %.*s (\"%.*s\")",
			SLICE_FMT(keys[i].fingerprint),
			SLICE_FMT(keys[i].name)));
	auth_close(&auth);
	if (opts.data_fd >= 0)
		close(opts.data_fd);
	arena_free(&arena);
	return rc;
}

/* 1 open, 0 there is no queue, -1. To be closed in any case. */
static int
open_queue(const struct config *config, struct queue_tool *t, struct err *e)
{
	int data_fd =
	    open(config->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int run_fd = -1, rc = 0;

	*t = (struct queue_tool){ .arena = arena_new(0),
		.step = arena_new(0),
		.sort = "queued",
		.q = { .fd = -1, .run_fd = -1 } };
	t->now_us = clock_us(clock_program());
	if (data_fd < 0)
		rc = err_sys(e, "%s", config->data_dir);
	else if (faccessat(data_fd, "queue", F_OK, 0) == 0) {
		run_fd = openat(data_fd, "../run",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = queue_open(&t->q, data_fd, run_fd, clock_program(), NULL,
			 e) < 0
		    ? -1
		    : 1;
	}
	if (data_fd >= 0)
		close(data_fd);
	return rc;
}

static void
close_queue(struct queue_tool *t)
{
	if (t->q.run_fd >= 0)
		close(t->q.run_fd);
	queue_close(&t->q);
	free(t->text);
	arena_free(&t->arena);
	arena_free(&t->step);
}

static int
protect_sender(void *ctx, const struct queue_entry *entry,
    const struct item *it)
{
	char why[QUEUE_ITEM_NAME + sizeof("queued message ")];

	snprintf(why, sizeof(why), "queued message %s", entry->name);
	edit_protect(ctx, it->m.from, slice_str(why));
	return 1;
}

/* DSNs about queued messages go to their senders. */
static int
protect_senders(const struct config *config, struct edit *edit, struct err *e)
{
	static const struct queue_filter_text all;
	struct queue_tool t;
	int rc = open_queue(config, &t, e);

	if (rc > 0 &&
	    (queue_filter_parse(&all, t.now_us, t.arena, &t.filter, e) < 0 ||
		queue_walk(&t,
		    1U << PLACE_DUE | 1U << PLACE_HOLD | 1U << PLACE_ACTIVE |
			1U << PLACE_TODO,
		    protect_sender, edit, e) < 0))
		rc = -1;
	close_queue(&t);
	return rc < 0 ? -1 : 0;
}

int
config_protect(const struct config *config, struct edit *edit, struct err *e)
{
	int rc;

	if (user_act_as_owner(config->data_dir, e) < 0)
		return -1;
	rc = protect_keys(config, edit, e);
	if (rc == 0)
		rc = protect_senders(config, edit, e);
	user_act_end();
	return rc;
}

/* ---- an account that is gone ---- */

/*
 * First out of the way, in one step, so that nobody opens it any more; those
 * who have it open see their files until they close them. What a crash leaves
 * is removed with other leftovers by mox-verifydata -fix.
 */
static int
remove_mail(int data_fd, struct slice account, struct err *e)
{
	char random[RANDOM_CHARS + 1];
	struct buf from = BUF_INIT(PATH_MAX), to = BUF_INIT(PATH_MAX);
	int fd =
	    openat(data_fd, "accounts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "accounts");
	rand_text(NULL, random, RANDOM_CHARS);
	db_escape(&from, account);
	buf_addc(&to, '.');
	db_escape(&to, account);
	buf_addf(&to, ".%s.tmp", random);
	rc = db_move(fd, buf_cstr(&from), fd, buf_cstr(&to), e);
	if (rc == 1)
		rc = db_fsync_dir(fd, "accounts", e) < 0 ||
			file_remove_tree(fd, buf_cstr(&to), e) < 0
		    ? -1
		    : 0;
	buf_free(&from);
	buf_free(&to);
	close(fd);
	return rc;
}

static int
remove_credentials(int data_fd, struct slice account, struct err *e)
{
	struct auth_opts opts = { .data_fd = data_fd };
	struct auth *auth;
	int rc;

	if (auth_open(&opts, &auth, e) < 0)
		return -1;
	rc = auth_remove(auth, account, e);
	auth_close(&auth);
	return rc;
}

/* Its messages fail; mox-queued does what follows from that. Whom it did not
 * write to does not matter any more. */
static int
fail_messages(const struct config *config, struct slice account, struct err *e)
{
	struct queue_filter_text text = { .account = NULL };
	struct suppress *suppress;
	struct queue_tool t;
	int rc = open_queue(config, &t, e);

	if (rc > 0) {
		suppress = suppress_new(&t.q);
		rc = suppress_drop(suppress, account, e) < 0 ? -1 : 1;
		suppress_free(&suppress);
	}
	if (rc > 0) {
		text.account = arena_cstr(t.arena, account);
		rc = queue_filter_parse(&text, t.now_us, t.arena, &t.filter, e);
		if (rc == 0)
			queue_fail_quietly(&t);
		if (rc == 0 && t.failed)
			rc = err_set(e, ERR_TEMP,
			    "not all queued messages could be failed");
	}
	close_queue(&t);
	return rc < 0 ? -1 : 0;
}

/* Credentials first: nobody logs in, and queues messages, while they go. */
int
config_account_gone(const struct config *config, struct slice account,
    struct err *e)
{
	int data_fd = config_need_data(config), rc = -1;
	struct store_env env = { .data_fd = data_fd,
		.run_fd = -1,
		.hostname = "localhost",
		.file_mode = 0600 };

	if (remove_credentials(data_fd, account, e) == 0) {
		clock_sleep_ms(SEEN_MS);
		/* Whether it works or not, the mail goes. */
		rc = fail_messages(config, account, e);
		if (remove_mail(data_fd, account, e) < 0 ||
		    share_account_gone(&env, account, e) < 0)
			rc = -1;
	}
	close(data_fd);
	return rc;
}
