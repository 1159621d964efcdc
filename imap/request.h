/*
 * request - what the front of an IMAP connection asks its back, besides
 * logging in (host/login.h).
 *
 *	SESSION	tag, command, unread bytes	hand-over; needs a login
 *
 * The tag is empty if a client certificate was enough.
 */
#ifndef IMAP_REQUEST_H
#define IMAP_REQUEST_H

#include "host/login.h"

enum imap_request { IMAP_REQ_SESSION = LOGIN_FIRST_OTHER };

#endif
