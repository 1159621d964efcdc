/* Fuzz smtp/answer.c: a reply, and what it would offer to EHLO. */
#include <stdlib.h>

#include "smtp/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_offers(struct slice text)
{
	struct buf auth = BUF_INIT(0);
	struct smtp_offers o;

	smtp_offers_parse(text, &auth, &o);
	if (o.auth.n != auth.n || slice_chr(o.auth, '\n') >= 0)
		abort();
	buf_free(&auth);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_answer_parse a = SMTP_ANSWER_INIT;
	struct slice rest = slice_of((const char *)data, size), line;
	struct err e = ERR_INIT;
	int rc = 0;

	while (rc == 0 && slice_line(&rest, &line))
		rc = smtp_answer_line(&a, line, &e);
	if (rc == 1 && (a.code < 200 || a.code > 599))
		abort();
	if ((rc < 0) != (e.kind != ERR_NONE) || a.text.over ||
	    a.text.n > SMTP_ANSWER_TEXT ||
	    slice_chr(buf_slice(&a.text), '\0') >= 0 ||
	    slice_chr(buf_slice(&a.text), '\r') >= 0)
		abort();
	if (rc == 1)
		check_offers(buf_slice(&a.text));
	buf_free(&a.text);
	return 0;
}
