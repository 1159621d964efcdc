/*
 * quickstart - what the files of mox-quickstart share: what is known of the
 * host, what is made for it.
 *
 *   mox-quickstart.c    options, the order of things, what is printed
 *   quickstart_host.c   interfaces, names, DNS: warnings with advice
 *   quickstart_conf.c   texts: mox.conf, domains.conf
 *   quickstart_files.c  keys and files; taken back if something fails
 */
#ifndef TOOLS_QUICKSTART_H
#define TOOLS_QUICKSTART_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "net/addr.h"

#define QUICKSTART_LOG_MAX (1 << 20)
#define QUICKSTART_PASSWORD 12 /* characters */

struct quickstart_ips {
	struct ip *v;
	size_t n;
};

struct quickstart {
	struct arena *arena;
	struct buf log; /* all that was printed, for quickstart.log */
	unsigned warnings;

	/* Options. */
	const char *user;
	const char *wanted_hostname; /* NULL: find it out */
	bool skip_dial;
	bool existing_webserver;

	/* Names: domains in unicode form, and in ASCII form. */
	struct slice address, account;
	struct slice domain, domain_ascii;
	struct slice hostname, hostname_ascii;
	uid_t uid;
	gid_t gid;

	/* quickstart_look */
	struct quickstart_ips public, private, loopback; /* of interfaces */
	struct quickstart_ips host;   /* of the host name, in DNS */
	struct quickstart_ips listen; /* listener public; and behind NAT: */
	struct quickstart_ips nat;
	bool dnssec;                     /* answers are validated, */
	bool host_secure, domain_secure; /* and these zones are signed */

	/* quickstart_make */
	struct slice rsa_key, ec_key, dkim_keys[2]; /* names in ../secret */
	struct slice cert, cert_key;                /* as mox.conf names them */
	bool self_signed;
	struct slice year; /* of the selectors */
	char admin_password[QUICKSTART_PASSWORD + 1];
	char account_password[QUICKSTART_PASSWORD + 1];
	struct quickstart_made *made;
};

/* Print, and keep for the log. */
void quickstart_say(struct quickstart *q, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same as a warning. */
void quickstart_warn(struct quickstart *q, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Find out about this host: fill in the host name and the addresses. Whatever
 * fails is a warning. DNS takes at most 10 s in all.
 */
void quickstart_look(struct quickstart *q);

/* The texts of the two files. */
void quickstart_mox_conf(const struct quickstart *q, struct buf *b);
void quickstart_domains_conf(const struct quickstart *q, struct buf *b);

/* May everything be made here? -1 with e naming what is in the way. */
int quickstart_check(struct quickstart *q, struct err *e);
/* Make keys, passwords and files. On -1 call quickstart_undo. */
int quickstart_make(struct quickstart *q, struct err *e);
/* The log, last, since it has all that was printed. */
int quickstart_write_log(struct quickstart *q, struct err *e);
/* Remove what was made. */
void quickstart_undo(struct quickstart *q);

#endif
