/*
 * ask - DNS through the resolver process of a service.
 *
 * Who asks has no network. It holds a descriptor, the door: one end of a pair
 * of sockets (SOCK_SEQPACKET) that all processes of the service share, whose
 * other end the resolver reads. At the first question a pair of sockets is made
 * and one end sent through the door; questions and answers go over it, many
 * at a time. When the resolver dies the pair is made anew, and what was under
 * way is asked again. Depends on lib/base and lib/net.
 */
#ifndef DNS_ASK_H
#define DNS_ASK_H

#include "dns/dns.h"

/* A handle. door stays the caller's, and open. Needs socketpair(2). */
struct dns *ask_new(int door);

#endif
