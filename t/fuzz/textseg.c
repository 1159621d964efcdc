/*
 * Fuzz lib/store/textseg.c: the input is a segment, as it is and with its
 * checksums made right. Whatever it says, reading stays inside, and documents
 * are ones it has.
 */
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/le.h"
#include "store/textseg.h"
#include "t/fuzz/folder.h"

#define HEAD 48
#define TABLE_ENTRY 24

static void
put_crc(unsigned char *at, const unsigned char *p, size_t n)
{
	uint32_t crc = (uint32_t)crc32_z(0, p, n);

	memcpy(at, &crc, 4);
}

/* Else hardly any input gets past the checksums. */
static void
mend(unsigned char *p, size_t n)
{
	uint64_t tables, table;

	if (n < HEAD)
		return;
	tables = le_get32(p + 24);
	table = tables + (uint64_t)le_get32(p + 16) * 4;
	for (uint64_t i = 0; i < le_get32(p + 20); i++) {
		unsigned char *entry = p + table + i * TABLE_ENTRY;
		if (table + (i + 1) * TABLE_ENTRY > n)
			break;
		if (le_get32(entry + 8) <= n &&
		    le_get32(entry + 16) <= n - le_get32(entry + 8))
			put_crc(entry + 20, p + le_get32(entry + 8),
			    le_get32(entry + 16));
	}
	if (tables <= n)
		put_crc(p + 32, p + tables, n - tables);
	put_crc(p + 36, p, 36);
}

static void
read_all(struct slice content)
{
	struct textseg_cursor c;
	struct textseg s;
	unsigned char *docs;
	uint32_t *list;
	uint64_t n;

	folder_put("seg", content);
	if (textseg_open(&s, folder_fd, "seg", NULL) != 1)
		return;
	docs = xcalloc(textseg_bits(s.scope.ndocs) + 1, 1);
	list = xcalloc(s.scope.ndocs + 1, sizeof(*list));
	for (textseg_first(&c, &s); textseg_next(&c);) {
		assert(c.trigram < TEXTSEG_TRIGRAMS);
		if (!textseg_docs(&c, list))
			break;
		for (uint32_t i = 0; i < c.n; i++)
			assert(list[i] < s.scope.ndocs &&
			    (i == 0 || list[i] > list[i - 1]));
		textseg_find(&s, c.trigram, c.trigram, docs, &n);
	}
	textseg_find(&s, 0, TEXTSEG_TRIGRAMS - 1, docs, &n);
	textseg_find(&s, 0x616200, 0x6162ff, docs, &n);
	free(docs);
	free(list);
	textseg_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned char *copy = xmalloc(n + 1);

	folder_begin();
	read_all(slice_of((const char *)data, n));
	memcpy(copy, data, n);
	mend(copy, n);
	read_all(slice_of((const char *)copy, n));
	free(copy);
	return 0;
}
