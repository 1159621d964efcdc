/*
 * resolver - mox-resolver, which asks the DNS for the backs of a service: they
 * have no network (dns/ask.h), and no service is linked with libunbound.
 */
#include "service/service_int.h"

bool
resolver_door(const struct server *sv, struct door *d)
{
	const char *config;
	size_t n = 0;

	*d = (struct door){ .program = "mox-resolver",
		.self = sv->argv[0],
		.ask = -1,
		.inner = -1 };
	if (sv->service->resolver_config == NULL)
		return false;
	config = sv->service->resolver_config();
	if (sv->no_sandbox)
		d->args[n++] = "-nosandbox";
	if (config != NULL) {
		d->args[n++] = "-config";
		d->args[n++] = config;
	}
	return true;
}

int
resolver_keep_alone(struct server *sv, struct err *e)
{
	struct door d;

	sv->door = -1;
	if (resolver_door(sv, &d) && door_keep_alone(&d, e) < 0)
		return -1;
	sv->door = d.ask;
	return 0;
}
