/*
 * parent - what the files of the accepting parent share.
 *
 *   serve.c   accepts, starts what serves a connection, stops
 *   ended.c   processes that ended, and so connections
 *   told.c    what backs say; sessions that were parked go on
 *   errand.c  what sessions ask of other accounts
 */
#ifndef SERVICE_PARENT_H
#define SERVICE_PARENT_H

#include "base/map.h"
#include "service/service_int.h"

#define PARENT_STOP_MS 3500 /* clients get 3 s: child.c */

/* A connection. */
struct slot {
	pid_t pid;   /* the back, or a shared back's front; 0: none (parked) */
	pid_t group; /* 0: no process is left (parked) */
	uint32_t serial;
	struct service_client client; /* as it was accepted */
	struct ip ip;                 /* that it counts for */
	struct slice who;             /* logged in; told once (service.h) */
	bool unauthenticated;
	bool proxy;     /* ip is a proxy's and not counted */
	bool parked;    /* no back has it */
	bool gone;      /* the back was reaped, the front not yet */
	int64_t end_ms; /* gone: when to kill the rest */
};

/* What a session asks of another account, under way. */
struct errand {
	pid_t pid; /* and group; 0: none */
	uint64_t cid;
	struct ip ip;
	int64_t end_ms; /* when to kill it */
};
#define ERRANDS 32 /* of all sessions, at once: they are short */

struct parent {
	struct server *sv;
	struct admit *admit;
	struct map *slots;  /* group to struct slot */
	struct map *parked; /* cid to those that are parked */
	int signals;
	int64_t stop_ms; /* when to kill those left; 0: not stopping */
	int64_t refreshed_ms;
	uint64_t last_cid;
	uint32_t serial;
	size_t gone;       /* slots whose back is */
	int64_t refused_s; /* lines of this second */
	unsigned refused_n;
	struct errand errands[ERRANDS];
};

/* Look whether files changed, at most once a second: before a fork. */
void parent_refresh_if_due(struct parent *p);

/* ---- ended.c ---- */

/* Of a process, which may have ended but is not reaped; NULL: of none. */
struct slot *parent_slot(const struct parent *p, pid_t pid);
/* The connection is of this group from here on; 0: of none. */
void parent_set_group(struct parent *p, struct slot *slot, pid_t group);
/* It has no back, and will have none: it ends, and so does its group. */
void parent_close_slot(struct parent *p, struct slot *slot);
/* Processes have ended. */
void parent_reap(struct parent *p);
/* Groups whose back is gone: over, or to be killed. */
void parent_sweep(struct parent *p);

/* ---- told.c ---- */

/* What backs have said. */
void parent_read_control(struct parent *p);
/* What the process with parked sessions hands back. */
void parent_read_parking(struct parent *p);

/* ---- errand.c ---- */

/* A session asks: c->text_n bytes of rest are the account, the others the request.
 * If that cannot be, nothing is done, and it reads the end of its pair. */
struct fdmsg;
void parent_errand(struct parent *p, const struct slot *slot,
    const struct control *c, struct slice rest, const struct fdmsg *got);
/* Of a process; NULL: it is none. */
struct errand *parent_errand_of(struct parent *p, pid_t pid);
/* End those that take too long. Milliseconds until the next may, or -1. */
int parent_errands_expire(struct parent *p, int64_t now_ms);
void parent_errands_kill(struct parent *p);

#endif
