/* Unit test of lib/base/err.c. */
#include "base/err.h"
#include "t/unit.h"

static void
test_set(void)
{
	struct err e = ERR_INIT;

	CHECK_EQ(err_set(NULL, ERR_PERM, "x"), -1);
	CHECK_EQ(err_prefix(NULL, "x"), -1);
	CHECK_EQ(err_set(&e, ERR_SYNTAX, "bad %s\n\x7f\xc3\xa9", "b\0c"), -1);
	CHECK_STR(e.text, "bad b??\xc3\xa9");
	CHECK_EQ(e.kind, ERR_SYNTAX);
	CHECK_EQ(err_prefix(&e, "line %d", 3), -1);
	CHECK_STR(e.text, "line 3: bad b??\xc3\xa9");
	CHECK_EQ(e.kind, ERR_SYNTAX);
	err_set(&e, ERR_TEMP, "again: %s", e.text);
	CHECK_STR(e.text, "again: line 3: bad b??\xc3\xa9");
}

static void
test_long(void)
{
	struct err e = ERR_INIT;
	char text[400];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&e, ERR_LIMIT, "%s", text);
	CHECK_EQ(strlen(e.text), sizeof(e.text) - 1);
	err_prefix(&e, "y");
	CHECK_EQ(strlen(e.text), sizeof(e.text) - 1);
	CHECK(strncmp(e.text, "y: xxx", 6) == 0);
	err_prefix(&e, "%s", text);
	CHECK_EQ(strlen(e.text), sizeof(e.text) - 1);
}

static void
test_sys(void)
{
	struct err e = ERR_INIT;

	errno = ENOSPC;
	CHECK_EQ(err_sys(&e, "write %d", 1), -1);
	CHECK_STR(e.text, "write 1: No space left on device");
	CHECK_EQ(e.kind, ERR_TEMP);
	CHECK_EQ(errno, ENOSPC);
	errno = EACCES;
	err_sys(&e, "open");
	CHECK_EQ(e.kind, ERR_PERM);
}

int
main(void)
{
	RUN(test_set);
	RUN(test_long);
	RUN(test_sys);
	return unit_done();
}
