/*
 * ask_int - the messages between ask.c and serve.c, one a packet of the
 * socket pair: a struct, then bytes.
 */
#ifndef DNS_ASK_INT_H
#define DNS_ASK_INT_H

#include <stdint.h>

#define ASK_NAME_MAX 1024          /* bytes of a name: \DDD each at worst */
#define ASK_WHY_MAX 1024           /* bytes of a reason */
#define ASK_PACKET_MAX (64 * 1024) /* bytes of a DNS message */

struct ask_question { /* the name follows */
	uint32_t id;
	uint32_t ms; /* how long the answer is waited for */
	uint16_t type;
	uint16_t unused;
};

enum { ASK_SECURE = 1, ASK_BOGUS = 2, ASK_TIMEOUT = 4 };

struct ask_answer { /* why, then the packet follow */
	uint32_t id;
	uint8_t rcode;
	uint8_t flags;
	uint16_t why; /* bytes */
};

#endif
