#include "host/host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

/* ---- loading ---- */

static void
load_levels(const struct config *config)
{
	const struct conf_pairs *levels = &config->mox.package_log_levels;
	const char *level = getenv("MOX_LOGLEVEL");
	enum log_level l;

	if (log_level_parse(level && *level ? slice_str(level)
					    : config->mox.log_level,
		&l))
		log_set_level(SLICE_NULL, l);
	for (size_t i = 0; i < levels->n; i++)
		if (log_level_parse(levels->v[i].value, &l))
			log_set_level(levels->v[i].name, l);
}

static const char *
run_dir(const struct config *config, struct arena *arena)
{
	return arena_printf(arena, "%s/../run", config->data_dir).p;
}

static int
open_folder(const char *path, int *fd_r, struct err *e)
{
	if (file_mkdirs(AT_FDCWD, path, 0700, e) < 0)
		return -1;
	*fd_r = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd_r < 0 ? err_sys(e, "%s", path) : 0;
}

static int
load_env(struct host *h, struct arena *arena, struct err *e)
{
	h->env = (struct store_env){ .data_fd = -1,
		.run_fd = -1,
		.hostname = arena_cstr(arena, h->config->hostname),
		.clock = clock_program(),
		.file_mode = 0600,
		.text_max = (uint64_t)h->config->mox.text_index_size };
	if (open_folder(h->config->data_dir, &h->env.data_fd, e) < 0 ||
	    open_folder(run_dir(h->config, arena), &h->env.run_fd, e) < 0)
		return -1;
	/* Folders that jails name must be there before. */
	if (file_mkdirs(h->env.data_fd, "accounts", 0700, e) < 0 ||
	    file_mkdirs(h->env.data_fd, "lookup", 0700, e) < 0 ||
	    file_mkdirs(h->env.data_fd, "auth", 0700, e) < 0 ||
	    file_mkdirs(h->env.data_fd, "tmp", 0700, e) < 0 ||
	    file_mkdirs(h->env.data_fd, "shared", 0700, e) < 0 ||
	    file_mkdirs(h->env.run_fd, "watch", 0700, e) < 0)
		return -1;
	return 0;
}

/* Whose login is it (lib/auth asks)? */
static int
resolve(void *ctx, struct arena *arena, struct slice login,
    struct auth_login *login_r, struct err *e)
{
	struct host *h = ctx;
	const struct conf_account *account;
	struct lookup_result r;
	int rc;

	if (lookup_login(h->lookup, arena, login, &r, e) < 0)
		return -1;
	login_r->canonical =
	    r.status == LOOKUP_NOT_LOCAL ? SLICE_NULL : r.address;
	if (r.status != LOOKUP_ACCOUNT)
		return 0;
	rc = lookup_account(h->lookup, arena, r.account, &account, e);
	if (rc <= 0)
		return rc;
	login_r->account = r.account;
	login_r->disabled = account->login_disabled;
	return 1;
}

static int
load_lookup(struct host *h, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct sconf_errors errors;

	sconf_errors_init(&errors, arena);
	if (domains_cdb_refresh(h->config, &errors) < 0)
		config_print_errors(&errors);
	arena_free(&arena);
	/* With an older domains.cdb mail goes on. */
	return lookup_open(h->config, &h->lookup, e);
}

static int
load_accounts(struct host *h, struct err *e)
{
	struct auth_opts opts = {
		.data_fd = h->env.data_fd, .resolve = resolve, .ctx = h
	};
	struct err cache = ERR_INIT;

	if (load_lookup(h, e) < 0)
		return -1;
	h->passcache = passcache_new(h->env.clock, &cache);
	if (!h->passcache)
		log_line("auth", LOG_WARN, "no cache of verified passwords",
		    LOG_E(&cache));
	opts.cache = h->passcache;
	return auth_open(&opts, &h->auth, e);
}

/* ---- listeners ---- */

const char *
host_absolute(struct arena *arena, const char *path)
{
	char *here;
	const char *absolute = path;

	if (*path == '/')
		return path;
	here = getcwd(NULL, 0);
	if (here)
		absolute = arena_printf(arena, "%s/%s", here, path).p;
	free(here);
	return absolute;
}

static const struct conf_listener *
find_listener(const struct config *config, struct slice name)
{
	const struct conf_listeners *all = &config->mox.listeners;

	for (size_t i = 0; i < all->n; i++)
		if (slice_eq(all->v[i].name, name))
			return &all->v[i];
	return NULL;
}

/* What the service manager opened for us, by name. 0: nothing. */
static int
opened_file(const struct service_setup *setup, const char *path)
{
	const char *absolute = host_absolute(setup->arena, path);

	for (size_t i = 0; i < setup->nfiles; i++)
		if (slice_is(setup->files[i].path, absolute))
			return setup->files[i].fd;
	return 0;
}

static int
load_tls(struct host *h, struct service_listener *l,
    const struct conf_listener *conf, struct host_tls_use use,
    const struct service_setup *setup, struct err *e)
{
	struct arena *arena = setup->arena;
	struct tls_opts opts = { .min_version = conf->tls->min_version,
		.no_client_cert =
		    conf->tls->client_auth_disabled || !use.client_cert,
		.tickets = use.tickets ? h->tickets : NULL };
	struct tls_files *files =
	    arena_array(arena, conf->tls->key_certs.n, sizeof(*files));

	opts.files = files;
	opts.nfiles = conf->tls->key_certs.n;
	for (size_t i = 0; i < opts.nfiles; i++) {
		const struct conf_key_cert *kc = &conf->tls->key_certs.v[i];
		files[i].cert = config_file(h->config, arena, kc->cert_file);
		files[i].key = config_file(h->config, arena, kc->key_file);
		files[i].cert_fd = opened_file(setup, files[i].cert);
		files[i].key_fd = opened_file(setup, files[i].key);
	}
	/* Certificates from ACME are not there yet. */
	if (opts.nfiles == 0)
		return err_set(e, ERR_PERM,
		    "listener %.*s: TLS.KeyCerts is "
		    "needed: certificates from ACME are not in effect yet",
		    SLICE_FMT(l->name));
	l->tls = tls_server_new(&opts, e);
	return l->tls ? 0 : err_prefix(e, "listener %.*s", SLICE_FMT(l->name));
}

static int
load_proxies(struct service_listener *l, const struct conf_listener *conf,
    struct arena *arena, struct err *e)
{
	const struct conf_strings *from = &conf->proxy_protocol_from;
	struct ip_prefix *v = arena_array(arena, from->n, sizeof(*v));

	for (size_t i = 0; i < from->n; i++)
		if (!ip_prefix_parse(from->v[i], &v[i]))
			return err_set(e, ERR_SYNTAX,
			    "listener %.*s: "
			    "ProxyProtocolFrom: %.*s is not an address or "
			    "prefix",
			    SLICE_FMT(l->name), SLICE_FMT(from->v[i]));
	l->proxies = v;
	l->nproxies = from->n;
	return 0;
}

static int
load_listeners(struct host *h,
    struct host_tls_use (*use)(const struct service_listener *l),
    struct service_setup *setup, struct err *e)
{
	for (size_t i = 0; i < setup->nlisteners; i++) {
		struct service_listener *l = &setup->listeners[i];
		const struct conf_listener *conf =
		    find_listener(h->config, l->name);
		if (!conf)
			return err_set(e, ERR_SYNTAX, "no listener %.*s in %s",
			    SLICE_FMT(l->name), h->config->path);
		l->config = conf;
		if (conf->tls && load_tls(h, l, conf, use(l), setup, e) < 0)
			return -1;
		if (l->kind->tls && !l->tls)
			return err_set(e, ERR_SYNTAX,
			    "listener %.*s: %s needs "
			    "TLS",
			    SLICE_FMT(l->name), l->kind->name);
		if (load_proxies(l, conf, setup->arena, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- limits and paths ---- */

static void
load_limits(const struct conf_limits *c, struct service_limits *l)
{
	l->connections = (unsigned)c->connections;
	l->unauthenticated = (unsigned)c->connections_unauthenticated;
	l->open[0] = (unsigned)c->connections_per_ip;
	l->open[1] = (unsigned)c->connections_per_network;
	l->open[2] = (unsigned)c->connections_per_large_network;
	l->new_per_minute[0] = (unsigned)c->new_per_minute_per_ip;
	l->new_per_minute[1] = (unsigned)c->new_per_minute_per_network;
	l->new_per_minute[2] = (unsigned)c->new_per_minute_per_large_network;
	for (unsigned i = 0, times = 1; i < LIMIT_CLASSES; i++, times *= 3) {
		l->auth_per_minute[i] =
		    (unsigned)c->failed_logins_per_minute * times;
		l->auth_per_day[i] = (unsigned)c->failed_logins_per_day * times;
	}
	l->loopback_exempt = c->loopback_exempt;
}

static size_t
count_certificates(const struct service_setup *setup)
{
	size_t n = 0;

	for (size_t i = 0; i < setup->nlisteners; i++) {
		const struct conf_listener *l = setup->listeners[i].config;
		n += l->tls ? l->tls->key_certs.n : 0;
	}
	return n;
}

/* The folder of a file, and the one it is really in: a certificate is often a
 * symbolic link. */
static void
folders_of(struct arena *arena, const char *file, struct sandbox_path *v,
    size_t *n)
{
	char *real = realpath(file, NULL);
	const char *names[] = { file, real ? real : file };

	for (size_t i = 0; i < 2; i++) {
		struct slice name = slice_str(names[i]);
		ssize_t slash = slice_rchr(name, '/');
		v[(*n)++] = (struct sandbox_path){ slash < 0
			    ? "."
			    : arena_cstr(arena,
				  slice_head(name, (size_t)slash + 1)),
			SANDBOX_READ };
	}
	free(real);
}

static void
certificate_folders(const struct config *config,
    const struct service_setup *setup, struct sandbox_path *v, size_t *n)
{
	struct arena *arena = setup->arena;

	for (size_t i = 0; i < setup->nlisteners; i++) {
		const struct conf_listener *l = setup->listeners[i].config;
		for (size_t k = 0; l->tls && k < l->tls->key_certs.n; k++) {
			const struct conf_key_cert *kc =
			    &l->tls->key_certs.v[k];
			folders_of(arena,
			    config_file(config, arena, kc->cert_file), v, n);
			folders_of(arena,
			    config_file(config, arena, kc->key_file), v, n);
		}
	}
}

static void
load_paths(const struct host *h, struct service_setup *setup)
{
	static const struct {
		const char *name;
		int rights;
	} folders[] = {
		{ "lookup", SANDBOX_READ },
		{ "auth", SANDBOX_READ },
		{ "accounts", SANDBOX_READ | SANDBOX_WRITE },
		{ "tmp", SANDBOX_READ | SANDBOX_WRITE },
		{ "shared", SANDBOX_READ | SANDBOX_WRITE },
	};
	size_t n = sizeof(folders) / sizeof(*folders);
	struct arena *arena = setup->arena;
	struct sandbox_path *back = arena_array(arena, n + 1, sizeof(*back));
	struct sandbox_path *parent;
	size_t nparent = 0;

	for (size_t i = 0; i < n; i++)
		back[i] = (struct sandbox_path){ config_data(h->config, arena,
						     folders[i].name),
			folders[i].rights };
	back[n] = (struct sandbox_path){ run_dir(h->config, arena),
		SANDBOX_READ | SANDBOX_WRITE };
	/* To see a new domains.conf, and compile it; new certificates. */
	parent = arena_array(arena, 2 + 4 * count_certificates(setup),
	    sizeof(*parent));
	parent[nparent++] =
	    (struct sandbox_path){ h->config->dir, SANDBOX_READ };
	parent[nparent++] =
	    (struct sandbox_path){ config_data(h->config, arena, "lookup"),
		    SANDBOX_READ | SANDBOX_WRITE };
	certificate_folders(h->config, setup, parent, &nparent);
	setup->back_paths = back;
	setup->nback_paths = n + 1;
	setup->parent_paths = parent;
	setup->nparent_paths = nparent;
}

int
host_load(struct host *h, const char *config,
    struct host_tls_use (*use)(const struct service_listener *l),
    struct service_setup *setup, struct err *e)
{
	h->config = config_load_or_exit(config);
	load_levels(h->config);
	h->tickets = tls_tickets_new();
	if (load_env(h, setup->arena, e) < 0 || load_accounts(h, e) < 0 ||
	    load_listeners(h, use, setup, e) < 0)
		return -1;
	load_limits(h->config->mox.limits, &setup->limits);
	load_paths(h, setup);
	setup->user = h->config->mox.user;
	setup->run_dir = run_dir(h->config, setup->arena);
	return 0;
}

int
host_load_mail(struct host *h, struct config *config, struct arena *arena,
    struct err *e)
{
	h->config = config;
	return load_env(h, arena, e) < 0 ? -1 : load_lookup(h, e);
}

/* ---- while running ---- */

static int64_t
mono_ns(void)
{
	return clock_mono_ms(NULL) * 1000000;
}

bool
host_refresh(struct host *h)
{
	domains_cdb_poll(h->config, &h->watch, mono_ns());
	tls_tickets_rotate(h->tickets, clock_mono_ms(NULL) / 1000);
	return lookup_refresh(h->lookup, mono_ns());
}

void
host_forget(struct host *h)
{
	passcache_close(&h->passcache);
}

/* ---- stores ---- */

#define INITIAL_MAX 100

/* Mailboxes of a new account (mox.conf: InitialMailboxes). */
static size_t
initial_mailboxes(const struct mox_conf *mox, struct store_initial *v)
{
	static const struct store_initial usual[] = {
		{ { "Sent", 4 }, STORE_USE_SENT },
		{ { "Archive", 7 }, STORE_USE_ARCHIVE },
		{ { "Trash", 5 }, STORE_USE_TRASH },
		{ { "Drafts", 6 }, STORE_USE_DRAFTS },
		{ { "Junk", 4 }, STORE_USE_JUNK },
	};
	const struct conf_initial_mailboxes *im = mox->initial_mailboxes;
	const struct conf_strings *regular =
	    im ? &im->regular : &mox->default_mailboxes;
	const struct conf_special_use *su = im ? im->special_use : NULL;
	size_t n = 0;

	if (!su && regular->n == 0) {
		memcpy(v, usual, sizeof(usual));
		return sizeof(usual) / sizeof(*usual);
	}
	if (su) {
		const struct store_initial special[] = {
			{ su->sent, STORE_USE_SENT },
			{ su->archive, STORE_USE_ARCHIVE },
			{ su->trash, STORE_USE_TRASH },
			{ su->draft, STORE_USE_DRAFTS },
			{ su->junk, STORE_USE_JUNK },
		};
		for (size_t i = 0; i < 5; i++)
			if (special[i].name.n)
				v[n++] = special[i];
	}
	for (size_t i = 0; i < regular->n && n < INITIAL_MAX; i++)
		v[n++] = (struct store_initial){ regular->v[i], 0 };
	return n;
}

int
host_open_store(struct host *h, struct arena *arena, struct slice account,
    struct store **store_r, struct err *e)
{
	struct store_initial initial[INITIAL_MAX];
	const struct conf_account *settings;
	int rc = lookup_account(h->lookup, arena, account, &settings, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_TEMP, "no account %.*s",
		    SLICE_FMT(account));
	rc = store_open(store_r, &h->env, account, e);
	if (rc == 0)
		rc = store_create(store_r, &h->env, account, initial,
		    initial_mailboxes(&h->config->mox, initial), e);
	if (rc < 0)
		return -1;
	store_set_quota(*store_r, (uint64_t)lookup_quota(h->config, settings));
	return 0;
}

bool
host_tls_required(const struct service_listener *l)
{
	const struct conf_listener *conf = l->config;
	const struct conf_starttls_service *s = NULL;

	if (slice_starts(slice_str(l->kind->name), SLICE("imap")))
		s = conf->imap;
	else if (slice_starts(slice_str(l->kind->name), SLICE("submission")))
		s = conf->submission;
	return !s || !s->no_require_starttls;
}
