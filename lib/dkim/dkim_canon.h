/*
 * dkim_canon - canonical forms of header fields and of the body, the latter as
 * a stream into a digest (RFC 6376, 3.4).
 *
 * Input is wire form: lines end in CRLF, other CR and LF are bytes as others.
 */
#ifndef DKIM_DKIM_CANON_H
#define DKIM_DKIM_CANON_H

#include "base/buf.h"
#include "base/sha.h"

/* Append the canonical form of a whole field, "Name: value CRLF", with CRLF. */
void dkim_canon_field(struct slice raw, bool relaxed, struct buf *out);

#define DKIM_NO_LIMIT UINT64_MAX

struct dkim_canon; /* a body under way */

/* Digests the first limit bytes (l=) of the canonical form. */
struct dkim_canon *dkim_canon_new(bool relaxed, enum sha_alg alg,
    uint64_t limit);
void dkim_canon_push(struct dkim_canon *c, struct slice wire);
/* The end of the body; digest has room for SHA_MAX. Returns false if there
 * were fewer bytes than the limit. Only dkim_canon_free may follow. */
bool dkim_canon_end(struct dkim_canon *c, unsigned char *digest);
void dkim_canon_free(struct dkim_canon **c);

#endif
