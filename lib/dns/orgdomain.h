/*
 * orgdomain - the organizational domain of a name, by the public suffix list
 * that libpsl carries: RFC 7489, 3.2.
 *
 * Names as in dns/name.h, in any case. Pure: nothing is read from disk.
 */
#ifndef DNS_ORGDOMAIN_H
#define DNS_ORGDOMAIN_H

#include "base/slice.h"

/*
 * The part of name that somebody registered: "example.co.uk" of
 * "mail.example.co.uk". A public suffix ("co.uk"), and what is no name, is
 * returned as it is. Part of name.
 */
struct slice dns_orgdomain(struct slice name);

/* Is it one below which anybody registers: "com", "co.uk"? Also what has a
 * single label and is in no list. */
bool dns_is_public_suffix(struct slice name);

/* Have both the same organizational domain? */
bool dns_same_org(struct slice a, struct slice b);

#endif
