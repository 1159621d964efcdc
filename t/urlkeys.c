/* Unit test of lib/store/urlkeys.c. */
#include "store/urlkeys.h"

#include <string.h>
#include <sys/stat.h>

#include "t/scratch.h"

/* A shared Maildir: the keys are not. */
static struct store_env env = {
	.run_fd = -1, .hostname = "h", .file_mode = 0660
};
static struct store *st;

#define FILE_NAME "accounts/k/urlkeys"

static int
get(uint32_t uidvalidity, bool make, unsigned char key_r[URLKEY])
{
	memset(key_r, 0, URLKEY);
	return urlkey_get(st, uidvalidity, make, key_r, NULL);
}

static size_t
lines(void)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	size_t n = 0;

	scratch_get(FILE_NAME, &b);
	for (size_t i = 0; i < b.n; i++)
		n += b.p[i] == '\n';
	buf_free(&b);
	return n;
}

static void
test_one(void)
{
	unsigned char a[URLKEY], b[URLKEY], c[URLKEY];
	struct stat sb;

	CHECK_EQ(get(1, false, a), 0);
	CHECK(!scratch_has(FILE_NAME));
	CHECK_EQ(get(1, true, a), 1);
	CHECK_EQ(get(2, true, b), 1);
	CHECK(memcmp(a, b, URLKEY) != 0);
	CHECK_EQ(get(1, false, c), 1);
	CHECK(memcmp(a, c, URLKEY) == 0);
	CHECK_EQ(get(1, true, c), 1);
	CHECK(memcmp(a, c, URLKEY) == 0);
	CHECK_EQ(fstatat(scratch_fd, FILE_NAME, &sb, 0), 0);
	CHECK_EQ(sb.st_mode & 0777, 0600);
	CHECK_EQ(lines(), 2);
}

static void
test_reset(void)
{
	unsigned char a[URLKEY], b[URLKEY];

	CHECK_EQ(get(1, true, a), 1);
	CHECK_EQ(urlkey_reset(st, 1, NULL), 0);
	CHECK_EQ(get(1, false, b), 0);
	CHECK_EQ(get(2, false, b), 1);
	CHECK_EQ(get(1, true, b), 1);
	CHECK(memcmp(a, b, URLKEY) != 0);
	CHECK_EQ(urlkey_reset(st, 99, NULL), 0);
	CHECK_EQ(lines(), 2);
	CHECK_EQ(urlkey_reset(st, 0, NULL), 0);
	CHECK(!scratch_has(FILE_NAME));
	CHECK_EQ(urlkey_reset(st, 0, NULL), 0);
	CHECK_EQ(urlkey_reset(st, 1, NULL), 0);
	CHECK_EQ(get(2, false, b), 0);
}

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static void
test_damaged(void)
{
	unsigned char key[URLKEY];
	size_t bad = 9;

	CHECK_EQ(urlkeys_bad_lines(st, &bad, NULL), 0);
	CHECK_EQ(bad, 0);
	scratch_put(FILE_NAME,
	    SLICE("7 " KEY "\n"
		  "0 " KEY "\nx " KEY "\n" KEY "\n\n3\n4 \n5 AAAA\n"
		  "6 " KEY "A\n8 " KEY " \n9\0" KEY "\n10 " KEY));
	CHECK_EQ(urlkeys_bad_lines(st, &bad, NULL), 0);
	CHECK_EQ(bad, 10);
	CHECK_EQ(get(7, false, key), 1);
	for (size_t i = 0; i < URLKEY; i++)
		CHECK_EQ(key[i], i);
	CHECK_EQ(get(10, false, key), 1);
	CHECK_EQ(get(5, false, key), 0);
	CHECK_EQ(get(5, true, key), 1);
	CHECK_EQ(get(10, false, key), 1);
	CHECK_EQ(urlkeys_bad_lines(st, &bad, NULL), 0);
	CHECK_EQ(bad, 0);
	CHECK_EQ(lines(), 3);
}

/* A file that is too large is no reason to give no answer to RESETKEY. */
static void
test_limits(void)
{
	struct buf many = BUF_INIT(SIZE_MAX);
	unsigned char key[URLKEY];
	struct err e = ERR_INIT;

	for (unsigned i = 1; i <= URLKEYS_MAX; i++)
		buf_addf(&many, "%u " KEY "\n", 100 + i);
	scratch_put(FILE_NAME, buf_slice(&many));
	CHECK_EQ(get(5, true, key), 1);
	CHECK_EQ(lines(), URLKEYS_MAX);
	CHECK_EQ(get(101, false, key), 0);
	CHECK_EQ(get(102, false, key), 1);
	CHECK_EQ(get(100 + URLKEYS_MAX, false, key), 1);
	for (unsigned i = 0; i < 20 * URLKEYS_MAX; i++)
		buf_addz(&many, "no key at all\n");
	scratch_put(FILE_NAME, buf_slice(&many));
	CHECK_EQ(urlkey_get(st, 102, true, key, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK_EQ(urlkey_reset(st, 0, NULL), 0);
	CHECK_EQ(get(102, true, key), 1);
	buf_free(&many);
}

int
main(void)
{
	scratch_begin();
	env.data_fd = scratch_fd;
	CHECK_EQ(store_create(&st, &env, SLICE("k"), NULL, 0, NULL), 0);
	RUN(test_one);
	RUN(test_reset);
	RUN(test_damaged);
	RUN(test_limits);
	store_close(&st);
	scratch_end();
	return unit_done();
}
