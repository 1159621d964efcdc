/* mtasts_refresh - what is to be done with a policy nobody asks for now. */
#include "mtasts/mtasts.h"

#define DAY_US (86400 * INT64_C(1000000))
#define FRESH_US (DAY_US / 2) /* fetched since then: left alone */

enum mtasts_due
mtasts_due(const struct mtasts_entry *entry, int64_t now_us)
{
	if (now_us - entry->used_us > MTASTS_UNUSED_S * INT64_C(1000000))
		return MTASTS_FORGET;
	if (!entry->have) /* a fetch that failed, and nobody tried again */
		return now_us - entry->failed_us > DAY_US ? MTASTS_FORGET
							  : MTASTS_KEEP;
	return now_us - entry->fetched_us > FRESH_US &&
		now_us - entry->failed_us > MTASTS_RETRY_S * INT64_C(1000000)
	    ? MTASTS_REFRESH
	    : MTASTS_KEEP;
}

bool
mtasts_is_over(const struct mtasts_entry *entry, enum mtasts_record record,
    int64_t now_us)
{
	return record == MTASTS_RECORD_NONE &&
	    (entry->policy.mode == MTASTS_MODE_NONE || now_us >= entry->end_us);
}
