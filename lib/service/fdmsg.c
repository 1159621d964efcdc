#include "service/fdmsg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool
fdmsg_send(int sock, struct slice head, struct slice rest, const int *fds,
    size_t nfds, int flags)
{
	union { /* aligned as CMSG_FIRSTHDR wants it */
		char room[CMSG_SPACE(FDMSG_FDS * sizeof(int))];
		struct cmsghdr head;
	} u = { .head = { .cmsg_level = SOL_SOCKET,
		    .cmsg_type = SCM_RIGHTS,
		    .cmsg_len = CMSG_LEN(nfds * sizeof(int)) } };
	struct iovec iov[2] = { { (void *)(uintptr_t)head.p, head.n },
		{ (void *)(uintptr_t)rest.p, rest.n } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (nfds > 0) {
		memcpy(CMSG_DATA(&u.head), fds, nfds * sizeof(int));
		msg.msg_control = u.room;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	}
	do
		n = sendmsg(sock, &msg, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}

/* False if there are too many descriptors; they are closed. */
static bool
take_descriptors(const struct cmsghdr *c, size_t n, struct fdmsg *m)
{
	for (size_t i = 0; i < n; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
		if (m->nfds < FDMSG_FDS)
			m->fds[m->nfds++] = fd;
		else
			close(fd);
	}
	return n <= FDMSG_FDS;
}

static bool
take_control(struct msghdr *msg, struct fdmsg *m)
{
	struct cmsghdr *c;
	struct ucred sender;
	bool ok = (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		size_t n = c->cmsg_len - CMSG_LEN(0);
		if (c->cmsg_type == SCM_CREDENTIALS && n == sizeof(sender)) {
			memcpy(&sender, CMSG_DATA(c), n);
			m->pid = sender.pid;
		}
		if (c->cmsg_type == SCM_RIGHTS)
			ok &= take_descriptors(c, n / sizeof(int), m);
	}
	return ok;
}

ssize_t
fdmsg_receive(int sock, void *head, size_t head_n, void *rest, size_t rest_n,
    struct fdmsg *m_r, int flags)
{
	union {
		char room[CMSG_SPACE(FDMSG_FDS * sizeof(int)) +
		    CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} u;
	struct iovec iov[2] = { { head, head_n }, { rest, rest_n } };
	struct msghdr msg = { .msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = u.room,
		.msg_controllen = sizeof(u.room) };
	ssize_t n = recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC);

	*m_r = (struct fdmsg){ 0 };
	if (n < 0)
		return -1;
	if (take_control(&msg, m_r) && n >= (ssize_t)head_n)
		return n - (ssize_t)head_n;
	fdmsg_close(m_r);
	errno = n == 0 ? 0 : EBADMSG;
	return -1;
}

void
fdmsg_close(struct fdmsg *m)
{
	for (size_t i = 0; i < m->nfds; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	m->nfds = 0;
}
