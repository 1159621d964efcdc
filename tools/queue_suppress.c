/* queue_suppress - addresses that nothing more is sent to. */
#include <stdio.h>

#include "base/proc.h"
#include "config/lookup.h"
#include "message/smtpaddr.h"
#include "tools/command.h"
#include "tools/queue_tool.h"

/* An entry, and whose. */
struct found {
	struct slice account;
	struct suppress_entry entry;
};

static int
fail(struct queue_tool *t, const struct err *e)
{
	queue_tool_complain(t, e);
	return e->kind == ERR_TEMP ? EXIT_LATER : EXIT_FAILED;
}

/* ---- looking ---- */

/* The accounts that are meant. */
static int
accounts(struct queue_tool *t, struct suppress *s, const char *account,
    struct slice **names_r, size_t *n_r, struct err *e)
{
	if (!account || !*account)
		return suppress_accounts(s, t->arena, names_r, n_r, e);
	*names_r = arena_alloc(t->arena, sizeof(**names_r));
	**names_r = slice_str(account);
	*n_r = 1;
	return 0;
}

static void
put_json(struct json_out *j, const struct found *f)
{
	json_put_object(j, NULL);
	json_put_str(j, "Account", f->account);
	json_put_str(j, "BaseAddress", f->entry.base);
	json_put_str(j, "OriginalAddress", f->entry.address);
	json_put_bool(j, "Manual", f->entry.manual);
	json_put_str(j, "Reason", f->entry.reason);
	if (f->entry.created_us)
		json_put_time(j, "Created", f->entry.created_us);
	else
		json_put_null(j, "Created");
	json_put_end(j);
}

static const char *
created(const struct found *f, char text[CLOCK_TEXT])
{
	if (!f->entry.created_us)
		return "-";
	clock_rfc3339(f->entry.created_us, text);
	return text;
}

/* Tabs tell the columns apart: there are none in any. */
static void
put_line(struct buf *out, const struct found *f)
{
	char text[CLOCK_TEXT];

	buf_addf(out, "%.*s\t%.*s\t%s\t%s\t%.*s\t%.*s\n", SLICE_FMT(f->account),
	    SLICE_FMT(f->entry.address), f->entry.manual ? "yes" : "no",
	    created(f, text), SLICE_FMT(f->entry.base),
	    SLICE_FMT(f->entry.reason));
}

int
queue_suppress_list(struct queue_tool *t, const char *account, bool json)
{
	struct suppress *s = suppress_new(&t->q);
	struct buf out = BUF_INIT(SIZE_MAX);
	struct json_out j = JSON_OUT(&out, true);
	struct suppress_entry *v;
	struct err e = ERR_INIT;
	struct slice *names;
	size_t n = 0, k, all = 0;
	int rc = accounts(t, s, account, &names, &n, &e);

	if (json)
		json_put_array(&j, NULL);
	else
		buf_addz(&out,
		    "account\taddress\tmanual\tcreated\tbase address\t"
		    "reason\n");
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = suppress_list(s, names[i], t->arena, &v, &k, &e);
		for (size_t m = 0; rc == 0 && m < k; m++, all++) {
			const struct found f = { names[i], v[m] };
			if (json)
				put_json(&j, &f);
			else
				put_line(&out, &f);
		}
	}
	if (json)
		json_put_end(&j);
	else if (all == 0)
		buf_addz(&out, "(none)\n");
	suppress_free(&s);
	return rc < 0 ? fail(t, &e) : command_end(EXIT_DONE, &out);
}

static void
put_found(struct buf *out, const struct found *f)
{
	char text[CLOCK_TEXT];

	buf_addf(out,
	    "present\naccount: %.*s\nadded: %s\nmanual: %s\n"
	    "base address: %.*s\nreason: %.*s\n",
	    SLICE_FMT(f->account), created(f, text),
	    f->entry.manual ? "yes" : "no", SLICE_FMT(f->entry.base),
	    SLICE_FMT(f->entry.reason));
}

int
queue_suppress_lookup(struct queue_tool *t, const char *account,
    const char *address, bool json)
{
	struct suppress *s = suppress_new(&t->q);
	struct buf out = BUF_INIT(SIZE_MAX);
	struct json_out j = JSON_OUT(&out, true);
	struct found f;
	struct err e = ERR_INIT;
	struct slice *names;
	size_t n = 0, all = 0;
	int rc = accounts(t, s, account, &names, &n, &e);

	if (json)
		json_put_array(&j, NULL);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		f.account = names[i];
		rc = suppress_find(s, names[i], slice_str(address), t->arena,
		    &f.entry, &e);
		if (rc <= 0)
			continue;
		all++;
		if (json)
			put_json(&j, &f);
		else
			put_found(&out, &f);
	}
	if (json)
		json_put_end(&j);
	else if (all == 0)
		buf_addz(&out, "not present\n");
	suppress_free(&s);
	if (rc < 0)
		return fail(t, &e);
	rc = command_end(EXIT_DONE, &out);
	return rc == EXIT_DONE && all == 0 ? EXIT_FAILED : rc;
}

/* ---- changing ---- */

/* A slip of the pen would make a list that nobody looks at. Where there is no
 * domains.cdb yet, whatever is said is right. */
static int
check_account(struct queue_tool *t, const char *account, struct err *e)
{
	const struct conf_account *settings;
	struct lookup *lookup;
	int rc = 1;

	if (lookup_open(t->config, &lookup, NULL) == 0) {
		rc = lookup_account(lookup, t->arena, slice_str(account),
		    &settings, e);
		lookup_close(&lookup);
	}
	return rc != 0 ? rc
		       : err_set(e, ERR_PERM, "no account \"%s\"", account);
}

static int
check_address(struct queue_tool *t, const char *address, struct err *e)
{
	struct smtpaddr a;

	return smtpaddr_mailbox(t->arena, slice_str(address),
		   SMTPADDR_UTF8 | SMTPADDR_LONG, &a, NULL) < 0
	    ? err_set(e, ERR_SYNTAX, "\"%s\" is no address", address)
	    : 0;
}

int
queue_suppress_add(struct queue_tool *t, const char *account,
    const char *address)
{
	struct suppress *s = suppress_new(&t->q);
	struct err e = ERR_INIT;
	int rc = check_address(t, address, &e);

	if (rc == 0)
		rc = check_account(t, account, &e);
	if (rc > 0)
		rc = suppress_add(s, slice_str(account), slice_str(address),
		    true, SLICE_NULL, &e);
	if (rc == 0)
		fprintf(stderr, "mox-queue: %s is on the list already\n",
		    address);
	suppress_free(&s);
	return rc < 0 ? fail(t, &e) : EXIT_DONE;
}

int
queue_suppress_remove(struct queue_tool *t, const char *account,
    const char *address)
{
	struct suppress *s = suppress_new(&t->q);
	struct err e = ERR_INIT;
	int rc = suppress_remove(s, slice_str(account), slice_str(address), &e);

	if (rc == 0)
		rc = err_set(&e, ERR_PERM, "%s is not on the list of %s",
		    address, account);
	suppress_free(&s);
	return rc < 0 ? fail(t, &e) : EXIT_DONE;
}
