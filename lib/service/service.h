/*
 * service - how a network service gets its connections, serves each in two
 * jailed processes, and stops.
 *
 * A daemon is a struct service and a main of one line. service_main reads the
 * options, takes the listening sockets it inherited (LISTEN_FDS, LISTEN_FDNAMES
 * as "submission.public") or the one connection (descriptor 3, or 0 and 1),
 * loads, gives up rights, says that it is ready, and then for each connection:
 *
 *   parent --fork--> back --fork--> front
 *
 * The front owns the connection and what it says; the back decides. Where one
 * back serves many connections the parent forks both. README draws it. Signals: TERM and INT stop (clients are told, and get 3 s), HUP
 * looks at files now, USR2 executes the program anew with the same sockets.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/opt.h"
#include "limit/limit.h"
#include "limit/metrics.h"
#include "net/addr.h"
#include "net/conn.h"
#include "net/tls.h"
#include "service/sandbox.h"
#include "service/split.h"

/* Why a client is turned away: at connect, or (STOPPING, TOO_MANY) later. */
enum service_refusal {
	SERVICE_ADMIT,
	SERVICE_STOPPING,    /* the service stops */
	SERVICE_RATE,        /* too many new connections a minute */
	SERVICE_TOO_MANY,    /* too many open connections of its networks */
	SERVICE_BUSY,        /* too many open connections at all */
	SERVICE_AUTH_FAILED, /* too many failed logins lately */
	SERVICE_CRASHES,     /* its connections end by crashes */
};

/* What a listener speaks: the part of its name before the dot. */
struct service_kind {
	const char *name; /* "submissions" */
	int id;           /* the daemon's own */
	bool tls;         /* from the first byte on: refusals have no text */
	bool login;       /* refused after too many failed logins */
	enum limit_what rate; /* counter of its new connections */
	/* A back serves one connection after another, which saves a fork, a jail
	 * and what it has opened. Not for log-ins: it would see passwords of
	 * one client after another had a try at it. */
	bool shared;
};

struct service_listener {
	const struct service_kind *kind;
	struct slice name; /* "public" */
	int fd;            /* the library's */
	/* Set by load: */
	struct tls_server *tls; /* NULL: none */
	const void *config;     /* the daemon's */
	/* Peers that send the PROXY protocol first, and are exempt from the
	 * limits themselves. */
	const struct ip_prefix *proxies;
	size_t nproxies;
};

/* A file that the service manager opened before it started us as a user who
 * may not: descriptors of LISTEN_FDS named by an absolute path. */
struct service_file {
	struct slice path;
	int fd; /* closed after load */
};

/* 0: no limit. Networks are those of limit.h. */
struct service_limits {
	unsigned connections;
	unsigned unauthenticated; /* connections nobody has logged in on */
	unsigned open[LIMIT_CLASSES];
	unsigned new_per_minute[LIMIT_CLASSES];
	unsigned auth_per_minute[LIMIT_CLASSES];
	unsigned auth_per_day[LIMIT_CLASSES];
	bool loopback_exempt;
};

/* As mox has them, and 1,000 connections. */
extern const struct service_limits service_limits_default;

/* What load fills in. */
struct service_setup {
	struct arena *arena; /* lives as long as the process */
	struct service_listener *listeners;
	size_t nlisteners;
	struct service_file *files;
	size_t nfiles;
	struct service_limits limits; /* the defaults at first */
	struct slice user;            /* to become, if started as root */
	const char *run_dir; /* of limits, counters, loglevels; NULL: none */
	/* Folders the back may reach, and those only the parent needs besides
	 * (certificates, to notice new ones). */
	const struct sandbox_path *back_paths, *parent_paths;
	size_t nback_paths, nparent_paths;
	void *ctx; /* the daemon's, handed to every function below */
};

/* A connection as front and back see it. In the back it can be trusted. */
struct server; /* the library's own */

struct service_client {
	struct server *server;
	const struct service_listener *listener;
	struct ip ip, local_ip; /* family 0 if the peer is no socket */
	uint16_t port, local_port;
	uint64_t cid;          /* connection id, in all log lines */
	int read_fd, write_fd; /* -1 in a shared back */
	void *ctx;
	struct limit *limit; /* back only */
	struct metrics *metrics;
	const struct service_limits *limits;
	int door;    /* back only: to the resolver, for ask_new; -1: none */
	bool shared; /* the back serves other clients after this one */
	/* As service_authenticated was told: in resume, and when a session has
	 * logged out of the connection (service_restart). */
	struct slice who;
	/* After service_restart: what to say first, and what the client has
	 * said already. */
	bool again;
	struct slice text, unread;
};

/*
 * What a session that is parked leaves: what it needs to go on, its
 * descriptors, and when.
 */
struct service_parked {
	int fd;       /* the connection, or its relay */
	int watch_fd; /* something may have changed when it can be read; it
	                 * comes back with the session. -1: none */
	int look_fd;  /* a folder that is looked at, too; -1: none */
	/* Of folders below it that are looked at: each path, and a NUL. Empty:
	 * itself. Not there when it comes back. */
	struct slice folders;
	uint64_t look;  /* service_look there, before the session looked */
	int64_t end_ms; /* clock_mono_ms: resumed then at the latest */
	/* At most SERVICE_STATE_MAX bytes, with folders. */
	struct slice state;
};

/* What a session asks of another account. */
struct service_errand {
	struct slice account; /* as the session says: any bytes */
	struct slice request; /* the same */
	int fd; /* to write the answer to; the session has the other end */
};
#define SERVICE_ERRAND_MS 30000 /* then it is killed */

#define SERVICE_STATE_MAX (32 * 1024)
#define SERVICE_WHO_MAX 2048

struct service {
	const char *name; /* "mox-smtpd" */
	const char *doc;
	const struct opt *opts;           /* own options, ended by name NULL */
	const struct service_kind *kinds; /* ended by name NULL */
	/* Read the configuration and fill setup, with all rights still there.
	 * -1 with e: the service does not start. */
	int (*load)(struct service_setup *setup, struct err *e);
	/* In the parent, at most once a second before it forks, and at HUP: look
	 * whether files changed. True if backs are better started anew. TLS is
	 * looked after by the library. NULL: none */
	bool (*refresh)(void *ctx);
	/* In the front before it reads a byte: unmap what it must not know. May
	 * be NULL. */
	void (*forget)(void *ctx);
	/* Backs ask the DNS, through mox-resolver: its -config, or NULL for
	 * none. Called after the options are parsed. NULL: they do not ask. */
	const char *(*resolver_config)(void);
	/* The two processes of a connection, in their jails. conn is plain and
	 * new; the exit code returned is 0 unless something broke. */
	int (*front)(const struct service_client *client, struct conn *conn,
	    struct split *split);
	int (*back)(const struct service_client *client, struct split *split);
	/*
	 * The back of a session that was parked (service_park) and goes on: a
	 * fresh one, in the jail of backs. client->who is whose session it is;
	 * parked is what the session says, to be taken as what a client sends.
	 * NULL: sessions cannot be parked.
	 */
	int (*resume)(const struct service_client *client,
	    const struct service_parked *parked);
	/*
	 * Do what a session asks of another account (service_errand), in a fresh
	 * process in the jail of backs. client->who is who asks, which is true;
	 * errand is what the session says, to be taken as what a client sends.
	 * NULL: sessions cannot ask.
	 */
	int (*errand)(const struct service_client *client,
	    const struct service_errand *errand);
	/* Names below a look_fd, or its folders, whose times tell of changes; ended by NULL. */
	const char *const *look;
	/* Text to send before closing, with CRLF: "421 4.3.2 ...". */
	const char *(*refuse)(const struct service_client *client,
	    enum service_refusal why);
};

int service_main(const struct service *service, int argc, char **argv);

/* ---- in a back or session ---- */

/*
 * Somebody logged in: the connection no longer counts as unauthenticated.
 * Earlier failures of the address are forgotten. who, any bytes, is what a
 * parked session is resumed with, whatever that session says later; empty, or
 * longer than SERVICE_WHO_MAX: it is not parked.
 */
void service_authenticated(const struct service_client *client,
    struct slice who);
/* A login failed: counted. False if that is too many by now. */
bool service_auth_failed(const struct service_client *client);
/* May this address try (again) to log in? */
bool service_auth_allowed(const struct service_client *client);

/* ---- in a front or session ---- */

/* Not 0 once this process is to end; service_stop_reason says why. For
 * conn_set_stop, which service_main has done for the front's conn. */
extern volatile sig_atomic_t service_stop;
enum service_refusal service_stop_reason(void);

/*
 * Hand the connection to the back, which becomes the session (IMAP after
 * login). In the front, after its last flush and with type and slices as for
 * split_call: sends them with the unread bytes of conn as a further, last
 * slice, waits for the reply, and then is the TLS relay until the end, or
 * returns at once without TLS. The front returns from its function next.
 */
int service_hand_over(struct conn *conn, struct split **split, unsigned type,
    const struct slice *v, size_t n, struct err *e);
/*
 * In the back: reply to that message, and get the connection: over the client's
 * socket, or the pair to the relay if tls. *split is gone. unread is the
 * message's last slice.
 */
struct conn *service_take_over(const struct service_client *client,
    struct split **split, bool tls, struct slice unread, struct err *e);

/* ---- parking: in a session ---- */

/* Is there a parent that could have it parked? */
bool service_can_park(const struct service_client *client);
/*
 * Give up this process: one process for all such connections waits for bytes,
 * for a change or for the end, then a new back resumes. Nothing may be left to
 * be read or written here. Returns only if it could not be: the session goes
 * on as if nothing had been asked.
 */
void service_park(const struct service_client *client,
    const struct service_parked *parked);
/*
 * Go on in a fresh back at once, which has the rights that the account has now:
 * as parking, but nothing is waited for, and look_fd is -1. Bytes that were read
 * here are for the state to keep. Returns only if it cannot be.
 */
void service_renew(const struct service_client *client,
    const struct service_parked *parked);
/*
 * Ask another account: a process with its rights, and without this session's,
 * does what request says (struct service's errand). Returns a descriptor to read
 * the answer from, to its end, which comes after SERVICE_ERRAND_MS at the
 * latest, and at once if too many ask; or -1 with e set. Only one at a time: the
 * next ends the one before. account and request have SERVICE_STATE_MAX bytes at
 * most, together.
 */
int service_errand(const struct service_client *client, struct slice account,
    struct slice request, struct err *e);
/*
 * Give the connection to a front and back as a new one is, where nobody has
 * logged in; TLS that is at the relay stays there, so it is plain for them, and
 * client->who is the last one's. The front says text first; unread is what was
 * read here. Returns only if that cannot be, also for too much text and unread.
 */
void service_restart(const struct service_client *client, int fd,
    struct slice text, struct slice unread);
/*
 * A number that changes when the folder does, or what has these names in it
 * (struct service's look), as far as times and sizes tell; or one of these
 * folders below it (of struct service_parked). *newest_s_r: the last change, in
 * seconds since 1970; when that is less than SERVICE_LOOK_S ago another one may
 * not be seen.
 */
#define SERVICE_LOOK_S 2
uint64_t service_look(const char *const *names, int dirfd, struct slice folders,
    int64_t *newest_s_r);

#endif
