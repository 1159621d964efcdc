/* mtasts_policy - the text that a policy host serves. */
#include "base/scan.h"
#include "mtasts/mtasts.h"
#include "text/idna.h"

static const char *const modes[] = {
	[MTASTS_MODE_NONE] = "none",
	[MTASTS_MODE_TESTING] = "testing",
	[MTASTS_MODE_ENFORCE] = "enforce",
};

const char *
mtasts_mode_name(enum mtasts_mode mode)
{
	return modes[mode];
}

/* ---- reading ---- */

struct reader {
	struct arena *arena;
	struct mtasts_policy *policy;
	bool version, mode,
	    max_age; /* was there: of several the first counts */
	size_t room; /* of policy->mx */
	size_t line;
};

static int
bad(const struct reader *r, const char *what, struct err *e)
{
	return err_set(e, ERR_SYNTAX, "policy, line %zu: %s", r->line, what);
}

static int
read_version(struct reader *r, struct slice value, struct err *e)
{
	if (!r->version && !slice_is(value, "STSv1"))
		return bad(r, "version is not STSv1", e);
	r->version = true;
	return 0;
}

static int
read_mode(struct reader *r, struct slice value, struct err *e)
{
	if (r->mode)
		return 0;
	for (int i = MTASTS_MODE_NONE; i <= MTASTS_MODE_ENFORCE; i++)
		if (slice_is(value, modes[i])) {
			r->policy->mode = (enum mtasts_mode)i;
			r->mode = true;
			return 0;
		}
	return bad(r, "mode is none of enforce, testing, none", e);
}

static int
read_max_age(struct reader *r, struct slice value, struct err *e)
{
	uint64_t age;

	if (r->max_age)
		return 0;
	if (value.n > 10 || !slice_u64(value, &age))
		return bad(r, "max_age is no number of seconds", e);
	r->policy->max_age =
	    age > MTASTS_AGE_MAX ? MTASTS_AGE_MAX : (uint32_t)age;
	r->max_age = true;
	return 0;
}

bool
mtasts_mx_ascii(struct arena *arena, struct slice pattern,
    struct slice *ascii_r)
{
	bool any = slice_starts(pattern, SLICE("*."));

	if (idna_ascii(arena, slice_skip(pattern, any ? 2 : 0), ascii_r, NULL) <
	    0)
		return false;
	if (any)
		*ascii_r = arena_printf(arena, "*.%.*s", SLICE_FMT(*ascii_r));
	return true;
}

static int
read_mx(struct reader *r, struct slice value, struct err *e)
{
	struct mtasts_policy *p = r->policy;
	struct slice mx;

	if (p->nmx == MTASTS_MX_MAX)
		return bad(r, "too many lines mx", e);
	if (!mtasts_mx_ascii(r->arena, value, &mx))
		return bad(r, "mx is no host name", e);
	if (p->nmx == r->room) {
		r->room = r->room == 0 ? 4 : 2 * r->room;
		p->mx = arena_grow(r->arena, p->mx, p->nmx, r->room,
		    sizeof(*p->mx));
	}
	p->mx[p->nmx++] = mx;
	return 0;
}

static const struct {
	const char *key;
	int (*read)(struct reader *r, struct slice value, struct err *e);
} fields[] = {
	{ "version", read_version },
	{ "mode", read_mode },
	{ "max_age", read_max_age },
	{ "mx", read_mx },
};

/* RFC 8461, 3.2: sts-policy-field */
static int
read_line(struct reader *r, struct slice line, struct err *e)
{
	struct slice key, value;

	if (!slice_cut(line, ':', &key, &value))
		return bad(r, "no \"key: value\"", e);
	key = slice_trim(key);
	value = slice_trim(value);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (slice_is(key, fields[i].key))
			return fields[i].read(r, value, e);
	return 0; /* an extension */
}

static int
check_whole(const struct reader *r, struct err *e)
{
	const char *missing = !r->version ? "version"
	    : !r->mode                    ? "mode"
	    : !r->max_age                 ? "max_age"
	    : r->policy->nmx == 0 && r->policy->mode != MTASTS_MODE_NONE ? "mx"
									 : NULL;

	if (missing == NULL)
		return 0;
	return err_set(e, ERR_SYNTAX, "policy without %s", missing);
}

int
mtasts_policy_parse(struct slice text, struct arena *arena,
    struct mtasts_policy *policy_r, struct err *e)
{
	struct reader r = { .arena = arena, .policy = policy_r };
	struct slice line;

	*policy_r = (struct mtasts_policy){ MTASTS_MODE_NONE, 0, NULL, 0 };
	if (text.n > MTASTS_POLICY_MAX)
		return err_set(e, ERR_SYNTAX, "policy of more than %d bytes",
		    MTASTS_POLICY_MAX);
	while (slice_line(&text, &line)) {
		r.line++;
		/* not in the syntax, but often at the end */
		if (slice_trim(line).n > 0 && read_line(&r, line, e) < 0)
			return -1;
	}
	return check_whole(&r, e);
}

/* ---- matching ---- */

/* RFC 8461, 4.1: "*." stands for one label. */
bool
mtasts_mx_matches(struct slice pattern, struct slice host)
{
	struct slice first, rest;

	if (!slice_starts(pattern, SLICE("*.")))
		return slice_eqi(pattern, host);
	return slice_cut(host, '.', &first, &rest) && first.n > 0 &&
	    slice_eqi(slice_skip(pattern, 2), rest);
}

bool
mtasts_matches(const struct mtasts_policy *policy, struct slice host)
{
	for (size_t i = 0; i < policy->nmx; i++)
		if (mtasts_mx_matches(policy->mx[i], host))
			return true;
	return false;
}
