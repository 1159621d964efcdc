/*
 * store_tool - what tools that work on the mail of accounts share.
 */
#ifndef TOOLS_STORE_TOOL_H
#define TOOLS_STORE_TOOL_H

#include "config/config.h"
#include "store/store.h"

/*
 * Become the owner of the data folder (never root) and open it: stores with the
 * modes that it has, who waits for changes is told. Texts live in arena.
 * Prints and exits if that is not possible.
 */
void store_tool_open(const char *program, struct store_env *env,
    const struct config *config, struct arena *arena);

#endif
