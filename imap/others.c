#include "imap/others.h"

#include "imap/errand.h"
#include "imap/notify.h"

/* The result of the command for what the account has answered. */
static enum imap_result
result(struct imap_command *c, const struct imap_answer *answer)
{
	struct slice why =
	    slice_head(buf_slice(&answer->text), (size_t)answer->n);

	switch (answer->code) {
	case IMAP_ERRAND_DONE:
		return IMAP_OK;
	case IMAP_ERRAND_NOTHING:
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	case IMAP_ERRAND_NOPERM:
		return imap_no(c, "NOPERM", "you have no right to do that");
	case IMAP_ERRAND_EXISTS:
		return imap_no(c, "ALREADYEXISTS", "mailbox already exists");
	case IMAP_ERRAND_HASCHILDREN:
		return imap_no(c, "HASCHILDREN", "mailbox has children");
	case IMAP_ERRAND_CANNOT:
		for (size_t i = 0; i < why.n; i++)
			if (why.p[i] != ' ' &&
			    !scan_print[(unsigned char)why.p[i]])
				why.n = 0;
		return imap_no(c, "CANNOT", "%.*s",
		    SLICE_FMT(why.n ? why : SLICE("not allowed")));
	default:
		break;
	}
	return imap_no(c, "UNAVAILABLE",
	    "the owner's account cannot do it now");
}

/* The answer is in any case the caller's to free. */
static enum imap_result
ask(struct imap_session *s, struct imap_command *c, struct slice account,
    const struct imap_errand *errand, struct imap_answer *answer_r)
{
	struct err e = ERR_INIT;

	if (imap_errand_ask(s, account, errand, answer_r, &e) == 0)
		return result(c, answer_r);
	/* A process without a parent has nobody to ask. */
	if (e.kind == ERR_PERM)
		return imap_no(c, "CANNOT", "%s", e.text);
	return imap_store_failed(c, STORE_FAILED, &e);
}

/* A line each: names of the account, to be subscribed here too. */
static int
take_made(struct imap_session *s, struct slice account, struct slice text,
    struct err *e)
{
	struct slice line, name;
	int rc = 0;

	while (rc == 0 && slice_line(&text, &line)) {
		if (store_name_check(s->arena, line, &name, e) < 0)
			return -1;
		name = imap_name_of(s, account, name);
		rc = store_subscribe(s->store, name, true, e);
		imap_tell_created(s, &name, rc == 0);
	}
	return rc;
}

/* RFC 8474, 4.1 */
static void
take_id(struct imap_command *c, struct slice id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!scan_alnum[(unsigned char)id.p[i]] && id.p[i] != '-' &&
		    id.p[i] != '_')
			return;
	if (id.n == STORE_MAILBOXID)
		imap_code(c, "MAILBOXID (%.*s)", SLICE_FMT(id));
}

enum imap_result
imap_others_create(struct imap_session *s, struct imap_command *c,
    struct slice name, bool use)
{
	struct imap_errand errand = { .op = IMAP_ERRAND_CREATE };
	struct slice account, id, text;
	struct imap_answer answer;
	struct err e = ERR_INIT;
	enum imap_result rc;

	if (imap_owner_of(s, name, &account, &errand.a) == 0 || !errand.a.n)
		return imap_no(c, "NOPERM", "you have no right to do that");
	if (use)
		return imap_no(c, "USEATTR",
		    "special uses are those of the owner");
	rc = ask(s, c, account, &errand, &answer);
	if (rc == IMAP_OK) {
		text = slice_head(buf_slice(&answer.text), (size_t)answer.n);
		slice_line(&text, &id);
		take_id(c, id);
		s->renew = true;
		if (take_made(s, account, text, &e) < 0)
			rc = imap_store_failed(c, STORE_FAILED, &e);
	}
	imap_answer_free(&answer);
	return rc;
}

enum imap_result
imap_others_delete(struct imap_session *s, struct imap_command *c,
    const struct imap_box *box)
{
	const struct imap_errand errand = { .op = IMAP_ERRAND_DELETE,
		.a = box->name };
	struct imap_answer answer;
	enum imap_result rc =
	    ask(s, c, store_account(box->store), &errand, &answer);

	imap_answer_free(&answer);
	return rc;
}

enum imap_result
imap_others_rename(struct imap_session *s, struct imap_command *c,
    const struct imap_box *box, struct slice to, struct slice *to_r)
{
	struct imap_errand errand = { .op = IMAP_ERRAND_RENAME,
		.a = box->name };
	struct imap_answer answer;
	struct slice account;
	enum imap_result rc;

	if (!box->other || !imap_is_others(to) ||
	    imap_owner_of(s, to, &account, &errand.b) == 0 || !errand.b.n ||
	    !slice_eq(account, store_account(box->store)))
		return imap_no(c, "CANNOT",
		    "mailboxes stay with their owners: copy the messages");
	*to_r = errand.b;
	rc = ask(s, c, account, &errand, &answer);
	imap_answer_free(&answer);
	s->renew |= rc == IMAP_OK;
	return rc;
}
