/*
 * serve_perms - what root looks at and puts right before it acts on a
 * configuration and gives up its rights.
 */
#ifndef TOOLS_SERVE_PERMS_H
#define TOOLS_SERVE_PERMS_H

#include <sys/types.h>

#include "config/config.h"

/*
 * Root binds ports and opens files that mox.conf names, and changes the owner
 * of what is in DataDir: nobody else may be able to change it. -1 with e,
 * which says what to do.
 */
int serve_check_owner(const struct config *config, uid_t uid, gid_t gid,
    struct err *e);

/* Make data/ and run/, if missing, for the user. run_dir: path of run/. */
int serve_make_folders(const struct config *config, const char *run_dir,
    uid_t uid, gid_t gid, struct err *e);

/*
 * Owner and mode of configuration, keys, data and run folders. Looks at every
 * account's folder, but at the files in it only if the folder was wrong: as
 * after a restore by root. What cannot be put right is logged.
 */
void serve_fix_permissions(const struct config *config, const char *run_dir,
    uid_t uid, gid_t gid);

#endif
