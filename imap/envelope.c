#include "imap/envelope.h"

#include "imap/parse.h"

/* "(name NIL mailbox host)" */
static bool
address(struct imap_parse *p, struct envelope_address *a_r)
{
	struct slice route;

	return imap_char(p, '(') && imap_nstring(p, &a_r->name) && imap_sp(p) &&
	    imap_nstring(p, &route) && imap_sp(p) &&
	    imap_nstring(p, &a_r->mailbox) && imap_sp(p) &&
	    imap_nstring(p, &a_r->host) && imap_char(p, ')');
}

/* A list of addresses to its end; the first goes to first_r. */
static bool
addresses(struct imap_parse *p, bool *any_r, struct envelope_address *first_r)
{
	struct envelope_address a;

	*any_r = false;
	if (imap_word(p, "NIL"))
		return true;
	if (!imap_char(p, '('))
		return false;
	while (!imap_char(p, ')')) {
		if (!address(p, &a))
			return false;
		if (!*any_r)
			*first_r = a;
		*any_r = true;
	}
	return true;
}

/* Up to the lists of addresses. */
static bool
begin(struct imap_parse *p)
{
	struct slice text;

	return imap_char(p, '(') && imap_nstring(p, &text) && imap_sp(p) &&
	    imap_nstring(p, &text);
}

bool
imap_envelope_first(struct arena *arena, struct slice envelope,
    enum envelope_field field, struct envelope_address *address_r)
{
	struct imap_parse p = { .sc = scan_of(envelope), .arena = arena };
	bool any = false;

	if (!begin(&p))
		return false;
	for (unsigned i = ENVELOPE_FROM; i <= (unsigned)field; i++)
		if (!imap_sp(&p) || !addresses(&p, &any, address_r))
			return false;
	return any;
}

bool
imap_envelope_text(struct arena *arena, struct slice envelope,
    enum envelope_field field, struct slice *text_r)
{
	struct imap_parse p = { .sc = scan_of(envelope), .arena = arena };
	struct envelope_address address;
	bool any;

	if (!begin(&p))
		return false;
	for (unsigned i = ENVELOPE_FROM; i <= ENVELOPE_BCC; i++)
		if (!imap_sp(&p) || !addresses(&p, &any, &address))
			return false;
	for (unsigned i = ENVELOPE_IN_REPLY_TO; i <= (unsigned)field; i++)
		if (!imap_sp(&p) || !imap_nstring(&p, text_r))
			return false;
	return text_r->p != NULL;
}
