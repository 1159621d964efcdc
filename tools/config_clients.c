/*
 * clientconfig, a command of mox-config and mox-clientconfig.
 */
#include <stdio.h>
#include <string.h>

#include "base/proc.h"
#include "config/clientsettings.h"
#include "tools/config_tool.h"

#define OUTPUT_MAX (1 << 20)

static void
json_settings(const struct clientsettings *all, struct buf *b)
{
	struct json_out j = JSON_OUT(b, true);

	json_put_array(&j, NULL);
	for (size_t i = 0; i < all->n; i++) {
		const struct clientsetting *s = &all->v[i];

		json_put_object(&j, NULL);
		json_put_str(&j, "Protocol",
		    slice_str(clientsettings_protocol(s)));
		json_put_str(&j, "Host", s->host);
		json_put_i64(&j, "Port", s->port);
		json_put_str(&j, "Listener", s->listener);
		json_put_str(&j, "Note", slice_str(clientsettings_note(s)));
		json_put_end(&j);
	}
	json_put_end(&j);
}

static const char advice[] =
    "\n"
    "Use the first line of each protocol that the mail program can do: TLS "
    "from the\n"
    "start, and a SCRAM mechanism for the password, which also proves the "
    "server to\n"
    "the client. The user name is the full address. Set the password with\n"
    "mox setaccountpassword.\n";

static void
text_settings(const struct clientsettings *all, struct buf *b)
{
	int host = 4;

	for (size_t i = 0; i < all->n; i++)
		if ((int)all->v[i].host.n > host)
			host = (int)all->v[i].host.n;
	buf_addf(b, "%-18s %-*s %5s %-10s %s\n", "Protocol", host, "Host",
	    "Port", "Listener", "Note");
	for (size_t i = 0; i < all->n; i++) {
		const struct clientsetting *s = &all->v[i];

		buf_addf(b, "%-18s %-*.*s %5d %-10.*s %s\n",
		    clientsettings_protocol(s), host, SLICE_FMT(s->host),
		    s->port, SLICE_FMT(s->listener), clientsettings_note(s));
	}
	buf_addz(b, advice);
}

static int
clientconfig(int argc, char **argv)
{
	struct config *config;
	struct config_domains *domains = config_need_domains(&config);
	const struct check_domain *domain =
	    check_domain_find(domains->model, slice_str(argv[0]));
	struct buf b = BUF_INIT(OUTPUT_MAX);
	struct clientsettings all;
	struct err e = ERR_INIT;
	int rc;

	(void)argc;
	if (domain) {
		all = clientsettings_make(config, domain->conf, domains->arena);
		if (config_json)
			json_settings(&all, &b);
		else
			text_settings(&all, &b);
		rc = command_end(EXIT_DONE, &b);
	} else {
		err_set(&e, ERR_PERM, "there is no domain \"%s\"", argv[0]);
		rc = config_fail(&e);
	}
	config_domains_free(&domains);
	config_free(&config);
	return rc;
}

const struct config_command config_client_commands[] = {
	{ { "clientconfig", "[-json] domain", 1, 1, config_json_opts,
	      "Print what mail programs of a domain are to be set to." },
	    clientconfig, NULL },
	{ { NULL, NULL, 0, 0, NULL, NULL }, NULL, NULL },
};
