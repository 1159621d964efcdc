/* dkim_record - what DNS says of a key. */
#include "dkim/dkim_record.h"

#include "dkim/dkim_tags.h"
#include "text/base64.h"
#include "text/idna.h"

static int
parse_type(struct slice k, struct dkim_record *r, struct err *e)
{
	if (k.n == 0 || slice_isi(k, "rsa"))
		r->type = DKIM_RSA;
	else if (slice_isi(k, "ed25519")) /* RFC 8463, 4.2 */
		r->type = DKIM_ED25519;
	else
		return err_set(e, ERR_SYNTAX, "dkim record: unknown k=%.*s",
		    SLICE_FMT(slice_head(k, 40)));
	return 0;
}

static int
parse_tags(struct arena *arena, const struct dkim_tags *tags,
    struct dkim_record *r, struct err *e)
{
	const struct dkim_tag *p = dkim_tags_get(tags, "p");
	struct slice flags = dkim_tags_value(tags, "t");

	if (p == NULL)
		return err_set(e, ERR_SYNTAX, "dkim record: no p=");
	if (p->value.n > 0 && !dkim_base64(arena, p->value, &r->public_key))
		return err_set(e, ERR_SYNTAX, "dkim record: p= is no base64");
	if (parse_type(dkim_tags_value(tags, "k"), r, e) < 0)
		return -1;
	r->hashes = dkim_tags_value(tags, "h");
	r->services = dkim_tags_value(tags, "s");
	r->testing = dkim_list_has(flags, "y");
	r->strict = dkim_list_has(flags, "s");
	if (!dkim_qp(arena, dkim_tags_value(tags, "n"), &r->notes))
		r->notes = dkim_tags_value(tags, "n"); /* for people only */
	return 0;
}

int
dkim_record_parse(struct arena *arena, struct slice text,
    struct dkim_record *record_r, struct err *e)
{
	struct dkim_tags tags;
	const struct dkim_tag *v;
	struct err wrong = ERR_INIT;

	*record_r = (struct dkim_record){ .text = text };
	if (dkim_tags_parse(text, &tags, &wrong) < 0) {
		/* Is it meant for us at all? */
		if (!slice_startsi(slice_trim(text), SLICE("v=DKIM1")) &&
		    (tags.n == 0 || dkim_tags_get(&tags, "v") != NULL))
			return 0;
		return err_set(e, wrong.kind, "dkim record: %s", wrong.text);
	}
	v = dkim_tags_get(&tags, "v");
	if (v == NULL && dkim_tags_get(&tags, "p") == NULL)
		return 0;
	/* RFC 6376, 3.6.1: v= comes first and is DKIM1. */
	if (v != NULL && !slice_is(v->value, "DKIM1"))
		return 0;
	if (v != NULL && v != tags.v)
		return err_set(e, ERR_SYNTAX, "dkim record: v= is not first");
	return parse_tags(arena, &tags, record_r, e) < 0 ? -1 : 1;
}

bool
dkim_record_allows_hash(const struct dkim_record *record, enum sha_alg alg)
{
	return record->hashes.n == 0 ||
	    dkim_list_has(record->hashes, alg == SHA_1 ? "sha1" : "sha256");
}

bool
dkim_record_allows_email(const struct dkim_record *record)
{
	return record->services.n == 0 ||
	    dkim_list_has(record->services, "*") ||
	    dkim_list_has(record->services, "email");
}

void
dkim_record_write(const struct dkim_record *record, struct buf *out)
{
	buf_addz(out, "v=DKIM1");
	if (record->hashes.n > 0)
		buf_addf(out, ";h=%.*s", SLICE_FMT(record->hashes));
	if (record->type == DKIM_ED25519)
		buf_addz(out, ";k=ed25519");
	if (record->notes.n > 0) {
		buf_addz(out, ";n=");
		dkim_qp_write(record->notes, false, out);
	}
	if (record->services.n > 0)
		buf_addf(out, ";s=%.*s", SLICE_FMT(record->services));
	if (record->testing || record->strict)
		buf_addf(out, ";t=%s%s%s", record->testing ? "y" : "",
		    record->testing && record->strict ? ":" : "",
		    record->strict ? "s" : "");
	buf_addz(out, ";p=");
	base64_encode(out, record->public_key);
}

int
dkim_record_name(struct arena *arena, struct slice selector,
    struct slice domain, struct slice *name_r, struct err *e)
{
	struct slice name;

	name = arena_printf(arena, "%.*s._domainkey.%.*s", SLICE_FMT(selector),
	    SLICE_FMT(domain));
	return idna_ascii(arena, name, name_r, e);
}

int
dkim_record_lookup(struct dns *dns, struct arena *arena, struct slice selector,
    struct slice domain, struct dkim_record *record_r, bool *secure_r,
    struct err *e)
{
	struct dkim_record record;
	struct dns_answer answer;
	struct slice name;
	size_t found = 0;

	*secure_r = false;
	*record_r = (struct dkim_record){ .type = DKIM_RSA };
	if (dkim_record_name(arena, selector, domain, &name, e) < 0 ||
	    dns_query(dns, arena, name, DNS_TXT, &answer, e) < 0)
		return -1;
	*secure_r = answer.secure;
	for (size_t i = 0; i < answer.n; i++) {
		int rc = dkim_record_parse(arena, answer.v[i].text, &record, e);

		if (rc < 0)
			return -1;
		if (rc == 1 && found++ == 0)
			*record_r = record;
	}
	if (found > 1)
		return err_set(e, ERR_PERM, "dkim: several records at %.*s",
		    SLICE_FMT(name));
	if (found == 0)
		err_set(e, ERR_PERM, "dkim: no record at %.*s",
		    SLICE_FMT(name));
	return found == 1;
}
