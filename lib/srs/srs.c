/* srs - senders of forwarded mail. */
#include "srs/srs.h"

#include "base/scan.h"
#include "base/sha.h"
#include "db/secret.h"

#define HASH 8 /* characters */
#define DAY 2
#define DAYS 1024 /* then days begin anew */
#define DAY_S 86400

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

int
srs_load(int dirfd, const char *name, struct rand *rand, struct srs *srs_r,
    struct err *e)
{
	return db_secret(dirfd, name, rand, srs_r->key, sizeof(srs_r->key), e);
}

/* ---- parts ---- */

static void
add_lower(struct buf *out, struct slice s)
{
	char *p = buf_space(out, s.n);

	for (size_t i = 0; p != NULL && i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32)
						      : s.p[i];
	out->n += p != NULL ? s.n : 0;
}

/* Case is often lost on the way. "1" and "0": one is never taken for the
 * other. */
static void
hash_of(const struct srs *srs, char kind, struct slice text, struct slice by,
    char hash[HASH])
{
	struct buf b = BUF_INIT(SIZE_MAX);
	unsigned char mac[SHA_MAX];
	uint64_t bits = 0;

	buf_addc(&b, kind);
	add_lower(&b, text);
	buf_addc(&b, '@');
	add_lower(&b, by);
	sha_hmac(SHA_256, slice_of((const char *)srs->key, sizeof(srs->key)),
	    buf_slice(&b), mac);
	buf_free(&b);
	for (int i = 0; i < HASH * 5 / 8; i++)
		bits = bits << 8 | mac[i];
	for (int i = HASH; i-- > 0; bits >>= 5)
		hash[i] = base32[bits & 31];
}

static bool
hash_is(const struct srs *srs, char kind, struct slice hash, struct slice text,
    struct slice by)
{
	char want[HASH], have[HASH];

	if (hash.n != HASH)
		return false;
	hash_of(srs, kind, text, by, want);
	for (int i = 0; i < HASH; i++)
		have[i] = hash.p[i] >= 'a' && hash.p[i] <= 'z'
		    ? (char)(hash.p[i] - 32)
		    : hash.p[i];
	return slice_eq_secret(slice_of(have, HASH), slice_of(want, HASH));
}

static unsigned
day_of(int64_t now_s)
{
	return (unsigned)(now_s / DAY_S % DAYS);
}

/* Of text that has the right hash: so it was written by day_of. */
static unsigned
read_day(struct slice text)
{
	unsigned day = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		day = day * 32 +
		    (unsigned)(c >= 'a' ? c - 'a'
			    : c >= 'A'  ? c - 'A'
					: c - '2' + 26);
	}
	return day % DAYS;
}

/* "SRS0=", with any of its three separators. */
static bool
take_tag(struct slice *local, char kind)
{
	const struct slice s = *local;

	if (s.n < 5 || !slice_startsi(s, SLICE("SRS")) || s.p[3] != kind ||
	    (s.p[4] != '=' && s.p[4] != '+' && s.p[4] != '-'))
		return false;
	*local = slice_skip(s, 5);
	return true;
}

/* ---- forward ---- */

/* What the hash is of: "DAY=domain=local"; of an SRS0 address of others
 * "domain=" and what follows its tag, separator first; an SRS1 address keeps
 * its own. */
static char
rewritten(struct slice local, struct slice domain, int64_t now_s,
    struct buf *text)
{
	struct slice rest = local, hash, old;
	unsigned day = day_of(now_s);

	if (take_tag(&rest, '1') && slice_cut(rest, '=', &hash, &old) &&
	    slice_chr(old, '=') > 0) {
		buf_add(text, old);
		return '1';
	}
	if (take_tag(&rest, '0')) {
		buf_add(text, domain);
		buf_addc(text, '=');
		buf_add(text, slice_skip(local, 4));
		return '1';
	}
	buf_addc(text, base32[day / 32]);
	buf_addc(text, base32[day % 32]);
	buf_addc(text, '=');
	buf_add(text, domain);
	buf_addc(text, '=');
	buf_add(text, local);
	return '0';
}

int
srs_forward(const struct srs *srs, struct slice local, struct slice domain,
    struct slice by, int64_t now_s, struct buf *out, struct err *e)
{
	struct buf text = BUF_INIT(SRS_ADDRESS_MAX);
	char hash[HASH], kind;
	int rc = 0;

	if (domain.n == 0 || slice_chr(domain, '=') >= 0)
		return err_set(e, ERR_SYNTAX, "srs: no domain");
	kind = rewritten(local, domain, now_s, &text);
	if (text.over ||
	    sizeof("SRS0==@") - 1 + HASH + text.n + by.n > SRS_ADDRESS_MAX)
		rc = err_set(e, ERR_LIMIT, "srs: address would be too long");
	else {
		hash_of(srs, kind, buf_slice(&text), by, hash);
		buf_addf(out, "SRS%c=%.*s=", kind, HASH, hash);
		buf_add(out, buf_slice(&text));
	}
	buf_free(&text);
	return rc;
}

/* ---- reverse ---- */

static enum srs_status
reverse_0(struct slice text, int64_t now_s, struct slice *local_r,
    struct slice *domain_r)
{
	struct slice day, rest;
	unsigned age;

	slice_cut(text, '=', &day, &rest);
	slice_cut(rest, '=', domain_r, local_r);
	age = (day_of(now_s) + DAYS - read_day(day)) % DAYS;
	/* A day ahead: clocks of several hosts. */
	return age <= SRS_DAYS || age == DAYS - 1 ? SRS_OK : SRS_OLD;
}

/* Their own hash and age are for the first host to judge. */
static enum srs_status
reverse_1(struct slice text, struct buf *buf, struct slice *local_r,
    struct slice *domain_r)
{
	size_t before = buf->n;
	struct slice rest;

	slice_cut(text, '=', domain_r, &rest);
	buf_addz(buf, "SRS0");
	buf_add(buf, rest);
	*local_r = slice_skip(buf_slice(buf), before);
	return SRS_OK;
}

enum srs_status
srs_reverse(const struct srs *srs, struct slice local, struct slice by,
    int64_t now_s, struct buf *buf, struct slice *local_r,
    struct slice *domain_r)
{
	struct slice rest = local, hash, text;
	char kind = '0';

	if (!take_tag(&rest, '0')) {
		if (!take_tag(&rest, '1'))
			return SRS_NONE;
		kind = '1';
	}
	slice_cut(rest, '=', &hash, &text);
	if (!hash_is(srs, kind, hash, text, by))
		return SRS_FORGED;
	return kind == '0' ? reverse_0(text, now_s, local_r, domain_r)
			   : reverse_1(text, buf, local_r, domain_r);
}
