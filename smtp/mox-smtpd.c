/*
 * mox-smtpd - SMTP and submission: two jailed processes a connection, the
 * front for the dialogue, the back for addresses, passwords and mailboxes.
 */
#include "base/file.h"
#include "base/sha.h"
#include "host/host_dns.h"
#include "smtp/front.h"
#include "smtp/smtpd.h"

static const char *opt_config;
static struct smtpd smtpd;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "localserve", OPT_BOOL, &smtpd.localserve, NULL,
	    "every address is that of the account mox; special ones fail" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct service_kind kinds[] = {
	{ "smtp", SMTP_KIND_SMTP, false, false, LIMIT_NEW_SMTP, true },
	{ "submission", SMTP_KIND_SUBMISSION, false, true, LIMIT_NEW_SUBMISSION,
	    false },
	{ "submissions", SMTP_KIND_SUBMISSIONS, true, true,
	    LIMIT_NEW_SUBMISSION, false },
	{ NULL, 0, false, false, 0, false },
};

/*
 * Tickets on port 25 are off unless the configuration says otherwise: some
 * large senders fail on them. Client certificates are for users.
 */
static struct host_tls_use
tls_use(const struct service_listener *l)
{
	const struct conf_listener *conf = l->config;
	bool submission = l->kind->id != SMTP_KIND_SMTP;

	return (struct host_tls_use){ .tickets = submission ||
		    (conf->smtp &&
			conf->smtp->tls_session_tickets_disabled == TRI_FALSE),
		.client_cert = submission };
}

/* What a listener of a kind has no section for, it must not be used for. */
static int
check_listeners(const struct service_setup *setup, struct err *e)
{
	for (size_t i = 0; i < setup->nlisteners; i++) {
		const struct service_listener *l = &setup->listeners[i];
		const struct conf_listener *conf = l->config;
		if (l->kind->id == SMTP_KIND_SMTP && !conf->smtp)
			return err_set(e, ERR_SYNTAX,
			    "listener %.*s has no "
			    "SMTP",
			    SLICE_FMT(l->name));
	}
	return 0;
}

/* The back puts submissions into the queue, and signs them: keys of DKIM are
 * in folders of their own. It notes what DMARC reports will be about. */
static void
add_paths(struct service_setup *setup)
{
	const struct config *config = smtpd.host.config;
	struct arena *arena = setup->arena;
	size_t n = setup->nback_paths;
	struct sandbox_path *paths = arena_grow(arena,
	    (void *)setup->back_paths, n, n + 4, sizeof(*paths));

	paths[n++] = (struct sandbox_path){ config_data(config, arena, "queue"),
		SANDBOX_READ | SANDBOX_WRITE };
	paths[n++] =
	    (struct sandbox_path){ config_file(config, arena, SLICE("dkim")),
		    SANDBOX_READ };
	paths[n++] = (struct sandbox_path){ config_file(config, arena,
						SLICE("../secret/dkim")),
		SANDBOX_READ };
	paths[n++] =
	    (struct sandbox_path){ config_data(config, arena, "dmarcresults"),
		    SANDBOX_READ | SANDBOX_WRITE };
	setup->back_paths = paths;
	setup->nback_paths = n;
}

/* localserve asks nobody unless it is told whom: it is for trying out, often
 * without a network. */
static int
load_dns(struct service_setup *setup, struct err *e)
{
	struct resolver_conf conf;

	host_dns_conf(smtpd.host.config, setup->arena, &conf);
	smtpd.ask_dns = !smtpd.localserve || conf.zone || conf.servers;
	return smtpd.ask_dns ? host_dns_load(&smtpd.host, setup->arena, e) : 0;
}

static const char *
resolver_config(void)
{
	return opt_config;
}

static int
load(struct service_setup *setup, struct err *e)
{
	setup->ctx = &smtpd;
	if (host_load(&smtpd.host, opt_config, tls_use, setup, e) < 0 ||
	    check_listeners(setup, e) < 0 || load_dns(setup, e) < 0)
		return -1;
	if (queue_open(&smtpd.queue, smtpd.host.env.data_fd,
		smtpd.host.env.run_fd, smtpd.host.env.clock,
		smtpd.host.env.rand, e) < 0)
		return -1;
	if (file_mkdirs(smtpd.host.env.data_fd, "dmarcresults", 0700, e) < 0)
		return -1;
	add_paths(setup);
	if (srs_load(smtpd.host.env.data_fd, "srs.key", smtpd.host.env.rand,
		&smtpd.srs, e) < 0)
		return -1;
	return receivedid_load(smtpd.host.env.data_fd, "receivedid.key",
	    smtpd.host.env.rand, &smtpd.receivedid, e);
}

static bool
refresh(void *ctx)
{
	return host_refresh(&((struct smtpd *)ctx)->host);
}

static void
forget(void *ctx)
{
	struct smtpd *d = ctx;

	host_forget(&d->host);
	sha_wipe(&d->srs, sizeof(d->srs));
}

static const char *
refuse(const struct service_client *client, enum service_refusal why)
{
	(void)client;
	switch (why) {
	case SERVICE_STOPPING:
		return "421 4.3.2 shutting down\r\n";
	case SERVICE_RATE:
		return "421 4.7.0 connection rate too high\r\n";
	case SERVICE_AUTH_FAILED:
		return "421 4.7.0 too many failed logins\r\n";
	case SERVICE_TOO_MANY:
	case SERVICE_BUSY:
		return "421 4.7.0 too many open connections\r\n";
	default:
		return "421 4.3.0 not now\r\n";
	}
}

static const struct service service = {
	.name = "mox-smtpd",
	.doc = "Receive mail by SMTP and submission for the accounts of this "
	       "host.",
	.opts = options,
	.kinds = kinds,
	.load = load,
	.refresh = refresh,
	.forget = forget,
	.front = smtp_front_run,
	.back = smtp_back,
	.refuse = refuse,
	.resolver_config = resolver_config,
};

int
main(int argc, char **argv)
{
	return service_main(&service, argc, argv);
}
