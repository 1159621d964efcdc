#include "tools/localserve_init.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "db/newfile.h"
#include "net/cert.h"
#include "store/store.h"

#define CERT_DAYS (4 * 365)

/* Ports are those of the services plus 1000, so no rights are needed. */
static const char mox_conf[] =
    "DataDir: data\n"
    "# Everything on the wire, with passwords: this server is for trying out.\n"
    "LogLevel: traceauth\n"
    "# To become when started as root; the number of who made this folder.\n"
    "User: %u\n"
    "Hostname: localhost\n"
    "Pedantic: true\n"
    "Limits:\n"
    "\tLoopbackExempt: true\n"
    "Listeners:\n"
    "\tlocal:\n"
    "\t\tIPs:\n"
    "%s"
    "\t\tTLS:\n"
    "\t\t\tKeyCerts:\n"
    "\t\t\t\t-\n"
    "\t\t\t\t\tCertFile: localhost.crt\n"
    "\t\t\t\t\tKeyFile: localhost.key\n"
    "\t\tSMTP:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1025\n"
    "\t\tSubmission:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1587\n"
    "\t\t\tNoRequireSTARTTLS: true\n"
    "\t\tSubmissions:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1465\n"
    "\t\tIMAP:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1143\n"
    "\t\t\tNoRequireSTARTTLS: true\n"
    "\t\tIMAPS:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1993\n"
    "Postmaster:\n"
    "\tAccount: mox\n"
    "\tMailbox: Inbox\n";

static const char domains_conf[] = "Domains:\n"
				   "\tlocalhost:\n"
				   "\t\tLocalpartCatchallSeparator: +\n"
				   "Accounts:\n"
				   "\tmox:\n"
				   "\t\tDomain: localhost\n"
				   "\t\tDestinations:\n"
				   "\t\t\tmox@localhost: nil\n"
				   "\t\tNoFirstTimeSenderDelay: true\n";

static const struct store_initial initial[] = {
	{ { "Sent", 4 }, STORE_USE_SENT },
	{ { "Archive", 7 }, STORE_USE_ARCHIVE },
	{ { "Trash", 5 }, STORE_USE_TRASH },
	{ { "Drafts", 6 }, STORE_USE_DRAFTS },
	{ { "Junk", 4 }, STORE_USE_JUNK },
};

static int
make_account(int data_fd, struct err *e)
{
	struct store_env env = { .data_fd = data_fd,
		.run_fd = -1,
		.hostname = "localhost",
		.file_mode = 0600 };
	struct auth_opts opts = { .data_fd = data_fd };
	struct store *store = NULL;
	struct auth *auth = NULL;
	int rc = -1;

	if (store_create(&store, &env, SLICE("mox"), initial,
		sizeof(initial) / sizeof(initial[0]), e) < 0 ||
	    auth_open(&opts, &auth, e) < 0)
		goto out;
	rc = auth_set_password(auth, SLICE("mox"), SLICE(LOCALSERVE_PASSWORD),
	    0, e);
out:
	store_close(&store);
	auth_close(&auth);
	return rc;
}

static int
make_certificate(int dir, struct err *e)
{
	const struct slice names[] = { SLICE("localhost") };
	struct buf key = BUF_INIT(65536), cert = BUF_INIT(65536);
	int rc = -1;

	if (cert_self_signed(names, 1, CERT_DAYS, &cert, &key, e) < 0 ||
	    db_write_file(dir, "localhost.key", buf_slice(&key), 0600, e) < 0 ||
	    db_write_file(dir, "localhost.crt", buf_slice(&cert), 0644, e) < 0)
		goto out;
	rc = 0;
out:
	buf_wipe(&key);
	buf_free(&cert);
	return rc;
}

/* mox.conf with the addresses to listen on. */
static int
write_conf(int dir, const char *ip, struct err *e)
{
	struct buf ips = BUF_INIT(1024), conf = BUF_INIT(65536);
	int rc;

	if (ip)
		buf_addf(&ips, "\t\t\t- %s\n", ip);
	else
		buf_addz(&ips, "\t\t\t- 127.0.0.1\n\t\t\t- ::1\n");
	buf_addf(&conf, mox_conf, (unsigned)getuid(), buf_cstr(&ips));
	rc = db_write_file(dir, "domains.conf", slice_str(domains_conf), 0600,
	    e);
	if (rc == 0)
		rc = db_write_file(dir, "mox.conf", buf_slice(&conf), 0600, e);
	buf_free(&ips);
	buf_free(&conf);
	return rc;
}

static int
check_ip(const char *ip, struct err *e)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (!ip || inet_pton(AF_INET, ip, address) == 1 ||
	    inet_pton(AF_INET6, ip, address) == 1)
		return 0;
	return err_set(e, ERR_SYNTAX, "-ip: %s is not an IP address", ip);
}

int
localserve_init(const char *dir, const char *ip, struct err *e)
{
	int fd = -1, data = -1, rc = -1;

	if (check_ip(ip, e) < 0 || file_mkdirs(AT_FDCWD, dir, 0700, e) < 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s", dir);
	if (faccessat(fd, "mox.conf", F_OK, 0) == 0) {
		rc = 0;
		goto out;
	}
	if (file_mkdirs(fd, "data", 0700, e) < 0 ||
	    file_mkdirs(fd, "run", 0700, e) < 0)
		goto out;
	data = openat(fd, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (data < 0) {
		err_sys(e, "%s/data", dir);
		goto out;
	}
	if (make_account(data, e) < 0 || make_certificate(fd, e) < 0 ||
	    write_conf(fd, ip, e) < 0)
		goto out;
	rc = 1;
out:
	if (data >= 0)
		close(data);
	close(fd);
	return rc;
}
