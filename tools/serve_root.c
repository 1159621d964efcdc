/* serve_root - what is done as root for services that are not. */
#include "tools/serve_root.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "host/host.h"
#include "service/user.h"
#include "tools/serve_control.h"
#include "tools/serve_perms.h"

static int
find_user(struct serve_root *s, struct err *e)
{
	s->uid = getuid();
	s->gid = getgid();
	if (geteuid() != 0)
		return 0;
	if (user_ids(s->config->mox.user, &s->uid, &s->gid, e) < 0)
		return err_prefix(e, "%s: User", s->config->path);
	return serve_check_owner(s->config, s->uid, s->gid, e);
}

int
serve_root_begin(struct serve_root *s, const char *flag, struct err *e)
{
	*s = (struct serve_root){ .arena = arena_new(0) };
	s->config = config_load_or_exit(flag);
	s->run_dir = serve_run_dir(s->config, s->arena);
	return find_user(s, e) < 0 ||
		serve_make_folders(s->config, s->run_dir, s->uid, s->gid, e) < 0
	    ? -1
	    : 0;
}

static int
open_file(struct serve_root *s, struct slice name, struct err *e)
{
	const char *path =
	    host_absolute(s->arena, config_file(s->config, s->arena, name));
	struct bind_list *l = &s->files;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", path);
	l->v = arena_grow(s->arena, l->v, l->n, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct supervise_socket){ fd, path };
	return 0;
}

/* Certificates and keys, which may be for root only. */
static int
open_files(struct serve_root *s, struct err *e)
{
	const struct conf_listeners *all = &s->config->mox.listeners;

	for (size_t i = 0; i < all->n; i++) {
		const struct conf_tls *tls = all->v[i].tls;
		for (size_t k = 0; tls && k < tls->key_certs.n; k++)
			if (open_file(s, tls->key_certs.v[k].cert_file, e) <
				0 ||
			    open_file(s, tls->key_certs.v[k].key_file, e) < 0)
				return err_prefix(e, "listener %.*s",
				    SLICE_FMT(all->v[i].name));
	}
	return 0;
}

/* Keep those descriptors that services could not open themselves. */
static int
keep_unreadable(struct serve_root *s, struct err *e)
{
	struct bind_list *l = &s->files;
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (access(l->v[i].name, R_OK) == 0) {
			close(l->v[i].fd);
			continue;
		}
		if (strchr(l->v[i].name, ':'))
			return err_set(e, ERR_SYNTAX,
			    "%s: only root may read it, and a name with a "
			    "colon cannot be handed down",
			    l->v[i].name);
		log_line("serve", LOG_INFO,
		    "readable by root only: a new one takes a restart",
		    LOG_Z("file", l->v[i].name));
		l->v[kept++] = l->v[i];
	}
	l->n = kept;
	return 0;
}

int
serve_root_open(struct serve_root *s, const char *const *kinds, struct err *e)
{
	return bind_listeners(s->config, kinds, s->arena, &s->bound, e) < 0 ||
		open_files(s, e) < 0
	    ? -1
	    : 0;
}

int
serve_root_drop(struct serve_root *s, struct err *e)
{
	if (user_become(s->config->mox.user, e) < 0)
		return -1;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	user_limits();
	return keep_unreadable(s, e);
}
