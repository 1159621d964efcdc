/* queue_list - what is in the queue, for people and as JSON; messages. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "config/schema.h"
#include "tools/queue_tool.h"

#define SECOND_US INT64_C(1000000)
#define OUT_MAX (4 * ITEM_MAX) /* one entry as JSON */

struct list {
	struct queue_tool *t;
	struct buf out;
	struct json_out json;
	bool as_json, any;
};

/* ---- parts ---- */

/* "7m30s", rounded to seconds. */
static void
put_duration(struct buf *out, int64_t us)
{
	int64_t half = us < 0 ? -SECOND_US / 2 : SECOND_US / 2;

	schema_duration_format((us + half) / SECOND_US * SCHEMA_SECOND, out);
}

/* RFC 3339 without a fraction. */
static void
put_time(struct buf *out, int64_t us)
{
	char text[CLOCK_TEXT];

	clock_rfc3339(us, text);
	buf_addf(out, "%.19sZ", text);
}

/* In quotes; nothing a terminal would take for more than text. */
static void
put_quoted(struct buf *out, struct slice s)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < ' ' || c == 127)
			buf_addf(out, "\\x%02x", c);
		else
			buf_addc(out, (char)c);
	}
	buf_addc(out, '"');
}

static bool
is_success(const struct item *it)
{
	return it->state == ITEM_DELIVERED;
}

/* What is not plain from where it is. */
static const char *
state_word(const struct queue_entry *entry, const struct item *it)
{
	if (it->state == ITEM_CANCELED)
		return "canceled";
	if (it->state == ITEM_DROPPED)
		return "dropped";
	switch (entry->place) {
	case PLACE_HOLD:
		return "hold";
	case PLACE_ACTIVE:
		return "active";
	case PLACE_RETIRED:
		return is_success(it) ? "success" : "failure";
	default:
		return "";
	}
}

/* ---- as text ---- */

static void
put_line(struct list *l, const struct queue_entry *entry, const struct item *it)
{
	const char *state = state_word(entry, it);
	int64_t now = l->t->now_us, next = queue_entry_next_us(entry, it);
	struct buf *out = &l->out;

	buf_addf(out, "%5s ", entry->name);
	put_time(out, it->queued_us);
	buf_addz(out, " from:");
	buf_add(out, it->m.from.n ? it->m.from : SLICE("<>"));
	buf_addz(out, " to:");
	buf_add(out, it->rcpt.to);
	if (entry->place != PLACE_RETIRED) {
		buf_addz(out, " next ");
		put_duration(out, next > now ? next - now : 0);
	}
	buf_addz(out, " last ");
	if (it->nattempts)
		put_duration(out, now - it->last.us);
	else
		buf_addc(out, '-');
	buf_addz(out, " error ");
	put_quoted(out, is_success(it) ? SLICE_NULL : it->last.text);
	if (*state)
		buf_addf(out, " %s", state);
	buf_addc(out, '\n');
}

/* ---- as JSON ---- */

static void
put_results(struct json_out *j, const struct item *it)
{
	json_put_array(j, "Results");
	for (size_t i = 0; i < it->nattempts; i++) {
		const struct item_attempt *a = &it->attempts[i];
		json_put_object(j, NULL);
		json_put_time(j, "Time", a->us);
		json_put_str(j, "Result", a->result);
		json_put_str(j, "Host", a->host);
		json_put_str(j, "Text", a->text);
		json_put_end(j);
	}
	json_put_end(j);
}

static void
put_message(struct json_out *j, const struct queue_message *m)
{
	json_put_str(j, "MessageID", m->msgid);
	json_put_str(j, "Subject", m->subject);
	json_put_str(j, "Transport", m->transport);
	if (m->requiretls == QUEUE_TLS_DEFAULT)
		json_put_null(j, "RequireTLS");
	else
		json_put_bool(j, "RequireTLS", m->requiretls == QUEUE_TLS_YES);
	json_put_bool(j, "Has8bit", m->eightbit);
	json_put_bool(j, "SMTPUTF8", m->utf8);
	json_put_bool(j, "IsReport", m->report);
	if (m->until_us)
		json_put_time(j, "FutureRelease", m->until_us);
	json_put_object(j, "Extra");
	for (size_t i = 0; i < m->nextra; i++) {
		json_put_name(j, m->extra[i].key);
		json_put_str(j, NULL, m->extra[i].value);
	}
	json_put_end(j);
}

/* "20261201" of the folder of a retired item: kept until then. */
static void
put_keep_until(struct json_out *j, const struct queue_entry *entry)
{
	struct slice day =
	    slice_skip(slice_str(entry->folder), sizeof("retired/") - 1);
	char bucket[QUEUE_BUCKET];
	int64_t us;

	if (day.n != 8)
		return;
	snprintf(bucket, sizeof(bucket), "%.8sT0000Z", day.p);
	if (queue_bucket_time(slice_str(bucket), &us))
		json_put_time(j, "KeepUntil", us);
}

static void
put_object(struct json_out *j, int64_t now_us, const struct queue_entry *entry,
    const struct item *it)
{
	static const char *const places[] = { "due", "hold", "active", "todo",
		"retired" };
	int64_t next = queue_entry_next_us(entry, it);

	json_put_object(j, NULL);
	json_put_str(j, "ID", slice_str(entry->name));
	json_put_str(j, "State", slice_str(places[entry->place]));
	json_put_time(j, "Queued", it->queued_us);
	json_put_str(j, "SenderAccount", it->m.account);
	json_put_str(j, "From", it->m.from);
	json_put_str(j, "To", it->rcpt.to);
	json_put_str(j, "FromID", it->rcpt.fromid);
	json_put_bool(j, "Hold", entry->place == PLACE_HOLD);
	json_put_u64(j, "Size", it->size);
	json_put_u64(j, "Attempts", it->nattempts);
	json_put_u64(j, "MaxAttempts",
	    it->m.attempts ? it->m.attempts : QUEUE_ATTEMPTS);
	if (entry->place == PLACE_RETIRED) {
		json_put_bool(j, "Success", is_success(it));
		put_keep_until(j, entry);
	} else
		json_put_time(j, "NextAttempt", next > now_us ? next : now_us);
	if (it->nattempts)
		json_put_time(j, "LastAttempt", it->last.us);
	else
		json_put_null(j, "LastAttempt");
	put_results(j, it);
	put_message(j, &it->m);
	json_put_end(j);
}

/* ---- lists ---- */

static int
flush(struct buf *out)
{
	bool ok = !out->over && fwrite(out->p, 1, out->n, stdout) == out->n;

	buf_reset(out);
	return ok ? 1 : -1;
}

static int
list_one(void *ctx, const struct queue_entry *entry, const struct item *it)
{
	struct list *l = ctx;

	l->any = true;
	if (l->as_json)
		put_object(&l->json, l->t->now_us, entry, it);
	else
		put_line(l, entry, it);
	return flush(&l->out);
}

static int
list(struct queue_tool *t, unsigned places, const char *title, bool as_json)
{
	struct list l = {
		.t = t, .out = BUF_INIT(OUT_MAX), .as_json = as_json
	};
	struct err e = ERR_INIT;
	int rc;

	l.json = (struct json_out)JSON_OUT(&l.out, true);
	if (as_json)
		json_put_array(&l.json, NULL);
	else
		buf_addf(&l.out, "%s\n", title);
	rc = queue_walk(t, places, list_one, &l, &e);
	if (as_json)
		json_put_end(&l.json);
	else if (!l.any)
		buf_addz(&l.out, "(none)\n");
	if (rc < 0 && e.kind != ERR_NONE)
		queue_tool_complain(t, &e);
	if (flush(&l.out) < 0 || fflush(stdout) != 0 || rc < 0)
		t->failed = true;
	buf_free(&l.out);
	return t->failed ? EXIT_FAILED : EXIT_DONE;
}

int
queue_list(struct queue_tool *t, bool json)
{
	return list(t,
	    1U << PLACE_DUE | 1U << PLACE_HOLD | 1U << PLACE_ACTIVE |
		1U << PLACE_TODO,
	    "messages:", json);
}

int
queue_list_retired(struct queue_tool *t, bool json)
{
	return list(t, 1U << PLACE_RETIRED, "retired messages:", json);
}

static int
print_one(void *ctx, const struct queue_entry *entry, const struct item *it)
{
	struct list *l = ctx;

	l->any = true;
	put_object(&l->json, l->t->now_us, entry, it);
	return flush(&l->out);
}

int
queue_print_retired(struct queue_tool *t, const char *id)
{
	struct queue_filter_text text = { .ids = id };
	struct list l = { .t = t, .out = BUF_INIT(OUT_MAX) };
	struct err e = ERR_INIT;

	l.json = (struct json_out)JSON_OUT(&l.out, true);
	if (queue_filter_parse(&text, t->now_us, t->arena, &t->filter, &e) <
		0 ||
	    queue_walk(t, 1U << PLACE_RETIRED, print_one, &l, &e) < 0)
		queue_tool_complain(t, &e);
	else if (!l.any) {
		err_set(&e, ERR_PERM, "no retired message %s", id);
		queue_tool_complain(t, &e);
	}
	buf_free(&l.out);
	return t->failed ? EXIT_FAILED : EXIT_DONE;
}

/* ---- dump ---- */

/* The file that has the message of ID.N, or of any recipient of ID. */
static const char *
find_message(struct queue_tool *t, struct slice name, struct err *e)
{
	struct slice folder = arena_printf(t->arena, "msg/%.*s",
	    SLICE_FMT(slice_sub(name, QUEUE_ID - 2, QUEUE_ID)));
	struct slice *names;
	size_t n = 0;

	if (name.n > QUEUE_ID)
		return queue_message_path(t->arena, name).p;
	if (file_list(t->q.fd, folder.p, t->arena, &names, &n, e) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (slice_starts(names[i], name))
			return queue_message_path(t->arena, names[i]).p;
	return "";
}

static int
copy_rest(int fd, uint64_t offset, struct err *e)
{
	char piece[65536];
	ssize_t n;

	if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
		return err_sys(e, "seek");
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		if (fwrite(piece, 1, (size_t)n, stdout) != (size_t)n)
			return err_sys(e, "stdout");
	if (n < 0)
		return err_sys(e, "read");
	return fflush(stdout) == 0 ? 0 : err_sys(e, "stdout");
}

/* A message file is the envelope it came in, with the message behind. */
static int
dump_file(struct queue_tool *t, const char *path, struct err *e)
{
	struct item it;
	int rc =
	    *path ? item_read_envelope(t->q.fd, path, t->arena, &it, e) : 0;
	int fd;

	if (rc <= 0)
		return rc;
	fd = openat(t->q.fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	rc = copy_rest(fd, it.offset, e) == 0 ? 1 : -1;
	close(fd);
	return rc;
}

/* While a runner has the envelope nothing else has the message. */
static int
dump_active(struct queue_tool *t, struct slice message, struct err *e)
{
	struct slice *runners;
	size_t n = 0;
	int rc = file_list(t->q.fd, "active", t->arena, &runners, &n, e) < 0
	    ? -1
	    : 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = dump_file(t,
		    arena_printf(t->arena, "active/%.*s/%.*s",
			SLICE_FMT(runners[i]), SLICE_FMT(message))
			.p,
		    e);
	return rc;
}

int
queue_dump(struct queue_tool *t, const char *id)
{
	struct slice name = slice_str(id), message;
	struct err e = ERR_INIT;
	const char *path;
	unsigned n;
	int rc = -1;

	if (!queue_name(name, &message, &n))
		err_set(&e, ERR_SYNTAX, "\"%s\" is no ID of a message", id);
	else {
		/* Until a runner takes it up it is in todo/. */
		path =
		    arena_printf(t->arena, "todo/%.*s", SLICE_FMT(message)).p;
		rc = dump_file(t, path, &e);
		if (rc == 0)
			rc = dump_active(t, message, &e);
		path = rc == 0 ? find_message(t, name, &e) : NULL;
		if (rc == 0)
			rc = path ? dump_file(t, path, &e) : -1;
	}
	if (rc == 0)
		rc = err_set(&e, ERR_PERM, "no message %s in the queue", id);
	if (rc < 0)
		queue_tool_complain(t, &e);
	return rc < 0 ? EXIT_FAILED : EXIT_DONE;
}
