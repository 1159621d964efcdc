/* fdpass - a descriptor with a message. */
#include "base/fdpass.h"

#include <string.h>
#include <sys/socket.h>

/* Room for one descriptor, aligned as CMSG_FIRSTHDR wants it. */
union room {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int
fd_pass(int sock, const void *p, size_t n, int fd)
{
	union room room = { .bytes = "" };
	struct iovec iov = { (void *)p, n };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n
	    ? 0
	    : -1;
}

ssize_t
fd_take(int sock, void *p, size_t n, int *fd_r)
{
	union room room;
	struct iovec iov = { p, n };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes) };
	ssize_t got = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = got > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	*fd_r = -1;
	/* With one descriptor there is no room for more: the kernel closes
	 * them. */
	if (c != NULL && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd_r, CMSG_DATA(c), sizeof(*fd_r));
	return got;
}
