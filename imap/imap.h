/*
 * imap - the session after login: its state, its commands, how they answer.
 *
 * A command gets its arguments as a struct imap_command and returns a result;
 * the session writes the tagged line, with pending changes of the mailbox
 * before it. Files: one cmd_*.c per command or close pair, commands.c has the
 * table, session.c the loop.
 */
#ifndef IMAP_IMAP_H
#define IMAP_IMAP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "imap/parse.h"
#include "imap/reader.h"
#include "message/record.h"
#include "store/mailbox.h"
#include "store/store.h"

/* What ENABLE and implicit enabling turn on; bits. */
enum {
	IMAP_REV2 = 1,      /* IMAP4rev2, RFC 9051 */
	IMAP_UTF8 = 2,      /* UTF8=ACCEPT, RFC 6855 */
	IMAP_CONDSTORE = 4, /* RFC 7162 */
	IMAP_QRESYNC = 8,   /* the same; CONDSTORE is on with it */
	IMAP_UIDONLY = 16,  /* RFC 9586: no message numbers */
	IMAP_METADATA = 32, /* RFC 5464, 4.4: changes are told */
	IMAP_ENABLED = 63,  /* all of them */
};

struct imap_notify;
struct search_context;
struct lookup;
struct service_client;

struct imap_session {
	struct imap_reader in;
	struct buf out;      /* answers, written when large or waiting */
	struct arena *arena; /* of the command, reset after it */
	struct store *store;
	const struct service_client *client;
	int park_ms;    /* parked when it has waited for so long; 0: never */
	int64_t end_ms; /* clock_mono_ms: inactive then; 0: not waiting */
	uint64_t bytes_in, bytes_out; /* before it was parked */
	struct slice user;            /* login address */
	struct slice
	    asks;   /* errand.h: the account that a URL is told to; p NULL:
			    * its own */
	bool renew; /* others' mailboxes came up: park.h */
	struct imap_boxes *boxes; /* what others share with it: box.h */
	/* Accounts and addresses as at the login; NULL in some tests. */
	struct lookup *lookup;
	/* Capabilities the account has disabled, IMAPCapabilitiesDisabled. */
	const struct slice *disabled;
	size_t ndisabled;
	unsigned enabled;
	struct slice tag; /* of the command that runs; p NULL: none does */

	struct mailbox *mb; /* selected, or NULL */
	bool readonly;      /* EXAMINE */
	unsigned rights;    /* ACL_* of it, as last looked at */
	struct arena *saved_arena;
	struct uidset saved; /* "$" of SEARCHRES (RFC 5182) */
	/* Where a partial FETCH of a body ended: most clients go on there. */
	struct imap_place {
		uint32_t uid; /* 0: none */
		struct msgrec_pos at;
	} place;
	/* The same for BINARY, decoded (fetch_body.c). */
	struct imap_decoded_place {
		uint32_t uid;    /* 0: none */
		uint64_t part;   /* offset of the part in the message */
		uint64_t size;   /* decoded bytes before */
		uint64_t passed; /* wire bytes of the part before */
		struct msgrec_pos at;
		struct body *body; /* freed with imap_decoded_forget() */
	} decoded;
	size_t keywords_told; /* keywords the client knows from FLAGS */
	struct imap_progress {
		bool on; /* an untagged line may be written now */
		struct slice tag;
		int64_t look_ms; /* next look at the client, monotonic */
		int64_t told_s;  /* wall time of the last line */
	} progress;
	struct search_context *contexts; /* of the selected mailbox */
	struct imap_notify *notify;      /* what is told of others; or NULL */
	bool own;              /* the command adds or removes messages itself */
	const uint32_t *added; /* UIDs of those, in the selected mailbox */
	size_t nadded;
	bool searches_text;       /* a text index is worth while here */
	uint32_t indexed_uidnext; /* it is known to be complete below */

	bool resumed; /* it was parked: look for changes at once */
	bool logout;  /* close after the answer */
	bool dead;    /* the client is gone: write nothing */
};

enum imap_result {
	IMAP_OK,
	IMAP_NO,
	IMAP_BAD,
	IMAP_ANSWERED, /* the tagged line is written */
};

struct imap_def;

struct imap_command {
	struct slice tag;
	struct slice name; /* as typed, with "UID " before it */
	bool uid;          /* UID FETCH and kin */
	const struct imap_def *def;
	struct imap_parse p; /* the arguments, at the space before them */
	/* For the tagged line: */
	struct slice code; /* response code without brackets, or empty */
	struct slice text; /* empty: "done" and such */
	uint32_t lowest;   /* UID that MESSAGELIMIT stopped at, or 0 */
	bool highest;      /* HIGHESTMODSEQ is the code of an OK, as it is
		      * when all updates are told */
};

/* ---- commands ---- */

enum { /* states, bits */
	IMAP_IN_AUTH = 1,
	IMAP_IN_SELECTED = 2,
	IMAP_IN_BOTH = 3,
};

enum {                       /* flags of a command */
	IMAP_HAS_UID = 1,    /* has a UID form */
	IMAP_NO_EXPUNGE = 2, /* no EXPUNGE while it runs (RFC 9051, 7.5.1) */
	IMAP_NO_UPDATES = 4, /* writes its own, or leaves the mailbox */
	IMAP_NUMBERS = 8,    /* by message numbers, but in its UID form */
	IMAP_OWN = 16,       /* messages come or go by it, which is told */
	IMAP_LISTS = 32,     /* names are its answer: no others between them */
};

struct imap_def {
	const char *name;
	enum imap_result (*run)(struct imap_session *s, struct imap_command *c);
	unsigned states;
	unsigned flags;
};

/* NULL if there is none. */
const struct imap_def *imap_find_command(struct slice name);

/* Capabilities, separated by spaces; without those that the account of s has
 * disabled. s: NULL before login. */
void imap_capabilities(struct buf *b, const struct imap_session *s);
/* Is this capability one that the account has disabled? */
bool imap_disabled(const struct imap_session *s, struct slice name);

/* ---- answering ---- */

/* Result for a failure, with code (may be NULL) and text. */
enum imap_result imap_no(struct imap_command *c, const char *code,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
enum imap_result imap_bad(struct imap_command *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* BAD (or NO, with the code of the parser) for arguments not understood. */
enum imap_result imap_bad_args(struct imap_command *c);
/* NO for a failure of the store; also logged if it is the server's. */
enum imap_result imap_store_failed(struct imap_command *c, enum store_code code,
    const struct err *e);
/* Response code and text for a later OK. */
void imap_code(struct imap_command *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* An untagged line: "* ", the text, CRLF. */
void imap_line(struct imap_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Write out if there is much; call between lines of long answers. */
#define IMAP_OUT_LARGE 65536
void imap_flush_large(struct imap_session *s);
/* Write all. */
void imap_flush(struct imap_session *s);

/* ---- progress.c: long work ---- */

/*
 * Between begin and end imap_progress, called every so often with what is
 * done, tells INPROGRESS after 10 s and again (RFC 9585), and returns -1 with e
 * set when the work should stop: the client is gone (s->dead), or this process
 * is to end. Only where an untagged line may be written. tag: p NULL for none.
 */
void imap_progress_begin(struct imap_session *s, struct slice tag);
void imap_progress_end(struct imap_session *s);
int imap_progress(struct imap_session *s, uint64_t done, uint64_t total,
    struct err *e);
/* The same as the store asks (store_set_progress). */
bool imap_progress_of_store(void *session, uint64_t done, uint64_t total);
/* The result of a command that failed or was stopped: as imap_store_failed, and
 * nothing if the client is gone. */
enum imap_result imap_stopped(struct imap_session *s, struct imap_command *c,
    enum store_code code, const struct err *e);

/* ---- write.c: values ---- */

/* Quoted, or a literal where it must be (RFC 9051, 9 quoted). */
void imap_put_string(struct buf *b, struct slice v);
/* NIL if v.p is NULL. */
void imap_put_nstring(struct buf *b, struct slice v);
/* A mailbox name in the form this client reads. */
void imap_put_mailbox(struct imap_session *s, struct slice name);
/* "\Seen $Junk word", without parentheses. mb knows the keywords. */
void imap_put_flags(struct buf *b, const struct mailbox *mb, uint16_t flags,
    uint64_t keywords);
/* "1:3,5" of an ascending array of UIDs; as given if not ascending. */
void imap_put_uids(struct buf *b, const uint32_t *uids, size_t n);

/* THREADID (RFC 8474) of store_msg.thread, not 0: "T" and 16 hexadecimal
 * digits; and back, false if it is no such. */
void imap_put_threadid(struct buf *b, uint64_t thread);
bool imap_threadid(struct slice text, uint64_t *thread_r);

/* ---- view.c: the selected mailbox ---- */

/* Take in changes and write what may be told now, and is wanted (NOTIFY). */
void imap_updates(struct imap_session *s, bool expunge);
/* FLAGS and PERMANENTFLAGS lines if keywords came up the client does not know;
 * force: in any case. */
void imap_tell_flags(struct imap_session *s, bool force);
/* "* n FETCH (", or "* u UIDFETCH (" when there are no message numbers. */
void imap_put_fetch(struct imap_session *s, uint32_t seq);
/* "* n FETCH (UID u FLAGS (...) MODSEQ (m))" */
void imap_tell_message(struct imap_session *s, uint32_t seq, bool uid,
    bool modseq);
/* "* VANISHED 300:310,405" (RFC 7162, 3.2.10), in lines that are not long;
 * nothing for the empty set. */
void imap_tell_vanished(struct imap_session *s, const struct uidset *uids,
    bool earlier);
/* Turn on CONDSTORE (RFC 7162, 3.1); tells HIGHESTMODSEQ if selected. */
void imap_enable_condstore(struct imap_session *s);
/* Forget where pieces of BINARY ended (fetch_body.c). */
void imap_decoded_forget(struct imap_session *s);
/* Leave the selected mailbox. */
void imap_unselect(struct imap_session *s);

/* ---- wait.c ---- */

/*
 * Tell changes as they come until the client sends something: true. False: it
 * is over, and the client was told. tag: of IDLE, where all may be told and the
 * session may be parked; empty: no command runs, and NOTIFY says what is told.
 * s->end_ms is set.
 */
bool imap_wait(struct imap_session *s, struct slice tag);
/* The same once: look, and write to out. True if there was something. */
bool imap_tell_changes(struct imap_session *s, bool idle);

/* ---- session.c ---- */

/* Serve until logout or the end of the connection. The caller has set in,
 * store, client, park_ms, user and zeroed the rest; store and memory are
 * released. parked: go on with this session (park.h); or NULL. */
struct imap_parked;
void imap_session_run(struct imap_session *s, const struct imap_parked *parked,
    int watch_fd);
/* Give back memory before a long wait. */
void imap_session_idle(struct imap_session *s);
/* Go on with IDLE; cmd_idle.c. */
void imap_idle_resume(struct imap_session *s, struct slice tag);

/* ---- the commands, by file ---- */

#define IMAP_COMMAND(fn) \
	enum imap_result fn(struct imap_session *s, struct imap_command *c)

IMAP_COMMAND(imap_cmd_capability);
IMAP_COMMAND(imap_cmd_noop);
IMAP_COMMAND(imap_cmd_logout);
IMAP_COMMAND(imap_cmd_id);
IMAP_COMMAND(imap_cmd_enable);
IMAP_COMMAND(imap_cmd_unauthenticate);
IMAP_COMMAND(imap_cmd_namespace);
IMAP_COMMAND(imap_cmd_select); /* and EXAMINE */
IMAP_COMMAND(imap_cmd_close);
IMAP_COMMAND(imap_cmd_unselect);
IMAP_COMMAND(imap_cmd_create);
IMAP_COMMAND(imap_cmd_delete);
IMAP_COMMAND(imap_cmd_rename);
IMAP_COMMAND(imap_cmd_subscribe); /* and UNSUBSCRIBE */
IMAP_COMMAND(imap_cmd_list);
IMAP_COMMAND(imap_cmd_lsub);
IMAP_COMMAND(imap_cmd_status);
IMAP_COMMAND(imap_cmd_append);
IMAP_COMMAND(imap_cmd_replace);
IMAP_COMMAND(imap_cmd_idle);
IMAP_COMMAND(imap_cmd_notify);
IMAP_COMMAND(imap_cmd_expunge);
IMAP_COMMAND(imap_cmd_search);
IMAP_COMMAND(imap_cmd_esearch);
IMAP_COMMAND(imap_cmd_cancelupdate);
IMAP_COMMAND(imap_cmd_sort);
IMAP_COMMAND(imap_cmd_thread);
IMAP_COMMAND(imap_cmd_fetch);
IMAP_COMMAND(imap_cmd_store);
IMAP_COMMAND(imap_cmd_copy); /* and MOVE */
IMAP_COMMAND(imap_cmd_uidbatches);
IMAP_COMMAND(imap_cmd_compress);
IMAP_COMMAND(imap_cmd_getquota);
IMAP_COMMAND(imap_cmd_getquotaroot);
IMAP_COMMAND(imap_cmd_getmetadata);
IMAP_COMMAND(imap_cmd_setmetadata);
IMAP_COMMAND(imap_cmd_genurlauth);
IMAP_COMMAND(imap_cmd_resetkey);
IMAP_COMMAND(imap_cmd_urlfetch);
IMAP_COMMAND(imap_cmd_setacl);
IMAP_COMMAND(imap_cmd_deleteacl);
IMAP_COMMAND(imap_cmd_getacl);
IMAP_COMMAND(imap_cmd_listrights);
IMAP_COMMAND(imap_cmd_myrights);

/* STATUS items of RFC 9051, 6.3.11, for STATUS and LIST RETURN. */
bool imap_status_items(struct imap_parse *p, unsigned *items_r);
/* The line "* STATUS ..." for one mailbox; 0 if it is not there, -1. */
int imap_tell_status(struct imap_session *s, struct slice name, unsigned items,
    struct err *e);

/* The line "* MYRIGHTS ..." for LIST; nothing of a mailbox that is not there
 * (RFC 8440, 3). */
void imap_tell_myrights(struct imap_session *s, struct slice name);

/* A name of an entry, quoted if it is no atom. */
void imap_put_entry_name(struct buf *b, struct slice name);
/* Names of entries of METADATA, "(/private/comment /shared/comment)" or one,
 * checked and in lower case (RFC 5464, 5). */
struct imap_entries {
	struct slice *v;
	size_t n;
};
bool imap_entries(struct imap_parse *p, struct imap_entries *entries_r);
/* The line "* METADATA ..." of a mailbox for LIST, with all these entries; 0 if
 * it is not there, -1. */
int imap_tell_metadata(struct imap_session *s, struct slice mailbox,
    const struct imap_entries *entries, struct err *e);

#endif
