/*
 * mox-config tlspubkey ...: keys of TLS client certificates that log in.
 */
#include <fcntl.h>
#include <limits.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/sha.h"
#include "db/newfile.h"
#include "net/cert.h"
#include "text/base64.h"
#include "tools/config_tool.h"

#define PEM_MAX (256 * 1024)
#define OUTPUT_MAX ((size_t)64 << 20)
#define ED25519_SEED 32

static bool opt_no_preauth;

/* data/auth, as the owner of the data folder. */
static struct auth *
need_auth(const struct config *config)
{
	struct auth_opts opts = { .data_fd = config_need_data(config) };
	struct err e = ERR_INIT;
	struct auth *auth;

	if (auth_open(&opts, &auth, &e) < 0)
		exit(config_fail(&e));
	return auth;
}

/* ---- list, get ---- */

static void
json_key(struct json_out *j, const struct auth_key *k)
{
	json_put_object(j, NULL);
	json_put_str(j, "Fingerprint", k->fingerprint);
	json_put_str(j, "Type", k->type);
	json_put_str(j, "Name", k->name);
	json_put_str(j, "Account", k->account);
	json_put_str(j, "LoginAddress", k->login);
	json_put_bool(j, "NoIMAPPreauth", k->no_imap_preauth);
	json_put_time(j, "Created", k->created * 1000000);
	json_put_end(j);
}

/* Tab-separated; the name is in quotes, as JSON has them. */
static void
text_key(struct buf *b, const struct auth_key *k)
{
	struct json_out j = JSON_OUT(b, false);

	buf_addf(b, "%.*s\t%.*s\t", SLICE_FMT(k->fingerprint),
	    SLICE_FMT(k->type));
	json_put_str(&j, NULL, k->name);
	buf_addf(b, "\t%.*s\t%.*s\t%s\n", SLICE_FMT(k->account),
	    SLICE_FMT(k->login), k->no_imap_preauth ? "true" : "false");
}

static int
key_list(int argc, char **argv)
{
	struct config *config = config_need();
	struct auth *auth = need_auth(config);
	struct arena *arena = arena_new(0);
	struct buf b = BUF_INIT(OUTPUT_MAX);
	struct json_out j = JSON_OUT(&b, true);
	struct err e = ERR_INIT;
	struct auth_key *keys;
	size_t n;
	int rc = auth_key_list(auth, arena,
	    slice_str(argc == 1 ? argv[0] : NULL), &keys, &n, &e);

	if (rc < 0) {
		rc = config_fail(&e);
		goto out;
	}
	if (config_json)
		json_put_array(&j, NULL);
	else
		buf_addf(&b,
		    "# %zu keys: fingerprint, type, name, account, login "
		    "address, no imap preauth\n",
		    n);
	for (size_t i = 0; i < n; i++) {
		if (config_json)
			json_key(&j, &keys[i]);
		else
			text_key(&b, &keys[i]);
	}
	if (config_json)
		json_put_end(&j);
	rc = command_end(EXIT_DONE, &b);
out:
	auth_close(&auth);
	config_free(&config);
	arena_free(&arena);
	return rc;
}

static void
add_cert_pem(struct slice der, struct buf *b)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x509 = d2i_X509(NULL, &p, (long)der.n);
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long n;

	if (x509 && PEM_write_bio_X509(bio, x509)) {
		n = BIO_get_mem_data(bio, &pem);
		buf_add(b, slice_of(pem, (size_t)n));
	}
	X509_free(x509);
	BIO_free(bio);
}

static int
key_get(int argc, char **argv)
{
	struct config *config = config_need();
	struct auth *auth = need_auth(config);
	struct arena *arena = arena_new(0);
	struct buf b = BUF_INIT(OUTPUT_MAX);
	struct json_out j = JSON_OUT(&b, true);
	struct err e = ERR_INIT;
	struct auth_key k;
	int rc = auth_key_find(auth, arena, slice_str(argv[0]), &k, &e);

	(void)argc;
	if (rc == 0)
		err_set(&e, ERR_PERM, "there is no key %s", argv[0]);
	else if (rc > 0 && config_json)
		json_key(&j, &k);
	else if (rc > 0) {
		buf_addf(&b,
		    "type: %.*s\nname: %.*s\naccount: %.*s\naddress: %.*s\n"
		    "no imap preauth: %s\n",
		    SLICE_FMT(k.type), SLICE_FMT(k.name), SLICE_FMT(k.account),
		    SLICE_FMT(k.login), k.no_imap_preauth ? "true" : "false");
		add_cert_pem(k.cert, &b);
	}
	rc = rc > 0 ? command_end(EXIT_DONE, &b) : config_fail(&e);
	auth_close(&auth);
	config_free(&config);
	arena_free(&arena);
	return rc;
}

/* ---- add ---- */

static struct slice
key_type(struct arena *arena, X509 *x509)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);
	char group[64] = "";

	if (!key)
		return SLICE("unknown");
	if (EVP_PKEY_is_a(key, "ED25519"))
		return SLICE("ed25519");
	if (EVP_PKEY_is_a(key, "RSA"))
		return arena_printf(arena, "rsa-%d", EVP_PKEY_get_bits(key));
	if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL))
		return arena_printf(arena, "ecdsa-p%d", EVP_PKEY_get_bits(key));
	return SLICE("unknown");
}

static struct slice
common_name(struct arena *arena, X509 *x509)
{
	X509_NAME *subject = X509_get_subject_name(x509);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *utf8;
	struct slice name = SLICE_NULL;
	int n;

	if (at < 0)
		return name;
	n = ASN1_STRING_to_UTF8(&utf8,
	    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (n > 0) {
		name = arena_dup(arena, slice_of((char *)utf8, (size_t)n));
		OPENSSL_free(utf8);
	}
	return name;
}

/* What a certificate says of a key. */
static int
read_cert(struct arena *arena, struct auth_key *k, struct err *e)
{
	struct buf pem = BUF_INIT(PEM_MAX);
	char fingerprint[CERT_SPKI_TEXT];
	unsigned char *der = NULL;
	X509 *x509 = NULL;
	BIO *bio;
	int n;

	if (file_read_fd(STDIN_FILENO, &pem, e) >= 0) {
		bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);
		x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		BIO_free(bio);
		if (!x509)
			err_set(e, ERR_SYNTAX,
			    "standard input: no certificate in PEM");
	}
	buf_free(&pem);
	if (!x509)
		return -1;
	cert_spki(x509, fingerprint);
	k->fingerprint = arena_dup(arena, slice_str(fingerprint));
	k->type = key_type(arena, x509);
	if (k->name.n == 0)
		k->name = common_name(arena, x509);
	n = i2d_X509(x509, &der);
	k->cert = arena_dup(arena, slice_of((char *)der, (size_t)n));
	OPENSSL_free(der);
	X509_free(x509);
	return 0;
}

static int
find_login(const struct config *config, struct arena *arena,
    const char *address, struct auth_key *k, struct err *e)
{
	struct lookup *lookup = config_need_lookup(config);
	struct lookup_result result;
	int rc = lookup_login(lookup, arena, slice_str(address), &result, e);

	if (rc == 0 && result.status != LOOKUP_ACCOUNT)
		rc = err_set(e, ERR_PERM, "%s is no address of an account",
		    address);
	k->login = slice_str(address);
	k->account = result.account;
	lookup_close(&lookup);
	return rc;
}

static int
key_add(int argc, char **argv)
{
	struct config *config = config_need();
	struct arena *arena = arena_new(0);
	struct auth_key k = { .no_imap_preauth = opt_no_preauth,
		.name = slice_str(argc == 2 ? argv[1] : NULL),
		.created = clock_s(clock_program()) };
	struct err e = ERR_INIT;
	struct auth *auth;
	int rc = -1;

	if (find_login(config, arena, argv[0], &k, &e) == 0 &&
	    read_cert(arena, &k, &e) == 0) {
		auth = need_auth(config);
		rc = auth_key_add(auth, &k, &e);
		auth_close(&auth);
	}
	if (rc == 0)
		printf("%.*s\n", SLICE_FMT(k.fingerprint));
	rc = rc < 0 ? config_fail(&e) : EXIT_DONE;
	config_free(&config);
	arena_free(&arena);
	return rc;
}

static int
key_rm(int argc, char **argv)
{
	struct config *config = config_need();
	struct auth *auth = need_auth(config);
	struct err e = ERR_INIT;
	int rc = auth_key_remove(auth, slice_str(argv[0]), &e);

	(void)argc;
	if (rc == 0)
		err_set(&e, ERR_PERM, "there is no key %s", argv[0]);
	rc = rc > 0 ? EXIT_DONE : config_fail(&e);
	auth_close(&auth);
	config_free(&config);
	return rc;
}

/* ---- gen ---- */

/* A certificate that says nothing: only its key counts. */
static X509 *
make_cert(EVP_PKEY *key)
{
	X509 *x = X509_new();
	time_t now = (time_t)clock_s(NULL);

	if (X509_set_version(x, X509_VERSION_3) &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), (uint64_t)now) &&
	    X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &now) &&
	    /* RFC 5280, 4.1.2.5: no end. */
	    ASN1_TIME_set_string(X509_getm_notAfter(x), "99991231235959Z") &&
	    X509_set_pubkey(x, key) && X509_sign(x, key, NULL))
		return x;
	X509_free(x);
	return NULL;
}

struct files {
	int dirfd;
	struct slice stem; /* without folder */
	char date[CLOCK_TEXT];
};

static int
open_files(struct files *files, const char *stem, struct err *e)
{
	struct slice path = slice_str(stem);
	ssize_t slash = slice_rchr(path, '/');
	char folder[PATH_MAX] = ".";

	if (slash >= 0 &&
	    !slice_cstr(slice_head(path, (size_t)slash + 1), folder,
		sizeof(folder)))
		return err_set(e, ERR_LIMIT, "%s: too long", stem);
	files->stem = slice_skip(path, (size_t)(slash + 1));
	files->dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return files->dirfd >= 0 ? 0 : err_sys(e, "%s", folder);
}

static int
write_file(const struct files *files, const char *suffix, struct slice pem,
    struct err *e)
{
	struct buf name = BUF_INIT(PATH_MAX);
	int rc;

	buf_addf(&name, "%.*s.%s.%s", SLICE_FMT(files->stem), files->date,
	    suffix);
	rc = db_create_file(files->dirfd, buf_cstr(&name), pem, 0600, e);
	if (rc == 0)
		rc = err_set(e, ERR_PERM, "%s exists already", buf_cstr(&name));
	else if (rc > 0)
		fprintf(stderr, "wrote %s\n", buf_cstr(&name));
	buf_free(&name);
	return rc < 0 ? -1 : 0;
}

/* The seed is what clients with little room ask for, as mox-sendmail. */
static void
print_secrets(EVP_PKEY *key, X509 *x509)
{
	unsigned char seed[ED25519_SEED];
	char fingerprint[CERT_SPKI_TEXT];
	struct buf text = BUF_INIT(256);
	size_t n = sizeof(seed);

	cert_spki(x509, fingerprint);
	if (EVP_PKEY_get_raw_private_key(key, seed, &n) == 1)
		base64_encode_url(&text, slice_of((char *)seed, n));
	fprintf(stderr, "ed25519 private key, raw base64url: %s\n",
	    buf_cstr(&text));
	fprintf(stderr, "fingerprint: %s\n", fingerprint);
	sha_wipe(seed, sizeof(seed));
	buf_wipe(&text);
}

static int
write_all(const struct files *files, EVP_PKEY *key, X509 *x509, struct err *e)
{
	BIO *key_bio = BIO_new(BIO_s_mem()), *cert_bio = BIO_new(BIO_s_mem());
	struct slice key_pem = SLICE_NULL, cert_pem = SLICE_NULL;
	struct buf both = BUF_INIT(PEM_MAX);
	int rc = -1;

	PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_X509(cert_bio, x509);
	key_pem.n = (size_t)BIO_get_mem_data(key_bio, (char **)&key_pem.p);
	cert_pem.n = (size_t)BIO_get_mem_data(cert_bio, (char **)&cert_pem.p);
	buf_add(&both, key_pem);
	buf_add(&both, cert_pem);
	if (write_file(files, "ed25519privatekey.pkcs8.pem", key_pem, e) == 0 &&
	    write_file(files, "certificate.pem", cert_pem, e) == 0 &&
	    write_file(files, "ed25519privatekey-certificate.pem",
		buf_slice(&both), e) == 0)
		rc = 0;
	buf_wipe(&both);
	BIO_free(key_bio);
	BIO_free(cert_bio);
	return rc;
}

static int
key_gen(int argc, char **argv)
{
	struct files files = { .dirfd = -1 };
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	X509 *x509 = key ? make_cert(key) : NULL;
	struct err e = ERR_INIT;
	int rc = -1;

	(void)argc;
	clock_format(clock_s(clock_program()), "%Y%m%d%H%M%S", files.date);
	if (!x509)
		err_set(&e, ERR_TEMP, "no key could be made");
	else if (open_files(&files, argv[0], &e) == 0 &&
	    write_all(&files, key, x509, &e) == 0) {
		print_secrets(key, x509);
		rc = 0;
	}
	if (files.dirfd >= 0)
		close(files.dirfd);
	X509_free(x509);
	EVP_PKEY_free(key);
	return rc < 0 ? config_fail(&e) : EXIT_DONE;
}

static const struct opt add_opts[] = {
	{ "no-imap-preauth", OPT_BOOL, &opt_no_preauth, NULL,
	    "the key alone does not log in to IMAP: AUTHENTICATE EXTERNAL "
	    "does" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

const struct config_command config_tlskey_commands[] = {
	{ { "tlspubkey list", "[-json] [account]", 0, 1, config_json_opts,
	      "List keys of TLS client certificates, of an account or all." },
	    key_list, NULL },
	{ { "tlspubkey get", "[-json] fingerprint", 1, 1, config_json_opts,
	      "Print a key with its certificate." },
	    key_get, NULL },
	{ { "tlspubkey add", "[-no-imap-preauth] address [name] <cert.pem", 1,
	      2, add_opts,
	      "Let a certificate's key log in as an address. The name is for "
	      "people; default is the common name of the certificate." },
	    key_add, NULL },
	{ { "tlspubkey rm", "fingerprint", 1, 1, NULL, "Remove a key." },
	    key_rm, NULL },
	{ { "tlspubkey gen", "stem", 1, 1, NULL,
	      "Make an ed25519 key and a certificate in files that begin with "
	      "stem. The private key for programs that take no file is printed "
	      "on standard error." },
	    key_gen, NULL },
	{ { NULL, NULL, 0, 0, NULL, NULL }, NULL, NULL },
};
