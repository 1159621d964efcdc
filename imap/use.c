#include "imap/use.h"

#include "store/store.h"

static const struct {
	const char *name;
	unsigned use;
} uses[] = {
	{ "Archive", STORE_USE_ARCHIVE },
	{ "Drafts", STORE_USE_DRAFTS },
	{ "Junk", STORE_USE_JUNK },
	{ "Sent", STORE_USE_SENT },
	{ "Trash", STORE_USE_TRASH },
};

#define USES (sizeof(uses) / sizeof(*uses))

unsigned
imap_use_of(struct slice name)
{
	for (size_t i = 0; i < USES; i++)
		if (slice_isi(name, uses[i].name))
			return uses[i].use;
	return 0;
}

void
imap_put_use(struct buf *b, unsigned use)
{
	for (size_t i = 0; i < USES; i++)
		if (use & uses[i].use)
			buf_addf(b, " \\%s", uses[i].name);
}
