/*
 * err - why something failed: a kind to decide by, a text to show.
 *
 * Fallible functions return 0 or -1 (look-ups 1 found, 0 not, -1 error) and
 * take a struct err * as last argument, which may be NULL when the caller
 * does not care. Libraries fill it and never print or exit.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_kind {
	ERR_NONE,
	ERR_SYNTAX, /* the input is wrong: theirs to mend */
	ERR_TEMP,   /* may work later: full disk, time-out, no memory */
	ERR_PERM,   /* will not work: missing file, refused, not supported */
	ERR_LIMIT,  /* larger or more than allowed */
};

struct err {
	enum err_kind kind;
	char text[256]; /* NUL-terminated, control characters replaced */
};

#define ERR_INIT \
	{ \
		ERR_NONE, "" \
	}

/* Fill e (may be NULL); always returns -1. A text too long is cut. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * As err_set, appending ": " and the text of errno. The kind follows errno:
 * ENOSPC, EDQUOT, ENOMEM, EAGAIN, EMFILE, ENFILE, EIO, EINTR, ETIMEDOUT are
 * ERR_TEMP, others ERR_PERM. errno is left as it was.
 */
int err_sys(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Put "prefix: " before the text that is there. Always returns -1. */
int err_prefix(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The analyzer looks at one file, where it cannot see that it is always -1. */
#if defined(__clang_analyzer__) && !defined(ERR_IMPLEMENTATION)
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_sys(...) (err_sys(__VA_ARGS__), -1)
#define err_prefix(...) (err_prefix(__VA_ARGS__), -1)
#endif

#endif
