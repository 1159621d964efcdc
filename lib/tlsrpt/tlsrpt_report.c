/* tlsrpt_report - reports as JSON (RFC 8460, 4.4). */
#include "text/json_read.h"
#include "text/json_write.h"
#include "tlsrpt/tlsrpt_int.h"

/* ---- writing ---- */

static void
put(struct json_out *j, const char *name, struct slice s)
{
	if (s.n > 0)
		json_put_str(j, name, s);
}

static void
put_all(struct json_out *j, const char *name, const struct slice *v, size_t n)
{
	if (n == 0)
		return;
	json_put_array(j, name);
	for (size_t i = 0; i < n; i++)
		json_put_str(j, NULL, v[i]);
	json_put_end(j);
}

static void
put_failure(struct json_out *j, const struct tlsrpt_failure *f)
{
	json_put_object(j, NULL);
	json_put_str(j, "result-type", f->type);
	put(j, "sending-mta-ip", f->sending_ip);
	put(j, "receiving-mx-hostname", f->mx_host);
	put(j, "receiving-mx-helo", f->mx_helo);
	put(j, "receiving-ip", f->receiving_ip);
	json_put_u64(j, "failed-session-count", f->sessions);
	put(j, "additional-information", f->more);
	put(j, "failure-reason-code", f->reason);
	json_put_end(j);
}

void
tlsrpt_sum_put(struct json_out *j, const struct tlsrpt_sum *p)
{
	json_put_object(j, NULL);
	json_put_object(j, "policy");
	json_put_str(j, "policy-type", slice_str(tlsrpt_policy_name(p->type)));
	put_all(j, "policy-string", p->policy, p->npolicy);
	json_put_str(j, "policy-domain", p->domain);
	put_all(j, "mx-host", p->mx, p->nmx);
	json_put_end(j);
	json_put_object(j, "summary");
	json_put_u64(j, "total-successful-session-count", p->success);
	json_put_u64(j, "total-failure-session-count", p->failure);
	json_put_end(j);
	if (p->nfailures > 0) {
		json_put_array(j, "failure-details");
		for (size_t i = 0; i < p->nfailures; i++)
			put_failure(j, &p->failures[i]);
		json_put_end(j);
	}
	json_put_end(j);
}

void
tlsrpt_report_put(struct json_out *j, const char *name,
    const struct tlsrpt_report *r)
{
	json_put_object(j, name);
	put(j, "organization-name", r->organization);
	json_put_object(j, "date-range");
	json_put_str(j, "start-datetime", r->start);
	json_put_str(j, "end-datetime", r->end);
	json_put_end(j);
	put(j, "contact-info", r->contact);
	json_put_str(j, "report-id", r->id);
	json_put_array(j, "policies");
	for (size_t i = 0; i < r->npolicies; i++)
		tlsrpt_sum_put(j, &r->policies[i]);
	json_put_end(j);
	json_put_end(j);
}

void
tlsrpt_report_write(struct buf *out, const struct tlsrpt_report *report)
{
	struct json_out j = JSON_OUT(out, true);

	tlsrpt_report_put(&j, NULL, report);
}

/* ---- reading ---- */

static int
bad(struct err *e, const char *name, const char *what)
{
	return err_set(e, ERR_SYNTAX, "TLS report: %s is %s", name, what);
}

/* One that is missing is empty; null is as missing. */
static int
get(struct arena *arena, struct json object, const char *name,
    struct slice *s_r, struct err *e)
{
	struct json v = json_get(object, name);

	*s_r = SLICE_NULL;
	if (json_type(v) == JSON_NONE || json_type(v) == JSON_NULL)
		return 0;
	return json_str(arena, v, s_r) ? 0 : bad(e, name, "no string");
}

static int
get_count(struct json object, const char *name, uint64_t *n_r, struct err *e)
{
	struct json v = json_get(object, name);

	*n_r = 0;
	if (json_type(v) == JSON_NONE)
		return 0;
	return json_u64(v, n_r) ? 0 : bad(e, name, "no count");
}

/* Some write a string in place of an array of one. */
static int
get_all(struct arena *arena, struct json object, const char *name,
    struct slice **v_r, size_t *n_r, struct err *e)
{
	struct json list = json_get(object, name), it;
	size_t n = json_count(list);

	if (json_type(list) == JSON_STRING) {
		*v_r = arena_array(arena, 1, sizeof(**v_r));
		*n_r = 1;
		return get(arena, object, name, *v_r, e);
	}
	if (n == 0)
		return 0;
	if (json_type(list) != JSON_ARRAY)
		return bad(e, name, "no array");
	*v_r = arena_array(arena, n, sizeof(**v_r));
	for (it = json_first(list); it.at >= 0; it = json_next(it))
		if (!json_str(arena, it, &(*v_r)[(*n_r)++]))
			return bad(e, name, "no array of strings");
	return 0;
}

static int
get_failure(struct arena *arena, struct json v, struct tlsrpt_failure *f,
    struct err *e)
{
	const struct {
		const char *name;
		struct slice *to;
	} fields[] = {
		{ "result-type", &f->type },
		{ "sending-mta-ip", &f->sending_ip },
		{ "receiving-mx-hostname", &f->mx_host },
		{ "receiving-mx-helo", &f->mx_helo },
		{ "receiving-ip", &f->receiving_ip },
		{ "additional-information", &f->more },
		{ "failure-reason-code", &f->reason },
	};

	if (json_type(v) != JSON_OBJECT)
		return bad(e, "failure-details", "no array of objects");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (get(arena, v, fields[i].name, fields[i].to, e) < 0)
			return -1;
	if (f->type.n == 0)
		return bad(e, "result-type", "missing");
	return get_count(v, "failed-session-count", &f->sessions, e);
}

/* Arrays grow with what has been found right: so what is made of a text is not
 * much larger than it. */
static int
get_failures(struct arena *arena, struct json list, struct tlsrpt_sum *p,
    struct err *e)
{
	struct json it;

	if (json_count(list) > 0 && json_type(list) != JSON_ARRAY)
		return bad(e, "failure-details", "no array");
	for (it = json_first(list); it.at >= 0; it = json_next(it)) {
		struct tlsrpt_failure f = { .sessions = 0 };

		if (get_failure(arena, it, &f, e) < 0)
			return -1;
		p->failures = tlsrpt_room(arena, p->failures, p->nfailures,
		    sizeof(*p->failures));
		p->failures[p->nfailures++] = f;
	}
	return 0;
}

static int
get_policy(struct arena *arena, struct json v, struct tlsrpt_sum *p,
    struct err *e)
{
	struct json policy = json_get(v, "policy");
	struct json summary = json_get(v, "summary");
	struct slice type;

	if (json_type(policy) != JSON_OBJECT)
		return bad(e, "policy", "no object");
	if (get(arena, policy, "policy-type", &type, e) < 0 ||
	    get(arena, policy, "policy-domain", &p->domain, e) < 0 ||
	    get_all(arena, policy, "policy-string", &p->policy, &p->npolicy,
		e) < 0 ||
	    get_all(arena, policy, "mx-host", &p->mx, &p->nmx, e) < 0)
		return -1;
	if (!tlsrpt_policy_parse(type, &p->type))
		return bad(e, "policy-type",
		    "none of tlsa, sts, "
		    "no-policy-found");
	if (get_count(summary, "total-successful-session-count", &p->success,
		e) < 0 ||
	    get_count(summary, "total-failure-session-count", &p->failure, e) <
		0)
		return -1;
	return get_failures(arena, json_get(v, "failure-details"), p, e);
}

static int
get_policies(struct arena *arena, struct json list, struct tlsrpt_report *r,
    struct err *e)
{
	struct json it;

	if (json_type(list) != JSON_ARRAY)
		return bad(e, "policies", "no array");
	for (it = json_first(list); it.at >= 0; it = json_next(it)) {
		struct tlsrpt_sum p = { .success = 0 };

		if (get_policy(arena, it, &p, e) < 0)
			return -1;
		r->policies = tlsrpt_room(arena, r->policies, r->npolicies,
		    sizeof(*r->policies));
		r->policies[r->npolicies++] = p;
	}
	return 0;
}

int
tlsrpt_report_parse(struct slice json, struct arena *arena,
    struct tlsrpt_report *report_r, struct err *e)
{
	struct tlsrpt_report *r = report_r;
	struct json root, range;

	*r = (struct tlsrpt_report){ .npolicies = 0 };
	if (json.n > TLSRPT_REPORT_MAX)
		return err_set(e, ERR_LIMIT, "TLS report: too large");
	if (json_parse(arena, json, &root, e) < 0)
		return err_prefix(e, "TLS report");
	if (json_type(root) != JSON_OBJECT)
		return bad(e, "the whole", "no object");
	range = json_get(root, "date-range");
	if (get(arena, root, "organization-name", &r->organization, e) < 0 ||
	    get(arena, root, "contact-info", &r->contact, e) < 0 ||
	    get(arena, root, "report-id", &r->id, e) < 0 ||
	    get(arena, range, "start-datetime", &r->start, e) < 0 ||
	    get(arena, range, "end-datetime", &r->end, e) < 0)
		return -1;
	return get_policies(arena, json_get(root, "policies"), r, e);
}
