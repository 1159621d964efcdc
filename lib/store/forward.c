/* forward - the file of addresses that an account's mail is passed on to. */
#include "store/forward.h"

#include "base/file.h"
#include "message/smtpaddr.h"
#include "store/store_int.h"

/* The address, written in its one form; .qmail files have "&" before it. */
static int
take_address(struct arena *arena, struct slice line, struct forward *f,
    struct err *e)
{
	struct buf text = BUF_INIT(2048);
	struct smtpaddr addr;
	struct slice one;

	if (smtpaddr_mailbox(arena, slice_skip(line, line.p[0] == '&'),
		SMTPADDR_UTF8 | SMTPADDR_LONG, &addr, e) < 0)
		return -1;
	smtpaddr_write(&text, &addr);
	one = arena_dup(arena, buf_slice(&text));
	buf_free(&text);
	for (size_t i = 0; i < f->n; i++)
		if (slice_eqi(f->to[i], one))
			return 0;
	if (f->n == FORWARD_MAX)
		return err_set(e, ERR_LIMIT, "more than %d addresses",
		    FORWARD_MAX);
	f->to[f->n++] = one;
	return 0;
}

int
forward_parse(struct arena *arena, struct slice text, struct forward *forward_r,
    struct err *e)
{
	struct forward f = { .keep = false,
		.to = arena_array(arena, FORWARD_MAX, sizeof(*f.to)) };
	unsigned number = 0;
	struct slice line;

	while (slice_line(&text, &line)) {
		number++;
		line = slice_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (slice_is(line, "keep"))
			f.keep = true;
		else if (take_address(arena, line, &f, e) < 0)
			return err_prefix(e, "forward, line %u", number);
	}
	f.keep = f.keep || f.n == 0;
	*forward_r = f;
	return 0;
}

int
forward_read(const struct store_env *env, struct slice account,
    struct arena *arena, struct forward *forward_r, struct err *e)
{
	struct buf text = BUF_INIT(FORWARD_BYTES);
	char path[PATH_MAX];
	int rc;

	*forward_r = (struct forward){ .keep = true };
	if (store_account_path("accounts/", account, "/forward", path, e) < 0)
		return -1;
	rc = file_read(env->data_fd, path, &text, e);
	if (rc > 0 && forward_parse(arena, buf_slice(&text), forward_r, e) < 0)
		rc = -1;
	buf_free(&text);
	return rc;
}
