/*
 * Every field of every file: the tables are complete, offsets are right, and
 * what is written is what was parsed.
 */
#include "config/domains_conf.h"
#include "config/mox_conf.h"
#include "config/record.h"
#include "config/schema_int.h"
#include "config/sendmail_conf.h"
#include "t/unit.h"

static const struct {
	const char *name;
	const struct schema *schema;
} files[] = {
	{ "mox.conf", &mox_conf_schema },
	{ "domains.conf", &domains_conf_schema },
	{ "moxsubmit.conf", &sendmail_conf_schema },
	{ "limits", &conf_limits_schema },
	{ "source", &record_source_schema },
	{ "rules", &record_rules_schema },
	{ "address", &record_address_schema },
};

#define N_FILES (sizeof(files) / sizeof(files[0]))

static struct arena *arena;
static int counter; /* makes every value another one */

static void fill(const struct schema *schema, void *dst);

static struct slice
next_text(void)
{
	return arena_printf(arena, "text%d", ++counter);
}

static void
put(const struct schema_field *field, void *dst, const void *src, size_t size)
{
	memcpy((char *)dst + field->offset, src, size);
}

static void
fill_scalar(const struct schema_field *field, void *dst)
{
	const struct schema_scalar *scalar = schema_scalar(field->type);
	struct slice text = arena_printf(arena, "%d", ++counter);

	if (field->type == SCHEMA_STRING)
		text = next_text();
	else if (field->type == SCHEMA_BOOL || field->type == SCHEMA_TRI)
		text = SLICE("true");
	else if (field->type == SCHEMA_DURATION)
		text = arena_printf(arena, "%ds", counter);
	CHECK(!scalar->parse(text, (char *)dst + field->offset));
}

static void
fill_many(const struct schema_field *field, void *dst)
{
	size_t size = field->of           ? field->of->size
	    : field->type == SCHEMA_PAIRS ? sizeof(struct conf_pair)
					  : sizeof(struct slice);
	struct schema_array array = { arena_array(arena, 3, size), 3 };

	for (size_t i = 0; i < 3; i++) {
		char *element = (char *)array.v + i * size;
		struct slice text = next_text();

		if (field->of)
			fill(field->of, element);
		if (field->type == SCHEMA_PAIRS)
			((struct conf_pair *)(void *)element)->value =
			    next_text();
		memcpy(element, &text, sizeof(text));
	}
	put(field, dst, &array, sizeof(array));
}

static void
fill(const struct schema *schema, void *dst)
{
	for (size_t i = 0; i < schema->n; i++) {
		const struct schema_field *field = &schema->fields[i];

		if (schema_scalar(field->type))
			fill_scalar(field, dst);
		else if (field->type == SCHEMA_STRUCT) {
			void *p = arena_alloc(arena, field->of->size);

			fill(field->of, p);
			put(field, dst, &p, sizeof(p));
		} else
			fill_many(field, dst);
	}
}

static void
test_round_trip(void)
{
	struct buf first = BUF_INIT(1 << 20), second = BUF_INIT(1 << 20);

	for (size_t i = 0; i < N_FILES; i++) {
		void *a = arena_alloc(arena, files[i].schema->size);
		void *b = arena_alloc(arena, files[i].schema->size);

		ROW(files[i].name);
		fill(files[i].schema, a);
		schema_write(files[i].schema, a, &first);
		schema_parse_trusted(files[i].schema, buf_slice(&first), arena,
		    b);
		schema_write(files[i].schema, b, &second);
		CHECK_SLICE(buf_slice(&second), buf_slice(&first));
		CHECK(first.n > 0);
		buf_reset(&first);
		buf_reset(&second);
	}
	buf_free(&first);
	buf_free(&second);
}

/* What is set to nothing is written so that it parses to the same. */
static void
test_empty(void)
{
	struct buf first = BUF_INIT(1 << 20), second = BUF_INIT(1 << 20);
	struct sconf_errors errors;

	for (size_t i = 0; i < N_FILES; i++) {
		void *a = arena_alloc(arena, files[i].schema->size);
		void *b = arena_alloc(arena, files[i].schema->size);

		ROW(files[i].name);
		schema_describe(files[i].schema, &first);
		schema_parse_trusted(files[i].schema, buf_slice(&first), arena,
		    a);
		buf_reset(&first);
		schema_write(files[i].schema, a, &first);
		sconf_errors_init(&errors, arena);
		schema_parse(files[i].schema,
		    &(struct sconf_file){
			SLICE("f"), buf_slice(&first), &errors },
		    arena, b);
		/* Values are wrong, as they are empty; the form is not. */
		for (size_t k = 0; k < errors.n; k++)
			CHECK(slice_find(errors.v[k].text, SLICE(": must ")) >=
			    0);
		schema_write(files[i].schema, b, &second);
		CHECK_SLICE(buf_slice(&second), buf_slice(&first));
		buf_reset(&first);
		buf_reset(&second);
	}
	buf_free(&first);
	buf_free(&second);
}

static void
check_table(const struct schema *schema)
{
	char *zero = arena_alloc(arena, schema->size);

	CHECK(schema->n <= 64);
	schema_parse_trusted(schema, SLICE_NULL, arena, zero);
	for (size_t i = 0; i < schema->n; i++) {
		const struct schema_field *f = &schema->fields[i];
		struct slice doc = slice_str(f->doc);

		ROW(f->name);
		CHECK(slice_ends(doc, SLICE(".")));
		CHECK(slice_find(doc, SLICE("  ")) < 0);
		CHECK(slice_find(doc, SLICE(" .")) < 0); /* for mdoc(7) */
		CHECK(slice_chr(doc, '\\') < 0);
		CHECK(!(f->def && (f->flags & SCHEMA_REQUIRED)));
		CHECK(!f->def || schema_is_default(f, zero));
		CHECK((f->of != NULL) == (f->type >= SCHEMA_STRUCT));
		for (size_t k = 0; k < i; k++) {
			CHECK(strcmp(schema->fields[k].name, f->name) != 0);
			CHECK(schema->fields[k].offset != f->offset);
		}
		if (f->of)
			check_table(f->of);
	}
}

static void
test_tables(void)
{
	for (size_t i = 0; i < 4; i++) /* records have no docs */
		check_table(files[i].schema);
}

/* Each field stands in the description once for each place it has. */
static void
test_describe(void)
{
	struct buf b = BUF_INIT(1 << 20);
	struct slice rest, line;

	schema_describe(&conf_limits_schema, &b);
	CHECK(slice_find(buf_slice(&b),
		  SLICE("\n\n# Of those, connections for submission and IMAP "
			"on which nobody has logged in.\n# (optional)\n"
			"ConnectionsUnauthenticated: 500\n\n")) > 0);
	for (size_t i = 0; i < N_FILES; i++) {
		buf_reset(&b);
		schema_describe(files[i].schema, &b);
		for (rest = buf_slice(&b); slice_line(&rest, &line);) {
			size_t tabs = 0;

			while (tabs < line.n && line.p[tabs] == '\t')
				tabs++;
			CHECK(line.n + 7 * tabs <= 80 || tabs > 4 ||
			    line.p[tabs] != '#');
		}
	}
	buf_free(&b);
}

static void
test_manual(void)
{
	struct buf b = BUF_INIT(1 << 20);

	schema_manual(&conf_limits_schema, &b);
	CHECK(slice_starts(buf_slice(&b),
	    SLICE(".Bl -tag -width Ds\n"
		  ".It Ic Connections : No number, default 2000\n"
		  "Open connections of a service.\nEach is a process.\n")));
	CHECK(slice_ends(buf_slice(&b), SLICE(".El\n")));
	buf_free(&b);
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_round_trip);
	RUN(test_empty);
	RUN(test_tables);
	RUN(test_describe);
	RUN(test_manual);
	arena_free(&arena);
	return unit_done();
}
