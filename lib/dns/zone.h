/*
 * zone - DNS answers from a text, for tests and localserve.
 *
 * A line a record: "name type data", fields separated by blanks, names in full
 * without trailing dot, "#" begins a comment:
 *
 *   example.org        MX    10 mail.example.org
 *   mail.example.org   A     192.0.2.1
 *   example.org        TXT   "v=spf1 mx -all"
 *   _25._tcp.mail.example.org  TLSA  3 1 1 00ff...
 *   broken.example     FAIL        every question fails (ERR_TEMP)
 *   bogus.example      BOGUS       the same, as DNSSEC failure
 *   half.example       FAIL AAAA   only of this type; BOGUS, too
 *   secure.example     SECURE      answers at and below it are secure
 *
 * In texts \DDD is a byte and \X is X; names are as dns.h has them.
 * Types: A AAAA MX TXT PTR TLSA CNAME NS SRV CAA. A name without records of its
 * own but with some below it exists (RFC 8020); others do not.
 */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include "dns/dns.h"

/* Returns a handle for the text (copied), or NULL with e naming the line. */
struct dns *dns_zone_new(struct slice text, struct err *e);
/* The same from a file. */
struct dns *dns_zone_load(const char *path, struct err *e);
void dns_zone_free(struct dns **dns);

#endif
