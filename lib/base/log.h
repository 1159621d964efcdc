/*
 * log - logfmt lines to stderr: level, time, program, connection, topic,
 * message, fields.
 *
 *   l=info t=2026-11-21T07:00:00.123Z p=mox-smtpd cid=18c0a pkg=store
 *       m="delivered" from=a@b
 *
 * One write(2) a line, so lines of many processes do not mix (up to 4096
 * bytes; longer lines are cut and end in cut=1). Values are quoted when they
 * hold anything but printable ASCII without quote, backslash, space and
 * equals (the message always); bytes outside printable ASCII are escaped as
 * in C, so a log line cannot be forged by a peer.
 * Levels are per topic (smtpserver, imapserver, store, ...) and may be changed
 * while running through a file (log_levels_file).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"

/* Ordered: a topic at INFO prints ERROR, WARN and INFO. The three traces are
 * the protocol transcript: without and with credentials, with bulk data. */
enum log_level {
	LOG_PRINT, /* always */
	LOG_FATAL,
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG,
	LOG_TRACE,
	LOG_TRACEAUTH,
	LOG_TRACEDATA,
};

/* Values as in mox.conf, LogLevel: "error" ... "tracedata". */
bool log_level_parse(struct slice name, enum log_level *level_r);

/* Process-wide. program is kept, not copied. */
void log_init(const char *program, enum log_level level);
/* The same; $MOX_LOGLEVEL goes before level. */
void log_init_env(const char *program, enum log_level level);
void log_set_fd(int fd);                   /* default 2 */
void log_set_clock(const struct clock *c); /* default NULL */
/* Level of one topic; topic "" is the default. Topics past LOG_TOPICS, or
 * longer than LOG_TOPIC bytes, are ignored. */
#define LOG_TOPICS 64
#define LOG_TOPIC 31
void log_set_level(struct slice topic, enum log_level level);
/*
 * Read levels from a file of lines "topic level" (topic "-" for the default)
 * now, and again whenever its mtime changes, looked at no more than once a
 * second from log_enabled. What the file does not name, or all if it is
 * missing, has the level of log_set_level. path is kept, not copied; NULL
 * stops looking, for a process about to be jailed, with levels as they are.
 */
void log_levels_file(const char *path);
/* Look now, unless that was done in this second: before a fork of such. */
void log_levels_refresh(void);

/*
 * Where lines go instead of log_set_fd's descriptor, for jailed fronts that
 * log through their back. The line has no LF. NULL: the descriptor.
 */
void log_set_sink(void (*sink)(void *ctx, enum log_level level,
		      struct slice line),
    void *ctx);

/*
 * A line that a sink got in another process of this connection, which is not
 * trusted: only what stands behind its own program and cid is kept, with
 * ours before it, other bytes than printable ASCII replaced, and front=1 at
 * the end.
 */
void log_relay(enum log_level level, struct slice line);

/* Connection id in every line from here on; 0 for none. Hexadecimal. */
void log_set_cid(uint64_t cid);

bool log_enabled(const char *topic, enum log_level level);

/* A field of a line, made by LOG_S and the other makers below. */
struct log_value {
	enum { LOG_V_SLICE, LOG_V_U64, LOG_V_I64 } type;
	struct slice s;
	uint64_t u;
	int64_t i;
};

struct log_field {
	const char *name;
	struct log_value value;
};

#define LOG_S(name, slice_) \
	((struct log_field){ (name), { .type = LOG_V_SLICE, .s = (slice_) } })
#define LOG_Z(name, cstr_) LOG_S(name, slice_str(cstr_))
#define LOG_U(name, u_) \
	((struct log_field){ (name), { .type = LOG_V_U64, .u = (u_) } })
#define LOG_I(name, i_) \
	((struct log_field){ (name), { .type = LOG_V_I64, .i = (i_) } })
#define LOG_E(err_) LOG_Z("err", (err_)->text)

/* One line, whatever the level; log_line asks log_enabled first. */
void log_fields(const char *topic, enum log_level level, const char *message,
    const struct log_field *fields, size_t n);

/* log_line("store", LOG_INFO, "delivered", LOG_U("uid", uid), LOG_S(...));
 * Evaluates its fields only if the level is on. */
#define log_line(topic, level, message, ...) \
	do { \
		if (log_enabled(topic, level)) \
			log_fields(topic, level, message, \
			    LOG_ARRAY(__VA_ARGS__) + 1, \
			    sizeof(LOG_ARRAY(__VA_ARGS__)) / \
				    sizeof(struct log_field) - \
				1); \
	} while (0)
/* The first is for the case that there are no fields. */
#define LOG_ARRAY(...) \
	((const struct log_field[]){ { .name = NULL }, ##__VA_ARGS__ })

/* Append name=value in logfmt, with quoting; for other logfmt writers. */
struct buf;
void log_format(struct buf *b, const char *name, struct slice value);

/*
 * Protocol transcript at LOG_TRACE (and its kin): dir is '<' or '>', and the
 * message is dir, space, bytes. Credentials and bulk data go by the level the
 * caller names. Long bytes make several lines.
 */
void log_trace(const char *topic, enum log_level level, char dir,
    struct slice bytes);

#endif
