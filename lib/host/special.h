/*
 * special - addresses of localserve that fail on purpose, for testing clients
 * (mox-localserve(8)).
 */
#ifndef HOST_SPECIAL_H
#define HOST_SPECIAL_H

#include "base/slice.h"

/* When a localpart is to fail: its beginning says that. */
enum special_when {
	SPECIAL_MAIL,    /* "mailfrom...", as sender */
	SPECIAL_RCPT,    /* "rcptto...", as recipient */
	SPECIAL_DELIVER, /* all others, when the message is there */
};

/*
 * The code to answer with, and the enhanced one, for a localpart with a
 * special ending; 0 for others, after an hour's sleep for "timeout".
 */
int special_code(enum special_when when, struct slice local,
    const char **enhanced_r);

#endif
