/*
 * serve_root - what mox-serve and mox-listen do as root for services that are
 * not: bind their addresses, open their keys, become their user.
 */
#ifndef TOOLS_SERVE_ROOT_H
#define TOOLS_SERVE_ROOT_H

#include "config/config.h"
#include "tools/bind.h"

struct serve_root {
	struct arena *arena;
	struct config *config;
	const char *run_dir;
	uid_t uid; /* of the User of mox.conf, */
	gid_t gid; /* or ours if we are not root */
	struct bind_list bound;
	struct bind_list files; /* certificates and keys */
};

/* Load mox.conf (flag: -config or NULL; exits if it is wrong), find the user,
 * see that nobody else can change mox.conf, make data/ and run/ if missing. */
int serve_root_begin(struct serve_root *s, const char *flag, struct err *e);
/* Bind the sockets of kinds (NULL: all), open certificates and keys. */
int serve_root_open(struct serve_root *s, const char *const *kinds,
    struct err *e);
/* Become the user for good. Of files those are kept that it cannot open. */
int serve_root_drop(struct serve_root *s, struct err *e);

#endif
