/*
 * An address of three lines: local part, domain, the domain that forwards.
 * Rewritten, it comes back; as it is, it is never one of ours.
 */
#include <stdlib.h>

#include "srs/srs.h"

#define NOW (INT64_C(1796000000))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct srs srs = { "0123456789abcdef0123456789abcde" };

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* An SRS1 address stands for the first host's, as that one wrote it. */
static void
there_and_back(struct slice local, struct slice domain, struct slice by)
{
	struct buf out = BUF_INIT(1000), buf = BUF_INIT(1000);
	struct slice l, d;

	if (srs_forward(&srs, local, domain, by, NOW, &out, NULL) < 0) {
		require(out.n == 0);
		return;
	}
	require(out.n + 1 + by.n <= SRS_ADDRESS_MAX);
	require(srs_reverse(&srs, buf_slice(&out), by, NOW, &buf, &l, &d) ==
	    SRS_OK);
	if (slice_starts(buf_slice(&out), SLICE("SRS0")))
		require(slice_eq(l, local) && slice_eq(d, domain));
	else
		require(slice_starts(l, SLICE("SRS0")) && d.n > 0);
	require(srs_reverse(&srs, buf_slice(&out), by,
		    NOW + (SRS_DAYS + 1) * 86400, &buf, &l, &d) != SRS_FORGED);
	buf_free(&out);
	buf_free(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data, size);
	struct slice local, domain, by, l, d;
	struct buf buf = BUF_INIT(SIZE_MAX);
	enum srs_status status;

	slice_cut(rest, '\n', &local, &rest);
	slice_cut(rest, '\n', &domain, &by);
	status = srs_reverse(&srs, local, by, NOW, &buf, &l, &d);
	require(status == SRS_NONE || status == SRS_FORGED ||
	    l.n + d.n < local.n + buf.n);
	there_and_back(local, domain, by);
	buf_free(&buf);
	return 0;
}
