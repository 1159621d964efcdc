/*
 * slice - bytes somebody else owns: (pointer, length), never NUL-terminated.
 *
 * All input is slices. The functions here never look past p + n, and an empty
 * slice may have p == NULL. Case folding is ASCII only.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct slice {
	const char *p;
	size_t n;
};

#define SLICE_NULL ((struct slice){ NULL, 0 })
/* A slice of a string literal. */
#define SLICE(lit) ((struct slice){ "" lit, sizeof(lit) - 1 })
/* For printf: "%.*s", SLICE_FMT(s). Only for texts known to be short. */
#define SLICE_FMT(s) (int)(s).n, (s).p ? (s).p : ""

struct slice slice_of(const char *p, size_t n);
struct slice slice_str(const char *cstr); /* NULL gives the empty slice */

bool slice_eq(struct slice a, struct slice b);
bool slice_eqi(struct slice a, struct slice b); /* ASCII case ignored */
bool slice_is(struct slice a, const char *cstr);
bool slice_isi(struct slice a, const char *cstr);
int slice_cmp(struct slice a, struct slice b); /* memcmp order, then length */
bool slice_starts(struct slice s, struct slice prefix);
bool slice_startsi(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
bool slice_endsi(struct slice s, struct slice suffix);

/* Index of the first (last) c, or first needle; -1 if there is none. */
ssize_t slice_chr(struct slice s, char c);
ssize_t slice_rchr(struct slice s, char c);
ssize_t slice_find(struct slice s, struct slice needle);
ssize_t slice_findi(struct slice s, struct slice needle);

/* s without its first n bytes (all of it if n is larger); its first n. */
struct slice slice_skip(struct slice s, size_t n);
struct slice slice_head(struct slice s, size_t n);
/* Bytes from to to (exclusive), both clamped to s. */
struct slice slice_sub(struct slice s, size_t from, size_t to);
struct slice slice_trim(struct slice s); /* space, tab, CR, LF at both ends */

/*
 * Split at the first c: *head_r is what stands before it, *rest_r what
 * follows. Without c: false, *head_r is all of s and *rest_r is empty.
 */
bool slice_cut(struct slice s, char c, struct slice *head_r,
    struct slice *rest_r);

/*
 * The next token of *rest ended by c or by the end. False at the end. An
 * empty last token is not reported: "a,b," gives a and b.
 */
bool slice_next(struct slice *rest, char c, struct slice *token_r);

/* The next line of *rest without its LF or CRLF. False at the end. */
bool slice_line(struct slice *rest, struct slice *line_r);

/*
 * Whole slice as a decimal number, digits only (i64: one leading minus).
 * False when empty, when another character is there, or out of range.
 */
bool slice_u64(struct slice s, uint64_t *v_r);
bool slice_u32(struct slice s, uint32_t *v_r);
bool slice_i64(struct slice s, int64_t *v_r);
bool slice_hex64(struct slice s, uint64_t *v_r);

/* FNV-1a; for hash tables of trusted size only. */
uint64_t slice_hash(struct slice s);

/*
 * Compare in time that depends on a.n and b.n only, for secrets.
 */
bool slice_eq_secret(struct slice a, struct slice b);

/* Into a char array of size bytes, NUL-terminated; false if it does not fit
 * or has a NUL inside. For file names and C interfaces. */
bool slice_cstr(struct slice s, char *dst, size_t size);

#endif
