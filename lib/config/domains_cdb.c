#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "config/check.h"
#include "config/domains_cdb.h"
#include "db/cdb.h"
#include "db/lock.h"
#include "db/newfile.h"

#define LOOKUP_DIR "lookup"
#define CDB_NAME "domains.cdb"
#define LOCK_NAME "domains.lock"
#define COMPILE_MS 600000 /* how long to wait for somebody else's */
#define SWEEP_S 3600      /* older temporary files are of crashes */
#define POLL_NS SCHEMA_SECOND
#define RETRY_NS (60 * SCHEMA_SECOND) /* after a full disk and such */
/* Larger files are compiled in a child: 8 MB take 100 ms. */
#define BACKGROUND_SIZE (8 << 20)
#define RECORD_MAX ((size_t)256 << 20) /* a list of millions of members */

/* ---- which version ---- */

static int64_t
mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * SCHEMA_SECOND +
	    st->st_mtim.tv_nsec;
}

static bool
same_version(const struct stat *a, const struct stat *b)
{
	return mtime_of(a) == mtime_of(b) && a->st_size == b->st_size &&
	    a->st_ino == b->st_ino;
}

/* Is the CDB in dirfd made from the file st tells of? A damaged or old one is
 * not. */
static bool
is_current(int dirfd, const struct stat *st)
{
	struct arena *arena = arena_new(0);
	struct record_source source = { .version = 0 };
	struct db_cdb *cdb = NULL;
	struct slice value;

	if (db_cdb_open(&cdb, dirfd, CDB_NAME, NULL) == 1 &&
	    db_cdb_get(cdb, SLICE("source:"), &value, NULL) == 1)
		schema_parse_trusted(&record_source_schema, value, arena,
		    &source);
	db_cdb_close(&cdb);
	arena_free(&arena);
	return source.version == RECORD_VERSION &&
	    source.mtime == mtime_of(st) && source.size == st->st_size &&
	    source.inode == (int64_t)st->st_ino;
}

/* ---- records ---- */

struct compile {
	struct db_cdb_make *make;
	struct arena *arena; /* of one record */
	struct buf value;
};

static void
add(struct compile *c, const char *kind, struct slice name)
{
	db_cdb_make_add(c->make, record_key(c->arena, kind, name),
	    buf_slice(&c->value));
	buf_reset(&c->value);
	arena_reset(c->arena);
}

static void
add_struct(struct compile *c, const char *kind, struct slice name,
    const struct schema *schema, const void *src)
{
	schema_write(schema, src, &c->value);
	add(c, kind, name);
}

static void
add_domain(struct compile *c, const struct check_domain *domain)
{
	struct conf_domain settings = *domain->conf;
	struct record_rules rules = { domain->name, settings.disabled,
		domain->reports_only, domain->rules };

	settings.aliases = (struct conf_aliases){ NULL, 0 };
	add_struct(c, "rules", domain->name, &record_rules_schema, &rules);
	add_struct(c, "domain", domain->name, &conf_domain_schema, &settings);
}

static void
add_address(struct compile *c, const struct check_address *address)
{
	struct record_address record = address->record;

	if (address->alias) {
		add_struct(c, "alias", record.name, &conf_alias_schema,
		    address->alias);
		return;
	}
	add_struct(c, "address", record.name, &record_address_schema, &record);
}

static void
add_account(struct compile *c, const struct conf_account *account,
    const struct conf_strings *addresses)
{
	struct conf_account settings = *account;

	for (size_t i = 0; i < addresses->n; i++) {
		buf_add(&c->value, addresses->v[i]);
		buf_addc(&c->value, '\n');
	}
	add(c, "addresses", account->name);
	settings.destinations = (struct conf_destinations){ NULL, 0 };
	add_struct(c, "account", account->name, &conf_account_schema,
	    &settings);
}

static void
add_source(struct compile *c, const struct stat *st)
{
	struct record_source source = { SLICE_NULL, RECORD_VERSION,
		mtime_of(st), st->st_size, (int64_t)st->st_ino };

	add_struct(c, "source", SLICE_NULL, &record_source_schema, &source);
}

static void
add_routes(struct compile *c, const struct conf_routes *routes)
{
	struct record_routes record = { SLICE_NULL, *routes };

	if (routes->n)
		add_struct(c, "routes", SLICE_NULL, &record_routes_schema,
		    &record);
}

static void
add_all(struct compile *c, const struct config_domains *domains)
{
	const struct check_model *model = domains->model;
	const struct conf_accounts *accounts = &domains->conf.accounts;
	struct slice name;
	void *address;

	add_source(c, &domains->st);
	add_routes(c, &domains->conf.routes);
	for (size_t i = 0; i < domains->conf.domains.n; i++)
		add_domain(c, &model->domains[i]);
	for (size_t i = 0; i < accounts->n; i++)
		add_account(c, &accounts->v[i], &model->addresses_of[i]);
	for (size_t i = 0; map_next(model->addresses, &i, &name, &address);)
		add_address(c, address);
}

/* Make the CDB from what was loaded and put it in place. */
static int
compile(int dirfd, const struct config_domains *domains, struct err *e)
{
	struct compile c = { NULL, arena_new(0), BUF_INIT(RECORD_MAX) };
	int rc = -1;

	if (db_cdb_make_start(&c.make, dirfd, CDB_NAME, 0600, e) == 0) {
		add_all(&c, domains);
		rc = db_cdb_make_commit(c.make, e);
	}
	db_cdb_make_free(&c.make);
	buf_free(&c.value);
	arena_free(&c.arena);
	return rc;
}

/* ---- when ---- */

/* The folder of the CDB, made if missing. */
static int
open_folder(const struct config *config, struct err *e)
{
	struct arena *arena = arena_new(0);
	const char *path = config_data(config, arena, LOOKUP_DIR);
	int fd = -1;

	if (file_mkdirs(AT_FDCWD, path, 0700, e) == 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			err_sys(e, "open %s", path);
	}
	arena_free(&arena);
	return fd;
}

/*
 * Load, check and compile, holding the lease. 1, or -1 with errors or e. The
 * memory is given back, since a parent's is inherited by all it forks.
 */
static int
load_and_compile(const struct config *config, int dirfd,
    struct sconf_errors *errors, struct err *e)
{
	struct config_domains *domains;
	int rc = config_domains_load(config, errors, &domains);

	if (rc == 0)
		rc = compile(dirfd, domains, e);
	config_domains_free(&domains);
#ifdef __GLIBC__
	malloc_trim(0);
#endif
	return rc < 0 ? -1 : 1;
}

static int
refresh(const struct config *config, int dirfd, struct sconf_errors *errors,
    struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	struct stat st;
	int rc = -1;

	/* No such file: loading it says so. */
	if (stat(config->domains_path, &st) == 0 && is_current(dirfd, &st))
		return 0;
	if (db_lock(&lock, dirfd, LOCK_NAME, DB_LOCK_LEASE, COMPILE_MS, e) < 1)
		return -1;
	if (stat(config->domains_path, &st) == 0 && is_current(dirfd, &st))
		rc = 0;
	else {
		db_tmp_sweep(dirfd, SWEEP_S, NULL);
		rc = load_and_compile(config, dirfd, errors, e);
	}
	db_unlock(&lock);
	return rc;
}

int
domains_cdb_compile(const struct config *config,
    const struct config_domains *domains, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	int dirfd = open_folder(config, e), rc = -1;

	if (dirfd < 0)
		return -1;
	if (db_lock(&lock, dirfd, LOCK_NAME, DB_LOCK_LEASE, COMPILE_MS, e) ==
	    1) {
		db_tmp_sweep(dirfd, SWEEP_S, NULL);
		rc = compile(dirfd, domains, e);
		db_unlock(&lock);
	}
	close(dirfd);
	return rc;
}

static bool
up_to_date(const struct config *config, const struct stat *st)
{
	int dirfd = open_folder(config, NULL);
	bool current = dirfd >= 0 && is_current(dirfd, st);

	if (dirfd >= 0)
		close(dirfd);
	return current;
}

/* The same; e is set if it failed for another reason than errors. */
static int
open_and_refresh(const struct config *config, struct sconf_errors *errors,
    struct err *e)
{
	const struct sconf_file file = { SLICE(CDB_NAME), SLICE_NULL, errors };
	int dirfd = open_folder(config, e), rc = -1;

	if (dirfd >= 0) {
		rc = refresh(config, dirfd, errors, e);
		close(dirfd);
	}
	if (e->kind != ERR_NONE)
		sconf_error(&file, SLICE_NULL, "%s", e->text);
	return rc;
}

int
domains_cdb_refresh(const struct config *config, struct sconf_errors *errors)
{
	struct err e = ERR_INIT;

	return open_and_refresh(config, errors, &e);
}

static void
log_errors(struct sconf_errors *errors, const char *what)
{
	sconf_errors_sort(errors);
	for (size_t i = 0; i < errors->n; i++)
		log_line("config", errors->v[i].warning ? LOG_WARN : LOG_ERROR,
		    what,
		    LOG_S("problem",
			sconf_error_format(&errors->v[i], errors->arena)));
}

/* Compile and log; *e is set as above. */
static void
compile_logged(const struct config *config, struct err *e)
{
	struct sconf_errors errors;
	int rc;

	sconf_errors_init(&errors, arena_new(0));
	rc = open_and_refresh(config, &errors, e);
	log_errors(&errors,
	    rc < 0 ? "domains.conf not taken, the version "
		     "before stays in effect"
		   : "domains.conf");
	if (rc > 0)
		log_line("config", LOG_INFO, "domains.conf taken");
	arena_free(&errors.arena);
}

void
domains_cdb_poll(const struct config *config, struct domains_cdb_watch *watch,
    int64_t now)
{
	struct err e = ERR_INIT;
	struct stat st;

	if (now < watch->next)
		return;
	watch->next = now + POLL_NS;
	if (stat(config->domains_path, &st) < 0)
		memset(&st, 0, sizeof(st));
	if (watch->dealt && same_version(&st, &watch->seen))
		return;
	if (st.st_size > BACKGROUND_SIZE && !up_to_date(config, &st)) {
		watch->next = now + RETRY_NS; /* it may not succeed */
		if (fork() != 0)
			return;
		compile_logged(config, &e);
		_exit(0);
	}
	compile_logged(config, &e);
	watch->dealt = e.kind == ERR_NONE;
	watch->seen = st;
	if (!watch->dealt)
		watch->next = now + RETRY_NS;
}
