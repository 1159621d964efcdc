/* dkim_tags - "name=value; name=value" lists. */
#include "dkim/dkim_tags.h"

#include "base/scan.h"
#include "text/base64.h"

/* RFC 6376, 3.2: ALNUMPUNC. */
static const bool is_name[256] = {
	['a' ... 'z'] = true,
	['A' ... 'Z'] = true,
	['0' ... '9'] = true,
	['_'] = true,
};

/* White space as folding leaves it. */
static const bool is_fws[256] = {
	[' '] = true,
	['\t'] = true,
	['\r'] = true,
	['\n'] = true,
};

static bool
is_text(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < '!' && !is_fws[c]) || c == 0x7f)
			return false;
	}
	return true;
}

static int
parse_tag(struct slice text, struct dkim_tag *tag_r, struct err *e)
{
	struct scan sc = scan_of(text);

	if (!scan_take(&sc, is_name, &tag_r->name) ||
	    !scan_alpha[(unsigned char)tag_r->name.p[0]])
		return err_set(e, ERR_SYNTAX, "no name of a tag at \"%.*s\"",
		    SLICE_FMT(slice_head(text, 40)));
	scan_skip(&sc, is_fws);
	if (!scan_char(&sc, '='))
		return err_set(e, ERR_SYNTAX, "tag %.*s has no value",
		    SLICE_FMT(slice_head(tag_r->name, 40)));
	tag_r->raw = scan_rest(&sc);
	tag_r->value = slice_trim(tag_r->raw);
	if (!is_text(tag_r->value))
		return err_set(e, ERR_SYNTAX,
		    "control characters in the value of %.*s",
		    SLICE_FMT(slice_head(tag_r->name, 40)));
	return 0;
}

static bool
seen(const struct dkim_tags *tags, struct slice name)
{
	for (size_t i = 0; i < tags->n; i++)
		if (slice_eq(tags->v[i].name, name))
			return true;
	return false;
}

int
dkim_tags_parse(struct slice text, struct dkim_tags *tags_r, struct err *e)
{
	struct slice part, rest = text;
	struct dkim_tag tag;
	bool more = true;

	tags_r->n = 0;
	while (more) {
		const char *end;

		more = slice_cut(rest, ';', &part, &rest);
		end = part.p + part.n;
		part = slice_trim(part);
		if (part.n == 0 && !more && tags_r->n > 0)
			break; /* one ";" may end the list */
		if (parse_tag(part, &tag, e) < 0)
			return -1;
		/* White space around the value is its own. */
		tag.raw.n = (size_t)(end - tag.raw.p);
		if (seen(tags_r, tag.name))
			return err_set(e, ERR_SYNTAX, "tag %.*s is there twice",
			    SLICE_FMT(slice_head(tag.name, 40)));
		if (tags_r->n == DKIM_TAGS_MAX)
			return err_set(e, ERR_LIMIT, "more than %d tags",
			    DKIM_TAGS_MAX);
		tags_r->v[tags_r->n++] = tag;
	}
	return 0;
}

const struct dkim_tag *
dkim_tags_get(const struct dkim_tags *tags, const char *name)
{
	for (size_t i = 0; i < tags->n; i++)
		if (slice_is(tags->v[i].name, name))
			return &tags->v[i];
	return NULL;
}

struct slice
dkim_tags_value(const struct dkim_tags *tags, const char *name)
{
	const struct dkim_tag *tag = dkim_tags_get(tags, name);

	return tag == NULL ? SLICE_NULL : tag->value;
}

bool
dkim_list_next(struct slice *rest, char sep, struct slice *item_r)
{
	/* A list that ended has no pointer, one that ends in sep is empty. */
	if (rest->p == NULL)
		return false;
	if (!slice_cut(*rest, sep, item_r, rest))
		*rest = SLICE_NULL;
	*item_r = slice_trim(*item_r);
	return true;
}

bool
dkim_list_has(struct slice list, const char *item)
{
	struct slice next;

	while (dkim_list_next(&list, ':', &next))
		if (slice_isi(next, item))
			return true;
	return false;
}

bool
dkim_base64(struct arena *arena, struct slice text, struct slice *data_r)
{
	struct buf packed = BUF_INIT(SIZE_MAX), data = BUF_INIT(SIZE_MAX);
	bool ok;

	for (size_t i = 0; i < text.n; i++)
		if (!is_fws[(unsigned char)text.p[i]])
			buf_addc(&packed, text.p[i]);
	ok = base64_decode(&data, buf_slice(&packed)) && data.n > 0;
	*data_r = ok ? arena_dup(arena, buf_slice(&data)) : SLICE_NULL;
	buf_free(&packed);
	buf_free(&data);
	return ok;
}

bool
dkim_qp(struct arena *arena, struct slice text, struct slice *data_r)
{
	char *p = arena_alloc(arena, text.n);
	size_t n = 0;
	uint64_t byte;

	for (size_t i = 0; i < text.n; i++) {
		if (is_fws[(unsigned char)text.p[i]])
			continue;
		if (text.p[i] != '=') {
			p[n++] = text.p[i];
			continue;
		}
		if (i + 2 >= text.n ||
		    !slice_hex64(slice_sub(text, i + 1, i + 3), &byte))
			return false;
		p[n++] = (char)byte;
		i += 2;
	}
	*data_r = slice_of(p, n);
	return true;
}

void
dkim_qp_write(struct slice data, bool bar, struct buf *out)
{
	for (size_t i = 0; i < data.n; i++) {
		unsigned char c = (unsigned char)data.p[i];

		/* RFC 6376, 2.11: dkim-safe-char */
		if (c > ' ' && c < 0x7f && c != ';' && c != '=' &&
		    !(bar && c == '|'))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "=%02X", c);
	}
}
