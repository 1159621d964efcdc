/* Unit tests of lib/message/address. */
#include "message/address.h"

#include "t/unit.h"

/* "name|route|local|domain" for each, ";" between; "name:" and "." for the
 * begin and end of a group; "!" before broken ones. */
static void
show(const struct address_list *list, struct buf *out)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct address *a = &list->v[i];

		if (i > 0)
			buf_addz(out, "; ");
		if (a->kind == ADDRESS_GROUP)
			buf_addf(out, "%.*s:", SLICE_FMT(a->name));
		else if (a->kind == ADDRESS_END)
			buf_addc(out, '.');
		else
			buf_addf(out, "%s%.*s|%.*s|%.*s|%.*s",
			    a->broken ? "!" : "", SLICE_FMT(a->name),
			    SLICE_FMT(a->route), SLICE_FMT(a->local),
			    SLICE_FMT(a->domain));
	}
}

static const struct {
	const char *text, *want;
	bool strict; /* allowed by RFC 5322 outside of section 4 */
} rows[] = {
	/* RFC 5322, appendix A */
	{ "John Doe <jdoe@machine.example>", "John Doe||jdoe|machine.example",
	    true },
	{ "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
	    "Mary Smith||mary|x.test; ||jdoe|example.org; Who?||one|y.test",
	    true },
	{ "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
	    "||boss|nil.test; Giant; \"Big\" Box||sysservices|example.net",
	    true },
	{ "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
	    "A Group:; Ed Jones||c|a.test; ||joe|where.test; "
	    "John||jdoe|one.test; .",
	    true },
	{ "Undisclosed recipients:;", "Undisclosed recipients:; .", true },
	{ "\"Joe Q. Public\" <john.q.public@example.com>",
	    "Joe Q. Public||john.q.public|example.com", true },
	{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
	    "Pete||pete|silly.test", true },
	{ "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public"
	  ".example>,\r\n joe@example.org,\r\n John <jdoe@one.test> (my dear "
	  "friend); (the end of the group)",
	    "A Group:; Chris Jones||c|public.example; ||joe|example.org; "
	    "John||jdoe|one.test; .",
	    true },
	{ "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
	    "Hidden recipients:; .", true },
	{ "Joe Q. Public <john.q.public@example.com>",
	    "Joe Q. Public||john.q.public|example.com", false },
	{ "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
	    "Mary Smith|@node.test|mary|example.net; ||jdoe|test.example",
	    false },
	{ "John Doe <jdoe@machine(comment).  example>",
	    "John Doe||jdoe|machine.example", false },
	{ "<@a.b,,@c.d:x@e.f>", "|@a.b,@c.d|x|e.f", false },
	/* the corners of the grammar */
	{ "\"a b\"@c.d", "||a b|c.d", true },
	{ "\"a\".b@c.d", "||a.b|c.d", false },
	{ "a . b@c.d", "||a.b|c.d", false },
	{ "a@[192.0.2.1]", "||a|[192.0.2.1]", true },
	{ "a@[IPv6:::1]", "||a|[IPv6:::1]", true },
	{ "a@[x]", "||a|[x]", false },
	{ "a@b (A B)", "A B||a|b", true },
	{ "(x) a@b", "||a|b", true },
	{ "\"\" <a@b>", "||a|b", true },
	{ "=?utf-8?q?J=C3=BC?= =?utf-8?q?x?= <a@b>",
	    "=?utf-8?q?J=C3=BC?= =?utf-8?q?x?=||a|b", true },
	{ "Jürgen <jürgen@exämple.org>", "Jürgen||jürgen|exämple.org", true },
	{ "\"a\x01\"@b", "||a\x01|b", false },
	{ "\"a\tb\"@c", "||a\tb|c", false },
	{ "g:; a@b", "g:; .; ||a|b", false },
	{ "g: a@b,;", "g:; ||a|b; .", false },
	{ "a..b@c", "||a..b|c", false },
	{ "g: a@b;, c@d", "g:; ||a|b; .; ||c|d", true },
	/* what people send */
	{ "Whomever", "!||Whomever|", false },
	{ "two words", "!two words|||", false },
	{ "", "", false },
	{ " \r\n ", "", false },
	{ ",,", "", false },
	{ "a@b,", "||a|b", false },
	{ "a@b;c@d", "||a|b; ||c|d", false },
	{ "a@b c@d", "||a|b", false },
	{ "a@b@c", "||a|b", false },
	{ "x@y <a@b>", "x@y||a|b", false },
	{ "foo bar@baz", "foo||bar|baz", false },
	{ "<<a@b>>", "||a|b", false },
	{ "<a@b", "||a|b", false },
	{ "<a@b, c@d>", "||a|b; ||c|d", false },
	{ "N <>", "!N|||", false },
	{ "<a>", "!||a|", false },
	{ "<@b>", "!|@b||", false },
	{ "@b", "!|||b", false },
	{ "a@", "!||a|", false },
	{ "<a b@c>", "||a b|c", false },
	{ "g: a@b", "g:; ||a|b; .", false },
	{ "g: h: a@b;", "g:; ||a|b; .", false },
	{ ": a@b;", "||a|b", false },
	{ "\"a, b <a@b>", "!||a, b <a@b>|", false },
	{ "(a <a@b>", "", false },
	{ "a\\b <a@b>", "ab||a|b", false },
	{ "a@b.", "||a|b.", false },
	{ ".a@b", "||.a|b", false },
	{ "<Undisclosed:@x.y;>", "!||Undisclosed|", false },
	{ "a@-b.c", "||a|-b.c", false },
	{ "\xff <a@b>", "\xff||a|b", false },
	{ "; a@b", "||a|b", false },
};

static void
test_parse(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arena *arena = arena_new(0);
		struct buf b = BUF_INIT(10000);
		struct address_list list;
		struct err e = ERR_INIT;

		ROW(rows[i].text);
		address_parse(arena, slice_str(rows[i].text), 100, &list);
		show(&list, &b);
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].want));
		CHECK(!list.cut);
		CHECK_EQ(address_parse_strict(arena, slice_str(rows[i].text),
			     100, &list, &e),
		    rows[i].strict ? 0 : -1);
		CHECK_EQ(e.kind, rows[i].strict ? ERR_NONE : ERR_SYNTAX);
		arena_free(&arena);
		buf_free(&b);
	}
}

static void
test_limit(void)
{
	struct arena *arena = arena_new(0);
	struct address_list list;
	struct err e = ERR_INIT;

	address_parse(arena, SLICE("a@b, c@d, e@f"), 2, &list);
	CHECK_EQ(list.n, 2);
	CHECK(list.cut);
	address_parse(arena, SLICE("g: c@d, e@f"), 2, &list);
	CHECK_EQ(list.n, 3);
	CHECK_EQ(list.v[2].kind, ADDRESS_END);
	CHECK_EQ(address_parse_strict(arena, SLICE("a@b, c@d"), 1, &list, &e),
	    -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	arena_free(&arena);
}

static void
test_spec(void)
{
	struct arena *arena = arena_new(0);
	struct slice local, domain;
	struct buf b = BUF_INIT(100);

	CHECK(address_parse_spec(arena, SLICE("\"a b\"@c.d"), &local, &domain));
	CHECK_SLICE(local, SLICE("a b"));
	address_write_spec(&b, local, domain);
	CHECK_SLICE(buf_slice(&b), SLICE("\"a b\"@c.d"));
	CHECK(!address_parse_spec(arena, SLICE("a@b c"), &local, &domain));
	buf_free(&b);
	arena_free(&arena);
}

int
main(void)
{
	RUN(test_parse);
	RUN(test_limit);
	RUN(test_spec);
	return unit_done();
}
