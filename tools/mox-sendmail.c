/*
 * mox-sendmail - send mail from programs of this host through a submission
 * server: the sendmail of hosts that have no mail server.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/rand.h"
#include "config/sendmail_conf.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "net/dial.h"
#include "smtp/client.h"
#include "text/base64.h"
#include "tools/sendmail_args.h"
#include "tools/sendmail_message.h"

#define CONFIG_FILE "/etc/moxsubmit.conf"
#define FAILURES "moxsubmit.failures"
#define ALL_MS (3 * 60 * 1000) /* of a delivery, as mox */
#define ADDRESSES_MAX 16
#define PIECE (32 * 1024)
/* Sent, or not sent and kept: sysexits has no code for that. */
enum { EXIT_SENT = 0, EXIT_KEPT = 1 };

struct sendmail {
	struct sendmail_args args;
	struct sendmail_conf conf;
	struct tls_client *tls;
	struct arena *arena;
	int input; /* all that came, in a file without a name */
	uint64_t size;
	struct sendmail_message message;
};

static void
complain(const char *text)
{
	fprintf(stderr, "mox-sendmail: %s\n", text);
}

/* ---- configuration, with the rights of a setgid program ---- */

static int
load_conf(struct sendmail *s)
{
	const char *path = s->args.config;
	struct sconf_errors errors;

	/* Who calls a setgid program does not choose what it reads. */
	if (path != NULL && getegid() != getgid()) {
		complain("-C is not for a setgid program");
		return -1;
	}
	if (path == NULL)
		path = secure_getenv("MOXSUBMIT_CONF");
	if (path == NULL)
		path = CONFIG_FILE;
	sconf_errors_init(&errors, s->arena);
	if (sendmail_conf_load(path, s->arena, &errors, &s->conf) == 0)
		return 0;
	for (size_t i = 0; i < errors.n; i++)
		complain(arena_cstr(s->arena,
		    sconf_error_format(&errors.v[i], s->arena)));
	return -1;
}

/* The certificate to log in with, *cert_r NULL if there is none. */
static int
load_cert(struct sendmail *s, struct cert **cert_r, struct err *e)
{
	const struct sendmail_conf *c = &s->conf;
	struct buf seed = BUF_INIT(1000);
	struct cert_file file = { 0 };

	*cert_r = NULL;
	if (c->client_auth_cert_private_key_pem_file.n > 0) {
		file.path = arena_cstr(s->arena,
		    c->client_auth_cert_private_key_pem_file);
		*cert_r = cert_load(file, file, e);
		return *cert_r != NULL ? 0 : -1;
	}
	if (c->client_auth_ed25519_private_key.n == 0)
		return 0;
	if (!base64_decode_url(&seed, c->client_auth_ed25519_private_key) ||
	    seed.n != CERT_SEED)
		err_set(e, ERR_SYNTAX,
		    "ClientAuthEd25519PrivateKey: must be %d bytes in base64url",
		    CERT_SEED);
	else
		*cert_r = cert_of_seed((const unsigned char *)seed.p, e);
	buf_wipe(&seed);
	return *cert_r != NULL ? 0 : -1;
}

static int
load_tls(struct sendmail *s)
{
	const struct sendmail_conf *c = &s->conf;
	struct tls_client_opts opts = { 0 };
	struct err e = ERR_INIT;

	if (!c->tls && !c->starttls)
		return 0;
	if (c->tls_insecure_skip_verify)
		opts.ca_file = "";
	if (load_cert(s, &opts.cert, &e) == 0)
		s->tls = tls_client_new(&opts, &e);
	cert_free(&opts.cert);
	if (s->tls == NULL)
		complain(e.text);
	return s->tls != NULL ? 0 : -1;
}

static int
load(struct sendmail *s)
{
	int rc = load_conf(s);

	if (rc == 0)
		rc = load_tls(s);
	if (setresgid(getgid(), getgid(), getgid()) <
	    0) { /* from here on as the caller */
		complain("cannot give up the group");
		exit(EX_OSERR);
	}
	return rc;
}

/* ---- the message ---- */

/* Append to the input, CR LF as LF; *cr: a CR waits for what follows. */
static int
put_lines(int fd, struct slice s, bool *cr, struct err *e)
{
	struct buf out = BUF_INIT(PIECE + 1);
	int rc;

	for (size_t i = 0; i < s.n; i++) {
		if (*cr && s.p[i] != '\n')
			buf_addc(&out, '\r');
		*cr = s.p[i] == '\r';
		if (!*cr)
			buf_addc(&out, s.p[i]);
	}
	rc = file_write(fd, buf_slice(&out), e);
	buf_free(&out);
	return rc;
}

static int
read_input(struct sendmail *s, struct err *e)
{
	static char piece[PIECE];
	FILE *file = tmpfile();
	bool cr = false;
	ssize_t n;

	if (file == NULL)
		return err_sys(e, "a file for the message");
	s->input = dup(fileno(file));
	fclose(file);
	if (s->input < 0)
		return err_sys(e, "a file for the message");
	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno != EINTR)
			return err_sys(e, "read the message");
		if (n > 0 &&
		    put_lines(s->input, slice_of(piece, (size_t)n), &cr, e) < 0)
			return err_prefix(e, "a file for the message");
	}
	if (cr && file_write(s->input, SLICE("\r"), e) < 0)
		return -1;
	s->size = (uint64_t)lseek(s->input, 0, SEEK_CUR);
	return 0;
}

static int
make_message(struct sendmail *s, struct err *e)
{
	size_t n = s->size < SENDMAIL_HEADER_MAX ? (size_t)s->size
						 : SENDMAIL_HEADER_MAX;
	char *head = arena_alloc(s->arena, n);
	struct sendmail_wish wish = { .from = s->conf.from,
		.default_rcpt = s->conf.default_destination,
		.rcpts = arena_array(s->arena, s->args.n, sizeof(struct slice)),
		.n = s->args.n,
		.extract = s->args.extract,
		.tls_not_required = slice_is(s->conf.require_tls, "no") };

	for (size_t i = 0; i < wish.n; i++)
		wish.rcpts[i] = slice_str(s->args.rcpts[i]);
	if (file_pread(s->input, head, n, 0, e) < 0)
		return -1;
	if (sendmail_message_make(s->arena, slice_of(head, n), &wish,
		&s->message, e) == 0)
		return 0;
	s->message = (struct sendmail_message){ 0 }; /* kept as it came */
	return -1;
}

/* ---- sending ---- */

static int
connect_server(struct sendmail *s, struct err *e)
{
	struct ip ips[ADDRESSES_MAX];
	struct dial_opts opts = { .ips = ips, .port = (uint16_t)s->conf.port };
	ssize_t n = net_resolve(arena_cstr(s->arena, s->conf.host), ips,
	    ADDRESSES_MAX, e);

	if (n < 0)
		return -1;
	opts.n = (size_t)n;
	return net_dial(&opts, NULL, e);
}

static struct smtp_client *
new_client(const struct sendmail *s, int fd)
{
	const struct sendmail_conf *c = &s->conf;
	struct smtp_client_opts opts = { .hello = c->local_hostname,
		.tls_mode = SMTP_TLS_NONE,
		.tls_immediate = c->tls,
		.tls = s->tls,
		.expect = { .sni = c->host, .names = &c->host, .nnames = 1 } };

	if (c->tls || c->starttls)
		opts.tls_mode = c->tls_insecure_skip_verify ? SMTP_TLS_REQUIRED
							    : SMTP_TLS_PKIX;
	return smtp_client_new(fd, &opts);
}

static int
log_in(const struct sendmail *s, struct smtp_client *c, struct smtp_result *r)
{
	static const struct slice order[] = {
		{ "EXTERNAL", 8 },
		{ "SCRAM-SHA-256-PLUS", 18 },
		{ "SCRAM-SHA-256", 13 },
		{ "SCRAM-SHA-1-PLUS", 16 },
		{ "SCRAM-SHA-1", 11 },
		{ "CRAM-MD5", 8 },
		{ "PLAIN", 5 },
	};
	const struct sendmail_conf *conf = &s->conf;
	bool forced = conf->auth_method.n > 0;
	struct smtp_login login = { .login = conf->username,
		.password = conf->password,
		.mechanisms = forced ? &conf->auth_method : order,
		.nmechanisms = forced ? 1 : sizeof(order) / sizeof(order[0]),
		/* Whoever asks for PLAIN and for no TLS shall have them. */
		.plain_without_tls = forced };

	return smtp_client_auth(c, &login, NULL, s->arena, r);
}

/* To all recipients, in as many transactions as the server needs. Returns how
 * many did not get it, each with a message. */
static size_t
transfer(const struct sendmail *s, struct smtp_client *c)
{
	const struct sendmail_message *m = &s->message;
	struct smtp_client_rcpt *rcpts =
	    arena_array(s->arena, m->n, sizeof(*rcpts));
	struct smtp_client_mail mail = { .from = s->conf.from,
		.smtputf8 = m->utf8_needed ||
		    (m->utf8 && smtp_client_offers(c)->smtputf8),
		.requiretls = slice_is(s->conf.require_tls, "yes"),
		.source = { .prefix = m->header,
		    .fd = s->input,
		    .offset = m->body,
		    .size = s->size - m->body } };
	size_t left = m->n, failed = 0;
	struct smtp_result r;

	for (size_t i = 0; i < m->n; i++)
		rcpts[i].to = m->rcpts[i];
	while (left > 0) {
		size_t n = left;
		smtp_client_send(c, &mail, rcpts, n, s->arena, &r);
		left = 0;
		for (size_t i = 0; i < n; i++) {
			const struct smtp_result *one = &rcpts[i].result;
			if (one->outcome == SMTP_RES_AGAIN) {
				rcpts[left++] = rcpts[i];
			} else if (one->outcome != SMTP_RES_OK) {
				failed++;
				complain(arena_cstr(s->arena,
				    arena_printf(s->arena, "%.*s: %.*s",
					SLICE_FMT(rcpts[i].to),
					SLICE_FMT(one->why))));
			}
		}
	}
	return failed;
}

/* 0 if everybody got it; else it has been said why not. */
static int
send_message(struct sendmail *s)
{
	struct err e = ERR_INIT;
	struct smtp_result r;
	struct smtp_client *c;
	int fd = connect_server(s, &e);
	size_t failed = 0;

	if (fd < 0) {
		complain(e.text);
		return -1;
	}
	c = new_client(s, fd);
	smtp_client_limit_ms(c, ALL_MS);
	if (smtp_client_open(c, s->arena, &r) < 0 || log_in(s, c, &r) < 0) {
		complain(arena_cstr(s->arena, r.why));
		failed = 1;
	} else {
		failed = transfer(s, c);
	}
	smtp_client_quit(c);
	smtp_client_free(&c);
	return failed == 0 ? 0 : -1;
}

/* ---- what was not sent ---- */

static int
copy_body(const struct sendmail *s, int to, struct err *e)
{
	static char piece[PIECE];
	uint64_t at = s->message.body;

	while (at < s->size) {
		size_t n =
		    s->size - at < PIECE ? (size_t)(s->size - at) : PIECE;
		if (file_pread(s->input, piece, n, (off_t)at, e) < 0 ||
		    file_write(to, slice_of(piece, n), e) < 0)
			return -1;
		at += n;
	}
	return 0;
}

static const char *
home_folder(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home != NULL && *home == '/')
		return home;
	pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_dir : "/";
}

/* $HOME/moxsubmit.failures, made if it is missing. */
static int
open_failures(struct err *e)
{
	const char *home = home_folder();
	int dirfd, fd = -1;

	dirfd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_sys(e, "%s", home);
	if (mkdirat(dirfd, FAILURES, 0700) < 0 && errno != EEXIST)
		err_sys(e, "%s/%s", home, FAILURES);
	else if (db_fsync_dir(dirfd, home, e) == 0) {
		fd = openat(dirfd, FAILURES,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			err_sys(e, "%s/%s", home, FAILURES);
	}
	close(dirfd);
	return fd;
}

static int
write_failure(const struct sendmail *s, int dirfd, const char *name,
    struct err *e)
{
	struct db_newfile f = DB_NEWFILE_INIT;
	int rc = -1;

	if (db_newfile_begin(&f, dirfd, name, 0600, e) == 0 &&
	    file_write(f.fd, s->message.header, e) == 0 &&
	    copy_body(s, f.fd, e) == 0 && db_newfile_sync(&f, e) == 0)
		rc = db_newfile_link(&f, name, e);
	db_newfile_end(&f);
	if (rc == 0)
		return err_set(e, ERR_TEMP, "%s exists", name);
	return rc < 0 ? -1 : db_fsync_dir(dirfd, FAILURES, e);
}

/* Keep the message, durably: 0, or -1 after saying why not. */
static int
keep(const struct sendmail *s)
{
	char name[32] = "newmsg.";
	struct err e = ERR_INIT;
	int dirfd = open_failures(&e), rc = -1;

	rand_text(NULL, name + strlen(name), 12);
	if (dirfd >= 0)
		rc = write_failure(s, dirfd, name, &e);
	if (dirfd >= 0)
		close(dirfd);
	if (rc == 0)
		fprintf(stderr,
		    "mox-sendmail: message was not sent, it is kept in "
		    "%s/%s/%s\n",
		    home_folder(), FAILURES, name);
	else
		fprintf(stderr, "mox-sendmail: cannot keep the message: %s\n",
		    e.text);
	return rc;
}

/* ---- main ---- */

static void
usage(FILE *to)
{
	fputs(
	    "usage: mox-sendmail [-t] [-C file] [-F name] [flags of sendmail] "
	    "[--] [recipient ...]\n"
	    "Send the message on standard input as " CONFIG_FILE " says.\n"
	    "  -t       to the recipients of To, Cc and Bcc\n"
	    "  -C file  configuration, default $MOXSUBMIT_CONF or " CONFIG_FILE
	    "\n",
	    to);
}

static void
parse_args(struct sendmail *s, int argc, char **argv)
{
	struct err e = ERR_INIT;
	int rc = sendmail_args_parse(argc, argv, &s->args, &e);

	if (rc == 0 && (s->args.help || s->args.version)) {
		if (s->args.help)
			usage(stdout);
		else
			puts("mox-sendmail " MOX_VERSION);
		exit(EXIT_SENT);
	}
	if (rc == 0 && s->args.n == 0 && !s->args.extract)
		rc = err_set(&e, ERR_SYNTAX, "no recipient, and no -t");
	if (rc < 0) {
		complain(e.text);
		usage(stderr);
		exit(EX_USAGE);
	}
	if (s->args.full_name != NULL)
		complain("-F is ignored: the configuration says whom mail is "
			 "from");
}

int
main(int argc, char **argv)
{
	struct sendmail s = { .arena = arena_new(0), .input = -1 };
	struct err e = ERR_INIT;
	bool configured;
	int rc = -1;

	signal(SIGPIPE, SIG_IGN);
	log_init_env("mox-sendmail", LOG_ERROR);
	parse_args(&s, argc, argv);
	configured = load(&s) == 0;
	if (read_input(&s, &e) < 0) {
		complain(e.text);
		return EX_IOERR;
	}
	if (configured && make_message(&s, &e) < 0)
		complain(e.text);
	else if (configured)
		rc = send_message(&s);
	if (rc == 0)
		return EXIT_SENT;
	if (keep(&s) < 0)
		return EX_TEMPFAIL; /* it is the caller's to keep */
	return configured ? EXIT_KEPT : EX_CONFIG;
}
