/* admit - who may connect. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "service/service_int.h"

const struct service_limits service_limits_default = {
	.connections = 1000,
	.unauthenticated = 500,
	.open = { 30, 90, 270 }, /* this and what follows: as mox */
	.new_per_minute = { 300, 900, 2700 },
	.auth_per_minute = { 10, 30, 90 },
	.auth_per_day = { 50, 150, 450 },
};

/* An address whose connections crash so often is attacking. */
static const struct limit_rule crash_rule = { LIMIT_CRASH, 1,
	{ { 600, { 3, 0, 0 } } } };

/* ---- open connections ---- */

struct admit {
	size_t open, unauthenticated;
	struct map *networks; /* class and network to their number, as void * */
};

struct admit *
admit_new(void)
{
	struct admit *a = xcalloc(1, sizeof(*a));

	a->networks = map_new();
	return a;
}

struct key {
	unsigned char class;
	struct ip net;
};

static struct key
key_of(unsigned class, const struct ip *ip)
{
	return (struct key){ (unsigned char)class, limit_class(ip, class) };
}

static size_t
get(const struct admit *a, unsigned class, const struct ip *ip)
{
	struct key key = key_of(class, ip);

	return (size_t)map_get(a->networks, SPLIT_OF(key));
}

static void
set(struct admit *a, unsigned class, const struct ip *ip, size_t n)
{
	struct key key = key_of(class, ip);

	if (n > 0)
		map_set(a->networks, SPLIT_OF(key), (void *)n);
	else
		map_del(a->networks, SPLIT_OF(key));
}

void
admit_open(struct admit *a, const struct ip *ip, bool unauthenticated)
{
	a->open++;
	a->unauthenticated += unauthenticated;
	for (unsigned c = 0; c < LIMIT_CLASSES; c++)
		set(a, c, ip, get(a, c, ip) + 1);
}

void
admit_close(struct admit *a, const struct ip *ip, bool unauthenticated)
{
	a->open--;
	a->unauthenticated -= unauthenticated;
	for (unsigned c = 0; c < LIMIT_CLASSES; c++)
		set(a, c, ip, get(a, c, ip) - 1);
}

void
admit_authenticated(struct admit *a)
{
	a->unauthenticated--;
}

void
admit_unauthenticated(struct admit *a)
{
	a->unauthenticated++;
}

size_t
admit_count(const struct admit *a)
{
	return a->open;
}

/* ---- decisions ---- */

bool
admit_is_exempt(const struct server *sv, const struct ip *ip)
{
	return sv->setup.limits.loopback_exempt && ip_is_loopback(ip);
}

bool
admit_is_proxy(const struct service_listener *l, const struct ip *ip)
{
	for (size_t i = 0; i < l->nproxies; i++)
		if (ip_prefix_has(&l->proxies[i], ip))
			return true;
	return false;
}

struct limit_rule
admit_auth_rule(const struct service_limits *l)
{
	struct limit_rule rule = { LIMIT_AUTH, 2,
		{ { .seconds = 60 }, { .seconds = 24 * 3600 } } };

	for (unsigned c = 0; c < LIMIT_CLASSES; c++) {
		rule.windows[0].max[c] = l->auth_per_minute[c];
		rule.windows[1].max[c] = l->auth_per_day[c];
	}
	return rule;
}

enum service_refusal
admit_rates(struct server *sv, const struct service_listener *l,
    const struct ip *ip)
{
	const struct service_limits *limits = &sv->setup.limits;
	struct limit_rule rate = { l->kind->rate, 1, { { .seconds = 60 } } };
	struct limit_rule auth = admit_auth_rule(limits);
	int64_t now = clock_s(NULL);

	for (unsigned c = 0; c < LIMIT_CLASSES; c++)
		rate.windows[0].max[c] = limits->new_per_minute[c];
	if (admit_is_exempt(sv, ip))
		return SERVICE_ADMIT;
	if (!limit_check(sv->limit, &crash_rule, ip, now))
		return SERVICE_CRASHES;
	if (!limit_add(sv->limit, &rate, ip, now))
		return SERVICE_RATE;
	if (l->kind->login && !limit_check(sv->limit, &auth, ip, now))
		return SERVICE_AUTH_FAILED;
	return SERVICE_ADMIT;
}

/* limit 0: none */
static bool
is_reached(unsigned limit, size_t n)
{
	return limit != 0 && n >= limit;
}

enum service_refusal
admit_total(const struct server *sv, const struct admit *a,
    const struct service_listener *l)
{
	const struct service_limits *limits = &sv->setup.limits;

	if (is_reached(limits->connections, a->open) ||
	    (l->kind->login &&
		is_reached(limits->unauthenticated, a->unauthenticated)))
		return SERVICE_BUSY;
	return SERVICE_ADMIT;
}

enum service_refusal
admit_networks(const struct server *sv, const struct admit *a,
    const struct ip *ip)
{
	for (unsigned c = 0; c < LIMIT_CLASSES && !admit_is_exempt(sv, ip); c++)
		if (is_reached(sv->setup.limits.open[c], get(a, c, ip)))
			return SERVICE_TOO_MANY;
	return SERVICE_ADMIT;
}

void
admit_crashed(struct server *sv, const struct ip *ip)
{
	limit_add(sv->limit, &crash_rule, ip, clock_s(NULL));
}

const char *
admit_reason(enum service_refusal why)
{
	static const char *const names[] = {
		[SERVICE_ADMIT] = "none",
		[SERVICE_STOPPING] = "stopping",
		[SERVICE_RATE] = "rate",
		[SERVICE_TOO_MANY] = "toomany",
		[SERVICE_BUSY] = "busy",
		[SERVICE_AUTH_FAILED] = "authfailed",
		[SERVICE_CRASHES] = "crashes",
	};

	return names[why];
}
