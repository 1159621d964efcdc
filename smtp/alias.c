/*
 * alias - addresses that stand for several: expanded at RCPT, and once the
 * message has come: may its author write to them (smtp.md 7)?
 */
#include "base/log.h"
#include "smtp/back.h"
#include "smtp/front.h"

/* Members that are gone meanwhile are left out. */
int
smtp_alias_expand(struct smtp_back *b, const struct conf_alias *alias,
    struct slice address, struct err *e)
{
	struct lookup_result r;
	size_t members = 0;

	if (alias->addresses.n > SMTP_TARGETS_MAX - b->ntargets)
		return smtp_verdict(b, 452, "4.5.3", e, "too many recipients");
	for (size_t i = 0; i < alias->addresses.n; i++) {
		struct slice member = alias->addresses.v[i];
		if (lookup_mailbox(b->login.host->lookup, b->arena, member, &r,
			e) < 0)
			return -1;
		if (r.status == LOOKUP_ACCOUNT) {
			smtp_add_target(b, &r, address, r.address);
			members++;
		} else
			log_line(SMTP_TOPIC, LOG_WARN, "alias member ignored",
			    LOG_S("alias", address), LOG_S("member", member));
	}
	return members
	    ? 1
	    : smtp_verdict(b, 451, "4.3.0", e, "alias has no members now");
}

/* Is author among the members? 1, 0, -1. */
static int
is_member(struct smtp_back *b, const struct conf_alias *alias,
    struct slice author, struct err *e)
{
	struct lookup_result r;

	for (size_t i = 0; i < alias->addresses.n; i++) {
		if (lookup_mailbox(b->login.host->lookup, b->arena,
			alias->addresses.v[i], &r, e) < 0)
			return -1;
		if (r.status == LOOKUP_ACCOUNT && slice_eq(r.address, author))
			return 1;
	}
	return 0;
}

/* Whoever may write as the alias; else members, or everybody. */
static int
may_post(struct smtp_back *b, const struct smtp_to *to,
    const struct lookup_result *from, struct err *e)
{
	if (!to->alias || to->alias->post_public)
		return 1;
	if (slice_eq(from->address, to->address))
		return to->alias->allow_msg_from;
	return is_member(b, to->alias, from->address, e);
}

int
smtp_alias_check(struct smtp_back *b, struct err *e)
{
	struct slice record = buf_slice(&b->record);
	struct lookup_result from;

	if (lookup_address(b->login.host->lookup, b->arena,
		msgrec_text(record, MSGREC_FROM_LOCAL),
		msgrec_text(record, MSGREC_FROM_DOMAIN), &from, e) < 0)
		return -1;
	for (size_t i = 0; i < b->nto; i++) {
		int rc = may_post(b, &b->to[i], &from, e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return smtp_verdict(b, 550, "5.7.2", e,
			    "not allowed to post to this address");
	}
	b->author = from.status == LOOKUP_ACCOUNT ? from.address : SLICE_NULL;
	return 1;
}
