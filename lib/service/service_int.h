/*
 * service_int - what the files of lib/service share.
 *
 *   service.c  options, loading, warming; then one of
 *   keep.c     the keeper, which forks the parent and tells when it is ready,
 *   resolver.c   and keeps mox-resolver, behind a door (door.h)
 *   serve.c      the accepting parent (parent.h), with ended.c, told.c, errand.c,
 *   admit.c      who may connect,
 *   pool.c       which backs are shared, and how long
 *   shared.c     what serves connections of theirs
 *   parking.c    the parent's end of the process that has parked sessions,
 *   park.c         which is this
 *   child.c        back and front of a connection
 *   login.c        what those call later: log-ins, hand-over
 *   listen.c   sockets and addresses from the environment
 */
#ifndef SERVICE_SERVICE_INT_H
#define SERVICE_SERVICE_INT_H

#include "service/door.h"
#include "service/service.h"

/* The whole of a running service; one to a process. */
struct server {
	const struct service *service;
	struct service_setup setup;
	int argc;
	char **argv;
	const char *listen_fds, *listen_names; /* the environment at start */
	struct limit *limit;
	struct metrics *metrics;
	struct sandbox *parent_jail, *back_jail, *front_jail, *park_jail;
	pid_t parent; /* 0: not of ours */
	int control;  /* backs write here to their parent; -1: none */
	int door;     /* to mox-resolver; -1: none */
	bool no_sandbox;
	/* The parent's: */
	int control_in;
	struct pool *pool; /* of shared backs */
	struct spare *spare;
	struct parking *parking; /* NULL: sessions are not parked */
	/* A back's: */
	int pair;        /* to the front; -1: closed */
	uint32_t serial; /* of this connection, for control messages */
};

#define SERVICE_TOPIC "service"

/* The back's exit code when its front died of a crash. */
#define EXIT_FRONT_CRASHED 113

/* Death by a signal that a bug or an attack causes, not a stop. */
bool service_is_crash(int status);

/* ---- listen.c ---- */

/*
 * Take sockets and files: sv->setup. kind and name are the flags, for sockets
 * without a name. *connected_r: it is one connection, whose descriptors are
 * given. -1 with e if there is nothing to serve.
 */
int listen_take(struct server *sv, const char *kind, const char *name,
    bool *connected_r, int *read_fd_r, int *write_fd_r, struct err *e);
/* The environment of a program executed anew with the same descriptors. */
void listen_environment(const struct server *sv);
/* Both ends, from the socket or the environment of tcpserver and systemd. */
void listen_addresses(struct service_client *client);

/* ---- resolver.c ---- */

/*
 * Say what door_open needs for mox-resolver. False: no back of this service
 * asks, and there is no door.
 */
bool resolver_door(const struct server *sv, struct door *d);
/* For a process of one connection, which has no keeper: fork one. sv->door is
 * the backs' end. */
int resolver_keep_alone(struct server *sv, struct err *e);

/* ---- keep.c ---- */

/*
 * Fork the parent. Returns in the parent, with a descriptor to write a byte to
 * when it is ready; the keeper does not return.
 */
int keep(struct server *sv, int notify_fd, struct err *e);

/* ---- serve.c ---- */

/* Accept until told to stop. Returns the exit code. */
int serve(struct server *sv, int ready_fd);

enum control_type {
	CONTROL_AUTHENTICATED = 1,
	CONTROL_PROXIED,
	CONTROL_DONE, /* a shared back can serve the next client */
	CONTROL_PARK,
	CONTROL_RESTART,
	CONTROL_RENEW,
	CONTROL_ERRAND,
};

/* When a parked session is to be resumed. */
struct park {
	uint64_t look;
	int64_t end_ms;
	uint8_t has_watch, has_look; /* descriptors */
	uint32_t folders_n;          /* bytes of them, before the state */
};

/* What a back tells its parent, in a datagram: the kernel adds who it is. */
struct control {
	uint32_t type;
	uint32_t serial;  /* so that nobody speaks for an earlier process */
	struct ip ip;     /* PROXIED: who the client really is */
	struct park park; /* PARK, RENEW */
	uint32_t text_n;  /* RESTART: bytes of text, then unread; ERRAND: of the
		     * account, then the request */
	/* AUTHENTICATED: who; PARK: folders, the state; RENEW: the state.
	 * Opaque here. */
};
#define CONTROL_REST SERVICE_STATE_MAX
_Static_assert(SERVICE_WHO_MAX <= CONTROL_REST, "who fits");

/* In a back; does nothing where there is no parent. ip may be NULL. */
void control_send(const struct server *sv, enum control_type type,
    const struct ip *ip, struct slice rest);

/* ---- admit.c ---- */

/* Open connections by network. */
struct admit;
struct admit *admit_new(void);
void admit_open(struct admit *a, const struct ip *ip, bool unauthenticated);
void admit_close(struct admit *a, const struct ip *ip, bool unauthenticated);
void admit_authenticated(struct admit *a);
void admit_unauthenticated(struct admit *a);
size_t admit_count(const struct admit *a);

/* Loopback, where that is free of limits? */
bool admit_is_exempt(const struct server *sv, const struct ip *ip);
bool admit_is_proxy(const struct service_listener *l, const struct ip *ip);
/* As to all limits but open connections; counts it as a new one. */
enum service_refusal admit_rates(struct server *sv,
    const struct service_listener *l, const struct ip *ip);
/* As to open connections in all. */
enum service_refusal admit_total(const struct server *sv, const struct admit *a,
    const struct service_listener *l);
/* As to open connections of networks. */
enum service_refusal admit_networks(const struct server *sv,
    const struct admit *a, const struct ip *ip);

/* A process of this client crashed. */
void admit_crashed(struct server *sv, const struct ip *ip);
struct limit_rule admit_auth_rule(const struct service_limits *l);
const char *admit_reason(enum service_refusal why); /* for logs */

/* ---- pool.c ---- */

/* Shared backs, as the parent sees them. */
struct worker {
	pid_t pid;
	int fd;          /* to hire it; closed, it ends */
	uint32_t serial; /* of the connection it serves; 0: it waits */
	uint64_t cid;    /* of that connection, or the last one */
	struct ip ip;
	pid_t front;
	bool distrusted; /* its front crashed */
	unsigned generation, served;
	int64_t since_ms; /* it waits */
	struct worker *next;
};

struct pool;
struct pool *pool_new(void);
/* A process that has just been forked. */
struct worker *pool_add(struct pool *pool, pid_t pid, int fd);
/* The one that began to wait last, or NULL. */
struct worker *pool_take(struct pool *pool);
/* It waits for the next connection, or is to end: too many wait, it served
 * enough, or is older than the last pool_renew. */
void pool_put(struct pool *pool, struct worker *w, int64_t now_ms);
struct worker *pool_find(const struct pool *pool, pid_t pid);
/* The process is gone. */
void pool_del(struct pool *pool, struct worker *w);
/* All are to end, as soon as they wait. */
void pool_renew(struct pool *pool);
/* A front crashed: perhaps by an attack that went on to its back, which is to
 * end with this connection. */
void pool_distrust(struct pool *pool, uint64_t cid);
/* End those that have waited for long. Milliseconds until there may be one
 * more, -1 if none waits. */
int pool_expire(struct pool *pool, int64_t now_ms);
size_t pool_count(const struct pool *pool);
void pool_kill(const struct pool *pool, int number);
/* In a child of the parent. */
void pool_close(struct pool *pool);

/* ---- shared.c: in the parent ---- */

/* Start the front of a connection, and hire a back. The pid of the front, or
 * -1 if that cannot be. */
pid_t shared_start(struct server *sv, const struct service_client *client,
    uint32_t serial);
/* Nothing is to be done just now: have a front ready for the next one. */
void shared_prepare(struct server *sv);
/* It would know what is no longer true. */
void shared_drop(struct server *sv);
/* One that waited for long ends. Milliseconds until then, or after which one is
 * to be prepared if nothing happens; -1: neither. */
int shared_expire(struct server *sv, int64_t now_ms);
/* Was it the one that waits? */
bool shared_ended(struct server *sv, pid_t pid);
/* Fork, in the child with all signals blocked; the child is a group, or (not 0)
 * one of this group, which has processes. */
pid_t shared_fork(pid_t group);
/* In a child: nothing of the parent's is left open. */
void shared_leave_parent(struct server *sv);

/* What front and shared back are told, with their descriptors: the pair, and
 * for the front the connection. */
struct hire {
	uint32_t serial, listener;
	uint64_t cid;
	struct ip ip, local_ip;
	uint16_t port, local_port;
};

/* ---- parking.c: in the parent ---- */

/* Why a session is resumed. */
enum park_why { PARK_INPUT, PARK_CHANGE, PARK_END, PARK_GONE, PARK_WHYS };

/* Between the parent and the process that parks, both ways; behind it come the
 * folders and the state, beside it the connection and what it watches. */
struct parking_msg {
	uint64_t cid;
	uint32_t why; /* enum park_why; PARK_GONE: the client is, no
		       * descriptors */
	struct park park;
};

struct parking *parking_new(void);
/* Hand a session over; the process is started when there is none. False: not
 * now. fds are the caller's. */
bool parking_send(struct server *sv, const struct parking_msg *m,
    struct slice state, const int *fds, size_t nfds);
/* To poll for reading; -1: none. */
int parking_fd(const struct parking *parking);
struct fdmsg;
/* One that comes back: bytes of its state (CONTROL_REST), or -1: none. */
ssize_t parking_receive(struct parking *parking, struct parking_msg *m_r,
    char *state, struct fdmsg *fds_r);
/* Was it this process? Then what was parked is lost. */
bool parking_ended(struct parking *parking, pid_t pid);
/* Tell all clients there that the service stops. */
void parking_stop(struct parking *parking);
void parking_kill(const struct parking *parking);
/* In a child of the parent. */
void parking_close(const struct parking *parking);

/* ---- park.c: the process ---- */

/* Keep what the parent sends by fd, until its end. In its jail. */
void park_run(const struct server *sv, int fd);

/* ---- child.c ---- */

/* Be the back of the connection, and fork its front. Signals are blocked on
 * entry. Returns the exit code. */
int child_back(struct server *sv, struct service_client *client);
/* Be the front of the connection that comes by fd; the parent closes the other
 * end if none does. The back is another child of the parent. */
_Noreturn void child_front(struct server *sv, int fd);
/* Be the back of a session that goes on. Signals are blocked on entry. */
int child_resumed(struct server *sv, struct service_client *client,
    const struct service_parked *parked);
/* Be the back that does an errand; client is who asks. Signals are blocked on
 * entry. */
int child_errand(struct server *sv, struct service_client *client,
    const struct service_errand *errand);
/* Be the process that parks, by this end of its pair. */
_Noreturn void child_park(struct server *sv, int fd);
/* Be a shared back: until the parent closes the other end of fd. */
int child_worker(struct server *sv, int fd);

#endif
