/* log - logfmt lines to stderr. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

#define LOG_LINE 4096 /* PIPE_BUF: pipes do not mix writes of up to this */
#define LOG_CUT " cut=1\n"
#define LOG_FRONT " front=1"
#define LOG_TRACED 900 /* bytes a trace line; each may become four */

struct topic {
	char name[LOG_TOPIC + 1];
	enum log_level level;
};

/* Levels by topic. Searched in order: programs have few topics. */
struct levels {
	enum log_level usual; /* of topics that are not listed */
	size_t n;
	struct topic topics[LOG_TOPICS];
};

/* The configuration of the process. Levels in force are swapped as a whole,
 * since other threads may be reading them. */
static struct {
	const char *program;
	int fd;
	const struct clock *clock;
	void (*sink)(void *ctx, enum log_level level, struct slice line);
	void *sink_ctx;
	uint64_t cid;
	struct levels set; /* by log_set_level */
	struct levels merged[2];
	struct levels *_Atomic levels; /* in force: one of merged */
	const char *path;
	struct timespec mtime;
	_Atomic int64_t looked_s;
} conf = {
	.program = "",
	.fd = STDERR_FILENO,
	.set.usual = LOG_INFO,
	.merged[0].usual = LOG_INFO,
	.levels = &conf.merged[0],
};

/* ---- levels ---- */

static const char *const level_names[] = {
	[LOG_PRINT] = "print",
	[LOG_FATAL] = "fatal",
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
	[LOG_TRACE] = "trace",
	[LOG_TRACEAUTH] = "traceauth",
	[LOG_TRACEDATA] = "tracedata",
};

bool
log_level_parse(struct slice name, enum log_level *level_r)
{
	for (size_t i = 0; i <= LOG_TRACEDATA; i++)
		if (slice_is(name, level_names[i])) {
			*level_r = (enum log_level)i;
			return true;
		}
	return false;
}

static struct topic *
find_topic(struct levels *l, struct slice name)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_is(name, l->topics[i].name))
			return &l->topics[i];
	return NULL;
}

static void
levels_put(struct levels *l, struct slice name, enum log_level level)
{
	struct topic *t = find_topic(l, name);

	if (name.n == 0) {
		l->usual = level;
		return;
	}
	if (t == NULL) {
		if (l->n == LOG_TOPICS)
			return;
		t = &l->topics[l->n];
		if (!slice_cstr(name, t->name, sizeof(t->name)))
			return;
		l->n++;
	}
	t->level = level;
}

/* Lines "topic level"; others are passed over. */
static void
levels_read(struct levels *l, const char *path)
{
	struct buf b = BUF_INIT(LOG_LINE);
	struct slice text, line, name, word;
	enum log_level level;

	if (file_read(AT_FDCWD, path, &b, NULL) == 1)
		for (text = buf_slice(&b); slice_line(&text, &line);)
			if (slice_cut(slice_trim(line), ' ', &name, &word) &&
			    log_level_parse(slice_trim(word), &level))
				levels_put(l,
				    slice_is(name, "-") ? SLICE_NULL : name,
				    level);
	buf_free(&b);
}

/* Compute the levels in force. */
static void
merge(void)
{
	struct levels *old = atomic_load(&conf.levels);
	struct levels *l = &conf.merged[old == &conf.merged[0]];

	*l = conf.set;
	if (conf.path != NULL)
		levels_read(l, conf.path);
	atomic_store(&conf.levels, l);
}

void
log_set_level(struct slice topic, enum log_level level)
{
	levels_put(&conf.set, topic, level);
	merge();
}

static int64_t
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec;
}

static struct timespec
mtime_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){ 0, 0 };
}

void
log_levels_file(const char *path)
{
	conf.path = path;
	if (path == NULL)
		return; /* levels stay as they are */
	conf.looked_s = now_s();
	conf.mtime = mtime_of(path);
	merge();
}

/* Once a second, by whichever thread comes first. */
static void
look_at_file(void)
{
	int64_t looked = atomic_load(&conf.looked_s), now = now_s();
	struct timespec mtime;
	int saved = errno;

	if (looked == now ||
	    !atomic_compare_exchange_strong(&conf.looked_s, &looked, now))
		return;
	mtime = mtime_of(conf.path);
	if (mtime.tv_sec != conf.mtime.tv_sec ||
	    mtime.tv_nsec != conf.mtime.tv_nsec) {
		conf.mtime = mtime;
		merge();
	}
	errno = saved;
}

void
log_levels_refresh(void)
{
	if (conf.path != NULL)
		look_at_file();
}

bool
log_enabled(const char *topic, enum log_level level)
{
	struct levels *l;

	log_levels_refresh();
	l = atomic_load_explicit(&conf.levels, memory_order_acquire);
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->topics[i].name, topic) == 0)
			return level <= l->topics[i].level;
	return level <= l->usual;
}

/* ---- the rest of the configuration ---- */

void
log_init(const char *program, enum log_level level)
{
	conf.program = program;
	log_set_level(SLICE_NULL, level);
}

void
log_init_env(const char *program, enum log_level level)
{
	const char *name = secure_getenv("MOX_LOGLEVEL");

	if (name != NULL)
		log_level_parse(slice_str(name), &level);
	log_init(program, level);
}

void
log_set_fd(int fd)
{
	conf.fd = fd;
}

void
log_set_clock(const struct clock *c)
{
	conf.clock = c;
}

void
log_set_sink(void (*sink)(void *ctx, enum log_level level, struct slice line),
    void *ctx)
{
	conf.sink = sink;
	conf.sink_ctx = ctx;
}

void
log_set_cid(uint64_t cid)
{
	conf.cid = cid;
}

/* ---- lines ---- */

static bool
is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

/* How c looks between quotes, in at most 4 bytes. */
static struct slice
escape(const char *c, char room[4])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char byte = (unsigned char)*c;

	switch (*c) {
	case '"':
		return SLICE("\\\"");
	case '\\':
		return SLICE("\\\\");
	case '\n':
		return SLICE("\\n");
	case '\r':
		return SLICE("\\r");
	case '\t':
		return SLICE("\\t");
	}
	if (byte >= ' ' && byte < 0x7f)
		return slice_of(c, 1);
	memcpy(room, (char[]){ '\\', 'x', hex[byte >> 4], hex[byte & 15] }, 4);
	return slice_of(room, 4);
}

/* Cut to what fits with its closing quote; then the buf is over. */
static void
add_quoted(struct buf *b, struct slice value)
{
	char room[4];
	bool fits = true;

	buf_addc(b, '"');
	for (size_t i = 0; i < value.n && fits && !b->over; i++) {
		struct slice text = escape(value.p + i, room);
		fits = b->max - b->n > text.n;
		if (fits)
			buf_add(b, text);
	}
	buf_addc(b, '"');
	b->over |= !fits;
}

static void
add_name(struct buf *b, const char *name)
{
	if (b->n > 0)
		buf_addc(b, ' ');
	buf_addz(b, name);
	buf_addc(b, '=');
}

void
log_format(struct buf *b, const char *name, struct slice value)
{
	bool plain = value.n > 0 && value.n < b->max - b->n;

	for (size_t i = 0; i < value.n && plain; i++)
		plain = is_plain(value.p[i]);
	add_name(b, name);
	if (plain)
		buf_add(b, value);
	else
		add_quoted(b, value);
}

static void
add_start(struct buf *b, const char *topic, enum log_level level)
{
	char time[CLOCK_TEXT];

	clock_rfc3339(clock_us(conf.clock), time);
	buf_addf(b, "l=%s t=%s p=%s", level_names[level], time, conf.program);
	if (conf.cid != 0)
		buf_addf(b, " cid=%llx", (unsigned long long)conf.cid);
	if (*topic != '\0')
		log_format(b, "pkg", slice_str(topic));
}

static void
add_field(struct buf *b, const struct log_field *f)
{
	switch (f->value.type) {
	case LOG_V_SLICE:
		log_format(b, f->name, f->value.s);
		break;
	case LOG_V_U64:
		buf_addf(b, " %s=%llu", f->name,
		    (unsigned long long)f->value.u);
		break;
	case LOG_V_I64:
		buf_addf(b, " %s=%lld", f->name, (long long)f->value.i);
		break;
	}
}

static void
write_line(struct buf *b, enum log_level level)
{
	int saved = errno;

	b->max = LOG_LINE;
	if (b->over) {
		b->over = false;
		buf_addz(b, LOG_CUT);
	} else {
		buf_addc(b, '\n');
	}
	if (conf.sink != NULL)
		conf.sink(conf.sink_ctx, level, slice_of(b->p, b->n - 1));
	else if (write(conf.fd, b->p, b->n) < 0)
		errno = saved; /* nowhere left to say so */
	errno = saved;
}

void
log_fields(const char *topic, enum log_level level, const char *message,
    const struct log_field *fields, size_t n)
{
	char text[LOG_LINE + 1];
	struct buf b = { text, 0, LOG_LINE, LOG_LINE - strlen(LOG_CUT), false };

	add_start(&b, topic, level);
	add_name(&b, "m");
	add_quoted(&b, slice_str(message));
	for (size_t i = 0; i < n; i++)
		add_field(&b, &fields[i]);
	write_line(&b, level);
}

void
log_relay(enum log_level level, struct slice line)
{
	char text[LOG_LINE + 1];
	struct buf b = { text, 0, LOG_LINE, LOG_LINE - strlen(LOG_CUT), false };
	ssize_t from = slice_find(line, SLICE(" pkg="));

	if (from < 0)
		from = slice_find(line, SLICE(" m="));
	line = slice_skip(line, from < 0 ? line.n : (size_t)from);
	add_start(&b, "", level);
	line = slice_head(line, b.max - b.n - strlen(LOG_FRONT));
	for (size_t i = 0; i < line.n; i++)
		buf_addc(&b,
		    line.p[i] >= ' ' && line.p[i] <= '~' ? line.p[i] : '?');
	buf_addz(&b, LOG_FRONT);
	write_line(&b, level);
}

void
log_trace(const char *topic, enum log_level level, char dir, struct slice bytes)
{
	if (!log_enabled(topic, level))
		return;
	do {
		char text[LOG_LINE + 1], message[LOG_TRACED + 2];
		struct buf b = { text, 0, LOG_LINE, LOG_LINE - strlen(LOG_CUT),
			false };
		struct slice part = slice_head(bytes, LOG_TRACED);

		message[0] = dir;
		message[1] = ' ';
		if (part.n > 0)
			memcpy(message + 2, part.p, part.n);
		add_start(&b, topic, level);
		add_name(&b, "m");
		add_quoted(&b, slice_of(message, part.n + 2));
		write_line(&b, level);
		bytes = slice_skip(bytes, part.n);
	} while (bytes.n > 0);
}
