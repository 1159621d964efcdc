/* item - the key-value file of a recipient, and the head of an envelope. */
#include "queue/item.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define ITEM_MAGIC "mox-item 1"
#define ENVELOPE_MAGIC "mox-envelope 1"
#define EXPIRES_TRIES 16       /* more is as good as for ever */
#define FIRST_READ (16 * 1024) /* of an envelope: most end before */

/* ---- values ---- */

static const struct queue_name_of {
	const char *name;
	unsigned bit;
} notify_names[] = {
	{ "never", QUEUE_NOTIFY_NEVER },
	{ "success", QUEUE_NOTIFY_SUCCESS },
	{ "failure", QUEUE_NOTIFY_FAILURE },
	{ "delay", QUEUE_NOTIFY_DELAY },
	{ NULL, 0 },
};

static const struct queue_name_of told_names[] = {
	{ "failure", ITEM_TOLD_FAILURE },
	{ "delay", ITEM_TOLD_DELAY },
	{ "success", ITEM_TOLD_SUCCESS },
	{ NULL, 0 },
};

static const struct queue_name_of tls_names[] = {
	{ "default", QUEUE_TLS_DEFAULT },
	{ "yes", QUEUE_TLS_YES },
	{ "no", QUEUE_TLS_NO },
	{ NULL, 0 },
};

static const struct queue_name_of ret_names[] = {
	{ "full", QUEUE_RET_FULL },
	{ "hdrs", QUEUE_RET_HDRS },
	{ NULL, 0 },
};

static bool
find_name(const struct queue_name_of *names, struct slice s, unsigned *bit_r)
{
	for (; names->name; names++)
		if (slice_is(s, names->name)) {
			*bit_r = names->bit;
			return true;
		}
	return false;
}

static const char *
name_of(const struct queue_name_of *names, unsigned bit)
{
	while (names->name && names->bit != bit)
		names++;
	return names->name;
}

/* ---- parsing: a function for each kind of line ---- */

struct parse {
	struct item *it;
	struct arena *arena;
	struct queue_rcpt *rcpts; /* it->m.rcpts, to be filled */
	size_t room;
	struct queue_pair *extra;
	struct slice *via;
	size_t extra_room, via_room, attempts_room, dialed_room;
	bool envelope;
};

typedef bool line_fn(struct parse *p, struct slice value, size_t arg);

static bool
line_time(struct parse *p, struct slice value, size_t at)
{
	return clock_rfc3339_parse(value, (int64_t *)((char *)p->it + at));
}

static bool
line_text(struct parse *p, struct slice value, size_t at)
{
	*(struct slice *)((char *)p->it + at) = value;
	return true;
}

static bool
line_number(struct parse *p, struct slice value, size_t at)
{
	return slice_u64(value, (uint64_t *)((char *)p->it + at));
}

static bool
line_set(struct parse *p, struct slice value, size_t at)
{
	*((bool *)p->it + at) = true;
	return value.n == 0;
}

static bool
line_attempts(struct parse *p, struct slice value, size_t at)
{
	(void)at;
	return slice_u32(value, &p->it->m.attempts);
}

static bool
line_requiretls(struct parse *p, struct slice value, size_t at)
{
	unsigned v = 0;
	bool known = find_name(tls_names, value, &v);

	(void)at;
	p->it->m.requiretls = (enum queue_tls)v;
	return known;
}

static bool
line_ret(struct parse *p, struct slice value, size_t at)
{
	unsigned v = 0;
	bool known = find_name(ret_names, value, &v);

	(void)at;
	p->it->m.ret = (enum queue_ret)v;
	return known;
}

static bool
line_to(struct parse *p, struct slice value, size_t at)
{
	struct queue_message *m = &p->it->m;

	(void)at;
	if (value.n == 0 || m->nrcpts == (p->envelope ? QUEUE_RCPTS_MAX : 1))
		return false;
	if (m->nrcpts == p->room) {
		p->rcpts = arena_grow(p->arena, p->rcpts, p->room,
		    p->room ? p->room * 2 : 1, sizeof(*p->rcpts));
		p->room = p->room ? p->room * 2 : 1;
		m->rcpts = p->rcpts;
	}
	p->rcpts[m->nrcpts++] = (struct queue_rcpt){ .to = value };
	return true;
}

/* The lines that belong to the last recipient. */
static struct queue_rcpt *
last_rcpt(struct parse *p)
{
	return p->it->m.nrcpts ? &p->rcpts[p->it->m.nrcpts - 1] : NULL;
}

static bool
line_notify(struct parse *p, struct slice value, size_t at)
{
	struct queue_rcpt *rcpt = last_rcpt(p);
	struct slice word;
	unsigned bit;

	(void)at;
	while (rcpt && slice_next(&value, ',', &word)) {
		if (!find_name(notify_names, word, &bit))
			return false;
		rcpt->notify |= bit;
	}
	return rcpt != NULL;
}

static bool
line_rcpt_text(struct parse *p, struct slice value, size_t at)
{
	struct queue_rcpt *rcpt = last_rcpt(p);

	if (rcpt)
		*(struct slice *)((char *)rcpt + at) = value;
	return rcpt != NULL;
}

static bool
line_extra(struct parse *p, struct slice value, size_t at)
{
	struct queue_message *m = &p->it->m;
	struct slice key, rest;

	(void)at;
	slice_cut(value, ' ', &key, &rest);
	if (m->nextra == p->extra_room) {
		size_t room = p->extra_room ? p->extra_room * 2 : 4;
		p->extra = arena_grow(p->arena, p->extra, p->extra_room, room,
		    sizeof(*p->extra));
		p->extra_room = room;
		m->extra = p->extra;
	}
	p->extra[m->nextra++] = (struct queue_pair){ key, rest };
	return true;
}

static bool
line_via(struct parse *p, struct slice value, size_t at)
{
	struct queue_message *m = &p->it->m;

	(void)at;
	if (m->nvia == QUEUE_VIA_MAX)
		return false;
	if (m->nvia == p->via_room) {
		size_t room = p->via_room ? p->via_room * 2 : 4;
		p->via = arena_grow(p->arena, p->via, p->via_room, room,
		    sizeof(*p->via));
		p->via_room = room;
		m->via = p->via;
	}
	p->via[m->nvia++] = value;
	return true;
}

/* ---- what happened ---- */

static bool
line_state(struct parse *p, struct slice value, size_t state)
{
	struct slice time, rest;
	int64_t us;

	slice_cut(value, ' ', &time, &rest);
	p->it->state = (enum item_state)state;
	return clock_rfc3339_parse(time, &us);
}

static const struct {
	const char *name;
	enum item_state state;
	bool counts; /* as an attempt, of those that are limited */
} outcomes[] = {
	{ "delivered", ITEM_DELIVERED, false },
	{ "delayed", ITEM_WAITING, true },
	{ "failed", ITEM_FAILED, false },
	{ "lost", ITEM_WAITING, true },
};

static bool
line_outcome(struct parse *p, struct slice value, size_t which)
{
	struct item *it = p->it;
	struct item_attempt a = { .result = slice_str(outcomes[which].name) };
	struct slice time, host;

	slice_cut(value, ' ', &time, &value);
	if (!clock_rfc3339_parse(time, &a.us))
		return false;
	slice_cut(value, ' ', &host, &a.text);
	if (!slice_is(host, "-"))
		a.host = host;
	if (it->nattempts == p->attempts_room) {
		size_t room = p->attempts_room ? p->attempts_room * 2 : 4;
		it->attempts = arena_grow(p->arena, it->attempts,
		    p->attempts_room, room, sizeof(*it->attempts));
		p->attempts_room = room;
	}
	it->attempts[it->nattempts++] = it->last = a;
	it->state = outcomes[which].state;
	it->tries += outcomes[which].counts;
	return true;
}

static bool
line_dialed(struct parse *p, struct slice value, size_t at)
{
	struct item *it = p->it;
	struct item_dialed d;
	struct slice time;

	(void)at;
	slice_cut(value, ' ', &time, &value);
	slice_cut(value, ' ', &d.host, &value);
	if (!ip_parse(value, &d.ip))
		return false;
	if (it->ndialed == p->dialed_room) {
		size_t room = p->dialed_room ? p->dialed_room * 2 : 4;
		it->dialed = arena_grow(p->arena, it->dialed, p->dialed_room,
		    room, sizeof(*it->dialed));
		p->dialed_room = room;
	}
	it->dialed[it->ndialed++] = d;
	return true;
}

static bool
line_dsn(struct parse *p, struct slice value, size_t at)
{
	struct slice kind, rest;
	unsigned bit = 0;
	bool known;

	(void)at;
	slice_cut(value, ' ', &kind, &rest);
	known = find_name(told_names, kind, &bit);
	p->it->told |= bit;
	return known;
}

#define ITEM(field) offsetof(struct item, field)
#define RCPT(field) offsetof(struct queue_rcpt, field)

static const struct line {
	const char *key;
	line_fn *fn;
	size_t arg;
} lines[] = {
	{ "queued", line_time, ITEM(queued_us) },
	{ "account", line_text, ITEM(m.account) },
	{ "from", line_text, ITEM(m.from) },
	{ "bounce", line_text, ITEM(m.bounce) },
	{ "via", line_via, 0 },
	{ "size", line_number, ITEM(size) },
	{ "utf8", line_set, ITEM(m.utf8) },
	{ "8bit", line_set, ITEM(m.eightbit) },
	{ "verbatim", line_set, ITEM(verbatim) },
	{ "requiretls", line_requiretls, 0 },
	{ "ret", line_ret, 0 },
	{ "envid", line_text, ITEM(m.envid) },
	{ "source", line_text, ITEM(m.source) },
	{ "msgid", line_text, ITEM(m.msgid) },
	{ "subject", line_text, ITEM(m.subject) },
	{ "until", line_time, ITEM(m.until_us) },
	{ "transport", line_text, ITEM(m.transport) },
	{ "attempts", line_attempts, 0 },
	{ "extra", line_extra, 0 },
	{ "report", line_set, ITEM(m.report) },
	{ "to", line_to, 0 },
	{ "notify", line_notify, 0 },
	{ "orcpt", line_rcpt_text, RCPT(orcpt) },
	{ "fromid", line_rcpt_text, RCPT(fromid) },
	{ "done", line_rcpt_text, RCPT(done) },
	{ "offset", line_number, ITEM(offset) },
	{ "trying", line_state, ITEM_TRYING },
	{ "delivered", line_outcome, 0 },
	{ "delayed", line_outcome, 1 },
	{ "failed", line_outcome, 2 },
	{ "lost", line_outcome, 3 },
	{ "dialed", line_dialed, 0 },
	{ "next", line_time, ITEM(next_us) },
	{ "dsn", line_dsn, 0 },
	{ "cancel", line_state, ITEM_CANCELED },
	{ "drop", line_state, ITEM_DROPPED },
	{ NULL, NULL, 0 },
};

static int
take_line(struct parse *p, struct slice line, unsigned number, struct err *e)
{
	const struct line *l = lines;
	struct slice key, value;

	slice_cut(slice_trim(line), ' ', &key, &value);
	while (l->key && !slice_is(key, l->key))
		l++;
	if (l->key && !l->fn(p, value, l->arg))
		return err_set(e, ERR_SYNTAX, "line %u: bad value of %s",
		    number, l->key);
	return 0;
}

/*
 * All whole lines, or all up to the empty line of an envelope. A last line
 * without LF, or with a NUL, was cut off by a crash.
 */
static int
parse(struct slice text, const char *magic, struct arena *arena,
    struct item *it, size_t *message_r, struct err *e)
{
	struct parse p = { .it = it, .arena = arena, .envelope = message_r };
	struct slice rest = text, line;
	unsigned number = 0;
	bool ended = false;

	memset(it, 0, sizeof(*it));
	while (!ended && slice_cut(rest, '\n', &line, &rest)) {
		number++;
		if (number == 1 && !slice_is(line, magic))
			return err_set(e, ERR_SYNTAX, "line 1: not %s", magic);
		if (number == 1 || slice_chr(line, '\0') >= 0)
			continue;
		ended = message_r && line.n == 0;
		if (take_line(&p, line, number, e) < 0)
			return -1;
	}
	if (message_r && !ended)
		return err_set(e, ERR_SYNTAX, "envelope without end");
	if (it->m.nrcpts == 0)
		return err_set(e, ERR_SYNTAX, "no recipient");
	if (message_r)
		*message_r = text.n - rest.n;
	else
		it->rcpt = it->m.rcpts[0];
	return 0;
}

int
item_parse(struct slice text, struct arena *arena, struct item *it,
    struct err *e)
{
	return parse(text, ITEM_MAGIC, arena, it, NULL, e);
}

int
item_parse_envelope(struct slice text, struct arena *arena, struct item *it,
    size_t *message_r, struct err *e)
{
	return parse(text, ENVELOPE_MAGIC, arena, it, message_r, e);
}

/* ---- files ---- */

int
item_open(int dirfd, const char *name, int *fd_r, struct err *e)
{
	*fd_r = openat(dirfd, name, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (*fd_r >= 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(e, "%s", name);
}

int
item_read(int dirfd, const char *name, struct arena *arena, struct item *it,
    struct err *e)
{
	struct buf text = BUF_INIT(ITEM_MAX);
	int rc = file_read(dirfd, name, &text, e);

	if (rc > 0 &&
	    item_parse(arena_dup(arena, buf_slice(&text)), arena, it, e) < 0)
		rc = err_prefix(e, "%s", name);
	buf_free(&text);
	return rc;
}

/* Read on until the empty line is there: 1, or -1. */
static int
read_head(int fd, struct buf *text, struct err *e)
{
	size_t want = FIRST_READ;

	for (;;) {
		char *p = buf_space(text, want);
		ssize_t n;
		if (!p)
			return err_set(e, ERR_LIMIT, "envelope too long");
		n = read(fd, p, want);
		if (n < 0)
			return err_sys(e, "read");
		text->n += (size_t)n;
		if (n == 0 || slice_find(buf_slice(text), SLICE("\n\n")) >= 0)
			return 1;
		want *= 2;
	}
}

int
item_read_envelope(int dirfd, const char *name, struct arena *arena,
    struct item *it, struct err *e)
{
	struct buf text = BUF_INIT(2 * ENVELOPE_MAX);
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;
	ssize_t head;
	size_t message;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", name);
	rc = read_head(fd, &text, e);
	if (rc > 0) {
		/* The message, as far as it was read, is not kept. */
		head = slice_find(buf_slice(&text), SLICE("\n\n"));
		if (head >= 0)
			buf_cut(&text, (size_t)head + 2);
		if (item_parse_envelope(arena_dup(arena, buf_slice(&text)),
			arena, it, &message, e) < 0)
			rc = -1;
		else
			it->offset = message;
	}
	if (rc < 0)
		err_prefix(e, "%s", name);
	close(fd);
	buf_free(&text);
	return rc;
}

int
item_read_inside(int dirfd, struct slice name, struct arena *arena,
    struct item *it, struct err *e)
{
	struct slice id;
	unsigned n;
	int rc;

	if (!queue_name(name, &id, &n) || n != 1)
		return 0;
	rc = item_read_envelope(dirfd, arena_cstr(arena, id), arena, it, e);
	if (rc <= 0 || it->m.nrcpts != 1)
		return rc < 0 ? -1 : 0;
	it->rcpt = it->m.rcpts[0];
	return 1;
}

/* ---- writing ---- */

/* Text of a line: no line of its own can come out of it. */
static void
add_clean(struct buf *out, struct slice s)
{
	char *p = buf_space(out, s.n);

	for (size_t i = 0; p && i < s.n; i++)
		p[i] =
		    (unsigned char)s.p[i] < ' ' || s.p[i] == 127 ? ' ' : s.p[i];
	out->n += p ? s.n : 0;
}

static void
add_text(struct buf *out, const char *key, struct slice value)
{
	if (value.n == 0)
		return;
	buf_addz(out, key);
	buf_addc(out, ' ');
	add_clean(out, value);
	buf_addc(out, '\n');
}

static void
add_time(struct buf *out, const char *key, int64_t us)
{
	char text[CLOCK_TEXT];

	clock_rfc3339(us, text);
	add_text(out, key, slice_str(text));
}

static void
add_rcpt(struct buf *out, const struct queue_rcpt *rcpt)
{
	const char *comma = "";

	add_text(out, "to", rcpt->to);
	if (rcpt->notify) {
		buf_addz(out, "notify ");
		for (const struct queue_name_of *n = notify_names; n->name; n++)
			if (rcpt->notify & n->bit) {
				buf_addf(out, "%s%s", comma, n->name);
				comma = ",";
			}
		buf_addc(out, '\n');
	}
	add_text(out, "orcpt", rcpt->orcpt);
	add_text(out, "fromid", rcpt->fromid);
	add_text(out, "done", rcpt->done);
}

/* What envelope and items have in common. */
static void
add_message(struct buf *out, const struct item *it)
{
	const struct queue_message *m = &it->m;

	add_time(out, "queued", it->queued_us);
	add_text(out, "account", m->account);
	buf_addz(out, "from ");
	add_clean(out, m->from);
	buf_addc(out, '\n');
	add_text(out, "bounce", m->bounce);
	for (size_t i = 0; i < m->nvia; i++)
		add_text(out, "via", m->via[i]);
	buf_addf(out, "size %llu\n", (unsigned long long)it->size);
	buf_addz(out, m->utf8 ? "utf8\n" : "");
	buf_addz(out, m->eightbit ? "8bit\n" : "");
	buf_addz(out, it->verbatim ? "verbatim\n" : "");
	buf_addz(out, m->report ? "report\n" : "");
	if (m->requiretls != QUEUE_TLS_DEFAULT)
		buf_addf(out, "requiretls %s\n",
		    name_of(tls_names, m->requiretls));
	if (m->ret != QUEUE_RET_NONE)
		buf_addf(out, "ret %s\n", name_of(ret_names, m->ret));
	add_text(out, "envid", m->envid);
	add_text(out, "source", m->source);
	add_text(out, "msgid", m->msgid);
	add_text(out, "subject", m->subject);
	if (m->until_us)
		add_time(out, "until", m->until_us);
	add_text(out, "transport", m->transport);
	if (m->attempts)
		buf_addf(out, "attempts %u\n", m->attempts);
	for (size_t i = 0; i < m->nextra; i++) {
		buf_addz(out, "extra ");
		add_clean(out, m->extra[i].key);
		buf_addc(out, ' ');
		add_clean(out, m->extra[i].value);
		buf_addc(out, '\n');
	}
}

void
item_write_envelope(struct buf *out, const struct item *it)
{
	buf_addz(out, ENVELOPE_MAGIC "\n");
	add_message(out, it);
	for (size_t i = 0; i < it->m.nrcpts; i++)
		add_rcpt(out, &it->m.rcpts[i]);
	buf_addc(out, '\n');
}

/* The line that makes it a delivered one. */
static void
add_done(struct buf *out, const struct item *it, const struct queue_rcpt *rcpt)
{
	struct slice how, text;
	char time[CLOCK_TEXT];

	if (rcpt->done.n == 0)
		return;
	slice_cut(rcpt->done, ' ', &how, &text);
	clock_rfc3339(it->queued_us, time);
	buf_addf(out, "delivered %s - ", time);
	add_clean(out, text);
	buf_addc(out, '\n');
}

void
item_write(struct buf *out, const struct item *it, size_t n)
{
	buf_addz(out, ITEM_MAGIC "\n");
	add_message(out, it);
	add_rcpt(out, &it->m.rcpts[n]);
	buf_addf(out, "offset %llu\n", (unsigned long long)it->offset);
	add_done(out, it, &it->m.rcpts[n]);
}

/* Does the file end in the middle of a line, cut off by a crash? */
static bool
is_torn(int fd)
{
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && st.st_size > 0 &&
	    pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

/* One line at the end of the file, in one write. */
static int
append_line(int fd, const struct buf *text, struct err *e)
{
	struct buf line = BUF_INIT(ITEM_MAX);
	int rc;

	if (is_torn(fd))
		buf_add(&line, SLICE("\0\n"));
	add_clean(&line, buf_slice(text));
	buf_addc(&line, '\n');
	if (line.over)
		rc = err_set(e, ERR_LIMIT, "line too long for an item");
	else
		rc = lseek(fd, 0, SEEK_END) < 0
		    ? err_sys(e, "item")
		    : file_write(fd, buf_slice(&line), e);
	buf_free(&line);
	return rc;
}

int
item_append(int fd, const char *word, int64_t us, struct err *e,
    const char *fmt, ...)
{
	struct buf text = BUF_INIT(ITEM_MAX);
	char time[CLOCK_TEXT];
	size_t n;
	va_list ap;
	int rc;

	clock_rfc3339(us, time);
	buf_addf(&text, "%s %s ", word, time);
	n = text.n;
	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	if (text.n == n)
		buf_cut(&text, n - 1);
	rc = append_line(fd, &text, e);
	buf_free(&text);
	return rc;
}

int
item_set(int fd, const char *key, struct slice value, struct err *e)
{
	struct buf text = BUF_INIT(ITEM_MAX);
	int rc;

	buf_addz(&text, key);
	if (value.n) {
		buf_addc(&text, ' ');
		buf_add(&text, value);
	}
	rc = append_line(fd, &text, e);
	buf_free(&text);
	return rc;
}

/* ---- time ---- */

int64_t
item_expires_us(const struct item *it)
{
	unsigned most = it->m.attempts ? it->m.attempts : QUEUE_ATTEMPTS;
	int64_t us = it->last.us ? it->last.us : it->queued_us;

	if (most > EXPIRES_TRIES)
		most = EXPIRES_TRIES;
	for (unsigned tries = it->tries ? it->tries : 1; tries < most; tries++)
		us += (QUEUE_BACKOFF_S * INT64_C(1000000)) << (tries - 1);
	return us;
}
