/*
 * What programs give to mox-sendmail: whatever it is, the header that goes out
 * is one, with our From and no other, and no Bcc; each recipient is one that
 * RCPT takes.
 */
#include <stdlib.h>

#include "message/header.h"
#include "message/smtpaddr.h"
#include "tools/sendmail_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static size_t
count(struct slice block, const char *name)
{
	struct header_field field;
	size_t n = 0;

	while (header_next(&block, &field))
		n += slice_isi(field.name, name);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);
	struct sendmail_wish wish = { .from = SLICE("me@x.example"),
		.default_rcpt = SLICE("admin@x.example"),
		.extract = true };
	struct sendmail_message m;
	struct smtpaddr addr;
	struct err e = ERR_INIT;

	if (sendmail_message_make(arena, in, &wish, &m, &e) == 0) {
		require(m.n > 0 && m.body <= in.n);
		require(header_size(m.header) == m.header.n);
		require(count(m.header, "From") == 1);
		require(count(m.header, "Bcc") == 0);
		for (size_t i = 0; i < m.n; i++)
			require(smtpaddr_mailbox(arena, m.rcpts[i],
				    SMTPADDR_UTF8, &addr, NULL) == 0);
	} else {
		require(e.kind != ERR_NONE);
	}
	arena_free(&arena);
	return 0;
}
