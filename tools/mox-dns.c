/*
 * mox-dns - look up names, with what DNSSEC says.
 */
#include <stdio.h>
#include <string.h>

#include "dane/dane.h"
#include "tools/dns_tool.h"

static struct dns_tool tool;

static const struct opt options[] = {
	DNS_TOOL_OPTS(tool),
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-dns",
	"[options] lookup ptr|mx|cname|ips|a|aaaa|ns|txt|srv|tlsa name",
	"Look up a name as the mail services do, and say whether DNSSEC "
	"secured the answer.",
	options };

/* ---- records ---- */

static void
print_host(struct slice host)
{
	printf("%.*s", SLICE_FMT(host));
	puts(".");
}

/* Text as a zone file would have it. */
static void
print_text(struct slice text)
{
	putchar('"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c < 0x20 || c > 0x7e)
			printf("\\%03u", c);
		else
			printf("%s%c", c == '"' || c == '\\' ? "\\" : "", c);
	}
	puts("\"");
}

static struct slice
hex(struct arena *arena, struct slice data)
{
	struct buf b = BUF_INIT(data.n * 2);
	struct slice copy;

	for (size_t i = 0; i < data.n; i++)
		buf_addf(&b, "%02x", (unsigned char)data.p[i]);
	copy = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return copy;
}

static void
put_ip(struct dns_tool *t, const struct dns_record *r)
{
	char text[IP_TEXT];

	ip_text(&r->ip, text);
	json_put_str(&t->out, "IP", slice_str(text));
	if (!t->json)
		puts(text);
}

static void
put_host(struct dns_tool *t, const struct dns_record *r)
{
	json_put_str(&t->out, "Host", r->host);
	if (!t->json)
		print_host(r->host);
}

static void
put_mx(struct dns_tool *t, const struct dns_record *r)
{
	json_put_u64(&t->out, "Preference", r->mx.preference);
	json_put_str(&t->out, "Host", r->mx.host);
	if (!t->json)
		printf("%.*s., preference %u\n", SLICE_FMT(r->mx.host),
		    r->mx.preference);
}

static void
put_text(struct dns_tool *t, const struct dns_record *r)
{
	json_put_str(&t->out, "Text", r->text);
	if (!t->json)
		print_text(r->text);
}

static void
put_srv(struct dns_tool *t, const struct dns_record *r)
{
	json_put_u64(&t->out, "Priority", r->srv.priority);
	json_put_u64(&t->out, "Weight", r->srv.weight);
	json_put_u64(&t->out, "Port", r->srv.port);
	json_put_str(&t->out, "Host", r->srv.host);
	if (!t->json)
		printf("%.*s., port %u, priority %u, weight %u\n",
		    SLICE_FMT(r->srv.host), r->srv.port, r->srv.priority,
		    r->srv.weight);
}

static void
put_tlsa(struct dns_tool *t, const struct dns_record *r)
{
	struct slice data = hex(t->arena, r->tlsa.data);

	json_put_u64(&t->out, "Usage", r->tlsa.usage);
	json_put_u64(&t->out, "Selector", r->tlsa.selector);
	json_put_u64(&t->out, "MatchType", r->tlsa.matching);
	json_put_str(&t->out, "Data", data);
	if (!t->json)
		printf("usage %s (%u), selector %s (%u), match type %s (%u), "
		       "data %.*s\n",
		    dane_usage_name(r->tlsa.usage), r->tlsa.usage,
		    dane_selector_name(r->tlsa.selector), r->tlsa.selector,
		    dane_match_name(r->tlsa.matching), r->tlsa.matching,
		    SLICE_FMT(data));
}

static void
put_caa(struct dns_tool *t, const struct dns_record *r)
{
	json_put_u64(&t->out, "Flags", r->caa.flags);
	json_put_str(&t->out, "Tag", r->caa.tag);
	json_put_str(&t->out, "Value", r->caa.value);
	if (t->json)
		return;
	printf("flags %u, ", r->caa.flags);
	print_text(arena_printf(t->arena, "%.*s %.*s", SLICE_FMT(r->caa.tag),
	    SLICE_FMT(r->caa.value)));
}

/* ---- lookup ---- */

static int
ask_name(struct dns_tool *t, const char *arg, enum dns_type type,
    struct dns_answer *a, struct err *e)
{
	return dns_query(t->dns, t->arena, dns_tool_name(t, arg), type, a, e);
}

/* "ips": both kinds. */
static int
ask_addresses(struct dns_tool *t, const char *arg, enum dns_type type,
    struct dns_answer *a, struct err *e)
{
	(void)type;
	return dns_addresses(t->dns, t->arena, dns_tool_name(t, arg), a, e);
}

/* "ptr": an address, or the name that stands for it. */
static int
ask_pointer(struct dns_tool *t, const char *arg, enum dns_type type,
    struct dns_answer *a, struct err *e)
{
	struct ip ip;

	if (ip_parse(slice_str(arg), &ip))
		return dns_reverse(t->dns, t->arena, &ip, a, e);
	return ask_name(t, arg, type, a, e);
}

static const struct lookup {
	const char *name;
	enum dns_type type;
	const char *heading;
	int (*ask)(struct dns_tool *t, const char *arg, enum dns_type type,
	    struct dns_answer *a, struct err *e);
	void (*put)(struct dns_tool *t, const struct dns_record *r);
} lookups[] = {
	{ "ptr", DNS_PTR, "names", ask_pointer, put_host },
	{ "mx", DNS_MX, "mx records", ask_name, put_mx },
	{ "cname", DNS_CNAME, "cname records", ask_name, put_host },
	{ "ips", DNS_A, "records", ask_addresses, put_ip },
	{ "a", DNS_A, "a records", ask_name, put_ip },
	{ "aaaa", DNS_AAAA, "aaaa records", ask_name, put_ip },
	{ "ns", DNS_NS, "ns records", ask_name, put_host },
	{ "txt", DNS_TXT, "txt records", ask_name, put_text },
	{ "srv", DNS_SRV, "srv records", ask_name, put_srv },
	{ "tlsa", DNS_TLSA, "tlsa records", ask_name, put_tlsa },
	{ "caa", DNS_CAA, "caa records", ask_name, put_caa },
};

static const char *
status(int rc, const struct dns_answer *a)
{
	if (rc < 0)
		return a->bogus ? "bogus" : a->timeout ? "timeout" : "failed";
	return rc > 0 ? "found" : a->nxdomain ? "no such name" : "no records";
}

static void
put_records(struct dns_tool *t, const struct lookup *l,
    const struct dns_answer *a)
{
	json_put_str(&t->out, "Name", a->name);
	json_put_bool(&t->out, "DNSSEC", a->secure);
	json_put_array(&t->out, "Records");
	if (!t->json)
		printf("%s (%zu, %s):\n", l->heading, a->n,
		    dns_tool_dnssec(a->secure));
	for (size_t i = 0; i < a->n; i++) {
		json_put_object(&t->out, NULL);
		json_put_u64(&t->out, "TTL", a->v[i].ttl);
		if (!t->json)
			printf("- ");
		l->put(t, &a->v[i]);
		json_put_end(&t->out);
	}
	json_put_end(&t->out);
}

static int
look_up(struct dns_tool *t, char **argv)
{
	const struct lookup *l = lookups;
	const struct lookup *end = l + sizeof(lookups) / sizeof(lookups[0]);
	struct err e = ERR_INIT;
	struct dns_answer a;
	int rc;

	while (l < end && strcmp(l->name, argv[0]) != 0)
		l++;
	if (l == end)
		opt_usage(t->program, "unknown type \"%s\"", argv[0]);
	rc = l->ask(t, argv[1], l->type, &a, &e);
	json_put_str(&t->out, "Status", slice_str(status(rc, &a)));
	if (a.why.n > 0)
		json_put_str(&t->out, "Why", a.why);
	if (rc < 0)
		return dns_tool_fail(t, &e);
	put_records(t, l, &a);
	if (rc == 0 && !t->json)
		fprintf(stderr, "%s: %s\n", program.name, status(rc, &a));
	return rc > 0 ? EXIT_DONE : EXIT_FAILED;
}

static const struct dns_tool_command commands[] = {
	{ "lookup", 2, 2, look_up },
	{ NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	tool.program = &program;
	return dns_tool_main(&tool, commands, argc, argv);
}
