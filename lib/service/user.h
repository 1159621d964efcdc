/*
 * user - which user a process is, and its resource limits.
 */
#ifndef SERVICE_USER_H
#define SERVICE_USER_H

#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

/* The ids of user, as user_become takes them: 0, or -1 with e. Uses NSS. */
int user_ids(struct slice user, uid_t *uid_r, gid_t *gid_r, struct err *e);

/*
 * As root, become user (a name, or a number used for user and group), with its
 * groups, for good. As any other user this does nothing. Uses NSS.
 */
int user_become(struct slice user, struct err *e);

/*
 * For tools: as root, become the owner of the folder data_dir (unless that is
 * root), so that files made have the right owner.
 */
int user_become_owner(const char *data_dir, struct err *e);

/*
 * The same, but for a while: until user_act_end files are made, and access is
 * checked, as for the owner. Not for jails: the process can become root again.
 */
int user_act_as_owner(const char *data_dir, struct err *e);
void user_act_end(void);

/* umask 077, no core dumps, SIGPIPE ignored. Called by service_main. */
void user_limits(void);

#endif
