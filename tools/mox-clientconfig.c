/*
 * mox-clientconfig - what mail programs are to be set to.
 */
#include "base/opt.h"
#include "tools/config_tool.h"

static const struct opt options[] = {
	{ "config", OPT_STRING, &config_flag, "file",
	    "mox.conf to use; default $MOXCONF or config/mox.conf" },
	{ "json", OPT_BOOL, &config_json, NULL, "print JSON" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-clientconfig",
	"[options] domain",
	"Print hosts, ports and kind of TLS for mail programs of a domain.",
	options };

int
main(int argc, char **argv)
{
	int first = opt_parse(&program, argc, argv);

	if (argc - first != 1)
		opt_usage(&program, "one domain, please");
	return config_client_commands[0].run(1, argv + first);
}
