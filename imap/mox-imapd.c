/*
 * mox-imapd - IMAP: two jailed processes a connection, the front for what a
 * client says before login, the back that becomes the session.
 */
#include <stdlib.h>

#include "base/log.h"
#include "host/host.h"
#include "imap/back.h"
#include "imap/errand.h"
#include "imap/park.h"
#include "imap/limit.h"

enum { KIND_IMAP, KIND_IMAPS };

static const char *opt_config, *opt_park;
static long opt_messagelimit;
static struct host host;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "messagelimit", OPT_INT, &opt_messagelimit, "n",
	    "work on at most n messages in one command; 0, the default: any "
	    "number" },
	{ "park", OPT_STRING, &opt_park, "seconds",
	    "sessions that wait for so long give up their process, as in 0.5; "
	    "0 never; default 5" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct service_kind kinds[] = {
	{ "imap", KIND_IMAP, false, true, LIMIT_NEW_IMAP, false },
	{ "imaps", KIND_IMAPS, true, true, LIMIT_NEW_IMAP, false },
	{ NULL, 0, false, false, 0, false },
};

static struct host_tls_use
tls_use(const struct service_listener *l)
{
	(void)l;
	return (struct host_tls_use){ .tickets = true, .client_cert = true };
}

#define PARK_MAX_S (24 * 3600)

/* Seconds, perhaps with a fraction. */
static int
set_park(struct err *e)
{
	char *end;
	double s;

	if (opt_park == NULL)
		return 0;
	s = strtod(opt_park, &end);
	if (end == opt_park || *end != '\0' || !(s >= 0 && s <= PARK_MAX_S))
		return err_set(e, ERR_SYNTAX, "-park %s: no such time",
		    opt_park);
	imap_park_ms = (int)(s * 1000);
	return 0;
}

static int
set_limit(struct err *e)
{
	if (opt_messagelimit < 0 || opt_messagelimit > UINT32_MAX - 1)
		return err_set(e, ERR_SYNTAX,
		    "-messagelimit %ld: no such number", opt_messagelimit);
	imap_message_limit = (uint32_t)opt_messagelimit;
	return 0;
}

static int
load(struct service_setup *setup, struct err *e)
{
	if (set_park(e) < 0 || set_limit(e) < 0)
		return -1;
	setup->ctx = &host;
	return host_load(&host, opt_config, tls_use, setup, e);
}

static bool
refresh(void *ctx)
{
	return host_refresh(ctx);
}

static void
forget(void *ctx)
{
	host_forget(ctx);
}

/* RFC 9051, 7.1.5: BYE in place of a greeting. */
static const char *
refuse(const struct service_client *client, enum service_refusal why)
{
	(void)client;
	switch (why) {
	case SERVICE_STOPPING:
		return "* BYE shutting down\r\n";
	case SERVICE_RATE:
		return "* BYE connection rate too high\r\n";
	case SERVICE_TOO_MANY:
		return "* BYE too many open connections from your network\r\n";
	case SERVICE_BUSY:
		return "* BYE too many open connections\r\n";
	case SERVICE_AUTH_FAILED:
		return "* BYE too many failed logins\r\n";
	default:
		return "* BYE not now\r\n";
	}
}

static const struct service service = {
	.name = "mox-imapd",
	.doc = "Serve IMAP to the accounts of this host.",
	.opts = options,
	.kinds = kinds,
	.load = load,
	.refresh = refresh,
	.forget = forget,
	.front = imap_front,
	.back = imap_back,
	.resume = imap_resume,
	.errand = imap_errand_serve,
	.look = store_look_names,
	.refuse = refuse,
};

int
main(int argc, char **argv)
{
	return service_main(&service, argc, argv);
}
