/* secret - keys that are made when they are first wanted. */
#include "db/secret.h"

#include <string.h>

#include "base/file.h"
#include "base/sha.h"
#include "db/newfile.h"

/* 1, 0 no such file, -1. */
static int
read_secret(int dirfd, const char *name, void *p, size_t n, struct err *e)
{
	struct buf b = BUF_INIT(DB_SECRET_MAX + 1);
	int rc = file_read(dirfd, name, &b, e);

	if (rc == 1 && b.n == n)
		memcpy(p, b.p, n);
	else if (rc == 1)
		rc = err_set(e, ERR_SYNTAX, "%s: not %zu bytes", name, n);
	buf_wipe(&b);
	return rc;
}

int
db_secret(int dirfd, const char *name, struct rand *rand, void *p, size_t n,
    struct err *e)
{
	char made[DB_SECRET_MAX];
	int rc;

	if ((rc = read_secret(dirfd, name, p, n, e)) != 0)
		return rc < 0 ? -1 : 0;
	rand_fill(rand, made, n);
	rc = db_create_file(dirfd, name, slice_of(made, n), 0600, e);
	sha_wipe(made, sizeof(made));
	/* Whoever came first made it. */
	return rc >= 0 && read_secret(dirfd, name, p, n, e) == 1 ? 0 : -1;
}
