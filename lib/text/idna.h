/*
 * idna - domain names with U-labels and A-labels (RFC 5890, 5891; mapping as
 * UTS 46, non-transitional).
 *
 * Pure ASCII without "xn--" takes a short way: lower case and lengths. The
 * characters of ASCII labels are not restricted here (DNS names may have
 * underscores); RFC 5321 domains are checked by their parsers. A trailing dot
 * is an error.
 */
#ifndef TEXT_IDNA_H
#define TEXT_IDNA_H

#include "base/arena.h"
#include "base/err.h"

/* RFC 1035, 2.3.4: as text without the trailing dot. */
#define IDNA_DOMAIN 253
#define IDNA_LABEL 63

/* domain with A-labels in lower case, as in DNS; in the arena. A-labels that
 * are there must be valid. -1 is ERR_SYNTAX. */
int idna_ascii(struct arena *arena, struct slice domain, struct slice *ascii_r,
    struct err *e);

/* domain with U-labels, lower case and normal form C, for config and people;
 * in the arena. -1 is ERR_SYNTAX. */
int idna_unicode(struct arena *arena, struct slice domain,
    struct slice *unicode_r, struct err *e);

#endif
