/* host_tls - whom this host trusts. */
#include "host/host_tls.h"

#include <stdlib.h>

/* TLS.CA, or NULL. */
static const struct conf_ca *
own_ca(const struct config *config)
{
	return config != NULL && config->mox.tls != NULL ? config->mox.tls->ca
							 : NULL;
}

struct tls_client *
host_tls_client(const struct config *config, struct err *e)
{
	const struct conf_ca *ca = own_ca(config);
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

/* Links are followed: jails are about folders. */
static const char *
folder_of(struct arena *arena, const char *path)
{
	char *real = realpath(path, NULL);
	struct slice s =
	    arena_dup(arena, slice_str(real != NULL ? real : path));
	ssize_t slash = slice_rchr(s, '/');

	free(real);
	if (slash <= 0)
		return slash < 0 ? "." : "/";
	return arena_cstr(arena, slice_head(s, (size_t)slash));
}

size_t
host_tls_folders(const struct config *config, struct arena *arena,
    const char *folders[], size_t max)
{
	const struct conf_ca *ca = own_ca(config);
	const char *bundle = tls_client_bundle();
	size_t n = 0;

	if (bundle != NULL && n < max)
		folders[n++] = folder_of(arena, bundle);
	for (size_t i = 0; ca != NULL && i < ca->cert_files.n && n < max; i++)
		folders[n++] = folder_of(arena,
		    config_file(config, arena, ca->cert_files.v[i]));
	return n;
}
