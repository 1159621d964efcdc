/*
 * services - the programs that make a mail server, and how mox-serve and
 * mox-localserve run them.
 */
#ifndef TOOLS_SERVICES_H
#define TOOLS_SERVICES_H

#include "service/supervise.h"
#include "tools/bind.h"

struct services_opts {
	const char *conf; /* mox.conf */
	bool localserve;
	bool nosandbox;
	/* Of mox-imapd; NULL: its default. */
	const char *park, *messagelimit;
	const struct bind_list *bound;
	const struct bind_list *files; /* opened for them; NULL: none */
	int commands;                  /* as in struct supervise */
	void (*tell)(void *ctx, enum supervise_event event);
	void *ctx;
};

/* Programs are looked for beside this one first: put its folder before all
 * others in PATH. */
void services_use_own_folder(void);

/* Kinds of sockets that a program wants, ended by NULL; NULL if it is no such
 * service. */
const char *const *services_kinds(const char *program);

/* supervise_run with all services that have something to do. */
int services_run(const struct services_opts *o, struct err *e);

#endif
