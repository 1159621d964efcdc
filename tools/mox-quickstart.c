/*
 * mox-quickstart - the first configuration of a host, with keys, passwords
 * and the DNS records to publish.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "base/sha.h"
#include "config/clientsettings.h"
#include "config/dnsrecords.h"
#include "message/smtpaddr.h"
#include "service/user.h"
#include "text/idna.h"
#include "tools/bind.h"
#include "tools/quickstart.h"

static const char *opt_hostname;
static bool opt_existing_webserver, opt_skipdial;

static const struct opt options[] = {
	{ "existing-webserver", OPT_BOOL, &opt_existing_webserver, NULL,
	    "another web server has ports 80 and 443 and passes on to us" },
	{ "hostname", OPT_STRING, &opt_hostname, "name",
	    "full name of this host; default: that of the system" },
	{ "skipdial", OPT_BOOL, &opt_skipdial, NULL,
	    "do not try to connect to another mail server" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-quickstart",
	"[options] user@domain [user|uid]",
	"Make the configuration of a mail server in the working folder.",
	options };

/* ---- printing ---- */

static void
say(struct quickstart *q, const char *fmt, va_list ap)
{
	struct buf b = BUF_INIT(QUICKSTART_LOG_MAX);

	buf_addv(&b, fmt, ap);
	fwrite(b.p, 1, b.n, stdout);
	fflush(stdout);
	buf_add(&q->log, buf_slice(&b));
	buf_wipe(&b);
}

void
quickstart_say(struct quickstart *q, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(q, fmt, ap);
	va_end(ap);
}

void
quickstart_warn(struct quickstart *q, const char *fmt, ...)
{
	va_list ap;

	quickstart_say(q, "\nWarning %u: ", ++q->warnings);
	va_start(ap, fmt);
	say(q, fmt, ap);
	va_end(ap);
	quickstart_say(q, "\n\n");
}

/* ---- arguments ---- */

static void
take_address(struct quickstart *q, const char *text)
{
	struct err e = ERR_INIT;
	struct buf address = BUF_INIT(1024);
	struct smtpaddr a;

	if (smtpaddr_mailbox(q->arena, slice_str(text), SMTPADDR_UTF8, &a, &e) <
		0 ||
	    a.literal)
		opt_usage(&program, "%s: not an address: %s", text,
		    a.literal ? "it has an IP address" : e.text);
	if (idna_unicode(q->arena, a.domain, &q->domain, &e) < 0 ||
	    idna_ascii(q->arena, a.domain, &q->domain_ascii, &e) < 0)
		opt_usage(&program, "%s: %s", text, e.text);
	if (slice_chr(q->domain, '.') < 0)
		opt_usage(&program, "%s: the domain has no dot", text);
	smtpaddr_write_local(&address, a.local);
	buf_addf(&address, "@%.*s", SLICE_FMT(q->domain));
	q->account = a.local;
	q->address = arena_dup(q->arena, buf_slice(&address));
	buf_free(&address);
}

static void
take_user(struct quickstart *q, const char *user)
{
	struct err e = ERR_INIT;

	q->uid = getuid();
	q->gid = getgid();
	if (geteuid() != 0) {
		q->user = user ? user : arena_printf(q->arena, "%u", q->uid).p;
		return;
	}
	q->user = user ? user : "mox";
	if (user_ids(slice_str(q->user), &q->uid, &q->gid, &e) < 0) {
		fprintf(stderr,
		    "%s: %s: make it, for example by\n"
		    "\tuseradd --system --home-dir \"$PWD\" --shell "
		    "/usr/sbin/nologin %s\n",
		    program.name, e.text, q->user);
		exit(EXIT_FAILED);
	}
}

/* ---- results ---- */

static void
say_files(struct quickstart *q)
{
	quickstart_say(q,
	    "\nFILES, made in this folder\n\n"
	    "config/mox.conf      this host: addresses, ports, certificates\n"
	    "config/domains.conf  domains, accounts, addresses\n"
	    "secret/              keys and the admin password\n"
	    "data/                mail and queue; run/: of running services\n"
	    "mox.service          for systemd\n"
	    "quickstart.log       this text, with the passwords: keep it safe\n");
	if (q->self_signed)
		quickstart_say(q,
		    "\nThe certificate in secret/tls/ is signed by its own "
		    "key: getting one by ACME is\n"
		    "not in effect yet. Other servers deliver over it; mail "
		    "programs ask whether to\n"
		    "trust it. With one of a certificate authority (certbot, "
		    "acme.sh, ...), put the\n"
		    "names of its files into KeyCerts in config/mox.conf. Host "
		    "keys for DANE are made.\n");
	else
		quickstart_say(q,
		    "\nThe certificate is the one of certbot, %.*s.\n"
		    "Only root may read it: restart mox from a deploy hook of "
		    "certbot.\n",
		    SLICE_FMT(q->cert));
	if (q->existing_webserver)
		quickstart_say(q,
		    "\nPages for your web server to pass on are in "
		    "config/mox.conf as comments: they\n"
		    "are not in effect yet.\n");
}

static void
say_clients(struct quickstart *q, const struct config *config,
    const struct conf_domain *domain)
{
	struct clientsettings s = clientsettings_make(config, domain, q->arena);

	quickstart_say(q,
	    "\nMAIL PROGRAMS\n\n"
	    "Account %.*s logs in as %.*s\n"
	    "with password           %s\n\n",
	    SLICE_FMT(q->account), SLICE_FMT(q->address), q->account_password);
	for (size_t i = 0; i < s.n; i++)
		quickstart_say(q, "%-18s %.*s port %d, %s\n",
		    clientsettings_protocol(&s.v[i]), SLICE_FMT(s.v[i].host),
		    s.v[i].port, clientsettings_note(&s.v[i]));
	quickstart_say(q,
	    "\nThe password of the admin pages, for when they are in effect: "
	    "%s\n",
	    q->admin_password);
}

static int
say_records(struct quickstart *q, const struct config *config,
    const struct conf_domain *domain, struct err *e)
{
	struct dnsrecords_opts opts = {
		.host_dnssec = q->dnssec && q->host_secure,
		.domain_dnssec = q->dnssec && q->domain_secure,
	};
	struct buf zone = BUF_INIT(QUICKSTART_LOG_MAX);
	struct dnsrecords records;

	if (dnsrecords_make(config, domain, &opts, q->arena, &records, e) < 0)
		return err_prefix(e, "DNS records");
	dnsrecords_zone(&records, &zone);
	quickstart_say(q,
	    "\nDNS RECORDS to publish for %.*s; `mox config dnsrecords %.*s` "
	    "prints\nthem again\n\n%.*s",
	    SLICE_FMT(q->domain), SLICE_FMT(q->domain),
	    SLICE_FMT(buf_slice(&zone)));
	buf_free(&zone);
	return 0;
}

static void
say_start(struct quickstart *q)
{
	quickstart_say(q,
	    "\nTO START, one of\n\n"
	    "mox serve                     as root, in this folder\n"
	    "systemctl enable --now \"$PWD/mox.service\"\n"
	    "the service folders of conf/s6, or units of conf/systemd: a "
	    "service each\n\n"
	    "mox config test               after changes; mox.conf is read at "
	    "start\n"
	    "mox stop                      stops mox serve\n");
	if (q->warnings > 0)
		quickstart_say(q, "\nSee the warnings above: %u.\n",
		    q->warnings);
}

/* Are the ports free? Debian has a mail server by itself. */
static void
try_ports(struct quickstart *q, const struct config *config)
{
	struct bind_list bound;
	struct err e = ERR_INIT;

	if (geteuid() != 0)
		return;
	if (bind_listeners(config, NULL, q->arena, &bound, &e) < 0)
		quickstart_warn(q, "%s", e.text);
	for (size_t i = 0; i < bound.n; i++)
		close(bound.v[i].fd);
}

static int
say_results(struct quickstart *q, struct err *e)
{
	struct sconf_errors errors;
	struct config *config = NULL;
	struct config_domains *domains = NULL;
	int rc;

	sconf_errors_init(&errors, q->arena);
	if (config_load(CONFIG_DEFAULT_PATH, &config, &errors) < 0 ||
	    config_domains_load(config, &errors, &domains) < 0)
		rc = err_set(e, ERR_SYNTAX, "the configuration changed");
	else {
		try_ports(q, config);
		say_files(q);
		say_clients(q, config, &domains->conf.domains.v[0]);
		rc = say_records(q, config, &domains->conf.domains.v[0], e);
		say_start(q);
	}
	config_domains_free(&domains);
	config_free(&config);
	return rc;
}

int
main(int argc, char **argv)
{
	int arg = opt_parse(&program, argc, argv);
	struct quickstart q = { .arena = arena_new(0),
		.log = BUF_INIT(QUICKSTART_LOG_MAX) };
	struct err e = ERR_INIT;

	if (argc - arg < 1 || argc - arg > 2)
		opt_usage(&program, "an address, please");
	log_init(program.name, LOG_ERROR);
	umask(077);
	q.wanted_hostname = opt_hostname;
	q.existing_webserver = opt_existing_webserver;
	q.skip_dial = opt_skipdial;
	take_address(&q, argv[arg]);
	take_user(&q, argc - arg == 2 ? argv[arg + 1] : NULL);
	if (quickstart_check(&q, &e) < 0)
		proc_die(program.name, &e);
	quickstart_look(&q);
	if (quickstart_make(&q, &e) < 0 || say_results(&q, &e) < 0 ||
	    quickstart_write_log(&q, &e) < 0) {
		quickstart_undo(&q);
		proc_die(program.name, &e);
	}
	buf_wipe(&q.log);
	sha_wipe(&q, sizeof(q));
	return EXIT_DONE;
}
