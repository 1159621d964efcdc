#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "config/lookup.h"
#include "config/record.h"
#include "db/cdb.h"
#include "text/idna.h"

#define CDB_NAME "domains.cdb"
#define POLL_NS SCHEMA_SECOND

struct lookup {
	const struct config *config;
	int dirfd;
	struct db_cdb *cdb;
	struct stat st; /* of the file when it was opened, or before */
	int64_t next;   /* do not look for another one before this */
};

/* ---- the file ---- */

static int
load(struct lookup *lookup, struct err *e)
{
	struct stat st = { .st_size = 0 };
	struct db_cdb *cdb;
	int rc;

	/* If it is replaced in between, the next look finds it changed. */
	if (fstatat(lookup->dirfd, CDB_NAME, &st, 0) < 0)
		return err_sys(e, CDB_NAME);
	rc = db_cdb_open(&cdb, lookup->dirfd, CDB_NAME, e);
	if (rc == 0)
		return err_set(e, ERR_TEMP, CDB_NAME " is gone");
	if (rc < 0)
		return -1;
	db_cdb_close(&lookup->cdb);
	lookup->cdb = cdb;
	lookup->st = st;
	return 0;
}

int
lookup_open(const struct config *config, struct lookup **lookup_r,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	const char *path = config_data(config, arena, "lookup");
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	int rc = -1;

	lookup->config = config;
	lookup->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lookup->dirfd < 0)
		err_sys(e, "open %s", path);
	else
		rc = load(lookup, e);
	if (rc < 0)
		lookup_close(&lookup);
	*lookup_r = lookup;
	arena_free(&arena);
	return rc;
}

void
lookup_close(struct lookup **lookup)
{
	if (!*lookup)
		return;
	db_cdb_close(&(*lookup)->cdb);
	if ((*lookup)->dirfd >= 0)
		close((*lookup)->dirfd);
	free(*lookup);
	*lookup = NULL;
}

bool
lookup_refresh(struct lookup *lookup, int64_t now)
{
	struct err e = ERR_INIT;
	struct stat st;

	if (now < lookup->next)
		return false;
	lookup->next = now + POLL_NS;
	if (fstatat(lookup->dirfd, CDB_NAME, &st, 0) == 0 &&
	    st.st_ino == lookup->st.st_ino &&
	    st.st_mtim.tv_sec == lookup->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == lookup->st.st_mtim.tv_nsec)
		return false;
	if (load(lookup, &e) == 0)
		return true;
	log_line("config", LOG_ERROR,
	    "domains.cdb not taken, the one before stays", LOG_E(&e));
	return false;
}

/* ---- records ---- */

/* The value of "kind:name", copied, so that it outlives the mapping. */
static int
get(const struct lookup *lookup, struct arena *arena, const char *kind,
    struct slice name, struct slice *value_r, struct err *e)
{
	int rc =
	    db_cdb_get(lookup->cdb, record_key(arena, kind, name), value_r, e);

	if (rc == 1)
		*value_r = arena_dup(arena, *value_r);
	return rc;
}

static int
get_struct(const struct lookup *lookup, struct arena *arena, const char *kind,
    struct slice name, const struct schema *schema, void *dst, struct err *e)
{
	struct slice value;
	int rc = get(lookup, arena, kind, name, &value, e);

	if (rc == 1)
		schema_parse_trusted(schema, value, arena, dst);
	return rc;
}

int
lookup_domain(struct lookup *lookup, struct arena *arena, struct slice domain,
    const struct conf_domain **domain_r, struct err *e)
{
	struct conf_domain *conf = arena_alloc(arena, sizeof(*conf));

	*domain_r = conf;
	if (idna_ascii(arena, domain, &conf->name, NULL) < 0)
		return 0;
	return get_struct(lookup, arena, "domain", conf->name,
	    &conf_domain_schema, conf, e);
}

int
lookup_routes(struct lookup *lookup, struct arena *arena,
    const struct conf_routes **routes_r, struct err *e)
{
	struct record_routes *record = arena_alloc(arena, sizeof(*record));

	*routes_r = &record->routes;
	return get_struct(lookup, arena, "routes", SLICE_NULL,
	    &record_routes_schema, record, e);
}

int
lookup_account(struct lookup *lookup, struct arena *arena, struct slice account,
    const struct conf_account **account_r, struct err *e)
{
	struct conf_account *conf = arena_alloc(arena, sizeof(*conf));

	*account_r = conf;
	conf->name = arena_dup(arena, account);
	return get_struct(lookup, arena, "account", account,
	    &conf_account_schema, conf, e);
}

int
lookup_account_addresses(struct lookup *lookup, struct arena *arena,
    struct slice account, struct conf_strings *addresses_r, struct err *e)
{
	struct slice lines, rest, line;
	int rc = get(lookup, arena, "addresses", account, &lines, e);
	size_t n = 0;

	*addresses_r = (struct conf_strings){ NULL, 0 };
	if (rc != 1)
		return rc;
	for (rest = lines; slice_next(&rest, '\n', &line);)
		n++;
	addresses_r->v = arena_array(arena, n, sizeof(*addresses_r->v));
	for (rest = lines; slice_next(&rest, '\n', &line);)
		addresses_r->v[addresses_r->n++] = line;
	return 1;
}

bool
lookup_next_account(struct lookup *lookup, struct arena *arena, unsigned *pos,
    struct slice *account_r)
{
	const struct slice kind = SLICE("account:");
	struct slice key, value;

	while (db_cdb_next(lookup->cdb, pos, &key, &value))
		if (slice_starts(key, kind)) {
			*account_r = arena_dup(arena, slice_skip(key, kind.n));
			return true;
		}
	return false;
}

int64_t
lookup_quota(const struct config *config, const struct conf_account *account)
{
	if (account->quota_message_size == 0)
		return config->mox.quota_message_size;
	return account->quota_message_size > 0 ? account->quota_message_size
					       : 0;
}

/* ---- addresses ---- */

/* The question, and whom it is asked for. */
struct query {
	struct lookup *lookup;
	struct arena *arena;
	struct slice local;
	bool login; /* no postmaster of the host, no disabled domains */
	struct lookup_result r; /* what resolve finds */
};

static void
found_account(struct query *q, struct slice account,
    struct conf_destination *destination, struct slice address)
{
	destination->name = address;
	q->r.status = LOOKUP_ACCOUNT;
	q->r.account = account;
	q->r.address = address;
	q->r.destination = destination;
}

/* An account that mox.conf names, with the mailbox. */
static void
found_host(struct query *q, struct slice account, struct slice mailbox,
    struct slice address)
{
	struct conf_destination *d = arena_alloc(q->arena, sizeof(*d));

	d->mailbox = mailbox;
	found_account(q, account, d, address);
}

static void
found_postmaster(struct query *q)
{
	const struct conf_postmaster *p = q->lookup->config->mox.postmaster;

	found_host(q, p->account, p->mailbox, SLICE("postmaster"));
}

/* Hostname, and those of listeners that take mail. */
static bool
is_host(const struct query *q, struct slice domain)
{
	const struct config *config = q->lookup->config;
	const struct conf_listeners *l = &config->mox.listeners;

	if (domain.n == 0 || slice_eq(domain, config->hostname))
		return true;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].smtp && l->v[i].smtp->enabled &&
		    slice_eq(domain,
			config_listener_hostname(config, &l->v[i], q->arena)))
			return true;
	return false;
}

/* Addresses of mox.conf: postmaster, and reports about TLS of the host. */
static bool
host_address(struct query *q, struct slice domain)
{
	const struct config *config = q->lookup->config;
	const struct conf_host_tlsrpt *reports = config->mox.host_tlsrpt;

	if (slice_isi(q->local, "postmaster") && is_host(q, domain)) {
		if (q->login)
			q->r.status = LOOKUP_UNKNOWN_USER;
		else
			found_postmaster(q);
		return true;
	}
	if (!reports || !slice_eq(domain, config->hostname) ||
	    !slice_eqi(q->local, reports->localpart))
		return false;
	found_host(q, reports->account, reports->mailbox,
	    name_join(q->arena, reports->localpart, domain));
	q->r.reports = LOOKUP_REPORTS_HOST_TLS;
	return true;
}

/* "550 text": what RCPT is answered. */
static void
smtp_error(struct lookup_result *r)
{
	struct slice code, text;

	slice_cut(r->destination->smtp_error, ' ', &code, &text);
	r->status = LOOKUP_SMTP_ERROR;
	if (slice_is(code, "421")) {
		r->smtp_code = 451;
		r->smtp_enhanced = "4.3.0";
		r->smtp_text = SLICE("error processing");
	} else {
		r->smtp_code = 550;
		r->smtp_enhanced = "5.1.1";
		r->smtp_text = SLICE("no such user(s)");
	}
	if (text.n > 0)
		r->smtp_text = text;
}

/* The account with address: 1, 0, -1. */
static int
address_record(struct query *q, struct slice address, struct err *e)
{
	struct record_address record = { .account = SLICE_NULL };
	int rc = get_struct(q->lookup, q->arena, "address", address,
	    &record_address_schema, &record, e);

	if (rc != 1)
		return rc;
	if (!record.destination)
		return err_set(e, ERR_SYNTAX, CDB_NAME ": bad record of %.*s",
		    SLICE_FMT(address));
	found_account(q, record.account, record.destination, address);
	if (slice_is(record.reports, "dmarc"))
		q->r.reports = LOOKUP_REPORTS_DMARC;
	else if (record.reports.n > 0)
		q->r.reports = LOOKUP_REPORTS_TLS;
	if (q->r.destination->smtp_error.n > 0 && !q->login)
		smtp_error(&q->r);
	return 1;
}

static int
alias_record(struct query *q, struct slice address, struct err *e)
{
	struct conf_alias *alias = arena_alloc(q->arena, sizeof(*alias));
	int rc = get_struct(q->lookup, q->arena, "alias", address,
	    &conf_alias_schema, alias, e);

	if (rc != 1)
		return rc;
	alias->name = slice_head(address, (size_t)slice_rchr(address, '@'));
	q->r.status = LOOKUP_ALIAS;
	q->r.address = address;
	q->r.alias = alias;
	return 1;
}

/* Exact address; alias; catchall; postmaster of the host. */
static int
local_address(struct query *q, const struct record_rules *rules,
    struct slice domain, struct err *e)
{
	struct slice local = name_canonical(q->arena, &rules->rules, q->local);
	struct slice address = name_join(q->arena, local, domain);
	int rc = address_record(q, address, e);

	if (rc == 0)
		rc = alias_record(q, address, e);
	if (rc == 0)
		rc = address_record(q, name_join(q->arena, SLICE_NULL, domain),
		    e);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	q->r.address = address;
	q->r.status = LOOKUP_UNKNOWN_USER;
	if (slice_is(local, "postmaster") && !q->login)
		found_postmaster(q);
	return 0;
}

static int
resolve(struct query *q, struct slice domain, struct err *e)
{
	struct record_rules rules = { .disabled = false };
	int rc;

	q->r = (struct lookup_result){ .status = LOOKUP_NOT_LOCAL };
	q->local = name_nfc(q->arena, q->local);
	if (domain.n > 0 &&
	    idna_ascii(q->arena, domain, &q->r.domain, NULL) < 0)
		return 0;
	domain = q->r.domain;
	if (host_address(q, domain))
		return 0;
	rc = get_struct(q->lookup, q->arena, "rules", domain,
	    &record_rules_schema, &rules, e);
	if (rc < 0)
		return -1;
	if (rc == 0 || rules.reports_only)
		return 0;
	if (rules.disabled && !q->login) {
		q->r.status = LOOKUP_DOMAIN_DISABLED;
		return 0;
	}
	return local_address(q, &rules, domain, e);
}

int
lookup_address(struct lookup *lookup, struct arena *arena,
    struct slice localpart, struct slice domain, struct lookup_result *r,
    struct err *e)
{
	struct query q = {
		.lookup = lookup, .arena = arena, .local = localpart
	};
	int rc = resolve(&q, domain, e);

	*r = q.r;
	return rc;
}

/* Split at the last @ and unquote. False if it is no address. */
static bool
split(struct arena *arena, struct slice address, struct slice *local_r,
    struct slice *domain_r)
{
	ssize_t at = slice_rchr(address, '@');

	if (at <= 0)
		return false;
	*domain_r = slice_skip(address, (size_t)at + 1);
	return name_localpart(arena, slice_head(address, (size_t)at), local_r);
}

int
lookup_mailbox(struct lookup *lookup, struct arena *arena, struct slice address,
    struct lookup_result *r, struct err *e)
{
	struct slice local, domain;

	*r = (struct lookup_result){ .status = LOOKUP_NOT_LOCAL };
	if (!split(arena, address, &local, &domain))
		return 0;
	return lookup_address(lookup, arena, local, domain, r, e);
}

int
lookup_login(struct lookup *lookup, struct arena *arena, struct slice login,
    struct lookup_result *r, struct err *e)
{
	struct query q = { .lookup = lookup, .arena = arena, .login = true };
	struct slice domain;

	*r = (struct lookup_result){ .status = LOOKUP_NOT_LOCAL };
	if (!split(arena, name_nfc(arena, login), &q.local, &domain))
		return 0;
	if (resolve(&q, domain, e) < 0)
		return -1;
	*r = q.r;
	if (r->status == LOOKUP_ALIAS)
		r->status = LOOKUP_UNKNOWN_USER;
	return 0;
}

/* Does one of the alias's members belong to the account? */
static int
is_member(struct lookup *lookup, struct arena *arena,
    const struct conf_alias *alias, struct slice account, struct err *e)
{
	struct lookup_result member;

	for (size_t i = 0; i < alias->addresses.n; i++) {
		if (lookup_login(lookup, arena, alias->addresses.v[i], &member,
			e) < 0)
			return -1;
		if (member.status == LOOKUP_ACCOUNT &&
		    slice_eq(member.account, account))
			return 1;
	}
	return 0;
}

int
lookup_may_send(struct lookup *lookup, struct slice account,
    struct slice localpart, struct slice domain, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct query q = { lookup, arena, localpart, true,
		{ .status = LOOKUP_NOT_LOCAL } };
	int rc = resolve(&q, domain, e);

	if (rc == 0 && q.r.status == LOOKUP_ACCOUNT)
		rc = slice_eq(q.r.account, account);
	else if (rc == 0 && q.r.status == LOOKUP_ALIAS &&
	    q.r.alias->allow_msg_from)
		rc = is_member(lookup, arena, q.r.alias, account, e);
	arena_free(&arena);
	return rc;
}
