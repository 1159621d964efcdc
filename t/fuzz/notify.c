/*
 * Fuzz what a session saves of NOTIFY: what is read makes sense, and is written
 * the same.
 */
#include <assert.h>
#include <stdint.h>

#include "imap/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice saved = slice_of((const char *)data, n);
	struct buf again = BUF_INIT(1 << 24);
	struct imap_notify *notify;

	if (imap_notify_load(&notify, saved)) {
		imap_notify_save(notify, &again);
		assert(slice_eq(buf_slice(&again), saved));
		for (size_t i = 0; i < notify->n; i++)
			assert(imap_notify_find(notify, notify->v[i].name) ==
			    &notify->v[i]);
	}
	imap_notify_free(&notify);
	buf_free(&again);
	return 0;
}
