/*
 * precis - preparation of passwords and login names for comparison
 * (RFC 8264, RFC 8265).
 */
#ifndef TEXT_PRECIS_H
#define TEXT_PRECIS_H

#include "base/buf.h"
#include "base/err.h"

#define PRECIS_MAX 1024 /* bytes of a name or password; nobody has more */

/*
 * OpaqueString (RFC 8265, 4.2), for passwords: spaces of any kind as U+0020,
 * normal form C. Appends to out; -1 (ERR_SYNTAX, out unchanged) if it is
 * empty, longer than PRECIS_MAX or has characters that are not allowed
 * (controls, unassigned). The caller wipes out, which should have a maximum
 * of PRECIS_MAX or more: memory that a buf grew out of is not wiped.
 */
int precis_password(struct buf *out, struct slice password, struct err *e);

/*
 * Login names, which are mail addresses: normal form C; case stays, since
 * what it means is the domain's setting. -1 (ERR_SYNTAX, out unchanged) if
 * empty, too long, not UTF-8, or with controls, spaces or invisible characters.
 */
int precis_login(struct buf *out, struct slice name, struct err *e);

#endif
