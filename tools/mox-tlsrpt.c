/*
 * mox-tlsrpt - reports about TLS: who wants them, what others sent, what has been
 * collected here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/scan.h"
#include "config/config.h"
#include "service/user.h"
#include "tlsrpt/tlsrpt.h"
#include "tools/dns_tool.h"

#define MESSAGE_MAX (64 * 1024 * 1024)

static struct dns_tool tool;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-tlsrpt",
	"[options] lookup domain | parsereportmsg file... | results [day]",
	"Look up where a domain wants reports about TLS, read reports of others, "
	"show what was collected for ours.",
	options };

/* ---- lookup ---- */

static int
look_up(struct dns_tool *t, char **argv)
{
	struct slice domain = dns_tool_name(t, argv[0]), text;
	struct tlsrpt_record r;
	struct err e = ERR_INIT;
	int rc = tlsrpt_lookup(t->dns, t->arena, domain, &r, &text, &e);

	json_put_str(&t->out, "Domain", domain);
	json_put_str(&t->out, "Record", text);
	if (rc == 0)
		err_set(&e, ERR_PERM, "%.*s: no TLSRPT record",
		    SLICE_FMT(domain));
	if (rc != 1)
		return dns_tool_fail(t, &e);
	json_put_array(&t->out, "Addresses");
	for (size_t i = 0; i < r.nrua; i++)
		json_put_str(&t->out, NULL, r.rua[i]);
	json_put_end(&t->out);
	if (t->json)
		return EXIT_DONE;
	printf("record at _smtp._tls.%.*s: \"%.*s\"\n", SLICE_FMT(domain),
	    SLICE_FMT(text));
	for (size_t i = 0; i < r.nrua; i++)
		printf("reports go to: %.*s\n", SLICE_FMT(r.rua[i]));
	return EXIT_DONE;
}

/* ---- reports ---- */

/* "-" is standard input. */
static int
read_message(const char *path, struct buf *b, struct err *e)
{
	int rc = slice_is(slice_str(path), "-")
	    ? file_read_fd(STDIN_FILENO, b, e)
	    : file_read(AT_FDCWD, path, b, e);

	if (rc == 0 && !slice_is(slice_str(path), "-"))
		return err_set(e, ERR_PERM, "no such file");
	return rc < 0 ? -1 : 0;
}

/* The report as JSON, whether -json was given or not. */
static int
show_report(struct dns_tool *t, const char *path, struct err *e)
{
	struct buf message = BUF_INIT(MESSAGE_MAX), text = BUF_INIT(SIZE_MAX);
	struct arena *arena = arena_new(0);
	struct tlsrpt_report report;
	int rc = read_message(path, &message, e);

	if (rc == 0)
		rc = tlsrpt_message_parse(buf_slice(&message), arena, &report,
		    e);
	if (rc == 0 && t->json)
		tlsrpt_report_put(&t->out, NULL, &report);
	if (rc == 0 && !t->json) {
		tlsrpt_report_write(&text, &report);
		fwrite(text.p, 1, text.n, stdout);
	}
	arena_free(&arena);
	buf_free(&message);
	buf_free(&text);
	return rc;
}

static int
parse_reports(struct dns_tool *t, char **argv)
{
	int code = EXIT_DONE;

	json_put_array(&t->out, "Reports");
	for (; *argv != NULL; argv++) {
		struct err e = ERR_INIT;

		if (show_report(t, *argv, &e) == 0)
			continue;
		fprintf(stderr, "%s: %s: %s\n", program.name, *argv, e.text);
		code = proc_exit_code(&e);
	}
	json_put_end(&t->out);
	return code;
}

/* ---- results ---- */

static void
print_sum(const struct tlsrpt_sum *s)
{
	printf("%.*s: %s, %ju sessions succeeded, %ju failed\n",
	    SLICE_FMT(s->domain), tlsrpt_policy_name(s->type),
	    (uintmax_t)s->success, (uintmax_t)s->failure);
	for (size_t i = 0; i < s->nfailures; i++) {
		const struct tlsrpt_failure *f = &s->failures[i];

		printf("\t%ju %.*s", (uintmax_t)f->sessions,
		    SLICE_FMT(f->type));
		if (f->mx_host.n > 0)
			printf(", %.*s", SLICE_FMT(f->mx_host));
		if (f->receiving_ip.n > 0)
			printf(" [%.*s]", SLICE_FMT(f->receiving_ip));
		if (f->reason.n > 0)
			printf(": %.*s", SLICE_FMT(f->reason));
		putchar('\n');
	}
}

static void
show_results(struct dns_tool *t, struct slice domain,
    const struct tlsrpt_results *r)
{
	json_put_object(&t->out, NULL);
	json_put_str(&t->out, "PolicyDomain", domain);
	json_put_bool(&t->out, "IsHost", r->is_host);
	json_put_array(&t->out, "RecipientDomains");
	for (size_t i = 0; i < r->nrcpt_domains; i++)
		json_put_str(&t->out, NULL, r->rcpt_domains[i]);
	json_put_end(&t->out);
	json_put_array(&t->out, "Policies");
	for (size_t i = 0; i < r->n; i++) {
		tlsrpt_sum_put(&t->out, &r->sums[i]);
		if (!t->json)
			print_sum(&r->sums[i]);
	}
	json_put_end(&t->out);
	json_put_end(&t->out);
}

static int
show_day(struct dns_tool *t, int fd, const char *day, struct err *e)
{
	struct tlsrpt_results r;
	struct slice *domains;
	size_t n;

	if (tlsrpt_results_domains(fd, day, t->arena, &domains, &n, e) < 0)
		return -1;
	json_put_str(&t->out, "Day", slice_str(day));
	json_put_array(&t->out, "Results");
	for (size_t i = 0; i < n; i++) {
		struct arena *arena = arena_new(0);
		int rc = tlsrpt_results_read(fd, day, domains[i], SLICE_NULL,
		    arena, &r, e);

		if (rc == 1)
			show_results(t, domains[i], &r);
		arena_free(&arena);
		if (rc < 0)
			return -1;
	}
	json_put_end(&t->out);
	return 0;
}

static bool
is_day(const char *text)
{
	struct scan sc = scan_of(slice_str(text));
	unsigned day;

	return scan_digits(&sc, TLSRPT_DAY - 1, &day) && scan_end(&sc);
}

/* Of the day named, or of today. */
static int
results(struct dns_tool *t, char **argv)
{
	struct config *config;
	char today[TLSRPT_DAY];
	const char *day = argv[0] != NULL ? argv[0] : today, *folder;
	struct err e = ERR_INIT;
	int fd, rc;

	tlsrpt_day(clock_us(clock_program()), today);
	if (!is_day(day))
		opt_usage(&program, "a day is eight digits, as in 20261130");
	config = config_load_or_exit(t->config);
	folder = config_data(config, t->arena, "tlsresults");
	rc = user_become_owner(config->data_dir, &e);
	config_free(&config);
	if (rc < 0)
		return dns_tool_fail(t, &e);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT) {
		err_sys(&e, "%s", folder);
		return dns_tool_fail(t, &e);
	}
	if (fd < 0)
		return EXIT_DONE; /* nothing has been collected yet */
	rc = show_day(t, fd, day, &e);
	close(fd);
	return rc < 0 ? dns_tool_fail(t, &e) : EXIT_DONE;
}

static const struct dns_tool_command commands[] = {
	{ "lookup", 1, 1, look_up },
	{ "parsereportmsg", 1, INT_MAX, parse_reports },
	{ "results", 0, 1, results },
	{ NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	tool.program = &program;
	return dns_tool_main(&tool, commands, argc, argv);
}
