/* login_front - the front's side: hands on what the client says. */
#include "host/login.h"

static struct slice
bytes(const unsigned char *p, size_t n)
{
	return slice_of((const char *)p, n);
}

int
login_front_hello(struct login_front *f, struct err *e)
{
	const struct tls_facts *facts = conn_tls_facts(f->conn);
	struct slice v = SLICE_NULL;
	struct split_msg reply;

	if (f->client->again && login_facts(f->client, &f->facts))
		facts = &f->facts;
	f->channel = (struct sasl_channel){ .tls = facts,
		.tls_required = host_tls_required(f->client->listener) };
	if (facts) {
		v = SPLIT_OF(*facts);
		f->channel.tls_exporter =
		    bytes(facts->exporter, facts->exporter_n);
		f->channel.tls_unique = bytes(facts->unique, facts->unique_n);
		f->channel.tls_server_end_point =
		    bytes(facts->end_point, facts->end_point_n);
	}
	if (split_call(f->split, LOGIN_HELLO, &v, 1, LOGIN_REQUEST_MS, &reply,
		e) < 0)
		return -1;
	if (reply.n != 1 || !SPLIT_GET(reply.v[0], &f->hello))
		return err_set(e, ERR_SYNTAX, "bad reply of the back");
	return 0;
}

int
login_front_call(struct login_front *f, enum login_request type,
    const struct slice *v, size_t n, struct login_reply *reply_r,
    struct slice *text_r, struct err *e)
{
	struct split_msg reply;

	if (split_call(f->split, type, v, n, LOGIN_REQUEST_MS, &reply, e) < 0)
		return -1;
	if (reply.n != 2 || !SPLIT_GET(reply.v[0], reply_r))
		return err_set(e, ERR_SYNTAX, "bad reply of the back");
	*text_r = reply.v[1];
	return 0;
}

int
login_front_exchange(struct login_front *f, const struct sasl_mech *mech,
    const struct slice *initial,
    int (*ask)(void *ctx, struct slice challenge, struct buf *message),
    void *ctx, struct login_reply *reply_r, struct slice *text_r, struct err *e)
{
	struct buf message = BUF_INIT(SASL_MESSAGE_MAX);
	struct slice v[2] = { slice_str(sasl_mech_name(mech)) };
	int rc, got;

	if (initial)
		v[1] = *initial;
	rc = login_front_call(f, LOGIN_AUTH, v, initial ? 2 : 1, reply_r,
	    text_r, e);
	while (rc == 0 && reply_r->status == SASL_CONTINUE) {
		buf_reset(&message);
		got = ask(ctx, *text_r, &message);
		if (got < 0) {
			rc = 1;
			break;
		}
		v[0] = buf_slice(&message);
		if (message.over)
			got = 0;
		rc = login_front_call(f, got ? LOGIN_STEP : LOGIN_ABORT, v,
		    got ? 1 : 0, reply_r, text_r, e);
	}
	buf_wipe(&message);
	return rc;
}
