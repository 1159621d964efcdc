#include <fcntl.h>

#include "base/file.h"
#include "config/field.h"
#include "config/sendmail_conf.h"

#define OPT SCHEMA_OPTIONAL
#define REQ SCHEMA_REQUIRED

#define SENDMAIL_CONF_MAX (64 * 1024) /* it has 14 lines */

#define IN sendmail_conf
static const struct schema_field sendmail_conf_fields[] = {
	{ "LocalHostname", STRING(local_hostname), REQ, NULL, field_domain,
	    "Name of this host, given in EHLO." },
	{ "Host", STRING(host), REQ, NULL, field_domain_or_ip,
	    "Mail server to submit to." },
	{ "Port", INT(port), REQ, NULL, field_port,
	    "Port of the server: 465 for TLS, 587 for STARTTLS, 25 without "
	    "either." },
	{ "TLS", BOOL(tls), REQ, NULL, NULL, "Begin with TLS." },
	{ "STARTTLS", BOOL(starttls), REQ, NULL, NULL,
	    "Begin in plain text and go on with TLS." },
	{ "TLSInsecureSkipVerify", BOOL(tls_insecure_skip_verify), OPT, NULL,
	    NULL, "Accept any certificate." },
	{ "Username", STRING(username), REQ, NULL, NULL,
	    "Name to log in with, an address." },
	{ "Password", STRING(password), OPT, NULL, NULL,
	    "Password to log in with. Exactly one of this and the two keys "
	    "below must be set." },
	{ "ClientAuthEd25519PrivateKey",
	    STRING(client_auth_ed25519_private_key), OPT, NULL, NULL,
	    "Seed of an ed25519 key, 32 bytes in base64url, to log in with a "
	    "client certificate." },
	{ "ClientAuthCertPrivateKeyPEMFile",
	    STRING(client_auth_cert_private_key_pem_file), OPT, NULL,
	    field_path,
	    "PEM file, by its absolute name, with a client certificate and "
	    "its private key (PKCS8)." },
	{ "AuthMethod", STRING(auth_method), REQ, NULL, field_client_mechanism,
	    "EXTERNAL, SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1-PLUS, "
	    "SCRAM-SHA-1, CRAM-MD5 or PLAIN. If empty, the strongest that "
	    "the server offers." },
	{ "From", STRING(from), REQ, NULL, field_address,
	    "Address for MAIL FROM and the From header." },
	{ "DefaultDestination", STRING(default_destination), OPT, NULL,
	    field_address,
	    "Recipient in place of those without a domain, such as root." },
	{ "RequireTLS", STRING(require_tls), OPT, NULL, field_yes_no,
	    "yes: deliver only over verified TLS all the way (RFC 8689). no: "
	    "deliver even where policies of the recipient demand TLS." },
};
#undef IN
const struct schema sendmail_conf_schema =
    SCHEMA_OF(sendmail_conf, sendmail_conf_fields);

int
sendmail_conf_load(const char *path, struct arena *arena,
    struct sconf_errors *errors, struct sendmail_conf *conf)
{
	struct buf text = BUF_INIT(SENDMAIL_CONF_MAX);
	struct err e = ERR_INIT;
	int rc = file_read(AT_FDCWD, path, &text, &e);
	size_t before = errors->errors;
	struct sconf_file file = sconf_file(slice_str(path),
	    arena_dup(arena, buf_slice(&text)), errors);

	buf_wipe(&text);
	*conf = (struct sendmail_conf){ 0 };
	if (rc <= 0) {
		sconf_error(&file, SLICE_NULL, "%s",
		    rc == 0 ? "no such file" : e.text);
		return -1;
	}
	schema_parse(&sendmail_conf_schema, &file, arena, conf);
	if (conf->tls && conf->starttls)
		sconf_error(&file, sconf_find(&file, SLICE_NULL, "STARTTLS"),
		    "STARTTLS: cannot be used together with TLS");
	if ((conf->password.n > 0) +
		(conf->client_auth_ed25519_private_key.n > 0) +
		(conf->client_auth_cert_private_key_pem_file.n > 0) !=
	    1)
		sconf_error(&file, SLICE_NULL,
		    "exactly one of Password, ClientAuthEd25519PrivateKey and "
		    "ClientAuthCertPrivateKeyPEMFile must be set");
	return errors->errors == before ? 0 : -1;
}
