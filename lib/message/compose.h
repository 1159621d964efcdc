/*
 * compose - write header fields: folded, encoded where needed, each with its
 * CRLF (RFC 5322, 2.1.1 and 2.2.3).
 *
 * All append to out. Texts are UTF-8; control characters in them become
 * spaces, so no value can start a line of its own. With utf8 set non-ASCII
 * stays as it is (RFC 6532), else it is encoded.
 */
#ifndef MESSAGE_COMPOSE_H
#define MESSAGE_COMPOSE_H

#include "message/address.h"

#define COMPOSE_COLUMNS 76 /* RFC 2047, 2; RFC 5322, 2.1.1 has 78 */

/* name: text, e.g. Subject. */
void compose_text(struct buf *out, const char *name, struct slice text,
    bool utf8);
/* name: a list of mailboxes and groups; their names are UTF-8 text. Nothing
 * for an empty list. */
void compose_addresses(struct buf *out, const char *name,
    const struct address *v, size_t n, bool utf8);
/* name: <id>s; ids without <>. */
void compose_ids(struct buf *out, const char *name, const struct slice *ids,
    size_t n);
void compose_date(struct buf *out, const char *name, int64_t s, int zone_s);
/* name: value as it is, folded at its spaces. */
void compose_folded(struct buf *out, const char *name, struct slice value);

/* Delivered-To: address; Return-Path: <address> (RFC 5321, 4.4). */
void compose_delivered_to(struct buf *out, struct slice address);
void compose_return_path(struct buf *out, struct slice address);

/* What a Received field says (RFC 5321, 4.4); empty slices are left out. */
struct compose_received {
	struct slice helo;      /* from: as given in EHLO */
	struct slice from_name; /* verified reverse name */
	struct slice from_ip;   /* as text; "[IPv6:" and "]" are added */
	struct slice by;        /* own host name */
	struct slice by_ip;
	struct slice with; /* ESMTPSA */
	bool requiretls;
	struct slice id;
	struct slice tls;  /* "TLS1.3 TLS_AES_128_GCM_SHA256" */
	struct slice rcpt; /* for: only for a single recipient */
	int64_t s;         /* time, seconds */
	int zone_s;
};
void compose_received(struct buf *out, const struct compose_received *r);

#endif
