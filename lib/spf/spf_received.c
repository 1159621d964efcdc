/* spf_received - the Received-SPF field: RFC 7208, 9.1. */
#include "base/scan.h"
#include "message/compose.h"
#include "spf/spf.h"

#define FIELD_MAX 8192

/* What a person reads behind "domain of NAME"; the address comes between. */
static const struct {
	const char *before, *after; /* after NULL: no address */
} phrases[] = {
	[SPF_NONE] = { " has no SPF record", NULL },
	[SPF_NEUTRAL] = { " says nothing about ", "" },
	[SPF_PASS] = { " designates ", " as permitted sender" },
	[SPF_FAIL] = { " does not designate ", " as permitted sender" },
	[SPF_SOFTFAIL] = { " does not designate ",
	    " as permitted sender, softly" },
	[SPF_TEMPERROR] = { ": no answer from DNS", NULL },
	[SPF_PERMERROR] = { ": its SPF record is wrong", NULL },
};

/* A comment must not end early, nor the line. */
static void
add_comment(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '(' || c == ')' || c == '\\')
			buf_addc(out, '\\');
		buf_addc(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
}

static bool
is_dot_atom(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!scan_alnum[(unsigned char)s.p[i]] && s.p[i] != '-' &&
		    s.p[i] != '_' && s.p[i] != '.')
			return false;
	return s.n > 0 && s.p[0] != '.' && s.p[s.n - 1] != '.';
}

/* key=value, the value quoted unless it is a dot-atom. Empty: left out. */
static void
add_pair(struct buf *out, const char *key, struct slice value)
{
	bool quote = !is_dot_atom(value);

	if (value.n == 0)
		return;
	buf_addf(out, " %s=%s", key, quote ? "\"" : "");
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if (quote && (c == '"' || c == '\\'))
			buf_addc(out, '\\');
		buf_addc(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
	buf_addf(out, "%s;", quote ? "\"" : "");
}

static void
add_sentence(struct buf *out, const struct spf_args *args,
    const struct spf_result *r, const char *ip)
{
	struct slice who = r->helo ? args->helo : args->domain;

	add_comment(out, args->receiver);
	buf_addz(out, ": domain of ");
	add_comment(out, slice_head(who, 255));
	buf_addz(out, phrases[r->status].before);
	if (phrases[r->status].after != NULL)
		buf_addf(out, "%s%s", ip, phrases[r->status].after);
}

void
spf_received(struct buf *out, const struct spf_args *args,
    const struct spf_result *r)
{
	struct buf value = BUF_INIT(FIELD_MAX), sender = BUF_INIT(1024);
	char ip[IP_TEXT];

	ip_text(&args->ip, ip);
	buf_addf(&value, "%s (", spf_status_name(r->status));
	add_sentence(&value, args, r, ip);
	buf_addz(&value, ")");
	add_pair(&value, "client-ip", slice_str(ip));
	if (args->domain.n > 0) {
		buf_add(&sender,
		    args->local.n > 0 ? args->local : SLICE("postmaster"));
		buf_addc(&sender, '@');
		buf_add(&sender, args->domain);
		add_pair(&value, "envelope-from", buf_slice(&sender));
	}
	add_pair(&value, "helo", slice_head(args->helo, 255));
	add_pair(&value, "identity",
	    r->helo ? SLICE("helo") : SLICE("mailfrom"));
	add_pair(&value, "mechanism", slice_head(r->mechanism, 255));
	add_pair(&value, "problem", slice_head(r->problem, 255));
	add_pair(&value, "receiver", args->receiver);
	/* The last one needs no semicolon. */
	compose_folded(out, "Received-SPF",
	    slice_head(buf_slice(&value), value.n - 1));
	buf_free(&value);
	buf_free(&sender);
}
