/*
 * mox-mtasts - MTA-STS: look up a domain's policy, refresh the cached ones,
 * fetch them for deliveries.
 */
#include <stdio.h>

#include "base/log.h"
#include "host/host_dns.h"
#include "service/sandbox.h"
#include "service/user.h"
#include "text/idna.h"
#include "tools/dns_tool.h"
#include "tools/mtasts_serve.h"

static struct dns_tool tool;
static long opt_door = -1, opt_spread;
static bool opt_no_sandbox;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ "door", OPT_INT, &opt_door, "fd",
	    "serve: socket through which deliveries ask" },
	{ "nosandbox", OPT_BOOL, &opt_no_sandbox, NULL,
	    "run where the system has no seccomp" },
	{ "spread", OPT_INT, &opt_spread, "seconds",
	    "refresh: in even steps over this time" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-mtasts",
	"[options] lookup domain | refresh | serve -door fd",
	"Look up the MTA-STS policy of a domain, refresh those that are cached, "
	"fetch them for deliveries.",
	options };

static int64_t
timeout_ms(const struct dns_tool *t)
{
	return t->timeout_s > 0 && t->timeout_s < MTASTS_FETCH_MS / 1000
	    ? t->timeout_s * 1000
	    : MTASTS_FETCH_MS;
}

/* ---- lookup ---- */

static void
say(struct dns_tool *t, const char *name, struct slice value)
{
	json_put_str(&t->out, name, value);
}

static int
no_record(struct dns_tool *t, struct slice domain, enum mtasts_record status,
    struct slice text, struct slice why)
{
	static const char *const names[] = {
		[MTASTS_RECORD_NONE] = "none",
		[MTASTS_RECORD_INVALID] = "invalid",
		[MTASTS_RECORD_TEMP] = "temperror",
	};

	say(t, "Status", slice_str(names[status]));
	say(t, "Record", text);
	say(t, "Problem", why);
	if (!t->json)
		printf("%.*s: no MTA-STS: %.*s%s%.*s\n", SLICE_FMT(domain),
		    SLICE_FMT(why), text.n > 0 ? ": " : "", SLICE_FMT(text));
	return status == MTASTS_RECORD_TEMP ? EXIT_LATER : EXIT_FAILED;
}

static int
no_policy(struct dns_tool *t, struct slice type, struct slice why)
{
	say(t, "Status", SLICE("failed"));
	say(t, "FailureType", type);
	say(t, "Problem", why);
	if (!t->json)
		printf("no policy: %.*s (%.*s)\n", SLICE_FMT(why),
		    SLICE_FMT(type));
	return EXIT_FAILED;
}

static void
show_policy(struct dns_tool *t, struct slice text,
    const struct mtasts_policy *p)
{
	struct json_out *j = &t->out;

	say(t, "Status", SLICE("ok"));
	json_put_object(j, "Policy");
	say(t, "Version", SLICE("STSv1"));
	say(t, "Mode", slice_str(mtasts_mode_name(p->mode)));
	json_put_array(j, "MX");
	for (size_t i = 0; i < p->nmx; i++)
		json_put_str(j, NULL, p->mx[i]);
	json_put_end(j);
	json_put_u64(j, "MaxAgeSeconds", p->max_age);
	json_put_end(j);
	say(t, "Text", text);
	if (t->json)
		return;
	printf("version: STSv1\nmode: %s\n", mtasts_mode_name(p->mode));
	for (size_t i = 0; i < p->nmx; i++)
		printf("mx: %.*s\n", SLICE_FMT(p->mx[i]));
	printf("max_age: %u\n", p->max_age);
}

static int
show_fetched(struct dns_tool *t, const struct mtasts_fetched *f)
{
	struct mtasts_policy policy;
	struct err e = ERR_INIT;

	if (f->failure_type.n > 0)
		return no_policy(t, f->failure_type, f->failure);
	if (mtasts_policy_parse(f->text, t->arena, &policy, &e) < 0)
		return no_policy(t, SLICE("sts-policy-invalid"),
		    slice_str(e.text));
	show_policy(t, f->text, &policy);
	return EXIT_DONE;
}

static int
fetch(struct dns_tool *t, struct slice domain)
{
	struct config *config = host_config_if_any(t->config);
	struct mtasts_web web;
	struct mtasts_child child;
	struct mtasts_got got = { .record = MTASTS_RECORD_OK };
	struct err e = ERR_INIT;
	struct slice url;
	int rc;

	if (opt_no_sandbox)
		sandbox_off();
	rc = mtasts_web_open(&web, config, timeout_ms(t), t->arena, &e);
	if (rc == 0)
		rc = mtasts_fetch_start(&web, domain, false, &child, &e);
	if (rc == 0) {
		url = mtasts_url(&web, t->arena, domain);
		say(t, "PolicyURL", url);
		if (!t->json)
			printf("policy at %.*s:\n", SLICE_FMT(url));
		mtasts_fetch_wait(&child, t->arena, &got);
	}
	mtasts_web_close(&web);
	config_free(&config);
	return rc < 0 ? dns_tool_fail(t, &e) : show_fetched(t, &got.fetched);
}

static int
look_up(struct dns_tool *t, char **argv)
{
	struct slice domain = dns_tool_name(t, argv[0]), text, id, why;
	enum mtasts_record status;

	idna_ascii(t->arena, domain, &domain, NULL); /* in lower case */
	status =
	    mtasts_record_lookup(t->dns, t->arena, domain, &text, &id, &why);
	say(t, "Domain", domain);
	if (status != MTASTS_RECORD_OK)
		return no_record(t, domain, status, text, why);
	say(t, "Record", text);
	say(t, "ID", id);
	if (!t->json)
		printf("record at _mta-sts.%.*s: \"%.*s\"\n", SLICE_FMT(domain),
		    SLICE_FMT(text));
	return fetch(t, domain);
}

/* ---- the cache ---- */

/* As the owner of the data. Needs mox.conf, unlike lookup. */
static struct config *
open_jobs(struct dns_tool *t, struct mtasts_jobs *jobs)
{
	struct config *config = config_load_or_exit(t->config);
	struct err e = ERR_INIT;

	if (opt_no_sandbox)
		sandbox_off();
	config_log_init(config, program.name);
	user_limits();
	if (user_become_owner(config->data_dir, &e) < 0 ||
	    mtasts_jobs_open(jobs, config, timeout_ms(t), t->arena, &e) < 0)
		proc_die(program.name, &e);
	return config;
}

static int
finish(struct dns_tool *t, struct mtasts_jobs *jobs, struct config *config,
    int rc, const struct err *e)
{
	mtasts_jobs_close(jobs);
	config_free(&config);
	return rc < 0 ? dns_tool_fail(t, e) : EXIT_DONE;
}

static int
refresh(struct dns_tool *t, char **argv)
{
	struct mtasts_jobs jobs;
	struct config *config = open_jobs(t, &jobs);
	struct err e = ERR_INIT;

	(void)argv;
	return finish(t, &jobs, config,
	    mtasts_refresh(&jobs, opt_spread < 0 ? 0 : opt_spread, &e), &e);
}

static int
serve(struct dns_tool *t, char **argv)
{
	struct mtasts_jobs jobs;
	struct config *config;
	struct err e = ERR_INIT;

	(void)argv;
	if (opt_door < 0)
		opt_usage(&program, "mox-queued starts it, with -door");
	config = open_jobs(t, &jobs);
	return finish(t, &jobs, config, mtasts_serve(&jobs, (int)opt_door, &e),
	    &e);
}

static const struct dns_tool_command commands[] = {
	{ "lookup", 1, 1, look_up },
	{ "refresh", 0, 0, refresh },
	{ "serve", 0, 0, serve },
	{ NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	tool.program = &program;
	return dns_tool_main(&tool, commands, argc, argv);
}
