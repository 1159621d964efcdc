/* textseg.c - the layout of a segment, both ways: README, Text index. */
#include "store/textseg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/le.h"

#define MAGIC "mxt1"
#define HEAD 48
#define TABLE_ENTRY 24
#define BLOCK 4096       /* a block is full behind this many bytes */
#define OUT (256 * 1024) /* bytes gathered for one write */
#define VARINT_MAX 5     /* bytes of 32 bits */
#define ENTRY_MAX (4 * VARINT_MAX)

static void
add_varint(struct buf *b, uint32_t v)
{
	char *p = buf_space(b, VARINT_MAX);

	if (p == NULL)
		return;
	for (; v >= 0x80; v >>= 7, b->n++)
		*p++ = (char)(v | 0x80);
	*p = (char)v;
	b->n++;
}

static bool
take_varint(struct slice *rest, uint32_t *v_r)
{
	uint32_t v = 0;

	for (size_t i = 0; i < rest->n && i < VARINT_MAX; i++) {
		unsigned char c = (unsigned char)rest->p[i];
		v |= (uint32_t)(c & 0x7f) << 7 * i;
		if (c < 0x80) {
			*rest = slice_skip(*rest, i + 1);
			*v_r = v;
			return true;
		}
	}
	return false;
}

static uint32_t
crc_of(uint32_t crc, const void *p, size_t n)
{
	return (uint32_t)crc32_z(crc, p, n);
}

/* ---- writing ---- */

/* Nothing is added to a writer that failed; textseg_write_end says so. */
static void
write_out(struct textseg_writer *w)
{
	if (w->out.n > 0 && !w->failed &&
	    file_write(w->file.fd, buf_slice(&w->out), NULL) != 0)
		w->failed = true;
	w->offset += w->out.n;
	buf_reset(&w->out);
}

static void
add_out(struct textseg_writer *w, const void *p, size_t n)
{
	if (w->out.n + n > OUT)
		write_out(w);
	buf_add(&w->out, slice_of(p, n));
}

int
textseg_write_begin(struct textseg_writer *w, int dirfd, const char *name,
    mode_t mode, const struct textseg_scope *scope, struct err *e)
{
	static const unsigned char head[HEAD];

	*w = (struct textseg_writer){ .file = DB_NEWFILE_INIT,
		.scope = *scope,
		.out = BUF_INIT(OUT + (TEXTSEG_DOCS_MAX + BLOCK) * 8u),
		.block = BUF_INIT((TEXTSEG_DOCS_MAX + BLOCK) * 8u) };
	if (db_newfile_begin(&w->file, dirfd, name, mode, e) != 0)
		return -1;
	add_out(w, head, HEAD); /* written last */
	return 0;
}

static void
end_block(struct textseg_writer *w)
{
	struct textseg_block *b;

	if (w->block.n == 0)
		return;
	if (w->nblocks == w->size) {
		w->size = w->size ? 2 * w->size : 256;
		w->blocks =
		    xreallocarray(w->blocks, w->size, sizeof(*w->blocks));
	}
	b = &w->blocks[w->nblocks++];
	b->first = w->block_first;
	b->last = w->block_last;
	b->offset = w->offset + w->out.n;
	b->size = (uint32_t)w->block.n;
	b->crc = crc_of(0, w->block.p, w->block.n);
	add_out(w, w->block.p, w->block.n);
	buf_reset(&w->block);
}

/* Gaps between documents; so the list is one byte each where every hundredth
 * message has the trigram. */
static void
add_gaps(struct buf *b, const uint32_t *docs, uint32_t n)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < n; i++) {
		add_varint(b, docs[i] - next);
		next = docs[i] + 1;
	}
}

static void
add_bitmap(struct buf *b, uint32_t ndocs, const uint32_t *docs, uint32_t n)
{
	size_t bytes = textseg_bits(ndocs);
	char *p = buf_space(b, bytes);

	if (p == NULL)
		return;
	memset(p, 0, bytes);
	for (uint32_t i = 0; i < n; i++)
		p[docs[i] / 8] = (char)(p[docs[i] / 8] | 1 << docs[i] % 8);
	b->n += bytes;
}

void
textseg_write_add(struct textseg_writer *w, uint32_t trigram,
    const uint32_t *docs, uint32_t n)
{
	bool bitmap = n >= textseg_bits(w->scope.ndocs);
	struct buf *b = &w->block;
	size_t at;

	if (b->n == 0)
		w->block_first = w->block_last = trigram;
	add_varint(b, trigram - w->block_last);
	w->block_last = trigram;
	add_varint(b, n << 1 | bitmap);
	if (bitmap)
		add_bitmap(b, w->scope.ndocs, docs, n);
	else {
		/* The length of the list in one byte, as nearly all are. */
		at = b->n;
		buf_addc(b, 0);
		add_gaps(b, docs, n);
		if (b->n - at - 1 < 0x80)
			b->p[at] = (char)(b->n - at - 1);
		else {
			uint32_t size = (uint32_t)(b->n - at - 1);
			buf_cut(b, at);
			add_varint(b, size);
			add_gaps(b, docs, n);
		}
	}
	if (b->n >= BLOCK)
		end_block(w);
}

static void
add_table(struct textseg_writer *w, uint32_t *crc)
{
	unsigned char p[TABLE_ENTRY];

	for (size_t i = 0; i < w->nblocks; i++) {
		const struct textseg_block *b = &w->blocks[i];
		le_put32(p, b->first);
		le_put32(p + 4, b->last);
		le_put32(p + 8, (uint32_t)b->offset);
		le_put32(p + 12, (uint32_t)(b->offset >> 32));
		le_put32(p + 16, b->size);
		le_put32(p + 20, b->crc);
		*crc = crc_of(*crc, p, sizeof(p));
		add_out(w, p, sizeof(p));
	}
}

/* UIDs, bits, table, and then the head that says where they are. */
static void
add_tables(struct textseg_writer *w)
{
	const struct textseg_scope *s = &w->scope;
	unsigned char head[HEAD] = MAGIC;
	static const unsigned char zeros[4];
	size_t bits = textseg_bits(s->ndocs), pad;
	uint64_t tables;
	uint32_t crc;

	/* Aligned, and in host byte order: they are used in place. */
	pad = (4 - (w->offset + w->out.n) % 4) % 4;
	add_out(w, zeros, pad);
	tables = w->offset + w->out.n;
	crc = crc_of(0, s->uids, (size_t)s->ndocs * 4);
	add_out(w, s->uids, (size_t)s->ndocs * 4);
	add_table(w, &crc);
	crc = crc_of(crc, s->any, bits);
	add_out(w, s->any, bits);
	le_put32(head + 4, s->uidvalidity);
	le_put32(head + 8, s->first);
	le_put32(head + 12, s->last);
	le_put32(head + 16, s->ndocs);
	le_put32(head + 20, (uint32_t)w->nblocks);
	le_put32(head + 24, (uint32_t)tables);
	le_put32(head + 28, (uint32_t)(tables >> 32));
	le_put32(head + 32, crc);
	le_put32(head + 36, crc_of(0, head, 36));
	write_out(w);
	if (!w->failed && pwrite(w->file.fd, head, HEAD, 0) != HEAD)
		w->failed = true;
}

int
textseg_write_end(struct textseg_writer *w, const char *name, struct err *e)
{
	end_block(w);
	add_tables(w);
	if (w->failed || w->out.over || w->block.over)
		return err_set(e, ERR_TEMP, "%s: cannot be written", name);
	return db_newfile_replace(&w->file, name, e);
}

void
textseg_write_free(struct textseg_writer *w)
{
	db_newfile_end(&w->file);
	buf_free(&w->out);
	buf_free(&w->block);
	free(w->blocks);
	w->blocks = NULL;
}

/* ---- reading ---- */

static struct textseg_block
block_at(const struct textseg *s, uint32_t i)
{
	const unsigned char *p = s->table + (size_t)i * TABLE_ENTRY;

	return (struct textseg_block){ le_get32(p), le_get32(p + 4),
		le_get64(p + 8), le_get32(p + 16), le_get32(p + 20) };
}

static bool
blocks_ok(const struct textseg *s, uint64_t tables)
{
	uint64_t end = HEAD, next = 0;

	for (uint32_t i = 0; i < s->nblocks; i++) {
		struct textseg_block b = block_at(s, i);
		if (b.first < next || b.last < b.first ||
		    b.last >= TEXTSEG_TRIGRAMS || b.offset < end ||
		    b.size > tables || b.offset > tables - b.size)
			return false;
		next = (uint64_t)b.last + 1;
		end = b.offset + b.size;
	}
	return true;
}

static bool
uids_ok(const struct textseg_scope *c)
{
	uint32_t least = c->first;

	if (c->first == 0 || c->last < c->first)
		return false;
	for (uint32_t i = 0; i < c->ndocs; i++) {
		if (c->uids[i] < least || c->uids[i] > c->last)
			return false;
		least = c->uids[i] + 1;
	}
	return true;
}

/* Is the mapped file one of ours, whole? Fills s. */
static bool
check(struct textseg *s)
{
	const unsigned char *h = s->map;
	struct textseg_scope *c = &s->scope;
	uint64_t tables, uids, table, bits;

	if (s->size < HEAD || memcmp(h, MAGIC, 4) != 0 ||
	    le_get32(h + 36) != crc_of(0, h, 36))
		return false;
	c->uidvalidity = le_get32(h + 4);
	c->first = le_get32(h + 8);
	c->last = le_get32(h + 12);
	c->ndocs = le_get32(h + 16);
	s->nblocks = le_get32(h + 20);
	tables = le_get64(h + 24);
	uids = (uint64_t)c->ndocs * 4;
	table = (uint64_t)s->nblocks * TABLE_ENTRY;
	bits = textseg_bits(c->ndocs);
	if (c->ndocs > TEXTSEG_DOCS_MAX || tables < HEAD || tables % 4 != 0 ||
	    tables > s->size || s->size - tables != uids + table + bits ||
	    le_get32(h + 32) != crc_of(0, h + tables, s->size - tables))
		return false;
	c->uids = (const uint32_t *)(const void *)(h + tables);
	s->table = h + tables + uids;
	c->any = s->table + table;
	return uids_ok(c) && blocks_ok(s, tables);
}

int
textseg_open(struct textseg *s, int dirfd, const char *name, struct err *e)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	*s = (struct textseg){ .map = NULL };
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", name);
	if (fstat(fd, &st) != 0 || st.st_size == 0) {
		close(fd);
		return err_set(e, ERR_SYNTAX, "%s: empty", name);
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return err_sys(e, "%s", name);
	s->map = map;
	s->size = (uint64_t)st.st_size;
	if (check(s))
		return 1;
	textseg_close(s);
	return err_set(e, ERR_SYNTAX, "%s: damaged", name);
}

void
textseg_close(struct textseg *s)
{
	if (s->map != NULL)
		munmap((void *)s->map, s->size);
	s->map = NULL;
}

/* ---- entries ---- */

static bool
begin_block(struct textseg_cursor *c, uint32_t i)
{
	struct textseg_block b = block_at(c->s, i);

	c->block = i;
	c->trigram = b.first;
	c->rest = slice_of((const char *)c->s->map + b.offset, b.size);
	c->damaged |= crc_of(0, c->rest.p, c->rest.n) != b.crc;
	return !c->damaged;
}

void
textseg_first(struct textseg_cursor *c, const struct textseg *s)
{
	*c = (struct textseg_cursor){ .s = s };
	if (s->nblocks > 0)
		begin_block(c, 0);
}

bool
textseg_next(struct textseg_cursor *c)
{
	uint32_t gap, count, size;

	while (c->rest.n == 0) {
		if (c->damaged || c->block + 1 >= c->s->nblocks ||
		    !begin_block(c, c->block + 1))
			return false;
	}
	if (c->damaged)
		return false;
	c->damaged = true;
	if (!take_varint(&c->rest, &gap) || !take_varint(&c->rest, &count) ||
	    gap >= TEXTSEG_TRIGRAMS - c->trigram)
		return false;
	c->trigram += gap;
	c->bitmap = count & 1;
	c->n = count >> 1;
	size = (uint32_t)textseg_bits(c->s->scope.ndocs);
	if ((!c->bitmap && !take_varint(&c->rest, &size)) || size > c->rest.n ||
	    c->n > c->s->scope.ndocs)
		return false;
	c->list = slice_head(c->rest, size);
	c->rest = slice_skip(c->rest, size);
	c->damaged = false;
	return true;
}

static bool
bitmap_docs(const struct textseg_cursor *c, uint32_t *docs)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->s->scope.ndocs; i++)
		if ((unsigned char)c->list.p[i / 8] & 1u << i % 8) {
			if (n == c->n)
				return false;
			docs[n++] = i;
		}
	return n == c->n;
}

bool
textseg_docs(struct textseg_cursor *c, uint32_t *docs)
{
	struct slice rest = c->list;
	uint32_t gap, next = 0;
	bool ok = true;

	if (c->bitmap)
		ok = bitmap_docs(c, docs);
	for (uint32_t i = 0; ok && !c->bitmap && i < c->n; i++) {
		ok = take_varint(&rest, &gap) && gap < c->s->scope.ndocs - next;
		if (ok) {
			docs[i] = next + gap;
			next = docs[i] + 1;
		}
	}
	c->damaged |= !ok;
	return ok;
}

/* Set the bits of the documents of the entry. */
static bool
mark(struct textseg_cursor *c, unsigned char *docs)
{
	struct slice rest = c->list;
	uint32_t gap, next = 0, ndocs = c->s->scope.ndocs;

	if (c->bitmap) {
		for (size_t i = 0; i < c->list.n; i++)
			docs[i] |= (unsigned char)c->list.p[i];
		return true;
	}
	for (uint32_t i = 0; i < c->n; i++) {
		if (!take_varint(&rest, &gap) || gap >= ndocs - next)
			return false;
		next += gap;
		docs[next / 8] |= (unsigned char)(1u << next % 8);
		next++;
	}
	return true;
}

/* The first block that ends at or behind the trigram. */
static uint32_t
find_block(const struct textseg *s, uint32_t trigram)
{
	uint32_t lo = 0, hi = s->nblocks;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (block_at(s, mid).last < trigram)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
textseg_find(const struct textseg *s, uint32_t from, uint32_t to,
    unsigned char *docs, uint64_t *n_r)
{
	uint32_t block = find_block(s, from);
	struct textseg_cursor c = { .s = s };

	*n_r = 0;
	if (block == s->nblocks || block_at(s, block).first > to)
		return 0;
	begin_block(&c, block);
	while (textseg_next(&c) && c.trigram <= to) {
		if (c.trigram < from)
			continue;
		if (!mark(&c, docs))
			return -1;
		*n_r += c.n;
		if (from == to)
			break;
	}
	return c.damaged ? -1 : 0;
}
