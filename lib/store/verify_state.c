/*
 * verify_state.c - is the index of a mailbox consistent by itself?
 */
#include <stdlib.h>
#include <string.h>

#include "message/record.h"
#include "store/verify_int.h"

#define PROGRESS 10000 /* messages */

/* ---- records ---- */

static const char *
record_wrong(const struct index *ix, const struct record *r)
{
	const struct store_msg *m = &r->msg;
	struct layout_name name;

	if (m->uid == 0 || m->uid >= ix->uidnext)
		return "UID is not below UIDNEXT";
	if (m->modseq == 0 || m->modseq > ix->modseq)
		return "modseq is above HIGHESTMODSEQ";
	if (!layout_parse(index_name(ix, r), &name))
		return "no file name";
	if (r->place != RECORD_NEW && r->place != RECORD_CUR)
		return "neither in new/ nor in cur/";
	if (m->flags & ~(STORE_FLAGS | STORE_EXPUNGED))
		return "unknown flags";
	if (ix->kw.n < STORE_KEYWORDS_MAX && m->keywords >> ix->kw.n != 0)
		return "unknown keywords";
	if (m->wire_size < m->size && !record_unmeasured(r))
		return "in wire form it is smaller than stored";
	return NULL;
}

static bool
check_records(struct verify *v, const struct index *ix)
{
	struct map *names = map_new();
	const char *wrong = NULL;
	uint32_t uid = 0;

	for (uint32_t pos = 0; pos < index_end(ix) && !wrong; pos++) {
		const struct record *r = index_at(ix, pos);
		struct slice base, rest;

		if (r->msg.uid <= uid)
			wrong = "UIDs do not ascend";
		uid = r->msg.uid;
		if (wrong || !record_live(r))
			continue;
		wrong = record_wrong(ix, r);
		slice_cut(index_name(ix, r), ':', &base, &rest);
		if (!wrong && map_set(names, base, names) != NULL)
			wrong = "two messages have the same file";
		if (v->progress && pos % PROGRESS == 0)
			v->progress(v->ctx, v->account, v->mailbox, pos);
	}
	map_free(&names);
	if (wrong)
		verify_report(v, VERIFY_ERROR, "index", v->fix, "UID %u: %s",
		    (unsigned)uid, wrong);
	return !wrong;
}

static bool
check_vanished(struct verify *v, const struct index *ix)
{
	uint64_t modseq = 0;

	for (size_t i = 0; i < ix->nvanished; i++) {
		const struct vanished *x = &ix->vanished[i];

		if (x->modseq < modseq || x->modseq > ix->modseq ||
		    x->first > x->last || x->last >= ix->uidnext) {
			verify_report(v, VERIFY_ERROR, "index", v->fix,
			    "history of expunged messages is out of order");
			return false;
		}
		modseq = x->modseq;
	}
	return true;
}

/* ---- totals ---- */

/* A fold writes what is put right here. */
static void
check_counts(struct verify *v, struct mailbox *mb)
{
	struct err e = ERR_INIT;
	struct index_sums said, are = index_sums(&mb->ix);
	int rc = index_recount(mb, v->fix, &said, &e);

	if (rc == 0)
		return;
	verify_report(v, VERIFY_ERROR, "counts", rc == 1 && v->fix,
	    "totals say %u messages, %u unseen, %u deleted, %llu bytes; "
	    "there are %u, %u, %u, %llu",
	    (unsigned)said.counts.messages, (unsigned)said.counts.unseen,
	    (unsigned)said.counts.deleted, (unsigned long long)said.stored,
	    (unsigned)are.counts.messages, (unsigned)are.counts.unseen,
	    (unsigned)are.counts.deleted, (unsigned long long)are.stored);
}

static void
check_uidnext(struct verify *v, struct mailbox *mb)
{
	uint32_t said = mb->ix.uidnext_said;

	if (said != 0)
		verify_report(v, VERIFY_ERROR, "uidnext",
		    v->fix && index_raise_uidnext(mb, NULL) == 0,
		    "UIDNEXT is %u in mox.cdb, UIDs up to %u have been given",
		    (unsigned)said, (unsigned)mb->ix.uidnext - 1);
}

/* ---- identity ---- */

/* A folder that was copied has the id of the first. */
static void
check_id(struct verify_account *a, struct mailbox *mb)
{
	struct verify *v = a->v;
	struct line l = { .type = 'v' };
	struct lines ls = LINES_INIT;
	char id[MAILBOXID + 1];
	bool fixed = false;

	if (map_set(a->ids, mailbox_id(mb), a->ids) == NULL)
		return;
	if (v->fix && index_lock(mb, NULL) == 0) {
		rand_text(v->env->rand, id, MAILBOXID);
		l.uidvalidity = mb->ix.uidvalidity;
		l.uidnext = mb->ix.uidnext;
		l.name = slice_of(id, MAILBOXID);
		lines_add(&ls, &l);
		fixed = index_append(mb, &ls, NULL) == 0;
		index_unlock(mb);
		fixed = fixed && index_sync(mb, NULL, NULL) == 0;
		lines_free(&ls);
	}
	verify_report(v, VERIFY_ERROR, "mailboxid", fixed,
	    "another mailbox has the same MAILBOXID");
}

/* ---- cache ---- */

/* Parse all again. Others may be at work: positions change, UIDs do not. */
static uint64_t
cache_anew(struct mailbox *mb)
{
	struct index *ix = &mb->ix;
	struct slice record;
	uint64_t done = 0;
	uint32_t uid = 0, pos;

	cache_clear(mb->folder.fd);
	while ((pos = index_from(ix, uid + 1)) < index_end(ix)) {
		const struct record *r = index_at(ix, pos);

		uid = r->msg.uid;
		done += record_live(r) &&
		    mailbox_record(mb, &r->msg, &record, NULL) == 1;
	}
	return done;
}

/* What is lost is no error: the cache is never synced. */
static void
check_cache(struct verify *v, struct mailbox *mb)
{
	struct index *ix = &mb->ix;
	uint64_t bad = 0;

	for (uint32_t pos = 0; pos < index_end(ix); pos++) {
		const struct record *r = index_at(ix, pos);

		bad += record_live(r) && r->cache.segment != 0 &&
		    !message_cached(mb, r);
	}
	cache_idle(mb->cache);
	if (bad > 0)
		verify_report(v, VERIFY_NOTE, "cache",
		    v->fix && cache_anew(mb) >= bad,
		    "%llu cached records are damaged or missing",
		    (unsigned long long)bad);
}

/* ---- all ---- */

bool
verify_state(struct verify_account *a, struct mailbox *mb)
{
	struct verify *v = a->v;

	if (!index_intact(mb)) {
		verify_report(v, VERIFY_ERROR, "index", v->fix,
		    "mox.cdb: checksum of the records is wrong");
		return false;
	}
	if (!check_records(v, &mb->ix) || !check_vanished(v, &mb->ix))
		return false;
	check_uidnext(v, mb);
	check_counts(v, mb);
	check_id(a, mb);
	check_cache(v, mb);
	return true;
}
