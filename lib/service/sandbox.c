/* sandbox - jails of seccomp and Landlock. */
#include "service/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"

/* ---- system calls ---- */

/* What any running program needs, which reaches nothing but its own memory,
 * time, and the descriptors it has. */
static const int calls_own[] = {
	SCMP_SYS(brk),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrusage),
	SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(nanosleep),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(setitimer),
	SCMP_SYS(shutdown),
	SCMP_SYS(sysinfo),
	SCMP_SYS(time),
	SCMP_SYS(uname),
	SCMP_SYS(write),
	SCMP_SYS(writev),
#ifdef SANDBOX_SANITIZERS /* to say what they found, and die of it */
	SCMP_SYS(getrlimit),
	SCMP_SYS(prctl),
	SCMP_SYS(prlimit64),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(tgkill),
#endif
};

/* Files, which Landlock then narrows to folders; children that end. */
static const int calls_files[] = {
	SCMP_SYS(access),
	SCMP_SYS(chdir),
	SCMP_SYS(chmod),
	SCMP_SYS(copy_file_range),
	SCMP_SYS(creat),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(fadvise64),
	SCMP_SYS(fallocate),
	SCMP_SYS(fchdir),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(fcntl),
	SCMP_SYS(fdatasync),
	SCMP_SYS(flock),
	SCMP_SYS(fstatfs),
	SCMP_SYS(fsync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(getcwd),
	SCMP_SYS(getdents64),
	SCMP_SYS(getegid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getpeername),
	SCMP_SYS(getpgrp),
	SCMP_SYS(getppid),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(getuid),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_restrict_self),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(lseek),
	SCMP_SYS(lstat),
	SCMP_SYS(mincore),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(msync),
	SCMP_SYS(newfstatat),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(openat2),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	SCMP_SYS(pread64),
	SCMP_SYS(preadv),
	SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(rmdir),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(sendfile),
	SCMP_SYS(setsockopt),
	SCMP_SYS(splice),
	SCMP_SYS(stat),
	SCMP_SYS(statfs),
	SCMP_SYS(statx),
	SCMP_SYS(sync_file_range),
	SCMP_SYS(syncfs),
	SCMP_SYS(truncate),
	SCMP_SYS(umask),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(utimensat),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
};

/* New connections outwards. */
static const int calls_network[] = {
	SCMP_SYS(bind),
	SCMP_SYS(connect),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(socket),
};

/* Accept and fork; put children in their jails. */
static const int calls_parent[] = {
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(fork),
	SCMP_SYS(getpgid),
	SCMP_SYS(kill),
	SCMP_SYS(prctl),
	SCMP_SYS(prlimit64),
	SCMP_SYS(rseq),
	SCMP_SYS(seccomp),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(setpgid),
	SCMP_SYS(setrlimit),
	SCMP_SYS(socketpair),
};

/* Wait for many, and see whether files changed. */
static const int calls_park[] = {
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
};

/* What honest code of a front may try by way of a library (time zone, locale,
 * abort): refused, so that tests see it and the library goes on without. */
static const int calls_refused[] = {
	SCMP_SYS(access),
	SCMP_SYS(connect),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(getcwd),
	SCMP_SYS(ioctl),
	SCMP_SYS(lseek),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(socket),
	SCMP_SYS(stat),
	SCMP_SYS(statx),
#ifndef SANDBOX_SANITIZERS
	SCMP_SYS(tgkill),
#endif
};

enum { OWN = 1, FILES = 2, NETWORK = 4, PARENT = 8, PARK = 16 };

/*
 * Everything else: a front is killed, because nothing but an exploit gets
 * there, and the crash makes its address known to the parent. The others are
 * refused: they run much library code, which finds its way around EPERM, and
 * hold a mailbox open.
 */
static const struct {
	unsigned calls;
	uint32_t otherwise;
} profiles[SANDBOX_PROFILES] = {
	[SANDBOX_PARENT] = { OWN | FILES | PARENT | PARK,
	    SCMP_ACT_ERRNO(EPERM) },
	[SANDBOX_FRONT] = { OWN, SCMP_ACT_KILL_PROCESS },
	[SANDBOX_BACK] = { OWN | FILES, SCMP_ACT_ERRNO(EPERM) },
	[SANDBOX_PARK] = { OWN | PARK, SCMP_ACT_ERRNO(EPERM) },
	[SANDBOX_CLIENT] = { OWN | FILES | NETWORK, SCMP_ACT_ERRNO(EPERM) },
};

static bool
add_calls(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		/* Negative: this architecture does not have it. */
		if (calls[i] >= 0 && seccomp_rule_add(ctx, action, calls[i], 0))
			return false;
	return true;
}

#define ADD(ctx, action, calls) \
	add_calls(ctx, action, calls, sizeof(calls) / sizeof((calls)[0]))

#define NAMESPACES \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | \
	    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

#define IN(profile) (1U << SANDBOX_##profile)
#define ALL (IN(PARENT) | IN(FRONT) | IN(BACK) | IN(PARK) | IN(CLIENT))
#define BARE (IN(FRONT) | IN(PARK)) /* no files */

/* Calls that are allowed by an argument. */
static const struct {
	int call;
	unsigned in;
	struct scmp_arg_cmp arg;
} conditions[] = {
	{ SCMP_SYS(mmap), ALL, { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ SCMP_SYS(mprotect), ALL, { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ SCMP_SYS(fcntl), IN(FRONT), { 1, SCMP_CMP_EQ, F_GETFL, 0 } },
	{ SCMP_SYS(fcntl), IN(FRONT), { 1, SCMP_CMP_EQ, F_SETFL, 0 } },
	/* A relay no longer dies with its back, but with their connection. */
	{ SCMP_SYS(prctl), IN(FRONT), { 0, SCMP_CMP_EQ, PR_SET_PDEATHSIG, 0 } },
	/* Is there something to be read? */
	{ SCMP_SYS(ioctl), IN(PARENT) | IN(PARK),
	    { 1, SCMP_CMP_EQ, FIONREAD, 0 } },
	{ SCMP_SYS(mknodat), ALL & ~BARE,
	    { 2, SCMP_CMP_MASKED_EQ, S_IFMT, S_IFIFO } },
	/* The own group: a back tells its front to stop. */
	{ SCMP_SYS(kill), IN(BACK) | IN(CLIENT), { 0, SCMP_CMP_EQ, 0, 0 } },
	/* A pair to the resolver: reaches nobody by itself. */
	{ SCMP_SYS(socketpair), IN(BACK) | IN(CLIENT),
	    { 0, SCMP_CMP_EQ, AF_UNIX, 0 } },
	/* To ask for limits, not to change them. */
	{ SCMP_SYS(prlimit64), ALL & ~IN(PARENT), { 2, SCMP_CMP_EQ, 0, 0 } },
	{ SCMP_SYS(clone), IN(PARENT),
	    { 0, SCMP_CMP_MASKED_EQ, NAMESPACES, 0 } },
};

static bool
add_conditions(scmp_filter_ctx ctx, enum sandbox_profile profile)
{
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (conditions[i].in & 1U << profile &&
		    seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
			conditions[i].call, 1, &conditions[i].arg) != 0)
			return false;
	return true;
}

static bool
fill_filter(scmp_filter_ctx ctx, enum sandbox_profile profile)
{
	unsigned calls = profiles[profile].calls;

	/* A binary search in place of a list: fewer steps for each call. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return ADD(ctx, SCMP_ACT_ALLOW, calls_own) &&
	    (!(calls & FILES) || ADD(ctx, SCMP_ACT_ALLOW, calls_files)) &&
	    (!(calls & NETWORK) || ADD(ctx, SCMP_ACT_ALLOW, calls_network)) &&
	    (!(calls & PARENT) || ADD(ctx, SCMP_ACT_ALLOW, calls_parent)) &&
	    (!(calls & PARK) || ADD(ctx, SCMP_ACT_ALLOW, calls_park)) &&
	    (profile != SANDBOX_FRONT ||
		ADD(ctx, SCMP_ACT_ERRNO(EACCES), calls_refused)) &&
	    add_conditions(ctx, profile);
}

/* A filter as the kernel takes it. */
struct program {
	struct sock_filter *v;
	size_t n;
};

/* libseccomp writes to a descriptor only. */
static int export(scmp_filter_ctx ctx, struct program *p)
{
	struct stat st;
	int fd = memfd_create("seccomp", MFD_CLOEXEC), rc = -1;

	if (fd < 0)
		return -1;
	if (seccomp_export_bpf(ctx, fd) == 0 && fstat(fd, &st) == 0 &&
	    st.st_size > 0) {
		p->n = (size_t)st.st_size / sizeof(*p->v);
		p->v = xreallocarray(NULL, p->n, sizeof(*p->v));
		rc = file_pread(fd, p->v, p->n * sizeof(*p->v), 0, NULL);
	}
	close(fd);
	return rc;
}

static int
compile(enum sandbox_profile profile, struct program *p, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(profiles[profile].otherwise);
	int rc = 0;

	if (ctx == NULL || !fill_filter(ctx, profile) || export(ctx, p) < 0)
		rc = err_set(e, ERR_PERM, "sandbox: no seccomp filter");
	seccomp_release(ctx);
	return rc;
}

/* Does this system take filters at all? Asked without installing one. */
static int
require_seccomp(struct err *e)
{
	unsigned action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return 0;
	return err_sys(e,
	    "sandbox: this system has no seccomp "
	    "(-nosandbox goes on without)");
}

static int
install(const struct program *p, struct err *e)
{
	struct sock_fprog prog = { (unsigned short)p->n, p->v };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return err_sys(e, "sandbox: seccomp");
	return 0;
}

/* ---- files ---- */

/* Later than the headers of some systems we build on. */
#define ACCESS_REFER (UINT64_C(1) << 13)     /* ABI 2 */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define NET_TCP UINT64_C(3)                  /* ABI 4: bind, connect */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define SCOPE_ABSTRACT UINT64_C(1)           /* ABI 6: abstract sockets */
#define SCOPE_SIGNAL UINT64_C(2)

struct ruleset_attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	    ACCESS_REFER | ACCESS_TRUNCATE)

/* All accesses that the kernel knows; 0 if it is too old. */
static uint64_t
handled_access(long abi)
{
	if (abi < 2)
		return 0;
	return ((ACCESS_REFER << 1) - 1) | (abi >= 3 ? ACCESS_TRUNCATE : 0) |
	    (abi >= 5 ? ACCESS_IOCTL_DEV : 0);
}

static long
landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
}

static int
add_path(int ruleset, const struct sandbox_path *path, uint64_t handled,
    struct err *e)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = ACCESS_READ |
		    (path->rights & SANDBOX_WRITE ? ACCESS_WRITE : 0),
		.parent_fd = open(path->path, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	long rc;

	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == EACCES
		    ? 0
		    : err_sys(e, "sandbox: %s", path->path);
	rule.allowed_access &= handled;
	rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
	    &rule, 0);
	if (rc < 0)
		err_sys(e, "sandbox: %s", path->path);
	close(rule.parent_fd);
	return rc < 0 ? -1 : 0;
}

/*
 * Open rules that allow paths only; *fd_r is -1 where there is no Landlock. A
 * back may signal its front, which is in another jail, so signals are left to
 * seccomp for it.
 */
static int
make_ruleset(enum sandbox_profile profile, const struct sandbox_path *paths,
    size_t n, int *fd_r, struct err *e)
{
	long abi = landlock_abi();
	bool back = profile == SANDBOX_BACK || profile == SANDBOX_CLIENT;
	struct ruleset_attr attr = {
		.fs = handled_access(abi),
		.net = profile == SANDBOX_CLIENT ? 0 : NET_TCP,
		.scoped = SCOPE_ABSTRACT | (back ? 0 : SCOPE_SIGNAL),
	};
	size_t known = abi >= 6 ? 3 : abi >= 4 ? 2 : 1; /* fields of attr */
	int fd;

	*fd_r = -1;
	if (attr.fs == 0) {
		log_line("sandbox", LOG_WARN,
		    "no Landlock here: files are not narrowed to folders");
		return 0;
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr,
	    known * sizeof(uint64_t), 0);
	if (fd < 0)
		return err_sys(e, "sandbox: landlock");
	for (size_t i = 0; i < n; i++)
		if (add_path(fd, &paths[i], attr.fs, e) < 0) {
			close(fd);
			return -1;
		}
	*fd_r = fd;
	return 0;
}

static int
restrict_files(int ruleset, struct err *e)
{
	/* A jail that is narrowed has set it and allows prctl no more; without
	 * it the kernel refuses what follows. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_sys(e, "sandbox: landlock");
	return 0;
}

/* ---- jails ---- */

struct sandbox {
	const struct program *program; /* of its profile */
	int ruleset;                   /* -1: none */
};

/* Process-wide: -nosandbox, and each filter compiled once. */
static bool off;
static struct program programs[SANDBOX_PROFILES];

void
sandbox_off(void)
{
	off = true;
}

struct sandbox *
sandbox_new(enum sandbox_profile profile, const struct sandbox_path *paths,
    size_t n, struct err *e)
{
	struct program *program = &programs[profile];
	struct sandbox *sb = xcalloc(1, sizeof(*sb));

	sb->ruleset = -1;
	if (off)
		return sb;
	sb->program = program;
	if (require_seccomp(e) < 0 ||
	    (program->n == 0 && compile(profile, program, e) < 0) ||
	    make_ruleset(profile, paths, n, &sb->ruleset, e) < 0)
		sandbox_free(&sb);
	return sb;
}

void
sandbox_free(struct sandbox **sb)
{
	if (*sb != NULL && (*sb)->ruleset >= 0)
		close((*sb)->ruleset);
	free(*sb);
	*sb = NULL;
}

int
sandbox_enter(const struct sandbox *sb, struct err *e)
{
	if (sb->ruleset >= 0 && restrict_files(sb->ruleset, e) < 0)
		return -1;
	return sb->program == NULL ? 0 : install(sb->program, e);
}

int
sandbox_narrow(const struct sandbox_path *paths, size_t n, struct err *e)
{
	int rc = 0, ruleset;

	if (off)
		return 0;
	if (make_ruleset(SANDBOX_BACK, paths, n, &ruleset, e) < 0)
		return -1;
	if (ruleset >= 0) {
		rc = restrict_files(ruleset, e);
		close(ruleset);
	}
	return rc;
}
