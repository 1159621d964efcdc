/*
 * verify - compare the stores of a data folder with themselves, and mend.
 *
 * May run beside the services. What a crash can leave half done is finished
 * by any program that opens an account, so it is no error. What is found is
 * reported one by one; the words are in mox-verifydata(8).
 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "store/store.h"

enum verify_level {
	VERIFY_NOTE,  /* left over or out of date: nobody sees a difference */
	VERIFY_ERROR, /* something is wrong or lost */
};

struct verify_finding {
	enum verify_level level;
	const char *what;     /* one word */
	struct slice account; /* empty: of the data folder */
	struct slice mailbox; /* empty: of the account */
	const char *text;
	bool fixed;
};

struct verify {
	/* Given by the caller. */
	const struct store_env *env;
	bool fix;
	bool skip_sizes; /* do not compare sizes of files */
	bool restored;   /* give each mailbox a new UIDVALIDITY */
	void (*found)(void *ctx, const struct verify_finding *f);
	/* Now and then; may be NULL. messages: of this mailbox so far. */
	void (*progress)(void *ctx, struct slice account, struct slice mailbox,
	    uint64_t messages);
	void *ctx;
	/* Filled. */
	uint64_t accounts, mailboxes, messages;
	uint64_t errors, notes; /* without those fixed */
	uint64_t fixed;
	/* The verifier's own. */
	struct slice account, mailbox;
};

/* All accounts, and what is left over beside them. 0, or -1 with e set: it
 * could not go on. */
int verify_data(struct verify *v, struct err *e);
int verify_account(struct verify *v, struct slice account, struct err *e);

/* Report something; also for callers who check more. */
void verify_report(struct verify *v, enum verify_level level, const char *what,
    bool fixed, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
