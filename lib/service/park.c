/*
 * park - the process that has the connections of parked sessions.
 *
 * It waits until one of them can be read, what it watches has something to
 * tell, its folders look different, or its time is over; then the session goes
 * back to the parent. It reads nothing of clients, and of a session's state not
 * a byte; what it is told of folders it only asks the times of.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "service/fdmsg.h"
#include "service/service_int.h"

#define EVENTS 64
#define LOOK_MS 3000 /* as sessions in IDLE do that are not parked */
/* Looking takes one part in so many of the time, but is never put off longer. */
#define LOOK_SHARE 20
#define LOOK_MAX_MS 15000

/* A folder, and what is looked at below it, for all sessions that ask for it. */
struct place {
	struct slice key; /* of the map: the folder's number, then folders */
	struct slice folders;
	int fd;
	size_t users;
	uint64_t look; /* the latest */
};

/* What epoll gives back. */
struct source {
	struct session *s;
	int fd; /* -1: none */
};

struct session {
	struct session *next, **link; /* of all, or of those that leave */
	struct parking_msg msg;
	struct source conn, watch;
	struct place *place; /* or NULL */
	bool leaves;         /* handed back at the end of this turn */
	size_t n;
	char state[];
};

struct parker {
	const struct server *sv;
	int parent, events;
	struct session *all, *leaving; /* leaving: by next */
	struct map *places;
	int64_t look_at_ms;
};

/* ---- looking ---- */

static uint64_t
mix(uint64_t h, uint64_t n)
{
	h = (h ^ n) * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
	return h ^ h >> 29;
}

static uint64_t
look_at(uint64_t h, const struct stat *st, int64_t *newest_s)
{
	if (st->st_ctim.tv_sec > *newest_s)
		*newest_s = st->st_ctim.tv_sec;
	h = mix(h, (uint64_t)st->st_ino);
	h = mix(h, (uint64_t)st->st_size);
	h = mix(h, (uint64_t)st->st_mtim.tv_sec);
	h = mix(h, (uint64_t)st->st_mtim.tv_nsec);
	h = mix(h, (uint64_t)st->st_ctim.tv_sec); /* it was renamed, removed */
	return mix(h, (uint64_t)st->st_ctim.tv_nsec);
}

static uint64_t
look_at_folder(uint64_t h, const char *const *names, int dirfd,
    const char *folder, int64_t *newest_s)
{
	char path[PATH_MAX];
	struct stat st;

	if (fstatat(dirfd, folder, &st, AT_SYMLINK_NOFOLLOW) == 0)
		h = look_at(h, &st, newest_s);
	for (size_t i = 0; names[i] != NULL; i++) {
		int n = snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		/* Which one it is that is there counts, too. */
		h = mix(h, i);
		if (n > 0 && (size_t)n < sizeof(path) &&
		    fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			h = look_at(h, &st, newest_s);
	}
	return h;
}

/* No way up, and not from the root. */
static bool
is_below(struct slice path)
{
	struct slice part;

	do {
		slice_cut(path, '/', &part, &path);
		if (part.n == 0 || slice_is(part, ".."))
			return false;
	} while (path.n > 0);
	return true;
}

/* *rest begins with it, and a NUL. */
static const char *
take_folder(struct slice *rest)
{
	ssize_t n = slice_chr(*rest, '\0');
	const char *folder = rest->p;

	if (n <= 0 || !is_below(slice_head(*rest, (size_t)n)))
		return NULL;
	*rest = slice_skip(*rest, (size_t)n + 1);
	return folder;
}

uint64_t
service_look(const char *const *names, int dirfd, struct slice folders,
    int64_t *newest_s_r)
{
	const char *folder;
	uint64_t h = 1;

	*newest_s_r = 0;
	if (folders.n == 0)
		return look_at_folder(h, names, dirfd, ".", newest_s_r);
	while ((folder = take_folder(&folders)) != NULL)
		h = look_at_folder(h, names, dirfd, folder, newest_s_r);
	return h;
}

/* The place of this folder; its descriptor is taken over. NULL: it is none. */
static struct place *
place_get(struct parker *p, int fd, struct slice folders)
{
	struct buf key = BUF_INIT(CONTROL_REST + sizeof(struct stat));
	struct place *place;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)) {
		close(fd);
		return NULL;
	}
	buf_add(&key, SPLIT_OF(st.st_dev));
	buf_add(&key, SPLIT_OF(st.st_ino));
	buf_add(&key, folders);
	place = map_get(p->places, buf_slice(&key));
	if (place == NULL) {
		place = xmalloc(sizeof(*place) + key.n);
		memcpy(place + 1, key.p, key.n);
		*place =
		    (struct place){ .key = slice_of((char *)(place + 1), key.n),
			    .fd = fd };
		place->folders = slice_skip(place->key, key.n - folders.n);
		map_set(p->places, place->key, place);
	} else {
		close(fd);
	}
	buf_free(&key);
	place->users++;
	return place;
}

static void
place_put(struct parker *p, struct place *place)
{
	if (place == NULL || --place->users > 0)
		return;
	map_del(p->places, place->key);
	close(place->fd);
	free(place);
}

/* ---- sessions leave ---- */

static void
forget_source(const struct parker *p, struct source *source)
{
	if (source->fd < 0)
		return;
	/* It is open elsewhere, too: closing it is not enough. */
	epoll_ctl(p->events, EPOLL_CTL_DEL, source->fd, NULL);
	close(source->fd);
}

static void
leave(struct parker *p, struct session *s, enum park_why why)
{
	if (s->leaves)
		return;
	s->leaves = true;
	s->msg.why = why;
	*s->link = s->next;
	if (s->next != NULL)
		s->next->link = s->link;
	s->next = p->leaving;
	p->leaving = s;
}

static void
hand_back(struct parker *p, struct session *s)
{
	const int fds[2] = { s->conn.fd, s->watch.fd };
	size_t n = s->msg.why == PARK_GONE ? 0 : 1 + s->msg.park.has_watch;

	/* Waits for the parent, which never waits for this process. */
	if (!fdmsg_send(p->parent, SPLIT_OF(s->msg), slice_of(s->state, s->n),
		fds, n, 0))
		log_line(SERVICE_TOPIC, LOG_ERROR, "handing back a session",
		    LOG_Z("err", strerrordesc_np(errno)));
	forget_source(p, &s->conn);
	forget_source(p, &s->watch);
	place_put(p, s->place);
	free(s);
}

static void
hand_back_all(struct parker *p)
{
	struct session *s;

	while ((s = p->leaving) != NULL) {
		p->leaving = s->next;
		hand_back(p, s);
	}
}

/* ---- sessions come ---- */

static bool
watch(const struct parker *p, struct session *s, struct source *source, int fd,
    uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = source };

	source->s = s;
	source->fd = fd;
	return epoll_ctl(p->events, EPOLL_CTL_ADD, fd, &ev) == 0;
}

/* From the parent, who has passed on what a session said of itself: it is to
 * be had back at once if that makes no sense. */
static void
park(struct parker *p, const struct parking_msg *m, const char *state, size_t n,
    struct fdmsg *got)
{
	struct session *s = xmalloc(sizeof(*s) + n);
	size_t want = 1u + m->park.has_watch + m->park.has_look, at = 0;
	bool ok;

	*s = (struct session){ .msg = *m,
		.conn = { s, -1 },
		.watch = { s, -1 },
		.next = p->all,
		.link = &p->all,
		.n = n };
	memcpy(s->state, state, n);
	if (s->next != NULL)
		s->next->link = &s->next;
	p->all = s;
	ok = got->nfds == want &&
	    watch(p, s, &s->conn, got->fds[at++], EPOLLIN | EPOLLRDHUP) &&
	    (!m->park.has_watch ||
		watch(p, s, &s->watch, got->fds[at++], EPOLLIN));
	if (ok && m->park.has_look) {
		s->place = place_get(p, got->fds[at++],
		    slice_head(slice_of(state, n), m->park.folders_n));
		ok = s->place != NULL;
	}
	for (; at < got->nfds; at++)
		close(got->fds[at]);
	if (!ok)
		leave(p, s, PARK_GONE);
}

/* False at the end: the parent stops, or is gone. */
static bool
take_sessions(struct parker *p)
{
	char state[CONTROL_REST];
	struct parking_msg m = { 0 };
	struct fdmsg got;
	ssize_t n;

	while ((n = fdmsg_receive(p->parent, &m, sizeof(m), state,
		    sizeof(state), &got, MSG_DONTWAIT)) >= 0)
		park(p, &m, state, (size_t)n, &got);
	return errno == EAGAIN || errno == EINTR || errno == EBADMSG;
}

/* ---- waiting ---- */

/* The client has gone, and left nothing to be read. */
static bool
is_over(const struct source *conn, uint32_t events)
{
	int unread = 0;

	return events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) &&
	    ioctl(conn->fd, FIONREAD, &unread) == 0 && unread == 0;
}

static void
happened(struct parker *p, const struct source *source, uint32_t events)
{
	struct session *s = source->s;

	if (source == &s->watch)
		leave(p, s, PARK_CHANGE);
	else
		leave(p, s, is_over(source, events) ? PARK_GONE : PARK_INPUT);
}

static void
look_around(struct parker *p)
{
	int64_t start = clock_mono_ms(NULL), now, rest_ms, newest_s;
	struct slice key;
	void *value;

	for (size_t i = 0; map_next(p->places, &i, &key, &value);) {
		struct place *place = value;
		place->look = service_look(p->sv->service->look, place->fd,
		    place->folders, &newest_s);
	}
	for (struct session *s = p->all, *next; s != NULL; s = next) {
		next = s->next;
		if (s->place != NULL && s->place->look != s->msg.park.look)
			leave(p, s, PARK_CHANGE);
	}
	now = clock_mono_ms(NULL);
	rest_ms = (now - start) * LOOK_SHARE;
	p->look_at_ms = now +
	    (rest_ms < LOOK_MS              ? LOOK_MS
		    : rest_ms > LOOK_MAX_MS ? LOOK_MAX_MS
					    : rest_ms);
}

/* Those whose time is over; ms until the next one is, at most LOOK_MS. */
static int
expire(struct parker *p, int64_t now_ms)
{
	int64_t left = LOOK_MS;

	for (struct session *s = p->all, *next; s != NULL; s = next) {
		next = s->next;
		if (s->msg.park.end_ms <= now_ms)
			leave(p, s, PARK_END);
		else if (s->msg.park.end_ms - now_ms < left)
			left = s->msg.park.end_ms - now_ms;
	}
	return (int)left;
}

/* False at the end. */
static bool
turn(struct parker *p)
{
	struct epoll_event events[EVENTS];
	int64_t now = clock_mono_ms(NULL);
	bool goes_on = true;
	int n, ms = -1;

	if (p->all != NULL)
		ms = expire(p, now);
	if (p->all != NULL && now >= p->look_at_ms)
		look_around(p);
	hand_back_all(p);
	n = epoll_wait(p->events, events, EVENTS, ms);
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr == NULL)
			goes_on = take_sessions(p);
		else
			happened(p, events[i].data.ptr, events[i].events);
	hand_back_all(p);
	return goes_on;
}

static void
say_end(const struct parker *p)
{
	const struct service_client nobody = {
		.listener = p->sv->setup.listeners, .read_fd = -1
	};
	const char *text = p->sv->service->refuse(&nobody, SERVICE_STOPPING);

	/* What does not fit is for a client that does not read. */
	for (const struct session *s = p->all; s != NULL; s = s->next)
		send(s->conn.fd, text, strlen(text),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
park_run(const struct server *sv, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct parker p = { .sv = sv,
		.parent = fd,
		.events = epoll_create1(EPOLL_CLOEXEC),
		.places = map_new() };

	if (p.events < 0 || epoll_ctl(p.events, EPOLL_CTL_ADD, fd, &ev) < 0) {
		log_line(SERVICE_TOPIC, LOG_ERROR, "epoll",
		    LOG_Z("err", strerrordesc_np(errno)));
		return;
	}
	while (service_stop == 0 && turn(&p))
		;
	take_sessions(&p); /* sent before it stopped */
	say_end(&p);
}
