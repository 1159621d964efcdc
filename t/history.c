/* Unit test of lib/store/history.c. */
#include "store/history.h"
#include "t/scratch.h"

#define NOW INT64_C(1796051045)
#define DAY INT64_C(86400)

static struct clock fake;
static struct store_env env = {
	.run_fd = -1, .hostname = "h", .clock = &fake, .file_mode = 0600
};
static struct store *store;
static struct history *history;
static struct arena *arena;

/* ---- helpers ---- */

static void
begin(const char *account)
{
	fake.fake_us = NOW * 1000000;
	CHECK_EQ(store_create(&store, &env, slice_str(account), NULL, 0, NULL),
	    0);
	history = history_open(store, NULL);
	CHECK(history != NULL);
	arena = arena_new(0);
}

static void
end(void)
{
	history_close(&history);
	store_close(&store);
	arena_free(&arena);
}

static void
reopen(void)
{
	history_close(&history);
	history = history_open(store, NULL);
	CHECK(history != NULL);
}

/* A message with this EMAILID, received now. */
static struct history_message
message(int id)
{
	struct history_message m = { .received = fake.fake_us / 1000000,
		.mailbox = SLICE("Inbox"),
		.helo = SLICE("mx.example.org"),
		.helo_is = HISTORY_NONE,
		.mail_from = SLICE("bounce@example.org"),
		.mail_from_is = HISTORY_PASS,
		.from = SLICE("Anna@lists.example.org"),
		.from_is = HISTORY_RELAXED,
		.dkim = { SLICE("example.org"), SLICE("sender.example") },
		.ndkim = 2,
		.dmarc = SLICE("pass"),
		.msgid = SLICE("m 1@example.org"),
		.size = 1234 };

	snprintf(m.emailid, sizeof(m.emailid), "E%018d", id);
	m.emailid[STORE_EMAILID - 1] = 'x';
	CHECK(ip_parse(SLICE("192.0.2.77"), &m.ip));
	return m;
}

static void
add(int id, const char *from)
{
	struct history_message m = message(id);

	if (from)
		m.from = slice_str(from);
	CHECK_EQ(history_add(history, &m, NULL), 0);
}

static void
judge(int id, enum history_verdict verdict)
{
	struct history_message m = message(id);

	CHECK_EQ(history_judge(history, m.emailid, verdict, NULL), 0);
}

/* "3j 1 0n": numbers of messages and verdicts, newest first. */
static const char *
list_key(const struct history_key *key)
{
	static const char *const words[] = { "", "j", "n" };
	struct history_entry *v;
	struct buf text = BUF_INIT(SIZE_MAX);
	const char *result;
	size_t n;

	CHECK_EQ(history_list(history, key, arena, &v, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		uint32_t id = 0;
		CHECK(slice_u32(slice_sub(slice_of(v[i].emailid, STORE_EMAILID),
				    1, STORE_EMAILID - 1),
		    &id));
		buf_addf(&text, "%s%u%s", i ? " " : "", (unsigned)id,
		    words[v[i].verdict]);
	}
	result = arena_cstr(arena, buf_slice(&text));
	buf_free(&text);
	return result;
}

static const char *
list(enum history_kind kind, bool validated, const char *value)
{
	struct history_key key = { kind, validated, slice_str(value),
		SLICE("Inbox") };

	return list_key(&key);
}

static const char *
list_ip(enum history_kind kind, const char *ip)
{
	struct history_key key;
	struct ip address;

	CHECK(ip_parse(slice_str(ip), &address));
	key = history_ip_key(kind, &address, SLICE("Inbox"), arena);
	return list_key(&key);
}

static void
fold(void)
{
	for (int i = 0; i < 300; i++)
		judge(9999, HISTORY_NOTJUNK);
	for (int i = 0; i < 3000; i++)
		judge(9998, HISTORY_JUNK);
	history_tidy(history);
	CHECK(scratch_has(arena_printf(arena, "accounts/%.*s/history.cdb",
	    SLICE_FMT(store_account(store)))
			      .p));
}

/* ---- tests ---- */

static void
check_lists(void)
{
	CHECK_STR(list(HISTORY_FROM, true, "anna@LISTS.example.org"), "1 0");
	CHECK_STR(list(HISTORY_FROM, false, "anna@lists.example.org"), "");
	CHECK_STR(list(HISTORY_FROM_DOMAIN, true, "lists.example.org"), "1 0");
	CHECK_STR(list(HISTORY_FROM_ORG, true, "example.org"), "2 1 0");
	CHECK_STR(list(HISTORY_DKIM, false, "sender.example"), "2 1 0");
	CHECK_STR(list(HISTORY_MAIL_FROM, false, "bounce@example.org"),
	    "2 1 0");
	CHECK_STR(list(HISTORY_MAIL_FROM_DOMAIN, false, "example.org"),
	    "2 1 0");
	CHECK_STR(list(HISTORY_HELO, false, "mx.example.org"), "");
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "2 1 0");
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.78"), "");
	CHECK_STR(list_ip(HISTORY_NETWORK, "192.0.2.78"), "2 1 0");
	CHECK_STR(list_ip(HISTORY_NETWORK, "192.0.2.178"), "");
	CHECK_STR(list_ip(HISTORY_LARGE_NETWORK, "192.0.7.1"), "2 1 0");
}

static void
test_lists(void)
{
	struct history_key key = { HISTORY_FROM_ORG, true, SLICE("example.org"),
		SLICE("Lists/x") };
	struct history_message m;

	begin("lists");
	add(0, NULL);
	add(1, NULL);
	add(2, "bob@example.org");
	check_lists();
	/* Another mailbox has opinions of its own. */
	CHECK_STR(list_key(&key), "");
	m = message(3);
	m.mailbox = SLICE("Lists/x");
	CHECK_EQ(history_add(history, &m, NULL), 0);
	CHECK_STR(list_key(&key), "3");
	reopen();
	check_lists();
	fold();
	check_lists();
	reopen();
	check_lists();
	CHECK_STR(list_key(&key), "3");
	end();
}

/* What is empty is in no list: nobody is held responsible. */
static void
test_forwarded(void)
{
	struct history_message m = { .received = NOW,
		.mailbox = SLICE("Inbox"),
		.forward = true,
		.from_is = HISTORY_STRICT,
		.mail_from_is = HISTORY_PASS,
		.helo_is = HISTORY_PASS };

	begin("forwarded");
	memcpy(m.emailid, "EMAILID-9-0123456789", STORE_EMAILID);
	CHECK_EQ(history_add(history, &m, NULL), 0);
	CHECK_STR(list(HISTORY_FROM, true, ""), "");
	CHECK_STR(list(HISTORY_MAIL_FROM, false, ""), "");
	CHECK_STR(list(HISTORY_HELO, false, ""), "");
	CHECK_STR(list_ip(HISTORY_IP, "0.0.0.0"), "");
	CHECK_EQ(history_message(history, m.emailid, arena, &m, NULL), 1);
	CHECK(m.forward && !m.list && m.ip.family == 0);
	end();
}

static void
check_facts(void)
{
	struct history_message want = message(7), m;

	CHECK_EQ(history_message(history, want.emailid, arena, &m, NULL), 1);
	CHECK(memcmp(m.emailid, want.emailid, STORE_EMAILID) == 0);
	CHECK_EQ(m.received, NOW);
	CHECK_SLICE(m.mailbox, SLICE("Inbox"));
	CHECK(ip_eq(&m.ip, &want.ip));
	CHECK_SLICE(m.helo, want.helo);
	CHECK_EQ(m.helo_is, HISTORY_NONE);
	CHECK_SLICE(m.mail_from, want.mail_from);
	CHECK_EQ(m.mail_from_is, HISTORY_PASS);
	CHECK_SLICE(m.from, SLICE("a b%=/@example.org"));
	CHECK_EQ(m.from_is, HISTORY_RELAXED);
	CHECK_EQ(m.ndkim, 2);
	CHECK_SLICE(m.dkim[1], SLICE("sender.example"));
	CHECK_SLICE(m.dmarc, SLICE("pass"));
	CHECK_SLICE(m.msgid, SLICE("m 1@example.org"));
	CHECK_EQ(m.size, 1234);
	CHECK(!m.forward && !m.list);
}

static void
test_facts(void)
{
	struct history_message m;

	begin("facts");
	add(7, "a b%=/@example.org");
	check_facts();
	fold();
	check_facts();
	CHECK_STR(list(HISTORY_FROM, true, "A B%=/@example.org"), "7");
	m = message(8);
	CHECK_EQ(history_message(history, m.emailid, arena, &m, NULL), 0);
	end();
}

static void
test_judge(void)
{
	begin("judge");
	for (int i = 0; i < 4; i++)
		add(i, NULL);
	judge(3, HISTORY_JUNK);
	judge(1, HISTORY_NOTJUNK);
	judge(2, HISTORY_NOTJUNK);
	judge(2, HISTORY_UNJUDGED);
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "3j 2 1n 0");
	fold();
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "3j 2 1n 0");
	/* Of those in the CDB, too. */
	judge(3, HISTORY_NOTJUNK);
	judge(0, HISTORY_JUNK);
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "3n 2 1n 0j");
	reopen();
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "3n 2 1n 0j");
	end();
}

/* The newest stay, judged ones however many unjudged come after them. */
static void
test_many(void)
{
	begin("many");
	add(0, NULL);
	add(1, NULL);
	judge(0, HISTORY_NOTJUNK);
	judge(1, HISTORY_JUNK);
	for (int i = 2; i < 1000; i++)
		add(i, NULL);
	CHECK_STR(list(HISTORY_FROM, true, "anna@lists.example.org"),
	    "999 998 997 996 1j 0n");
	fold();
	CHECK_STR(list(HISTORY_FROM, true, "anna@lists.example.org"),
	    "999 998 997 996 1j 0n");
	for (int i = 990; i < 1000; i++)
		judge(i, HISTORY_JUNK);
	CHECK_STR(list(HISTORY_FROM, true, "anna@lists.example.org"),
	    "999j 998j 997j 996j");
	end();
}

static void
test_age(void)
{
	begin("age");
	add(0, NULL);
	add(1, NULL);
	judge(1, HISTORY_NOTJUNK);
	fake.fake_us += 61 * DAY * 1000000;
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "1n");
	fake.fake_us += 40 * DAY * 1000000;
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "");
	CHECK_STR(list(HISTORY_DKIM, false, "example.org"), "1n");
	fold();
	CHECK_STR(list(HISTORY_DKIM, false, "example.org"), "1n");
	fake.fake_us += 100 * DAY * 1000000;
	CHECK_STR(list(HISTORY_DKIM, false, "example.org"), "");
	CHECK_STR(list(HISTORY_FROM, true, "anna@lists.example.org"), "1n");
	fake.fake_us += 3 * 365 * DAY * 1000000;
	CHECK_STR(list(HISTORY_FROM, true, "anna@lists.example.org"), "");
	end();
}

/* More authors and hosts than a history has room for: those that a user cared
 * about stay, then the newest. */
static void
test_flood(void)
{
	struct history_message m = message(0);

	begin("flood");
	CHECK_EQ(history_add(history, &m, NULL), 0);
	judge(0, HISTORY_NOTJUNK);
	for (int i = 1; i < 20000; i++) {
		m = message(i);
		if (i % 1000 == 0)
			fake.fake_us += DAY * 1000000;
		m.from = arena_printf(arena, "a%d@d%d.example%d", i, i, i);
		m.ip.b[0] = 10;
		m.ip.b[1] = (unsigned char)(i >> 8);
		m.ip.b[2] = (unsigned char)i;
		m.mail_from = m.from;
		CHECK_EQ(history_add(history, &m, NULL), 0);
		if (i % 500 == 0)
			history_tidy(history);
	}
	fold();
	CHECK_STR(list(HISTORY_FROM, true, "anna@lists.example.org"), "0n");
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "0n");
	CHECK_STR(list(HISTORY_FROM, true, "a19999@d19999.example19999"),
	    "19999");
	CHECK_STR(list(HISTORY_FROM, true, "a1@d1.example1"), "");
	/* And the lines of the last ones. */
	m = message(5);
	CHECK_EQ(history_message(history, m.emailid, arena, &m, NULL), 0);
	m = message(19000);
	CHECK_EQ(history_message(history, m.emailid, arena, &m, NULL), 1);
	end();
}

/* Two processes of an account. */
static void
test_shared(void)
{
	struct history *other;
	struct history_message m = message(1);

	begin("shared");
	other = history_open(store, NULL);
	add(0, NULL);
	CHECK_EQ(history_add(other, &m, NULL), 0);
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "1 0");
	fold();
	m = message(2);
	CHECK_EQ(history_add(other, &m, NULL), 0);
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "2 1 0");
	history_close(&other);
	end();
}

/* What a crash leaves: the end of a line, or garbage. */
static void
test_torn(void)
{
	begin("torn");
	add(0, NULL);
	scratch_append("accounts/torn/history.log", SLICE("add 2 t=17"));
	reopen();
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "0");
	add(1, NULL);
	reopen();
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "1 0");
	history_close(&history);
	scratch_put("accounts/torn/history.log", SLICE("garbage\n"));
	history = history_open(store, NULL);
	CHECK(history != NULL);
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "");
	add(2, NULL);
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "2");
	end();
}

/* Whatever a message says: what is too long is left out, nothing breaks. */
static void
test_hostile(void)
{
	struct history_message m = message(1), is;
	char text[HISTORY_TEXT_MAX + 1];

	begin("hostile");
	memset(text, '\n', sizeof(text));
	text[HISTORY_TEXT_MAX - 2] = '@';
	m.from = m.mail_from = m.helo = m.msgid = m.mailbox =
	    slice_of(text, HISTORY_TEXT_MAX);
	m.ndkim = HISTORY_DKIM_MAX;
	for (size_t i = 0; i < m.ndkim; i++)
		m.dkim[i] = m.from;
	CHECK_EQ(history_add(history, &m, NULL), 0);
	CHECK_EQ(history_message(history, m.emailid, arena, &is, NULL), 1);
	CHECK_SLICE(is.from, m.from);
	CHECK_SLICE(is.dkim[7], m.from);
	CHECK_EQ(is.size, 1234);
	m = message(2);
	m.from = slice_of(text, HISTORY_TEXT_MAX + 1);
	CHECK_EQ(history_add(history, &m, NULL), 0);
	CHECK_EQ(history_message(history, m.emailid, arena, &is, NULL), 1);
	CHECK_EQ(is.from.n, 0);
	reopen();
	fold();
	CHECK_STR(list_ip(HISTORY_IP, "192.0.2.77"), "2");
	end();
}

int
main(void)
{
	scratch_begin();
	env.data_fd = scratch_fd;
	clock_fake(&fake, NOW * 1000000);
	CHECK_EQ(mkdirat(scratch_fd, "accounts", 0700), 0);
	RUN(test_lists);
	RUN(test_forwarded);
	RUN(test_facts);
	RUN(test_judge);
	RUN(test_many);
	RUN(test_age);
	RUN(test_flood);
	RUN(test_shared);
	RUN(test_torn);
	RUN(test_hostile);
	scratch_end();
	return unit_done();
}
