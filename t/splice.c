/*
 * Texts changed to say something else: rows that show what stays, and random
 * changes of every field of all files.
 */
#include "base/rand.h"
#include "config/domains_conf.h"
#include "config/mox_conf.h"
#include "config/schema_int.h"
#include "config/sendmail_conf.h"
#include "t/unit.h"

static struct arena *arena;
static struct rand rnd;

/* ---- rows: what domains.conf says before and after ---- */

static void
set_description(struct domains_conf *c)
{
	c->domains.v[0].description = SLICE("new");
}

static void
unset_description(struct domains_conf *c)
{
	c->domains.v[0].description = SLICE_NULL;
}

static void
set_disabled(struct domains_conf *c)
{
	c->domains.v[0].disabled = true;
}

static void
add_account(struct domains_conf *c)
{
	struct conf_account a = { .name = SLICE("new"),
		.domain = SLICE("a.example") };

	c->accounts.v = arena_grow(arena, c->accounts.v, c->accounts.n,
	    c->accounts.n + 1, sizeof(a));
	c->accounts.v[c->accounts.n++] = a;
}

static void
remove_first_account(struct domains_conf *c)
{
	c->accounts.v++;
	c->accounts.n--;
}

static void
remove_last_account(struct domains_conf *c)
{
	c->accounts.n--;
}

static void
add_block_list(struct domains_conf *c)
{
	c->monitor_dnsbls.v = arena_array(arena, 1, sizeof(struct slice));
	c->monitor_dnsbls.v[0] = SLICE("bl.example");
	c->monitor_dnsbls.n = 1;
}

static void
remove_first_block_list(struct domains_conf *c)
{
	c->monitor_dnsbls.v++;
	c->monitor_dnsbls.n--;
}

static void
remove_block_lists(struct domains_conf *c)
{
	c->monitor_dnsbls.n = 0;
}

static void
change_transport(struct domains_conf *c)
{
	c->routes.v[1].transport = SLICE("other");
}

static void
insert_route(struct domains_conf *c)
{
	struct conf_route *v = arena_array(arena, 3, sizeof(*v));

	v[0] = c->routes.v[0];
	v[1].transport = SLICE("between");
	v[2] = c->routes.v[1];
	c->routes.v = v;
	c->routes.n = 3;
}

static void
change_redirect(struct domains_conf *c)
{
	c->web_domain_redirects.v[0].value = SLICE("c.example");
}

static const struct {
	const char *name, *text;
	void (*change)(struct domains_conf *c);
	const char *after;
} rows[] = {
	{ "nil becomes a block", "# top\nDomains:\n\ta: nil\n\t# end\n",
	    set_description,
	    "# top\nDomains:\n\ta:\n\t\tDescription: new\n\t# end\n" },
	{ "a block becomes nil, its comments stay",
	    "Domains:\n\ta:\n\t\t# why\n\t\tDescription: old\n\n\tb: nil\n",
	    unset_description, "Domains:\n\ta: nil\n\t\t# why\n\n\tb: nil\n" },
	{ "a line changes", "Domains:\n\ta:\n\t\t# x\n\t\tDescription: old\n",
	    set_description,
	    "Domains:\n\ta:\n\t\t# x\n\t\tDescription: new\n" },
	{ "no end of line", "Domains:\n\ta:\n\t\tDescription: old",
	    set_disabled,
	    "Domains:\n\ta:\n\t\tDisabled: true\n\t\tDescription: old" },
	{ "in the order of the table",
	    "Domains:\n\ta:\n\t\t# first\n\t\tDisabled: false\n\n"
	    "\t\t# second\n\t\tLocalpartCaseSensitive: true\n",
	    set_description,
	    "Domains:\n\ta:\n\t\t# first\n\t\tDisabled: false\n"
	    "\t\tDescription: new\n\n"
	    "\t\t# second\n\t\tLocalpartCaseSensitive: true\n" },
	{ "an entry comes last",
	    "Domains:\n\ta: nil\nAccounts:\n\tz:\n\t\tDomain: a.example\n"
	    "\t\t# of z\n\n\t# after z\n\nRoutes:\n\t-\n\t\tTransport: t\n",
	    add_account,
	    "Domains:\n\ta: nil\nAccounts:\n\tz:\n\t\tDomain: a.example\n"
	    "\t\t# of z\n\tnew:\n\t\tDomain: a.example\n\n\t# after z\n\n"
	    "Routes:\n\t-\n\t\tTransport: t\n" },
	{ "an entry goes with what is in it",
	    "Accounts:\n\t# y or z\n\tz:\n\t\tDomain: a.example\n#\t\tX: 1\n"
	    "\t\tFullName: Z\n\t\t# of z\n\t# of y\n\ty:\n"
	    "\t\tDomain: a.example\n",
	    remove_first_account,
	    "Accounts:\n\t# y or z\n\t# of y\n\ty:\n\t\tDomain: a.example\n" },
	{ "the last without an end of line",
	    "Accounts:\n\tz:\n\t\tDomain: a\n\ty:\n\t\tDomain: a",
	    remove_last_account, "Accounts:\n\tz:\n\t\tDomain: a\n" },
	{ "a new list", "Domains:\n\ta: nil\nAccounts:\n\tz: nil\n# end\n",
	    add_block_list,
	    "Domains:\n\ta: nil\nAccounts:\n\tz: nil\nMonitorDNSBLs:\n"
	    "\t- bl.example\n# end\n" },
	{ "the first of a list",
	    "MonitorDNSBLs:\n\t# 1\n\t- a\n\t# 2\n\t- b\n\t# 3\n\t- c\n",
	    remove_first_block_list,
	    "MonitorDNSBLs:\n\t# 1\n\t# 2\n\t- b\n\t# 3\n\t- c\n" },
	{ "a whole list",
	    "# lists\nMonitorDNSBLs:\n\t# 1\n\t- a\n\t- b\n# end\n",
	    remove_block_lists, "# lists\n# end\n" },
	{ "a field in a list",
	    "Routes:\n\t# 1\n\t-\n\t\tTransport: a\n\t# 2\n\t-\n"
	    "\t\t# b\n\t\tTransport: b\n",
	    change_transport,
	    "Routes:\n\t# 1\n\t-\n\t\tTransport: a\n\t# 2\n\t-\n"
	    "\t\t# b\n\t\tTransport: other\n" },
	{ "into a list",
	    "Routes:\n\t# 1\n\t-\n\t\tTransport: a\n\t# 2\n\t-\n"
	    "\t\tTransport: b\n",
	    insert_route,
	    "Routes:\n\t# 1\n\t-\n\t\tTransport: a\n"
	    "\t-\n\t\tTransport: between\n\t# 2\n\t-\n\t\tTransport: b\n" },
	{ "a pair", "WebDomainRedirects:\n\t# a\n\ta: b\n\tb: c\n",
	    change_redirect,
	    "WebDomainRedirects:\n\t# a\n\ta: c.example\n\tb: c\n" },
};

static void
test_rows(void)
{
	struct buf got = BUF_INIT(1 << 20);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct domains_conf from = { 0 }, to;

		ROW(rows[i].name);
		schema_parse_trusted(&domains_conf_schema,
		    slice_str(rows[i].text), arena, &from);
		schema_copy(&domains_conf_schema, &from, arena, &to);
		CHECK(schema_equal(&domains_conf_schema, &from, &to));
		rows[i].change(&to);
		CHECK(!schema_equal(&domains_conf_schema, &from, &to));
		schema_splice(&domains_conf_schema, slice_str(rows[i].text),
		    &from, &to, &got);
		/* Required fields that a row does not have are not added. */
		CHECK_SLICE(buf_slice(&got), slice_str(rows[i].after));
		buf_reset(&got);
	}
	buf_free(&got);
}

/* ---- random changes ---- */

static bool
one_in(uint64_t n)
{
	return rand_below(&rnd, n) == 0;
}

static struct slice
random_text(void)
{
	return arena_printf(arena, "text%d", (int)rand_below(&rnd, 50));
}

static void
put(const struct schema_field *field, void *dst, const void *src, size_t size)
{
	memcpy((char *)dst + field->offset, src, size);
}

static void
random_scalar(const struct schema_field *field, void *dst)
{
	struct slice text = random_text(), number = slice_skip(text, 4);

	if (field->type == SCHEMA_BOOL || field->type == SCHEMA_TRI)
		text = one_in(2) ? SLICE("true") : SLICE("false");
	else if (field->type == SCHEMA_DURATION)
		text = arena_printf(arena, "%.*ss", SLICE_FMT(number));
	else if (field->type != SCHEMA_STRING)
		text = number;
	CHECK(!schema_scalar(field->type)
		   ->parse(text, (char *)dst + field->offset));
}

static void random_struct(const struct schema *schema, void *dst);

static void
random_element(const struct schema_field *field, void *element,
    struct slice name)
{
	struct conf_pair pair = { name, random_text() };

	memset(element, 0, schema_element_size(field));
	if (field->of)
		random_struct(field->of, element);
	if (field->type == SCHEMA_PAIRS)
		memcpy(element, &pair, sizeof(pair));
	else if (field->type != SCHEMA_LIST)
		memcpy(element, &name, sizeof(name));
}

/* Elements of an array go, come, and change. Keys of maps differ. */
static void
change_array(const struct schema_field *field, void *dst)
{
	struct schema_array old = schema_array_get(field, dst), new;
	size_t size = schema_element_size(field), n = rand_below(&rnd, 4), i, k;
	static int key;

	new.v = arena_array(arena, old.n + n, size);
	for (i = k = 0; i < old.n; i++) {
		char *element = (char *)new.v + k *size;
		struct slice name;

		if (one_in(4))
			continue;
		memcpy(element, schema_element(field, old, i), size);
		memcpy(&name, element, sizeof(name));
		if (one_in(3))
			random_element(field, element, name);
		k++;
	}
	for (i = 0; i < n; i++)
		random_element(field, (char *)new.v + k++ *size,
		    arena_printf(arena, "key%d", ++key));
	new.n = k;
	put(field, dst, &new, sizeof(new));
}

static void
change_struct(const struct schema_field *field, void *dst)
{
	void *p = (void *)schema_struct_get(field, dst);

	if (p && !(field->flags & SCHEMA_REQUIRED) && one_in(4))
		p = NULL;
	else if (!p) {
		p = arena_alloc(arena, field->of->size);
		random_struct(field->of, p);
	} else
		random_struct(field->of, p);
	put(field, dst, &p, sizeof(p));
}

static void
random_struct(const struct schema *schema, void *dst)
{
	for (size_t i = 0; i < schema->n; i++) {
		const struct schema_field *field = &schema->fields[i];
		bool required = field->flags & SCHEMA_REQUIRED;

		if (field->type == SCHEMA_STRUCT && required &&
		    !schema_struct_get(field, dst))
			change_struct(field, dst);
		else if (one_in(3))
			continue;
		else if (schema_scalar(field->type) && !required && one_in(3))
			memset((char *)dst + field->offset, 0,
			    schema_scalar(field->type)->size);
		else if (schema_scalar(field->type))
			random_scalar(field, dst);
		else if (field->type == SCHEMA_STRUCT)
			change_struct(field, dst);
		else
			change_array(field, dst);
	}
}

/* Comments and empty lines among the lines, numbered. */
static void
decorate(struct slice text, struct buf *b, int *n)
{
	struct slice line, tabs;

	while (slice_line(&text, &line)) {
		if (one_in(5))
			buf_addc(b, '\n');
		if (one_in(3)) {
			tabs = line;
			while (tabs.n > 0 && tabs.p[0] == '\t')
				tabs = slice_skip(tabs, 1);
			buf_add(b, slice_head(line, line.n - tabs.n));
			buf_addf(b, "# comment %d\n", ++*n);
		}
		buf_add(b, line);
		if (text.n > 0 || one_in(2))
			buf_addc(b, '\n');
	}
}

static int
count_comments(struct slice text)
{
	struct slice line;
	int n = 0;

	while (slice_line(&text, &line))
		n += slice_find(line, SLICE("# comment ")) >= 0;
	return n;
}

static const struct schema *const schemas[] = { &mox_conf_schema,
	&domains_conf_schema, &sendmail_conf_schema };

/* Written, decorated, parsed, changed, spliced, parsed: the same again. */
static void
random_change(const struct schema *schema)
{
	struct buf plain = BUF_INIT(1 << 24), text = BUF_INIT(1 << 24);
	struct buf spliced = BUF_INIT(1 << 24), want = BUF_INIT(1 << 24);
	struct buf back = BUF_INIT(1 << 24);
	void *a = arena_alloc(arena, schema->size);
	void *from = arena_alloc(arena, schema->size);
	void *to = arena_alloc(arena, schema->size);
	void *got = arena_alloc(arena, schema->size);
	int comments = 0;

	random_struct(schema, a);
	schema_write(schema, a, &plain);
	decorate(buf_slice(&plain), &text, &comments);
	schema_parse_trusted(schema, buf_slice(&text), arena, from);
	schema_copy(schema, from, arena, to);
	schema_splice(schema, buf_slice(&text), from, to, &spliced);
	CHECK_SLICE(buf_slice(&spliced), buf_slice(&text));
	CHECK_EQ(count_comments(buf_slice(&spliced)), comments);

	random_struct(schema, to);
	buf_reset(&spliced);
	schema_splice(schema, buf_slice(&text), from, to, &spliced);
	schema_parse_trusted(schema, buf_slice(&spliced), arena, got);
	buf_reset(&plain);
	schema_write(schema, got, &plain);
	schema_write(schema, to, &want);
	CHECK_SLICE(buf_slice(&plain), buf_slice(&want));

	/* And back, which takes the comments of what had been removed. */
	schema_splice(schema, buf_slice(&spliced), got, from, &back);
	memset(got, 0, schema->size);
	schema_parse_trusted(schema, buf_slice(&back), arena, got);
	buf_reset(&plain);
	buf_reset(&want);
	schema_write(schema, got, &plain);
	schema_write(schema, from, &want);
	CHECK_SLICE(buf_slice(&plain), buf_slice(&want));
	buf_free(&plain);
	buf_free(&text);
	buf_free(&spliced);
	buf_free(&want);
	buf_free(&back);
}

static void
test_random(void)
{
	char name[64];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "seed %d", i);
		ROW(name);
		rand_fake(&rnd, (uint64_t)i + 1);
		random_change(schemas[i % 3]);
		arena_reset(arena);
		if (unit_failures > 3)
			break;
	}
}

/* ---- every field: described, set, written, parsed ---- */

/* Structs on the way to the field being tested, in both trees. */
static void each_field(const struct schema *whole, struct slice text,
    void *from, void *to, const struct schema *schema, void *a);

static void
check_change(const struct schema *whole, struct slice text, void *from,
    void *to)
{
	struct buf spliced = BUF_INIT(1 << 22), got = BUF_INIT(1 << 22);
	struct buf want = BUF_INIT(1 << 22);
	void *parsed = arena_alloc(arena, whole->size);

	schema_splice(whole, text, from, to, &spliced);
	schema_parse_trusted(whole, buf_slice(&spliced), arena, parsed);
	schema_write(whole, parsed, &got);
	schema_write(whole, to, &want);
	CHECK_SLICE(buf_slice(&got), buf_slice(&want));
	CHECK(!slice_eq(buf_slice(&spliced), text));
	buf_free(&spliced);
	buf_free(&got);
	buf_free(&want);
}

static void
one_field(const struct schema *whole, struct slice text, void *from, void *to,
    const struct schema_field *field, void *of)
{
	char before[sizeof(struct slice)];
	size_t size = schema_scalar(field->type)
	    ? schema_scalar(field->type)->size
	    : sizeof(struct schema_array);
	struct schema_array array;

	if (field->type == SCHEMA_STRUCT) {
		each_field(whole, text, from, to, field->of,
		    (void *)schema_struct_get(field, of));
		return;
	}
	ROW(field->name);
	memcpy(before, (char *)of + field->offset, size);
	do {
		if (schema_scalar(field->type))
			random_scalar(field, of);
		else
			change_array(field, of);
	} while (schema_equal(whole, from, to));
	check_change(whole, text, from, to);
	memcpy((char *)of + field->offset, before, size);
	if (!field->of)
		return;
	array = schema_array_get(field, of);
	for (size_t i = 0; i < array.n; i++)
		each_field(whole, text, from, to, field->of,
		    (void *)schema_element(field, array, i));
}

static void
each_field(const struct schema *whole, struct slice text, void *from, void *to,
    const struct schema *schema, void *a)
{
	for (size_t i = 0; i < schema->n; i++)
		one_field(whole, text, from, to, &schema->fields[i], a);
}

static void
test_each_field(void)
{
	for (size_t i = 0; i < 3; i++) {
		const struct schema *schema = schemas[i];
		void *from = arena_alloc(arena, schema->size);
		void *to = arena_alloc(arena, schema->size);
		struct buf text = BUF_INIT(1 << 22);

		schema_describe(schema, &text);
		schema_parse_trusted(schema, buf_slice(&text), arena, from);
		schema_copy(schema, from, arena, to);
		each_field(schema, buf_slice(&text), from, to, schema, to);
		buf_free(&text);
	}
}

int
main(void)
{
	arena = arena_new(0);
	rand_fake(&rnd, 1);
	RUN(test_rows);
	RUN(test_each_field);
	RUN(test_random);
	arena_free(&arena);
	return unit_done();
}
