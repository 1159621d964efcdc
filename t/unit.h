/*
 * unit - asserts for the unit tests in t/NAME.c.
 *
 *   static void test_cut(void) { CHECK_EQ(cut("a,b"), 1); }
 *   int main(void) { RUN(test_cut); return unit_done(); }
 *
 * A failed check prints where and what, and the test goes on. unit_done
 * prints "NAME: N passed, N failed", counting the tests that RUN started.
 */
#ifndef T_UNIT_H
#define T_UNIT_H

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

static int unit_failures, unit_passed, unit_failed;
static const char *unit_row = "";

#define UNIT_FAIL(...) \
	do { \
		unit_failures++; \
		fprintf(stderr, "%s:%d: %s%s", __FILE__, __LINE__, unit_row, \
		    *unit_row ? ": " : ""); \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr); \
	} while (0)

/* Name of the table row that later failures belong to; "" for none. */
#define ROW(name) (unit_row = (name))

#define CHECK(cond) \
	do { \
		if (!(cond)) \
			UNIT_FAIL("not true: %s", #cond); \
	} while (0)

#define CHECK_EQ(got, want) \
	do { \
		long long got_ = (long long)(got), want_ = (long long)(want); \
		if (got_ != want_) \
			UNIT_FAIL("%s is %lld, not %lld", #got, got_, want_); \
	} while (0)

#define CHECK_SLICE(got, want) \
	do { \
		struct slice got_ = (got), want_ = (want); \
		if (!slice_eq(got_, want_)) \
			UNIT_FAIL("%s is \"%.*s\", not \"%.*s\"", #got, \
			    SLICE_FMT(got_), SLICE_FMT(want_)); \
	} while (0)

#define CHECK_STR(got, want) CHECK_SLICE(slice_str(got), slice_str(want))

#define RUN(test) \
	do { \
		int before_ = unit_failures; \
		unit_row = ""; \
		test(); \
		if (unit_failures == before_) \
			unit_passed++; \
		else { \
			unit_failed++; \
			fprintf(stderr, "FAILED %s\n", #test); \
		} \
	} while (0)

static inline int
unit_done(void)
{
	/* A check outside of every test, in main's preparations. */
	if (unit_failures > 0 && unit_failed == 0)
		unit_failed++;
	printf("%s: %d passed, %d failed\n", program_invocation_short_name,
	    unit_passed, unit_failed);
	return unit_failed != 0;
}

#endif
