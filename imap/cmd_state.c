/* CAPABILITY, NOOP and CHECK, LOGOUT, ID, ENABLE, NAMESPACE. */
#include "base/log.h"
#include "base/opt.h"
#include "imap/imap.h"

enum imap_result
imap_cmd_capability(struct imap_session *s, struct imap_command *c)
{
	if (!imap_end(&c->p))
		return imap_bad_args(c);
	buf_addz(&s->out, "* CAPABILITY ");
	imap_capabilities(&s->out);
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

/* RFC 2971, 3.1: "(" string SP nstring ... ")", or NIL; at most 30 pairs. */
enum imap_result
imap_cmd_id(struct imap_session *s, struct imap_command *c)
{
	struct buf agent = BUF_INIT(2048);
	struct slice name, value;
	int pairs = 0;

	if (!imap_sp(&c->p))
		return imap_bad_args(c);
	if (!imap_word(&c->p, "NIL")) {
		if (!imap_char(&c->p, '('))
			return imap_bad(c, "expected ( or NIL");
		while (!imap_peek(&c->p, ')')) {
			if ((pairs && !imap_sp(&c->p)) ||
			    !imap_string(&c->p, &name) || !imap_sp(&c->p) ||
			    !imap_nstring(&c->p, &value) || ++pairs > 30) {
				buf_free(&agent);
				return imap_bad_args(c);
			}
			if (pairs > 1)
				buf_addc(&agent, ' ');
			buf_add(&agent, name);
			buf_addc(&agent, '=');
			buf_add(&agent, value);
		}
		imap_char(&c->p, ')');
	}
	log_line("imapserver", LOG_INFO, "client",
	    LOG_S("id", buf_slice(&agent)));
	buf_free(&agent);
	if (!imap_end(&c->p))
		return imap_bad_args(c);
	imap_line(s, "ID (\"name\" \"mox\" \"version\" \"" MOX_VERSION "\")");
	return IMAP_OK;
}

/* RFC 5161; RFC 9051, 6.3.1. */
enum imap_result
imap_cmd_enable(struct imap_session *s, struct imap_command *c)
{
	static const struct {
		const char *name;
		unsigned bits;
	} known[] = {
		{ "IMAP4rev2", IMAP_REV2 | IMAP_UTF8 },
		{ "UTF8=ACCEPT", IMAP_UTF8 },
		{ "CONDSTORE", IMAP_CONDSTORE },
	};
	struct buf enabled = BUF_INIT(1024);
	struct slice name;

	if (!imap_sp(&c->p))
		return imap_bad_args(c);
	do {
		if (!imap_atom(&c->p, &name)) {
			buf_free(&enabled);
			return imap_bad(c, "expected capability");
		}
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
			if (!slice_isi(name, known[i].name))
				continue;
			if (known[i].bits & IMAP_CONDSTORE)
				imap_enable_condstore(s);
			s->enabled |= known[i].bits;
			buf_addf(&enabled, " %.*s", SLICE_FMT(name));
		}
	} while (imap_char(&c->p, ' '));
	if (imap_end(&c->p))
		imap_line(s, "ENABLED%s", buf_cstr(&enabled));
	buf_free(&enabled);
	return imap_end(&c->p) ? IMAP_OK : imap_bad_args(c);
}

/* RFC 2342: one personal namespace, no others. */
enum imap_result
imap_cmd_namespace(struct imap_session *s, struct imap_command *c)
{
	if (!imap_end(&c->p))
		return imap_bad_args(c);
	imap_line(s, "NAMESPACE ((\"\" \"/\")) NIL NIL");
	return IMAP_OK;
}
