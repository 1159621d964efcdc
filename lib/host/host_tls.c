/* host_tls - whom this host trusts. */
#include "host/host_tls.h"

struct tls_client *
host_tls_client(const struct config *config, struct err *e)
{
	const struct conf_ca *ca = config != NULL && config->mox.tls != NULL
	    ? config->mox.tls->ca
	    : NULL;
	struct arena *arena = arena_new(0);
	struct tls_client_opts opts = { .ca_file = NULL };
	struct tls_client *tls;
	const char **files;

	if (ca != NULL) {
		files =
		    arena_array(arena, ca->cert_files.n + 1, sizeof(*files));
		for (size_t i = 0; i < ca->cert_files.n; i++)
			files[i] =
			    config_file(config, arena, ca->cert_files.v[i]);
		opts.more_ca_files = files;
		opts.ca_file = ca->additional_to_system ? NULL : "";
	}
	tls = tls_client_new(&opts, e);
	arena_free(&arena);
	return tls;
}
