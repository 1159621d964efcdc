/*
 * bind - the listening sockets that mox.conf asks for, named for services.
 */
#ifndef TOOLS_BIND_H
#define TOOLS_BIND_H

#include "config/config.h"
#include "service/supervise.h"

struct bind_list {
	struct supervise_socket *v; /* names as "submission.public" */
	size_t n;
};

/* Kinds of the services, ended by NULL. */
extern const char *const bind_smtp_kinds[];
extern const char *const bind_imap_kinds[];

/*
 * Bind and listen on all addresses and ports of the enabled mail services, or
 * those of kinds if it is not NULL. Names and array live in arena. Returns 0,
 * or -1 with e naming the address.
 */
int bind_listeners(const struct config *config, const char *const *kinds,
    struct arena *arena, struct bind_list *list_r, struct err *e);

/* Those of list whose kind is among kinds, in arena. */
void bind_pick(const struct bind_list *list, const char *const *kinds,
    struct arena *arena, const struct supervise_socket **v_r, size_t *n_r);

#endif
