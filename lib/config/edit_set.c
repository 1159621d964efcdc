/*
 * Any field of domains.conf, by its path.
 */
#include <string.h>

#include "config/edit_int.h"
#include "config/schema_int.h"

/* Where a path leads: a field of a struct, or an element of a field's array. */
struct place {
	const struct schema_field *field;
	void *of;     /* the struct that has the field */
	bool element; /* element `index` of the field's array */
	size_t index;
};

static const struct schema_field *
find_field(const struct schema *schema, struct slice name)
{
	for (size_t i = 0; i < schema->n; i++)
		if (slice_is(name, schema->fields[i].name))
			return &schema->fields[i];
	return NULL;
}

static void
put_array(const struct schema_field *field, void *of, struct schema_array array)
{
	memcpy((char *)of + field->offset, &array, sizeof(array));
}

/* The element's index; array.n if there is none. */
static size_t
find_element(const struct schema_field *field, struct schema_array array,
    struct slice name)
{
	bool by_number =
	    field->type == SCHEMA_STRINGS || field->type == SCHEMA_LIST;
	uint64_t number;
	size_t i;

	if (by_number)
		return slice_u64(name, &number) && number < array.n ? number
								    : array.n;
	for (i = 0; i < array.n; i++)
		if (slice_eq(*(const struct slice *)schema_element(field, array,
				 i),
			name))
			break;
	return i;
}

/* One more element, named; false if the list has a gap before it. */
static bool
add_element(struct edit *edit, const struct schema_field *field, void *of,
    struct slice name)
{
	struct schema_array array = schema_array_get(field, of);
	size_t size = schema_element_size(field);
	uint64_t number;

	if (field->type == SCHEMA_STRINGS || field->type == SCHEMA_LIST) {
		if (!slice_u64(name, &number) || number != array.n)
			return false;
		name = SLICE_NULL;
	}
	array.v = arena_grow(edit->arena, array.v, array.n, array.n + 1, size);
	name = arena_dup(edit->arena, name);
	memcpy((char *)array.v + array.n++ * size, &name, sizeof(name));
	put_array(field, of, array);
	return true;
}

/* The struct that a place holds, made if missing and make; NULL: none. */
static void *
struct_at(struct edit *edit, const struct place *place, bool make)
{
	const struct schema_field *field = place->field;
	void *p;

	if (place->element)
		return field->of
		    ? (void *)schema_element(field,
			  schema_array_get(field, place->of), place->index)
		    : NULL;
	if (field->type != SCHEMA_STRUCT)
		return NULL;
	p = (void *)schema_struct_get(field, place->of);
	if (!p && make) {
		p = arena_alloc(edit->arena, field->of->size);
		memcpy((char *)place->of + field->offset, &p, sizeof(p));
	}
	return p;
}

/* One step further. 1, 0 nothing there, -1 no such name. */
static int
step(struct edit *edit, struct place *place, struct slice name, bool make)
{
	const struct schema *schema = &domains_conf_schema;
	struct schema_array array;
	void *of = &edit->conf;

	if (place->field && !place->element &&
	    place->field->type >= SCHEMA_STRINGS &&
	    place->field->type != SCHEMA_STRUCT) {
		array = schema_array_get(place->field, place->of);
		place->index = find_element(place->field, array, name);
		place->element = true;
		if (place->index < array.n)
			return 1;
		if (!make)
			return 0;
		return add_element(edit, place->field, place->of, name) ? 1
									: -1;
	}
	if (place->field) {
		schema = place->field->of;
		of = struct_at(edit, place, make);
		if (!schema)
			return -1;
		if (!of)
			return place->field->type == SCHEMA_STRUCT ? 0 : -1;
	}
	*place = (struct place){ find_field(schema, name), of, false, 0 };
	return place->field ? 1 : -1;
}

static int
walk(struct edit *edit, const struct slice *path, size_t n, bool make,
    struct place *place, struct err *e)
{
	int rc = -1;

	memset(place, 0, sizeof(*place));
	for (size_t i = 0; i < n; i++) {
		rc = step(edit, place, path[i], make);
		if (rc < 0)
			return err_set(e, ERR_SYNTAX,
			    "%.*s: there is no such field%s%.*s",
			    SLICE_FMT(path[i]), i ? " in " : "",
			    SLICE_FMT(i ? path[i - 1] : SLICE_NULL));
		if (rc == 0)
			break;
	}
	return rc;
}

/* ---- values ---- */

/* The lines of value, deeper by the depth of a field's body. */
static void
add_indented(struct buf *b, struct slice value, unsigned depth)
{
	struct slice line;

	while (slice_line(&value, &line)) {
		for (unsigned i = 0; line.n > 0 && i < depth; i++)
			buf_addc(b, '\t');
		buf_add(b, line);
		buf_addc(b, '\n');
	}
}

/* A file with nothing but the field. */
static struct slice
as_file(struct edit *edit, const struct place *place, struct slice value)
{
	const struct schema_field *field = place->field;
	bool plain =
	    place->element ? !field->of : schema_scalar(field->type) != NULL;
	struct buf b = BUF_INIT(SCONF_FILE_MAX);
	struct slice name = SLICE_NULL, text;

	buf_addf(&b, "%s:", field->name);
	if (place->element) {
		memcpy(&name,
		    schema_element(field, schema_array_get(field, place->of),
			place->index),
		    sizeof(name));
		buf_addz(&b, "\n\t");
		if (field->type == SCHEMA_MAP || field->type == SCHEMA_PAIRS)
			buf_addf(&b, "%.*s:", SLICE_FMT(name));
		else
			buf_addc(&b, '-');
	}
	if (plain || slice_is(value, "nil")) {
		buf_addc(&b, ' ');
		buf_add(&b, value);
		buf_addc(&b, '\n');
	} else {
		buf_addc(&b, '\n');
		add_indented(&b, value, place->element ? 2 : 1);
	}
	text = arena_dup(edit->arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* The first problem, without its line, which is that of a file made up. */
static int
first_problem(const struct sconf_errors *errors, struct err *e)
{
	for (size_t i = 0; i < errors->n; i++)
		if (!errors->v[i].warning)
			return err_set(e, ERR_SYNTAX, "%.*s",
			    SLICE_FMT(errors->v[i].text));
	return 0;
}

int
edit_set(struct edit *edit, const struct slice *path, size_t n,
    struct slice value, struct err *e)
{
	struct schema schema;
	struct sconf_errors errors;
	struct sconf_file file;
	struct place place;
	struct schema_array array;
	void *parsed;
	size_t size;

	if (n == 0 || walk(edit, path, n, true, &place, e) < 0)
		return n == 0 ? err_set(e, ERR_SYNTAX, "no field named") : -1;
	sconf_errors_init(&errors, edit->arena);
	file =
	    sconf_file(SLICE("value"), as_file(edit, &place, value), &errors);
	schema = (struct schema){ .fields = place.field, .n = 1 };
	schema.size = place.field->offset + sizeof(struct slice);
	parsed = arena_alloc(edit->arena, schema.size);
	schema_parse(&schema, &file, edit->arena, parsed);
	if (first_problem(&errors, e) < 0)
		return -1;
	if (!place.element) {
		size = schema_scalar(place.field->type)
		    ? schema_scalar(place.field->type)->size
		    : place.field->type == SCHEMA_STRUCT
		    ? sizeof(void *)
		    : sizeof(struct schema_array);
		memcpy((char *)place.of + place.field->offset,
		    (char *)parsed + place.field->offset, size);
		return 0;
	}
	array = schema_array_get(place.field, parsed);
	if (array.n != 1)
		return err_set(e, ERR_SYNTAX, "%s: one element, not %zu",
		    place.field->name, array.n);
	memcpy((void *)schema_element(place.field,
		   schema_array_get(place.field, place.of), place.index),
	    array.v, schema_element_size(place.field));
	return 0;
}

int
edit_unset(struct edit *edit, const struct slice *path, size_t n, struct err *e)
{
	struct schema_array array;
	struct place place;
	size_t size;
	char *at;
	int rc = n == 0 ? err_set(e, ERR_SYNTAX, "no field named")
			: walk(edit, path, n, false, &place, e);

	if (rc <= 0)
		return rc;
	if (!place.element) {
		const struct schema_scalar *scalar =
		    schema_scalar(place.field->type);

		size = scalar ? scalar->size
		    : place.field->type == SCHEMA_STRUCT
		    ? sizeof(void *)
		    : sizeof(struct schema_array);
		memset((char *)place.of + place.field->offset, 0, size);
		return 0;
	}
	array = schema_array_get(place.field, place.of);
	size = schema_element_size(place.field);
	at = (char *)array.v + place.index * size;
	memmove(at, at + size, (array.n - place.index - 1) * size);
	array.n--;
	put_array(place.field, place.of, array);
	return 0;
}
