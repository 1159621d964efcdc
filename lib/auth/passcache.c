/* passcache - recently verified passwords, see passcache.h. */
#include "auth/passcache.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/rand.h"
#include "base/sha.h"

/* Two periods are looked at: 15 minutes at most, half of that at least. */
#define PERIOD_MS (15 * 60 * 1000 / 2)

#define WAYS 4 /* places of one tag */
/* 64 KB in all, what RLIMIT_MEMLOCK allows everywhere. */
#define SETS 1023

struct tag {
	_Atomic uint64_t half[2];
};

struct passcache {
	unsigned char key[32];
	const struct clock *clock; /* the parent's, at the same address here */
	uint64_t unused[3];
	struct tag tags[SETS][WAYS];
};

_Static_assert(sizeof(struct passcache) == 64 * 1024, "one lock limit");

struct passcache *
passcache_new(const struct clock *clock, struct err *e)
{
	struct passcache *pc;

	pc = mmap(NULL, sizeof(*pc), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pc == MAP_FAILED) {
		err_sys(e, "passcache: mmap");
		return NULL;
	}
	if (mlock(pc, sizeof(*pc)) < 0 ||
	    madvise(pc, sizeof(*pc), MADV_DONTDUMP) < 0) {
		err_sys(e, "passcache: lock memory");
		munmap(pc, sizeof(*pc));
		return NULL;
	}
	rand_fill(NULL, pc->key, sizeof(pc->key));
	pc->clock = clock;
	return pc;
}

void
passcache_close(struct passcache **pc)
{
	if (*pc != NULL)
		munmap(*pc, sizeof(**pc));
	*pc = NULL;
}

/* Where a verified password is found in a period, and as what. */
struct place {
	uint64_t half[2];
	uint64_t set;
	uint64_t way; /* to overwrite when all are taken */
};

static int64_t
period_now(const struct passcache *pc)
{
	return clock_mono_ms(pc->clock) / PERIOD_MS;
}

static void
find_place(const struct passcache *pc, int64_t period,
    const unsigned char version[PASSCACHE_VERSION], struct slice account,
    struct slice password, struct place *place_r)
{
	/* Two names and a password, bounded by SASL's message size. */
	struct buf b = BUF_INIT(64 * 1024);
	struct {
		int64_t period;
		uint64_t account_n;
		unsigned char version[PASSCACHE_VERSION];
	} head = { period, account.n, { 0 } };

	memcpy(head.version, version, sizeof(head.version));
	/* All at once, so that growing leaves no copy behind. */
	buf_space(&b, sizeof(head) + account.n + password.n);
	buf_add(&b, slice_of((char *)&head, sizeof(head)));
	buf_add(&b, account);
	buf_add(&b, password);
	sha_hmac(SHA_256, slice_of((const char *)pc->key, sizeof(pc->key)),
	    buf_slice(&b), (unsigned char *)place_r);
	buf_wipe(&b);
	place_r->set %= SETS;
	place_r->way %= WAYS;
}

_Static_assert(sizeof(struct place) == 32, "filled by one SHA-256");

static bool
tag_is(const struct tag *tag, const struct place *place)
{
	return atomic_load_explicit(&tag->half[0], memory_order_relaxed) ==
	    place->half[0] &&
	    atomic_load_explicit(&tag->half[1], memory_order_relaxed) ==
	    place->half[1];
}

bool
passcache_has(const struct passcache *pc,
    const unsigned char version[PASSCACHE_VERSION], struct slice account,
    struct slice password)
{
	struct place place;
	int64_t now;

	if (pc == NULL)
		return false;
	now = period_now(pc);
	for (int64_t period = now; period >= now - 1; period--) {
		find_place(pc, period, version, account, password, &place);
		for (int way = 0; way < WAYS; way++)
			if (tag_is(&pc->tags[place.set][way], &place))
				return true;
	}
	return false;
}

void
passcache_add(struct passcache *pc,
    const unsigned char version[PASSCACHE_VERSION], struct slice account,
    struct slice password)
{
	struct place place;
	struct tag *tags;

	if (pc == NULL)
		return;
	find_place(pc, period_now(pc), version, account, password, &place);
	tags = pc->tags[place.set];
	for (uint64_t way = 0; way < WAYS; way++)
		if (atomic_load_explicit(&tags[way].half[0],
			memory_order_relaxed) == 0) {
			place.way = way;
			break;
		}
	for (int i = 0; i < 2; i++)
		atomic_store_explicit(&tags[place.way].half[i], place.half[i],
		    memory_order_relaxed);
}
