/*
 * Lists of rights: what was understood is so again when written and read, and
 * nobody but the owner has what is the owner's.
 */
#include <stdlib.h>

#include "store/acl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
check_rights(const struct acl *acl)
{
	struct slice owner = SLICE("a");
	unsigned own = acl_rights(acl, owner, owner);
	unsigned other = acl_rights(acl, owner, SLICE("b"));

	require((own & ACL_REQUIRED) == ACL_REQUIRED);
	require((own & ~(unsigned)ACL_ALL) == 0);
	require((other & ~(unsigned)ACL_ALL) == 0);
	require(acl->bad == 0 || other == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct buf text = BUF_INIT(SIZE_MAX);
	struct acl acl, again;

	acl_parse(slice_of((const char *)data, size), arena, &acl);
	check_rights(&acl);
	acl_format(&acl, &text);
	acl_parse(buf_slice(&text), arena, &again);
	require(again.n == acl.n && again.bad == 0);
	for (size_t i = 0; i < acl.n; i++) {
		require(again.v[i].who == acl.v[i].who &&
		    again.v[i].negative == acl.v[i].negative &&
		    again.v[i].rights == acl.v[i].rights);
		require(slice_eq(again.v[i].name, acl.v[i].name) &&
		    slice_eq(again.v[i].other, acl.v[i].other));
	}
	buf_free(&text);
	arena_free(&arena);
	return 0;
}
