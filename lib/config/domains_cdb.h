/*
 * domains_cdb - domains.conf compiled to data/lookup/domains.cdb.
 *
 * The README has the keys. The CDB remembers mtime, size and inode of the
 * domains.conf it was made from. It is replaced by rename, under a lock, so
 * that of many who notice a change one compiles and the others find it done.
 */
#ifndef CONFIG_DOMAINS_CDB_H
#define CONFIG_DOMAINS_CDB_H

#include <sys/stat.h>

#include "config/config.h"

/*
 * Compile if domains.conf differs from what the CDB was made from, or if
 * there is no CDB. Returns 1 compiled, 0 nothing to do, -1 not compiled: the
 * problems are in errors, the old CDB stays. Blocks for the compilation, or
 * for another process's.
 */
int domains_cdb_refresh(const struct config *config,
    struct sconf_errors *errors);

/*
 * Compile domains that are loaded and checked; domains->st tells which file
 * they are. 0, or -1 with e. Blocks while another process compiles.
 */
int domains_cdb_compile(const struct config *config,
    const struct config_domains *domains, struct err *e);

/*
 * For accepting parents: the same, but looks at domains.conf at most once a
 * second, and logs problems, once for each version of the file, rather than
 * returning them. A large file is compiled in a child, which the caller reaps
 * as any other; on failure once a minute. now is monotonic time in
 * nanoseconds. Start with a zeroed watch.
 */
struct domains_cdb_watch {
	int64_t next; /* not before this time */
	bool dealt;   /* with this version; all zero: no such file */
	struct stat seen;
};
void domains_cdb_poll(const struct config *config,
    struct domains_cdb_watch *watch, int64_t now);

#endif
