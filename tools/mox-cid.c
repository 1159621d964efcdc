/*
 * mox-cid - the connection id in a Received line, to find it in the log.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/opt.h"
#include "base/proc.h"
#include "config/config.h"
#include "smtp/receivedid.h"
#include "tools/store_tool.h"

#define KEY_FILE "receivedid.key"

static const char *opt_config;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-cid", "[-config file] id",
	"Print the connection id, as in the log, of the id that this host put "
	"into a Received line.",
	options };

/* A missing key is not made: it would decode nothing. */
static int
load_key(const struct config *config, struct receivedid *rid, struct err *e)
{
	int fd = store_tool_data(config->data_dir, e), rc = -1;

	if (fd < 0)
		return -1;
	if (faccessat(fd, KEY_FILE, R_OK, AT_EACCESS) < 0)
		err_sys(e, "%s/%s", config->data_dir, KEY_FILE);
	else
		rc = receivedid_load(fd, KEY_FILE, NULL, rid, e);
	close(fd);
	return rc;
}

int
main(int argc, char **argv)
{
	int arg = opt_parse(&program, argc, argv);
	struct receivedid rid;
	struct err e = ERR_INIT;
	struct config *config;
	uint64_t cid;

	if (argc - arg != 1)
		opt_usage(&program, "one id, please");
	config = config_load_or_exit(opt_config);
	if (load_key(config, &rid, &e) < 0)
		proc_die(program.name, &e);
	if (!receivedid_decode(&rid, slice_str(argv[arg]), &cid)) {
		err_set(&e, ERR_SYNTAX, "%s is no id of this host", argv[arg]);
		proc_die(program.name, &e);
	}
	printf("%" PRIx64 "\n", cid);
	config_free(&config);
	return EXIT_DONE;
}
