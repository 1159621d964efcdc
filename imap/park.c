#include "imap/park.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "imap/box.h"
#include "imap/notify.h"
#include "service/service.h"

/* Of the state, what was told of other mailboxes, and the folders of those with
 * NOTIFY: of some 300. */
#define NOTIFY_STATE_MAX (SERVICE_STATE_MAX / 2)
#define FOLDERS_MAX (SERVICE_STATE_MAX / 4)

/* ---- as bytes ---- */

#define TEXTS 5

/* Written and read by one program on one machine. */
struct head {
	uint32_t flags; /* below */
	uint32_t enabled;
	uint32_t rights;
	uint32_t uidvalidity, uidnext, count, keywords, indexed_uidnext;
	uint32_t lengths[TEXTS]; /* tag, watch, name, notify, unread */
	uint32_t ranges[3];      /* gone, changed, saved */
	char id[STORE_MAILBOXID];
	uint64_t modseq, told, in, out;
	int64_t end_ms;
};

enum { IDLE = 1, READONLY = 2, SEARCHES_TEXT = 4, FLAGS = 7 };

bool
imap_parked_write(const struct imap_parked *p, struct buf *b)
{
	const struct mailbox_known *k = &p->known;
	const struct slice texts[TEXTS] = { p->tag, p->watch, p->name,
		p->notify, p->unread };
	const struct uidset *sets[3] = { &k->gone, &k->changed, &p->saved };
	struct head h;

	memset(&h, 0, sizeof(h)); /* and what lies between */
	h.flags = (p->idle ? IDLE : 0u) | (p->readonly ? READONLY : 0u) |
	    (p->searches_text ? SEARCHES_TEXT : 0u);
	h.enabled = p->enabled;
	h.rights = p->rights;
	h.uidvalidity = k->uidvalidity;
	h.uidnext = k->uidnext;
	h.count = k->count;
	h.keywords = k->keywords;
	h.indexed_uidnext = p->indexed_uidnext;
	memcpy(h.id, k->id, sizeof(h.id));
	h.modseq = k->modseq;
	h.told = k->told;
	h.in = p->in;
	h.out = p->out;
	h.end_ms = p->end_ms;
	for (size_t i = 0; i < TEXTS; i++)
		h.lengths[i] = (uint32_t)texts[i].n;
	for (size_t i = 0; i < 3; i++)
		h.ranges[i] = (uint32_t)sets[i]->n;
	buf_add(b, slice_of((const char *)&h, sizeof(h)));
	for (size_t i = 0; i < TEXTS; i++)
		buf_add(b, texts[i]);
	for (size_t i = 0; i < 3 && !b->over; i++)
		buf_add(b,
		    slice_of((const char *)sets[i]->v,
			sets[i]->n * sizeof(*sets[i]->v)));
	return !b->over;
}

static bool
take(struct slice *rest, size_t n, struct slice *s_r)
{
	if (n > rest->n)
		return false;
	*s_r = slice_head(*rest, n);
	*rest = slice_skip(*rest, n);
	return true;
}

/* n ranges, as a uidset has them. */
static bool
take_set(struct slice *rest, size_t n, struct uidset *set_r)
{
	struct slice bytes;
	uint64_t next = 1; /* lowest that may come */

	if (n > rest->n || !take(rest, n * sizeof(struct uidrange), &bytes))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct uidrange r;
		memcpy(&r, bytes.p + i * sizeof(r), sizeof(r));
		if (r.first < next || r.last < r.first)
			return false;
		uidset_add(set_r, r.first, r.last);
		next = (uint64_t)r.last + 2;
	}
	return true;
}

bool
imap_parked_read(struct imap_parked *p_r, struct slice bytes,
    struct arena *arena)
{
	struct mailbox_known *k = &p_r->known;
	struct slice *texts[TEXTS] = { &p_r->tag, &p_r->watch, &p_r->name,
		&p_r->notify, &p_r->unread };
	struct uidset *sets[3] = { &k->gone, &k->changed, &p_r->saved };
	struct slice fixed;
	struct head h;

	if (!take(&bytes, sizeof(h), &fixed))
		return false;
	memcpy(&h, fixed.p, sizeof(h));
	*p_r = (struct imap_parked){
		.enabled = h.enabled,
		.idle = h.flags & IDLE,
		.readonly = h.flags & READONLY,
		.searches_text = h.flags & SEARCHES_TEXT,
		.rights = h.rights,
		.indexed_uidnext = h.indexed_uidnext,
		.end_ms = h.end_ms,
		.in = h.in,
		.out = h.out,
		.known = { .uidvalidity = h.uidvalidity,
		    .uidnext = h.uidnext,
		    .modseq = h.modseq,
		    .told = h.told,
		    .count = h.count,
		    .keywords = h.keywords },
	};
	memcpy(k->id, h.id, sizeof(k->id));
	if (h.flags & ~(unsigned)FLAGS || h.enabled & ~(unsigned)IMAP_ENABLED)
		return false;
	for (size_t i = 0; i < TEXTS; i++)
		if (!take(&bytes, h.lengths[i], texts[i]))
			return false;
	for (size_t i = 0; i < 3; i++) {
		*sets[i] = (struct uidset)UIDSET_INIT(arena);
		if (!take_set(&bytes, h.ranges[i], sets[i]))
			return false;
	}
	return bytes.n == 0 && p_r->name.n <= STORE_NAME_MAX;
}

/* ---- parking ---- */

/* With NOTIFY, what others share is in folders of theirs. */
bool
imap_park_allowed(const struct imap_session *s)
{
	return s->park_ms > 0 && service_can_park(s->client) &&
	    s->contexts == NULL && !conn_is_deflated(s->in.conn) &&
	    (!imap_notify_waits(s) || !imap_boxes_any(s));
}

/* Nothing is under way, in or out. */
static bool
is_quiet(const struct imap_session *s)
{
	return !s->dead && !s->logout && !s->in.must_close && s->out.n == 0 &&
	    service_stop == 0 && !conn_pending(s->in.conn) &&
	    conn_buffered(s->in.conn).n == 0;
}

/* Of all that NOTIFY has the session tell. */
static void
put_folders(struct imap_session *s, struct buf *b)
{
	const unsigned entries = NOTIFY_METADATA | NOTIFY_ACCOUNT_METADATA;
	const struct imap_notify *n = s->notify;

	store_put_folder(SLICE("Inbox"), b); /* the list is there, too */
	if (s->mb)
		store_put_folder(mailbox_name(s->mb), b);
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].exists &&
		    n->v[i].events & (NOTIFY_MESSAGES | entries))
			store_put_folder(n->v[i].name, b);
	if (n->account.events & entries)
		store_put_folder(SLICE(""), b);
}

/* A look at the folders, and then all changes told. False if there were some,
 * or may be more that the look does not show. */
static bool
settle(struct imap_session *s, struct service_parked *parked, bool idle)
{
	int64_t newest_s = 0;

	parked->watch_fd = store_watch(imap_watched(s));
	if (parked->folders.n) {
		parked->look_fd = store_folder_fd(s->store);
		s->notify->all_ms = 0; /* look at all */
	} else if (s->mb)
		parked->look_fd = mailbox_folder_fd(s->mb);
	if (parked->look_fd >= 0)
		parked->look = service_look(store_look_names, parked->look_fd,
		    parked->folders, &newest_s);
	if (newest_s > clock_s(NULL) - SERVICE_LOOK_S)
		return false;
	/* Between commands some may have to wait for one. */
	if (!imap_tell_changes(s, idle) &&
	    (!idle || !s->mb || mailbox_pending(s->mb) == 0))
		return true;
	imap_flush(s);
	return false;
}

/*
 * What was told of other mailboxes. False: it is too much, and the session
 * stays. Without NOTIFY it is forgotten: what happens meanwhile is then not told,
 * which nobody was promised.
 */
static bool
put_notify(struct imap_session *s, struct buf *b)
{
	struct imap_notify *n = s->notify;
	bool listed = n && n->listed;

	if (!n)
		return true;
	imap_notify_save(n, b);
	if (!b->over || imap_notify_waits(s))
		return !b->over;
	buf_reset(b);
	n->listed = false;
	imap_notify_save(n, b);
	n->listed = listed;
	return true;
}

/* But for the mailbox, and what it waits for. */
static struct imap_parked
state_of(const struct imap_session *s)
{
	return (struct imap_parked){
		.enabled = s->enabled,
		.readonly = s->readonly,
		.searches_text = s->searches_text,
		.rights = s->rights,
		.indexed_uidnext = s->indexed_uidnext,
		.in = s->bytes_in + conn_bytes_in(s->in.conn),
		.out = s->bytes_out + conn_bytes_out(s->in.conn),
		.saved = s->saved,
	};
}

/* The mailbox and what is known of it. False: it cannot be said. */
static bool
put_selected(const struct imap_session *s, struct imap_parked *p)
{
	if (!s->mb)
		return true;
	if (!mailbox_known(s->mb, &p->known))
		return false;
	p->known.keywords = (uint32_t)s->keywords_told;
	p->name = imap_full_name(s, s->mb);
	return true;
}

void
imap_park(struct imap_session *s, struct slice tag, int64_t end_ms)
{
	struct buf state = BUF_INIT(SERVICE_STATE_MAX);
	struct buf notify = BUF_INIT(NOTIFY_STATE_MAX);
	struct buf folders = BUF_INIT(FOLDERS_MAX);
	bool waits = imap_notify_waits(s);
	struct service_parked parked = { .fd = conn_read_fd(s->in.conn),
		.watch_fd = -1,
		.look_fd = -1,
		.end_ms = end_ms };
	struct imap_parked p = state_of(s);

	p.idle = tag.n > 0;
	p.tag = tag;
	p.end_ms = end_ms;
	if (!imap_park_allowed(s) || !is_quiet(s))
		return;
	if (waits)
		put_folders(s, &folders);
	parked.folders = buf_slice(&folders);
	if (folders.over ||
	    ((p.idle || waits) &&
		(!settle(s, &parked, p.idle) || !is_quiet(s))) ||
	    !put_notify(s, &notify))
		goto out;
	/* A text index is being made. */
	if ((s->mb && s->indexed_uidnext != mailbox_uidnext(s->mb)) ||
	    !put_selected(s, &p))
		goto out;
	if (parked.watch_fd >= 0)
		p.watch = store_watch_name(imap_watched(s));
	else
		store_unwatch(imap_watched(s));
	p.notify = buf_slice(&notify);
	if (imap_parked_write(&p, &state)) {
		parked.state = buf_slice(&state);
		log_line("imapserver", LOG_DEBUG, "to be parked",
		    LOG_U("state", state.n + folders.n));
		service_park(s->client, &parked);
	}
out:
	buf_free(&state);
	buf_free(&notify);
	buf_free(&folders);
}

void
imap_renew(struct imap_session *s)
{
	struct buf state = BUF_INIT(SERVICE_STATE_MAX);
	struct buf notify = BUF_INIT(NOTIFY_STATE_MAX);
	struct service_parked parked = {
		.fd = conn_read_fd(s->in.conn), .watch_fd = -1, .look_fd = -1
	};
	struct imap_parked p;

	imap_flush(s);
	if (s->dead || s->logout || s->in.must_close || service_stop != 0 ||
	    s->contexts || conn_is_deflated(s->in.conn) || !s->client ||
	    !service_can_park(s->client))
		return;
	p = state_of(s);
	p.unread = conn_buffered(s->in.conn);
	if (put_notify(s, &notify) && put_selected(s, &p)) {
		p.notify = buf_slice(&notify);
		if (imap_parked_write(&p, &state)) {
			store_unwatch(imap_watched(s));
			parked.state = buf_slice(&state);
			service_renew(s->client, &parked);
		}
	}
	buf_free(&state);
	buf_free(&notify);
}

/* ---- and back ---- */

/* The mailbox, as the state says it was: 1; 0 if it cannot be told what happened
 * to it since; -1 with e set. One that may not be seen any more is gone. */
static int
reopen(struct imap_session *s, const struct imap_parked *p, struct err *e)
{
	struct imap_box box;
	int rc = imap_resolve(s, p->name, &box, e);

	if (rc < 0)
		return -1;
	return rc > 0 && box.rights & ACL_READ
	    ? mailbox_resume(&s->mb, box.store, box.name, &p->known, e)
	    : mailbox_resume(&s->mb, s->store, p->name, &p->known, e);
}

bool
imap_park_restore(struct imap_session *s, const struct imap_parked *p,
    int watch_fd)
{
	struct err e = ERR_INIT;
	int rc;

	s->enabled = p->enabled;
	s->readonly = p->readonly;
	s->rights = p->rights; /* as told; looked at before each command */
	s->searches_text = p->searches_text;
	s->indexed_uidnext = p->indexed_uidnext;
	s->keywords_told = p->known.keywords;
	s->bytes_in = p->in;
	s->bytes_out = p->out;
	s->end_ms = p->end_ms;
	conn_unread(s->in.conn, p->unread); /* has room: nothing was read */
	uidset_add_set(&s->saved, &p->saved);
	rc = p->name.n ? reopen(s, p, &e) : 1;
	if (p->notify.n && !imap_notify_load(&s->notify, p->notify))
		rc = err_set(&e, ERR_PERM, "what it was told of others");
	if (watch_fd >= 0)
		store_watch_resume(imap_watched(s), p->watch, watch_fd);
	s->resumed = rc > 0;
	if (s->resumed)
		return true;
	log_line("imapserver", rc < 0 ? LOG_ERROR : LOG_INFO,
	    rc < 0 ? "mailbox of a parked session"
		   : "too much happened for a parked session",
	    LOG_S("mailbox", p->name), LOG_E(&e));
	imap_line(s,
	    rc < 0 ? "BYE mailbox cannot be opened now"
		   : "BYE the mailbox has changed too much, please come back");
	s->logout = true;
	return false;
}
