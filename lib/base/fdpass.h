/*
 * fdpass - a descriptor with a message, over a Unix socket of packets.
 */
#ifndef BASE_FDPASS_H
#define BASE_FDPASS_H

#include <stddef.h>
#include <sys/types.h>

/* Send n bytes (1 or more) and fd, which stays the caller's. Does not block.
 * 0, or -1 with errno. */
int fd_pass(int sock, const void *p, size_t n, int fd);

/*
 * Take a message of at most n bytes and its descriptor, close-on-exec; *fd_r
 * is -1 if there came none; of several all but one are closed. Does not block. Returns the bytes, 0
 * when all other ends are closed, -1 with errno (EAGAIN: nothing is there).
 */
ssize_t fd_take(int sock, void *p, size_t n, int *fd_r);

#endif
