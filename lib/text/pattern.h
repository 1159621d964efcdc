/*
 * pattern - regular expressions of users, in the syntax of RE2.
 *
 * RE2 is what mox's configuration promises: no back references, no looking
 * around, no recursion. pcre2 runs them; what it knows beyond RE2 is refused
 * here, so that expressions mean the same everywhere and matching cannot take
 * exponential time through such features.
 */
#ifndef TEXT_PATTERN_H
#define TEXT_PATTERN_H

#include "base/err.h"
#include "base/slice.h"

#define PATTERN_MAX 1024 /* bytes of an expression; bounds compiling */

/* Is it an expression we take? 0, or -1 with e set (SYNTAX). */
int pattern_check(struct slice expression, struct err *e);

#endif
