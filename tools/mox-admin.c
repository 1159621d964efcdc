/*
 * mox-admin - what who administers this host needs no password for: a session
 * of IMAP as any user, on standard input and output.
 */
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "host/host.h"
#include "imap/back.h"
#include "service/user.h"
#include "text/charset.h"

static const char *opt_config;
static bool opt_fd0, opt_nosandbox;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "fd0", OPT_BOOL, &opt_fd0, NULL,
	    "descriptor 0 is for both ways, as of a socket" },
	{ "nosandbox", OPT_BOOL, &opt_nosandbox, NULL,
	    "work on a kernel without seccomp" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-admin",
	"[options] imapserve address",
	"Serve IMAP on standard input and output to who this address belongs "
	"to, without a password.",
	options };

/* As a back of mox-imapd has before it is told who logs in. */
static int
enter_jail(const struct config *config, struct arena *arena, struct err *e)
{
	const struct sandbox_path paths[] = {
		{ config->data_dir, SANDBOX_READ | SANDBOX_WRITE },
		{ arena_printf(arena, "%s/../run", config->data_dir).p,
		    SANDBOX_READ | SANDBOX_WRITE },
	};
	struct sandbox *jail = sandbox_new(SANDBOX_BACK, paths, 2, e);

	return jail ? sandbox_enter(jail, e) : -1;
}

static int
find_account(struct host *host, struct arena *arena, struct slice address,
    struct slice *account_r, struct err *e)
{
	struct lookup_result r;

	if (lookup_login(host->lookup, arena, address, &r, e) < 0)
		return -1;
	if (r.status != LOOKUP_ACCOUNT)
		return err_set(e, ERR_PERM, "%.*s: no address of an account",
		    SLICE_FMT(address));
	*account_r = r.account;
	return 0;
}

static int
serve(struct slice address, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct config *config = config_load_or_exit(opt_config);
	int in = STDIN_FILENO, out = opt_fd0 ? in : STDOUT_FILENO;
	int in_flags = fcntl(in, F_GETFL), out_flags = fcntl(out, F_GETFL);
	struct host host = { 0 };
	struct slice account;
	struct conn *conn;
	int code;

	if (user_become_owner(config->data_dir, e) < 0 ||
	    host_load_mail(&host, config, arena, e) < 0 ||
	    find_account(&host, arena, address, &account, e) < 0)
		return -1;
	/* What the jail has no files for. */
	tzset();
	charset_warm();
	if (enter_jail(config, arena, e) < 0)
		return -1;
	conn = conn_new(in, out);
	code = imap_serve_as(&host, account, address, conn);
	conn_free(&conn);
	/* They may be a terminal's, which others use after us. */
	fcntl(in, F_SETFL, in_flags);
	fcntl(out, F_SETFL, out_flags);
	return code;
}

int
main(int argc, char **argv)
{
	int at = opt_parse(&program, argc, argv);
	struct err e = ERR_INIT;
	int code;

	if (at == argc)
		opt_usage(&program, "which command?");
	if (strcmp(argv[at], "imapserve") != 0)
		opt_usage(&program, "unknown command \"%s\"", argv[at]);
	/* Options may stand behind the command, too. */
	at += opt_parse(&program, argc - at, argv + at);
	if (argc - at != 1)
		opt_usage(&program, "one address, please");
	if (opt_nosandbox)
		sandbox_off();
	log_init(program.name, LOG_WARN);
	user_limits();
	code = serve(slice_str(argv[at]), &e);
	if (code < 0)
		proc_die(program.name, &e);
	return code;
}
