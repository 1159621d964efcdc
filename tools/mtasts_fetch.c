/* mtasts_fetch - the child that fetches, and who waits for it. */
#include "tools/mtasts_fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "host/host_dns.h"
#include "service/sandbox.h"

#define GRACE_MS 3000 /* a child that is late itself says so */
#define REAP_MS 5     /* between looks whether it has ended */
#define WHY_MAX 1000  /* bytes of a reason */

/* ---- once ---- */

static int
set_port(struct mtasts_web *web, struct err *e)
{
	const char *text = getenv("MOX_MTASTS_PORT");
	uint32_t port = 443;

	if (text != NULL &&
	    (!slice_u32(slice_str(text), &port) || port == 0 ||
		port > UINT16_MAX))
		return err_set(e, ERR_SYNTAX,
		    "MOX_MTASTS_PORT is no port: \"%s\"", text);
	web->port = (uint16_t)port;
	return 0;
}

int
mtasts_web_open(struct mtasts_web *web, const struct config *config,
    int64_t timeout_ms, struct arena *arena, struct err *e)
{
	struct sandbox *jail;

	*web =
	    (struct mtasts_web){ .config = config, .timeout_ms = timeout_ms };
	host_dns_conf(config, arena, &web->dns);
	if (set_port(web, e) < 0)
		return -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return err_set(e, ERR_PERM, "libcurl does not start");
	/* Each child makes its own jail; here only to see that it can. */
	jail = sandbox_new(SANDBOX_CLIENT, NULL, 0, e);
	if (jail == NULL)
		return -1;
	sandbox_free(&jail);
	web->tls = host_tls_client(config, e);
	return web->tls == NULL ? -1 : 0;
}

int
mtasts_web_refresh(struct mtasts_web *web, struct err *e)
{
	struct tls_client *fresh;

	if (!tls_client_stale(web->tls))
		return 0;
	fresh = host_tls_client(web->config, e);
	if (fresh == NULL)
		return -1;
	tls_client_free(&web->tls);
	web->tls = fresh;
	return 0;
}

void
mtasts_web_close(struct mtasts_web *web)
{
	tls_client_free(&web->tls);
	curl_global_cleanup();
}

/* ---- what the child says: the head, then its texts ---- */

struct head {
	uint32_t record;                  /* enum mtasts_record */
	uint32_t id, type, failure, text; /* bytes of each */
};

#define MESSAGE_MAX \
	(sizeof(struct head) + 64 + 64 + WHY_MAX + MTASTS_POLICY_MAX)

static void
put(struct buf *b, const struct mtasts_got *got)
{
	const struct mtasts_fetched *f = &got->fetched;
	const struct slice failure = slice_head(f->failure, WHY_MAX);
	const struct head head = { got->record, (uint32_t)got->id.n,
		(uint32_t)f->failure_type.n, (uint32_t)failure.n,
		(uint32_t)f->text.n };

	buf_add(b, slice_of((const char *)&head, sizeof(head)));
	buf_add(b, got->id);
	buf_add(b, f->failure_type);
	buf_add(b, failure);
	buf_add(b, f->text);
}

static bool
take(struct slice *rest, uint32_t n, struct slice *s_r)
{
	*s_r = slice_head(*rest, n);
	*rest = slice_skip(*rest, n);
	return s_r->n == n;
}

/* False: it says nothing that makes sense. */
static bool
parse(struct slice message, struct mtasts_got *got)
{
	struct mtasts_fetched *f = &got->fetched;
	struct head head;
	struct slice part;

	if (!take(&message, sizeof(head), &part))
		return false;
	memcpy(&head, part.p, sizeof(head));
	got->record = (enum mtasts_record)head.record;
	return head.record <= MTASTS_RECORD_TEMP &&
	    take(&message, head.id, &got->id) &&
	    take(&message, head.type, &f->failure_type) &&
	    take(&message, head.failure, &f->failure) &&
	    take(&message, head.text, &f->text) && message.n == 0;
}

/* ---- the child ---- */

static struct mtasts_fetched
not_fetched(struct slice why)
{
	return (struct mtasts_fetched){
		.failure_type = SLICE("sts-policy-fetch-error"), .failure = why
	};
}

static void
fetch(const struct mtasts_web *web, struct dns *dns, struct slice domain,
    struct arena *arena, struct mtasts_fetched *f)
{
	struct slice host =
	    arena_printf(arena, "mta-sts.%.*s", SLICE_FMT(domain));
	struct dns_answer addresses;
	struct err e = ERR_INIT;
	int rc = dns_addresses(dns, arena, host, &addresses, &e);
	int64_t ms = dns->until_ms - clock_mono_ms(NULL);

	if (rc < 0)
		*f = not_fetched(arena_printf(arena, "%.*s: %s",
		    SLICE_FMT(host), e.text));
	else if (rc == 0)
		*f = not_fetched(arena_printf(arena, "%.*s has no address",
		    SLICE_FMT(host)));
	else if (ms <= 0)
		*f = not_fetched(SLICE("DNS took too long"));
	else
		mtasts_http_get(web, domain, &addresses, ms, arena, f);
}

/* Nothing of the parent's but stderr and the pipe. */
static void
keep_only(int pipe_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (pipe_fd != 3)
		dup3(pipe_fd, 3, O_CLOEXEC);
	close_range(4, ~0U, 0);
}

/* The questions are put before the jail, so that what libunbound reads from
 * files is read; all that comes from outside is read inside. */
static _Noreturn void
child(const struct mtasts_web *web, struct slice domain, bool with_record,
    int pipe_fd)
{
	struct arena *arena = arena_new(0);
	struct buf out = BUF_INIT(MESSAGE_MAX);
	struct mtasts_got got = { .record = MTASTS_RECORD_NONE };
	struct slice text, why;
	struct sandbox *jail;
	struct err e = ERR_INIT;
	struct dns *dns;

	proc_signals_reset();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	keep_only(pipe_fd);
	dns = resolver_new(&web->dns, &e);
	if (dns == NULL)
		proc_die("mox-mtasts", &e);
	dns->until_ms = clock_mono_ms(NULL) + web->timeout_ms;
	if (with_record)
		mtasts_start(dns, arena, domain);
	dns_start_addresses(dns,
	    arena_printf(arena, "mta-sts.%.*s", SLICE_FMT(domain)));
	jail = sandbox_new(SANDBOX_CLIENT, NULL, 0, &e);
	if (jail == NULL || sandbox_enter(jail, &e) < 0)
		proc_die("mox-mtasts", &e);
	if (with_record)
		got.record = mtasts_record_lookup(dns, arena, domain, &text,
		    &got.id, &why);
	fetch(web, dns, domain, arena, &got.fetched);
	put(&out, &got);
	_exit(file_write(3, buf_slice(&out), NULL) < 0);
}

/* ---- who waits ---- */

int
mtasts_fetch_start(const struct mtasts_web *web, struct slice domain,
    bool with_record, struct mtasts_child *child_r, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	child_r->pid = fork();
	if (child_r->pid == 0)
		child(web, domain, with_record, ends[1]);
	close(ends[1]);
	child_r->fd = ends[0];
	child_r->end_ms = clock_mono_ms(NULL) + web->timeout_ms + GRACE_MS;
	if (child_r->pid > 0)
		return 0;
	close(ends[0]);
	return err_sys(e, "fork");
}

/* All it says, until it is done or too late. */
static void
read_all(const struct mtasts_child *c, struct buf *b)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };

	for (;;) {
		int64_t ms = c->end_ms - clock_mono_ms(NULL);
		size_t most = b->max - b->n;
		ssize_t n;

		if (ms <= 0 || most == 0)
			return;
		if (poll(&pfd, 1, (int)ms) <= 0)
			continue;
		n = read(c->fd, buf_space(b, most), most);
		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		b->n += n > 0 ? (size_t)n : 0;
	}
}

/* In a jail it cannot be killed, but ends with this process. */
static struct slice
how_it_ended(const struct mtasts_child *c, struct arena *arena)
{
	int status;

	while (waitpid(c->pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms(NULL) >= c->end_ms) {
			kill(c->pid, SIGKILL);
			return SLICE("no answer in time");
		}
		clock_sleep_ms(REAP_MS);
	}
	if (WIFSIGNALED(status))
		return arena_printf(arena, "fetching ended by signal %d",
		    WTERMSIG(status));
	return SLICE("fetching failed");
}

void
mtasts_fetch_wait(struct mtasts_child *c, struct arena *arena,
    struct mtasts_got *got_r)
{
	struct buf b = BUF_INIT(MESSAGE_MAX);
	struct slice why;

	read_all(c, &b);
	close(c->fd);
	c->fd = -1;
	why = how_it_ended(c, arena);
	*got_r = (struct mtasts_got){ .record = MTASTS_RECORD_TEMP };
	if (!parse(arena_dup(arena, buf_slice(&b)), got_r)) {
		*got_r = (struct mtasts_got){ .record = MTASTS_RECORD_TEMP };
		got_r->fetched = not_fetched(why);
	}
	buf_free(&b);
}
