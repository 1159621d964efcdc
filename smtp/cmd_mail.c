/* MAIL and RCPT: syntax here, the decision in the back. */
#include "smtp/front.h"

/* May this be said now (RFC 5321, 4.1.4)? */
static bool
mail_allowed(struct smtp_front *f)
{
	if (f->mail)
		smtp_reply(f, 503, "5.5.1", "a transaction is under way");
	else if (f->submission && !f->authenticated)
		smtp_reply(f, 530, "5.7.0", "authenticate first");
	else
		return true;
	return false;
}

void
smtp_cmd_mail(struct smtp_front *f, struct slice args)
{
	struct smtp_offer offer = smtp_offer_of(f);
	struct smtp_verdict verdict;
	struct smtp_refusal why;
	struct smtp_mail_args a;
	struct slice text;

	if (!mail_allowed(f))
		return;
	if (!smtp_mail_args(f->arena, args, &offer, &a, &why)) {
		smtp_reply_refusal(f, &why);
		return;
	}
	struct slice v[] = { SPLIT_OF(a.mail), f->helo, a.from.local,
		a.from.domain, a.envid };
	if (!smtp_ask(f, SMTP_REQ_MAIL, v, 5, &verdict, &text))
		return;
	f->mail = verdict.code < 300;
	f->params = a.mail;
	smtp_reply_verdict(f, &verdict, text);
}

void
smtp_cmd_rcpt(struct smtp_front *f, struct slice args)
{
	struct smtp_offer offer = smtp_offer_of(f);
	struct smtp_verdict verdict;
	struct smtp_refusal why;
	struct smtp_rcpt_args a;
	struct slice text;

	if (!f->mail) {
		smtp_reply(f, 503, "5.5.1", "say MAIL first");
		return;
	}
	if (!smtp_rcpt_args(f->arena, args, &offer, f->params.smtputf8, &a,
		&why)) {
		smtp_reply_refusal(f, &why);
		return;
	}
	struct slice v[] = { SPLIT_OF(a.rcpt), a.to.local, a.to.domain,
		a.orcpt };
	if (!smtp_ask(f, SMTP_REQ_RCPT, v, 4, &verdict, &text))
		return;
	f->rcpts += verdict.code < 300;
	smtp_reply_verdict(f, &verdict, text);
}
