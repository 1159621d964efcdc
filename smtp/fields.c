/* fields - what the header of a submission, or of mail that is passed on, says
 * to us (in the front). */
#include "message/header.h"
#include "smtp/front.h"

#define EXTRA "X-Mox-Extra-"

/* Is KEY among the lines "KEY VALUE"? Header names have no case. */
static bool
has_key(struct slice lines, struct slice key)
{
	struct slice line, have, rest;

	while (slice_next(&lines, '\n', &line)) {
		slice_cut(line, ' ', &have, &rest);
		if (slice_eqi(have, key))
			return true;
	}
	return false;
}

static void
add_extra(struct slice key, struct slice value, struct smtp_fields *fields_r,
    struct buf *extras)
{
	struct buf line = BUF_INIT(SMTP_EXTRAS_MAX);

	if (has_key(buf_slice(extras), key))
		fields_r->twice = true;
	buf_add(&line, key);
	buf_addc(&line, ' ');
	header_unfold(&line, value);
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < ' ')
			line.p[i] = ' ';
	buf_addc(&line, '\n');
	if (line.over || extras->n + line.n > SMTP_EXTRAS_MAX)
		fields_r->too_long = true;
	else
		buf_add(extras, buf_slice(&line));
	buf_free(&line);
}

/* RFC 8689, 5: each of them says no. */
struct tls_required {
	bool no, other;
};

static void
see_tls_required(const struct header_field *field, struct tls_required *r)
{
	if (!slice_isi(field->name, "TLS-Required"))
		return;
	if (slice_isi(field->value, "no"))
		r->no = true;
	else
		r->other = true;
}

void
smtp_find_fields(struct slice head, struct smtp_fields *fields_r,
    struct buf *extras)
{
	struct header_field field;
	struct tls_required tls = { false, false };

	while (header_next(&head, &field)) {
		see_tls_required(&field, &tls);
		if (slice_isi(field.name, "Return-Path"))
			fields_r->return_path = true;
		else if (slice_startsi(field.name, SLICE(EXTRA)) &&
		    field.name.n > sizeof(EXTRA) - 1)
			add_extra(slice_skip(field.name, sizeof(EXTRA) - 1),
			    field.value, fields_r, extras);
	}
	fields_r->tls_required_no = tls.no && !tls.other;
}

/* As it was written by whoever had the message, perhaps within <>. */
static void
add_hop(struct slice value, struct buf *lines)
{
	if (value.n > 2 && value.p[0] == '<' && value.p[value.n - 1] == '>')
		value = slice_sub(value, 1, value.n - 1);
	if (value.n == 0 || value.n > SMTP_LINE_MAX)
		return;
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ')
			return;
	buf_add(lines, value);
	buf_addc(lines, '\n');
}

void
smtp_find_hops(struct slice head, struct smtp_fields *fields_r,
    struct buf *lines)
{
	struct header_field field;
	struct tls_required tls = { false, false };

	while (header_next(&head, &field)) {
		see_tls_required(&field, &tls);
		if (slice_isi(field.name, "Delivered-To"))
			add_hop(field.value, lines);
	}
	fields_r->tls_required_no = tls.no && !tls.other;
	fields_r->too_long = lines->over;
}
