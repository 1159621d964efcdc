/*
 * notify - tell the service manager how we are.
 */
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H

/* sd_notify(3): send text ("STOPPING=1") to the socket that systemd named in
 * NOTIFY_SOCKET. Without that, nothing. */
void notify_systemd(const char *text);

/* Ready: READY=1 to systemd, and for s6 a newline to fd, which is closed. -1:
 * there is none. */
void notify_ready(int fd);

#endif
