/*
 * mox-config ensureacmehostprivatekeys: keys of the host that stay the same
 * when certificates are renewed, so that DANE can name them in DNS.
 */
#include <fcntl.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "db/newfile.h"
#include "tools/config_tool.h"

#define PEM_MAX (64 * 1024)
#define OUTPUT_MAX (1 << 20)
#define SECRETS "../secret" /* beside mox.conf; keys are there if it exists */

/* The two that are used for certificates of the host. */
static const struct kind {
	const char *algorithm, *file;
} kinds[] = { { "EC", "ecdsap256" }, { "RSA", "rsa2048" } };

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int
read_key(const struct config *config, struct slice file, EVP_PKEY **key_r,
    struct err *e)
{
	const char *path = config_file(config, config->arena, file);
	struct buf pem = BUF_INIT(PEM_MAX);
	int rc = file_read(AT_FDCWD, path, &pem, e);
	BIO *bio;

	*key_r = NULL;
	if (rc == 0)
		rc = err_set(e, ERR_PERM, "%s: no such file", path);
	if (rc > 0) {
		bio = BIO_new_mem_buf(pem.p, (int)pem.n);
		*key_r = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
		BIO_free(bio);
		rc = *key_r
		    ? 0
		    : err_set(e, ERR_SYNTAX, "%s: no private key", path);
	}
	buf_wipe(&pem);
	return rc;
}

/* 1 one of the files is a key of this kind, 0 none is, -1. */
static int
has_kind(const struct config *config, const struct conf_tls *tls,
    const struct kind *kind, struct err *e)
{
	const struct conf_strings *files = &tls->host_private_key_files;
	EVP_PKEY *key;
	int found = 0;

	for (size_t i = 0; i < files->n && !found; i++) {
		if (read_key(config, files->v[i], &key, e) < 0)
			return -1;
		found = EVP_PKEY_is_a(key, kind->algorithm);
		EVP_PKEY_free(key);
	}
	return found;
}

/* Made by root, it is for the owner of the data, like the secrets beside. */
static int
give_to_owner(const struct config *config, int dirfd, const char *name,
    struct err *e)
{
	struct stat st;

	if (geteuid() == 0 &&
	    (stat(config->data_dir, &st) < 0 ||
		fchownat(dirfd, name, st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0))
		return err_sys(e, "owner of %s", *name ? name : "hostkeys");
	return 0;
}

static int
write_key(const struct config *config, struct slice folder, const char *name,
    struct slice pem, struct err *e)
{
	const char *path = config_file(config, config->arena, folder);
	int fd, rc = -1;

	if (file_mkdirs(AT_FDCWD, path, 0700, e) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (give_to_owner(config, fd, "", e) == 0) {
		rc = db_create_file(fd, name, pem, 0600, e);
		if (rc == 0)
			rc = err_set(e, ERR_PERM, "%s exists already", name);
		else if (rc > 0)
			rc = give_to_owner(config, fd, name, e);
	}
	close(fd);
	return rc;
}

/* A new key of a kind; *file_r is its name for mox.conf. */
static int
make_key(const struct config *config, const struct conf_listener *l,
    const struct kind *kind, struct slice *file_r, struct err *e)
{
	struct arena *arena = config->arena;
	struct slice host = config_listener_hostname(config, l, arena), pem;
	bool secrets =
	    access(config_file(config, arena, SLICE(SECRETS)), F_OK) == 0;
	struct slice folder =
	    secrets ? SLICE(SECRETS "/hostkeys") : SLICE("hostkeys");
	EVP_PKEY *key =
	    kind == &kinds[0] ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	char date[CLOCK_TEXT], *p;
	const char *name;
	int rc = -1;

	clock_format(clock_s(clock_program()), "%Y%m%dT%H%M%S", date);
	name = arena_printf(arena, "%.*s.%s.%s.privatekey.pkcs8.pem",
	    SLICE_FMT(host), date, kind->file)
		   .p;
	if (!key ||
	    !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		err_set(e, ERR_TEMP, "no key could be made");
	else {
		pem.n = (size_t)BIO_get_mem_data(bio, &p);
		pem.p = p;
		rc = write_key(config, folder, name, pem, e);
		*file_r = name_glue(arena, folder, '/', slice_str(name));
	}
	EVP_PKEY_free(key);
	BIO_free(bio);
	return rc;
}

/* Make what a listener lacks, and append how its files are to be named. */
static int
ensure(const struct config *config, const struct conf_listener *l,
    struct buf *b, struct err *e)
{
	const struct conf_strings *files = &l->tls->host_private_key_files;
	struct slice made[N_KINDS];
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < N_KINDS; i++) {
		rc = has_kind(config, l->tls, &kinds[i], e);
		if (rc < 0 ||
		    (rc == 0 &&
			make_key(config, l, &kinds[i], &made[n++], e) < 0))
			return -1;
	}
	if (n == 0)
		return 0;
	buf_addf(b, "# Listeners, %.*s, TLS:\n\t\t\tHostPrivateKeyFiles:\n",
	    SLICE_FMT(l->name));
	for (size_t i = 0; i < files->n + n; i++)
		buf_addf(b, "\t\t\t\t- %.*s\n",
		    SLICE_FMT(i < files->n ? files->v[i] : made[i - files->n]));
	return 0;
}

static int
ensure_keys(int argc, char **argv)
{
	struct config *config = config_need();
	const struct conf_listeners *listeners = &config->mox.listeners;
	struct buf b = BUF_INIT(OUTPUT_MAX);
	struct err e = ERR_INIT;
	int rc = 0;

	(void)argc, (void)argv;
	for (size_t i = 0; i < listeners->n && rc == 0; i++)
		if (listeners->v[i].tls && listeners->v[i].tls->acme.n > 0)
			rc = ensure(config, &listeners->v[i], &b, &e);
	if (b.n > 0)
		fputs("made keys; put these lines into mox.conf, and see mox "
		      "config dnsrecords:\n",
		    stderr);
	command_end(EXIT_DONE, &b);
	config_free(&config);
	return rc < 0 ? config_fail(&e) : EXIT_DONE;
}

const struct config_command config_hostkeys_commands[] = {
	{ { "ensureacmehostprivatekeys", "", 0, 0, NULL,
	      "Make the host keys that listeners with ACME lack, and print how "
	      "to name them." },
	    ensure_keys, NULL },
	{ { NULL, NULL, 0, 0, NULL, NULL }, NULL, NULL },
};
