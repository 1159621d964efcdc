/*
 * Edits of domains.conf: what becomes of the text, and what is refused.
 */
#include "base/clock.h"
#include "config/edit.h"
#include "config/lookup.h"
#include "t/scratch.h"

static const char mox_conf[] = "DataDir: data\n"
			       "LogLevel: info\n"
			       "Hostname: mail.example.org\n"
			       "Listeners:\n"
			       "\tpublic:\n"
			       "\t\tIPs:\n"
			       "\t\t\t- 192.0.2.1\n"
			       "\t\tMTASTSHTTPS:\n"
			       "\t\t\tEnabled: true\n"
			       "\t\t\tNonTLS: true\n"
			       "Postmaster:\n"
			       "\tAccount: mjl\n"
			       "\tMailbox: Postmaster\n";

static const char domains_conf[] = "# Ours.\n"
				   "Domains:\n"
				   "\t# The first.\n"
				   "\texample.org:\n"
				   "\t\tLocalpartCatchallSeparator: +\n"
				   "\t\t# Reports.\n"
				   "\t\tDMARC:\n"
				   "\t\t\tLocalpart: dmarcreports\n"
				   "\t\t\tAccount: mjl\n"
				   "\t\t\tMailbox: DMARC\n"
				   "\t\tAliases:\n"
				   "\t\t\tteam:\n"
				   "\t\t\t\tAddresses:\n"
				   "\t\t\t\t\t- mjl@example.org\n"
				   "\t\t\t\t\t# Anna.\n"
				   "\t\t\t\t\t- anna@example.org\n"
				   "\t\t\tone:\n"
				   "\t\t\t\tAddresses:\n"
				   "\t\t\t\t\t- info@example.org\n"
				   "\n"
				   "\tb\xc3\xbc"
				   "cher.example: nil\n"
				   "\t# No more.\n"
				   "\n"
				   "Accounts:\n"
				   "\tmjl:\n"
				   "\t\tDomain: example.org\n"
				   "\t\tDestinations:\n"
				   "\t\t\tmjl@example.org: nil\n"
				   "\t\t\tpostmaster@example.org: nil\n"
				   "\n"
				   "\tanna:\n"
				   "\t\tDomain: example.org\n"
				   "\t\tFromIDLoginAddresses:\n"
				   "\t\t\t- Anna@example.org\n"
				   "\t\tDestinations:\n"
				   "\t\t\tanna@example.org: nil\n"
				   "\t\t\t# Nobody else.\n"
				   "\t\t\tinfo@example.org: nil\n"
				   "\t\t\t@b\xc3\xbc"
				   "cher.example: nil\n"
				   "\t\tFullName: Anna # no comment\n"
				   "# The end.\n";

#define NEW_ACCOUNT(name, domain, addresses) \
	"\t" name ":\n" \
	"\t\tDomain: " domain "\n" \
	"\t\tDestinations:\n" addresses "\t\tSubjectPass:\n" \
	"\t\t\tPeriod: 12h0m0s\n" \
	"\t\tRejectsMailbox: Rejects\n" \
	"\t\tAutomaticJunkFlags:\n" \
	"\t\t\tEnabled: true\n" \
	"\t\t\tJunkMailboxRegexp: ^(junk|spam)\n" \
	"\t\t\tNeutralMailboxRegexp: " \
	"^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects)\n" \
	"\t\tJunkFilter:\n" \
	"\t\t\tThreshold: 0.950000\n" \
	"\t\t\tParams:\n" \
	"\t\t\t\tOnegrams: true\n" \
	"\t\t\t\tMaxPower: 0.010000\n" \
	"\t\t\t\tTopWords: 10\n" \
	"\t\t\t\tIgnoreWords: 0.100000\n" \
	"\t\t\t\tRareWords: 2\n" \
	"\t\tNoCustomPassword: true\n"

/* Words of an edit: "address add ADDRESS ACCOUNT". */
static const struct {
	const char *words;
	const char *from, *to; /* what changes in the text, or */
	const char *problem;   /* why not */
} rows[] = {
	/* ---- accounts ---- */
	{ "account add bob bob@example.org", "# The end.\n",
	    NEW_ACCOUNT("bob", "example.org",
		"\t\t\tbob@example.org: nil\n") "# The end.\n",
	    NULL },
	{ "account add bob Bob@XN--BCHER-KVA.example", "# The end.\n",
	    NEW_ACCOUNT("bob",
		"b\xc3\xbc"
		"cher.example",
		"\t\t\tBob@b\xc3\xbc"
		"cher.example: nil\n") "# The end.\n",
	    NULL },
	{ "account add anna x@example.org", NULL, NULL,
	    "there is an account \"anna\" already" },
	{ "account add bob anna@example.org", NULL, NULL,
	    "anna@example.org belongs to account \"anna\" already" },
	{ "account add bob TEAM@example.org", NULL, NULL,
	    "TEAM@example.org is an alias already" },
	{ "account add bob dmarcreports@example.org", NULL, NULL,
	    "dmarcreports@example.org belongs to account \"mjl\" already, for "
	    "reports" },
	{ "account add bob bob", NULL, NULL,
	    "\"bob\" is no address: expected localpart@domain, or @domain for "
	    "all others of the domain" },
	{ "account add bob bob@other.example", NULL, NULL,
	    "domains.conf:44: Destinations: the domain of "
	    "\"bob@other.example\" is none of Domains" },
	{ "account add bob b+c@example.org", NULL, NULL,
	    "domains.conf:44: \"b+c@example.org\" has the separator \"+\" of "
	    "its domain" },
	{ "account add b/b bob@example.org", NULL, NULL,
	    "domains.conf:41: Accounts: must be a name of at most 128 bytes "
	    "without / and @, not beginning with a dot, not \"b/b\"" },
	{ "account add a:b bob@example.org", NULL, NULL,
	    "an account name has no colon: \"a:b\"" },
	{ "account add kept bob@example.org", NULL, NULL,
	    "there is mail of an account \"kept\" already, in " },
	{ "account rm nobody", NULL, NULL, "there is no account \"nobody\"" },
	{ "account rm anna", NULL, NULL,
	    "info@example.org is the last member of alias one@example.org: "
	    "remove the alias first" },
	{ "account rm mjl", NULL, NULL,
	    "mox.conf:12: Postmaster: there is no account \"mjl\" in "
	    "domains.conf" },
	{ "account disable anna gone for now", "\t\t\t- Anna@example.org\n",
	    "\t\t\t- Anna@example.org\n"
	    "\t\tLoginDisabled: gone for now\n",
	    NULL },
	{ "account disable anna gr\xc3\xbc\xc3\x9f", NULL, NULL,
	    "domains.conf:35: LoginDisabled: must be at most 256 characters "
	    "of printable ASCII, not \"gr\xc3\xbc\xc3\x9f\"" },
	{ "account enable anna", "", "", NULL },

	/* ---- addresses ---- */
	{ "address add x@example.org anna", "cher.example: nil\n\t\tFull",
	    "cher.example: nil\n\t\t\tx@example.org: nil\n\t\tFull", NULL },
	{ "address add @example.org mjl", "\t\t\tpostmaster@example.org: nil\n",
	    "\t\t\tpostmaster@example.org: nil\n\t\t\t@example.org: nil\n",
	    NULL },
	{ "address add info@example.org mjl", NULL, NULL,
	    "info@example.org belongs to account \"anna\" already" },
	{ "address add y@example.org nobody", NULL, NULL,
	    "there is no account \"nobody\"" },
	{ "address rm ANNA@example.org", NULL, NULL, NULL },
	{ "address rm info@example.org", NULL, NULL,
	    "info@example.org is the last member of alias one@example.org: "
	    "remove the alias first" },
	{ "address rm @xn--bcher-kva.example",
	    "\t\t\t@b\xc3\xbc"
	    "cher.example: nil\n",
	    "", NULL },
	{ "address rm postmaster@example.org", NULL, NULL,
	    "postmaster@example.org is the postmaster of its domain, which "
	    "every domain has: it goes with the domain" },
	{ "address rm dmarcreports@example.org", NULL, NULL,
	    "dmarcreports@example.org is where reports are delivered: change "
	    "DMARC of its domain first" },
	{ "address rm team@example.org", NULL, NULL,
	    "team@example.org is an alias: alias rm removes it" },
	{ "address rm nobody@example.org", NULL, NULL,
	    "nobody has the address nobody@example.org" },
	{ "address rm mjl@example.org", NULL, NULL,
	    "mjl@example.org is used by a test" },

	/* ---- domains ---- */
	{ "domain rm xn--bcher-kva.example", NULL, NULL,
	    "domains.conf:38: Destinations: the domain of "
	    "\"@b\xc3\xbc"
	    "cher.example\" is none of Domains" },
	{ "domain rm example.org", NULL, NULL,
	    "mjl@example.org is used by a test" },
	{ "domain rm other.example", NULL, NULL,
	    "there is no domain \"other.example\"" },
	{ "domain disable example.org", "\texample.org:\n",
	    "\texample.org:\n\t\tDisabled: true\n", NULL },
	{ "domain disable B\xc3\x9c"
	  "cher.example",
	    "cher.example: nil\n", "cher.example:\n\t\tDisabled: true\n",
	    NULL },
	{ "domain enable example.org", "", "", NULL },
	{ "domain add example.org mjl", NULL, NULL,
	    "there is a domain \"example.org\" already" },
	{ "domain add new.example bob", NULL, NULL,
	    "there is no account \"bob\": give the localpart of its address "
	    "to make it" },
	{ "domain add new.example anna bob", NULL, NULL,
	    "account \"anna\" exists: a localpart is for new accounts only" },
	{ "domain add new..example mjl", NULL, NULL,
	    "\"new..example\" is no domain: " },

	/* ---- aliases ---- */
	{ "alias add all@example.org mjl@example.org anna@example.org",
	    "\n\tb\xc3\xbc",
	    "\t\t\tall:\n\t\t\t\tAddresses:\n\t\t\t\t\t- mjl@example.org\n"
	    "\t\t\t\t\t- anna@example.org\n\t\t\t\tPostPublic: true\n"
	    "\n\tb\xc3\xbc",
	    NULL },
	{ "alias add x@xn--bcher-kva.example mjl@example.org",
	    "cher.example: nil\n",
	    "cher.example:\n\t\tAliases:\n\t\t\tx:\n\t\t\t\tAddresses:\n"
	    "\t\t\t\t\t- mjl@example.org\n\t\t\t\tPostPublic: true\n",
	    NULL },
	{ "alias add Team@example.org mjl@example.org", NULL, NULL,
	    "there is an alias Team@example.org already" },
	{ "alias add anna@example.org mjl@example.org", NULL, NULL,
	    "domains.conf:20: \"anna\" belongs to account \"anna\" already" },
	{ "alias add x@other.example mjl@example.org", NULL, NULL,
	    "there is no domain \"other.example\"" },
	{ "alias add @example.org mjl@example.org", NULL, NULL,
	    "\"@example.org\" is no address of an alias" },
	{ "alias add x@example.org y@example.org", NULL, NULL,
	    "domains.conf:22: Addresses: \"y@example.org\" is no address of "
	    "an account" },
	{ "alias addaddr one@example.org anna@example.org",
	    "\t\t\t\t\t- info@example.org\n",
	    "\t\t\t\t\t- info@example.org\n\t\t\t\t\t- anna@example.org\n",
	    NULL },
	{ "alias addaddr one@example.org info@example.org", NULL, NULL,
	    "domains.conf:20: Addresses: \"info@example.org\" twice" },
	{ "alias rmaddr team@example.org Anna@example.org",
	    "\t\t\t\t\t- anna@example.org\n", "", NULL },
	{ "alias rmaddr team@example.org info@example.org", NULL, NULL,
	    "info@example.org is no member of alias \"team\"" },
	{ "alias rmaddr one@example.org info@example.org", NULL, NULL,
	    "alias one@example.org would have no members: remove the alias "
	    "instead" },
	{ "alias rm one@example.org",
	    "\t\t\tone:\n\t\t\t\tAddresses:\n\t\t\t\t\t- info@example.org\n",
	    "", NULL },
	{ "alias rm two@example.org", NULL, NULL,
	    "there is no alias two@example.org" },

	/* ---- any field ---- */
	{ "set Accounts/anna/FullName Anna B.", "Anna # no comment", "Anna B.",
	    NULL },
	{ "set Accounts/anna/QuotaMessageSize 5", "cher.example: nil\n\t\tFull",
	    "cher.example: nil\n\t\tQuotaMessageSize: 5\n\t\tFull", NULL },
	{ "set Accounts/anna/QuotaMessageSize 5G", NULL, NULL,
	    "QuotaMessageSize: must be a number, not \"5G\"" },
	{ "set Accounts/anna/Quota 5", NULL, NULL,
	    "Quota: there is no such field in anna" },
	{ "set Domains/example.org/Aliases/team/PostPublic true",
	    "\t\t\t\t\t- anna@example.org\n",
	    "\t\t\t\t\t- anna@example.org\n\t\t\t\tPostPublic: true\n", NULL },
	{ "set Domains/example.org/Aliases/team/Addresses/0 info@example.org",
	    "- mjl@example.org", "- info@example.org", NULL },
	{ "set Domains/example.org/Aliases/team/Addresses/3 info@example.org",
	    NULL, NULL, "3: there is no such field in Addresses" },
	{ "set Domains/example.org/Routes -\n\tTransport: t", NULL, NULL,
	    "domains.conf:13: Transport: there is no transport \"t\" in "
	    "mox.conf" },
	{ "set MonitorDNSBLs - bl.example\n- bl2.example", "# The end.\n",
	    "MonitorDNSBLs:\n\t- bl.example\n\t- bl2.example\n# The end.\n",
	    NULL },
	{ "set Accounts/anna/Destinations/info@example.org Mailbox: Info",
	    "info@example.org: nil\n",
	    "info@example.org:\n\t\t\t\tMailbox: Info\n", NULL },
	{ "unset Accounts/anna/FullName", "\t\tFullName: Anna # no comment\n",
	    "", NULL },
	{ "unset Accounts/anna/Domain", NULL, NULL,
	    "domains.conf:32: Domain:" },
	{ "unset Domains/example.org/Aliases/one",
	    "\t\t\tone:\n\t\t\t\tAddresses:\n\t\t\t\t\t- info@example.org\n",
	    "", NULL },
	{ "unset Domains/example.org/Aliases/two", "", "", NULL },
};

/* ---- words to calls ---- */

static struct arena *arena;
static struct config *config;

static struct slice
word(struct slice *rest)
{
	struct slice w = SLICE_NULL;

	slice_next(rest, ' ', &w);
	return w;
}

static int
edit_account_words(struct edit *edit, struct slice verb, struct slice rest,
    struct err *e)
{
	struct slice name = word(&rest);

	if (slice_is(verb, "add"))
		return edit_account_add(edit, name, rest, e);
	if (slice_is(verb, "rm"))
		return edit_account_remove(edit, name, e);
	return edit_account_disable(edit, name, rest, e);
}

static int
edit_domain_words(struct edit *edit, struct slice verb, struct slice rest,
    struct err *e)
{
	struct slice name = word(&rest), account;

	if (slice_is(verb, "add")) {
		account = word(&rest);
		return edit_domain_add(edit, name, false, account, rest, e);
	}
	if (slice_is(verb, "rm"))
		return edit_domain_remove(edit, name, e);
	return edit_domain_disable(edit, name, slice_is(verb, "disable"), e);
}

static int
edit_alias_words(struct edit *edit, struct slice verb, struct slice rest,
    struct err *e)
{
	struct slice name = word(&rest), members[8], w;
	size_t n = 0;

	while (n < 8 && slice_next(&rest, ' ', &w))
		members[n++] = w;
	if (slice_is(verb, "add"))
		return edit_alias_add(edit, name, members, n, e);
	if (slice_is(verb, "rm"))
		return edit_alias_remove(edit, name, e);
	if (slice_is(verb, "addaddr"))
		return edit_alias_add_members(edit, name, members, n, e);
	return edit_alias_remove_members(edit, name, members, n, e);
}

static int
edit_path_words(struct edit *edit, bool set, struct slice rest, struct err *e)
{
	struct slice text, path[8];
	size_t n = 0;

	slice_cut(rest, ' ', &text, &rest);
	while (n < 8 && slice_next(&text, '/', &path[n]))
		n++;
	return set ? edit_set(edit, path, n, rest, e)
		   : edit_unset(edit, path, n, e);
}

static int
edit_words(struct edit *edit, struct slice words, struct err *e)
{
	struct slice what = word(&words), verb;

	if (slice_is(what, "set") || slice_is(what, "unset"))
		return edit_path_words(edit, slice_is(what, "set"), words, e);
	verb = word(&words);
	if (slice_is(what, "account"))
		return edit_account_words(edit, verb, words, e);
	if (slice_is(what, "domain"))
		return edit_domain_words(edit, verb, words, e);
	if (slice_is(what, "alias"))
		return edit_alias_words(edit, verb, words, e);
	if (slice_is(verb, "add")) {
		struct slice address = word(&words);

		return edit_address_add(edit, address, words, e);
	}
	return edit_address_remove(edit, words, e);
}

/* Do it; the first problem, or the empty slice. */
static struct slice
run_edit(const char *words)
{
	struct sconf_errors errors;
	struct err e = ERR_INIT;
	struct edit *edit;
	struct slice line;
	int rc = -1;

	sconf_errors_init(&errors, arena);
	if (edit_begin(config, &edit, &errors, &e) == 0) {
		edit_protect(edit, SLICE("MJL@example.org"), SLICE("a test"));
		if (edit_words(edit, slice_str(words), &e) < 0)
			edit_cancel(&edit);
		else
			rc = edit_commit(&edit, &errors, &e);
	}
	CHECK(edit == NULL);
	CHECK_EQ(rc < 0, e.kind != ERR_NONE || errors.errors > 0);
	if (e.kind != ERR_NONE)
		return arena_printf(arena, "%s", e.text);
	sconf_errors_sort(&errors);
	for (size_t i = 0; i < errors.n; i++)
		if (!errors.v[i].warning) {
			line = sconf_error_format(&errors.v[i], arena);
			return slice_skip(line,
			    (size_t)slice_rchr(slice_head(line,
						   (size_t)slice_chr(line,
						       ':')),
				'/') +
				1);
		}
	return SLICE_NULL;
}

/* ---- tests ---- */

static void
check_text(const char *from, const char *to)
{
	struct buf want = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
	struct slice text = slice_str(domains_conf), needle = slice_str(from);
	ssize_t at = slice_find(text, needle);

	CHECK(at >= 0);
	buf_add(&want, slice_head(text, (size_t)at));
	buf_addz(&want, to);
	buf_add(&want, slice_skip(text, (size_t)at + needle.n));
	CHECK_SLICE(scratch_get("domains.conf", &got), buf_slice(&want));
	buf_free(&want);
	buf_free(&got);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice got, want = slice_str(rows[i].problem);

		ROW(rows[i].words);
		scratch_put("domains.conf", slice_str(domains_conf));
		got = run_edit(rows[i].words);
		if (want.n > 0)
			CHECK_SLICE(slice_head(got, want.n), want);
		else
			CHECK_SLICE(got, want);
		if (want.n > 0)
			check_text("", "");
		else if (rows[i].from)
			check_text(rows[i].from, rows[i].to);
	}
}

/* Names of files in a folder, sorted, as lines. */
static struct slice
names_in(const char *folder)
{
	struct slice *names, all = SLICE_NULL;
	size_t n = 0;

	file_list(scratch_fd, folder, arena, &names, &n, NULL);
	for (size_t i = 0; i < n; i++)
		all = arena_printf(arena, "%.*s%.*s\n", SLICE_FMT(all),
		    SLICE_FMT(names[i]));
	return all;
}

static void
test_domain(void)
{
	static const char key_a[] = "2026a._domainkey.xn--wgv71a.example."
				    "20260102T030405.rsa2048.privatekey."
				    "pkcs8.pem",
			  key_b[] = "2026b._domainkey.xn--wgv71a.example."
				    "20260102T030405.rsa2048.privatekey."
				    "pkcs8.pem";
	struct slice keys = arena_printf(arena, "%s\n%s\n", key_a, key_b);

	scratch_put("now", SLICE("1767323045"));
	setenv("MOX_FAKE_TIME", "now", 1);
	scratch_put("domains.conf", slice_str(domains_conf));
	CHECK_SLICE(run_edit("domain add xn--wgv71a.example mjl"), SLICE(""));
	check_text("\t# No more.\n\n",
	    arena_printf(arena,
		"\t\xe6\x97\xa5\xe6\x9c\xac.example:\n"
		"\t\tClientSettingsDomain: "
		"mail.\xe6\x97\xa5\xe6\x9c\xac.example\n"
		"\t\tLocalpartCatchallSeparator: +\n"
		"\t\tDKIM:\n"
		"\t\t\tSelectors:\n"
		"\t\t\t\t2026a:\n"
		"\t\t\t\t\tExpiration: 72h0m0s\n"
		"\t\t\t\t\tPrivateKeyFile: dkim/%s\n"
		"\t\t\t\t2026b:\n"
		"\t\t\t\t\tExpiration: 72h0m0s\n"
		"\t\t\t\t\tPrivateKeyFile: dkim/%s\n"
		"\t\t\tSign:\n"
		"\t\t\t\t- 2026a\n"
		"\t\tDMARC:\n"
		"\t\t\tLocalpart: dmarcreports\n"
		"\t\t\tAccount: mjl\n"
		"\t\t\tMailbox: DMARC\n"
		"\t\tMTASTS:\n"
		"\t\t\tPolicyID: 20260102T030405\n"
		"\t\t\tMode: enforce\n"
		"\t\t\tMaxAge: 24h0m0s\n"
		"\t\t\tMX:\n"
		"\t\t\t\t- mail.example.org\n"
		"\t\tTLSRPT:\n"
		"\t\t\tLocalpart: tlsreports\n"
		"\t\t\tAccount: mjl\n"
		"\t\t\tMailbox: TLSRPT\n"
		"\t# No more.\n\n",
		key_a, key_b)
		.p);
	CHECK_SLICE(names_in("dkim"), keys);
	/* What is refused leaves no keys. */
	scratch_put("now", SLICE("1767323046"));
	CHECK(run_edit("domain add second.example mjl@ x").n > 0);
	CHECK_SLICE(names_in("dkim"), keys);
	CHECK_SLICE(run_edit("domain rm \xe6\x97\xa5\xe6\x9c\xac.example"),
	    SLICE(""));
	check_text("", "");
	CHECK_SLICE(names_in("dkim"), SLICE("old\n"));
	CHECK_SLICE(names_in("dkim/old"), keys);
	unsetenv("MOX_FAKE_TIME");
}

/* An account comes with the domain, and postmaster goes with it. */
static void
test_domain_account(void)
{
	struct buf text = BUF_INIT(1 << 20);

	scratch_put("domains.conf", slice_str(domains_conf));
	CHECK_SLICE(run_edit("domain add new.example bob b"), SLICE(""));
	scratch_get("domains.conf", &text);
	CHECK(slice_find(buf_slice(&text),
		  SLICE("\tbob:\n\t\tDomain: new.example\n"
			"\t\tDestinations:\n"
			"\t\t\tb@new.example: nil\n"
			"\t\t\tpostmaster@new.example: nil\n")) >= 0);
	CHECK(slice_find(run_edit("domain rm new.example"),
		  SLICE("the domain of \"b@new.example\" is none of "
			"Domains")) >= 0);
	CHECK_SLICE(run_edit("address add c@new.example anna"), SLICE(""));
	CHECK_SLICE(run_edit("address rm b@new.example"), SLICE(""));
	CHECK_SLICE(run_edit("address rm c@new.example"), SLICE(""));
	CHECK_SLICE(run_edit("domain rm new.example"), SLICE(""));
	CHECK_SLICE(run_edit("account rm bob"), SLICE(""));
	check_text("", "");
	buf_free(&text);
}

static enum lookup_status
status_of(struct lookup *lookup, const char *address)
{
	struct lookup_result result;

	CHECK_EQ(lookup_mailbox(lookup, arena, slice_str(address), &result,
		     NULL),
	    0);
	return result.status;
}

/* The compiled file is there when commit returns. */
static void
test_in_effect(void)
{
	struct lookup *lookup;
	struct err e = ERR_INIT;

	scratch_put("domains.conf", slice_str(domains_conf));
	CHECK_SLICE(run_edit("address add new@example.org anna"), SLICE(""));
	CHECK_EQ(lookup_open(config, &lookup, &e), 0);
	CHECK_EQ(status_of(lookup, "new@example.org"), LOOKUP_ACCOUNT);
	CHECK_SLICE(run_edit("address rm new@example.org"), SLICE(""));
	lookup_refresh(lookup, INT64_MAX / 2);
	CHECK_EQ(status_of(lookup, "new@example.org"), LOOKUP_UNKNOWN_USER);
	lookup_close(&lookup);
}

/* A file that does not load is not touched, nor one somebody else saved. */
static void
test_refused(void)
{
	struct sconf_errors errors;
	struct err e = ERR_INIT;
	struct edit *edit;
	struct buf text = BUF_INIT(1 << 20);

	scratch_put("domains.conf", SLICE("Domains:\n\ta:\n"));
	CHECK(slice_starts(run_edit("account disable anna x"),
	    SLICE("domains.conf: Accounts: required field is missing")));

	scratch_put("domains.conf", slice_str(domains_conf));
	sconf_errors_init(&errors, arena);
	CHECK_EQ(edit_begin(config, &edit, &errors, &e), 0);
	CHECK_EQ(edit_account_disable(edit, SLICE("anna"), SLICE("x"), &e), 0);
	scratch_append("domains.conf", SLICE("# more\n"));
	CHECK_EQ(edit_commit(&edit, &errors, &e), -1);
	CHECK_EQ(e.kind, ERR_TEMP);
	CHECK(edit == NULL);
	CHECK(slice_ends(scratch_get("domains.conf", &text),
	    SLICE("# more\n")));

	/* A line break cannot be smuggled in. */
	scratch_put("domains.conf", slice_str(domains_conf));
	e = (struct err)ERR_INIT;
	CHECK_EQ(edit_begin(config, &edit, &errors, &e), 0);
	edit_account(edit, SLICE("anna"))->full_name =
	    SLICE("Anna\n\t\tKeepRejects: true");
	CHECK_EQ(edit_commit(&edit, &errors, &e), -1);
	CHECK_EQ(e.kind, ERR_SYNTAX);
	check_text("", "");
	buf_free(&text);
}

static void
test_mode(void)
{
	struct stat st;

	scratch_put("real.conf", slice_str(domains_conf));
	CHECK_EQ(fchmodat(scratch_fd, "real.conf", 0640, 0), 0);
	CHECK_EQ(unlinkat(scratch_fd, "domains.conf", 0), 0);
	CHECK_EQ(symlinkat("real.conf", scratch_fd, "domains.conf"), 0);
	CHECK_SLICE(run_edit("account disable anna x"), SLICE(""));
	CHECK_EQ(fstatat(scratch_fd, "domains.conf", &st, AT_SYMLINK_NOFOLLOW),
	    0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(fstatat(scratch_fd, "real.conf", &st, 0), 0);
	CHECK_EQ(st.st_mode & 0777, 0640);
	CHECK_EQ(unlinkat(scratch_fd, "domains.conf", 0), 0);
}

int
main(void)
{
	struct sconf_errors errors;

	unsetenv("MOX_LOGLEVEL");
	arena = arena_new(0);
	scratch_begin();
	if (chdir(scratch_path) < 0)
		return 111;
	scratch_put("mox.conf", slice_str(mox_conf));
	CHECK_EQ(file_mkdirs(scratch_fd, "data/accounts/kept", 0700, NULL), 0);
	sconf_errors_init(&errors, arena);
	CHECK_EQ(config_load("mox.conf", &config, &errors), 0);
	RUN(test_rows);
	RUN(test_domain);
	RUN(test_domain_account);
	RUN(test_in_effect);
	RUN(test_refused);
	RUN(test_mode);
	config_free(&config);
	arena_free(&arena);
	scratch_end();
	return unit_done();
}
