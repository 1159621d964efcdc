/*
 * Unit test of lib/dns/ask.c: a resolver of our own behind the door, which
 * does what the test says.
 */
#include "dns/ask.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "dns/ask_int.h"
#include "t/unit.h"

/* A message that answers any question about a.example with 192.0.2.1. */
static const char packet[] = "\x00\x00\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
			     "\1a\7example\0\0\1\0\1"
			     "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1";

enum behaviour {
	ANSWER,     /* what is asked, in order */
	BACKWARDS,  /* two questions, the second first */
	STRANGE_ID, /* first an answer nobody asked for */
	SILENT,
	GARBAGE, /* bytes that are no message */
	HANG_UP, /* end before the first answer, three times */
	HANG_UP_ONCE,
};

static struct arena *arena;

/* ---- the resolver ---- */

static int
take_client(int door)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = u.room,
		.msg_controllen = sizeof(u.room) };
	struct cmsghdr *cmsg;
	int fd = -1;

	if (recvmsg(door, &msg, 0) <= 0)
		_exit(0);
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg != NULL)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

static void
answer(int fd, uint32_t id)
{
	struct ask_answer head = { .id = id, .flags = ASK_SECURE };
	char bytes[sizeof(head) + sizeof(packet)];

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), packet, sizeof(packet));
	if (send(fd, bytes, sizeof(bytes) - 1, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static uint32_t
question(int fd)
{
	struct {
		struct ask_question head;
		char name[ASK_NAME_MAX];
	} q;

	if (recv(fd, &q, sizeof(q), 0) <= 0)
		_exit(0);
	return q.head.id;
}

static _Noreturn void
resolve(int door, enum behaviour b)
{
	int fd = take_client(door);
	uint32_t first;

	if (b == HANG_UP || b == HANG_UP_ONCE) {
		question(fd);
		close(fd);
		fd = take_client(door);
	}
	if (b == HANG_UP)
		for (;;) {
			close(fd);
			fd = take_client(door);
		}
	if (b == GARBAGE) {
		question(fd);
		send(fd, "abc", 3, MSG_NOSIGNAL);
		close(fd);
		fd = take_client(door);
	}
	for (;;) {
		first = question(fd);
		if (b == BACKWARDS)
			answer(fd, question(fd));
		if (b == STRANGE_ID)
			answer(fd, first + 1000);
		if (b != SILENT)
			answer(fd, first);
	}
}

/* ---- asking it ---- */

static const struct {
	const char *name;
	enum behaviour behaviour;
	int rc;
	const char *error;
	bool timeout;
} rows[] = {
	{ "answers", ANSWER, 1, "", false },
	{ "other order", BACKWARDS, 1, "", false },
	{ "unasked answer", STRANGE_ID, 1, "", false },
	{ "silent", SILENT, -1, "dns: no answer in time for a.example", true },
	{ "garbage", GARBAGE, 1, "", false },
	{ "ends once", HANG_UP_ONCE, 1, "", false },
	{ "ends always", HANG_UP, -1, "dns: the resolver ended", false },
};

static pid_t
start(enum behaviour b, int *door_r)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[1]);
		resolve(pair[0], b);
	}
	close(pair[0]);
	*door_r = pair[1];
	return pid;
}

static void
test_resolvers(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct dns_answer a;
		struct dns *dns;
		int door;
		pid_t pid = start(rows[i].behaviour, &door);
		ROW(rows[i].name);
		dns = ask_new(door);
		if (rows[i].timeout)
			dns->until_ms = clock_mono_ms(NULL) + 50;
		dns_start(dns, SLICE("a.example"), DNS_A);
		dns_start(dns, SLICE("A.example"), DNS_A); /* the same */
		if (rows[i].behaviour == BACKWARDS)
			dns_start(dns, SLICE("b.example"), DNS_A);
		CHECK_EQ(dns_query(dns, arena, SLICE("a.example"), DNS_A, &a,
			     &e),
		    rows[i].rc);
		CHECK_STR(e.text, rows[i].error);
		CHECK_EQ(a.timeout, rows[i].timeout);
		CHECK_EQ(a.secure, rows[i].rc > 0);
		dns_free(&dns);
		close(door);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

/* More questions started than a handle has room for: the rest is asked when
 * it is wanted. */
static void
test_many(void)
{
	int door;
	pid_t pid = start(ANSWER, &door);
	struct dns *dns = ask_new(door);
	struct dns_answer a;
	char name[32];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		dns_start(dns, slice_str(name), DNS_A);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		CHECK_EQ(dns_query(dns, arena, slice_str(name), DNS_A, &a,
			     NULL),
		    1);
	}
	dns_free(&dns);
	close(door);
	waitpid(pid, NULL, 0);
}

/* What was started and is forgotten is asked anew. */
static void
test_forget(void)
{
	struct dns_answer a;
	struct err e = ERR_INIT;

	for (int forget = 0; forget < 2; forget++) {
		int door;
		pid_t pid = start(ANSWER, &door);
		struct dns *dns = ask_new(door);

		dns_start(dns, SLICE("a.example"), DNS_A);
		CHECK_EQ(dns_query(dns, arena, SLICE("b.example"), DNS_A, &a,
			     &e),
		    1);
		if (forget)
			dns_forget(dns);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		CHECK_EQ(dns_query(dns, arena, SLICE("a.example"), DNS_A, &a,
			     &e),
		    forget ? -1 : 1);
		dns_free(&dns);
		close(door);
	}
}

static void
test_nobody(void)
{
	struct err e = ERR_INIT;
	struct dns_answer a;
	struct dns *dns;
	int pair[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	close(pair[0]);
	dns = ask_new(pair[1]);
	dns_start(dns, SLICE("a.example"), DNS_A);
	CHECK_EQ(dns_query(dns, arena, SLICE("a.example"), DNS_A, &a, &e), -1);
	CHECK_EQ(e.kind, ERR_TEMP);
	CHECK_STR(e.text, "dns: no resolver: Broken pipe");
	dns_free(&dns);
	close(pair[1]);
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_resolvers);
	RUN(test_many);
	RUN(test_forget);
	RUN(test_nobody);
	arena_free(&arena);
	return unit_done();
}
