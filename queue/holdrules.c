/* holdrules - which new messages are held. */
#include "queue/holdrules.h"

#include "base/file.h"
#include "db/lock.h"
#include "db/newfile.h"

#define NAME "holdrules"
#define LOCK_NAME "holdrules.lock"
#define RULES_MAX (1024 * 1024) /* bytes of the file */

/* ---- the file ---- */

static bool
word(struct slice *rest, struct slice *word_r)
{
	if (!slice_next(rest, ' ', word_r) || word_r->n == 0)
		return false;
	if (slice_is(*word_r, "-"))
		*word_r = SLICE_NULL;
	return true;
}

int
holdrules_parse(struct slice text, struct arena *arena, struct holdrules *rules,
    struct err *e)
{
	struct slice line, id;
	size_t room = 0;

	for (unsigned number = 1; slice_line(&text, &line); number++) {
		struct holdrule rule;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (!word(&line, &id) || !slice_u32(id, &rule.id) ||
		    !word(&line, &rule.account) || !word(&line, &rule.sender) ||
		    !word(&line, &rule.recipient) || line.n)
			return err_set(e, ERR_SYNTAX,
			    "queue/" NAME ":%u: must be ID ACCOUNT "
			    "SENDER-DOMAIN RECIPIENT-DOMAIN, - for any",
			    number);
		if (rules->n == room) {
			room = room ? room * 2 : 8;
			rules->v = arena_grow(arena, rules->v, rules->n, room,
			    sizeof(*rules->v));
		}
		rules->v[rules->n++] = rule;
	}
	return 0;
}

int
holdrules_read(const struct queue *q, struct arena *arena,
    struct holdrules *rules_r, struct err *e)
{
	struct buf text = BUF_INIT(RULES_MAX);
	int rc = file_read(q->fd, NAME, &text, e);

	*rules_r = (struct holdrules){ NULL, 0 };
	if (rc > 0)
		rc = holdrules_parse(arena_dup(arena, buf_slice(&text)), arena,
		    rules_r, e);
	buf_free(&text);
	return rc;
}

static void
add_word(struct buf *out, struct slice s)
{
	buf_addc(out, ' ');
	buf_add(out, s.n ? s : SLICE("-"));
}

static int
write_rules(struct queue *q, const struct holdrules *rules, struct err *e)
{
	struct buf out = BUF_INIT(RULES_MAX);
	int rc;

	for (size_t i = 0; i < rules->n; i++) {
		buf_addu(&out, rules->v[i].id);
		add_word(&out, rules->v[i].account);
		add_word(&out, rules->v[i].sender);
		add_word(&out, rules->v[i].recipient);
		buf_addc(&out, '\n');
	}
	rc = out.over ? err_set(e, ERR_LIMIT, "too many hold rules")
		      : db_write_file(q->fd, NAME, buf_slice(&out), 0600, e);
	buf_free(&out);
	return rc;
}

/* ---- matching ---- */

const struct holdrule *
holdrules_match(const struct holdrules *rules, struct slice account,
    struct slice from, struct slice to)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct holdrule *rule = &rules->v[i];
		if ((!rule->account.n || slice_eq(rule->account, account)) &&
		    (!rule->sender.n ||
			slice_eqi(rule->sender, queue_domain(from))) &&
		    (!rule->recipient.n ||
			slice_eqi(rule->recipient, queue_domain(to))))
			return rule;
	}
	return NULL;
}

/* ---- changing ---- */

/* Does it fit into a line of words? */
static bool
is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ')
			return false;
	return !slice_is(s, "-");
}

int
holdrules_add(struct queue *q, const struct holdrule *rule, uint32_t *id_r,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	struct db_lock lock = DB_LOCK_INIT;
	struct holdrules rules;
	int rc = -1;

	if (!is_word(rule->account) || !is_word(rule->sender) ||
	    !is_word(rule->recipient))
		err_set(e, ERR_SYNTAX, "a hold rule has no spaces in it");
	else if (db_lock(&lock, q->fd, LOCK_NAME, DB_LOCK_LEASE, DB_LOCK_MS,
		     e) == 1 &&
	    holdrules_read(q, arena, &rules, e) >= 0) {
		rules.v = arena_grow(arena, rules.v, rules.n, rules.n + 1,
		    sizeof(*rules.v));
		rules.v[rules.n] = *rule;
		rules.v[rules.n].id = 1;
		for (size_t i = 0; i < rules.n; i++)
			if (rules.v[i].id >= rules.v[rules.n].id)
				rules.v[rules.n].id = rules.v[i].id + 1;
		*id_r = rules.v[rules.n++].id;
		rc = write_rules(q, &rules, e);
	}
	db_unlock(&lock);
	arena_free(&arena);
	return rc;
}

int
holdrules_remove(struct queue *q, uint32_t id, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct db_lock lock = DB_LOCK_INIT;
	struct holdrules rules;
	size_t kept = 0;
	int rc = -1;

	if (db_lock(&lock, q->fd, LOCK_NAME, DB_LOCK_LEASE, DB_LOCK_MS, e) ==
		1 &&
	    holdrules_read(q, arena, &rules, e) >= 0) {
		for (size_t i = 0; i < rules.n; i++)
			if (rules.v[i].id != id)
				rules.v[kept++] = rules.v[i];
		rc = kept < rules.n;
		rules.n = kept;
		if (rc == 1 && write_rules(q, &rules, e) < 0)
			rc = -1;
	}
	db_unlock(&lock);
	arena_free(&arena);
	return rc;
}
