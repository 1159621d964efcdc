/*
 * TLS reports: a record, the JSON of a report, a message with one, a file of
 * results, by the first byte. What was read and written again reads the same.
 */
#include <stdlib.h>

#include "tlsrpt/tlsrpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
same_report(const struct tlsrpt_report *a, const struct tlsrpt_report *b)
{
	require(a->npolicies == b->npolicies);
	for (size_t i = 0; i < a->npolicies; i++) {
		const struct tlsrpt_sum *p = &a->policies[i];
		const struct tlsrpt_sum *q = &b->policies[i];

		require(p->type == q->type && p->npolicy == q->npolicy &&
		    p->nmx == q->nmx && p->success == q->success &&
		    p->failure == q->failure && p->nfailures == q->nfailures);
		for (size_t j = 0; j < p->nfailures; j++)
			require(p->failures[j].sessions ==
			    q->failures[j].sessions);
	}
}

static void
try_report(struct arena *arena, const struct tlsrpt_report *a)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct tlsrpt_report b;

	tlsrpt_report_write(&text, a);
	require(tlsrpt_report_parse(buf_slice(&text), arena, &b, NULL) == 0);
	same_report(a, &b);
	buf_free(&text);
}

static void
try_results(struct arena *arena, struct slice in)
{
	struct tlsrpt_results r;

	tlsrpt_results_parse(in, SLICE("x.example"), SLICE_NULL, arena, &r);
	for (size_t i = 0; i < r.n; i++) {
		require(r.sums[i].success + r.sums[i].failure > 0);
		require((r.sums[i].failure > 0) == (r.sums[i].nfailures > 0));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);
	struct tlsrpt_report report;
	struct tlsrpt_record record;

	if (size > 0) {
		struct slice rest = slice_skip(in, 1);

		switch (data[0] % 4) {
		case 0:
			if (tlsrpt_record_parse(rest, arena, &record, NULL) ==
			    0)
				require(record.nrua > 0 &&
				    record.nrua <= TLSRPT_RUA_MAX);
			break;
		case 1:
			if (tlsrpt_report_parse(rest, arena, &report, NULL) ==
			    0)
				try_report(arena, &report);
			break;
		case 2:
			if (tlsrpt_message_parse(rest, arena, &report, NULL) ==
			    0)
				try_report(arena, &report);
			break;
		case 3:
			try_results(arena, rest);
			break;
		}
	}
	arena_free(&arena);
	return 0;
}
