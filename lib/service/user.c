/* user - which user a process is, and its resource limits. */
#include "service/user.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <stdlib.h>
#include <unistd.h>

#define USER_NAME 64 /* useradd(8) allows 32 */

/* Become uid and gid in every sense, and be sure of it. */
static int
become(uid_t uid, gid_t gid, const char *name, struct err *e)
{
	if (name != NULL ? initgroups(name, gid) < 0 : setgroups(0, NULL) < 0)
		return err_sys(e, "setgroups");
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_sys(e, "becoming user %u", uid);
	if (uid != 0 && setuid(0) == 0)
		return err_set(e, ERR_PERM, "user %u can become root again",
		    uid);
	return 0;
}

/* Ids of a name, or of a number; *known_r: it is in passwd(5). */
static int
find_user(struct slice user, char *name, size_t size, uid_t *uid_r,
    gid_t *gid_r, bool *known_r, struct err *e)
{
	const struct passwd *pw;
	uint32_t id;

	if (!slice_cstr(user, name, size))
		return err_set(e, ERR_SYNTAX, "user name too long");
	pw = getpwnam(name);
	*known_r = pw != NULL;
	if (pw != NULL) {
		*uid_r = pw->pw_uid;
		*gid_r = pw->pw_gid;
		return 0;
	}
	if (!slice_u32(user, &id))
		return err_set(e, ERR_PERM, "no user \"%s\"", name);
	*uid_r = id;
	*gid_r = id;
	return 0;
}

int
user_ids(struct slice user, uid_t *uid_r, gid_t *gid_r, struct err *e)
{
	char name[USER_NAME];
	bool known;

	return find_user(user, name, sizeof(name), uid_r, gid_r, &known, e);
}

int
user_become(struct slice user, struct err *e)
{
	char name[USER_NAME];
	bool known;
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	if (geteuid() != 0 || user.n == 0)
		return 0;
	if (find_user(user, name, sizeof(name), &uid, &gid, &known, e) < 0)
		return -1;
	return become(uid, gid, known ? name : NULL, e);
}

int
user_become_owner(const char *data_dir, struct err *e)
{
	struct stat st;
	const struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	if (stat(data_dir, &st) < 0)
		return err_sys(e, "%s", data_dir);
	if (st.st_uid == 0)
		return 0;
	pw = getpwuid(st.st_uid);
	return become(st.st_uid, st.st_gid, pw != NULL ? pw->pw_name : NULL, e);
}

int
user_act_as_owner(const char *data_dir, struct err *e)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(data_dir, &st) < 0)
		return err_sys(e, "%s", data_dir);
	if (setegid(st.st_gid) < 0 || seteuid(st.st_uid) < 0) {
		err_sys(e, "acting as user %u", st.st_uid);
		user_act_end();
		return -1;
	}
	return 0;
}

void
user_act_end(void)
{
	/* Cannot fail for who has them as real ids. */
	if (getuid() == 0 && (seteuid(0) < 0 || setegid(getgid()) < 0))
		abort();
}

void
user_limits(void)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	signal(SIGPIPE, SIG_IGN);
}
