/*
 * service_int - what the files of lib/service share.
 *
 *   service.c  options, loading, warming; then one of
 *   keep.c     the keeper, which forks the parent and tells when it is ready
 *   serve.c      the accepting parent, with admit.c: who may connect
 *   child.c        back and front of a connection
 *   login.c        what those call later: log-ins, hand-over
 *   listen.c   sockets and addresses from the environment
 */
#ifndef SERVICE_SERVICE_INT_H
#define SERVICE_SERVICE_INT_H

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
	struct sandbox *parent_jail, *back_jail, *front_jail;
	pid_t parent;    /* 0: not of ours */
	int control;     /* backs write here to their parent; -1: none */
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

/* ---- keep.c ---- */

/*
 * Fork the parent. Returns in the parent, with a descriptor to write a byte to
 * when it is ready; the keeper does not return.
 */
int keep(struct server *sv, int notify_fd, struct err *e);

/* ---- serve.c ---- */

/* Accept until told to stop. Returns the exit code. */
int serve(struct server *sv, int ready_fd);

enum control_type { CONTROL_AUTHENTICATED = 1, CONTROL_PROXIED };

/* What a back tells its parent, in a datagram: the kernel adds who it is. */
struct control {
	uint32_t type;
	uint32_t serial; /* so that nobody speaks for an earlier process */
	struct ip ip;    /* PROXIED: who the client really is */
};

/* In a back; does nothing where there is no parent. ip may be NULL. */
void control_send(const struct server *sv, enum control_type type,
    const struct ip *ip);

/* ---- admit.c ---- */

/* Open connections by network. */
struct admit;
struct admit *admit_new(void);
void admit_open(struct admit *a, const struct ip *ip, bool unauthenticated);
void admit_close(struct admit *a, const struct ip *ip, bool unauthenticated);
void admit_authenticated(struct admit *a);
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

/* ---- child.c ---- */

/* Be the back of the connection, and fork its front. Signals are blocked on
 * entry. Returns the exit code. */
int child_back(struct server *sv, struct service_client *client);

#endif
