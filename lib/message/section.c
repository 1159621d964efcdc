/* section - which octets of a message an IMAP section means. */
#include "message/section.h"

#include "message/header.h"

/* Child number (from 1) of part i; false if there is none. */
static bool
find_child(struct slice record, uint32_t number, uint32_t *i,
    struct msgrec_part *part)
{
	uint32_t end = part->next;

	for (uint32_t c = *i + 1; c < end; c = part->next) {
		msgrec_part(record, c, part);
		if (part->number == number) {
			*i = c;
			return true;
		}
	}
	return false;
}

/*
 * Follow the path. Numbers count the parts of a multipart; anything else has
 * one part, itself; those of a message part are those of the message in it
 * (RFC 9051, 6.4.5.1).
 */
static bool
walk(struct slice record, const uint32_t *path, size_t n, uint32_t *i,
    struct msgrec_part *part)
{
	bool inside = true; /* of a message: at its own root */

	*i = 0;
	msgrec_part(record, 0, part);
	for (size_t k = 0; k < n; k++) {
		if (!inside && part->kind == MSGREC_MESSAGE) {
			if (!find_child(record, 1, i, part))
				return false;
			inside = true;
		}
		if (part->kind == MSGREC_MULTIPART) {
			if (!find_child(record, path[k], i, part))
				return false;
		} else if (!inside || path[k] != 1)
			return false;
		inside = false;
	}
	return true;
}

static void
set_range(struct section *s, struct msgrec_pos from, struct msgrec_pos to)
{
	s->from = from;
	s->size = to.off - from.off;
}

bool
section_find(struct slice record, const uint32_t *path, size_t n,
    enum section_kind kind, struct section *section_r)
{
	struct msgrec_part part;
	uint32_t i;

	if (!walk(record, path, n, &i, &part))
		return false;
	section_r->part = i;
	if (kind == SECTION_MIME) {
		if (n == 0)
			return false;
		set_range(section_r, part.header, part.body);
		return true;
	}
	if (n == 0 && kind == SECTION_WHOLE) {
		set_range(section_r, part.header, part.end);
		return true;
	}
	if (kind == SECTION_WHOLE) {
		set_range(section_r, part.body, part.end);
		return true;
	}
	/* HEADER and TEXT are those of the message in a message part. */
	if (n > 0) {
		if (part.kind != MSGREC_MESSAGE ||
		    !find_child(record, 1, &i, &part))
			return false;
		section_r->part = i;
	}
	if (kind == SECTION_HEADER)
		set_range(section_r, part.header, part.body);
	else
		set_range(section_r, part.body, part.end);
	return true;
}

static bool
is_listed(struct slice name, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eqi(name, names[i]))
			return true;
	return false;
}

void
section_fields(struct slice header, const struct slice *names, size_t n,
    bool except, struct buf *out)
{
	struct header_field field;
	struct slice line;

	while (header_next(&header, &field)) {
		if (is_listed(field.name, names, n) == except)
			continue;
		while (slice_line(&field.raw, &line)) {
			buf_add(out, line);
			buf_add(out, SLICE("\r\n"));
		}
	}
	buf_add(out, SLICE("\r\n"));
}
