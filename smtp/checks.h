/*
 * checks - who sent this? What a connection on port 25 and its messages are
 * checked by: iprev, SPF, DKIM, ARC, DMARC.
 *
 * Questions are set under way as soon as they are known, and their answers
 * waited for when they are needed. DKIM and ARC are verified in the front,
 * which has the bytes (verify.h); it asks for keys through the back, and tells
 * the results. All else is the back's.
 */
#ifndef SMTP_CHECKS_H
#define SMTP_CHECKS_H

#include "arc/arc.h"
#include "dmarc/dmarc.h"
#include "iprev/iprev.h"
#include "spf/spf.h"

#define SMTP_CHECK_MS (60 * 1000) /* for each */

/* Keys for all signatures that are verified, and DMARC, asked for ahead and
 * again: more is nothing a front has need of. */
#define SMTP_QUESTIONS_MAX (2 * (DKIM_VERIFY_MAX + 2 * ARC_SETS_MAX + 4))

struct smtp_arc_result {
	struct smtp_arc {
		enum arc_status status;
		unsigned n, oldest_pass;
		bool over, temporary;
	} is;
	struct slice domain; /* of the last seal, for ARC_PASS */
	struct slice why;
};

struct smtp_checks {
	struct dns *dns; /* NULL: nothing is asked, nothing checked */

	/* Of the connection: */
	struct arena *arena;
	bool has_iprev;
	struct iprev_result iprev;

	/* Of the transaction, in its arena: */
	struct spf_args spf_args; /* set at MAIL */
	bool has_spf;
	struct spf_result spf;
	int64_t until_ms; /* for the front's questions; 0: none was asked */
	unsigned questions;
	struct dkim_results dkim; /* status, testing, secure, why, sig */
	bool has_arc;             /* the last that the front tells */
	struct smtp_arc_result arc;
	bool has_dmarc;
	struct slice from_domain; /* of the message */
	struct dmarc_result dmarc;
	bool refused; /* for that */
};

#endif
