/*
 * verify - DKIM and ARC of a message, in the front, while its bytes pass.
 *
 * Keys are asked for through the back, which answers for names of keys and
 * policies only.
 */
#ifndef SMTP_VERIFY_H
#define SMTP_VERIFY_H

#include "base/err.h"
#include "service/split.h"

struct smtp_verify;

/* seal: make the draft of a seal (arc/arc.h), too. */
struct smtp_verify *smtp_verify_new(struct split *split, bool seal);
void smtp_verify_free(struct smtp_verify **v);

void smtp_verify_push(struct smtp_verify *v, struct slice wire);
/* The message is whole: wait for keys, and tell the back what was found, and
 * the draft. -1 with e if it is gone. */
int smtp_verify_finish(struct smtp_verify *v, struct err *e);

#endif
