/* err - why something failed. */
#define ERR_IMPLEMENTATION
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Into e, in front of what `behind` says; behind may lie inside e. */
static void
err_write(struct err *e, const char *fmt, va_list ap, const char *behind)
{
	char text[sizeof(e->text)];
	size_t n;

	vsnprintf(text, sizeof(text), fmt, ap);
	n = strlen(text);
	if (*behind != '\0')
		snprintf(text + n, sizeof(text) - n, ": %s", behind);
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	memcpy(e->text, text, strlen(text) + 1);
}

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	err_write(e, fmt, ap, "");
	va_end(ap);
	e->kind = kind;
	return -1;
}

static enum err_kind
kind_of_errno(int number)
{
	switch (number) {
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
	case EAGAIN:
	case EMFILE:
	case ENFILE:
	case EIO:
	case EINTR:
	case ETIMEDOUT:
		return ERR_TEMP;
	default:
		return ERR_PERM;
	}
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int number = errno;
	char unknown[64];
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	err_write(e, fmt, ap, strerror_r(number, unknown, sizeof(unknown)));
	va_end(ap);
	e->kind = kind_of_errno(number);
	errno = number;
	return -1;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	err_write(e, fmt, ap, e->text);
	va_end(ap);
	return -1;
}
