/* html_int - what html.c and html_ref.c share. */
#ifndef TEXT_HTML_INT_H
#define TEXT_HTML_INT_H

#include "base/slice.h"

#define HTML_REF 10 /* characters of the longest reference we know */

/* The character that "#233", "#xE9" or "eacute" refers to; 0 for none. */
uint32_t html_reference(struct slice ref);

#endif
