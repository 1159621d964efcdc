#include <string.h>

#include "base/map.h"
#include "config/schema_int.h"

/* Keys of larger maps are looked up by hash for duplicates. */
#define SMALL_MAP 16

/* Many accounts have the same settings, and compiling a regular expression
 * to see whether it is one costs more than all else: remember what was good. */
#define GOOD_SLOTS 64

struct good {
	const struct schema_field *field;
	struct slice text;
};

struct parse {
	struct sconf sc;
	struct arena *arena;
	/* GOOD_SLOTS by hash. NULL: the text is our own, so nothing is checked
	 * or required. */
	struct good *good;
};

static void parse_struct(struct parse *ps, const struct schema *schema,
    void *dst, unsigned depth);

static bool
is_trusted(const struct parse *ps)
{
	return ps->good == NULL;
}

/* Members have pointer types of their own, hence memcpy. */
static void
put(const struct schema_field *field, void *dst, const void *src, size_t size)
{
	memcpy((char *)dst + field->offset, src, size);
}

static void
check(struct parse *ps, const struct schema_field *field, struct slice text,
    const void *value)
{
	struct good *good;
	const char *wrong;

	if (is_trusted(ps) || !field->check)
		return;
	good = &ps->good[slice_hash(text) % GOOD_SLOTS];
	if (good->field == field && slice_eq(good->text, text))
		return;
	wrong = field->check(value);
	if (wrong)
		sconf_error(ps->sc.file, text, "%s: %s, not \"%.*s\"",
		    field->name, wrong, SLICE_FMT(text));
	else
		*good = (struct good){ field, text };
}

static void
parse_scalar(struct parse *ps, const struct schema_field *field,
    struct slice text, void *dst)
{
	void *value = (char *)dst + field->offset;
	const char *wrong;

	wrong = schema_scalar(field->type)->parse(text, value);
	if (wrong) {
		sconf_error(ps->sc.file, text, "%s: %s, not \"%.*s\"",
		    field->name, wrong, SLICE_FMT(text));
		return;
	}
	/* Optional and zero is the same as left out. */
	if ((field->flags & SCHEMA_REQUIRED) || !schema_is_zero(field, dst))
		check(ps, field, text, value);
}

static void
parse_strings(struct parse *ps, const struct schema_field *field, void *dst,
    unsigned depth)
{
	size_t max = sconf_count(&ps->sc, depth);
	struct conf_strings strings = { NULL, 0 };
	struct slice line, value;

	strings.v = arena_array(ps->arena, max, sizeof(*strings.v));
	while (sconf_next(&ps->sc, depth, &line)) {
		if (!sconf_item(&ps->sc, line, &value))
			continue;
		check(ps, field, value, &value);
		strings.v[strings.n++] = value;
	}
	put(field, dst, &strings, sizeof(strings));
}

static void
parse_list(struct parse *ps, const struct schema_field *field, void *dst,
    unsigned depth)
{
	size_t max = sconf_count(&ps->sc, depth);
	struct schema_array array = { NULL, 0 };
	struct slice line, value;
	char *element;

	array.v = arena_array(ps->arena, max, field->of->size);
	while (sconf_next(&ps->sc, depth, &line)) {
		if (!sconf_item(&ps->sc, line, &value)) {
			sconf_skip(&ps->sc, depth + 1);
			continue;
		}
		if (value.n > 0)
			sconf_error(ps->sc.file, line,
			    "%s: expected \"-\" alone, with the fields on the "
			    "lines below",
			    field->name);
		element = (char *)array.v + array.n++ * field->of->size;
		memcpy(element, &line, sizeof(line));
		parse_struct(ps, field->of, element, depth + 1);
	}
	put(field, dst, &array, sizeof(array));
}

/* Keys seen in a map. */
struct keys {
	struct map *map; /* NULL in small maps, which are searched */
	const char *v;   /* first element; its name is its first member */
	size_t n, size;
};

static bool
keys_add(struct keys *keys, struct slice key)
{
	struct slice name;

	if (keys->map)
		return map_set(keys->map, key, keys) == NULL;
	for (size_t i = 0; i < keys->n; i++) {
		memcpy(&name, keys->v + i * keys->size, sizeof(name));
		if (slice_eq(name, key))
			return false;
	}
	return true;
}

/* The next "key: value" of a map; bad ones and their blocks are passed. */
static bool
next_entry(struct parse *ps, const struct schema_field *field,
    struct keys *keys, unsigned depth, struct slice *key_r,
    struct slice *value_r)
{
	struct slice line;

	while (sconf_next(&ps->sc, depth, &line)) {
		if (sconf_key(&ps->sc, line, key_r, value_r)) {
			if (is_trusted(ps) || keys_add(keys, *key_r)) {
				if (field->type == SCHEMA_MAP)
					check(ps, field, *key_r, key_r);
				return true;
			}
			sconf_error(ps->sc.file, line,
			    "%s: duplicate key \"%.*s\"", field->name,
			    SLICE_FMT(*key_r));
		}
		sconf_skip(&ps->sc, depth + 1);
	}
	return false;
}

static void
parse_pair(struct parse *ps, const struct schema_field *field,
    struct conf_pair *pair, struct slice value)
{
	/* "nil" stands for the zero value in all maps. */
	if (!slice_is(value, "nil"))
		pair->value = value;
	check(ps, field, value, &pair->value);
}

static void
parse_entry(struct parse *ps, const struct schema_field *field, void *element,
    struct slice value, unsigned depth)
{
	struct slice key;

	memcpy(&key, element, sizeof(key));
	if (value.n > 0 && !slice_is(value, "nil"))
		sconf_error(ps->sc.file, value,
		    "%.*s: expected indented lines below, or nil, not \"%.*s\"",
		    SLICE_FMT(key), SLICE_FMT(value));
	else if (value.n == 0 && !sconf_more(&ps->sc, depth))
		sconf_error(ps->sc.file, key,
		    "%.*s: expected indented lines below, or nil for none",
		    SLICE_FMT(key));
	parse_struct(ps, field->of, element, depth);
}

static void
parse_map(struct parse *ps, const struct schema_field *field, void *dst,
    unsigned depth)
{
	size_t max = sconf_count(&ps->sc, depth);
	size_t size = field->type == SCHEMA_PAIRS ? sizeof(struct conf_pair)
						  : field->of->size;
	struct schema_array array = { arena_array(ps->arena, max, size), 0 };
	struct keys keys = { NULL, array.v, 0, size };
	char *element;
	struct slice key, value;

	if (max > SMALL_MAP && !is_trusted(ps))
		keys.map = map_new();
	while (next_entry(ps, field, &keys, depth, &key, &value)) {
		element = (char *)array.v + keys.n++ * size;
		memcpy(element, &key, sizeof(key));
		if (field->type == SCHEMA_PAIRS)
			parse_pair(ps, field, (void *)element, value);
		else
			parse_entry(ps, field, element, value, depth + 1);
	}
	map_free(&keys.map);
	array.n = keys.n;
	put(field, dst, &array, sizeof(array));
}

static void *
new_struct(struct parse *ps, const struct schema_field *field, void *dst,
    struct slice name)
{
	void *p = arena_alloc(ps->arena, field->of->size);

	memcpy(p, &name, sizeof(name));
	put(field, dst, &p, sizeof(p));
	return p;
}

static void
parse_field(struct parse *ps, const struct schema_field *field,
    struct slice key, struct slice value, void *dst, unsigned depth)
{
	if (field->type <= SCHEMA_DURATION) {
		parse_scalar(ps, field, value, dst);
		return;
	}
	if (value.n > 0)
		sconf_error(ps->sc.file, key,
		    "%s: expected indented lines below, not \"%.*s\"",
		    field->name, SLICE_FMT(value));
	else if (!sconf_more(&ps->sc, depth))
		sconf_error(ps->sc.file, key,
		    "%s: expected indented lines below", field->name);
	if (field->type == SCHEMA_STRINGS)
		parse_strings(ps, field, dst, depth);
	else if (field->type == SCHEMA_LIST)
		parse_list(ps, field, dst, depth);
	else if (field->type == SCHEMA_STRUCT)
		parse_struct(ps, field->of, new_struct(ps, field, dst, key),
		    depth);
	else
		parse_map(ps, field, dst, depth);
}

static void
apply_default(struct parse *ps, const struct schema_field *field, void *dst)
{
	struct slice text = slice_str(field->def), word;
	struct conf_strings strings = { NULL, 0 };

	if (field->type != SCHEMA_STRINGS) {
		schema_scalar(field->type)
		    ->parse(text, (char *)dst + field->offset);
		return;
	}
	strings.v = arena_array(ps->arena, text.n, sizeof(*strings.v));
	while (slice_next(&text, ' ', &word))
		strings.v[strings.n++] = word;
	put(field, dst, &strings, sizeof(strings));
}

/* What was not in the file: required fields, defaults. complete is false if
 * lines were passed over, among which a missing field may be. */
static void
finish_struct(struct parse *ps, const struct schema *schema, void *dst,
    uint64_t seen, bool complete)
{
	const struct schema_field *field;
	struct slice name;
	void *p;

	memcpy(&name, dst, sizeof(name));
	for (size_t i = 0; i < schema->n; i++) {
		field = &schema->fields[i];
		if (field->def && schema_is_zero(field, dst))
			apply_default(ps, field, dst);
		if ((seen & UINT64_C(1) << i) || is_trusted(ps) ||
		    !(field->flags & SCHEMA_REQUIRED))
			continue;
		if (complete)
			sconf_error(ps->sc.file, name,
			    "%s: required field is missing", field->name);
		if (field->type == SCHEMA_STRUCT) {
			p = new_struct(ps, field, dst, name);
			finish_struct(ps, field->of, p, 0, false);
		}
	}
}

/* Index of the field. Files mostly follow the order of the table, so the
 * search begins behind the last one found. */
static size_t
find_field(const struct schema *schema, struct slice key, size_t start)
{
	size_t i = start;

	for (size_t k = 0; k < schema->n; k++, i++) {
		if (i >= schema->n)
			i = 0;
		if (slice_is(key, schema->fields[i].name))
			return i;
	}
	return schema->n;
}

static void
unknown_key(struct parse *ps, const struct schema *schema, struct slice key)
{
	for (size_t i = 0; i < schema->n; i++)
		if (slice_isi(key, schema->fields[i].name)) {
			sconf_error(ps->sc.file, key,
			    "unknown key \"%.*s\": write it \"%s\"",
			    SLICE_FMT(key), schema->fields[i].name);
			return;
		}
	sconf_error(ps->sc.file, key, "unknown key \"%.*s\"", SLICE_FMT(key));
}

/* Recursion is as deep as the tables are nested, whatever the file says. */
static void
parse_struct(struct parse *ps, const struct schema *schema, void *dst,
    unsigned depth)
{
	size_t i = 0, bad = ps->sc.bad;
	uint64_t seen = 0;
	struct slice line, key, value;

	while (sconf_next(&ps->sc, depth, &line)) {
		if (!sconf_key(&ps->sc, line, &key, &value)) {
			ps->sc.bad++;
			sconf_skip(&ps->sc, depth + 1);
			continue;
		}
		i = find_field(schema, key, i);
		if (i == schema->n) {
			unknown_key(ps, schema, key);
			sconf_skip(&ps->sc, depth + 1);
		} else if (seen & UINT64_C(1) << i) {
			sconf_error(ps->sc.file, line, "duplicate key \"%.*s\"",
			    SLICE_FMT(key));
			sconf_skip(&ps->sc, depth + 1);
		} else {
			seen |= UINT64_C(1) << i;
			parse_field(ps, &schema->fields[i], key, value, dst,
			    depth + 1);
			i++;
		}
	}
	finish_struct(ps, schema, dst, seen, bad == ps->sc.bad);
}

void
schema_parse(const struct schema *schema, const struct sconf_file *file,
    struct arena *arena, void *dst)
{
	struct good good[GOOD_SLOTS] = { { NULL, SLICE_NULL } };
	struct parse ps = { sconf_start(file), arena, good };

	parse_struct(&ps, schema, dst, 0);
}

void
schema_parse_trusted(const struct schema *schema, struct slice text,
    struct arena *arena, void *dst)
{
	const struct sconf_file file = { SLICE_NULL, text, NULL };
	struct parse ps = { sconf_start(&file), arena, NULL };

	parse_struct(&ps, schema, dst, 0);
}
