/*
 * limit - how often something came from an address and its networks, in a file
 * that all services of a host map (run/limits).
 *
 * Fixed windows (time divided by their length), as mox has them. Each event
 * counts for the address (IPv4 /32, IPv6 /64), its network (/26, /48) and its
 * large network (/21, /32). Counts are advisory: the table has a fixed size
 * and forgets the smallest when it is full, and it is lost at reboot. There
 * are no locks, so a process killed in the middle hurts nobody.
 */
#ifndef LIMIT_LIMIT_H
#define LIMIT_LIMIT_H

#include "base/err.h"
#include "net/addr.h"

struct limit;

#define LIMIT_CLASSES 3

/* What is counted; numbers are part of the file's format. */
enum limit_what {
	LIMIT_NEW_SMTP = 1, /* new connections, each kind of service apart */
	LIMIT_NEW_SUBMISSION = 2,
	LIMIT_NEW_IMAP = 3,
	LIMIT_NEW_HTTP = 4,
	LIMIT_AUTH = 5,  /* failed logins, shared by all services */
	LIMIT_CRASH = 6, /* processes that crashed */
};

struct limit_window {
	unsigned seconds;
	unsigned max[LIMIT_CLASSES]; /* by class; 0: no limit */
};

struct limit_rule {
	enum limit_what what;
	size_t n;
	struct limit_window windows[2];
};

/* Map the file, making it if it is missing or of another version. NULL with
 * e; NULL is a table in which nothing is ever too much. */
struct limit *limit_open(const char *path, struct err *e);
/* A table of this process and its children only. */
struct limit *limit_private(void);
void limit_close(struct limit **l);

/* Would one more be too much? */
bool limit_check(struct limit *l, const struct limit_rule *rule,
    const struct ip *ip, int64_t now_s);
/* Count one, unless it would be too much: then false, and nothing counts. */
bool limit_add(struct limit *l, const struct limit_rule *rule,
    const struct ip *ip, int64_t now_s);
/* A success: forget those of the address, and take them off its networks. */
void limit_reset(struct limit *l, const struct limit_rule *rule,
    const struct ip *ip, int64_t now_s);

/* The key of an address in a class 0 to 2: its network. */
struct ip limit_class(const struct ip *ip, unsigned class);

#endif
