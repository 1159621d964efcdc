/* Unit tests of imap/notify: what is wanted, and what is saved of it. */
#include "imap/notify.h"
#include "unit.h"

static struct slice names[] = { SLICE("a"), SLICE("b/c") };

static struct notify_group groups[] = {
	{ { FILTER_SELECTED_DELAYED, NULL, 0 }, NOTIFY_NEW | NOTIFY_EXPUNGE,
	    SLICE("(UID BODY.PEEK[HEADER.FIELDS (\"x\" {1}\r\ny)])") },
	{ { FILTER_MAILBOXES, names, 2 }, NOTIFY_NAME, { NULL, 0 } },
	{ { FILTER_SUBTREE, names, 1 }, 0, { NULL, 0 } },
	{ { FILTER_SUBSCRIBED, NULL, 0 }, NOTIFY_MESSAGES, { NULL, 0 } },
	{ { FILTER_INBOXES, NULL, 0 }, NOTIFY_ACCOUNT_METADATA, { NULL, 0 } },
};

static const struct {
	const char *name;
	bool subscribed;
	unsigned events;
} wanted[] = {
	{ "a", false, NOTIFY_NAME }, /* the second, then NONE */
	{ "a", true, NOTIFY_NAME }, { "a/b", true, 0 }, /* NONE */
	{ "ab", true, NOTIFY_MESSAGES },
	{ "b/c", true, NOTIFY_NAME | NOTIFY_MESSAGES }, { "b/c/d", false, 0 },
	{ "Inbox", false, NOTIFY_ACCOUNT_METADATA },
	{ "Inbox/x", true, NOTIFY_ACCOUNT_METADATA | NOTIFY_MESSAGES },
	{ "", false, NOTIFY_ACCOUNT_METADATA }, /* whatever the filter */
};

static void
test_wanted(void)
{
	struct imap_notify n = {
		.given = true, .groups = groups, .ngroups = 5
	};
	struct imap_session s = { .notify = &n };
	struct notify_selected sel = imap_notify_selected(&s);

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		ROW(wanted[i].name);
		CHECK_EQ(imap_notify_wanted(&s, slice_str(wanted[i].name),
			     wanted[i].subscribed),
		    wanted[i].events);
	}
	CHECK_EQ(sel.events, NOTIFY_NEW | NOTIFY_EXPUNGE);
	CHECK(sel.delayed);
	CHECK_SLICE(sel.fetch, groups[0].fetch);
	CHECK(imap_notify_waits(&s));
	CHECK(imap_notify_names(&s));

	n.ngroups = 0; /* NONE */
	CHECK_EQ(imap_notify_selected(&s).events, 0);
	CHECK_EQ(imap_notify_wanted(&s, SLICE("a"), true), 0);
	CHECK(!imap_notify_waits(&s));
	CHECK(!imap_notify_names(&s));

	n.given = false;
	CHECK_EQ(imap_notify_selected(&s).events, NOTIFY_MESSAGES);
	CHECK_EQ(imap_notify_wanted(&s, SLICE("a"), false),
	    NOTIFY_NAME | NOTIFY_SUBSCRIPTION);
	CHECK(!imap_notify_waits(&s));
	s.enabled = IMAP_METADATA;
	CHECK_EQ(imap_notify_wanted(&s, SLICE(""), false),
	    NOTIFY_EVENTS & ~NOTIFY_MESSAGES);
}

static void
test_order(void)
{
	static const char *const sorted[] = { "Inbox", "A", "Inbox/x", "a",
		"a-b", "a/b", "b" };

	for (size_t i = 0; i < 7; i++)
		for (size_t k = 0; k < 7; k++) {
			int c = store_order(slice_str(sorted[i]),
			    slice_str(sorted[k]));
			CHECK_EQ((c > 0) - (c < 0), (i > k) - (i < k));
		}
}

/* ---- saving ---- */

static struct notify_entry entries[] = {
	{ SLICE("/private/comment"), 1 },
	{ SLICE("/shared/comment"), UINT64_MAX },
};

static struct notify_mailbox mailboxes[] = {
	{ .name = SLICE("Inbox"),
	    .exists = true,
	    .subscribed = true,
	    .events = NOTIFY_EVENTS,
	    .identity = 77,
	    .counted = true,
	    .own = true,
	    .uidvalidity = 1,
	    .uidnext = 2,
	    .messages = 3,
	    .unseen = 4,
	    .modseq = UINT64_MAX - 1,
	    .stamp = 5,
	    .annotated = true,
	    .entries = entries,
	    .nentries = 2,
	    .metadata_stamp = 6 },
	{ .name = SLICE("a"), .has_children = true },
	{ .name = SLICE("a/b"),
	    .exists = true,
	    .use = STORE_USE_SENT,
	    .annotated = true },
};

static struct imap_notify full = { .given = true,
	.groups = groups,
	.ngroups = 5,
	.listed = true,
	.v = mailboxes,
	.n = 3,
	.account = { .exists = true,
	    .annotated = true,
	    .entries = entries + 1,
	    .nentries = 1 },
	.list_stamp = 99 };

/* What is loaded is saved the same. */
static bool
comes_back(struct slice saved)
{
	struct buf again = BUF_INIT(1 << 20);
	struct imap_notify *n;
	bool ok = imap_notify_load(&n, saved);

	CHECK_EQ(ok, n != NULL);
	if (ok) {
		imap_notify_save(n, &again);
		CHECK(slice_eq(buf_slice(&again), saved));
	}
	imap_notify_free(&n);
	buf_free(&again);
	return ok;
}

static void
test_save(void)
{
	struct buf b = BUF_INIT(1 << 20), empty = BUF_INIT(1 << 10);
	struct imap_notify *n;

	imap_notify_save(&full, &b);
	CHECK(comes_back(buf_slice(&b)));
	CHECK(imap_notify_load(&n, buf_slice(&b)));
	CHECK(n->given && n->listed && !n->large);
	CHECK_EQ(n->ngroups, 5);
	CHECK_SLICE(n->groups[0].fetch, groups[0].fetch);
	CHECK_SLICE(n->groups[1].filter.names[1], names[1]);
	CHECK_EQ(n->n, 3);
	CHECK_EQ(n->v[0].modseq, UINT64_MAX - 1);
	CHECK_SLICE(n->v[0].entries[1].name, entries[1].name);
	CHECK_EQ(n->v[0].entries[1].hash, UINT64_MAX);
	CHECK(imap_notify_find(n, SLICE("a/b")) == &n->v[2]);
	CHECK(imap_notify_find(n, SLICE("a/c")) == NULL);
	imap_notify_free(&n);

	/* None at all is one that has nothing. */
	imap_notify_save(NULL, &empty);
	CHECK(comes_back(buf_slice(&empty)));

	/* Nothing is cut off, and nothing follows. */
	for (size_t i = 0; i < b.n; i++)
		CHECK(!comes_back(slice_head(buf_slice(&b), i)));
	buf_addc(&b, '\0');
	CHECK(!comes_back(buf_slice(&b)));
	buf_cut(&b, b.n - 1);
	for (size_t i = 0; i < b.n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			b.p[i] ^= (char)(1 << bit);
			comes_back(buf_slice(&b));
			b.p[i] ^= (char)(1 << bit);
		}
	}
	buf_free(&b);
	buf_free(&empty);
}

/* What no session has. */
static void
test_limits(void)
{
	struct notify_group g = groups[1];
	struct notify_mailbox m[2] = { mailboxes[1], mailboxes[1] };
	struct imap_notify n = { .given = true,
		.groups = &g,
		.ngroups = 1,
		.listed = true,
		.v = m,
		.n = 2 };
	struct buf b = BUF_INIT(1 << 20);

	imap_notify_save(&n, &b);
	CHECK(!comes_back(buf_slice(&b))); /* a name twice */
	n.n = 1;
	buf_reset(&b);
	imap_notify_save(&n, &b);
	CHECK(comes_back(buf_slice(&b)));
	g.filter.kind = FILTER_KINDS;
	buf_reset(&b);
	imap_notify_save(&n, &b);
	CHECK(!comes_back(buf_slice(&b)));
	g = groups[0];
	g.fetch = SLICE("(UID FOO)");
	buf_reset(&b);
	imap_notify_save(&n, &b);
	CHECK(!comes_back(buf_slice(&b)));
	g.fetch = SLICE("(UID) ");
	buf_reset(&b);
	imap_notify_save(&n, &b);
	CHECK(!comes_back(buf_slice(&b)));
	buf_free(&b);
}

int
main(void)
{
	RUN(test_wanted);
	RUN(test_order);
	RUN(test_save);
	RUN(test_limits);
	return unit_done();
}
