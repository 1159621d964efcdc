/* queue_holdrules - which new messages are held. */
#include <stdio.h>

#include "base/proc.h"
#include "queue/holdrules.h"
#include "text/idna.h"
#include "tools/command.h"
#include "tools/queue_tool.h"

static void
put_part(struct buf *out, const char *what, struct slice value,
    const char **comma)
{
	if (!value.n)
		return;
	buf_addf(out, "%s%s \"%.*s\"", *comma, what, SLICE_FMT(value));
	*comma = ", ";
}

static void
put_rule(struct buf *out, const struct holdrule *rule)
{
	const char *comma = "";

	buf_addf(out, "id %u: ", (unsigned)rule->id);
	put_part(out, "account", rule->account, &comma);
	put_part(out, "sender domain", rule->sender, &comma);
	put_part(out, "recipient domain", rule->recipient, &comma);
	buf_addz(out, *comma ? "\n" : "all messages\n");
}

static void
put_json(struct buf *out, const struct holdrules *rules)
{
	struct json_out j = JSON_OUT(out, true);

	json_put_array(&j, NULL);
	for (size_t i = 0; i < rules->n; i++) {
		json_put_object(&j, NULL);
		json_put_u64(&j, "ID", rules->v[i].id);
		json_put_str(&j, "Account", rules->v[i].account);
		json_put_str(&j, "SenderDomain", rules->v[i].sender);
		json_put_str(&j, "RecipientDomain", rules->v[i].recipient);
		json_put_end(&j);
	}
	json_put_end(&j);
}

int
queue_holdrules_list(struct queue_tool *t, bool json)
{
	struct buf out = BUF_INIT(SIZE_MAX);
	struct err e = ERR_INIT;
	struct holdrules rules;

	if (holdrules_read(&t->q, t->arena, &rules, &e) < 0) {
		queue_tool_complain(t, &e);
		return EXIT_FAILED;
	}
	if (json)
		put_json(&out, &rules);
	else {
		buf_addz(&out, "hold rules:\n");
		for (size_t i = 0; i < rules.n; i++)
			put_rule(&out, &rules.v[i]);
		if (rules.n == 0)
			buf_addz(&out, "(none)\n");
	}
	return command_end(EXIT_DONE, &out);
}

/* In ASCII form, lower case, as the file has them. */
static int
domain(struct queue_tool *t, const char *text, struct slice *domain_r,
    struct err *e)
{
	*domain_r = SLICE_NULL;
	return text && *text
	    ? idna_ascii(t->arena, slice_str(text), domain_r, e)
	    : 0;
}

int
queue_holdrules_add(struct queue_tool *t, const char *account,
    const char *sender, const char *recipient)
{
	struct holdrule rule = { .account = slice_str(account) };
	struct err e = ERR_INIT;
	uint32_t id = 0;

	if (domain(t, sender, &rule.sender, &e) < 0 ||
	    domain(t, recipient, &rule.recipient, &e) < 0 ||
	    holdrules_add(&t->q, &rule, &id, &e) < 0) {
		queue_tool_complain(t, &e);
		return EXIT_FAILED;
	}
	t->filter.rule = &rule;
	printf("hold rule %u added, %zu messages held\n", (unsigned)id,
	    queue_hold_quietly(t));
	return t->failed ? EXIT_FAILED : EXIT_DONE;
}

int
queue_holdrules_remove(struct queue_tool *t, const char *id)
{
	struct err e = ERR_INIT;
	uint32_t n;
	int rc;

	if (!slice_u32(slice_str(id), &n))
		rc = err_set(&e, ERR_SYNTAX, "\"%s\" is no number of a rule",
		    id);
	else
		rc = holdrules_remove(&t->q, n, &e);
	if (rc == 0)
		rc = err_set(&e, ERR_PERM, "no hold rule %s", id);
	if (rc < 0)
		queue_tool_complain(t, &e);
	return rc < 0 ? EXIT_FAILED : EXIT_DONE;
}
