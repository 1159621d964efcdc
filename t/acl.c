/* Unit test of rights and of what accounts share: lib/store/acl.c,
 * acl_change.c, share.c, share_index.c, share_mend.c. */
#include <sys/stat.h>

#include "store/acl.h"
#include "store/mailbox.h"
#include "store/share.h"
#include "store/store_int.h"
#include "t/scratch.h"

static struct store_env env = {
	.run_fd = -1, .hostname = "h", .file_mode = 0600
};
static struct arena *arena;

/* ---- helpers ---- */

static struct store *
account(const char *name)
{
	struct store *st = NULL;
	struct err e = ERR_INIT;

	if (store_create(&st, &env, slice_str(name), NULL, 0, &e) < 0) {
		UNIT_FAIL("create %s: %s", name, e.text);
		exit(1);
	}
	return st;
}

static enum store_code
create(struct store *st, const char *name)
{
	return store_mailbox_create(st, slice_str(name), 0, arena, NULL, NULL,
	    NULL);
}

/* "user=bob" and rights, in the words of the file. */
static struct acl_entry
entry_of(const char *who, const char *rights)
{
	struct acl acl;

	acl_parse(arena_printf(arena, "%s %s\n", who, rights), arena, &acl);
	CHECK_EQ(acl.n, 1);
	return acl.v[0];
}

static enum store_code
change(struct store *st, const char *mailbox, const char *who, enum acl_op op,
    const char *rights)
{
	struct acl_entry entry = entry_of(who, rights);
	struct err e = ERR_INIT;
	enum store_code code =
	    acl_change(st, slice_str(mailbox), &entry, op, &e);

	if (code == STORE_FAILED)
		UNIT_FAIL("%s", e.text);
	return code;
}

static const char *
letters(unsigned rights)
{
	struct buf b = BUF_INIT(100);
	const char *text;

	acl_rights_format(&b, rights, false);
	text = arena_cstr(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* The file, lines with commas between; "-" if there is none. */
static const char *
file(const char *path)
{
	struct buf b = BUF_INIT(1 << 20);
	const char *text = "-";

	if (file_read(scratch_fd, path, &b, NULL) == 1) {
		for (size_t i = 0; i < b.n; i++)
			b.p[i] = b.p[i] == '\n' ? ',' : b.p[i];
		text = arena_cstr(arena, buf_slice(&b));
	}
	buf_free(&b);
	return text;
}

/* What is shared with an account: "owner/mailbox=rights " of each. */
static const char *
shared(const char *with)
{
	struct buf b = BUF_INIT(1 << 20);
	struct shares shares;
	const char *text;

	CHECK_EQ(shares_read(&env, slice_str(with), arena, &shares, NULL), 0);
	for (size_t i = 0; i < shares.n; i++)
		buf_addf(&b, "%.*s/%.*s=%s ",
		    SLICE_FMT(shares.v[i].owner->account),
		    SLICE_FMT(shares.v[i].mailbox),
		    letters(shares.v[i].rights));
	text = arena_cstr(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* ---- rights ---- */

static void
test_letters(void)
{
	static const struct {
		const char *text;
		int rights; /* -1: wrong */
		const char *again, *virtual;
	} rows[] = {
		{ "", 0, "", "" },
		{ "lrs", ACL_LOOKUP | ACL_READ | ACL_SEEN, "lrs", "lrs" },
		{ "atx", ACL_ADMIN | ACL_TRASH | ACL_DELETE, "xta", "xtcda" },
		/* RFC 4314, 2.1.1 */
		{ "lrswida", 0x71f, "lrswitea", "lrswiteda" },
		{ "c", ACL_CREATE | ACL_DELETE, "kx", "kxc" },
		{ "lrswipkxtecda", ACL_ALL, "lrswipkxtea", "lrswipkxtecda" },
		{ "ll", ACL_LOOKUP, "l", "l" },
		/* RFC 4314, 3.1 */
		{ "lrQswicda", -1, NULL, NULL },
		{ "lrqswicda", -1, NULL, NULL },
		{ "l r", -1, NULL, NULL },
		{ "0", -1, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(100);
		unsigned rights;
		bool good;

		ROW(rows[i].text);
		good = acl_rights_parse(slice_str(rows[i].text), &rights);
		CHECK_EQ(good, rows[i].rights >= 0);
		if (!good)
			continue;
		CHECK_EQ(rights & ~0x71fu, rows[i].rights & ~0x71f);
		CHECK_STR(letters(rights), rows[i].again);
		acl_rights_format(&b, rights, true);
		CHECK_STR(buf_cstr(&b), rows[i].virtual);
		buf_free(&b);
	}
	ROW("");
}

static void
test_file(void)
{
	static const struct {
		const char *text, *again;
		size_t bad;
	} rows[] = {
		{ "", "", 0 },
		{ "user=bob lr\n", "user=bob lr\n", 0 },
		/* As Dovecot writes them; comments go. */
		{ "# who\n\nowner lrwstipekxa\nanyone lr\n-user=eve lr\n",
		    "owner lrswipkxtea\nanyone lr\n-user=eve lr\n", 0 },
		{ "anonymous l\nauthenticated\n", "anyone l\nauthenticated \n",
		    0 },
		{ "\"user=bob \\\"the\\\\boss\\\"\" lr\n",
		    "\"user=bob \\\"the\\\\boss\\\"\" lr\n", 0 },
		{ "group=staff lr\ngroup-override=x l\n-group=y r\n",
		    "group=staff lr\ngroup-override=x l\n-group=y r\n", 0 },
		{ "user=bob l :read write-seen vendor-x vendor-y\n",
		    "user=bob lrs :vendor-x vendor-y\n", 0 },
		{ "user=bob :lookup\n", "user=bob l\n", 0 },
		{ "user=bob\n", "user=bob \n", 0 },
		{ "user=bob lr", "user=bob lr\n", 0 },
		/* No sense. */
		{ "bob lr\nuser=eve l\n", "user=eve l\n", 1 },
		{ "user=bob lQ\n", "", 1 },
		{ "user= l\nowner=x l\n--anyone l\n\"user=bob l\n\"x\"y l\n",
		    "", 5 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(1000);
		struct acl acl;

		ROW(rows[i].text);
		acl_parse(slice_str(rows[i].text), arena, &acl);
		acl_format(&acl, &b);
		CHECK_STR(buf_cstr(&b), rows[i].again);
		CHECK_EQ(acl.bad, rows[i].bad);
		buf_free(&b);
	}
	ROW("");
}

static void
test_rights(void)
{
	static const struct {
		const char *text, *owner, *bob, *eve;
	} rows[] = {
		{ "", "lrswipkxtea", "", "" },
		{ "user=bob lr\n", "lrswipkxtea", "lr", "" },
		{ "anyone l\n", "lrswipkxtea", "l", "l" },
		{ "authenticated lr\nanyone l\n", "lrswipkxtea", "lr", "lr" },
		/* What is said of the account itself counts, as with Dovecot. */
		{ "anyone lr\nuser=bob i\n", "lrswipkxtea", "i", "lr" },
		{ "anyone lr\nuser=bob\n", "lrswipkxtea", "", "lr" },
		{ "user=bob l\nuser=bob r\n", "lrswipkxtea", "lr", "" },
		{ "anyone lr\n-user=bob r\n", "lrswipkxtea", "l", "lr" },
		{ "user=bob lrs\n-anyone s\n-user=bob r\n", "lrswipkxtea", "l",
		    "" },
		{ "-anyone lrswipkxtea\n", "lrswipkxtea", "", "" },
		/* The owner may restrict himself, but not lock himself out. */
		{ "owner lr\n", "lra", "", "" },
		{ "owner\n", "la", "", "" },
		{ "owner lr\nuser=anna rs\n", "lrsa", "", "" },
		{ "-owner lrswipkxtea\n", "la", "", "" },
		{ "user=bob lrswipkxtea\n", "lrswipkxtea", "lrswipkxtea", "" },
		{ "group=bob lr\ngroup-override=bob lr\n", "lrswipkxtea", "",
		    "" },
		/* One line of these might have been to take rights away. */
		{ "user=bob lr\nnonsense\n", "lrswipkxtea", "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice anna = SLICE("anna");
		struct acl acl;

		ROW(rows[i].text);
		acl_parse(slice_str(rows[i].text), arena, &acl);
		CHECK_STR(letters(acl_rights(&acl, anna, anna)), rows[i].owner);
		CHECK_STR(letters(acl_rights(&acl, anna, SLICE("bob"))),
		    rows[i].bob);
		CHECK_STR(letters(acl_rights(&acl, anna, SLICE("eve"))),
		    rows[i].eve);
	}
	ROW("");
}

/* ---- changes ---- */

#define LIST(owner, folder) "accounts/" owner "/Maildir/" folder "/" ACL_FILE

static void
test_change(void)
{
	struct store *st = account("anna");
	unsigned rights;

	CHECK_EQ(create(st, "a/b"), STORE_OK);
	CHECK_EQ(change(st, "no", "user=bob", ACL_SET, "l"), STORE_NONEXISTENT);
	CHECK_EQ(change(st, "a", "user=bob", ACL_SET, "lr"), STORE_OK);
	CHECK_STR(file(LIST("anna", ".a")), "user=bob lr,");
	CHECK_STR(file("shared/bob/anna"), "a,");
	CHECK_STR(shared("bob"), "anna/a=lr ");
	CHECK_STR(shared("anna"), "");
	CHECK_EQ(change(st, "a", "user=bob", ACL_ADD, "sw"), STORE_OK);
	CHECK_EQ(change(st, "a", "user=bob", ACL_REMOVE, "r"), STORE_OK);
	CHECK_STR(file(LIST("anna", ".a")), "user=bob lsw,");
	CHECK_STR(shared("bob"), "anna/a=lsw ");
	/* More of him, of everybody, and less. */
	CHECK_EQ(change(st, "Inbox", "user=bob", ACL_SET, "lr"), STORE_OK);
	CHECK_EQ(change(st, "a", "anyone", ACL_SET, "l"), STORE_OK);
	CHECK_STR(file("shared/bob/anna"), "Inbox,a,");
	CHECK_STR(file("shared/@anyone/anna"), "a,");
	CHECK_STR(shared("eve"), "anna/a=l ");
	CHECK_STR(shared("bob"), "anna/Inbox=lr anna/a=lsw ");
	CHECK_EQ(change(st, "a", "user=bob", ACL_SET, ""), STORE_OK);
	CHECK_STR(shared("bob"), "anna/Inbox=lr ");
	CHECK_EQ(change(st, "a", "user=bob", ACL_FORGET, ""), STORE_OK);
	CHECK_STR(shared("bob"), "anna/Inbox=lr anna/a=l ");
	CHECK_EQ(change(st, "a", "anyone", ACL_FORGET, ""), STORE_OK);
	CHECK_STR(file(LIST("anna", ".a")), "-");
	CHECK_STR(file("shared/@anyone/anna"), "-");
	CHECK_EQ(change(st, "Inbox", "user=bob", ACL_FORGET, ""), STORE_OK);
	CHECK_STR(shared("bob"), "");
	/* The owner. */
	CHECK_EQ(change(st, "a", "owner", ACL_REMOVE, "kxal"), STORE_OK);
	CHECK_STR(file(LIST("anna", ".a")), "owner lrswiptea,");
	CHECK_EQ(acl_rights_of(st, SLICE("a"), SLICE("anna"), &rights, NULL),
	    1);
	CHECK_STR(letters(rights), "lrswiptea");
	CHECK_EQ(change(st, "a", "owner", ACL_FORGET, ""), STORE_OK);
	CHECK_EQ(acl_rights_of(st, SLICE("a"), SLICE("anna"), &rights, NULL),
	    1);
	CHECK_EQ(rights, ACL_ALL);
	CHECK_EQ(acl_rights_of(st, SLICE("no"), SLICE("anna"), &rights, NULL),
	    0);
	store_close(&st);
}

static void
test_other_programs(void)
{
	struct store *st = account("dora");
	unsigned rights;

	CHECK_EQ(create(st, "x"), STORE_OK);
	scratch_put(LIST("dora", ".x"), SLICE("# mine\nuser=bob lr\n"));
	CHECK_EQ(acl_rights_of(st, SLICE("x"), SLICE("bob"), &rights, NULL), 1);
	CHECK_STR(letters(rights), "lr");
	scratch_put(LIST("dora", ".x"), SLICE("user=bob l\n"));
	CHECK_EQ(acl_rights_of(st, SLICE("x"), SLICE("bob"), &rights, NULL), 1);
	CHECK_STR(letters(rights), "l");
	/* Lines that make no sense stay until somebody edits them. */
	scratch_put(LIST("dora", ".x"), SLICE("user=bob lr\nnonsense\n"));
	CHECK_EQ(acl_rights_of(st, SLICE("x"), SLICE("bob"), &rights, NULL), 1);
	CHECK_EQ(rights, 0);
	CHECK_EQ(change(st, "x", "user=eve", ACL_SET, "l"), STORE_CANNOT);
	CHECK_STR(file(LIST("dora", ".x")), "user=bob lr,nonsense,");
	store_close(&st);
}

static void
test_many(void)
{
	struct store *st = account("many");
	struct buf b = BUF_INIT(1 << 20);

	CHECK_EQ(create(st, "x"), STORE_OK);
	for (int i = 0; i < ACL_ENTRIES_MAX; i++)
		buf_addf(&b, "user=u%d lr\n", i);
	scratch_put(LIST("many", ".x"), buf_slice(&b));
	CHECK_EQ(change(st, "x", "user=one-more", ACL_SET, "l"), STORE_CANNOT);
	CHECK_EQ(change(st, "x", "user=u1", ACL_FORGET, ""), STORE_OK);
	CHECK_EQ(change(st, "x", "user=one-more", ACL_SET, "l"), STORE_OK);
	buf_free(&b);
	store_close(&st);
}

/* Lists go with their mailboxes, and what is below begins with the same. */
static void
test_mailboxes(void)
{
	struct store *st = account("fred");

	CHECK_EQ(create(st, "p"), STORE_OK);
	CHECK_EQ(change(st, "p", "user=bob", ACL_SET, "lr"), STORE_OK);
	CHECK_EQ(create(st, "p/q/r"), STORE_OK);
	CHECK_STR(shared("bob"), "fred/p=lr fred/p/q=lr fred/p/q/r=lr ");
	CHECK_EQ(store_mailbox_rename(st, SLICE("p"), SLICE("n"), NULL),
	    STORE_OK);
	CHECK_STR(shared("bob"), "fred/n=lr fred/n/q=lr fred/n/q/r=lr ");
	CHECK_STR(file("shared/bob/fred"), "n,n%2Fq,n%2Fq%2Fr,");
	CHECK_EQ(store_mailbox_delete(st, SLICE("n/q/r"), NULL), STORE_OK);
	CHECK_STR(file("shared/bob/fred"), "n,n%2Fq,");
	CHECK_EQ(create(st, "n/q/r"), STORE_OK);
	CHECK_EQ(change(st, "n/q/r", "user=bob", ACL_FORGET, ""), STORE_OK);
	CHECK_EQ(create(st, "alone"), STORE_OK);
	CHECK_STR(shared("bob"), "fred/n=lr fred/n/q=lr ");
	store_close(&st);
}

/* Names of accounts that are no names of files. */
static void
test_names(void)
{
	static const char *const names[] = { "../fred", "a/b", ".hidden",
		"@anyone2", "a b\"c", "%41" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct store *st = account(names[i]);
		struct acl_entry entry = { .who = ACL_USER,
			.name = SLICE("../@x y"),
			.rights = ACL_LOOKUP };

		ROW(names[i]);
		CHECK_EQ(create(st, "x y"), STORE_OK);
		CHECK_EQ(acl_change(st, SLICE("x y"), &entry, ACL_SET, NULL),
		    STORE_OK);
		CHECK_STR(shared("../@x y"),
		    arena_printf(arena, "%s/x y=l ", names[i]).p);
		CHECK_EQ(acl_change(st, SLICE("x y"), &entry, ACL_FORGET, NULL),
		    STORE_OK);
		CHECK_STR(shared("../@x y"), "");
		store_close(&st);
	}
	ROW("");
}

/* ---- data/shared ---- */

static char found[1000];

static void
note(void *ctx, const struct share_difference *d)
{
	size_t n = strlen(found);

	(void)ctx;
	snprintf(found + n, sizeof(found) - n, "%c%.*s %.*s %.*s, ",
	    d->missing ? '+' : '-', SLICE_FMT(d->owner), SLICE_FMT(d->mailbox),
	    SLICE_FMT(d->who));
}

static const char *
mend(struct store *st, bool fix)
{
	found[0] = '\0';
	CHECK_EQ(share_mend_missing(st, fix, note, NULL, NULL), 0);
	CHECK_EQ(share_mend_stale(&env, fix, note, NULL, NULL), 0);
	return found;
}

static void
test_mend(void)
{
	struct store *st = account("gert");

	CHECK_EQ(create(st, "a"), STORE_OK);
	CHECK_EQ(create(st, "b"), STORE_OK);
	CHECK_STR(mend(st, true), "");
	scratch_put(LIST("gert", ".a"), SLICE("user=ida lr\nanyone l\n"));
	CHECK_STR(shared("ida"), "");
	CHECK_STR(mend(st, false), "+gert a ida, +gert a @anyone, ");
	CHECK_STR(mend(st, true), "+gert a ida, +gert a @anyone, ");
	CHECK_STR(mend(st, true), "");
	CHECK_STR(shared("ida"), "gert/a=lr ");
	/* Names too many do no harm. */
	scratch_put("shared/ida/gert", SLICE("a\nb\nnone\n..%2F..\n"));
	scratch_put("shared/ida/nobody", SLICE("a\n"));
	CHECK_STR(shared("ida"), "gert/a=lr ");
	CHECK_STR(mend(st, true),
	    "-gert b ida, -gert none ida, "
	    "-gert ../.. ida, -nobody a ida, ");
	CHECK_STR(mend(st, true), "");
	CHECK_STR(file("shared/ida/gert"), "a,");
	CHECK_STR(file("shared/ida/nobody"), "-");
	/* Links are not followed, and what is no list is none. */
	CHECK_EQ(unlinkat(scratch_fd, "shared/ida/gert", 0), 0);
	CHECK_EQ(symlinkat("../../shared/@anyone/gert", scratch_fd,
		     "shared/ida/gert"),
	    0);
	CHECK_EQ(mkfifoat(scratch_fd, "shared/ida/many", 0600), 0);
	scratch_put("shared/nofolder", SLICE("x"));
	CHECK_EQ(mkdirat(scratch_fd, "shared/ida/hugo", 0700), 0);
	CHECK_STR(shared("ida"), "gert/a=lr "); /* by @anyone */
	CHECK_STR(shared("nofolder"), "gert/a=l ");
	CHECK_STR(mend(st, true), "+gert a ida, ");
	CHECK_STR(file("shared/ida/gert"), "a,");
	CHECK_EQ(unlinkat(scratch_fd, "shared/ida/gert", 0), 0);
	CHECK_EQ(unlinkat(scratch_fd, "shared/ida/many", 0), 0);
	store_close(&st);
}

/* Who comes later with the name of an account has none of its rights. */
static void
test_gone(void)
{
	struct store *st = account("olga"), *other = account("gone");

	CHECK_EQ(create(st, "a"), STORE_OK);
	CHECK_EQ(change(st, "a", "user=gone", ACL_SET, "lr"), STORE_OK);
	CHECK_EQ(change(st, "a", "user=bob", ACL_SET, "l"), STORE_OK);
	CHECK_EQ(change(other, "Inbox", "user=olga", ACL_SET, "lr"), STORE_OK);
	CHECK_STR(shared("gone"), "gert/a=l olga/a=lr "); /* anyone */
	store_close(&other);
	CHECK_EQ(file_remove_tree(scratch_fd, "accounts/gone", NULL), 0);
	CHECK_EQ(share_account_gone(&env, SLICE("gone"), NULL), 0);
	CHECK_STR(file(LIST("olga", ".a")), "user=bob l,");
	CHECK_STR(file("shared/olga/gone"), "-");
	CHECK_STR(file("shared/gone/olga"), "-");
	store_close(&st);
}

/* ---- through a share ---- */

static struct mailbox *
open_mailbox(struct store *st, const char *name)
{
	struct mailbox *mb = NULL;
	struct err e = ERR_INIT;

	if (mailbox_open(&mb, st, slice_str(name), &e) != 1)
		UNIT_FAIL("open %s: %s", name, e.text);
	return mb;
}

static void
add(struct mailbox *mb, const char *text)
{
	struct mailbox_new m = { .spool = spool_new(&env, 1000) };
	struct mailbox_new_result r;
	struct err e = ERR_INIT;

	CHECK_EQ(spool_add(m.spool, slice_str(text), &e), 0);
	CHECK_EQ(spool_end(m.spool, &e), 0);
	CHECK_EQ(mailbox_add(mb, &m, 1, arena, &r, &e), STORE_OK);
	CHECK_STR(e.text, "");
	spool_free(&m.spool);
}

static uint64_t
used(struct store *st)
{
	uint64_t bytes = 0, count;

	CHECK_EQ(store_quota_used(st, &bytes, &count, NULL), 0);
	return bytes;
}

static void
test_quota(void)
{
	struct store *own = account("hans"), *other = NULL;
	struct share_owner owner = { .account = SLICE("hans"), .quota = 100 };
	struct mailbox *mb;

	store_set_quota(own, 100);
	CHECK_EQ(create(own, "x"), STORE_OK);
	CHECK_EQ(change(own, "x", "user=bob", ACL_SET, "lri"), STORE_OK);
	mb = open_mailbox(own, "x");
	add(mb, "A: b\r\n\r\n0123456789\r\n");
	mailbox_close(&mb);
	CHECK_EQ(used(own), 17);
	owner.used = used(own);
	CHECK_EQ(share_open(&other, &env, &owner, NULL), 1);
	CHECK_EQ(used(other), 17);
	/* What another adds counts for the owner, at once. */
	mb = open_mailbox(other, "x");
	add(mb, "A: b\r\n\r\n0123456789\r\n");
	mailbox_close(&mb);
	CHECK_EQ(used(other), 34);
	CHECK_EQ(used(own), 34);
	CHECK_STR(file("accounts/hans/shared/added"), "17 1,");
	CHECK_EQ(store_quota_check(other, 66, NULL), STORE_OK);
	CHECK_EQ(store_quota_check(other, 67, NULL), STORE_OVERQUOTA);
	/* Written anew, it has all. */
	CHECK_EQ(quota_rebuild(own, 100, NULL), 0);
	CHECK_STR(file("accounts/hans/shared/added"), "-");
	CHECK_EQ(used(own), 34);
	CHECK_EQ(used(other), 34);
	/* No thread of the owner's is known or made. */
	CHECK_EQ(other->threads == NULL, 1);
	store_close(&other);
	owner.account = SLICE("nobody");
	CHECK_EQ(share_open(&other, &env, &owner, NULL), 0);
	owner.account = SLICE("..");
	CHECK_EQ(share_open(&other, &env, &owner, NULL), 0);
	store_close(&own);
}

/* From one account to another. */
static void
test_copy(void)
{
	struct store *from = account("kim"), *to = account("lea");
	struct uidset all = UIDSET_INIT(arena);
	struct mailbox_target target = {
		.store = to, .name = SLICE("Inbox"), .without = STORE_SEEN
	};
	struct mailbox_store_result stored;
	struct mailbox_copy_result r;
	struct mailbox *mb, *other;
	struct store_flags flags = { .flags = STORE_SEEN | STORE_FLAGGED };

	uidset_add(&all, 1, UINT32_MAX);
	store_set_quota(from, 1000);
	store_set_quota(to, 40);
	CHECK_EQ(used(to), 0);
	mb = open_mailbox(from, "Inbox");
	add(mb, "A: b\r\n\r\n0123456789\r\n");
	add(mb, "A: b\r\n\r\n9876543210\r\n");
	CHECK_EQ(mailbox_refresh(mb, NULL), MAILBOX_NEW);
	CHECK_EQ(mailbox_take_new(mb, &(uint32_t){ 0 }, NULL), 0);
	CHECK_EQ(mailbox_store(mb, &all, MAILBOX_ADD, &flags, false, 0, arena,
		     &stored, NULL),
	    0);
	CHECK_EQ(used(from), 34);
	CHECK_EQ(mailbox_copy(mb, &all, &target, false, arena, &r, NULL),
	    STORE_OK);
	CHECK_EQ(r.n, 2);
	CHECK_EQ(used(to), 34);
	CHECK_EQ(mailbox_copy(mb, &all, &target, true, arena, &r, NULL),
	    STORE_OVERQUOTA);
	store_set_quota(to, 100);
	CHECK_EQ(mailbox_copy(mb, &all, &target, true, arena, &r, NULL),
	    STORE_OK);
	CHECK_EQ(r.n, 2);
	CHECK_EQ(used(from), 0);
	CHECK_EQ(used(to), 68);
	other = open_mailbox(to, "Inbox");
	CHECK_EQ(mailbox_count(other), 4);
	for (uint32_t seq = 1; seq <= 4; seq++)
		CHECK_EQ(mailbox_msg(other, seq)->flags, STORE_FLAGGED);
	mailbox_close(&other);
	mailbox_close(&mb);
	store_close(&from);
	store_close(&to);
}

int
main(void)
{
	arena = arena_new(0);
	scratch_begin();
	env.data_fd = scratch_fd;
	RUN(test_letters);
	RUN(test_file);
	RUN(test_rights);
	RUN(test_change);
	RUN(test_other_programs);
	RUN(test_many);
	RUN(test_mailboxes);
	RUN(test_names);
	RUN(test_mend);
	RUN(test_gone);
	RUN(test_quota);
	RUN(test_copy);
	scratch_end();
	arena_free(&arena);
	return unit_done();
}
