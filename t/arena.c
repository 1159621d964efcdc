/* Unit test of lib/base/arena.c. */
#include "base/arena.h"

#include <sys/wait.h>
#include <unistd.h>

#include "t/unit.h"

static bool
is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static void
test_alloc(void)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 1000, 1024, 1025,
		4096, 70000, 3 };
	struct arena *a = arena_new(0);

	for (int round = 0; round < 3; round++) {
		for (int many = 0; many < 100; many++)
			for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes);
			     i++) {
				char *p = arena_alloc(a, sizes[i]);
				CHECK(p != NULL && (uintptr_t)p % 16 == 0);
				CHECK(is_zero(p, sizes[i]));
				memset(p, 'x', sizes[i]);
			}
		CHECK(arena_used(a) >= 100 * 77000);
		arena_reset(a);
		CHECK_EQ(arena_used(a), 0);
	}
	arena_free(&a);
	CHECK(a == NULL);
	arena_free(&a);
}

static void
test_text(void)
{
	struct arena *a = arena_new(1000);
	struct slice s = arena_dup(a, SLICE("abc"));
	int *v = NULL;

	CHECK_SLICE(s, SLICE("abc"));
	CHECK_STR(arena_cstr(a, SLICE_NULL), "");
	CHECK_STR(arena_cstr(a, s), "abc");
	CHECK_SLICE(arena_printf(a, "%s-%d", "x", 7), SLICE("x-7"));
	CHECK_SLICE(arena_printf(a, "%s", ""), SLICE(""));
	v = arena_grow(a, v, 0, 2, sizeof(*v));
	v[1] = 5;
	v = arena_grow(a, v, 2, 4, sizeof(*v));
	CHECK(v[0] == 0 && v[1] == 5 && v[2] == 0 && v[3] == 0);
	arena_free(&a);
}

/* Exit code of a child that allocates like that. */
static int
exit_of(size_t limit, size_t n, size_t size)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDERR_FILENO);
		arena_array(arena_new(limit), n, size);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_limit(void)
{
	CHECK_EQ(exit_of(1024, 1, 1024), 0);
	CHECK_EQ(exit_of(1024, 1, 1025), 111);
	CHECK_EQ(exit_of(0, SIZE_MAX / 2, 3), 111);
	CHECK_EQ(exit_of(0, 1, SIZE_MAX), 111);
	CHECK_EQ(exit_of(0, 1, SIZE_MAX - 20), 111);
}

int
main(void)
{
	RUN(test_alloc);
	RUN(test_text);
	RUN(test_limit);
	return unit_done();
}
