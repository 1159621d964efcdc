/*
 * spf_int - macros: what spf_parse.c checks and spf.c expands (RFC 7208, 7).
 */
#ifndef SPF_SPF_INT_H
#define SPF_SPF_INT_H

#include "base/scan.h"
#include "spf/spf.h"

/* What macros stand for in one evaluation. */
struct spf_macros {
	const struct spf_args *args;
	struct slice local, sender_domain; /* never empty */
	struct slice domain;               /* current one: %{d} */
	/* Validated name of the client, asked for when %{p} is there. */
	struct slice (*validated)(void *ctx);
	void *ctx;
};

/* macro-string; of an explanation, blanks may be in it, too. */
bool spf_is_macro_string(struct slice s, bool explanation);
/* domain-spec: a macro-string that ends in a macro or a top label. Letters
 * for explanations only (c r t) are not taken. */
bool spf_is_domain_spec(struct slice s);

/* Append what s, which was checked, expands to. */
void spf_macro_expand(struct buf *out, struct slice s,
    const struct spf_macros *m);

#endif
