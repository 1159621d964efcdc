/*
 * idna - domain names with U-labels and A-labels (RFC 5890, 5891; mapping as
 * UTS 46, non-transitional).
 *
 * In ASCII a label has letters, digits, hyphens and underscores (for names
 * like _dmarc); stricter rules are those of RFC 5321 and its parsers. A
 * trailing dot is an error. What is ASCII already is not checked for valid
 * A-labels: DNS has names that IDNA 2008 does not allow, and mail comes from
 * them.
 */
#ifndef TEXT_IDNA_H
#define TEXT_IDNA_H

#include "base/arena.h"
#include "base/err.h"

/* RFC 1035, 2.3.4: as text without the trailing dot. */
#define IDNA_DOMAIN 253
#define IDNA_LABEL 63

/* domain with A-labels in lower case, as in DNS; in the arena. -1 is
 * ERR_SYNTAX. */
int idna_ascii(struct arena *arena, struct slice domain, struct slice *ascii_r,
    struct err *e);

/* domain with U-labels, lower case and normal form C, for config and people;
 * in the arena. With an A-label that is not valid, all labels stay A-labels.
 * -1 is ERR_SYNTAX. */
int idna_unicode(struct arena *arena, struct slice domain,
    struct slice *unicode_r, struct err *e);

#endif
