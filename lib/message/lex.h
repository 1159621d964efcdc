/*
 * lex - tokens of structured header fields (RFC 5322, 3.2), forgiving: for
 * the parsers of this folder. Values may be folded or unfolded.
 */
#ifndef MESSAGE_LEX_H
#define MESSAGE_LEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/scan.h"

extern const bool lex_atext[256]; /* RFC 5322, 3.2.3; RFC 6532, 3.2 */
extern const bool lex_space[256]; /* space, tab, CR, LF */

/* White space and comments. Returns whether there were any. */
bool lex_skip(struct scan *sc);

/*
 * A comment with those inside it, or a quoted string: false if none begins
 * here. Text without the outer delimiters, backslashes and line breaks; of
 * the input if that leaves it as it is, else in the arena. One without end
 * goes to the end of the input, *closed_r (may be NULL) tells. Without an
 * arena the text stays as it is.
 */
bool lex_comment(struct arena *arena, struct scan *sc, struct slice *text_r,
    bool *closed_r);
bool lex_quoted(struct arena *arena, struct scan *sc, struct slice *text_r,
    bool *closed_r);

/* Control characters of b from there on become spaces: what was decoded must
 * not bring line breaks along. */
void lex_blank_controls(struct buf *b, size_t from);

#endif
