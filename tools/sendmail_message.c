#include "tools/sendmail_message.h"

#include "base/buf.h"
#include "message/address.h"
#include "message/header.h"
#include "message/smtpaddr.h"

struct maker {
	struct arena *arena;
	const struct sendmail_wish *wish;
	struct sendmail_message *m;
	struct buf out;
	bool has_to; /* or Cc */
};

static bool
has_8bit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

/* ---- recipients ---- */

static int
add_rcpt(struct maker *k, const struct smtpaddr *addr, struct err *e)
{
	struct buf text = BUF_INIT(2 * SMTPADDR_PATH_MAX + 2);
	struct sendmail_message *m = k->m;
	struct slice rcpt;

	smtpaddr_write(&text, addr);
	rcpt = arena_dup(k->arena, buf_slice(&text));
	buf_free(&text);
	for (size_t i = 0; i < m->n; i++)
		if (slice_eq(m->rcpts[i], rcpt))
			return 0;
	if (m->n == SENDMAIL_RCPTS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d recipients",
		    SENDMAIL_RCPTS_MAX);
	m->rcpts[m->n++] = rcpt;
	m->utf8_needed |= addr->utf8;
	return 0;
}

/* As written, without angle brackets. */
static int
add_text(struct maker *k, struct slice text, struct err *e)
{
	struct smtpaddr addr;

	if (slice_chr(text, '@') < 0) {
		if (k->wish->default_rcpt.n == 0)
			return err_set(e, ERR_SYNTAX,
			    "recipient \"%.*s\" has no domain, and there is no "
			    "DefaultDestination",
			    SLICE_FMT(slice_head(text, 64)));
		text = k->wish->default_rcpt;
	}
	if (smtpaddr_mailbox(k->arena, text, SMTPADDR_UTF8, &addr, e) < 0)
		return err_prefix(e, "recipient \"%.*s\"",
		    SLICE_FMT(slice_head(text, 64)));
	return add_rcpt(k, &addr, e);
}

/* Of a command line: "a@b", "<a@b>", several with commas between. */
static int
add_argument(struct maker *k, struct slice text, struct err *e)
{
	struct slice one;

	while (slice_next(&text, ',', &one)) {
		one = slice_trim(one);
		if (one.n > 2 && one.p[0] == '<' && one.p[one.n - 1] == '>')
			one = slice_sub(one, 1, one.n - 1);
		if (one.n > 0 && add_text(k, one, e) < 0)
			return -1;
	}
	return 0;
}

/* Those of a field. */
static int
add_field(struct maker *k, struct slice value, struct err *e)
{
	struct address_list list;

	address_parse(k->arena, value, SENDMAIL_RCPTS_MAX, &list);
	if (list.cut)
		return err_set(e, ERR_LIMIT, "more than %d recipients",
		    SENDMAIL_RCPTS_MAX);
	for (size_t i = 0; i < list.n; i++) {
		const struct address *a = &list.v[i];
		struct buf text = BUF_INIT(1000);
		int rc;
		if (a->kind != ADDRESS_MAILBOX)
			continue;
		/* "root" alone comes as a name without an address. */
		if (a->domain.n > 0)
			address_write_spec(&text, a->local, a->domain);
		else
			buf_add(&text, a->local.n > 0 ? a->local : a->name);
		rc = add_text(k, buf_slice(&text), e);
		buf_free(&text);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* ---- the header ---- */

static const struct {
	const char *name;
	bool drop, rcpt, shown;
} fields[] = {
	{ "From", .drop = true },
	{ "To", .rcpt = true, .shown = true },
	{ "Cc", .rcpt = true, .shown = true },
	{ "Bcc", .drop = true, .rcpt = true },
};

static int
keep_field(struct maker *k, const struct header_field *f, struct err *e)
{
	bool drop = false;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!slice_isi(f->name, fields[i].name))
			continue;
		drop = fields[i].drop;
		k->has_to |= fields[i].shown;
		if (k->wish->extract && fields[i].rcpt &&
		    add_field(k, f->value, e) < 0)
			return err_prefix(e, "%s", fields[i].name);
	}
	if (drop)
		return 0;
	buf_add(&k->out, f->raw);
	if (f->raw.p[f->raw.n - 1] != '\n')
		buf_addc(&k->out, '\n');
	return 0;
}

/* Bytes of head that are fields. A text that a person typed may have none. */
static size_t
fields_size(struct slice head)
{
	struct slice rest = head, name, value;

	while (rest.n > 0) {
		ssize_t lf = slice_chr(rest, '\n');
		size_t n = lf < 0 ? rest.n : (size_t)lf + 1;
		bool folded =
		    rest.n < head.n && (rest.p[0] == ' ' || rest.p[0] == '\t');
		if (!folded &&
		    !header_split(slice_head(rest, n), &name, &value))
			break;
		rest = slice_skip(rest, n);
	}
	return head.n - rest.n;
}

/* A line "From a@b Mon Jan ..." that mbox files have. */
static size_t
mbox_line(struct slice head)
{
	ssize_t lf = slice_chr(head, '\n');

	return slice_starts(head, SLICE("From ")) && lf >= 0 ? (size_t)lf + 1
							     : 0;
}

static int
copy_fields(struct maker *k, struct slice head, struct err *e)
{
	size_t from = mbox_line(head);
	size_t end = from + fields_size(slice_skip(head, from));
	struct slice rest = slice_sub(head, from, end);
	struct header_field f;

	if (head.n == SENDMAIL_HEADER_MAX &&
	    slice_chr(slice_skip(head, end), '\n') < 0)
		return err_set(e, ERR_LIMIT, "header is too large");
	k->m->body = end + (end < head.n && head.p[end] == '\n');
	while (header_next(&rest, &f))
		if (keep_field(k, &f, e) < 0)
			return -1;
	return 0;
}

/* What is missing. Recipients that were hidden stay so. */
static void
add_fields(struct maker *k)
{
	if (!k->has_to && k->wish->n == 0) {
		buf_addz(&k->out, "To: undisclosed-recipients:;\n");
	} else if (!k->has_to) {
		for (size_t i = 0; i < k->m->n; i++)
			buf_addf(&k->out, "%s<%.*s>",
			    i ? ",\n\t" : "To: ", SLICE_FMT(k->m->rcpts[i]));
		buf_addc(&k->out, '\n');
	}
	if (k->wish->tls_not_required)
		buf_addz(&k->out, "TLS-Required: No\n");
	buf_addc(&k->out, '\n');
}

static int
make(struct maker *k, struct slice head, struct err *e)
{
	for (size_t i = 0; i < k->wish->n; i++)
		if (add_argument(k, k->wish->rcpts[i], e) < 0)
			return -1;
	buf_addf(&k->out, "From: <%.*s>\n", SLICE_FMT(k->wish->from));
	if (copy_fields(k, head, e) < 0)
		return -1;
	if (k->m->n == 0)
		return err_set(e, ERR_SYNTAX, "no recipient");
	add_fields(k);
	if (k->out.over)
		return err_set(e, ERR_LIMIT, "header is too large");
	return 0;
}

int
sendmail_message_make(struct arena *arena, struct slice head,
    const struct sendmail_wish *wish, struct sendmail_message *message_r,
    struct err *e)
{
	struct maker k = { .arena = arena,
		.wish = wish,
		.m = message_r,
		.out = BUF_INIT(2 * SENDMAIL_HEADER_MAX) };
	int rc;

	*message_r = (struct sendmail_message){ .rcpts = arena_array(arena,
						    SENDMAIL_RCPTS_MAX,
						    sizeof(struct slice)) };
	rc = make(&k, head, e);
	message_r->header = arena_dup(arena, buf_slice(&k.out));
	message_r->utf8_needed |= has_8bit(wish->from);
	message_r->utf8 = message_r->utf8_needed || has_8bit(message_r->header);
	buf_free(&k.out);
	return rc;
}
