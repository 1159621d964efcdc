/* queue_filter - which entries of the queue a command is for. */
#include "config/schema.h"
#include "tools/queue_tool.h"

/* ---- parsing ---- */

/* "<now", ">-1h30m": before or after a time relative to now. */
static int
parse_time(const char *option, const char *text, int64_t now_us,
    struct queue_time_filter *f_r, struct err *e)
{
	struct slice s = slice_str(text);
	int64_t ns = 0;

	*f_r = (struct queue_time_filter){ SIDE_ANY, 0 };
	if (!text)
		return 0;
	f_r->side = s.n && s.p[0] == '<' ? SIDE_BEFORE : SIDE_AFTER;
	if (s.n < 2 || (s.p[0] != '<' && s.p[0] != '>') ||
	    (!slice_is(slice_trim(slice_skip(s, 1)), "now") &&
		!schema_duration_parse(slice_trim(slice_skip(s, 1)), &ns)))
		return err_set(e, ERR_SYNTAX,
		    "-%s must be < (before) or > (after) and a time relative "
		    "to now, such as \"<now\", \"<-1h30m\" or \">15m\", not "
		    "\"%s\"",
		    option, text);
	f_r->us = now_us + ns / 1000;
	return 0;
}

static int
parse_choice(const char *option, const char *text, const char *no,
    const char *yes, int *v_r, struct err *e)
{
	*v_r = -1;
	if (!text || !*text)
		return 0;
	if (slice_is(slice_str(text), no))
		*v_r = 0;
	else if (slice_is(slice_str(text), yes))
		*v_r = 1;
	else
		return err_set(e, ERR_SYNTAX,
		    "-%s must be %s or %s, not \"%s\"", option, yes, no, text);
	return 0;
}

static int
parse_ids(const char *text, struct arena *arena, struct queue_filter *f,
    struct err *e)
{
	struct slice rest = slice_str(text), word, id;
	unsigned n;

	while (slice_next(&rest, ',', &word)) {
		word = slice_trim(word);
		if (!queue_name(word, &id, &n))
			return err_set(e, ERR_SYNTAX,
			    "-ids: \"%.*s\" is no ID of a message or "
			    "recipient, as `mox-queue list` shows them",
			    SLICE_FMT(word));
		f->ids = arena_grow(arena, f->ids, f->nids, f->nids + 1,
		    sizeof(*f->ids));
		f->ids[f->nids++] = word;
	}
	return 0;
}

int
queue_filter_parse(const struct queue_filter_text *text, int64_t now_us,
    struct arena *arena, struct queue_filter *f_r, struct err *e)
{
	struct queue_filter *f = f_r;

	*f = (struct queue_filter){ .account = text->account,
		.from = text->from,
		.to = text->to,
		.transport = text->transport,
		.n = text->n };
	if (text->n < 0)
		return err_set(e, ERR_SYNTAX, "-n must not be negative");
	if (parse_time("submitted", text->submitted, now_us, &f->submitted, e) <
		0 ||
	    parse_time("nextattempt", text->nextattempt, now_us,
		&f->nextattempt, e) < 0 ||
	    parse_time("lastactivity", text->lastactivity, now_us,
		&f->lastactivity, e) < 0 ||
	    parse_choice("hold", text->hold, "false", "true", &f->hold, e) <
		0 ||
	    parse_choice("result", text->result, "failure", "success",
		&f->success, e) < 0)
		return -1;
	return parse_ids(text->ids, arena, f, e);
}

/* ---- matching ---- */

static bool
time_matches(const struct queue_time_filter *f, int64_t us)
{
	return f->side == SIDE_ANY ||
	    (f->side == SIDE_BEFORE ? us < f->us : us > f->us);
}

/* An envelope's name is its ID: recipients are looked at later. */
bool
queue_filter_name(const struct queue_filter *f, struct slice name)
{
	struct slice id = slice_head(name, QUEUE_ID);

	for (size_t i = 0; i < f->nids; i++)
		if (slice_eq(f->ids[i], name) || slice_eq(f->ids[i], id) ||
		    (name.n == QUEUE_ID && slice_starts(f->ids[i], name)))
			return true;
	return f->nids == 0;
}

bool
queue_filter_entry(const struct queue_filter *f,
    const struct queue_entry *entry)
{
	if (f->hold >= 0 && f->hold != (entry->place == PLACE_HOLD))
		return false;
	return entry->place != PLACE_DUE ||
	    time_matches(&f->nextattempt, entry->next_us);
}

static bool
contains(struct slice s, const char *part)
{
	return !part || slice_findi(s, slice_str(part)) >= 0;
}

bool
queue_filter_raw(const struct queue_filter *f, struct slice text)
{
	return contains(text, f->account) && contains(text, f->from) &&
	    contains(text, f->to);
}

bool
queue_filter_item(const struct queue_filter *f, const struct queue_entry *entry,
    const struct item *it)
{
	const struct queue_message *m = &it->m;

	if (f->rule &&
	    !holdrules_match(&(struct holdrules){ f->rule, 1 }, m->account,
		m->from, it->rcpt.to))
		return false;
	return queue_filter_name(f, slice_str(entry->name)) &&
	    (!f->account || slice_is(m->account, f->account)) &&
	    contains(m->from, f->from) && contains(it->rcpt.to, f->to) &&
	    (!f->transport || slice_is(m->transport, f->transport)) &&
	    time_matches(&f->submitted, it->queued_us) &&
	    time_matches(&f->nextattempt, queue_entry_next_us(entry, it)) &&
	    time_matches(&f->lastactivity, it->last.us) &&
	    (f->success < 0 || f->success == (it->state == ITEM_DELIVERED));
}
