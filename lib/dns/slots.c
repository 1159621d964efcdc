/* slots - questions under way of one handle. */
#include "dns/slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static void
clear(struct dns_slot *slot)
{
	free(slot->name);
	free(slot->bytes);
	*slot = (struct dns_slot){ 0 };
}

/* One that is free; or the oldest, whose answer is then not waited for. */
static struct dns_slot *
free_slot(struct dns_slots *s)
{
	struct dns_slot *oldest = &s->v[0];

	for (size_t i = 0; i < DNS_SLOTS; i++) {
		if (s->v[i].id == 0)
			return &s->v[i];
		if (s->v[i].id - oldest->id > UINT32_MAX / 2)
			oldest = &s->v[i];
	}
	clear(oldest);
	return oldest;
}

static struct dns_slot *
find(struct dns_slots *s, struct slice name, enum dns_type type)
{
	for (size_t i = 0; i < DNS_SLOTS; i++)
		if (s->v[i].id != 0 && s->v[i].type == type &&
		    slice_eqi(slice_str(s->v[i].name), name))
			return &s->v[i];
	return NULL;
}

/* Milliseconds that may be waited from now on. */
static int
time_left(const struct dns_slots *s, int64_t end_ms)
{
	int64_t now = clock_mono_ms(NULL);

	if (s->dns.until_ms != 0 && s->dns.until_ms < end_ms)
		end_ms = s->dns.until_ms;
	return end_ms > now ? (int)(end_ms - now) : 0;
}

static struct dns_slot *
ask(struct dns_slots *s, struct slice name, enum dns_type type, struct err *e)
{
	struct dns_slot *slot = free_slot(s);
	int ms = time_left(s, clock_mono_ms(NULL) + s->timeout_ms);

	if (++s->last_id == 0)
		s->last_id = 1;
	slot->id = s->last_id;
	slot->type = type;
	slot->name = xmalloc(name.n + 1);
	slice_cstr(name, slot->name, name.n + 1);
	if (s->send(s, slot, ms, e) == 0)
		return slot;
	clear(slot);
	return NULL;
}

static void
slots_start(struct dns *dns, struct slice name, enum dns_type type)
{
	struct dns_slots *s = (struct dns_slots *)dns;

	if (find(s, name, type) == NULL)
		ask(s, name, type, NULL);
}

static int
slots_query(struct dns *dns, struct arena *arena, struct slice name,
    enum dns_type type, struct dns_answer *a, struct err *e)
{
	struct dns_slots *s = (struct dns_slots *)dns;
	int64_t end_ms = clock_mono_ms(NULL) + s->timeout_ms;
	struct dns_slot *slot = find(s, name, type);
	const struct dns_reply late = { .timeout = true };
	int rc = 0;

	if (slot == NULL)
		slot = ask(s, name, type, e);
	if (slot == NULL)
		return -1;
	while (rc == 0 && !slot->done) {
		int ms = time_left(s, end_ms);
		if (ms == 0)
			break;
		rc = s->wait(s, ms, e);
	}
	if (rc == 0)
		rc = dns_reply_answer(slot->done ? &slot->reply : &late, arena,
		    name, type, a, e);
	clear(slot);
	return rc;
}

static void
slots_forget(struct dns *dns)
{
	struct dns_slots *s = (struct dns_slots *)dns;

	for (size_t i = 0; i < DNS_SLOTS; i++)
		clear(&s->v[i]);
}

static void
slots_free(struct dns *dns)
{
	slots_forget(dns);
	((struct dns_slots *)dns)->close((struct dns_slots *)dns);
}

void
dns_slots_init(struct dns_slots *s, int timeout_ms)
{
	s->dns = (struct dns){ .query = slots_query,
		.start = slots_start,
		.forget = slots_forget,
		.free = slots_free };
	s->timeout_ms = timeout_ms;
}

void
dns_slots_put(struct dns_slots *s, uint32_t id, const struct dns_reply *reply)
{
	struct dns_slot *slot = NULL;
	size_t why = reply->why.n, packet = reply->packet.n;

	for (size_t i = 0; i < DNS_SLOTS && slot == NULL; i++)
		if (s->v[i].id == id && id != 0 && !s->v[i].done)
			slot = &s->v[i];
	if (slot == NULL)
		return;
	slot->bytes = xmalloc(why + packet + 1);
	if (why > 0)
		memcpy(slot->bytes, reply->why.p, why);
	if (packet > 0)
		memcpy(slot->bytes + why, reply->packet.p, packet);
	slot->reply = *reply;
	slot->reply.why = slice_of(slot->bytes, why);
	slot->reply.packet = slice_of(slot->bytes + why, packet);
	slot->done = true;
}
