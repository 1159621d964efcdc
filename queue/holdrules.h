/*
 * holdrules - which new messages are held: data/queue/holdrules, a rule a line:
 *
 *	ID ACCOUNT SENDER-DOMAIN RECIPIENT-DOMAIN
 *
 * `-` stands for any; domains in ASCII form, lower case. A rule holds what
 * matches all it names. The file is replaced whole, under holdrules.lock.
 */
#ifndef QUEUE_HOLDRULES_H
#define QUEUE_HOLDRULES_H

#include "queue/item.h"

struct holdrule {
	uint32_t id;
	struct slice account, sender, recipient; /* empty: any */
};

struct holdrules {
	struct holdrule *v;
	size_t n;
};

/* The rules; none if there is no file. 0, or -1 with e. */
int holdrules_read(const struct queue *q, struct arena *arena,
    struct holdrules *rules_r, struct err *e);
/* Add the rules of a text, which has to live as long. 0, or -1 with e. */
int holdrules_parse(struct slice text, struct arena *arena,
    struct holdrules *rules, struct err *e);
/* Is a message of this account, from and to these addresses, to be held? NULL
 * or the rule that says so. */
const struct holdrule *holdrules_match(const struct holdrules *rules,
    struct slice account, struct slice from, struct slice to);
/* Durable when they return 0. id_r: of the new rule. */
int holdrules_add(struct queue *q, const struct holdrule *rule, uint32_t *id_r,
    struct err *e);
/* 1 removed, 0 no such rule, -1. */
int holdrules_remove(struct queue *q, uint32_t id, struct err *e);

#endif
