/* search_run - go through the selected mailbox, for as long as it takes. */
#include "imap/search.h"

/* Messages between two looks at the clock: below a millisecond by the index,
 * and as many opened files take some. */
#define LOOK_EVERY 64

static void
note(struct imap_session *s, struct search_found *f, uint32_t *size,
    uint32_t seq)
{
	if (f->count == *size) {
		uint32_t size_new = *size ? 2 * *size : 64;
		f->seqs = arena_grow(s->arena, f->seqs, *size, size_new,
		    sizeof(*f->seqs));
		*size = size_new;
	}
	f->seqs[f->count++] = seq;
}

int
imap_search_run(struct imap_session *s, struct slice tag,
    const struct search *search, struct search_found *found_r, struct err *e)
{
	uint32_t size = 0, count = mailbox_count(s->mb);
	int rc = 0;

	*found_r = (struct search_found){ NULL, 0 };
	imap_progress_begin(s, tag);
	for (uint32_t seq = 1; seq <= count && rc >= 0; seq++) {
		rc = imap_search_match(s->mb, search, seq, e);
		if (rc > 0)
			note(s, found_r, &size, seq);
		if (rc >= 0 && seq % LOOK_EVERY == 0)
			rc = imap_progress(s, seq, count, e);
	}
	imap_progress_end(s);
	return rc < 0 ? -1 : 0;
}
