/*
 * encword - encoded words in header text (RFC 2047), both ways.
 */
#ifndef MESSAGE_ENCWORD_H
#define MESSAGE_ENCWORD_H

#include "base/buf.h"

/*
 * Text of one line to UTF-8: encoded words are decoded, white space between
 * two of them dropped; a word that cannot be decoded stays as it is. Bytes
 * that are not UTF-8 become U+FFFD; control characters become spaces.
 */
void encword_decode(struct buf *out, struct slice text);

/* Does text (UTF-8) need encoding to be sent in ASCII, or could be taken for
 * an encoded word? */
bool encword_needed(struct slice text);

/*
 * UTF-8 text as encoded words of at most 75 characters with a space between,
 * as may stand in a phrase (RFC 2047, 5 (3)) and everywhere else; the first
 * has at most `first` characters, 24 or more, to end a line that was begun.
 */
#define ENCWORD_MAX 75 /* RFC 2047, 2 */
void encword_encode(struct buf *out, struct slice text, size_t first);

#endif
