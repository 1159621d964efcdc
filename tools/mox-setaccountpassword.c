/*
 * mox-setaccountpassword - set the password of an account: one line from
 * standard input, into data/auth.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/file.h"
#include "base/opt.h"
#include "base/proc.h"
#include "base/sha.h"
#include "config/domains_cdb.h"
#include "config/lookup.h"
#include "service/user.h"
#include "tools/ask.h"

static const char *opt_config, *opt_dir;
static bool opt_force, opt_bcrypt;

static const struct opt options[] = {
	{ "bcrypt", OPT_BOOL, &opt_bcrypt, NULL,
	    "store a bcrypt hash as well, for other programs" },
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "dir", OPT_STRING, &opt_dir, "folder",
	    "the folder of mox-localserve, in place of -config" },
	{ "force", OPT_BOOL, &opt_force, NULL,
	    "also for an account that domains.conf does not have" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-setaccountpassword",
	"[options] account",
	"Set the password of an account, read from standard input.", options };

static struct config *
load_config(void)
{
	char path[4096];

	if (opt_dir == NULL)
		return config_load_or_exit(opt_config);
	if (opt_config != NULL)
		opt_usage(&program, "say -config or -dir, not both");
	if (snprintf(path, sizeof(path), "%s/mox.conf", opt_dir) >=
	    (int)sizeof(path))
		opt_usage(&program, "-dir is too long");
	return config_load_or_exit(path);
}

/* As its owner, so that root's files are the services' to read. */
static int
open_data(const char *dir)
{
	struct err e = ERR_INIT;
	int fd;

	if (user_become_owner(dir, &e) < 0)
		proc_die(program.name, &e);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err_sys(&e, "%s", dir);
		proc_die(program.name, &e);
	}
	return fd;
}

/* Is there such an account in domains.conf as it is now? */
static void
require_account(const struct config *config, struct slice account)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	const struct conf_account *found;
	struct sconf_errors errors;
	struct lookup *lookup;
	int rc;

	sconf_errors_init(&errors, arena);
	if (domains_cdb_refresh(config, &errors) < 0) {
		config_print_errors(&errors);
		exit(EXIT_FAILED);
	}
	if (lookup_open(config, &lookup, &e) < 0)
		proc_die(program.name, &e);
	rc = lookup_account(lookup, arena, account, &found, &e);
	if (rc == 0)
		err_set(&e, ERR_PERM,
		    "no account \"%.*s\" (-force to set "
		    "it anyway)",
		    SLICE_FMT(account));
	if (rc != 1)
		proc_die(program.name, &e);
	lookup_close(&lookup);
	arena_free(&arena);
}

int
main(int argc, char **argv)
{
	int arg = opt_parse(&program, argc, argv);
	struct buf password = BUF_INIT(SASL_MESSAGE_MAX);
	struct auth_opts opts = { 0 };
	struct err e = ERR_INIT;
	struct config *config;
	struct slice account;
	struct auth *auth;

	if (argc - arg != 1)
		opt_usage(&program, "one account, please");
	account = slice_str(argv[arg]);
	config = load_config();
	opts.data_fd = open_data(config->data_dir);
	if (!opt_force)
		require_account(config, account);

	ask_password(program.name, &password);
	if (auth_open(&opts, &auth, &e) < 0 ||
	    auth_set_password(auth, account, buf_slice(&password),
		opt_bcrypt ? AUTH_WITH_BCRYPT : 0, &e) < 0)
		proc_die(program.name, &e);
	buf_wipe(&password);
	auth_close(&auth);
	config_free(&config);
	return EXIT_DONE;
}
