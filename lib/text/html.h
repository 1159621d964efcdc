/*
 * html - the text of an HTML document, for previews, search and junk words.
 *
 * Takes any bytes, in pieces of any size; never fails. Text inside head,
 * script, style, svg, math, map, template and dialog is left out; elements
 * that are blocks begin a new line; runs of white space become one space;
 * character references are decoded. Input should be UTF-8 (charset.h); bytes
 * pass through.
 */
#ifndef TEXT_HTML_H
#define TEXT_HTML_H

#include "base/buf.h"

struct html;

enum html_mode {
	HTML_TEXT,  /* what a reader sees; for previews and search */
	HTML_WORDS, /* all but script, style, svg; with img alt: junk words */
};

struct html *html_new(enum html_mode mode);
/* Text that is ready is appended to out; lines end in LF. */
void html_push(struct html *h, struct slice text, struct buf *out);
void html_end(struct html *h, struct buf *out);
void html_free(struct html **h);

/* All at once. */
void html_text(struct buf *out, struct slice html, enum html_mode mode);

#endif
