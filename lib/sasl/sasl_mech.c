/*
 * The table of mechanisms, and which of them a connection may use.
 */
#include "sasl/sasl_int.h"

const struct sasl_mech sasl_mechs[] = {
	{ "EXTERNAL", SASL_CLIENT_FIRST | SASL_CERT, 0, sasl_external_server,
	    sasl_external_client },
	{ "SCRAM-SHA-256-PLUS", SASL_CLIENT_FIRST | SASL_PLUS, SASL_SHA256,
	    sasl_scram_server, sasl_scram_client },
	{ "SCRAM-SHA-256", SASL_CLIENT_FIRST, SASL_SHA256, sasl_scram_server,
	    sasl_scram_client },
	{ "SCRAM-SHA-1-PLUS", SASL_CLIENT_FIRST | SASL_PLUS, SASL_SHA1,
	    sasl_scram_server, sasl_scram_client },
	{ "SCRAM-SHA-1", SASL_CLIENT_FIRST, SASL_SHA1, sasl_scram_server,
	    sasl_scram_client },
	{ "CRAM-MD5", 0, 0, sasl_cram_server, sasl_cram_client },
	{ "PLAIN", SASL_CLIENT_FIRST | SASL_CLEARTEXT, 0, sasl_plain_server,
	    sasl_plain_client },
	{ "LOGIN", SASL_CLEARTEXT, 0, sasl_login_server, sasl_login_client },
	{ NULL, 0, 0, NULL, NULL },
};

const struct sasl_mech *
sasl_mech_find(struct slice name)
{
	for (const struct sasl_mech *m = sasl_mechs; m->name != NULL; m++)
		if (slice_isi(name, m->name))
			return m;
	return NULL;
}

const char *
sasl_mech_name(const struct sasl_mech *mech)
{
	return mech->name;
}

bool
sasl_mech_client_first(const struct sasl_mech *mech)
{
	return mech->flags & SASL_CLIENT_FIRST;
}

/* Best first: tls-exporter holds with every version (RFC 9266, 2). */
static const struct {
	const char *name;
	size_t offset;
} bindings[] = {
	{ "tls-exporter", offsetof(struct sasl_channel, tls_exporter) },
	{ "tls-unique", offsetof(struct sasl_channel, tls_unique) },
	{ "tls-server-end-point",
	    offsetof(struct sasl_channel, tls_server_end_point) },
};

#define BINDINGS (sizeof(bindings) / sizeof(bindings[0]))

static struct slice
binding_data(const struct sasl_channel *channel, size_t i)
{
	return *(const struct slice *)((const char *)channel +
	    bindings[i].offset);
}

struct slice
sasl_binding(const struct sasl_channel *channel, struct slice name)
{
	for (size_t i = 0; i < BINDINGS; i++)
		if (slice_is(name, bindings[i].name))
			return binding_data(channel, i);
	return SLICE_NULL;
}

const char *
sasl_best_binding(const struct sasl_channel *channel)
{
	for (size_t i = 0; i < BINDINGS; i++)
		if (binding_data(channel, i).n > 0)
			return bindings[i].name;
	return NULL;
}

bool
sasl_mech_usable(const struct sasl_mech *mech,
    const struct sasl_channel *channel, bool cert_known)
{
	if (mech->flags & SASL_CERT)
		return cert_known;
	if (mech->flags & SASL_PLUS)
		return sasl_best_binding(channel) != NULL;
	if (mech->flags & SASL_CLEARTEXT)
		return channel->tls || !channel->tls_required;
	return true;
}

void
sasl_announce(struct buf *b, const struct sasl_channel *channel,
    bool cert_known, const char *prefix)
{
	for (const struct sasl_mech *m = sasl_mechs; m->name != NULL; m++)
		if (sasl_mech_usable(m, channel, cert_known)) {
			buf_addz(b, prefix);
			buf_addz(b, m->name);
		}
}
