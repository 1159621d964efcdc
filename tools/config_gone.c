/*
 * What accounts and addresses have outside of the configuration. A new kind of
 * thing that uses addresses, or is an account's, goes here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rand.h"
#include "db/escape.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "service/user.h"
#include "tools/config_tool.h"

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

int
config_protect(const struct config *config, struct edit *edit, struct err *e)
{
	int rc;

	if (user_act_as_owner(config->data_dir, e) < 0)
		return -1;
	rc = protect_keys(config, edit, e);
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

/* Credentials first: nobody logs in while the mail goes. */
int
config_account_gone(const struct config *config, struct slice account,
    struct err *e)
{
	int data_fd = config_need_data(config), rc = -1;

	if (remove_credentials(data_fd, account, e) == 0) {
		clock_sleep_ms(SEEN_MS);
		rc = remove_mail(data_fd, account, e);
	}
	close(data_fd);
	return rc;
}
