/* mtasts_get - the policy of a domain to deliver to. */
#include "mtasts/mtasts.h"

struct get {
	struct dns *dns;
	int mtasts_fd;
	const struct mtasts_fetcher *fetcher;
	struct arena *arena;
	struct slice domain;
	int64_t now;
	enum mtasts_record record;
	struct slice id, why; /* of the record */
	struct mtasts_entry entry;
	struct err local; /* why nothing could be fetched by us */
};

static bool
is_valid(const struct get *g)
{
	return g->entry.have && g->now < g->entry.end_us;
}

/* RFC 8461, 5.1: not fetched anew while the record has the id of a policy that
 * is valid. */
static bool
is_wanted(const struct get *g)
{
	return g->record == MTASTS_RECORD_OK &&
	    (!is_valid(g) || !slice_eq(g->entry.id, g->id));
}

/* RFC 8461, 3.3: a failed fetch is not tried again at once. */
static bool
is_allowed(const struct get *g)
{
	int64_t since_us = g->now - g->entry.failed_us;

	return g->fetcher != NULL &&
	    (g->entry.failed_us == 0 || since_us < 0 ||
		since_us >= MTASTS_RETRY_S * INT64_C(1000000));
}

/* A damaged file is as good as none: the next fetch replaces it. */
static void
read_cache(struct get *g)
{
	mtasts_cache_read(g->mtasts_fd, g->domain, g->arena, &g->entry, NULL);
}

static void
fetch(struct get *g)
{
	const struct mtasts_fetcher *f = g->fetcher;

	if (f->fetch(f->ctx, g->domain, g->id, &g->local) == 0)
		read_cache(g);
	else if (g->local.kind == ERR_NONE)
		err_set(&g->local, ERR_TEMP, "policy could not be fetched");
}

/* What went wrong with the policy the record speaks of. */
static void
tell_failure(const struct get *g, struct mtasts_result *r)
{
	if (g->entry.failed_us != 0) {
		r->failure_type = g->entry.failure_type;
		r->why = g->entry.failure;
	} else {
		r->failure_type = SLICE("sts-policy-fetch-error");
		r->why = SLICE("the policy was not fetched");
	}
}

/* RFC 8461, 5.1: as if there were no policy, unless it might be had later. */
static void
without_policy(const struct get *g, struct mtasts_result *r)
{
	r->why = g->why;
	if (g->record == MTASTS_RECORD_TEMP)
		r->status = MTASTS_TEMP;
	else if (g->record == MTASTS_RECORD_INVALID)
		r->failure_type = SLICE("sts-policy-invalid");
	else if (g->record == MTASTS_RECORD_OK && g->local.kind != ERR_NONE) {
		r->status = MTASTS_TEMP;
		r->why = arena_dup(g->arena, slice_str(g->local.text));
	} else if (g->record == MTASTS_RECORD_OK)
		tell_failure(g, r);
}

void
mtasts_get(struct dns *dns, int mtasts_fd, const struct mtasts_fetcher *fetcher,
    const struct clock *clock, struct arena *arena, struct slice domain,
    struct mtasts_result *result_r)
{
	struct get g = { .dns = dns,
		.mtasts_fd = mtasts_fd,
		.fetcher = fetcher,
		.arena = arena,
		.domain = domain,
		.now = clock_us(clock),
		.local = ERR_INIT };
	struct slice text;

	*result_r = (struct mtasts_result){ .status = MTASTS_NONE };
	g.record =
	    mtasts_record_lookup(dns, arena, domain, &text, &g.id, &g.why);
	read_cache(&g);
	if (is_wanted(&g) && is_allowed(&g))
		fetch(&g);
	if (!is_valid(&g)) {
		without_policy(&g, result_r);
		return;
	}
	mtasts_cache_used(mtasts_fd, domain, clock, NULL);
	result_r->policy = g.entry.policy;
	result_r->text = g.entry.text;
	if (g.entry.policy.mode != MTASTS_MODE_NONE)
		result_r->status = MTASTS_OK;
	if (is_wanted(&g)) /* still: it is an old one */
		tell_failure(&g, result_r);
}
