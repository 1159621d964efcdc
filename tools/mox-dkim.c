/*
 * mox-dkim - keys, records and signatures of DKIM.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "host/host_sign.h"
#include "message/address.h"
#include "message/header.h"
#include "tools/dns_tool.h"
#include "tools/message_file.h"

static struct dns_tool tool;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-dkim",
	"[options] gened25519 | genrsa | lookup selector domain | txt | "
	"verify file | sign file",
	"Make DKIM keys, look up their records, verify and sign messages.",
	options };

/* ---- keys ---- */

static int
generate(struct dns_tool *t, enum dkim_key_type type)
{
	struct err e = ERR_INIT;
	struct buf pem = BUF_INIT(DKIM_PEM_MAX);
	struct dkim_key *key = dkim_key_new(type, &e);
	int code;

	if (key == NULL || dkim_key_write_pem(key, &pem, &e) < 0) {
		code = dns_tool_fail(t, &e);
	} else {
		code = EXIT_DONE;
		json_put_str(&t->out, "PrivateKey", buf_slice(&pem));
		if (!t->json)
			fwrite(pem.p, 1, pem.n, stdout);
	}
	dkim_key_free(&key);
	buf_wipe(&pem);
	return code;
}

static int
gened25519(struct dns_tool *t, char **argv)
{
	(void)argv;
	return generate(t, DKIM_ED25519);
}

static int
genrsa(struct dns_tool *t, char **argv)
{
	(void)argv;
	return generate(t, DKIM_RSA);
}

static int
txt(struct dns_tool *t, char **argv)
{
	struct buf pem = BUF_INIT(DKIM_PEM_MAX);
	struct buf record = BUF_INIT(DKIM_RECORD_MAX);
	struct buf split = BUF_INIT(2 * DKIM_RECORD_MAX);
	struct err e = ERR_INIT;
	struct dkim_key *key = NULL;
	int code = EXIT_DONE;

	(void)argv;
	if (file_read_fd(STDIN_FILENO, &pem, &e) >= 0)
		key = dkim_key_parse(buf_slice(&pem), &e);
	if (key == NULL) {
		code = dns_tool_fail(t, &e);
	} else {
		dkim_key_write_record(key, &record);
		dkim_txt_split(buf_slice(&record), &split);
		json_put_str(&t->out, "Record", buf_slice(&record));
		if (!t->json)
			printf("<selector>._domainkey.<your.domain.> TXT %s\n",
			    buf_cstr(&split));
	}
	dkim_key_free(&key);
	buf_wipe(&pem);
	buf_free(&record);
	buf_free(&split);
	return code;
}

/* ---- lookup ---- */

static void
print_record(const struct dkim_record *r)
{
	printf("key: %s\n", r->type == DKIM_RSA ? "rsa" : "ed25519");
	if (r->hashes.n > 0)
		printf("hashes: %.*s\n", SLICE_FMT(r->hashes));
	if (r->services.n > 0)
		printf("services: %.*s\n", SLICE_FMT(r->services));
	if (r->notes.n > 0)
		printf("notes: %.*s\n", SLICE_FMT(r->notes));
	if (r->testing)
		puts("for tests (t=y)");
	if (r->strict)
		puts("not for subdomains (t=s)");
	if (r->public_key.n == 0)
		puts("revoked");
}

static int
look_up(struct dns_tool *t, char **argv)
{
	struct slice selector = dns_tool_name(t, argv[0]);
	struct slice domain = dns_tool_name(t, argv[1]);
	struct dkim_record r;
	struct dkim_key *key;
	struct err e = ERR_INIT;
	bool secure;
	int rc = dkim_record_lookup(t->dns, t->arena, selector, domain, &r,
	    &secure, &e);

	json_put_bool(&t->out, "DNSSEC", secure);
	if (rc != 1)
		return dns_tool_fail(t, &e);
	json_put_str(&t->out, "Record", r.text);
	json_put_str(&t->out, "Key",
	    r.type == DKIM_RSA ? SLICE("rsa") : SLICE("ed25519"));
	json_put_bool(&t->out, "Testing", r.testing);
	json_put_bool(&t->out, "Revoked", r.public_key.n == 0);
	if (!t->json) {
		printf("%.*s\n(%s)\n", SLICE_FMT(r.text),
		    dns_tool_dnssec(secure));
		print_record(&r);
	}
	if (r.public_key.n == 0)
		return EXIT_FAILED;
	key = dkim_key_public(r.type, r.public_key, &e);
	if (key == NULL)
		return dns_tool_fail(t, &e);
	json_put_u64(&t->out, "Bits", dkim_key_bits(key));
	if (!t->json)
		printf("bits: %u\n", dkim_key_bits(key));
	dkim_key_free(&key);
	return EXIT_DONE;
}

/* ---- verify ---- */

static void
push(void *ctx, struct slice wire)
{
	dkim_stream_push(ctx, wire);
}

static void
print_result(const struct dkim_result *r)
{
	struct buf header = BUF_INIT(SIZE_MAX), record = BUF_INIT(SIZE_MAX);

	header_unfold(&header, slice_trim(r->field));
	if (r->has_record)
		dkim_record_write(&r->record, &record);
	printf("status \"%s\", err %.*s\n", dkim_status_name(r->status),
	    SLICE_FMT(r->why.n > 0 ? r->why : SLICE("<nil>")));
	printf("record \"%s\" (%s)\n", buf_cstr(&record),
	    dns_tool_dnssec(r->secure));
	printf("header %s\n", buf_cstr(&header));
	buf_free(&header);
	buf_free(&record);
}

static void
put_result(struct json_out *j, const struct dkim_result *r)
{
	json_put_object(j, NULL);
	json_put_str(j, "Status", slice_str(dkim_status_name(r->status)));
	json_put_str(j, "Why", r->why);
	json_put_str(j, "Domain", r->sig.domain);
	json_put_str(j, "Selector", r->sig.selector);
	json_put_str(j, "Algorithm", r->sig.algorithm);
	json_put_str(j, "Identity", r->sig.identity);
	json_put_str(j, "Record", r->record.text);
	json_put_bool(j, "Testing", r->testing);
	json_put_bool(j, "DNSSEC", r->secure);
	json_put_str(j, "Header", r->field);
	json_put_end(j);
}

/* 0 if one passes, 111 if one might, but for DNS. */
static int
show_results(struct dns_tool *t, const struct dkim_results *r)
{
	int code = EXIT_FAILED;

	json_put_array(&t->out, "Signatures");
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].status == DKIM_PASS)
			code = EXIT_DONE;
		else if (r->v[i].status == DKIM_TEMPERROR &&
		    code == EXIT_FAILED)
			code = EXIT_LATER;
		put_result(&t->out, &r->v[i]);
		if (!t->json)
			print_result(&r->v[i]);
	}
	json_put_end(&t->out);
	if (r->n == 0 && !t->json)
		puts("no signatures");
	return code;
}

static int
verify(struct dns_tool *t, char **argv)
{
	struct dkim_verify_opts opts = {
		.dns = t->dns, .clock = clock_program(), .ignore_testing = true
	};
	struct dkim_stream *s;
	struct dkim_verify *v;
	struct dkim_results results;
	struct message_file f;
	struct err e = ERR_INIT;
	int rc;

	if (message_file_open(&f, argv[0], &e) < 0)
		return dns_tool_fail(t, &e);
	s = dkim_stream_new();
	v = dkim_verify_new(s, &opts);
	rc = message_file_wire(&f, push, s, &e);
	dkim_stream_end(s);
	dkim_verify_finish(v, t->arena, &results);
	rc = rc < 0 ? dns_tool_fail(t, &e) : show_results(t, &results);
	dkim_verify_free(&v);
	dkim_stream_free(&s);
	message_file_close(&f);
	return rc;
}

/* ---- sign ---- */

/* The address in From. */
static int
find_from(struct dns_tool *t, struct message_file *f, struct slice *local_r,
    struct slice *domain_r, struct err *e)
{
	struct dkim_stream *s = dkim_stream_new();
	const struct dkim_field *fields;
	struct address_list list = { .n = 0 };
	size_t n;

	if (message_file_wire(f, push, s, e) < 0) {
		dkim_stream_free(&s);
		return -1;
	}
	dkim_stream_end(s);
	n = dkim_stream_fields(s, &fields);
	for (size_t i = 0; i < n && list.n == 0; i++)
		if (slice_isi(fields[i].name, "From"))
			address_parse(t->arena,
			    arena_dup(t->arena, fields[i].value), 1, &list);
	dkim_stream_free(&s);
	if (list.n == 0 || list.v[0].domain.n == 0)
		return err_set(e, ERR_SYNTAX, "message has no address in From");
	*local_r = list.v[0].local;
	*domain_r = list.v[0].domain;
	return 0;
}

/* The signers that the configuration has for the address. */
static int
load_signers(struct dns_tool *t, const struct config *config,
    struct message_file *f, struct host_signers *signers, struct err *e)
{
	struct config_domains *domains;
	const struct conf_domain *domain;
	struct sconf_errors errors;
	struct slice local, name;

	if (find_from(t, f, &local, &name, e) < 0)
		return -1;
	sconf_errors_init(&errors, t->arena);
	if (config_domains_load(config, &errors, &domains) < 0) {
		config_print_errors(&errors);
		return err_set(e, ERR_PERM, "domains.conf is wrong");
	}
	/* For as long as this program runs. */
	domain = host_sign_domain(&domains->conf, t->arena, name);
	if (domain == NULL)
		return err_set(e, ERR_PERM, "domain %.*s is not configured",
		    SLICE_FMT(name));
	if (host_signers_load(config, domain, local, t->arena, signers, e) < 0)
		return -1;
	if (signers->n == 0)
		return err_set(e, ERR_PERM, "domain %.*s does not sign",
		    SLICE_FMT(name));
	return 0;
}

/* Lines end as in the file. */
static void
print_fields(const struct message_file *f, struct slice fields)
{
	struct slice line;

	while (slice_line(&fields, &line))
		printf("%.*s%s", SLICE_FMT(line), f->lf ? "\n" : "\r\n");
}

static void
copy(void *ctx, struct slice bytes)
{
	(void)ctx;
	fwrite(bytes.p, 1, bytes.n, stdout);
}

static int
sign_message(struct dns_tool *t, struct message_file *f,
    const struct host_signers *signers, struct err *e)
{
	struct dkim_stream *s = dkim_stream_new();
	struct dkim_sign *sign =
	    dkim_sign_new(s, signers->v, signers->n, clock_program());
	struct buf out = BUF_INIT(DKIM_HEADER_MAX);
	int rc = message_file_wire(f, push, s, e);

	dkim_stream_end(s);
	if (rc == 0)
		rc = dkim_sign_finish(sign, &out, e);
	json_put_str(&t->out, "Header", buf_slice(&out));
	if (rc == 0 && !t->json) {
		print_fields(f, buf_slice(&out));
		rc = message_file_raw(f, copy, NULL, e);
	}
	buf_free(&out);
	dkim_sign_free(&sign);
	dkim_stream_free(&s);
	return rc;
}

static int
sign(struct dns_tool *t, char **argv)
{
	struct config *config = config_load_or_exit(t->config);
	struct host_signers signers = { .n = 0 };
	struct message_file f;
	struct err e = ERR_INIT;
	int code = EXIT_DONE;

	if (message_file_open(&f, argv[0], &e) < 0)
		return dns_tool_fail(t, &e);
	if (!message_file_again(&f))
		err_set(&e, ERR_PERM,
		    "%s: is no regular file, and is read "
		    "twice",
		    argv[0]);
	if (e.kind != ERR_NONE ||
	    load_signers(t, config, &f, &signers, &e) < 0 ||
	    sign_message(t, &f, &signers, &e) < 0)
		code = dns_tool_fail(t, &e);
	host_signers_free(&signers);
	message_file_close(&f);
	config_free(&config);
	return code;
}

static const struct dns_tool_command commands[] = {
	{ "gened25519", 0, 0, gened25519 },
	{ "genrsa", 0, 0, genrsa },
	{ "lookup", 2, 2, look_up },
	{ "txt", 0, 0, txt },
	{ "verify", 1, 1, verify },
	{ "sign", 1, 1, sign },
	{ NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	tool.program = &program;
	return dns_tool_main(&tool, commands, argc, argv);
}
