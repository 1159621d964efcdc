/*
 * bench_parse - how fast messages are parsed.
 *
 * Usage: bench_parse [FILE]...
 *
 * Without files: some made messages. Prints MB/s and microseconds a message
 * for pieces of 16 KB, and the size of the record.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "message/parse.h"
#include "message/record.h"
#include "text/charset.h"

#define PIECE (16 * 1024)
#define MIN_MS 300

static void
parse(struct slice message, struct buf *record)
{
	struct msgparse *p = msgparse_new(NULL);

	for (; message.n > 0; message = slice_skip(message, PIECE))
		msgparse_push(p, slice_head(message, PIECE));
	buf_reset(record);
	msgparse_finish(p, record);
	msgparse_free(&p);
}

static void
measure(const char *name, struct slice message)
{
	struct buf record = BUF_INIT(MSGREC_MAX);
	int64_t start = clock_us(NULL), us;
	size_t n = 0;

	do {
		parse(message, &record);
		n++;
		us = clock_us(NULL) - start;
	} while (us < MIN_MS * 1000);
	printf("%-28s %9zu bytes %9.1f us %8.1f MB/s  record %zu%s\n", name,
	    message.n, (double)us / (double)n,
	    (double)message.n * (double)n / (double)us, record.n,
	    msgrec_check(buf_slice(&record)) ? "" : " NOT VALID");
	buf_free(&record);
}

static void
add_header(struct buf *b, const char *type)
{
	for (int i = 0; i < 4; i++)
		buf_addf(b,
		    "Received: from mx%d.example.org (mx%d.example.org [192.0.2"
		    ".%d])\r\n\tby mail.example.net with ESMTPS id %d-abcdef\r\n"
		    "\tfor <user@example.net>; Fri, 21 Nov 2025 09:55:0%d "
		    "+0100\r\n",
		    i, i, i, i, i);
	buf_addz(b,
	    "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=a; "
	    "h=from:to:subject;\r\n"
	    "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n"
	    "\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZH"
	    "RNiYzR\r\n"
	    "From: =?utf-8?q?J=C3=BCrgen?= Example <juergen@example.org>\r\n"
	    "To: User <user@example.net>, \"Other, One\" <o@example.net>\r\n"
	    "Cc: list@lists.example.org\r\n"
	    "Subject: Re: [list] =?utf-8?b?R3LDvMOfZQ==?= from here\r\n"
	    "Date: Fri, 21 Nov 2025 09:55:06 +0100\r\n"
	    "Message-ID: <20251121095506.1234@example.org>\r\n"
	    "In-Reply-To: <20251120.1@example.net>\r\n"
	    "References: <20251119.9@example.net> <20251120.1@example.net>\r\n"
	    "MIME-Version: 1.0\r\n");
	buf_addf(b, "Content-Type: %s\r\n", type);
}

static void
add_text(struct buf *b, size_t size)
{
	size_t end = b->n + size;

	while (b->n < end)
		buf_addz(b,
		    "The quick brown fox jumps over the lazy dog and goes on, "
		    "line after line.\r\n");
}

static void
made(const char *name, size_t text, size_t attachment)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	if (attachment == 0) {
		add_header(&b, "text/plain; charset=utf-8");
		buf_addz(&b, "\r\n");
		add_text(&b, text);
	} else {
		add_header(&b, "multipart/mixed; boundary=\"=_b1\"");
		buf_addz(&b, "\r\n--=_b1\r\nContent-Type: text/plain\r\n\r\n");
		add_text(&b, text);
		buf_addz(&b,
		    "\r\n--=_b1\r\nContent-Type: application/pdf; name=a.pdf"
		    "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
		for (size_t i = 0; i < attachment / 78; i++) {
			memset(buf_space(&b, 76), 'A' + (int)(i % 26), 76);
			b.n += 76;
			buf_addz(&b, "\r\n");
		}
		buf_addz(&b, "--=_b1--\r\n");
	}
	measure(name, buf_slice(&b));
	buf_free(&b);
}

static void
repeated(const char *name, const char *start, const char *line, size_t n)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	buf_addz(&b, start);
	for (size_t i = 0; i < n; i++)
		buf_addz(&b, line);
	measure(name, buf_slice(&b));
	buf_free(&b);
}

static void
nested(size_t depth)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	for (size_t i = 0; i < depth; i++)
		buf_addf(&b,
		    "Content-Type: multipart/mixed; boundary=b%zu\r\n\r\n"
		    "--b%zu\r\n",
		    i, i);
	measure("nested 10,000 deep", buf_slice(&b));
	buf_free(&b);
}

int
main(int argc, char **argv)
{
	charset_warm();
	for (int i = 1; i < argc; i++) {
		struct buf b = BUF_INIT(SIZE_MAX);
		struct err e;

		if (file_read(AT_FDCWD, argv[i], &b, &e) != 1)
			return 1;
		measure(argv[i], buf_slice(&b));
		buf_free(&b);
	}
	if (argc > 1)
		return 0;
	made("text, 1 KB", 1000, 0);
	made("text, 4 KB", 4000, 0);
	made("text, 100 KB", 100000, 0);
	made("text, 10 MB", 10000000, 0);
	made("attachment, 100 KB", 2000, 100000);
	made("attachment, 10 MB", 2000, 10000000);
	repeated("100,000 fields", "", "X-Field: some value\r\n", 100000);
	repeated("100,000 To fields", "", "To: a@example.org\r\n", 100000);
	repeated("100,000 parts",
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
	    "--b\r\n\r\nx\r\n", 100000);
	repeated("1,000,000 dashes",
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--\r\n",
	    1000000);
	repeated("1,000,000 commas", "To: ", ",", 1000000);
	nested(10000);
	return 0;
}
