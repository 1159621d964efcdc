/* CAPABILITY, NOOP and CHECK, LOGOUT, ID, ENABLE, NAMESPACE. */
#include "base/log.h"
#include "base/opt.h"
#include "imap/box.h"
#include "imap/imap.h"
#include "imap/notify.h"

enum imap_result
imap_cmd_capability(struct imap_session *s, struct imap_command *c)
{
	if (!imap_end(&c->p))
		return imap_bad_args(c);
	buf_addz(&s->out, "* CAPABILITY ");
	imap_capabilities(&s->out, s);
	buf_addz(&s->out, "\r\n");
	return IMAP_OK;
}

/* What there is to tell, the session tells before the answer. */
enum imap_result
imap_cmd_noop(struct imap_session *s, struct imap_command *c)
{
	(void)s;
	return imap_end(&c->p) ? IMAP_OK : imap_bad_args(c);
}

enum imap_result
imap_cmd_logout(struct imap_session *s, struct imap_command *c)
{
	if (!imap_end(&c->p))
		return imap_bad_args(c);
	imap_line(s, "BYE thanks");
	s->logout = true;
	return IMAP_OK;
}

/* RFC 2971 */
enum imap_result
imap_cmd_id(struct imap_session *s, struct imap_command *c)
{
	struct slice text = scan_rest(&c->p.sc);

	if (!imap_id(&c->p) || !imap_end(&c->p))
		return imap_bad_args(c);
	log_line("imapserver", LOG_INFO, "client", LOG_S("id", text));
	imap_line(s, "ID (\"name\" \"mox\" \"version\" \"" MOX_VERSION "\")");
	return IMAP_OK;
}

/* RFC 5161; RFC 9051, 6.3.1. */
enum imap_result
imap_cmd_enable(struct imap_session *s, struct imap_command *c)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = {
		{ "IMAP4rev2", IMAP_REV2 },
		{ "UTF8=ACCEPT", IMAP_UTF8 },
		{ "CONDSTORE", IMAP_CONDSTORE },
		{ "QRESYNC", IMAP_QRESYNC | IMAP_CONDSTORE },
		{ "UIDONLY", IMAP_UIDONLY },
		{ "METADATA", IMAP_METADATA },
	};
	struct buf names = BUF_INIT(IMAP_LINE_MAX);
	struct slice name = SLICE_NULL;
	bool condstore = false; /* asked for */
	unsigned bits = 0;

	while (imap_char(&c->p, ' ') && imap_atom(&c->p, &name))
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
			if (!slice_isi(name, known[i].name) ||
			    imap_disabled(s, name))
				continue;
			bits |= known[i].bit;
			condstore |= known[i].bit == IMAP_CONDSTORE;
			buf_addf(&names, " %.*s", SLICE_FMT(name));
		}
	if (!name.n || !imap_end(&c->p)) {
		buf_free(&names);
		return imap_bad(c, "expected capabilities");
	}
	/* RFC 7162, 3.2.3: QRESYNC turns both on. */
	if (bits & ~s->enabled & IMAP_CONDSTORE && bits & IMAP_QRESYNC &&
	    !condstore)
		buf_addz(&names, " CONDSTORE");
	if (bits & IMAP_CONDSTORE)
		imap_enable_condstore(s);
	s->enabled |= bits;
	if (bits & IMAP_METADATA)
		imap_notify_begin(s);
	imap_line(s, "ENABLED%s", buf_cstr(&names));
	buf_free(&names);
	return IMAP_OK;
}

/* RFC 2342: the user's own, and what others share with him. */
enum imap_result
imap_cmd_namespace(struct imap_session *s, struct imap_command *c)
{
	if (!imap_end(&c->p))
		return imap_bad_args(c);
	imap_line(s,
	    "NAMESPACE ((\"\" \"/\")) ((\"" IMAP_OTHERS "/\" \"/\")) NIL");
	return IMAP_OK;
}
