/*
 * A file's text changed to say something else, leaving alone what is as it
 * should be. The text is walked once, block by block, beside the structs it
 * was parsed to and those it shall parse to.
 */
#include <string.h>

#include "base/map.h"
#include "config/schema_int.h"

struct splice {
	struct slice text;
	size_t at; /* all before it has been dealt with */
	struct buf *out;
	struct arena *arena;
};

/* Lines of one depth with the deeper ones below each. */
struct block {
	size_t line; /* offset of its first line */
	size_t body; /* and behind it */
	size_t end;  /* and behind the deeper lines, comments among them */
	struct slice content;
};

struct blocks {
	struct block *v;
	size_t n;
	size_t end; /* of the region */
};

static void splice_struct(struct splice *sp, const struct schema *schema,
    const struct block *parent, unsigned depth, const void *from,
    const void *to);
static bool nothing_left(struct splice *sp, const struct schema *schema,
    const struct block *parent, unsigned depth, const void *from,
    const void *to);

/* ---- lines ---- */

struct line {
	size_t end;
	unsigned depth;
	struct slice content;
	bool blank, comment;
};

static bool
line_at(struct slice text, size_t at, size_t limit, struct line *line)
{
	struct slice rest = slice_sub(text, at, limit), content;
	ssize_t lf = slice_chr(rest, '\n');

	if (rest.n == 0)
		return false;
	line->end = at + (lf < 0 ? rest.n : (size_t)lf + 1);
	content = slice_head(rest, lf < 0 ? rest.n : (size_t)lf);
	line->depth = 0;
	while (content.n > 0 && content.p[0] == '\t') {
		line->depth++;
		content = slice_skip(content, 1);
	}
	line->content = content;
	content = slice_trim(content);
	line->blank = content.n == 0;
	line->comment = content.n > 0 && content.p[0] == '#';
	return true;
}

/*
 * Where the block that begins with a line of this depth ends: behind its last
 * deeper line, and comments behind that as long as they are deeper too.
 * *next_r is where the next block may begin.
 */
static size_t
block_end(struct slice text, size_t body, size_t limit, unsigned depth,
    size_t *next_r)
{
	struct line line;
	size_t at, end = body;

	for (at = body; line_at(text, at, limit, &line); at = line.end) {
		if (line.blank || line.comment)
			continue;
		if (line.depth <= depth)
			break;
		end = line.end;
	}
	*next_r = at;
	for (at = end; line_at(text, at, *next_r, &line); at = line.end) {
		if (line.comment && line.depth <= depth)
			break;
		if (line.comment)
			end = line.end;
	}
	return end;
}

static struct blocks
find_blocks(struct splice *sp, size_t at, size_t limit, unsigned depth)
{
	struct blocks blocks = { NULL, 0, limit };
	struct line line;
	struct block block;
	size_t size = 0;

	while (line_at(sp->text, at, limit, &line)) {
		if (line.blank || line.comment) {
			at = line.end;
			continue;
		}
		block.line = at;
		block.body = line.end;
		block.content = line.content;
		block.end = block_end(sp->text, block.body, limit, depth, &at);
		if (blocks.n == size) {
			size = size ? size * 2 : 8;
			blocks.v = arena_grow(sp->arena, blocks.v, blocks.n,
			    size, sizeof(block));
		}
		blocks.v[blocks.n++] = block;
	}
	return blocks;
}

/* ---- output ---- */

static void
copy_to(struct splice *sp, size_t offset)
{
	buf_add(sp->out, slice_sub(sp->text, sp->at, offset));
	sp->at = offset;
}

/* What is left of a block, and all before it. */
static void
finish(struct splice *sp, const struct block *block)
{
	if (sp->at < block->end)
		copy_to(sp, block->end);
}

/* New lines follow: the last line of the file may have no end. */
static struct buf *
begin_lines(struct splice *sp)
{
	struct buf *b = sp->out;

	if (b->n > 0 && b->p[b->n - 1] != '\n')
		buf_addc(b, '\n');
	return b;
}

static void
drop(struct splice *sp, const struct block *block)
{
	copy_to(sp, block->line);
	sp->at = block->end;
}

/* ---- arrays ---- */

static void
change_element(struct splice *sp, const struct schema_field *field,
    const struct block *block, unsigned depth, const void *from, const void *to)
{
	struct slice key, value;
	bool nil;

	if (!field->of) {
		copy_to(sp, block->line);
		schema_write_element(field, to, begin_lines(sp), depth);
		sp->at = block->body;
		return;
	}
	if (field->type == SCHEMA_MAP) {
		slice_cut(block->content, ':', &key, &value);
		nil = nothing_left(sp, field->of, block, depth + 1, from, to);
		if (nil != (value.n > 0)) {
			copy_to(sp, block->line);
			schema_write_key(begin_lines(sp), depth, key,
			    nil ? SLICE("nil") : SLICE_NULL);
			sp->at = block->body;
		}
	}
	copy_to(sp, block->body);
	splice_struct(sp, field->of, block, depth + 1, from, to);
}

/* What both begin and end with stays; between, items are changed in turn. */
static void
splice_list(struct splice *sp, const struct schema_field *field,
    const struct blocks *blocks, unsigned depth, struct schema_array from,
    struct schema_array to)
{
	size_t head = 0, tail = 0, i, least = from.n < to.n ? from.n : to.n;

	while (head < least &&
	    schema_equal_element(field, schema_element(field, from, head),
		schema_element(field, to, head)))
		head++;
	while (tail < least - head &&
	    schema_equal_element(field,
		schema_element(field, from, from.n - 1 - tail),
		schema_element(field, to, to.n - 1 - tail)))
		tail++;
	for (i = head; i < from.n - tail && i < blocks->n; i++) {
		if (i < to.n - tail)
			change_element(sp, field, &blocks->v[i], depth,
			    schema_element(field, from, i),
			    schema_element(field, to, i));
		else
			drop(sp, &blocks->v[i]);
	}
	if (i > 0 && i <= blocks->n)
		finish(sp, &blocks->v[i - 1]);
	for (; i < to.n - tail; i++)
		schema_write_element(field, schema_element(field, to, i),
		    begin_lines(sp), depth);
}

/* Key -> its index in array plus one, as pointers for the map. */
static struct map *
index_keys(const struct schema_field *field, struct schema_array array)
{
	struct map *map = map_new();

	for (size_t i = 0; i < array.n; i++)
		map_set(map,
		    *(const struct slice *)schema_element(field, array, i),
		    (void *)schema_element(field, array, i));
	return map;
}

static void
splice_map(struct splice *sp, const struct schema_field *field,
    const struct blocks *blocks, unsigned depth, struct schema_array from,
    struct schema_array to)
{
	struct map *old = index_keys(field, from), *new = index_keys(field, to);
	const void *a, *b;

	for (size_t i = 0; i < blocks->n && i < from.n; i++) {
		a = schema_element(field, from, i);
		b = map_get(new, *(const struct slice *)a);
		if (!b)
			drop(sp, &blocks->v[i]);
		else if (!schema_equal_element(field, a, b))
			change_element(sp, field, &blocks->v[i], depth, a, b);
	}
	if (blocks->n > 0)
		finish(sp, &blocks->v[blocks->n - 1]);
	for (size_t i = 0; i < to.n; i++) {
		b = schema_element(field, to, i);
		if (!map_has(old, *(const struct slice *)b))
			schema_write_element(field, b, begin_lines(sp), depth);
	}
	map_free(&old);
	map_free(&new);
}

/* ---- structs ---- */

static void
change_field(struct splice *sp, const struct schema_field *field,
    const struct block *block, unsigned depth, const void *from, const void *to)
{
	struct blocks inner;

	if (field->type <= SCHEMA_DURATION) {
		copy_to(sp, block->line);
		schema_write_field(field, to, begin_lines(sp), depth);
		sp->at = block->body;
		return;
	}
	copy_to(sp, block->body);
	if (field->type == SCHEMA_STRUCT) {
		from = schema_struct_get(field, from);
		to = schema_struct_get(field, to);
		/* With no line below it would not parse: say one default. */
		if (nothing_left(sp, field->of, block, depth + 1, from, to))
			schema_write_field(&field->of->fields[0], to,
			    begin_lines(sp), depth + 1);
		splice_struct(sp, field->of, block, depth + 1, from, to);
		return;
	}
	inner = find_blocks(sp, block->body, block->end, depth + 1);
	if (field->type == SCHEMA_STRINGS || field->type == SCHEMA_LIST)
		splice_list(sp, field, &inner, depth + 1,
		    schema_array_get(field, from), schema_array_get(field, to));
	else
		splice_map(sp, field, &inner, depth + 1,
		    schema_array_get(field, from), schema_array_get(field, to));
}

/* Which field a line is; schema->n if none. */
static size_t
field_of(const struct schema *schema, const struct block *block)
{
	struct slice key, value;
	size_t i;

	slice_cut(block->content, ':', &key, &value);
	for (i = 0; i < schema->n; i++)
		if (slice_is(key, schema->fields[i].name))
			break;
	return i;
}

/* Write the fields that are not in the text and belong behind field `after`,
 * or before all that are there (after: schema->n). */
static void
put_missing(struct splice *sp, const struct schema *schema, uint64_t there,
    size_t after, unsigned depth, const void *from, const void *to)
{
	size_t i = after == schema->n ? 0 : after + 1;

	for (; i < schema->n && !(there >> i & 1); i++)
		if (schema_is_written(&schema->fields[i], to) &&
		    !schema_equal_field(&schema->fields[i], from, to))
			schema_write_field(&schema->fields[i], to,
			    begin_lines(sp), depth);
}

static uint64_t
fields_there(const struct schema *schema, const struct blocks *blocks)
{
	uint64_t there = 0;

	for (size_t i = 0; i < blocks->n; i++) {
		size_t f = field_of(schema, &blocks->v[i]);

		there |= f < schema->n ? UINT64_C(1) << f : 0;
	}
	return there;
}

/* Will no line of the struct be left? */
static bool
nothing_left(struct splice *sp, const struct schema *schema,
    const struct block *parent, unsigned depth, const void *from,
    const void *to)
{
	struct blocks blocks =
	    find_blocks(sp, parent->body, parent->end, depth);
	uint64_t there = fields_there(schema, &blocks);

	for (size_t i = 0; i < schema->n; i++)
		if (schema_is_written(&schema->fields[i], to) ||
		    ((there >> i & 1) &&
			schema_equal_field(&schema->fields[i], from, to)))
			return false;
	return true;
}

static void
splice_struct(struct splice *sp, const struct schema *schema,
    const struct block *parent, unsigned depth, const void *from,
    const void *to)
{
	struct blocks blocks =
	    find_blocks(sp, parent->body, parent->end, depth);
	uint64_t there = fields_there(schema, &blocks);
	const struct schema_field *field;
	size_t f;

	put_missing(sp, schema, there, schema->n, depth, from, to);
	for (size_t i = 0; i < blocks.n; i++) {
		f = field_of(schema, &blocks.v[i]);
		field = &schema->fields[f];
		if (f < schema->n && !schema_equal_field(field, from, to)) {
			if (schema_is_written(field, to))
				change_field(sp, field, &blocks.v[i], depth,
				    from, to);
			else
				drop(sp, &blocks.v[i]);
		}
		finish(sp, &blocks.v[i]);
		put_missing(sp, schema, there, f, depth, from, to);
	}
	copy_to(sp, parent->end);
}

void
schema_splice(const struct schema *schema, struct slice text, const void *from,
    const void *to, struct buf *b)
{
	struct splice sp = { text, 0, b, arena_new(0) };
	struct block whole = { 0, 0, text.n, SLICE_NULL };

	splice_struct(&sp, schema, &whole, 0, from, to);
	arena_free(&sp.arena);
}
