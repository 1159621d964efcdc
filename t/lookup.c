/*
 * Addresses to accounts, through a compiled domains.cdb.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "config/domains_cdb.h"
#include "config/lookup.h"
#include "t/tmp.h"
#include "t/unit.h"

static const char mox_conf[] = "DataDir: ../data\n"
			       "LogLevel: info\n"
			       "Hostname: mail.example.org\n"
			       "Listeners:\n"
			       "\tpublic:\n"
			       "\t\tHostname: MX.example.org\n"
			       "\t\tIPs:\n"
			       "\t\t\t- 127.0.0.1\n"
			       "\t\tSMTP:\n"
			       "\t\t\tEnabled: true\n"
			       "\t\t\tNoSTARTTLS: true\n"
			       "\tother:\n"
			       "\t\tHostname: imap.example.org\n"
			       "\t\tIPs:\n"
			       "\t\t\t- 127.0.0.1\n"
			       "Postmaster:\n"
			       "\tAccount: mjl\n"
			       "\tMailbox: Post\n"
			       "HostTLSRPT:\n"
			       "\tAccount: mjl\n"
			       "\tMailbox: HostTLS\n"
			       "\tLocalpart: tls-reports\n"
			       "QuotaMessageSize: 1000\n";

static const char domains_conf[] = "Domains:\n"
				   "\texample.org:\n"
				   "\t\tLocalpartCatchallSeparators:\n"
				   "\t\t\t- +\n"
				   "\t\t\t- -\n"
				   "\t\tDMARC:\n"
				   "\t\t\tLocalpart: DMARC-reports\n"
				   "\t\t\tAccount: anna\n"
				   "\t\t\tMailbox: DMARC\n"
				   "\t\tAliases:\n"
				   "\t\t\tteam:\n"
				   "\t\t\t\tAddresses:\n"
				   "\t\t\t\t\t- mjl@example.org\n"
				   "\t\t\t\t\t- anna@case.example\n"
				   "\t\t\t\tAllowMsgFrom: true\n"
				   "\t\t\tquiet:\n"
				   "\t\t\t\tAddresses:\n"
				   "\t\t\t\t\t- mjl@example.org\n"
				   "\tcase.example:\n"
				   "\t\tLocalpartCaseSensitive: true\n"
				   "\t\tDescription: Fu\xc3\x9f\n"
				   "\tb\xc3\xbc"
				   "cher.example: nil\n"
				   "\tall.example:\n"
				   "\t\tLocalpartCatchallSeparator: +\n"
				   "\toff.example:\n"
				   "\t\tDisabled: true\n"
				   "\treports.example:\n"
				   "\t\tTLSRPT:\n"
				   "\t\t\tLocalpart: tls\n"
				   "\t\t\tDomain: example.org\n"
				   "\t\t\tAccount: anna\n"
				   "\t\t\tMailbox: TLS\n"
				   "Accounts:\n"
				   "\tmjl:\n"
				   "\t\tDomain: example.org\n"
				   "\t\tFullName: M\n"
				   "\t\tDestinations:\n"
				   "\t\t\tMjl@example.org:\n"
				   "\t\t\t\tMailbox: Mine\n"
				   "\t\t\t\"odd one\"@example.org: nil\n"
				   "\t\t\t@all.example:\n"
				   "\t\t\t\tMailbox: All\n"
				   "\t\t\tr\xc3\xa9n\xc3\xa9@b\xc3\xbc"
				   "cher.example: nil\n"
				   "\t\t\tx@off.example: nil\n"
				   "\t\tQuotaMessageSize: -1\n"
				   "\tanna:\n"
				   "\t\tDomain: case.example\n"
				   "\t\tLoginDisabled: on leave\n"
				   "\t\tDestinations:\n"
				   "\t\t\tanna@case.example: nil\n"
				   "\t\t\tAnna@case.example:\n"
				   "\t\t\t\tMailbox: Upper\n"
				   "\t\t\tpostmaster@case.example: nil\n"
				   "\t\t\tlater@all.example:\n"
				   "\t\t\t\tSMTPError: 421\n"
				   "\t\t\tgone@all.example:\n"
				   "\t\t\t\tSMTPError: 550 gone fishing\n";

static struct config *config;
static struct lookup *lookup;
static struct arena *arena;

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && file_write(fd, slice_str(text), NULL) == 0);
	close(fd);
}

/* domains_cdb_refresh; all problems in text. */
static int
refresh(struct slice *problems_r)
{
	struct sconf_errors errors;
	struct buf all = BUF_INIT(10000);
	int rc;

	sconf_errors_init(&errors, arena);
	rc = domains_cdb_refresh(config, &errors);
	for (size_t i = 0; i < errors.n; i++)
		buf_add(&all, sconf_error_format(&errors.v[i], arena));
	*problems_r = arena_dup(arena, buf_slice(&all));
	buf_free(&all);
	return rc;
}

static void
test_open(void)
{
	struct sconf_errors errors;
	struct slice problems;
	struct err e = ERR_INIT;

	sconf_errors_init(&errors, arena);
	CHECK_EQ(config_load("config/mox.conf", &config, &errors), 0);
	CHECK_STR(config->data_dir, "config/../data");
	CHECK_SLICE(config->hostname, SLICE("mail.example.org"));
	CHECK_EQ(lookup_open(config, &lookup, &e), -1);
	CHECK_EQ(refresh(&problems), 1);
	CHECK_SLICE(problems, SLICE(""));
	CHECK_EQ(refresh(&problems), 0);
	CHECK_EQ(lookup_open(config, &lookup, &e), 0);
}

/* ---- addresses ---- */

static const char *
result_text(const struct lookup_result *r)
{
	static const char *const reports[] = { "", " dmarc", " tls",
		" host-tls" };

	switch (r->status) {
	case LOOKUP_ACCOUNT:
		return arena_printf(arena, "%.*s %.*s %.*s%s",
		    SLICE_FMT(r->account), SLICE_FMT(r->address),
		    SLICE_FMT(r->destination->mailbox), reports[r->reports])
		    .p;
	case LOOKUP_ALIAS:
		return arena_printf(arena, "alias %.*s %.*s of %zu",
		    SLICE_FMT(r->address), SLICE_FMT(r->alias->name),
		    r->alias->addresses.n)
		    .p;
	case LOOKUP_SMTP_ERROR:
		return arena_printf(arena, "%d %s %.*s", r->smtp_code,
		    r->smtp_enhanced, SLICE_FMT(r->smtp_text))
		    .p;
	case LOOKUP_UNKNOWN_USER:
		return arena_printf(arena, "unknown %.*s",
		    SLICE_FMT(r->address))
		    .p;
	case LOOKUP_NOT_LOCAL:
		return "not local";
	default:
		return "disabled";
	}
}

static const struct {
	const char *local, *domain, *result;
	const char *login; /* when used to log in; NULL: as result */
} rows[] = {
	/* case, separators */
	{ "mjl", "example.org", "mjl mjl@example.org Mine", NULL },
	{ "MJL", "EXAMPLE.ORG", "mjl mjl@example.org Mine", NULL },
	{ "mjl+x", "example.org", "mjl mjl@example.org Mine", NULL },
	{ "mjl-x+y", "example.org", "mjl mjl@example.org Mine", NULL },
	{ "mjl+x-y", "example.org", "mjl mjl@example.org Mine", NULL },
	{ "+mjl", "example.org", "unknown +mjl@example.org", NULL },
	{ "mjl.x", "example.org", "unknown mjl.x@example.org", NULL },
	{ "odd one", "example.org", "mjl odd one@example.org Inbox",
	    "not local" },
	{ "anna", "case.example", "anna anna@case.example Inbox", NULL },
	{ "Anna", "case.example", "anna Anna@case.example Upper", NULL },
	{ "ANNA", "case.example", "unknown ANNA@case.example", NULL },
	{ "anna+x", "case.example", "unknown anna+x@case.example", NULL },
	/* reports, whose separator does not cut */
	{ "dmarc-reports", "example.org",
	    "anna dmarc-reports@example.org DMARC dmarc", NULL },
	{ "dmarc-reports-x", "example.org",
	    "anna dmarc-reports@example.org DMARC dmarc", NULL },
	{ "dmarc-reportsx", "example.org", "unknown dmarc@example.org", NULL },
	{ "TLS+1", "example.org", "anna tls@example.org TLS tls", NULL },
	{ "tls", "reports.example", "not local", NULL },
	{ "tls-reports", "mail.example.org",
	    "mjl tls-reports@mail.example.org HostTLS host-tls", NULL },
	/* postmaster */
	{ "postmaster", "", "mjl postmaster Post", "unknown " },
	{ "PostMaster", "mail.example.org", "mjl postmaster Post", "unknown " },
	{ "postmaster", "mx.example.org", "mjl postmaster Post", "unknown " },
	{ "postmaster", "imap.example.org", "not local", NULL },
	{ "Postmaster", "example.org", "mjl postmaster Post",
	    "unknown postmaster@example.org" },
	{ "POSTMASTER", "case.example", "anna postmaster@case.example Inbox",
	    NULL },
	{ "postmaster", "all.example", "mjl @all.example All", NULL },
	{ "mjl", "", "not local", NULL },
	{ "mjl", "mail.example.org", "not local", NULL },
	/* aliases */
	{ "Team+x", "example.org", "alias team@example.org team of 2",
	    "unknown team@example.org" },
	/* catchall */
	{ "anything", "all.example", "mjl @all.example All", NULL },
	{ "any+thing", "all.example", "mjl @all.example All", NULL },
	/* SMTPError */
	{ "later", "all.example", "451 4.3.0 error processing",
	    "anna later@all.example Inbox" },
	{ "gone+x", "all.example", "550 5.1.1 gone fishing",
	    "anna gone@all.example Inbox" },
	/* Unicode: composed or not, any case, both forms of the domain */
	{ "r\xc3\xa9n\xc3\xa9",
	    "b\xc3\xbc"
	    "cher.example",
	    "mjl r\xc3\xa9n\xc3\xa9@xn--bcher-kva.example Inbox", NULL },
	{ "re\xcc\x81n\xc3\x89", "XN--bcher-kva.example",
	    "mjl r\xc3\xa9n\xc3\xa9@xn--bcher-kva.example Inbox", NULL },
	{ "rene",
	    "b\xc3\xbc"
	    "cher.example",
	    "unknown rene@xn--bcher-kva.example", NULL },
	/* domains */
	{ "x", "off.example", "disabled", "mjl x@off.example Inbox" },
	{ "x", "example.com", "not local", NULL },
	{ "x", "sub.example.org", "not local", NULL },
	{ "x", "example.org.", "not local", NULL },
	{ "x", "..", "not local", NULL },
	{ "x", "[127.0.0.1]", "not local", NULL },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_addresses(void)
{
	struct lookup_result r;

	for (size_t i = 0; i < N_ROWS; i++) {
		ROW(arena_printf(arena, "%s@%s", rows[i].local, rows[i].domain)
			.p);
		CHECK_EQ(lookup_address(lookup, arena, slice_str(rows[i].local),
			     slice_str(rows[i].domain), &r, NULL),
		    0);
		CHECK_STR(result_text(&r), rows[i].result);
	}
}

static void
test_logins(void)
{
	struct lookup_result r;

	for (size_t i = 0; i < N_ROWS; i++) {
		struct slice login =
		    arena_printf(arena, "%s@%s", rows[i].local, rows[i].domain);
		const char *want =
		    rows[i].login ? rows[i].login : rows[i].result;

		ROW(login.p);
		CHECK_EQ(lookup_login(lookup, arena, login, &r, NULL), 0);
		CHECK_STR(result_text(&r), want);
	}
	ROW("quoted");
	CHECK_EQ(lookup_login(lookup, arena, SLICE("\"odd one\"@example.org"),
		     &r, NULL),
	    0);
	CHECK_STR(result_text(&r), "mjl odd one@example.org Inbox");
	ROW("no address");
	CHECK_EQ(lookup_login(lookup, arena, SLICE("mjl"), &r, NULL), 0);
	CHECK_STR(result_text(&r), "not local");
	CHECK_EQ(lookup_login(lookup, arena, SLICE(""), &r, NULL), 0);
	CHECK_STR(result_text(&r), "not local");
}

static void
test_members(void)
{
	struct lookup_result r, member;

	CHECK_EQ(lookup_mailbox(lookup, arena, SLICE("team@example.org"), &r,
		     NULL),
	    0);
	CHECK_EQ(r.status, LOOKUP_ALIAS);
	CHECK(r.alias->allow_msg_from && !r.alias->post_public);
	CHECK_EQ(lookup_mailbox(lookup, arena, r.alias->addresses.v[1], &member,
		     NULL),
	    0);
	CHECK_STR(result_text(&member), "anna anna@case.example Inbox");
}

static void
test_may_send(void)
{
	static const struct {
		const char *account, *local, *domain;
		int may;
	} may[] = {
		{ "mjl", "mjl+list", "example.org", 1 },
		{ "mjl", "whoever", "all.example", 1 },
		{ "mjl", "x", "off.example", 1 },
		{ "mjl", "anna", "case.example", 0 },
		{ "mjl", "team", "example.org", 1 },
		{ "anna", "team", "example.org", 1 },
		{ "anna", "quiet", "example.org", 0 },
		{ "mjl", "quiet", "example.org", 0 },
		{ "mjl", "postmaster", "example.org", 0 },
		{ "mjl", "x", "example.com", 0 },
		{ "mjl", "", "", 0 },
		{ "anna", "gone", "all.example", 1 },
	};

	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		ROW(arena_printf(arena, "%s %s@%s", may[i].account,
		    may[i].local, may[i].domain)
			.p);
		CHECK_EQ(lookup_may_send(lookup, slice_str(may[i].account),
			     slice_str(may[i].local), slice_str(may[i].domain),
			     NULL),
		    may[i].may);
	}
}

/* ---- settings ---- */

static void
test_settings(void)
{
	const struct conf_account *account;
	const struct conf_domain *domain;
	struct conf_strings addresses;
	struct slice name;
	unsigned pos = 0;

	CHECK_EQ(lookup_account(lookup, arena, SLICE("anna"), &account, NULL),
	    1);
	CHECK_SLICE(account->login_disabled, SLICE("on leave"));
	CHECK_EQ(account->destinations.n, 0);
	CHECK_EQ(account->max_outgoing_messages_per_day, 1000);
	CHECK_EQ(lookup_quota(config, account), 1000);
	CHECK_EQ(lookup_account(lookup, arena, SLICE("mjl"), &account, NULL),
	    1);
	CHECK_SLICE(account->name, SLICE("mjl"));
	CHECK_EQ(lookup_quota(config, account), 0);
	CHECK_EQ(lookup_account(lookup, arena, SLICE("x"), &account, NULL), 0);

	CHECK_EQ(lookup_account_addresses(lookup, arena, SLICE("anna"),
		     &addresses, NULL),
	    1);
	CHECK_EQ(addresses.n, 5);
	CHECK_SLICE(addresses.v[1], SLICE("Anna@case.example"));

	CHECK_EQ(lookup_domain(lookup, arena, SLICE("Case.Example"), &domain,
		     NULL),
	    1);
	CHECK_SLICE(domain->description, SLICE("Fu\xc3\x9f"));
	CHECK_EQ(lookup_domain(lookup, arena, SLICE("none.example"), &domain,
		     NULL),
	    0);

	CHECK(lookup_next_account(lookup, arena, &pos, &name));
	CHECK_SLICE(name, SLICE("mjl"));
	CHECK(lookup_next_account(lookup, arena, &pos, &name));
	CHECK_SLICE(name, SLICE("anna"));
	CHECK(!lookup_next_account(lookup, arena, &pos, &name));
}

/* ---- changes ---- */

#define SMALL(domain) \
	"Domains:\n\t" domain ": nil\nAccounts:\n\tmjl:\n\t\tDomain: " domain \
	"\n\t\tDestinations:\n\t\t\tmjl@" domain ": nil\n"

static void
expect(const char *address, const char *result)
{
	struct lookup_result r;

	CHECK_EQ(lookup_mailbox(lookup, arena, slice_str(address), &r, NULL),
	    0);
	CHECK_STR(result_text(&r), result);
}

static void
test_replace(void)
{
	struct lookup_result r;
	struct slice problems;
	int64_t now = 10 * SCHEMA_SECOND;

	lookup_refresh(lookup, now);
	lookup_mailbox(lookup, arena, SLICE("mjl@example.org"), &r, NULL);
	write_file("config/domains.conf", SMALL("new.example"));
	CHECK_EQ(refresh(&problems), 1);
	CHECK(!lookup_refresh(lookup, now + SCHEMA_SECOND / 2));
	expect("mjl@new.example", "not local");
	CHECK(lookup_refresh(lookup, now + SCHEMA_SECOND));
	expect("mjl@new.example", "mjl mjl@new.example Inbox");
	/* What was found before lives on. */
	CHECK_STR(result_text(&r), "mjl mjl@example.org Mine");
}

static void
test_bad_version(void)
{
	struct slice problems;

	write_file("config/domains.conf", "Domains:\n x\n");
	CHECK_EQ(refresh(&problems), -1);
	CHECK(slice_starts(problems, SLICE("config/domains.conf:")));
	lookup_refresh(lookup, 20 * SCHEMA_SECOND);
	expect("mjl@new.example", "mjl mjl@new.example Inbox");

	CHECK(unlink("config/domains.conf") == 0);
	CHECK_EQ(refresh(&problems), -1);
	expect("mjl@new.example", "mjl mjl@new.example Inbox");

	/* A damaged file is not taken, and mended by the next refresh. */
	write_file("config/domains.conf", SMALL("third.example"));
	write_file("data/lookup/domains.cdb", "x");
	CHECK(!lookup_refresh(lookup, 30 * SCHEMA_SECOND));
	CHECK_EQ(refresh(&problems), 1);
	lookup_refresh(lookup, 40 * SCHEMA_SECOND);
	expect("mjl@third.example", "mjl mjl@third.example Inbox");
}

static void
test_poll(void)
{
	struct domains_cdb_watch watch = { .next = 0 };

	domains_cdb_poll(config, &watch, 0);
	write_file("config/domains.conf", SMALL("fourth.example"));
	domains_cdb_poll(config, &watch, SCHEMA_SECOND / 2);
	lookup_refresh(lookup, 50 * SCHEMA_SECOND);
	expect("mjl@third.example", "mjl mjl@third.example Inbox");
	domains_cdb_poll(config, &watch, SCHEMA_SECOND);
	lookup_refresh(lookup, 60 * SCHEMA_SECOND);
	expect("mjl@fourth.example", "mjl mjl@fourth.example Inbox");
}

/* A large file is compiled aside. */
static void
test_background(void)
{
	struct domains_cdb_watch watch = { .next = 0 };
	struct buf b = BUF_INIT(20 << 20);
	int status;

	while (b.n < (9 << 20))
		buf_addz(&b, "# nothing but to fill the file, line by line\n");
	buf_addz(&b, SMALL("large.example"));
	write_file("config/domains.conf", buf_cstr(&b));
	domains_cdb_poll(config, &watch, 0);
	CHECK(wait(&status) > 0 && WIFEXITED(status));
	lookup_refresh(lookup, 70 * SCHEMA_SECOND);
	expect("mjl@large.example", "mjl mjl@large.example Inbox");
	domains_cdb_poll(config, &watch, 100 * SCHEMA_SECOND);
	CHECK(wait(&status) < 0);
	CHECK(watch.dealt);
	buf_free(&b);
}

/* Of several that see a change, one compiles. */
static void
test_concurrent(void)
{
	struct slice problems;
	int status, compiled = 0;

	write_file("config/domains.conf", SMALL("fifth.example"));
	for (int i = 0; i < 6; i++)
		if (fork() == 0)
			_exit(refresh(&problems));
	for (int i = 0; i < 6; i++) {
		CHECK(wait(&status) > 0 && WIFEXITED(status));
		CHECK(WEXITSTATUS(status) <= 1);
		compiled += WEXITSTATUS(status);
	}
	CHECK_EQ(compiled, 1);
}

int
main(void)
{
	char dir[TMP_PATH];

	unsetenv("MOX_LOGLEVEL");
	if (!mkdtemp(tmp_template(dir, "mox-lookup")) || chdir(dir) < 0 ||
	    mkdir("config", 0700) < 0)
		return 111;
	arena = arena_new(0);
	log_init("lookup", LOG_FATAL);
	write_file("config/mox.conf", mox_conf);
	write_file("config/domains.conf", domains_conf);
	RUN(test_open);
	if (lookup) {
		RUN(test_addresses);
		RUN(test_logins);
		RUN(test_members);
		RUN(test_may_send);
		RUN(test_settings);
		RUN(test_replace);
		RUN(test_bad_version);
		RUN(test_poll);
		RUN(test_background);
		RUN(test_concurrent);
	}
	lookup_close(&lookup);
	config_free(&config);
	arena_free(&arena);
	file_remove_tree(AT_FDCWD, dir, NULL);
	return unit_done();
}
