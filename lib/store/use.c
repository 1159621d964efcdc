/*
 * use.c - which mailbox is for what (RFC 6154): the account's file specialuse,
 * `USE NAME` a line.
 */
#include "base/file.h"
#include "db/newfile.h"
#include "store/store_int.h"

#define FILE_MAX (64 * 1024) /* five names of at most 1000 bytes */

static const struct {
	const char *word;
	unsigned use;
} words[] = {
	{ "archive", STORE_USE_ARCHIVE },
	{ "drafts", STORE_USE_DRAFTS },
	{ "junk", STORE_USE_JUNK },
	{ "sent", STORE_USE_SENT },
	{ "trash", STORE_USE_TRASH },
};

#define WORDS (sizeof(words) / sizeof(words[0]))

int
use_read(struct store *st, struct arena *arena, struct use **uses_r,
    size_t *n_r, struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX);
	struct slice rest, line, word, name;
	int rc = file_read(st->fd, "specialuse", &text, e);

	*uses_r = NULL;
	*n_r = 0;
	rest = buf_slice(&text);
	while (slice_line(&rest, &line)) {
		slice_cut(line, ' ', &word, &name);
		for (size_t i = 0; i < WORDS && name.n > 0; i++) {
			if (!slice_is(word, words[i].word))
				continue;
			*uses_r =
			    store_push(arena, *uses_r, *n_r, sizeof(**uses_r));
			(*uses_r)[*n_r].name = arena_dup(arena, name);
			(*uses_r)[(*n_r)++].use = words[i].use;
		}
	}
	buf_free(&text);
	return rc < 0 ? -1 : 0;
}

static int
use_write(struct store *st, const struct use *uses, size_t n, struct err *e)
{
	struct buf b = BUF_INIT(FILE_MAX);
	int rc;

	for (size_t i = 0; i < n; i++) {
		for (size_t w = 0; w < WORDS; w++) {
			if (uses[i].use & words[w].use)
				buf_addf(&b, "%s %.*s\n", words[w].word,
				    SLICE_FMT(uses[i].name));
		}
	}
	rc = db_write_file(st->fd, "specialuse", buf_slice(&b),
	    st->env->file_mode, e);
	buf_free(&b);
	return rc;
}

int
use_assign(struct store *st, struct slice name, unsigned use, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct use *uses;
	size_t n;
	unsigned had = 0;
	bool changed = false;
	int rc = use_read(st, arena, &uses, &n, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (slice_eq(uses[i].name, name)) {
			had |= uses[i].use;
			uses[i].use = 0;
		} else if (uses[i].use & use) {
			uses[i].use &= ~use;
			changed = true;
		}
	}
	if (rc == 0 && (changed || had != use)) {
		uses = store_push(arena, uses, n, sizeof(*uses));
		uses[n++] = (struct use){ name, use };
		rc = use_write(st, uses, n, e);
	}
	arena_free(&arena);
	return rc;
}

int
use_rename(struct store *st, struct slice from, struct slice to, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct use *uses;
	size_t n;
	bool changed = false;
	int rc = use_read(st, arena, &uses, &n, e);

	for (size_t i = 0; rc == 0 && i < n; i++)
		changed |= store_renamed(&uses[i].name, from, to, arena);
	if (changed)
		rc = use_write(st, uses, n, e);
	arena_free(&arena);
	return rc;
}

enum store_code
store_set_use(struct store *st, struct slice name, unsigned use, struct err *e)
{
	enum store_code code = STORE_FAILED;
	struct db_lock lock = DB_LOCK_INIT;
	char folder[LAYOUT_NAME];
	int rc;

	if (store_lock_list(st, &lock, e) < 0)
		return STORE_FAILED;
	rc = folder_exists(st, name, folder, e);
	if (rc == 0)
		code = STORE_NONEXISTENT;
	else if (rc == 1 && use_assign(st, name, use, e) == 0)
		code = STORE_OK;
	db_unlock(&lock);
	if (code == STORE_OK)
		store_poke(st);
	return code;
}
