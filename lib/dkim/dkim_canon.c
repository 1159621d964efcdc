/* dkim_canon - canonical forms of header fields and of the body. */
#include "dkim/dkim_canon.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define OUT_SIZE 8192 /* what is gathered for one update of the digest */

struct dkim_canon {
	struct sha *sha;
	uint64_t left;     /* bytes until the limit */
	uint64_t newlines; /* CRLFs held back: they may be the last */
	bool relaxed;
	bool limited;
	bool cr;    /* a CR held back: LF may follow */
	bool space; /* white space held back: a line end may follow */
	bool any;   /* something was digested */
	size_t n;   /* bytes in out */
	char out[OUT_SIZE];
};

/* ---- header ---- */

/* RFC 6376, 3.4.2 */
static void
relaxed_field(struct slice raw, struct buf *out)
{
	struct slice name, value;
	bool space = false, begun = false;

	slice_cut(raw, ':', &name, &value);
	name = slice_trim(name);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		buf_addc(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	buf_addc(out, ':');
	while (value.n > 0) {
		size_t n = 0;

		while (n < value.n && value.p[n] != ' ' && value.p[n] != '\t' &&
		    value.p[n] != '\r' && value.p[n] != '\n')
			n++;
		if (n == 0) {
			space =
			    space || value.p[0] == ' ' || value.p[0] == '\t';
			n = 1;
		} else {
			if (space && begun)
				buf_addc(out, ' ');
			space = false;
			begun = true;
			buf_add(out, slice_head(value, n));
		}
		value = slice_skip(value, n);
	}
	buf_addz(out, "\r\n");
}

void
dkim_canon_field(struct slice raw, bool relaxed, struct buf *out)
{
	if (relaxed) {
		relaxed_field(raw, out);
		return;
	}
	buf_add(out, raw);
	if (!slice_ends(raw, SLICE("\r\n")))
		buf_addz(out, "\r\n");
}

/* ---- body ---- */

struct dkim_canon *
dkim_canon_new(bool relaxed, enum sha_alg alg, uint64_t limit)
{
	struct dkim_canon *c = xcalloc(1, sizeof(*c));

	c->sha = sha_new(alg);
	c->relaxed = relaxed;
	c->limited = limit != DKIM_NO_LIMIT;
	c->left = limit;
	return c;
}

static void
flush(struct dkim_canon *c)
{
	sha_add(c->sha, slice_of(c->out, c->n));
	c->n = 0;
}

static void
put(struct dkim_canon *c, struct slice s)
{
	c->any = true;
	if (c->limited) {
		if (s.n > c->left)
			s.n = (size_t)c->left;
		c->left -= s.n;
	}
	if (s.n >= OUT_SIZE) {
		flush(c);
		sha_add(c->sha, s);
		return;
	}
	if (s.n > OUT_SIZE - c->n)
		flush(c);
	if (s.n > 0)
		memcpy(c->out + c->n, s.p, s.n);
	c->n += s.n;
}

/* What was held back is not at the end. */
static void
put_held(struct dkim_canon *c)
{
	for (; c->newlines > 0; c->newlines--)
		put(c, SLICE("\r\n"));
	if (c->space)
		put(c, SLICE(" "));
	c->space = false;
}

/* Settle a CR that ended the last piece. */
static struct slice
after_cr(struct dkim_canon *c, struct slice s)
{
	c->cr = false;
	if (s.p[0] == '\n') {
		c->newlines++;
		c->space = false; /* relaxed: before a line end it goes */
		return slice_skip(s, 1);
	}
	put_held(c);
	put(c, SLICE("\r"));
	return s;
}

/* RFC 6376, 3.4.3: only empty lines at the end matter, so look there. */
static void
push_simple(struct dkim_canon *c, struct slice s)
{
	uint64_t newlines = 0;
	bool cr = s.p[s.n - 1] == '\r';

	s.n -= cr;
	while (slice_ends(s, SLICE("\r\n"))) {
		s.n -= 2;
		newlines++;
	}
	if (s.n > 0) {
		put_held(c);
		put(c, s);
	}
	c->newlines += newlines;
	c->cr = cr;
}

static const bool is_special[256] = {
	[' '] = true,
	['\t'] = true,
	['\r'] = true,
};

static bool
special_at(struct slice s, size_t i)
{
	return i >= s.n || is_special[(unsigned char)s.p[i]];
}

/*
 * How many bytes from the start are canonical as they are: words with single
 * spaces between, and line ends with text before and behind. That is most of
 * any text, and digested without being copied.
 */
static size_t
verbatim(struct slice s)
{
	size_t i = 0;

	for (;;) {
		while (i < s.n && !is_special[(unsigned char)s.p[i]])
			i++;
		if (i == 0 || i == s.n)
			return i;
		if (s.p[i] == ' ' && !special_at(s, i + 1))
			i += 2;
		else if (s.p[i] == '\r' && !special_at(s, i + 2) &&
		    s.p[i + 1] == '\n')
			i += 3;
		else
			return i;
	}
}

/* RFC 6376, 3.4.4 */
static void
push_relaxed(struct dkim_canon *c, struct slice s)
{
	while (s.n > 0) {
		size_t n = verbatim(s);

		if (n > 0) {
			put_held(c);
			put(c, slice_head(s, n));
		} else if (s.p[0] != '\r') {
			c->space = true;
			n = 1;
		} else if (s.n == 1) {
			c->cr = true;
			n = 1;
		} else {
			s = after_cr(c, slice_skip(s, 1));
		}
		s = slice_skip(s, n);
	}
}

void
dkim_canon_push(struct dkim_canon *c, struct slice wire)
{
	if (wire.n > 0 && c->cr)
		wire = after_cr(c, wire);
	if (wire.n == 0)
		return;
	if (c->relaxed)
		push_relaxed(c, wire);
	else
		push_simple(c, wire);
}

bool
dkim_canon_end(struct dkim_canon *c, unsigned char *digest)
{
	if (c->cr) {
		put_held(c);
		put(c, SLICE("\r"));
	}
	/* One line end at the end, if there is a body. The simple form of no
	 * body is a line end too. */
	if (c->any || !c->relaxed)
		put(c, SLICE("\r\n"));
	flush(c);
	sha_end(&c->sha, digest);
	return !c->limited || c->left == 0;
}

void
dkim_canon_free(struct dkim_canon **c)
{
	if (*c == NULL)
		return;
	sha_end(&(*c)->sha, NULL);
	free(*c);
	*c = NULL;
}
