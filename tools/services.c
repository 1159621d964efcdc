/* services - the programs that make a mail server. */
#include "tools/services.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"

enum {
	BY_LOCALSERVE = 1, /* mox-localserve runs it too, */
	LOCAL_FLAG = 2,    /* with -localserve */
	IMAP_FLAG = 4,     /* takes -park, -messagelimit */
};

static const struct {
	const char *name;
	const char *const *kinds; /* of its sockets; NULL: it has none */
	int flags;
} services[] = {
	{ "mox-smtpd", bind_smtp_kinds, BY_LOCALSERVE | LOCAL_FLAG },
	{ "mox-imapd", bind_imap_kinds, BY_LOCALSERVE | IMAP_FLAG },
	{ "mox-queued", NULL, BY_LOCALSERVE | LOCAL_FLAG },
};

#define SERVICES (sizeof(services) / sizeof(services[0]))

const char *const *
services_kinds(const char *program)
{
	struct slice path = slice_str(program);
	struct slice name =
	    slice_skip(path, (size_t)(slice_rchr(path, '/') + 1));

	for (size_t i = 0; i < SERVICES; i++)
		if (slice_is(name, services[i].name))
			return services[i].kinds;
	return NULL;
}

/* The folder of this program with a slash; empty if that is not known. */
static struct slice
own_folder(char *self, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", self, size);

	if (n <= 0)
		return SLICE_NULL;
	return slice_head(slice_of(self, (size_t)n),
	    (size_t)(slice_rchr(slice_of(self, (size_t)n), '/') + 1));
}

void
services_use_own_folder(void)
{
	char self[4096];
	struct slice folder = own_folder(self, sizeof(self));
	const char *path = getenv("PATH");
	struct buf b = BUF_INIT(1 << 20);

	if (folder.n == 0)
		return;
	buf_add(&b, slice_head(folder, folder.n - 1));
	if (path && *path)
		buf_addf(&b, ":%s", path);
	setenv("PATH", buf_cstr(&b), 1);
	buf_free(&b);
}

#define ARGS 10 /* most of a service, with NULL */

static const char *const *
arguments(const struct services_opts *o, size_t i, struct arena *arena)
{
	const char **argv = arena_array(arena, ARGS, sizeof(*argv));
	size_t n = 0;

	argv[n++] = services[i].name;
	argv[n++] = "-config";
	argv[n++] = o->conf;
	if (o->localserve && services[i].flags & LOCAL_FLAG)
		argv[n++] = "-localserve";
	if (o->nosandbox)
		argv[n++] = "-nosandbox";
	if (o->park && services[i].flags & IMAP_FLAG) {
		argv[n++] = "-park";
		argv[n++] = o->park;
	}
	if (o->messagelimit && services[i].flags & IMAP_FLAG) {
		argv[n++] = "-messagelimit";
		argv[n++] = o->messagelimit;
	}
	return argv;
}

static void
add_files(struct supervise_service *s, const struct bind_list *files,
    struct arena *arena)
{
	struct supervise_socket *v;

	if (!files || files->n == 0)
		return;
	v = arena_grow(arena, (void *)s->sockets, s->nsockets,
	    s->nsockets + files->n, sizeof(*v));
	for (size_t i = 0; i < files->n; i++)
		v[s->nsockets++] = files->v[i];
	s->sockets = v;
}

/* False if it has nothing to do. */
static bool
make_service(const struct services_opts *o, size_t i, struct arena *arena,
    struct supervise_service *s_r)
{
	*s_r = (struct supervise_service){ .name = services[i].name };
	if (o->localserve && !(services[i].flags & BY_LOCALSERVE))
		return false;
	s_r->argv = arguments(o, i, arena);
	if (!services[i].kinds)
		return true;
	bind_pick(o->bound, services[i].kinds, arena, &s_r->sockets,
	    &s_r->nsockets);
	if (s_r->nsockets == 0)
		return false;
	add_files(s_r, o->files, arena);
	return true;
}

int
services_run(const struct services_opts *o, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct supervise_service v[SERVICES];
	struct supervise s = { .services = v,
		.commands = o->commands,
		.tell = o->tell,
		.ctx = o->ctx };
	int rc;

	for (size_t i = 0; i < SERVICES; i++)
		s.n += make_service(o, i, arena, &v[s.n]);
	if (s.n == 0)
		rc = err_set(e, ERR_SYNTAX,
		    "%s: no listener enables SMTP, submission or IMAP",
		    o->conf);
	else
		rc = supervise_run(&s, e);
	arena_free(&arena);
	return rc;
}
