/* rcpttls - what the servers of a recipient's domain offered. */
#include "host/rcpttls.h"

#include <limits.h>
#include <string.h>

#include "db/escape.h"
#include "db/table.h"

#define DAY_US (86400 * INT64_C(1000000))

static int
open_table(int fd, struct slice account, struct db_table **t_r, struct err *e)
{
	struct buf b = BUF_INIT(NAME_MAX);
	char name[NAME_MAX + 1];
	int rc;

	db_escape(&b, account);
	rc = b.over || !slice_cstr(buf_slice(&b), name, sizeof(name))
	    ? err_set(e, ERR_LIMIT, "rcpttls: name of account too long")
	    : db_table_open(t_r, fd, name, 0600, e);
	buf_free(&b);
	return rc;
}

static void
parse(struct slice text, struct rcpttls *tls)
{
	struct slice word;

	*tls = (struct rcpttls){ 0 };
	if (slice_next(&text, ' ', &word))
		clock_rfc3339_parse(word, &tls->us);
	while (slice_next(&text, ' ', &word)) {
		tls->starttls = tls->starttls || slice_is(word, "starttls");
		tls->requiretls =
		    tls->requiretls || slice_is(word, "requiretls");
	}
}

static int
get(struct db_table *t, struct slice domain, struct rcpttls *tls_r,
    struct err *e)
{
	struct slice value;
	int rc = db_table_get(t, domain, &value, e);

	if (rc > 0)
		parse(value, tls_r);
	return rc;
}

static int
put(struct db_table *t, struct slice domain, int64_t now_us,
    const struct rcpttls *tls, struct err *e)
{
	struct buf value = BUF_INIT(100);
	char time[CLOCK_TEXT];
	int rc = db_table_begin(t, e);

	if (rc == 0) {
		clock_rfc3339(now_us, time);
		buf_addf(&value, "%s%s%s", time,
		    tls->starttls ? " starttls" : "",
		    tls->requiretls ? " requiretls" : "");
		db_table_put(t, domain, buf_slice(&value));
		rc = db_table_commit(t, e);
	}
	buf_free(&value);
	return rc < 0 ? -1 : db_table_tidy(t, e);
}

int
rcpttls_note(int rcpttls_fd, const struct clock *clock, struct slice account,
    struct slice domain, const struct rcpttls *tls, struct err *e)
{
	int64_t now = clock_us(clock);
	struct db_table *t = NULL;
	struct rcpttls old;
	int rc = open_table(rcpttls_fd, account, &t, e);

	if (rc < 0)
		return -1;
	rc = get(t, domain, &old, e);
	if (rc == 0 ||
	    (rc > 0 &&
		(old.starttls != tls->starttls ||
		    old.requiretls != tls->requiretls || now < old.us ||
		    now - old.us > DAY_US)))
		rc = put(t, domain, now, tls, e);
	db_table_close(&t);
	return rc < 0 ? -1 : 0;
}

int
rcpttls_read(int rcpttls_fd, struct slice account, struct slice domain,
    struct rcpttls *tls_r, struct err *e)
{
	struct db_table *t = NULL;
	int rc = open_table(rcpttls_fd, account, &t, e);

	if (rc < 0)
		return -1;
	rc = get(t, domain, tls_r, e);
	db_table_close(&t);
	return rc;
}
