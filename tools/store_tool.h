/*
 * store_tool - what tools that work on the data folder share.
 */
#ifndef TOOLS_STORE_TOOL_H
#define TOOLS_STORE_TOOL_H

#include "config/config.h"
#include "store/store.h"

/* Become the owner of the data folder (never root), for good, and open it. The
 * descriptor, or -1 with e. */
int store_tool_data(const char *dir, struct err *e);

/* The same for the stores in it: data_fd, and files with the modes that it has;
 * nobody is told of changes. Prints and exits if that is not possible. */
void store_tool_env(const char *program, const char *dir,
    struct store_env *env);

/* The same with all that config says; who waits for changes is told. Texts
 * live in arena. */
void store_tool_open(const char *program, struct store_env *env,
    const struct config *config, struct arena *arena);

#endif
