/* Tests of smtp/receivedid. */
#include "smtp/receivedid.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "t/tmp.h"
#include "t/unit.h"

static int dir;

/* FIPS 197, appendix B: the cipher itself, with its block as prefix || cid. */
static void
test_aes_example(void)
{
	struct receivedid rid = {
		{ 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7,
		    0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c },
		{ 0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d },
	};
	char text[RECEIVEDID_TEXT];
	uint64_t cid;

	receivedid_encode(&rid, 0x313198a2e0370734, text);
	/* 39 25 84 1d 02 dc 09 fb dc 11 85 97 19 6a 0b 32 */
	CHECK_STR(text, "OSWEHQLcCfvcEYWXGWoLMg");
	CHECK(receivedid_decode(&rid, slice_str(text), &cid));
	CHECK(cid == 0x313198a2e0370734);
}

static void
test_decode_foreign(void)
{
	static const char *const foreign[] = { "", "x",
		"OSWEHQLcCfvcEYWXGWoLMg", "AAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA",
		"+/AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA\n" };
	struct receivedid rid = { { 1 }, { 2 } };
	uint64_t cid;

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		ROW(foreign[i]);
		CHECK(!receivedid_decode(&rid, slice_str(foreign[i]), &cid));
	}
}

static void
test_load(void)
{
	struct receivedid a, b;
	struct err e = ERR_INIT;
	struct stat st;
	char text[RECEIVEDID_TEXT];
	uint64_t cid;

	CHECK_EQ(receivedid_load(dir, "key", NULL, &a, &e), 0);
	CHECK_EQ(receivedid_load(dir, "key", NULL, &b, &e), 0);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	CHECK_EQ(fstatat(dir, "key", &st, 0), 0);
	CHECK_EQ(st.st_size, 24);
	CHECK_EQ(st.st_mode & 07777, 0600);
	receivedid_encode(&a, 0x18c0a, text);
	CHECK_EQ(strlen(text), 22);
	CHECK(receivedid_decode(&b, slice_str(text), &cid));
	CHECK_EQ(cid, 0x18c0a);
}

static void
test_load_damaged(void)
{
	struct receivedid rid;
	struct err e = ERR_INIT;

	for (size_t n = 0; n < 40; n += n == 23 ? 2 : 1) {
		int fd = openat(dir, "bad", O_CREAT | O_TRUNC | O_WRONLY, 0600);
		if (n > 0)
			CHECK_EQ(
			    file_write(fd,
				slice_of("0123456789012345678901234567890123"
					 "456789",
				    n),
				&e),
			    0);
		close(fd);
		CHECK_EQ(receivedid_load(dir, "bad", NULL, &rid, &e), -1);
	}
	CHECK_EQ(receivedid_load(dir, "missing/key", NULL, &rid, &e), -1);
}

int
main(void)
{
	char name[TMP_PATH];
	struct err e = ERR_INIT;

	if (mkdtemp(tmp_template(name, "mox-receivedid")) == NULL ||
	    (dir = open(name, O_RDONLY | O_DIRECTORY)) < 0)
		return 1;
	RUN(test_aes_example);
	RUN(test_decode_foreign);
	RUN(test_load);
	RUN(test_load_damaged);
	file_remove_tree(AT_FDCWD, name, &e);
	return unit_done();
}
