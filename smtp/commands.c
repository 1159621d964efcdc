/* commands - the table, and commands that do next to nothing. */
#include "smtp/front.h"

static void
cmd_noop(struct smtp_front *f, struct slice args)
{
	(void)args; /* RFC 5321, 4.1.1.9: a string may stand there */
	smtp_reply(f, 250, "2.0.0", "ok");
}

static void
cmd_quit(struct smtp_front *f, struct slice args)
{
	(void)args;
	smtp_reply(f, 221, "2.0.0", "bye");
	f->done = true;
}

/* RFC 5321, 3.5.3: an address is neither confirmed nor denied. */
static void
cmd_vrfy(struct smtp_front *f, struct slice args)
{
	(void)args;
	smtp_reply(f, 252, "2.7.0", "send mail to find out");
}

static void
cmd_help(struct smtp_front *f, struct slice args)
{
	(void)args;
	smtp_reply(f, 214, "2.0.0", "see RFC 5321 (SMTP)");
}

static void
cmd_rset(struct smtp_front *f, struct slice args)
{
	(void)args;
	smtp_reset_all(f);
	if (!f->done)
		smtp_reply(f, 250, "2.0.0", "ok");
}

static const struct smtp_command commands[] = {
	{ "EHLO", smtp_cmd_ehlo, 0 },
	{ "HELO", smtp_cmd_helo, 0 },
	{ "STARTTLS", smtp_cmd_starttls,
	    SMTP_NO_ARGS | SMTP_GREETED | SMTP_NOT_IN_BDAT },
	{ "AUTH", smtp_cmd_auth,
	    SMTP_SUBMISSION | SMTP_GREETED | SMTP_NOT_IN_BDAT },
	{ "MAIL", smtp_cmd_mail, SMTP_GREETED | SMTP_NOT_IN_BDAT },
	{ "RCPT", smtp_cmd_rcpt, SMTP_GREETED | SMTP_NOT_IN_BDAT },
	{ "DATA", smtp_cmd_data,
	    SMTP_NO_ARGS | SMTP_GREETED | SMTP_NOT_IN_BDAT },
	{ "BDAT", smtp_cmd_bdat, SMTP_GREETED },
	{ "RSET", cmd_rset, SMTP_NO_ARGS },
	{ "NOOP", cmd_noop, 0 },
	{ "VRFY", cmd_vrfy, SMTP_NOT_IN_BDAT },
	{ "EXPN", cmd_vrfy, SMTP_NOT_IN_BDAT },
	{ "HELP", cmd_help, SMTP_NOT_IN_BDAT },
	{ "QUIT", cmd_quit, SMTP_NO_ARGS },
};

const struct smtp_command *
smtp_find_command(struct slice name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (slice_isi(name, commands[i].name))
			return &commands[i];
	return NULL;
}
