/*
 * name - domain names: valid, compare, parents.
 *
 * ASCII text without a trailing dot; text/idna.h makes it from U-labels.
 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/slice.h"

#define DNS_NAME_MAX 253 /* RFC 1035, 2.3.4, as text */
#define DNS_LABEL_MAX 63

/* Can be asked about: labels of 1 to 63 printable bytes without dot, at most
 * 253 bytes. Underscores are fine. */
bool dns_name_valid(struct slice name);
/* A host name: labels of letters, digits and inner hyphens (RFC 1123, 2.1). */
bool dns_name_is_host(struct slice name);
bool dns_name_eq(struct slice a, struct slice b); /* case ignored */
/* Is name equal to or below parent? */
bool dns_name_within(struct slice name, struct slice parent);
/* Without its first label; false (and empty) if it has only one. */
bool dns_name_parent(struct slice name, struct slice *parent_r);
size_t dns_name_labels(struct slice name);

#endif
