/* history_line - a message as text, and the keys of its lists. */
#include <stdio.h>
#include <string.h>

#include "db/escape.h"
#include "dns/orgdomain.h"
#include "limit/limit.h"
#include "store/history_int.h"

#define YEAR_S (365 * INT64_C(86400))

/* Twice what reputation looks at, as half may be unjudged. */
const struct history_limits history_limits[HISTORY_KINDS] = {
	[HISTORY_FROM] = { "from", 4, 3 * YEAR_S },
	[HISTORY_FROM_DOMAIN] = { "domain", 20, 2 * YEAR_S },
	[HISTORY_FROM_ORG] = { "org", 20, 2 * YEAR_S },
	[HISTORY_DKIM] = { "dkim", 50, YEAR_S / 2 },
	[HISTORY_MAIL_FROM] = { "mailfrom", 50, YEAR_S / 2 },
	[HISTORY_MAIL_FROM_DOMAIN] = { "mailfromdomain", 50, YEAR_S / 2 },
	[HISTORY_HELO] = { "helo", 50, YEAR_S / 2 },
	[HISTORY_IP] = { "ip", 50, YEAR_S / 4 },
	[HISTORY_NETWORK] = { "net", 50, YEAR_S / 4 },
	[HISTORY_LARGE_NETWORK] = { "largenet", 50, YEAR_S / 4 },
};

static const char *const validations[] = {
	[HISTORY_UNKNOWN] = "unknown",
	[HISTORY_STRICT] = "strict",
	[HISTORY_DMARC] = "dmarc",
	[HISTORY_RELAXED] = "relaxed",
	[HISTORY_PASS] = "pass",
	[HISTORY_NEUTRAL] = "neutral",
	[HISTORY_TEMPERROR] = "temperror",
	[HISTORY_PERMERROR] = "permerror",
	[HISTORY_FAIL] = "fail",
	[HISTORY_SOFTFAIL] = "softfail",
	[HISTORY_NONE] = "none",
};

static enum history_validation
validation_of(struct slice name)
{
	for (size_t i = 0; i < sizeof(validations) / sizeof(*validations); i++)
		if (slice_is(name, validations[i]))
			return (enum history_validation)i;
	return HISTORY_UNKNOWN;
}

bool
history_is_validated(enum history_validation v)
{
	return v == HISTORY_STRICT || v == HISTORY_DMARC ||
	    v == HISTORY_RELAXED;
}

/* ---- writing ---- */

static void
put(struct buf *out, const char *name, struct slice value)
{
	if (value.n == 0 || value.n > HISTORY_TEXT_MAX)
		return;
	buf_addf(out, " %s=", name);
	db_escape(out, value);
}

/* An identity, and how it was confirmed. */
static void
put_identity(struct buf *out, const char *name, struct slice value,
    enum history_validation is)
{
	put(out, name, value);
	if (is != HISTORY_UNKNOWN)
		buf_addf(out, " %s.is=%s", name, validations[is]);
}

void
history_facts_write(struct buf *out, const struct history_message *m)
{
	char ip[IP_TEXT];

	buf_addf(out, "t=%lld", (long long)m->received);
	put(out, "id", slice_of(m->emailid, STORE_EMAILID));
	put(out, "mailbox", m->mailbox);
	put(out, "ip", slice_str(ip_text(&m->ip, ip)));
	put_identity(out, "helo", m->helo, m->helo_is);
	put_identity(out, "mailfrom", m->mail_from, m->mail_from_is);
	put_identity(out, "from", m->from, m->from_is);
	for (size_t i = 0; i < m->ndkim; i++)
		put(out, "dkim", m->dkim[i]);
	put(out, "dmarc", m->dmarc);
	if (m->forward)
		buf_addz(out, " forward=yes");
	if (m->list)
		buf_addz(out, " list=yes");
	put(out, "msgid", m->msgid);
	buf_addf(out, " size=%llu", (unsigned long long)m->size);
}

/* ---- parsing ---- */

static void
take(struct history_message *m, struct slice name, struct slice value)
{
	const struct {
		const char *name;
		struct slice *text;
		enum history_validation *is;
	} fields[] = {
		{ "mailbox", &m->mailbox, NULL },
		{ "helo", &m->helo, NULL },
		{ "helo.is", NULL, &m->helo_is },
		{ "mailfrom", &m->mail_from, NULL },
		{ "mailfrom.is", NULL, &m->mail_from_is },
		{ "from", &m->from, NULL },
		{ "from.is", NULL, &m->from_is },
		{ "dmarc", &m->dmarc, NULL },
		{ "msgid", &m->msgid, NULL },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (slice_is(name, fields[i].name)) {
			if (fields[i].text)
				*fields[i].text = value;
			else
				*fields[i].is = validation_of(value);
			return;
		}
	if (slice_is(name, "t"))
		slice_i64(value, &m->received);
	else if (slice_is(name, "id") && value.n == STORE_EMAILID)
		memcpy(m->emailid, value.p, STORE_EMAILID);
	else if (slice_is(name, "ip"))
		ip_parse(value, &m->ip);
	else if (slice_is(name, "dkim") && m->ndkim < HISTORY_DKIM_MAX)
		m->dkim[m->ndkim++] = value;
	else if (slice_is(name, "forward"))
		m->forward = true;
	else if (slice_is(name, "list"))
		m->list = true;
	else if (slice_is(name, "size"))
		slice_u64(value, &m->size);
}

bool
history_facts_parse(struct slice text, struct arena *arena,
    struct history_message *m_r)
{
	struct slice field, name, escaped;

	*m_r = (struct history_message){ .received = -1 };
	while (slice_next(&text, ' ', &field)) {
		struct buf value = BUF_INIT(HISTORY_TEXT_MAX);
		if (slice_cut(field, '=', &name, &escaped) &&
		    db_unescape(&value, escaped) && !value.over)
			take(m_r, name, arena_dup(arena, buf_slice(&value)));
		buf_free(&value);
	}
	return m_r->received >= 0 && m_r->emailid[0] != '\0';
}

/* ---- keys ---- */

static struct slice
domain_of(struct slice address)
{
	return slice_skip(address, (size_t)(slice_rchr(address, '@') + 1));
}

struct history_key
history_ip_key(enum history_kind kind, const struct ip *ip,
    struct slice mailbox, struct arena *arena)
{
	struct ip class = limit_class(ip, (unsigned)(kind - HISTORY_IP));
	char text[IP_TEXT];

	return (struct history_key){ .kind = kind,
		.value = arena_dup(arena, slice_str(ip_text(&class, text))),
		.mailbox = mailbox };
}

static void
add_key(const struct history_message *m, enum history_kind kind, bool validated,
    struct slice value, struct history_key keys[HISTORY_KEYS_OF_MAX], size_t *n)
{
	if (value.n > 0 && value.n <= HISTORY_TEXT_MAX)
		keys[(*n)++] =
		    (struct history_key){ kind, validated, value, m->mailbox };
}

size_t
history_keys(const struct history_message *m, struct arena *arena,
    struct history_key keys_r[HISTORY_KEYS_OF_MAX])
{
	bool validated = history_is_validated(m->from_is);
	struct slice domain = domain_of(m->from);
	size_t n = 0;

	add_key(m, HISTORY_FROM, validated, m->from, keys_r, &n);
	add_key(m, HISTORY_FROM_DOMAIN, validated, domain, keys_r, &n);
	add_key(m, HISTORY_FROM_ORG, validated, dns_orgdomain(domain), keys_r,
	    &n);
	for (size_t i = 0; i < m->ndkim; i++)
		add_key(m, HISTORY_DKIM, false, m->dkim[i], keys_r, &n);
	if (m->mail_from_is == HISTORY_PASS) {
		add_key(m, HISTORY_MAIL_FROM, false, m->mail_from, keys_r, &n);
		add_key(m, HISTORY_MAIL_FROM_DOMAIN, false,
		    domain_of(m->mail_from), keys_r, &n);
	}
	if (m->helo_is == HISTORY_PASS)
		add_key(m, HISTORY_HELO, false, m->helo, keys_r, &n);
	for (int k = HISTORY_IP; m->ip.family && k <= HISTORY_LARGE_NETWORK;
	     k++)
		keys_r[n++] = history_ip_key((enum history_kind)k, &m->ip,
		    m->mailbox, arena);
	return n;
}

/* Case does not tell people apart. */
struct slice
history_key_text(const struct history_key *key, struct arena *arena)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct slice s;

	buf_addf(&text, "%s%s ", history_limits[key->kind].name,
	    key->kind > HISTORY_FROM_ORG ? ""
		: key->validated         ? "+"
					 : "-");
	db_escape(&text, key->value);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 'A' && text.p[i] <= 'Z')
			text.p[i] += 'a' - 'A';
	buf_addc(&text, ' ');
	buf_add(&text, key->mailbox);
	s = arena_dup(arena, buf_slice(&text));
	buf_free(&text);
	return s;
}

bool
history_key_kind(struct slice text, enum history_kind *kind_r)
{
	struct slice name, rest;

	slice_cut(text, ' ', &name, &rest);
	if (slice_ends(name, SLICE("+")) || slice_ends(name, SLICE("-")))
		name.n--;
	for (int k = 0; k < HISTORY_KINDS; k++)
		if (slice_is(name, history_limits[k].name)) {
			*kind_r = (enum history_kind)k;
			return true;
		}
	return false;
}

/* ---- entries ---- */

struct history_entry
history_entry_of(const struct history_message *m)
{
	ssize_t at = slice_rchr(m->from, '@');
	struct history_entry entry = { .received = m->received,
		.verdict = HISTORY_UNJUDGED,
		.local = (uint32_t)slice_hash(slice_head(m->from,
		    at < 0 ? 0 : (size_t)at)) };

	memcpy(entry.emailid, m->emailid, STORE_EMAILID);
	return entry;
}

void
history_entries_write(struct buf *out, const struct history_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%lld %.*s %d %08x\n", (long long)v[i].received,
		    STORE_EMAILID, v[i].emailid, (int)v[i].verdict,
		    (unsigned)v[i].local);
}
