/* dmarc_eval - evaluations as lines, and lines into files by day and domain. */
#include "dmarc/dmarc_eval.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "db/escape.h"

#define FOLDER "dmarcresults"
#define DAY_S 86400
#define DAY_TEXT 9 /* 20261130 and a NUL */

/* ---- a line ---- */

static void
put(struct buf *out, const char *name, struct slice value)
{
	if (value.n == 0)
		return;
	buf_addf(out, " %s=", name);
	db_escape(out, value);
}

static void
put_dkim(struct buf *out, const struct dmarc_eval_dkim *r)
{
	struct buf text = BUF_INIT(1024);

	/* Neither has a colon (RFC 6376, 3.5). */
	buf_addf(&text, "%s:%.*s:%.*s", dkim_status_name(r->status),
	    SLICE_FMT(r->domain), SLICE_FMT(r->selector));
	put(out, "dkim", buf_slice(&text));
	buf_free(&text);
}

bool
dmarc_eval_write(struct buf *out, const struct dmarc_eval *ev)
{
	struct buf line = BUF_INIT(DMARC_EVAL_LINE);
	char ip[IP_TEXT];
	bool fits;

	buf_addf(&line, "t=%lld", (long long)ev->time);
	put(&line, "ip", slice_str(ip_text(&ev->ip, ip)));
	put(&line, "disposition", slice_str(ev->rejected ? "reject" : "none"));
	put(&line, "override", ev->override);
	put(&line, "aligned.dkim", slice_str(ev->dkim_aligned ? "yes" : "no"));
	put(&line, "aligned.spf", slice_str(ev->spf_aligned ? "yes" : "no"));
	if (ev->optional)
		buf_addz(&line, " optional=yes");
	put(&line, "from", ev->from);
	put(&line, "mailfrom", ev->mail_from);
	put(&line, "rcpt", ev->rcpt);
	put(&line, "spf", slice_str(spf_status_name(ev->spf)));
	put(&line, ev->spf_helo ? "spf.helo" : "spf.mfrom", ev->spf_domain);
	for (size_t i = 0; i < ev->ndkim; i++)
		put_dkim(&line, &ev->dkim[i]);
	put(&line, "record", ev->record);
	buf_addc(&line, '\n');
	fits = !line.over;
	if (fits)
		buf_add(out, buf_slice(&line));
	buf_free(&line);
	return fits && !out->over;
}

/* ---- and back ---- */

static enum spf_status
spf_status_of(struct slice name)
{
	int s = SPF_PERMERROR;

	while (s > SPF_NONE && !slice_is(name, spf_status_name(s)))
		s--;
	return (enum spf_status)s;
}

static enum dkim_status
dkim_status_of(struct slice name)
{
	int s = DKIM_PERMERROR;

	while (s > DKIM_NONE && !slice_is(name, dkim_status_name(s)))
		s--;
	return (enum dkim_status)s;
}

static void
take_dkim(struct dmarc_eval *ev, struct slice value)
{
	struct dmarc_eval_dkim *r = &ev->dkim[ev->ndkim];
	struct slice status, rest;

	if (ev->ndkim == DMARC_EVAL_DKIM ||
	    !slice_cut(value, ':', &status, &rest))
		return;
	r->status = dkim_status_of(status);
	slice_cut(rest, ':', &r->domain, &r->selector);
	ev->ndkim++;
}

static void
take(struct dmarc_eval *ev, struct slice name, struct slice value)
{
	const struct {
		const char *name;
		struct slice *text;
	} texts[] = {
		{ "override", &ev->override },
		{ "from", &ev->from },
		{ "mailfrom", &ev->mail_from },
		{ "rcpt", &ev->rcpt },
		{ "spf.helo", &ev->spf_domain },
		{ "spf.mfrom", &ev->spf_domain },
		{ "record", &ev->record },
	};
	bool yes = slice_is(value, "yes");

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (slice_is(name, texts[i].name))
			*texts[i].text = value;
	if (slice_is(name, "t"))
		slice_i64(value, &ev->time);
	else if (slice_is(name, "ip"))
		ip_parse(value, &ev->ip);
	else if (slice_is(name, "disposition"))
		ev->rejected = slice_is(value, "reject");
	else if (slice_is(name, "aligned.dkim"))
		ev->dkim_aligned = yes;
	else if (slice_is(name, "aligned.spf"))
		ev->spf_aligned = yes;
	else if (slice_is(name, "optional"))
		ev->optional = yes;
	else if (slice_is(name, "spf"))
		ev->spf = spf_status_of(value);
	else if (slice_is(name, "spf.helo"))
		ev->spf_helo = true;
	else if (slice_is(name, "dkim"))
		take_dkim(ev, value);
}

bool
dmarc_eval_parse(struct slice line, struct arena *arena,
    struct dmarc_eval *ev_r)
{
	struct slice field, name, escaped;

	*ev_r = (struct dmarc_eval){ .time = -1 };
	if (line.n > DMARC_EVAL_LINE)
		return false;
	while (slice_next(&line, ' ', &field)) {
		struct buf value = BUF_INIT(DMARC_EVAL_LINE);
		if (slice_cut(field, '=', &name, &escaped) &&
		    db_unescape(&value, escaped))
			take(ev_r, name, arena_dup(arena, buf_slice(&value)));
		buf_free(&value);
	}
	return ev_r->time >= 0 && ev_r->from.n > 0 && ev_r->record.n > 0;
}

/* ---- files ---- */

static void
day_text(int64_t time_s, char day[DAY_TEXT])
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(day, DAY_TEXT, "%Y%m%d", &tm) == 0)
		snprintf(day, DAY_TEXT, "0");
}

/* Reports on days before are not sent any more . */
static void
remove_old(int results, int64_t now_s)
{
	struct arena *arena = arena_new(0);
	char first[DAY_TEXT];
	struct slice *days;
	size_t n = 0;

	day_text(now_s - (int64_t)(DMARC_EVAL_DAYS - 1) * DAY_S, first);
	file_list(results, ".", arena, &days, &n, NULL);
	for (size_t i = 0; i < n; i++)
		if (days[i].n == DAY_TEXT - 1 &&
		    slice_cmp(days[i], slice_str(first)) < 0)
			file_remove_tree(results, arena_cstr(arena, days[i]),
			    NULL);
	arena_free(&arena);
}

/* The folder of the day, which is made. */
static int
open_day(int data_fd, int64_t time_s, struct err *e)
{
	int results =
	    openat(data_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char day[DAY_TEXT];
	int fd = -1;

	if (results < 0)
		return err_sys(e, FOLDER);
	day_text(time_s, day);
	if (mkdirat(results, day, 0700) == 0)
		remove_old(results, time_s);
	else if (errno != EEXIST)
		err_sys(e, FOLDER "/%s", day);
	fd = openat(results, day, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err_sys(e, FOLDER "/%s", day);
	close(results);
	return fd;
}

/* A line that a power cut left without its end is ended. */
static int
append(int fd, struct slice line, struct err *e)
{
	struct buf text = BUF_INIT(DMARC_EVAL_LINE + 1);
	struct stat st;
	char last = '\n';
	int rc;

	if (fstat(fd, &st) < 0)
		return err_sys(e, FOLDER);
	if ((uint64_t)st.st_size + line.n > DMARC_EVAL_FILE)
		return 0;
	if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
		return err_sys(e, FOLDER);
	if (last != '\n')
		buf_addc(&text, '\n');
	buf_add(&text, line);
	rc = file_write(fd, buf_slice(&text), e);
	buf_free(&text);
	return rc < 0 ? -1 : 1;
}

static int
append_to(int day, struct slice domain, bool make, struct slice line,
    struct err *e)
{
	struct buf name = BUF_INIT(NAME_MAX);
	int fd, rc;

	db_escape(&name, domain);
	if (name.over) {
		buf_free(&name);
		return err_set(e, ERR_LIMIT, FOLDER ": domain is too long");
	}
	fd = openat(day, buf_cstr(&name),
	    O_RDWR | O_APPEND | O_CLOEXEC | (make ? O_CREAT : 0), 0600);
	if (fd < 0 && errno == ENOENT && !make)
		rc = 0;
	else if (fd < 0)
		rc = err_sys(e, FOLDER "/%s", buf_cstr(&name));
	else
		rc = append(fd, line, e);
	if (fd >= 0)
		close(fd);
	buf_free(&name);
	return rc;
}

int
dmarc_eval_add(int data_fd, struct slice domain, const struct dmarc_eval *ev,
    struct err *e)
{
	struct buf line = BUF_INIT(DMARC_EVAL_LINE);
	int day, rc = 0;

	if (dmarc_eval_write(&line, ev)) {
		day = open_day(data_fd, ev->time, e);
		rc = day < 0 ? -1
			     : append_to(day, domain, !ev->optional,
				   buf_slice(&line), e);
		if (day >= 0)
			close(day);
	}
	buf_free(&line);
	return rc;
}
