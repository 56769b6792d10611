// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal: taken, and given back as it was. What is said on standard error would be in the
 * middle of it, so it waits in a pipe.
 */
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "human.h"
#include "ourselves.h"
#include "top/draw.h"
#include "top/screen.h"
#include "top/view.h"

/* Of a paste, say: reports are not to wait for all of it. */
#define KEYS_AT_ONCE 256

struct top_screen {
	SCREEN *terminal;
	struct top_view view;
	struct top_report report;	/* the last one, in its own order */
	struct top_report shown;
	int real_stderr;
	int said[2];			/* the pipe; -1: there is none */
	char heard[16384];		/* what came out of it, to be printed in the end */
	size_t n_heard;
};

/* ---- standard error */

static void hold_stderr(struct top_screen *s)
{
	s->said[0] = -1;
	s->real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	/* Of a pipe that is full the rest is lost: nothing waits for it. */
	if (s->real_stderr < 0 || pipe2(s->said, O_CLOEXEC | O_NONBLOCK))
		return;
	dup2(s->said[1], STDERR_FILENO);
}

/* The last whole line is the message. */
static void find_message(struct top_screen *s, const char *text, size_t length)
{
	const char *end = memrchr(text, '\n', length), *start;

	if (!end)
		return;
	start = memrchr(text, '\n', end - text);
	start = start ? start + 1 : text;
	human_clean(start, end - start, s->view.message, sizeof(s->view.message));
}

static void hear(struct top_screen *s)
{
	char text[4096];
	size_t room;
	ssize_t n;

	if (s->said[0] < 0)
		return;
	while ((n = read(s->said[0], text, sizeof(text))) > 0) {
		find_message(s, text, n);
		room = sizeof(s->heard) - s->n_heard;
		memcpy(s->heard + s->n_heard, text, (size_t)n < room ? (size_t)n : room);
		s->n_heard += (size_t)n < room ? (size_t)n : room;
	}
}

static void release_stderr(struct top_screen *s)
{
	hear(s);
	if (s->real_stderr >= 0) {
		dup2(s->real_stderr, STDERR_FILENO);
		close(s->real_stderr);
	}
	if (s->said[0] >= 0) {
		close(s->said[0]);
		close(s->said[1]);
	}
	fwrite(s->heard, 1, s->n_heard, stderr);
}

/* ---- terminal */

/* https://no-color.org */
static bool wants_colours(void)
{
	const char *no_color = getenv("NO_COLOR");

	return (!no_color || !*no_color) && has_colors();
}

static void prepare(struct top_screen *s)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	if (wants_colours()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_CYAN, -1);
		s->view.colours = true;
	}
}

int top_screen_open(struct top_screen **screen, double *interval, bool utf8)
{
	struct top_screen *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->terminal = newterm(NULL, stdout, stdin);
	if (!s->terminal) {
		free(s);
		return -ENOTTY;
	}
	s->view.column = TOP_RATE;
	s->view.interval = interval;
	s->view.utf8 = utf8;
	ourselves_ignore_sigquit();
	hold_stderr(s);
	prepare(s);
	*screen = s;
	return 0;
}

static int redraw(struct top_screen *s)
{
	if (top_copy(&s->shown, &s->report))
		return -ENOMEM;
	top_view_arrange(&s->view, &s->shown, top_draw_lines());
	top_draw(&s->view, &s->shown);
	return 0;
}

int top_screen_show(struct top_screen *s, const struct top_report *report)
{
	hear(s);
	if (s->view.paused)
		return 0;
	if (top_copy(&s->report, report))
		return -ENOMEM;
	return redraw(s);
}

/* Of what ncurses says, what a view knows. */
static int key_of(int key)
{
	switch (key) {
	case KEY_UP:
		return TOP_KEY_UP;
	case KEY_DOWN:
		return TOP_KEY_DOWN;
	case KEY_PPAGE:
		return TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TOP_KEY_HOME;
	case KEY_END:
		return TOP_KEY_END;
	case KEY_BACKSPACE:
	case 0x7f:
	case '\b':
		return TOP_KEY_BACKSPACE;
	case KEY_ENTER:
	case '\r':
	case '\n':
		return TOP_KEY_ENTER;
	case 0x1b:
		return TOP_KEY_ESCAPE;
	default:
		return key > 0xff ? TOP_KEY_NOTHING : key;
	}
}

bool top_screen_take_keys(struct top_screen *s)
{
	bool goes_on = true;
	int key, keys = 0;

	/* KEY_RESIZE is a key, too, which only needs the screen to be drawn anew. */
	while (goes_on && keys < KEYS_AT_ONCE && (key = getch()) != ERR) {
		goes_on = top_view_take_key(&s->view, key_of(key), s->shown.n, top_draw_lines(),
					    top_draw_shows);
		keys++;
	}
	if (keys && goes_on)
		redraw(s);
	return goes_on;
}

void top_screen_close(struct top_screen *s)
{
	if (!s)
		return;
	endwin();
	delscreen(s->terminal);
	release_stderr(s);
	ourselves_restore_sigquit();
	top_free(&s->report);
	top_free(&s->shown);
	free(s);
}
