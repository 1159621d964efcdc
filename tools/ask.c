#include "tools/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/proc.h"

/* One line without its end, at most b's maximum. */
static void
read_line(struct buf *b)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		buf_addc(b, c);
	if (b->n > 0 && b->p[b->n - 1] == '\r')
		buf_cut(b, b->n - 1);
}

static void
ask(const char *prompt, struct buf *b)
{
	struct termios shown, hidden;
	bool tty = tcgetattr(STDIN_FILENO, &shown) == 0;

	fputs(prompt, stdout);
	fflush(stdout);
	if (tty) {
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	read_line(b);
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		putchar('\n');
	}
}

void
ask_password(const char *program, struct buf *password)
{
	struct buf again = BUF_INIT(password->max);

	ask("password: ", password);
	if (isatty(STDIN_FILENO)) {
		ask("again: ", &again);
		if (!slice_eq(buf_slice(password), buf_slice(&again))) {
			fprintf(stderr, "%s: the two differ\n", program);
			exit(EXIT_FAILED);
		}
	}
	buf_wipe(&again);
}
