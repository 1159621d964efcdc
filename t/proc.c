/* Unit test of lib/base/proc.c. */
#include "base/proc.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "t/unit.h"

static int
wait_for(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

/* Exit code of sh -c command; what it wrote to descriptor 7 in out. */
static int
shell(const char *command, char *const env[], struct buf *out)
{
	char sh[] = "sh", c[] = "-c", text[200];
	char *argv[] = { sh, c, text, NULL };
	struct err e = ERR_INIT;
	int fds[2];
	pid_t pid;

	slice_cstr(slice_str(command), text, sizeof(text));
	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	pid = proc_spawn(argv, env, &(struct proc_fd){ fds[1], 7 }, 1, 0, &e);
	CHECK(pid > 0);
	close(fds[1]);
	buf_reset(out);
	CHECK_EQ(file_read_fd(fds[0], out, NULL), 0);
	close(fds[0]);
	return wait_for(pid);
}

static void
test_spawn(void)
{
	char nowhere[] = "/nonexistent/program", a[] = "A=1";
	char path[] = "PATH=/usr/bin:/bin";
	char *argv[] = { nowhere, NULL }, *env[] = { a, path, NULL };
	struct buf out = BUF_INIT(1000);
	struct err e = ERR_INIT;
	int leaked = dup(0); /* without close-on-exec */

	CHECK_EQ(shell("echo hello >&7; exit 3", NULL, &out), 3);
	CHECK_STR(buf_cstr(&out), "hello\n");
	CHECK_EQ(shell("echo $A$HOME >&7", env, &out), 0);
	CHECK_STR(buf_cstr(&out), "1\n");
	CHECK(leaked < 10);
	shell("cd /proc/$$/fd; for i in 3 4 5 6 8 9; do"
	      " [ -e $i ] && echo $i >&7; done",
	    NULL, &out);
	CHECK_STR(buf_cstr(&out), "");
	CHECK_EQ(proc_spawn(argv, NULL, NULL, 0, 0, &e), -1);
	CHECK_STR(e.text, "/nonexistent/program: No such file or directory");
	CHECK_EQ(e.kind, ERR_PERM);
	close(leaked);
	buf_free(&out);
}

/* Each descriptor where the other one is. */
static void
test_swap(void)
{
	char sh[] = "sh", c[] = "-c", text[64];
	char *argv[] = { sh, c, text, NULL };
	char got[8] = "";
	int a[2], b[2];
	pid_t pid;

	CHECK_EQ(pipe2(a, O_CLOEXEC) | pipe2(b, O_CLOEXEC), 0);
	CHECK(a[1] < 10 && b[1] < 10); /* sh takes single digits */
	snprintf(text, sizeof(text), "echo a >&%d; echo b >&%d", b[1], a[1]);
	pid = proc_spawn(argv, NULL,
	    (struct proc_fd[]){ { a[1], b[1] }, { b[1], a[1] } }, 2, 0, NULL);
	CHECK_EQ(wait_for(pid), 0);
	CHECK(read(a[0], got, sizeof(got)) == 2 && got[0] == 'a');
	CHECK(read(b[0], got, sizeof(got)) == 2 && got[0] == 'b');
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

static void
test_signals(void)
{
	static const int signals[] = { SIGTERM, SIGHUP, 0 };
	struct buf out = BUF_INIT(1000);
	struct err e = ERR_INIT;
	char got[4];
	int fd = proc_signals(signals, &e);

	CHECK(fd >= 0);
	CHECK_EQ(read(fd, got, sizeof(got)), -1);
	CHECK_EQ(errno, EAGAIN);
	raise(SIGHUP);
	raise(SIGTERM);
	CHECK_EQ(read(fd, got, sizeof(got)), 2);
	CHECK(got[0] == SIGHUP && got[1] == SIGTERM);
	/* A started program has them as usual. */
	CHECK_EQ(shell("kill -TERM $$", NULL, &out), 1000 + SIGTERM);
	CHECK_EQ(read(fd, got, sizeof(got)), -1);
	proc_signals_reset();
	proc_signals_reset();
	CHECK(signal(SIGTERM, SIG_DFL) == SIG_DFL);
	buf_free(&out);
}

static void
test_codes(void)
{
	CHECK_EQ(proc_exit_code(&(struct err){ ERR_TEMP, "" }), 111);
	CHECK_EQ(proc_exit_code(&(struct err){ ERR_PERM, "" }), 1);
	CHECK_EQ(proc_exit_code(&(struct err){ ERR_SYNTAX, "" }), 1);
}

int
main(void)
{
	RUN(test_spawn);
	RUN(test_swap);
	RUN(test_signals);
	RUN(test_codes);
	return unit_done();
}
