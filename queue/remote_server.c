/* remote_server - to the server of a transport: submission, smarthost. */
#include "queue/remote.h"

#define MESSAGE_MS 60000 /* and a second for each MiB */

static enum smtp_tls_mode
tls_mode(const struct remote *r)
{
	if (r->server->no_starttls && !r->immediate)
		return SMTP_TLS_NONE;
	return r->server->starttls_insecure_skip_verify ? SMTP_TLS_REQUIRED
							: SMTP_TLS_PKIX;
}

static int
dial(struct remote *r, struct smtp_result *result)
{
	struct dial_opts opts = {
		.ips = r->ips, .n = r->nips, .port = r->port
	};
	struct err e = r->resolve;
	int fd = r->nips ? net_dial(&opts, NULL, &e) : -1;

	if (fd < 0)
		*result = (struct smtp_result){ .outcome = SMTP_RES_CONNECT,
			.step = SMTP_STEP_CONNECT,
			.why = arena_dup(r->group.arena, slice_str(e.text)) };
	return fd;
}

static int
log_in(struct remote *r, struct smtp_result *result)
{
	const struct conf_transport_auth *auth = r->server->auth;
	struct smtp_login login;

	if (!auth)
		return 0;
	login = (struct smtp_login){ .login = auth->username,
		.password = auth->password,
		.mechanisms = auth->mechanisms.v,
		.nmechanisms = auth->mechanisms.n,
		.plain_without_tls = r->server->no_starttls };
	return smtp_client_auth(r->client, &login, NULL, r->group.arena,
	    result);
}

static int
connect_server(struct remote *r, struct smtp_result *result)
{
	struct smtp_client_opts opts = { .hello = r->config->hostname,
		.tls_mode = tls_mode(r),
		.tls_immediate = r->immediate,
		.tls = r->tls,
		.expect = {
		    .sni = r->names[0], .names = r->names, .nnames = 1 } };
	int fd = dial(r, result);

	if (fd < 0)
		return -1;
	r->client = smtp_client_new(fd, &opts);
	smtp_client_limit_ms(r->client, MESSAGE_MS);
	if (smtp_client_open(r->client, r->group.arena, result) == 0 &&
	    log_in(r, result) == 0)
		return 0;
	smtp_client_free(&r->client);
	return -1;
}

bool
remote_server(struct remote *r, struct transfer *t)
{
	int64_t ms =
	    MESSAGE_MS + (int64_t)(t->mail.source.size / (1024 * 1024)) * 1000;
	struct smtp_result result;
	bool reached = true;

	while (t->now && reached) {
		reached = r->client || connect_server(r, &result) == 0;
		if (reached) {
			smtp_client_limit_ms(r->client, ms);
			transfer_pass(r, t);
			continue;
		}
		/* Whatever it is, it is not the message's fault: no user is
		 * refused for it. */
		if (result.outcome == SMTP_RES_PERM)
			result.outcome = SMTP_RES_TEMP;
		transfer_put_off(r, t, &result);
	}
	transfer_end(r, t);
	return !reached;
}
