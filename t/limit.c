/* Unit test of lib/limit. */
#include "limit/limit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "limit/metrics.h"
#include "t/tmp.h"
#include "t/unit.h"

#define NOW 1000000040 /* not at the edge of a minute */

static char dir[TMP_PATH];

static const struct limit_rule rule = { LIMIT_AUTH, 2,
	{ { 60, { 3, 6, 9 } }, { 86400, { 5, 0, 0 } } } };

static struct ip
ip(const char *text)
{
	struct ip a = { 0 };

	ip_parse(slice_str(text), &a);
	return a;
}

static int
add(struct limit *l, const char *address, int n, int64_t now)
{
	struct ip a = ip(address);
	int added = 0;

	for (int i = 0; i < n; i++)
		added += limit_add(l, &rule, &a, now);
	return added;
}

static bool
check(struct limit *l, const char *address, int64_t now)
{
	struct ip a = ip(address);

	return limit_check(l, &rule, &a, now);
}

static void
test_classes(void)
{
	struct limit *l = limit_private();

	/* Of an address, of its /26, of its /21. */
	CHECK_EQ(add(l, "192.0.2.1", 10, NOW), 3);
	CHECK_EQ(add(l, "192.0.2.2", 10, NOW), 3);
	CHECK_EQ(add(l, "192.0.2.3", 10, NOW), 0);
	CHECK_EQ(add(l, "192.0.2.64", 10, NOW), 3);
	CHECK_EQ(add(l, "192.0.7.1", 10, NOW), 0);
	CHECK_EQ(add(l, "192.0.8.1", 10, NOW), 3);
	/* IPv6: /64, /48, /32. */
	CHECK_EQ(add(l, "2001:db8::1", 2, NOW), 2);
	CHECK_EQ(add(l, "2001:db8::2", 2, NOW), 1);
	CHECK_EQ(add(l, "2001:db8:0:1::1", 10, NOW), 3);
	CHECK_EQ(add(l, "2001:db8:0:2::1", 10, NOW), 0);
	CHECK_EQ(add(l, "2001:db8:1::1", 10, NOW), 3);
	CHECK_EQ(add(l, "2001:db8:2::1", 10, NOW), 0);
	CHECK_EQ(add(l, "2001:db9::1", 10, NOW), 3);
	limit_close(&l);
}

static void
test_windows(void)
{
	struct limit *l = limit_private();

	CHECK_EQ(add(l, "192.0.2.1", 10, NOW), 3);
	CHECK(!check(l, "192.0.2.1", NOW + 39));
	CHECK(check(l, "192.0.2.1", NOW + 40));         /* the next minute */
	CHECK_EQ(add(l, "192.0.2.1", 10, NOW + 60), 2); /* 5 a day */
	CHECK_EQ(add(l, "192.0.2.1", 10, NOW + 120), 0);
	CHECK_EQ(add(l, "192.0.2.1", 10, NOW + 86400), 3);
	limit_close(&l);
}

static void
test_reset(void)
{
	struct limit *l = limit_private();
	struct ip a = ip("192.0.2.1");

	CHECK_EQ(add(l, "192.0.2.1", 3, NOW), 3);
	CHECK_EQ(add(l, "192.0.2.2", 3, NOW), 3);
	CHECK(!check(l, "192.0.2.3", NOW));
	limit_reset(l, &rule, &a, NOW);
	CHECK_EQ(add(l, "192.0.2.3", 9, NOW), 3); /* of the 6 of a network */
	CHECK(!check(l, "192.0.2.2", NOW));
	limit_reset(l, &rule, &a, NOW); /* nothing left of it */
	CHECK(!check(l, "192.0.2.1", NOW));
	limit_close(&l);
}

static void
test_nothing(void)
{
	struct limit *l = NULL;
	struct ip none = { 0 };

	CHECK_EQ(add(NULL, "192.0.2.1", 100, NOW), 100);
	l = limit_private();
	for (int i = 0; i < 100; i++)
		CHECK(limit_add(l, &rule, &none, NOW));
	limit_close(&l);
	limit_close(&l);
}

/* More addresses than there is room for: the busy ones are kept. */
static void
test_full(void)
{
	struct limit *l = limit_private();
	struct ip a = { 6, { 0x20, 1 } };

	CHECK_EQ(add(l, "192.0.2.1", 3, NOW), 3);
	for (unsigned i = 0; i < 200000; i++) {
		memcpy(a.b + 4, &i, sizeof(i));
		limit_add(l, &rule, &a, NOW);
	}
	CHECK(!check(l, "192.0.2.1", NOW));
	limit_close(&l);
}

static void
child_adds(struct limit *l, const char *address, int n)
{
	if (fork() == 0) {
		add(l, address, n, NOW);
		_exit(0);
	}
}

static void
test_file(void)
{
	struct limit *l, *other;
	struct err e = ERR_INIT;
	struct stat st;
	char path[TMP_PATH + 16];

	snprintf(path, sizeof(path), "%s/limits", dir);
	l = limit_open(path, &e);
	CHECK_STR(e.text, "");
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	/* By others, and at the same time. */
	other = limit_open(path, &e);
	CHECK_EQ(add(other, "192.0.2.1", 2, NOW), 2);
	CHECK_EQ(add(l, "192.0.2.1", 2, NOW), 1);
	for (int i = 0; i < 4; i++)
		child_adds(l, "198.51.100.1", 1);
	while (wait(NULL) > 0)
		;
	CHECK(!check(l, "198.51.100.1", NOW));
	limit_close(&other);
	/* A file that is something else is replaced; who had it keeps it. */
	CHECK_EQ(truncate(path, st.st_size + 1), 0);
	other = limit_open(path, &e);
	CHECK(other != NULL && check(other, "192.0.2.1", NOW));
	CHECK_EQ(add(l, "203.0.113.1", 9, NOW), 3);
	CHECK(check(other, "203.0.113.1", NOW));
	limit_close(&other);
	limit_close(&l);
	CHECK(limit_open("/nonexistent/limits", &e) == NULL);
	CHECK_EQ(e.kind, ERR_PERM);
}

static void
test_metrics(void)
{
	struct metrics *m, *other;
	struct buf b = BUF_INIT(1000000);
	struct err e = ERR_INIT;
	char path[TMP_PATH + 16], name[METRICS_NAME + 10];
	metrics_counter *c;

	snprintf(path, sizeof(path), "%s/counters", dir);
	m = metrics_open(path, &e);
	other = metrics_open(path, &e);
	CHECK_STR(e.text, "");
	c = metrics_get(m, "b_total{kind=\"imap\"}");
	CHECK(c == metrics_get(m, "b_total{kind=\"imap\"}"));
	metrics_add(c, 2);
	metrics_add(metrics_get(other, "b_total{kind=\"imap\"}"), 3);
	metrics_add(metrics_get(other, "a_total"), 1);
	metrics_print(m, &b);
	CHECK_SLICE(buf_slice(&b),
	    SLICE("a_total 1\nb_total{kind=\"imap\"} 5\n"));
	memset(name, 'x', sizeof(name));
	name[METRICS_NAME + 1] = '\0';
	metrics_add(metrics_get(m, name), 1); /* too long */
	for (int i = 0; i < METRICS_SLOTS + 10; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		metrics_add(metrics_get(m, name), 1);
	}
	buf_reset(&b);
	metrics_print(m, &b);
	CHECK(!b.over && b.n > 0);
	metrics_add(metrics_get(NULL, "a_total"), 1);
	buf_reset(&b);
	metrics_print(NULL, &b);
	CHECK_EQ(b.n, 0);
	buf_free(&b);
	metrics_close(&m);
	metrics_close(&other);
}

int
main(void)
{
	if (mkdtemp(tmp_template(dir, "mox-limit")) == NULL)
		return 1;
	RUN(test_classes);
	RUN(test_windows);
	RUN(test_reset);
	RUN(test_nothing);
	RUN(test_full);
	RUN(test_file);
	RUN(test_metrics);
	file_remove_tree(AT_FDCWD, dir, NULL);
	return unit_done();
}
