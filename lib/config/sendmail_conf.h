/*
 * sendmail_conf - /etc/moxsubmit.conf, how mox-sendmail submits mail.
 */
#ifndef CONFIG_SENDMAIL_CONF_H
#define CONFIG_SENDMAIL_CONF_H

#include "config/schema.h"

struct sendmail_conf {
	struct slice name;
	struct slice local_hostname;
	struct slice host;
	int port;
	bool tls;
	bool starttls;
	bool tls_insecure_skip_verify;
	struct slice username;
	struct slice password;
	struct slice client_auth_ed25519_private_key;
	struct slice client_auth_cert_private_key_pem_file;
	struct slice auth_method;
	struct slice from;
	struct slice default_destination;
	struct slice require_tls;
};

extern const struct schema sendmail_conf_schema;

/*
 * Read and check the file; strings live in arena. Returns 0, or -1 with the
 * problems in errors.
 */
int sendmail_conf_load(const char *path, struct arena *arena,
    struct sconf_errors *errors, struct sendmail_conf *conf_r);

#endif
