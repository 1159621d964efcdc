/* Fuzz imap/url.h: any text is a URL with all it needs, or none. */
#include <assert.h>

#include "imap/fetch.h"
#include "imap/url.h"
#include "text/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* p is empty, or lies within text. */
static void
check_within(struct slice text, struct slice p)
{
	assert(p.n == 0 || (p.p >= text.p && p.p + p.n <= text.p + text.n));
}

static void
check_authorization(struct slice text, const struct imap_url *u)
{
	size_t n = u->rump.n;

	assert(slice_starts(text, u->rump) && n > 0);
	if (u->mechanism.n == 0) {
		assert(n == text.n && u->token.n == 0);
		return;
	}
	assert(u->mechanism.p == text.p + n + 1 && u->token.n > 0);
	assert(n + u->mechanism.n + u->token.n + 2 == text.n);
	assert(slice_chr(u->mechanism, ':') < 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = slice_of((const char *)data, n);
	struct imap_session s = { 0 };
	struct fetch_item *item;
	struct imap_url u;

	if (n > 65536)
		return 0;
	s.arena = arena_new(0);
	if (!imap_url_parse(&s, text, &u)) {
		struct slice name;

		assert(u.uid > 0 && u.mailbox.n > 0 && u.expire_us >= 0);
		assert(store_name_check(s.arena, u.mailbox, &name, NULL) == 0);
		assert(slice_eq(name, u.mailbox));
		assert(unicode_valid(u.user) && unicode_valid(u.section));
		assert(u.user.n == 0 || u.absolute);
		check_within(text, u.partial);
		if (u.access)
			check_authorization(text, &u);
		item = imap_url_item(&s, &u);
		assert(!item || item->kind == FETCH_SECTION ||
		    item->kind == FETCH_FIELDS);
	}
	arena_free(&s.arena);
	return 0;
}
