/* tlsrpt_results - the sums of a day's results. */
#include <fcntl.h>
#include <limits.h>

#include "base/file.h"
#include "base/map.h"
#include "base/scan.h"
#include "db/escape.h"
#include "tlsrpt/tlsrpt_int.h"

#define COUNT_MAX (UINT64_C(1) << 40) /* a million lines of it fit */
#define VALUES_MAX 1000               /* policy lines, or mx, of a line */

static const char *const policy_names[] = {
	[TLSRPT_NO_POLICY] = "no-policy-found",
	[TLSRPT_TLSA] = "tlsa",
	[TLSRPT_STS] = "sts",
};

const char *
tlsrpt_policy_name(enum tlsrpt_policy type)
{
	return policy_names[type];
}

bool
tlsrpt_policy_parse(struct slice name, enum tlsrpt_policy *type_r)
{
	for (int i = TLSRPT_NO_POLICY; i <= TLSRPT_STS; i++)
		if (slice_isi(name, policy_names[i])) {
			*type_r = (enum tlsrpt_policy)i;
			return true;
		}
	return false;
}

/* ---- names ---- */

int
tlsrpt_file_name(struct slice domain, struct buf *name, struct err *e)
{
	db_escape_lower(name, domain);
	return name->over ? err_set(e, ERR_LIMIT, "domain name too long") : 0;
}

static bool
is_day(struct slice name)
{
	struct scan sc = scan_of(name);
	unsigned day;

	return scan_digits(&sc, 8, &day) && scan_end(&sc);
}

int
tlsrpt_results_days(int tlsresults_fd, struct arena *arena,
    struct slice **days_r, size_t *n_r, struct err *e)
{
	struct slice *names;
	size_t n, kept = 0;
	int rc = file_list(tlsresults_fd, ".", arena, &names, &n, e);

	for (size_t i = 0; rc == 1 && i < n; i++)
		if (is_day(names[i]))
			names[kept++] = names[i];
	*days_r = names;
	*n_r = kept;
	return rc < 0 ? -1 : 0;
}

int
tlsrpt_results_domains(int tlsresults_fd, const char *day, struct arena *arena,
    struct slice **domains_r, size_t *n_r, struct err *e)
{
	return db_escaped_list(tlsresults_fd, day, arena, domains_r, n_r, e);
}

void *
tlsrpt_room(struct arena *arena, void *v, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return v;
	return arena_grow(arena, v, n, n == 0 ? 1 : 2 * n, size);
}

/* ---- lines ---- */

bool
tlsrpt_line_count(struct slice line, uint64_t *n_r, struct slice *what_r)
{
	struct slice n;

	return slice_starts(line, SLICE("n=")) &&
	    slice_cut(slice_skip(line, 2), ' ', &n, what_r) &&
	    slice_u64(n, n_r) && *n_r > 0 && *n_r <= COUNT_MAX;
}

/* What base/log.h puts between quotes. False: no end, or no such escape. */
static bool
take_quoted(struct scan *sc, struct arena *arena, struct slice *value_r)
{
	char *p = arena_alloc(arena, (size_t)(sc->end - sc->p));
	struct slice hex;
	uint64_t byte;
	size_t n = 0;

	while (!scan_end(sc) && *sc->p != '"') {
		char c = *sc->p++;

		if (c != '\\') {
			p[n++] = c;
		} else if (scan_char(sc, 'x')) {
			if (!scan_bytes(sc, 2, &hex) ||
			    !slice_hex64(hex, &byte))
				return false;
			p[n++] = (char)byte;
		} else if (scan_end(sc)) {
			return false;
		} else {
			c = *sc->p++;
			p[n++] = c == 'n' ? '\n'
			    : c == 'r'    ? '\r'
			    : c == 't'    ? '\t'
					  : c;
		}
	}
	*value_r = slice_of(p, n);
	return scan_char(sc, '"');
}

/* 1 a pair, 0 the end of the line, -1 it is torn. */
static int
take_pair(struct scan *sc, struct arena *arena, struct slice *key_r,
    struct slice *value_r)
{
	while (scan_char(sc, ' '))
		;
	if (scan_end(sc))
		return 0;
	*key_r = scan_until(sc, '=');
	if (!scan_char(sc, '='))
		return -1;
	if (scan_char(sc, '"'))
		return take_quoted(sc, arena, value_r) ? 1 : -1;
	*value_r = scan_until(sc, ' ');
	return 1;
}

static const struct {
	const char *key;
	size_t at;
} keys[] = {
	{ "rcpt-domain", offsetof(struct tlsrpt_result, rcpt_domain) },
	{ "failure", offsetof(struct tlsrpt_result, failure) },
	{ "reason", offsetof(struct tlsrpt_result, reason) },
	{ "sending-ip", offsetof(struct tlsrpt_result, sending_ip) },
	{ "mx-host", offsetof(struct tlsrpt_result, mx_host) },
	{ "mx-helo", offsetof(struct tlsrpt_result, mx_helo) },
	{ "receiving-ip", offsetof(struct tlsrpt_result, receiving_ip) },
};

static void
append(struct arena *arena, struct slice **v, size_t *n, struct slice s)
{
	if (*n == VALUES_MAX)
		return;
	*v = tlsrpt_room(arena, *v, *n, sizeof(**v));
	(*v)[(*n)++] = s;
}

static bool
parse_line(struct slice what, struct arena *arena, struct tlsrpt_result *r)
{
	struct scan sc = scan_of(what);
	struct slice key, value;
	bool type = false;
	int rc;

	*r = (struct tlsrpt_result){ .type = TLSRPT_NO_POLICY };
	while ((rc = take_pair(&sc, arena, &key, &value)) == 1) {
		if (slice_is(key, "type"))
			type = tlsrpt_policy_parse(value, &r->type);
		else if (slice_is(key, "policy"))
			append(arena, &r->policy, &r->npolicy, value);
		else if (slice_is(key, "mx"))
			append(arena, &r->mx, &r->nmx, value);
		else if (slice_is(key, "host"))
			r->is_host = true;
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (slice_is(key, keys[i].key))
				*(struct slice *)((char *)r + keys[i].at) =
				    value;
	}
	return rc == 0 && type;
}

/* ---- sums ---- */

struct summing {
	struct tlsrpt_results *results;
	struct arena *arena;
	struct slice domain;
	/* By what makes them equal: place + 1 in their array. */
	struct map *sums, *failures, *rcpt_domains;
};

static void
add_key(struct buf *b, struct slice s)
{
	buf_addu(b, s.n);
	buf_addc(b, ':');
	buf_add(b, s);
}

/* The place + 1 that the map has for key, or 0 and next is noted. */
static size_t
place(struct map *m, struct slice key, size_t next)
{
	size_t at = (uintptr_t)map_get(m, key);

	if (at == 0)
		map_set(m, key, (void *)(uintptr_t)(next + 1));
	return at;
}

static struct tlsrpt_sum *
find_sum(struct summing *s, const struct tlsrpt_result *r, struct buf *key)
{
	struct tlsrpt_results *res = s->results;
	size_t at;

	buf_addf(key, "%d %zu ", (int)r->type, r->npolicy);
	for (size_t i = 0; i < r->npolicy; i++)
		add_key(key, r->policy[i]);
	for (size_t i = 0; i < r->nmx; i++)
		add_key(key, r->mx[i]);
	at = place(s->sums, buf_slice(key), res->n);
	if (at > 0)
		return &res->sums[at - 1];
	res->sums =
	    tlsrpt_room(s->arena, res->sums, res->n, sizeof(*res->sums));
	res->sums[res->n] = (struct tlsrpt_sum){ .type = r->type,
		.domain = s->domain,
		.policy = r->policy,
		.npolicy = r->npolicy,
		.mx = r->mx,
		.nmx = r->nmx };
	return &res->sums[res->n++];
}

/* key holds that of the sum. */
static struct tlsrpt_failure *
find_failure(struct summing *s, struct tlsrpt_sum *sum,
    const struct tlsrpt_result *r, struct buf *key)
{
	size_t at;

	buf_addc(key, ' ');
	add_key(key, r->failure);
	add_key(key, r->reason);
	add_key(key, r->sending_ip);
	add_key(key, r->mx_host);
	add_key(key, r->mx_helo);
	add_key(key, r->receiving_ip);
	at = place(s->failures, buf_slice(key), sum->nfailures);
	if (at > 0)
		return &sum->failures[at - 1];
	sum->failures = tlsrpt_room(s->arena, sum->failures, sum->nfailures,
	    sizeof(*sum->failures));
	sum->failures[sum->nfailures] =
	    (struct tlsrpt_failure){ .type = r->failure,
		    .reason = r->reason,
		    .sending_ip = r->sending_ip,
		    .mx_host = r->mx_host,
		    .mx_helo = r->mx_helo,
		    .receiving_ip = r->receiving_ip };
	return &sum->failures[sum->nfailures++];
}

static void
count(struct summing *s, const struct tlsrpt_result *r, uint64_t n)
{
	struct tlsrpt_results *res = s->results;
	struct buf key = BUF_INIT(SIZE_MAX);
	struct tlsrpt_sum *sum = find_sum(s, r, &key);

	if (r->failure.n == 0) {
		sum->success += n;
	} else {
		sum->failure += n;
		find_failure(s, sum, r, &key)->sessions += n;
	}
	res->is_host |= r->is_host;
	if (r->rcpt_domain.n > 0 &&
	    place(s->rcpt_domains, r->rcpt_domain, res->nrcpt_domains) == 0) {
		res->rcpt_domains = tlsrpt_room(s->arena, res->rcpt_domains,
		    res->nrcpt_domains, sizeof(*res->rcpt_domains));
		res->rcpt_domains[res->nrcpt_domains++] = r->rcpt_domain;
	}
	buf_free(&key);
}

void
tlsrpt_results_parse(struct slice text, struct slice domain,
    struct slice rcpt_domain, struct arena *arena,
    struct tlsrpt_results *results_r)
{
	struct summing s = { .results = results_r,
		.arena = arena,
		.domain = domain,
		.sums = map_new(),
		.failures = map_new(),
		.rcpt_domains = map_new() };
	struct slice line, what;
	struct tlsrpt_result r;
	uint64_t n;

	*results_r = (struct tlsrpt_results){ .n = 0 };
	while (slice_line(&text, &line))
		if (tlsrpt_line_count(line, &n, &what) &&
		    parse_line(what, arena, &r) &&
		    (rcpt_domain.n == 0 ||
			slice_eqi(rcpt_domain, r.rcpt_domain)))
			count(&s, &r, n);
	map_free(&s.sums);
	map_free(&s.failures);
	map_free(&s.rcpt_domains);
}

int
tlsrpt_results_read(int tlsresults_fd, const char *day, struct slice domain,
    struct slice rcpt_domain, struct arena *arena,
    struct tlsrpt_results *results_r, struct err *e)
{
	struct buf path = BUF_INIT(PATH_MAX), name = BUF_INIT(NAME_MAX);
	struct buf text = BUF_INIT(2 * TLSRPT_FILE_MAX);
	int rc = tlsrpt_file_name(domain, &name, e);

	*results_r = (struct tlsrpt_results){ .n = 0 };
	buf_addf(&path, "%s/%s", day, buf_cstr(&name));
	if (rc == 0)
		rc = file_read(tlsresults_fd, buf_cstr(&path), &text, e);
	if (rc == 1)
		tlsrpt_results_parse(arena_dup(arena, buf_slice(&text)),
		    arena_dup(arena, domain), rcpt_domain, arena, results_r);
	buf_free(&path);
	buf_free(&name);
	buf_free(&text);
	return rc < 0 ? err_prefix(e, "tlsresults") : rc;
}
