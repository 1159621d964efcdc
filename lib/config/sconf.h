/*
 * sconf - the syntax of mox's configuration files: an indented tree of lines.
 *
 * A file is read through a cursor; there is no tree in memory. What a line
 * means (a key, a list item, a plain value) is known to the schema only, so
 * this level knows lines, depth, comments, and where things stand. All
 * slices handed out point into the text, hence every one of them can tell its
 * own line, and an edit is a splice that leaves comments and order alone.
 *
 * Reentrant; keeps no state but the cursor's.
 */
#ifndef CONFIG_SCONF_H
#define CONFIG_SCONF_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* No file is larger: two million accounts with 20 settings each. */
#define SCONF_FILE_MAX ((size_t)1 << 30)

/* More are counted, not kept. */
#define SCONF_ERRORS_MAX 200

/* A problem in a file. line is 0 if it belongs to no line. */
struct sconf_error {
	struct slice path;
	size_t first; /* which problem was the first in this file */
	size_t line;
	bool warning;
	struct slice text;
};

/* All problems found, in the order they were found. Strings are in arena. */
struct sconf_errors {
	struct arena *arena;
	struct sconf_error *v;
	size_t n;      /* kept, errors and warnings */
	size_t errors; /* found, without warnings; kept or not */
	/* Where the last line number was counted to: problems mostly come in
	 * the order of the file. */
	const char *mark_text, *mark;
	size_t mark_line;
};

/* A whole file: its name for messages and its bytes. */
struct sconf_file {
	struct slice path;
	struct slice text;
	struct sconf_errors *errors; /* NULL: problems are not reported */
};

/* The cursor. */
struct sconf {
	const struct sconf_file *file;
	size_t at;  /* offset of the next line in file->text */
	size_t bad; /* lines passed over because they are malformed */
};

void sconf_errors_init(struct sconf_errors *errors, struct arena *arena);

/*
 * A file from memory. The text is not copied. Bytes that no configuration has
 * (not UTF-8, control characters) are errors of the file like any other.
 */
struct sconf_file sconf_file(struct slice path, struct slice text,
    struct sconf_errors *errors);

/*
 * Report a problem at the line that where points into (where.p NULL or not
 * in the text: at no line). Texts look like "Port: must be 1 to 65535".
 */
void sconf_error(const struct sconf_file *file, struct slice where,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sconf_warning(const struct sconf_file *file, struct slice where,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Sort by file (in order of first appearance) and line. */
void sconf_errors_sort(struct sconf_errors *errors);
/* "path:line: message", or "path: message" for line 0, without LF. */
struct slice sconf_error_format(const struct sconf_error *error,
    struct arena *arena);

struct sconf sconf_start(const struct sconf_file *file);

/*
 * The next line with exactly depth tabs before its text. Comments and empty
 * lines are passed; malformed lines are reported and passed. Deeper lines,
 * which the caller did not ask for, are reported once a block and passed.
 * False, cursor staying, at a line that is less deep or at the end.
 */
bool sconf_next(struct sconf *sc, unsigned depth, struct slice *line_r);
/* Whether lines of at least depth tabs follow, even if malformed ones. */
bool sconf_more(const struct sconf *sc, unsigned depth);
/* Pass all lines of at least depth tabs without complaint. */
void sconf_skip(struct sconf *sc, unsigned depth);
/* How many lines sconf_next(sc, depth) would give. */
size_t sconf_count(const struct sconf *sc, unsigned depth);

/*
 * Split "Key: value" or "Key:". The key ends at the first colon and the value
 * is literal after one space. False, and reported, if it is neither.
 */
bool sconf_key(struct sconf *sc, struct slice line, struct slice *key_r,
    struct slice *value_r);
/* Split "- value", "-value" or "-" of a list. False, and reported, if not. */
bool sconf_item(struct sconf *sc, struct slice line, struct slice *value_r);

/*
 * The line "key: ..." in the block below the line that parent points into
 * (parent.p NULL: in the file's outermost block); parent if there is none.
 */
struct slice sconf_find(const struct sconf_file *file, struct slice parent,
    const char *key);

#endif
