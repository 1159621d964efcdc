/*
 * ask - a password from standard input.
 */
#ifndef TOOLS_ASK_H
#define TOOLS_ASK_H

#include "base/buf.h"

/*
 * Prompt on standard output and read one line into *password, which the caller
 * wipes. From a terminal it is not shown, and asked for twice, since nothing is
 * seen of what is typed; exits 1 if the two differ.
 */
void ask_password(const char *program, struct buf *password);

#endif
