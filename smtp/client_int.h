/*
 * client_int - what the files of the SMTP client share.
 */
#ifndef SMTP_CLIENT_INT_H
#define SMTP_CLIENT_INT_H

#include "base/log.h"
#include "net/conn.h"
#include "smtp/answer.h"
#include "smtp/client.h"

#define CLIENT_TOPIC "smtpclient"
#define CLIENT_STEP_MS 30000
#define CLIENT_TLS_MS 60000  /* a handshake, as the server's */
#define CLIENT_END_MS 600000 /* RFC 5321, 4.5.3.2.6: 10 minutes */
#define CLIENT_QUIT_MS 3000
#define CLIENT_AUTH_LINE 12288 /* RFC 4954, 4.3 */
#define CLIENT_WHY_MAX 400     /* of the server's text in `why` */

struct smtp_client {
	struct smtp_client_opts opts;
	int fd;
	struct conn *conn;
	struct smtp_offers offers;
	struct buf auth; /* offers.auth */
	char greeting[256];
	bool had_starttls;
	enum tls_failure tls_failure;
	bool open;     /* as the policy wants it: messages may go */
	bool dead;     /* nothing more can be said */
	bool begun;    /* a transaction is to be reset */
	uint32_t sent; /* transactions: RFC 9422, MAILMAX */
	struct smtp_answer_parse parse;
};

/* ---- results ---- */

/* Fill r, with a sentence for people; answer may be NULL. Returns -1. */
int client_fail(struct smtp_result *r, enum smtp_outcome outcome,
    enum smtp_step step, struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* The server's refusal: TEMP, PERM, or PROTOCOL for any other code. */
int client_refused(struct smtp_result *r, enum smtp_step step,
    const struct smtp_answer *answer, struct arena *arena);

/* ---- talking ---- */

/* Bytes of a command or text hold nothing that ends a line. */
bool client_is_clean(struct slice s);
/* Add a command, without its line end; nothing is sent yet. */
void client_command(struct smtp_client *c, enum log_level level,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/*
 * Send what waits and read the next answer, for at most ms. 0, or -1 with the
 * connection dead and *r LOST (lost: UNKNOWN, if it is that) or PROTOCOL.
 */
int client_answer(struct smtp_client *c, enum smtp_step step, int ms,
    struct arena *arena, struct smtp_answer *answer_r, struct smtp_result *r);
/* Both for one command that must be answered with a code of 200 to 299. */
int client_ask(struct smtp_client *c, enum smtp_step step, struct arena *arena,
    struct smtp_result *r, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- the message ---- */

/*
 * Write it to the connection: with dots and the final one, or, for BDAT, as it
 * is; binary: without any change. Not flushed. 0; -1 with e: it cannot be read,
 * or is not what facts say. A failure to write shows at the flush.
 */
int client_write_source(struct smtp_client *c, const struct smtp_source *source,
    const struct smtp_source_facts *facts, bool dots, bool binary,
    struct err *e);

#endif
