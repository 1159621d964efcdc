/*
 * mox-listen - start one service with what root has to do for it: bind its
 * addresses, open its keys, become the user of mox.conf, execute it.
 *
 * For service managers that hand down no sockets, such as s6 and runit.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "tools/serve_root.h"
#include "tools/services.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define FDS_MAX 64 /* as services take */
#define ASIDE 200  /* past those, and past notification-fd */

static const char *opt_config;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-listen",
	"[options] mox-smtpd|mox-imapd [its options]",
	"Start a service with the sockets that mox.conf describes.", options };

/* Which descriptors came from our parent, who wants them kept. */
static void
find_inherited(bool inherited[FDS_MAX])
{
	for (int i = 0; i < FDS_MAX; i++)
		inherited[i] = fcntl(FIRST_FD + i, F_GETFD) >= 0;
}

/* Sockets, then files, in one list. */
static void
join(struct bind_list *list, const struct bind_list *more, struct arena *arena)
{
	list->v = arena_grow(arena, list->v, list->n, list->n + more->n,
	    sizeof(*list->v));
	for (size_t i = 0; i < more->n; i++)
		list->v[list->n++] = more->v[i];
}

/* From descriptor 3 on. */
static int
place(struct bind_list *list, const bool inherited[FDS_MAX], struct err *e)
{
	if (list->n > FDS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d sockets", FDS_MAX);
	for (size_t i = 0; i < list->n; i++) {
		if (inherited[i])
			return err_set(e, ERR_PERM,
			    "descriptor %zu is in use, and needed for sockets: "
			    "for -notify-fd (notification-fd of s6) take a "
			    "number above %d",
			    FIRST_FD + i, FIRST_FD + FDS_MAX);
		list->v[i].fd = fcntl(list->v[i].fd, F_DUPFD_CLOEXEC, ASIDE);
		if (list->v[i].fd < 0)
			return err_sys(e, "descriptors above %d (ulimit -n)",
			    ASIDE);
	}
	for (size_t i = 0; i < list->n; i++)
		if (dup2(list->v[i].fd, FIRST_FD + (int)i) < 0)
			return err_sys(e, "dup");
	return 0;
}

static void
set_environment(const struct serve_root *s, struct bind_list *list)
{
	struct buf b = BUF_INIT(1 << 16);

	for (size_t i = 0; i < list->n; i++)
		buf_addf(&b, "%s%s", i > 0 ? ":" : "", list->v[i].name);
	setenv("LISTEN_FDNAMES", buf_cstr(&b), 1);
	buf_reset(&b);
	buf_addu(&b, list->n);
	setenv("LISTEN_FDS", buf_cstr(&b), 1);
	buf_reset(&b);
	buf_addu(&b, (uint64_t)getpid());
	setenv("LISTEN_PID", buf_cstr(&b), 1);
	setenv("MOXCONF", s->config->path, 1);
	buf_free(&b);
}

int
main(int argc, char **argv)
{
	int arg = opt_parse(&program, argc, argv);
	bool inherited[FDS_MAX];
	const char *const *kinds;
	struct serve_root s;
	struct err e = ERR_INIT;

	find_inherited(inherited);
	if (arg == argc)
		opt_usage(&program, "which service?");
	kinds = services_kinds(argv[arg]);
	if (!kinds)
		opt_usage(&program, "%s is no service with sockets", argv[arg]);
	log_init(program.name, LOG_INFO);
	umask(077);
	services_use_own_folder();
	if (serve_root_begin(&s, opt_config, &e) < 0 ||
	    serve_root_open(&s, kinds, &e) < 0 || serve_root_drop(&s, &e) < 0)
		proc_die(program.name, &e);
	if (s.bound.n == 0)
		err_set(&e, ERR_PERM, "no listener of %s is for %s",
		    s.config->path, argv[arg]);
	else {
		join(&s.bound, &s.files, s.arena);
		if (place(&s.bound, inherited, &e) == 0) {
			set_environment(&s, &s.bound);
			execvp(argv[arg], argv + arg);
			err_sys(&e, "%s", argv[arg]);
		}
	}
	proc_die(program.name, &e);
}
