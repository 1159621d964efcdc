/*
 * jailed - what a session can reach: becomes one for an account, as mox-imapd
 * does, and tries (imap-share.bats).
 *
 *   jailed MOXCONF ACCOUNT COMMAND...   in order, each printed with "yes" or the
 *                                       error:
 *     list PATH  read PATH  write PATH  folders and files, below data/; write
 *                                       makes PATH
 *     select NAME                       as a client names it, with the check
 *     force OWNER MAILBOX               without it: what the jail lets through
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"
#include "imap/box.h"

static struct host host;
static struct imap_session s;
static struct err e = ERR_INIT;

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "jailed: %s: %s\n", what, e.text);
	exit(1);
}

static const char *
outcome(int rc)
{
	const char *text = rc < 0 ? strerror(errno) : "yes";

	if (rc >= 0)
		close(rc);
	return text;
}

static const char *
try_list(char **args)
{
	return outcome(openat(host.env.data_fd, args[0],
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static const char *
try_read(char **args)
{
	return outcome(openat(host.env.data_fd, args[0], O_RDONLY | O_CLOEXEC));
}

static const char *
try_write(char **args)
{
	return outcome(openat(host.env.data_fd, args[0],
	    O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static const char *
open_it(struct store *st, struct slice name)
{
	struct mailbox *mb;
	int rc = mailbox_open(&mb, st, name, &e);

	if (rc == 1)
		mailbox_close(&mb);
	return rc == 1 ? "yes" : rc == 0 ? "no such mailbox" : e.text;
}

static const char *
try_select(char **args)
{
	struct imap_box box;
	int rc = imap_resolve(&s, slice_str(args[0]), &box, &e);

	return rc < 0               ? e.text
	    : rc == 0               ? "no such mailbox"
	    : box.rights & ACL_READ ? open_it(box.store, box.name)
				    : "no right";
}

static const char *
try_force(char **args)
{
	struct share_owner owner = { .account = slice_str(args[0]) };
	struct store *st;
	const char *text;

	if (share_open(&st, &host.env, &owner, &e) != 1)
		return "no such account";
	text = open_it(st, slice_str(args[1]));
	store_close(&st);
	return text;
}

static const struct {
	const char *name;
	int args;
	const char *(*run)(char **args);
} commands[] = {
	{ "list", 1, try_list },
	{ "read", 1, try_read },
	{ "write", 1, try_write },
	{ "select", 1, try_select },
	{ "force", 2, try_force },
};

/* Returns how many arguments it took. */
static int
try_command(char **args, int n)
{
	for (size_t k = 0; k < sizeof(commands) / sizeof(*commands); k++) {
		if (strcmp(commands[k].name, args[0]) != 0)
			continue;
		must(n > commands[k].args, "too few arguments");
		printf("%s %s", args[0], args[1]);
		if (commands[k].args == 2)
			printf(" %s", args[2]);
		errno = 0;
		printf(": %s\n", commands[k].run(args + 1));
		return 1 + commands[k].args;
	}
	must(false, args[0]);
	return n;
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct slice account;

	must(argc > 3, "usage: jailed moxconf account command...");
	log_init("jailed", LOG_ERROR);
	account = slice_str(argv[2]);
	must(host_load_mail(&host, config_load_or_exit(argv[1]), arena, &e) ==
		0,
	    "load");
	must(host_open_store(&host, arena, account, &s.store, &e) == 0,
	    "account");
	s.arena = arena;
	must(imap_boxes_load(&s, &host, arena, &e) == 0, "shares");
	must(imap_narrow(&s, host.config, arena, &e) == 0, "narrow");
	for (int i = 3; i < argc;)
		i += try_command(argv + i, argc - i);
	return 0;
}
