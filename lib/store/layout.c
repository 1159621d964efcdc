#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/scan.h"
#include "base/sha.h"
#include "store/store_int.h"

#define RANDOM 12 /* characters, 71 bits */
#define UNIQUE (1 + RANDOM + 1 + STORE_EMAILID)
#define HOST_MAX 100 /* the rest of a name takes less than 150 */
#define TMP_CHARS 16

static const char base62[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct {
	char letter;
	uint16_t flag;
} letters_of_flags[] = {
	{ 'D', STORE_DRAFT },
	{ 'F', STORE_FLAGGED },
	{ 'P', STORE_FORWARDED }, /* "passed" */
	{ 'R', STORE_ANSWERED },
	{ 'S', STORE_SEEN },
	{ 'T', STORE_DELETED },
};

#define FLAGS (sizeof(letters_of_flags) / sizeof(letters_of_flags[0]))

/* ---- taking names apart ---- */

static void
parse_flags(struct slice info, struct layout_name *n)
{
	char c;

	for (size_t i = 0; i < info.n && info.p[i] != ','; i++) {
		c = info.p[i];
		if (c >= 'a' && c <= 'z')
			n->letters |= 1u << (c - 'a');
		for (size_t f = 0; f < FLAGS; f++) {
			if (c == letters_of_flags[f].letter)
				n->flags |= letters_of_flags[f].flag;
		}
	}
}

/* The fields behind the commas of a base name. */
static void
parse_sizes(struct slice fields, struct layout_name *n)
{
	struct slice field;
	uint64_t v;

	while (slice_next(&fields, ',', &field)) {
		if (field.n < 2 || field.p[1] != '=' ||
		    !slice_u64(slice_skip(field, 2), &v) || v > INT64_MAX)
			continue;
		if (field.p[0] == 'S')
			n->size = v;
		else if (field.p[0] == 'W')
			n->wire = v;
	}
}

/* The part between the first two dots, if we made it. */
static struct slice
parse_emailid(struct slice unique)
{
	if (unique.n != UNIQUE || unique.p[0] != 'R' ||
	    unique.p[1 + RANDOM] != 'E')
		return SLICE_NULL;
	for (size_t i = 0; i < UNIQUE; i++) {
		if (!scan_alnum[(unsigned char)unique.p[i]])
			return SLICE_NULL;
	}
	return slice_skip(unique, UNIQUE - STORE_EMAILID);
}

bool
layout_parse(struct slice file, struct layout_name *name_r)
{
	struct layout_name n = {
		.time = -1, .size = LAYOUT_UNKNOWN, .wire = LAYOUT_UNKNOWN
	};
	struct slice info, head, rest, unique;
	uint64_t t;

	slice_cut(file, ':', &n.base, &info);
	if (n.base.n == 0 || n.base.p[0] == '.')
		return false;
	if (slice_starts(info, SLICE("2,"))) {
		n.other = slice_skip(info, 2);
		parse_flags(n.other, &n);
	}
	if (slice_cut(n.base, ',', &head, &rest))
		parse_sizes(rest, &n);
	if (slice_cut(head, '.', &head, &rest) && slice_u64(head, &t) &&
	    t <= INT64_MAX) {
		n.time = (int64_t)t;
		slice_cut(rest, '.', &unique, &rest);
		n.emailid = parse_emailid(unique);
	}
	*name_r = n;
	return true;
}

static bool
is_flag(char c)
{
	for (size_t f = 0; f < FLAGS; f++)
		if (c == letters_of_flags[f].letter)
			return true;
	return c >= 'a' && c <= 'z';
}

bool
layout_plain(struct slice file, const struct layout_name *n)
{
	struct slice info = slice_skip(file, n->base.n);

	if (!slice_starts(info, SLICE(":2,")) || file.n > NAME_MAX)
		return false;
	info = slice_skip(info, 3);
	for (size_t i = 0; i < info.n; i++)
		if (!is_flag(info.p[i]) ||
		    (i > 0 && info.p[i] <= info.p[i - 1]))
			return false;
	return true;
}

/* ---- making names ---- */

void
layout_emailid_new(const struct store_env *env, char emailid_r[STORE_EMAILID])
{
	char text[STORE_EMAILID + 1];

	rand_text(env->rand, text, STORE_EMAILID);
	memcpy(emailid_r, text, STORE_EMAILID);
}

void
layout_emailid(const struct layout_name *name, char emailid_r[STORE_EMAILID])
{
	unsigned char digest[SHA_MAX];

	if (name->emailid.n == STORE_EMAILID) {
		memcpy(emailid_r, name->emailid.p, STORE_EMAILID);
		return;
	}
	sha_digest(SHA_256, name->base, digest);
	for (size_t i = 0; i < STORE_EMAILID; i++)
		emailid_r[i] = base62[digest[i] % 62];
}

/* The Maildir way for '/' and ':', used for all that means something. */
static const char *
escape_host(const char *host, char text[HOST_MAX])
{
	size_t n = 0;

	for (; *host != '\0' && n < HOST_MAX - 4; host++) {
		if (scan_alnum[(unsigned char)*host] || *host == '.' ||
		    *host == '-' || *host == '_')
			text[n++] = *host;
		else
			n += (size_t)snprintf(text + n, HOST_MAX - n, "\\%03o",
			    (unsigned char)*host);
	}
	text[n] = '\0';
	return n > 0 ? text : "localhost";
}

void
layout_base(const struct store_env *env, const char emailid[STORE_EMAILID],
    uint64_t size, uint64_t wire, char base_r[LAYOUT_NAME])
{
	char random[RANDOM + 1], host[HOST_MAX];

	rand_text(env->rand, random, RANDOM);
	snprintf(base_r, LAYOUT_NAME,
	    wire == LAYOUT_UNKNOWN ? "%" PRId64 ".R%sE%.*s.%s,S=%" PRIu64
				   : "%" PRId64 ".R%sE%.*s.%s,S=%" PRIu64
				     ",W=%" PRIu64,
	    clock_s(env->clock), random, STORE_EMAILID, emailid,
	    escape_host(env->hostname, host), size, wire);
}

void
layout_tmp(const struct store_env *env, char name_r[LAYOUT_NAME])
{
	char random[TMP_CHARS + 1], host[HOST_MAX];

	rand_text(env->rand, random, TMP_CHARS);
	snprintf(name_r, LAYOUT_NAME, "%" PRId64 ".R%s.%s", clock_s(env->clock),
	    random, escape_host(env->hostname, host));
}

/* All flag letters as Maildir wants them: in the order of ASCII, once each. */
static size_t
put_flags(char *p, struct slice other, uint16_t flags, uint32_t letters)
{
	bool have[256] = { false };
	size_t n = 0;

	for (size_t i = 0; i < other.n && other.p[i] != ','; i++)
		have[(unsigned char)other.p[i]] = true;
	for (size_t f = 0; f < FLAGS; f++)
		have[(unsigned char)letters_of_flags[f].letter] =
		    flags & letters_of_flags[f].flag;
	for (unsigned i = 0; i < 26; i++)
		have['a' + i] = letters >> i & 1;
	for (unsigned c = '!'; c < 127; c++) {
		if (have[c])
			p[n++] = (char)c;
	}
	return n;
}

bool
layout_with_flags(struct slice file, uint16_t flags, uint32_t letters,
    char name_r[LAYOUT_NAME])
{
	char text[128];
	struct layout_name name;
	struct slice rest;
	size_t n;
	ssize_t comma;

	if (!layout_parse(file, &name))
		return false;
	n = put_flags(text, name.other, flags, letters);
	comma = slice_chr(name.other, ',');
	rest = comma < 0 ? SLICE_NULL : slice_skip(name.other, (size_t)comma);
	if (name.base.n + 3 + n + rest.n > NAME_MAX)
		return false;
	memcpy(name_r, name.base.p, name.base.n);
	name_r += name.base.n;
	memcpy(name_r, ":2,", 3);
	memcpy(name_r + 3, text, n);
	if (rest.n > 0)
		memcpy(name_r + 3 + n, rest.p, rest.n);
	name_r[3 + n + rest.n] = '\0';
	return true;
}

static void
add_size(struct buf *b, char letter, uint64_t size)
{
	buf_addf(b, "%c=%" PRIu64, letter, size);
}

bool
layout_with_sizes(struct slice name, uint64_t size, uint64_t wire,
    char name_r[LAYOUT_NAME])
{
	struct buf b = BUF_INIT(NAME_MAX);
	struct slice base, fields, field, rest;
	bool fits;

	slice_cut(name, ':', &base, &rest);
	rest = slice_skip(name, base.n);
	slice_cut(base, ',', &field, &fields);
	buf_add(&b, field);
	while (slice_next(&fields, ',', &field)) {
		buf_addc(&b, ',');
		if (slice_starts(field, SLICE("S=")))
			add_size(&b, 'S', size);
		else if (slice_starts(field, SLICE("W=")))
			add_size(&b, 'W', wire);
		else
			buf_add(&b, field);
	}
	buf_add(&b, rest);
	fits = !b.over && slice_cstr(buf_slice(&b), name_r, LAYOUT_NAME);
	buf_free(&b);
	return fits;
}
