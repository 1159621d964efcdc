/*
 * talk - a connection that a tool has opened: what is said of it, and standard
 * input and output over it.
 */
#ifndef TOOLS_TALK_H
#define TOOLS_TALK_H

#include "base/err.h"
#include "net/conn.h"
#include "text/json_write.h"

/*
 * Copy standard input to the connection and what comes from it to standard
 * output, until the peer ends. The end of standard input is told to the peer
 * when it has been quiet for 2 s, and what it says is still waited for. Bytes
 * go as they are. 0, or -1 with e.
 */
int talk_run(struct conn *c, struct err *e);

/* "TLSVersion", "CipherSuite", into the open object. */
void talk_put_tls(struct json_out *j, const struct tls_facts *facts);

#endif
