/* Unit test of lib/service/sandbox.c: the forbidden, from inside. */
#include "service/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "t/tmp.h"
#include "t/unit.h"

static char dir[TMP_PATH];

/* What a child did: 0 it worked, the errno, or minus the signal it died of. */
static int
inside(const struct sandbox *sb, int (*try)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (chdir(dir) < 0 || sandbox_enter(sb, NULL) < 0)
			_exit(255);
		errno = 0;
		_exit(try() < 0 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int
try_read(void)
{
	int fd = open("in/file", O_RDONLY);
	char c;

	return fd < 0 ? -1 : (int)read(fd, &c, 1);
}

static int
try_read_other(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int
try_write(void)
{
	int fd = open("in/new", O_WRONLY | O_CREAT, 0600);

	return fd < 0 || fsync(fd) < 0 ? -1 : rename("in/new", "in/file");
}

static int
try_move(void) /* between folders: REFER */
{
	return rename("in/file", "in/below/file") < 0
	    ? -1
	    : rename("in/below/file", "in/file");
}

static int
try_link_out(void)
{
	return link("in/file", "out/link");
}

static int
try_write_out(void)
{
	return open("out/new", O_WRONLY | O_CREAT, 0600);
}

static int
try_fifo(void)
{
	return mkfifo("in/fifo", 0600) < 0 ? -1 : unlink("in/fifo");
}

static int
try_device(void)
{
	return mknod("in/null", S_IFCHR | 0600, 0x103);
}

static int
try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int
try_pair(void)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
}

static int
try_exec(void)
{
	char *argv[] = { (char *)"true", NULL };

	return execv("/bin/true", argv);
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int
try_signal(void)
{
	return kill(getppid(), 0);
}

static int
try_signal_group(void)
{
	return kill(0, 0);
}

static int
try_ptrace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int
try_memory(void) /* of another process */
{
	struct iovec iov = { dir, 1 };

	return (int)process_vm_readv(getppid(), &iov, 1, &iov, 1, 0);
}

static int
try_map_exec(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
	    ? -1
	    : 0;
}

static int
try_allocate(void)
{
	volatile char *p = malloc(300000);

	p[1] = 1;
	free((void *)p);
	return (int)clock();
}

static int
try_namespace(void)
{
	return (int)syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */);
}

static int
try_epoll(void)
{
	return epoll_create1(0);
}

static int
try_stat(void)
{
	struct stat st;

	return fstatat(AT_FDCWD, "in/file", &st, 0);
}

#define SYS -SIGSYS

static const struct {
	const char *name;
	int (*try)(void);
	int parent, front, back, client, park; /* as inside() gives it */
} rows[] = {
	{ "read", try_read, 0, EACCES, 0, 0, EPERM },
	{ "read elsewhere", try_read_other, EACCES, EACCES, EACCES, EACCES,
	    EPERM },
	{ "write", try_write, 0, EACCES, 0, 0, EPERM },
	{ "write elsewhere", try_write_out, EACCES, EACCES, EACCES, EACCES,
	    EPERM },
	{ "rename to another folder", try_move, 0, SYS, 0, 0, EPERM },
	{ "link elsewhere", try_link_out, EACCES, SYS, EACCES, EACCES, EPERM },
	{ "make a fifo", try_fifo, 0, SYS, 0, 0, EPERM },
	{ "make a device", try_device, EPERM, SYS, EPERM, EPERM, EPERM },
	{ "socket", try_socket, EPERM, EACCES, EPERM, 0, EPERM },
	{ "unix socket", try_unix_socket, EPERM, EACCES, EPERM, 0, EPERM },
	{ "pair of sockets", try_pair, 0, SYS, 0, 0, EPERM },
	{ "exec", try_exec, EPERM, SYS, EPERM, EPERM, EPERM },
	{ "fork", try_fork, 0, SYS, EPERM, EPERM, EPERM },
	{ "signal", try_signal, EPERM, SYS, EPERM, EPERM, EPERM },
	{ "signal the own group", try_signal_group, 0, SYS, 0, 0, EPERM },
	{ "ptrace", try_ptrace, EPERM, SYS, EPERM, EPERM, EPERM },
	{ "memory of others", try_memory, EPERM, SYS, EPERM, EPERM, EPERM },
	{ "executable memory", try_map_exec, EPERM, SYS, EPERM, EPERM, EPERM },
	{ "allocate, tell time", try_allocate, 0, 0, 0, 0, 0 },
	{ "wait for many", try_epoll, 0, SYS, 0, 0, 0 },
	{ "times of a file", try_stat, 0, EACCES, 0, 0, 0 },
	{ "namespace", try_namespace, EPERM, SYS, EPERM, EPERM, EPERM },
};

static struct sandbox *
jail(enum sandbox_profile profile)
{
	static char in[TMP_PATH + 16];
	const struct sandbox_path paths[] = { { in, SANDBOX_WRITE },
		{ "/nonexistent", SANDBOX_READ } };
	struct err e = ERR_INIT;
	struct sandbox *sb;

	snprintf(in, sizeof(in), "%s/in", dir);
	sb = sandbox_new(profile, paths,
	    profile == SANDBOX_FRONT || profile == SANDBOX_PARK ? 0 : 2, &e);
	CHECK_STR(e.text, "");
	return sb;
}

static void
test_profiles(void)
{
	struct sandbox *parent = jail(SANDBOX_PARENT);
	struct sandbox *front = jail(SANDBOX_FRONT);
	struct sandbox *back = jail(SANDBOX_BACK);
	struct sandbox *client = jail(SANDBOX_CLIENT);
	struct sandbox *park = jail(SANDBOX_PARK);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].name);
		CHECK_EQ(inside(parent, rows[i].try), rows[i].parent);
		CHECK_EQ(inside(front, rows[i].try), rows[i].front);
		CHECK_EQ(inside(back, rows[i].try), rows[i].back);
		CHECK_EQ(inside(client, rows[i].try), rows[i].client);
		CHECK_EQ(inside(park, rows[i].try), rows[i].park);
	}
	sandbox_free(&parent);
	sandbox_free(&front);
	sandbox_free(&back);
	sandbox_free(&client);
	sandbox_free(&park);
}

static int
try_nothing(void)
{
	return 0;
}

/* A parent forks its back, which forks the front: jails within jails. */
static int
try_stacked(void)
{
	struct sandbox *back = jail(SANDBOX_BACK), *front;
	int rc;

	front = jail(SANDBOX_FRONT);
	rc = inside(front, try_nothing) == 0 &&
		inside(front, try_exec) == SYS &&
		inside(back, try_write) == 0 &&
		inside(back, try_exec) == EPERM &&
		inside(back, try_fork) == EPERM
	    ? 0
	    : -1;
	return rc;
}

static int
try_narrowed(void)
{
	const struct sandbox_path below = { "in/below", SANDBOX_READ };

	if (try_read() < 0 || sandbox_narrow(&below, 1, NULL) < 0)
		return -1;
	if (open("in/below", O_RDONLY) < 0)
		return -1;
	return try_read() < 0 && errno == EACCES ? 0 : -1;
}

static void
test_jails(void)
{
	struct sandbox *parent = jail(SANDBOX_PARENT);
	struct sandbox *back = jail(SANDBOX_BACK);

	CHECK_EQ(inside(parent, try_stacked), 0);
	CHECK_EQ(inside(back, try_narrowed), 0);
	sandbox_free(&parent);
	sandbox_free(&back);
}

static void
test_off(void)
{
	struct sandbox *sb;

	sandbox_off();
	sb = sandbox_new(SANDBOX_FRONT, NULL, 0, NULL);
	CHECK_EQ(inside(sb, try_read_other), 0);
	sandbox_free(&sb);
}

int
main(void)
{
	char path[TMP_PATH + 16];
	int fd;

	if (mkdtemp(tmp_template(dir, "mox-sandbox")) == NULL ||
	    chdir(dir) < 0 ||
	    file_mkdirs(AT_FDCWD, "in/below", 0700, NULL) < 0 ||
	    file_mkdirs(AT_FDCWD, "out", 0700, NULL) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/in/file", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1)
		return 1;
	RUN(test_profiles);
	RUN(test_jails);
	RUN(test_off); /* last: there is no way back */
	file_remove_tree(AT_FDCWD, dir, NULL);
	return unit_done();
}
