/* history_int - what the files of the history share. */
#ifndef STORE_HISTORY_INT_H
#define STORE_HISTORY_INT_H

#include "base/map.h"
#include "db/pair.h"
#include "store/history.h"
#include "store/store_int.h"

#define HISTORY_MAGIC "mox-history 1"
#define HISTORY_FACTS_MAX 10000 /* messages whose line is kept */
#define HISTORY_KEYS_MAX 100000 /* lists; then the least useful go */
#define HISTORY_KEYS_OF_MAX (9 + HISTORY_DKIM_MAX) /* of one message */

/* What a kind keeps. */
struct history_limits {
	const char *name;
	size_t n;      /* judged entries, and as many others */
	int64_t age_s; /* of the oldest */
};
extern const struct history_limits history_limits[HISTORY_KINDS];

/* A list as far as it is in the log, in order of arrival. */
struct history_tail {
	struct history_entry *v;
	size_t n;
};

struct history {
	struct db_pair pair;
	const struct store_env *env;
	uint64_t last;        /* number of the newest message */
	struct slice *lines;  /* of the log, as they came */
	size_t n, indexed;    /* and how many of them the maps know */
	struct map *tails;    /* key of a list -> struct history_tail */
	struct map *facts;    /* EMAILID -> struct slice, "NUMBER FACTS" */
	struct map *verdicts; /* EMAILID -> (void *)(verdict + 1) */
	struct arena *arena;  /* of lines and values, until the next reset */
};

/* ---- history_line.c ---- */

/* `t=... id=... ...` */
void history_facts_write(struct buf *out, const struct history_message *m);
/* Texts in the arena. False: nonsense. */
bool history_facts_parse(struct slice text, struct arena *arena,
    struct history_message *m_r);
/* Keys of the lists a message is in; values in the arena. */
size_t history_keys(const struct history_message *m, struct arena *arena,
    struct history_key keys_r[HISTORY_KEYS_OF_MAX]);
/* A key as it stands in the CDB. */
struct slice history_key_text(const struct history_key *key,
    struct arena *arena);
/* The kind of such a text; false if it is none of a list. */
bool history_key_kind(struct slice text, enum history_kind *kind_r);
struct history_entry history_entry_of(const struct history_message *m);
void history_entries_write(struct buf *out, const struct history_entry *v,
    size_t n);

/* ---- history.c ---- */

/* Bring the maps up to date: who only adds never needs them. */
void history_index(struct history *h);

/* ---- history_fold.c ---- */

/* The list with this key, by what the kind keeps, newest first. */
int history_merge(const struct history *h, struct slice key,
    enum history_kind kind, struct arena *arena, struct history_entry **v_r,
    size_t *n_r, struct err *e);
int history_build(void *arg, struct db_cdb_make *m, struct err *e);

#endif
