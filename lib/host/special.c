/* special - addresses of localserve that fail on purpose, for testing clients
 * (mox-localserve(8)). */
#include "host/special.h"

#include "base/clock.h"

#define HOUR_MS (60 * 60 * 1000)

static int
ending(struct slice local, const char **enhanced_r)
{
	uint32_t code;

	if (slice_endsi(local, SLICE("temperror"))) {
		*enhanced_r = "4.3.0";
		return 451;
	}
	if (slice_endsi(local, SLICE("permerror"))) {
		*enhanced_r = "5.3.0";
		return 554;
	}
	if (slice_endsi(local, SLICE("timeout"))) {
		clock_sleep_ms(HOUR_MS);
		return 0;
	}
	if (local.n < 3 || !slice_u32(slice_skip(local, local.n - 3), &code) ||
	    code < 400 || code > 599)
		return 0;
	*enhanced_r = code < 500 ? "4.3.0" : "5.3.0";
	return (int)code;
}

int
special_code(enum special_when when, struct slice local,
    const char **enhanced_r)
{
	enum special_when wanted = SPECIAL_DELIVER;

	if (slice_startsi(local, SLICE("mailfrom")))
		wanted = SPECIAL_MAIL;
	else if (slice_startsi(local, SLICE("rcptto")))
		wanted = SPECIAL_RCPT;
	return when == wanted ? ending(local, enhanced_r) : 0;
}
