/*
 * verify_threads.c - the table of threads, which can be made anew from the
 * records of all messages.
 */
#include "store/verify_int.h"

#define MAGIC "mox-table 1"

/* ---- what is there ---- */

/* A kind and 12 characters; a thread and something more. */
static bool
entry_right(struct slice key, struct slice value)
{
	struct slice thread, rest;
	uint64_t n;

	return key.n == 13 && (key.p[0] == 'm' || key.p[0] == 's') &&
	    slice_cut(value, ' ', &thread, &rest) && slice_hex64(thread, &n) &&
	    n != 0;
}

static uint64_t
count_wrong(struct db_table *t)
{
	struct db_table_iter it = DB_TABLE_ITER;
	struct slice key, value;
	uint64_t wrong = 0;

	while (db_table_next(t, &it, &key, &value))
		wrong += !entry_right(key, value);
	return wrong;
}

/* ---- anew ---- */

static int
enter_mailbox(struct store *st, struct slice name, struct err *e)
{
	struct mailbox *mb;
	struct slice record;
	uint32_t uid = 0, pos;
	int rc = index_open(&mb, st, name, false, e);

	if (rc != 1)
		return rc;
	while ((pos = index_from(&mb->ix, uid + 1)) < index_end(&mb->ix)) {
		struct store_msg m = index_at(&mb->ix, pos)->msg;

		uid = m.uid;
		if (!record_live(index_at(&mb->ix, pos)) || m.thread == 0 ||
		    mailbox_record(mb, &index_at(&mb->ix, pos)->msg, &record,
			NULL) != 1)
			continue;
		threads_enter(st, record, m.thread, m.received);
		threads_tidy(st);
	}
	index_close(&mb);
	return 0;
}

static int
enter_all(struct verify_account *a, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct mailbox_folder *v = NULL;
	size_t n = 0;
	int rc = db_pair_discard(a->st->fd, "threads", e);

	if (rc == 0)
		rc = list_folders(a->st, arena, &v, &n, e);
	if (rc == 0)
		rc = enter_mailbox(a->st, SLICE("Inbox"), e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = enter_mailbox(a->st, v[i].name, e);
	arena_free(&arena);
	return rc;
}

/* ---- all ---- */

/* 1 it is right or there is none, 0 wrong: why says so, -1. */
static int
look(struct verify_account *a, struct err *why, struct err *e)
{
	struct db_table *t = NULL;
	uint64_t wrong;

	switch (verify_pair(a->st->fd, "threads", MAGIC, why, e)) {
	case VERIFY_PAIR_NONE:
		return 1;
	case VERIFY_PAIR_GOOD:
		break;
	case VERIFY_PAIR_FAILED:
		return -1;
	default:
		return 0;
	}
	if (db_table_open(&t, a->st->fd, "threads", a->v->env->file_mode, e) <
	    0)
		return -1;
	wrong = count_wrong(t);
	db_table_close(&t);
	if (wrong > 0)
		err_set(why, ERR_SYNTAX, "%llu entries make no sense",
		    (unsigned long long)wrong);
	return wrong == 0;
}

int
verify_threads(struct verify_account *a, struct err *e)
{
	struct err why = ERR_INIT;
	int rc = look(a, &why, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (a->v->fix && enter_all(a, e) < 0)
		return -1;
	verify_report(a->v, VERIFY_ERROR, "threads", a->v->fix, "threads: %s",
	    why.text);
	return 0;
}
