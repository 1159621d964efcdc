/* dial - connect to an address. */
#include "net/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

/* Wait for the connection that fd is making; errno set on failure. */
static int
finish(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int64_t end = clock_mono_ms(NULL) + ms;
	int n, error = 0;
	socklen_t size = sizeof(error);

	do {
		int64_t left = end - clock_mono_ms(NULL);
		n = poll(&pfd, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

static int
connect_to(int fd, const struct ip *ip, uint16_t port, const struct ip *from,
    int ms)
{
	struct sockaddr_storage sa;
	socklen_t n;
	int one = 1;

	if (from != NULL) {
		n = ip_to_sockaddr(from, 0, &sa);
		if (bind(fd, (struct sockaddr *)&sa, n) < 0)
			return -1;
	}
	n = ip_to_sockaddr(ip, port, &sa);
	if (connect(fd, (struct sockaddr *)&sa, n) < 0 &&
	    (errno != EINPROGRESS || finish(fd, ms) < 0))
		return -1;
	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int
dial_tcp(const struct ip *ip, uint16_t port, const struct ip *from, int ms,
    struct err *e)
{
	char text[IP_TEXT];
	int fd = socket(ip->family == 4 ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "socket");
	if (connect_to(fd, ip, port, from, ms) < 0) {
		err_sys(e, "connect to %s port %u", ip_text(ip, text), port);
		close(fd);
		return -1;
	}
	return fd;
}
