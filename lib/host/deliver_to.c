/* deliver_to - which mailboxes an address leads to; aliases, which stand for
 * several. */
#include "base/log.h"
#include "host/deliver.h"

void
deliver_target_add(struct arena *arena, struct deliver_targets *targets,
    const struct lookup_result *r, struct slice address, struct slice member)
{
	struct slice mailbox = r->destination->mailbox;
	size_t n = targets->n;

	for (size_t i = 0; i < n; i++) {
		struct deliver_target *t = &targets->v[i];
		if (!slice_eq(t->account, r->account) ||
		    !slice_eq(t->mailbox, mailbox))
			continue;
		if (!member.n)
			t->member = SLICE_NULL;
		return;
	}
	if ((n & (n - 1)) == 0)
		targets->v = arena_grow(arena, targets->v, n, n ? 2 * n : 1,
		    sizeof(*targets->v));
	targets->v[targets->n++] = (struct deliver_target){
		.account = r->account,
		.mailbox = mailbox,
		.address = address,
		.member = member,
		.reports = r->reports != LOOKUP_REPORTS_NONE,
		.forward = { .keep = true },
	};
}

int
deliver_expand(struct lookup *lookup, struct arena *arena,
    const struct conf_alias *alias, struct slice address,
    struct deliver_targets *targets, struct err *e)
{
	struct lookup_result r;
	bool any = false;

	if (alias->addresses.n > DELIVER_TARGETS_MAX - targets->n)
		return err_set(e, ERR_LIMIT, "too many recipients");
	for (size_t i = 0; i < alias->addresses.n; i++) {
		struct slice member = alias->addresses.v[i];
		if (lookup_mailbox(lookup, arena, member, &r, e) < 0)
			return -1;
		if (r.status == LOOKUP_ACCOUNT) {
			deliver_target_add(arena, targets, &r, address,
			    r.address);
			any = true;
		} else
			log_line("deliver", LOG_WARN, "alias member ignored",
			    LOG_S("alias", address), LOG_S("member", member));
	}
	return any;
}

/* Mail that goes round within the account would come back for ever. */
static int
take_out_own(struct lookup *lookup, struct arena *arena, struct slice account,
    struct forward *f, struct err *e)
{
	struct lookup_result r;
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (lookup_mailbox(lookup, arena, f->to[i], &r, e) < 0)
			return -1;
		if (r.status == LOOKUP_ACCOUNT && slice_eq(r.account, account))
			f->keep = true;
		else
			f->to[n++] = f->to[i];
	}
	f->n = n;
	return 0;
}

/* Mail to several addresses of an account is passed on once. */
static bool
is_forwarded(const struct deliver_targets *targets, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (!targets->v[i].reports &&
		    slice_eq(targets->v[i].account, targets->v[before].account))
			return true;
	return false;
}

int
deliver_forwards(struct host *h, struct arena *arena,
    struct deliver_targets *targets, size_t first, struct err *e)
{
	for (size_t i = first; i < targets->n; i++) {
		struct deliver_target *t = &targets->v[i];

		if (t->reports)
			continue;
		if (forward_read(&h->env, t->account, arena, &t->forward, e) <
			0 ||
		    take_out_own(h->lookup, arena, t->account, &t->forward, e) <
			0)
			return err_prefix(e, "account %.*s",
			    SLICE_FMT(t->account));
		if (is_forwarded(targets, i))
			t->forward.n = 0;
	}
	return 0;
}

struct slice
deliver_forwarder(const struct deliver_target *t)
{
	return t->member.n ? t->member : t->address;
}

/* Is author among the members? 1, 0, -1. */
static int
is_member(struct lookup *lookup, struct arena *arena,
    const struct conf_alias *alias, struct slice author, struct err *e)
{
	struct lookup_result r;

	for (size_t i = 0; i < alias->addresses.n; i++) {
		if (lookup_mailbox(lookup, arena, alias->addresses.v[i], &r,
			e) < 0)
			return -1;
		if (r.status == LOOKUP_ACCOUNT && slice_eq(r.address, author))
			return 1;
	}
	return 0;
}

int
deliver_may_post(struct lookup *lookup, struct arena *arena,
    const struct conf_alias *alias, struct slice address,
    const struct lookup_result *author, struct err *e)
{
	if (alias->post_public)
		return 1;
	if (slice_eq(author->address, address))
		return alias->allow_msg_from;
	return is_member(lookup, arena, alias, author->address, e);
}

bool
deliver_is_own(const struct deliver_target *t,
    const struct lookup_result *author)
{
	return t->member.n && author->status == LOOKUP_ACCOUNT &&
	    slice_eq(t->member, author->address);
}
