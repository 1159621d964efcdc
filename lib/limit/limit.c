/* limit - counts by address and network in a shared table. */
#include "limit/limit.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "limit/mapfile.h"

#define MAGIC "mox limits 1\n"
#define BUCKETS 8192 /* of 8 slots: 1 MB, for some 20,000 addresses */
#define SLOTS 8      /* of a bucket; 128 bytes, two cache lines */

/*
 * One count. Both words change on their own: a reader that sees a key without
 * its count, or the other way round, is off by a few, once.
 */
struct slot {
	_Atomic uint64_t
	    key; /* hash of what, window, class, network; 0: free */
	_Atomic uint64_t count; /* when << 24 | events, see pack() */
};

struct limit {
	struct mapfile_head head;
	char pad[64 - sizeof(struct mapfile_head)]; /* buckets on cache lines */
	struct slot slots[BUCKETS][SLOTS];
};

/* Bits of a class: address, network, large network. */
static const unsigned bits_v4[LIMIT_CLASSES] = { 32, 26, 21 };
static const unsigned bits_v6[LIMIT_CLASSES] = { 64, 48, 32 };

struct ip
limit_class(const struct ip *ip, unsigned class)
{
	return ip_mask(ip, (ip->family == 4 ? bits_v4 : bits_v6)[class]);
}

/* ---- one count ---- */

#define EVENTS_BITS 24
#define EVENTS_MAX ((UINT64_C(1) << EVENTS_BITS) - 1)

/* The second at which the window ends, and the events in it. */
static uint64_t
pack(uint64_t end_s, uint64_t events)
{
	return end_s << EVENTS_BITS |
	    (events < EVENTS_MAX ? events : EVENTS_MAX);
}

static uint64_t
events_of(uint64_t count, uint64_t now_s)
{
	return count >> EVENTS_BITS > now_s ? count & EVENTS_MAX : 0;
}

static uint64_t
mix(uint64_t h, uint64_t v) /* murmur3's finalizer */
{
	h ^= v;
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

static uint64_t
key_of(const struct limit *l, const struct limit_rule *rule, size_t window,
    unsigned class, const struct ip *ip)
{
	struct ip net = limit_class(ip, class);
	uint64_t parts[2], h;

	memcpy(parts, net.b, sizeof(parts));
	h = mix(l->head.seed,
	    (uint64_t)rule->what << 48 |
		(uint64_t)rule->windows[window].seconds << 16 |
		(uint64_t) class << 8 | net.family);
	h = mix(mix(h, parts[0]), parts[1]);
	return h != 0 ? h : 1;
}

/* The slot of key, or NULL. */
static struct slot *
find(struct limit *l, uint64_t key)
{
	struct slot *bucket = l->slots[key % BUCKETS];

	for (int i = 0; i < SLOTS; i++)
		if (atomic_load_explicit(&bucket[i].key,
			memory_order_relaxed) == key)
			return &bucket[i];
	return NULL;
}

/* The slot of key, taken from whoever has least in it. */
static struct slot *
take(struct limit *l, uint64_t key, uint64_t now_s)
{
	struct slot *bucket = l->slots[key % BUCKETS], *least = find(l, key);
	uint64_t least_events = UINT64_MAX;

	if (least != NULL)
		return least;
	for (int i = 0; i < SLOTS; i++) {
		uint64_t n = atomic_load(&bucket[i].key) == 0
		    ? 0
		    : events_of(atomic_load(&bucket[i].count), now_s);
		if (n < least_events) {
			least = &bucket[i];
			least_events = n;
		}
	}
	atomic_store(&least->count, 0);
	atomic_store(&least->key, key);
	return least;
}

/* Add to the events of the window that ends at end_s, not below 0. */
static void
change(struct slot *slot, int64_t add, uint64_t end_s, uint64_t now_s)
{
	uint64_t old = atomic_load(&slot->count), events;

	do {
		events = events_of(old, now_s);
		if (add < 0 && events < (uint64_t)-add)
			events = 0;
		else
			events += (uint64_t)add;
	} while (!atomic_compare_exchange_weak(&slot->count, &old,
	    pack(end_s, events)));
}

/* ---- rules ---- */

static uint64_t
window_end(const struct limit_window *w, int64_t now_s)
{
	return ((uint64_t)now_s / w->seconds + 1) * w->seconds;
}

static uint64_t
events_in(struct limit *l, uint64_t key, int64_t now_s)
{
	struct slot *slot = find(l, key);

	return slot == NULL
	    ? 0
	    : events_of(atomic_load(&slot->count), (uint64_t)now_s);
}

bool
limit_check(struct limit *l, const struct limit_rule *rule, const struct ip *ip,
    int64_t now_s)
{
	for (size_t w = 0; l != NULL && ip->family != 0 && w < rule->n; w++)
		for (unsigned c = 0; c < LIMIT_CLASSES; c++) {
			unsigned max = rule->windows[w].max[c];
			if (max != 0 &&
			    events_in(l, key_of(l, rule, w, c, ip), now_s) >=
				max)
				return false;
		}
	return true;
}

bool
limit_add(struct limit *l, const struct limit_rule *rule, const struct ip *ip,
    int64_t now_s)
{
	if (!limit_check(l, rule, ip, now_s))
		return false;
	for (size_t w = 0; l != NULL && ip->family != 0 && w < rule->n; w++)
		for (unsigned c = 0; c < LIMIT_CLASSES; c++) {
			uint64_t key = key_of(l, rule, w, c, ip);
			if (rule->windows[w].max[c] != 0)
				change(take(l, key, (uint64_t)now_s), 1,
				    window_end(&rule->windows[w], now_s),
				    (uint64_t)now_s);
		}
	return true;
}

void
limit_reset(struct limit *l, const struct limit_rule *rule, const struct ip *ip,
    int64_t now_s)
{
	for (size_t w = 0; l != NULL && ip->family != 0 && w < rule->n; w++) {
		uint64_t own = events_in(l, key_of(l, rule, w, 0, ip), now_s);
		for (unsigned c = 0; c < LIMIT_CLASSES && own > 0; c++) {
			struct slot *slot = find(l, key_of(l, rule, w, c, ip));
			if (slot != NULL)
				change(slot, -(int64_t)own,
				    window_end(&rule->windows[w], now_s),
				    (uint64_t)now_s);
		}
	}
}

/* ---- the table ---- */

struct limit *
limit_open(const char *path, struct err *e)
{
	return mapfile_open(path, MAGIC, sizeof(struct limit), e);
}

struct limit *
limit_private(void)
{
	return mapfile_private(MAGIC, sizeof(struct limit));
}

void
limit_close(struct limit **l)
{
	if (*l != NULL)
		munmap(*l, sizeof(**l));
	*l = NULL;
}
