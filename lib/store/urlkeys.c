/*
 * urlkeys.c - the account's file urlkeys: a line a key, UIDVALIDITY and the key
 * in base64url. Written anew with each change, under the lease of the list.
 */
#include "store/urlkeys.h"

#include <string.h>

#include "base/file.h"
#include "base/sha.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/store_int.h"
#include "text/base64.h"

#define FILE_NAME "urlkeys"
#define FILE_MAX (256 * 1024) /* URLKEYS_MAX lines, and what is left of edits */

/* One line. False if it makes no sense. */
static bool
parse(struct slice line, uint32_t *uidvalidity_r, unsigned char key_r[URLKEY])
{
	struct buf raw = BUF_INIT(URLKEY);
	struct slice number, text;
	bool ok = slice_cut(line, ' ', &number, &text) &&
	    slice_u32(number, uidvalidity_r) && *uidvalidity_r > 0 &&
	    base64_decode_url(&raw, text) && raw.n == URLKEY;

	if (ok)
		memcpy(key_r, raw.p, URLKEY);
	buf_wipe(&raw);
	return ok;
}

static int
read_file(struct store *st, struct buf *text, struct err *e)
{
	return file_read(st->fd, FILE_NAME, text, e) < 0
	    ? err_prefix(e, FILE_NAME)
	    : 0;
}

/* 1, 0 it is not there, -1. */
static int
find(struct store *st, uint32_t uidvalidity, unsigned char key_r[URLKEY],
    struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX);
	struct slice rest, line;
	uint32_t of;
	int rc = read_file(st, &text, e);

	for (rest = buf_slice(&text); rc == 0 && slice_line(&rest, &line);)
		if (parse(line, &of, key_r) && of == uidvalidity)
			rc = 1;
	buf_wipe(&text);
	return rc;
}

/*
 * The lines of all keys but that of uidvalidity, the last most of them, appended
 * to kept.
 */
static void
keep(struct slice text, uint32_t uidvalidity, size_t most, struct buf *kept)
{
	unsigned char key[URLKEY];
	struct slice line, rest;
	size_t n = 0;
	uint32_t of;

	for (rest = text; slice_line(&rest, &line);)
		n += parse(line, &of, key) && of != uidvalidity;
	for (rest = text; slice_line(&rest, &line);) {
		if (!parse(line, &of, key) || of == uidvalidity || n-- > most)
			continue;
		buf_add(kept, line);
		buf_addc(kept, '\n');
	}
	sha_wipe(key, sizeof(key));
}

/* Put the new text in place; no text, no file. */
static int
replace(struct store *st, struct slice text, struct err *e)
{
	int rc;

	if (text.n > 0)
		return db_write_file(st->fd, FILE_NAME, text, 0600, e);
	rc = db_unlink(st->fd, FILE_NAME, e);
	return rc == 1 ? db_fsync_dir(st->fd, "account", e) : rc;
}

/* Under the lease: somebody else may have made it meanwhile. */
static int
make_key(struct store *st, uint32_t uidvalidity, unsigned char key_r[URLKEY],
    struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX), kept = BUF_INIT(FILE_MAX);
	int rc = find(st, uidvalidity, key_r, e);

	if (rc == 0 && (rc = read_file(st, &text, e)) == 0) {
		keep(buf_slice(&text), uidvalidity, URLKEYS_MAX - 1, &kept);
		rand_fill(st->env->rand, key_r, URLKEY);
		buf_addf(&kept, "%u ", uidvalidity);
		base64_encode_url(&kept, slice_of((char *)key_r, URLKEY));
		buf_addc(&kept, '\n');
		rc = replace(st, buf_slice(&kept), e);
		rc = rc < 0 ? -1 : 1;
	}
	buf_wipe(&text);
	buf_wipe(&kept);
	return rc;
}

int
urlkey_get(struct store *st, uint32_t uidvalidity, bool make,
    unsigned char key_r[URLKEY], struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	int rc = find(st, uidvalidity, key_r, e);

	if (rc != 0 || !make)
		return rc;
	if (store_lock_list(st, &lock, e) < 0)
		return -1;
	rc = make_key(st, uidvalidity, key_r, e);
	db_unlock(&lock);
	return rc;
}

int
urlkey_reset(struct store *st, uint32_t uidvalidity, struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX), kept = BUF_INIT(FILE_MAX);
	struct db_lock lock = DB_LOCK_INIT;
	int rc;

	if (store_lock_list(st, &lock, e) < 0)
		return -1;
	/* All go even if the file cannot be read. */
	rc = uidvalidity ? read_file(st, &text, e) : 0;
	if (rc == 0) {
		keep(buf_slice(&text), uidvalidity, URLKEYS_MAX, &kept);
		rc = replace(st, buf_slice(&kept), e);
	}
	db_unlock(&lock);
	buf_wipe(&text);
	buf_wipe(&kept);
	return rc < 0 ? -1 : 0;
}

int
urlkeys_bad_lines(struct store *st, size_t *bad_r, struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX);
	unsigned char key[URLKEY];
	struct slice line, rest;
	uint32_t of;
	int rc = read_file(st, &text, e);

	*bad_r = 0;
	for (rest = buf_slice(&text); slice_line(&rest, &line);)
		*bad_r += !parse(line, &of, key);
	buf_wipe(&text);
	sha_wipe(key, sizeof(key));
	return rc;
}
