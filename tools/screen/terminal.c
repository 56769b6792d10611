// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal, by ncurses: taken, drawn on, given back. The only file that knows of curses.
 *
 * Signals write a byte into a pipe and nothing else: what they ask for is done when there is
 * nothing else to do, and is seen by who waits for files.
 */
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "ourselves.h"
#include "screen/terminal.h"

/* It makes macros of many words, some of which are ours. */
#include <term.h>
#undef columns

static struct {
	SCREEN *screen;
	FILE *keys;		/* standard input, or the terminal itself */
	int wait;		/* epoll: keys, signals, and what others wait for */
	int signals[2];		/* a pipe */
	struct sigaction old_winch, old_tstp, old_cont;
	attr_t style[STYLES];
	bool active;
} t;

static void on_signal(int number)
{
	const int err = errno;
	const char byte = (char)number;

	/* If the pipe is full it is being told enough. */
	if (write(t.signals[1], &byte, 1) < 0)
		errno = err;
	errno = err;
}

/* ---- is it usable? */

/* Keys come from the terminal even if standard input is something else, as with less(1). */
static FILE *open_keys(void)
{
	return isatty(0) ? stdin : fopen("/dev/tty", "re");
}

/* "cup" moves the cursor: without it there is no screen. A dumb terminal has none. */
bool terminal_is_usable(void)
{
	FILE *keys;
	bool moves;
	int err;

	if (!isatty(1) || setupterm(NULL, 1, &err) != OK || err != 1)
		return false;
	moves = cursor_address && clear_screen;
	del_curterm(cur_term);
	if (!moves)
		return false;
	keys = open_keys();
	if (!keys)
		return false;
	if (keys != stdin)
		fclose(keys);
	return true;
}

/* ---- taking and giving back */

static void choose_styles(enum color_choice choice)
{
	const bool colors = choice != COLOR_NEVER &&
			    (choice == COLOR_ALWAYS || !getenv("NO_COLOR") || !*getenv("NO_COLOR"));

	t.style[STYLE_PLAIN] = A_NORMAL;
	t.style[STYLE_DIM] = A_NORMAL;
	t.style[STYLE_BOLD] = A_BOLD;
	t.style[STYLE_HEAD] = A_REVERSE;
	t.style[STYLE_SORTED] = A_REVERSE | A_BOLD;
	t.style[STYLE_BAR] = A_NORMAL;
	t.style[STYLE_SELECTED] = A_REVERSE;
	t.style[STYLE_ALERT] = A_BOLD;
	if (!colors || !has_colors() || start_color() == ERR || use_default_colors() == ERR)
		return;
	init_pair(1, COLOR_CYAN, -1);
	init_pair(2, COLOR_GREEN, -1);
	init_pair(3, COLOR_BLACK, COLOR_GREEN);
	init_pair(4, COLOR_RED, -1);
	init_pair(5, COLOR_BLACK, COLOR_CYAN);
	t.style[STYLE_DIM] = COLOR_PAIR(1);
	t.style[STYLE_BAR] = COLOR_PAIR(2);
	t.style[STYLE_HEAD] = COLOR_PAIR(3);
	t.style[STYLE_SORTED] = COLOR_PAIR(5);
	t.style[STYLE_SELECTED] = COLOR_PAIR(5);
	t.style[STYLE_ALERT] = COLOR_PAIR(4) | A_BOLD;
}

static int watch_file(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(t.wait, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Before curses looks: it leaves alone what somebody else takes care of. */
static void take_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	ourselves_ignore_sigquit();
	sigaction(SIGWINCH, &action, &t.old_winch);
	sigaction(SIGCONT, &action, &t.old_cont);
	sigaction(SIGTSTP, NULL, &t.old_tstp);
	/* A shell without job control has it ignored. */
	if (t.old_tstp.sa_handler != SIG_IGN)
		sigaction(SIGTSTP, &action, NULL);
}

static void give_signals_back(void)
{
	sigaction(SIGWINCH, &t.old_winch, NULL);
	sigaction(SIGCONT, &t.old_cont, NULL);
	sigaction(SIGTSTP, &t.old_tstp, NULL);
	ourselves_restore_sigquit();
}

static int open_files(void)
{
	int err;

	t.keys = open_keys();
	if (!t.keys)
		return -errno;
	t.wait = epoll_create1(EPOLL_CLOEXEC);
	if (t.wait < 0) {
		err = -errno;
		goto close_keys;
	}
	if (pipe2(t.signals, O_CLOEXEC | O_NONBLOCK)) {
		err = -errno;
		goto close_wait;
	}
	err = watch_file(t.signals[0]);
	if (!err)
		err = watch_file(fileno(t.keys));
	if (!err)
		return 0;
	close(t.signals[0]);
	close(t.signals[1]);
close_wait:
	close(t.wait);
close_keys:
	if (t.keys != stdin)
		fclose(t.keys);
	return err;
}

static void close_files(void)
{
	close(t.signals[0]);
	close(t.signals[1]);
	close(t.wait);
	if (t.keys != stdin)
		fclose(t.keys);
}

int terminal_begin(enum color_choice choice)
{
	int err = open_files();

	if (err)
		return err;
	take_signals();
	t.screen = newterm(NULL, stdout, t.keys);
	if (!t.screen) {
		give_signals_back();
		close_files();
		return -ENOTTY;
	}
	t.active = true;
	/* Ctrl-C and Ctrl-Z stay signals. */
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	choose_styles(choice);
	return t.wait;
}

int terminal_also_wait_for(int fd)
{
	return watch_file(fd);
}

/* Whoever has stopped the output with Ctrl-S would keep us from ending. */
static void let_go(void)
{
	tcflow(1, TCOON);
	curs_set(1);
	endwin();
}

void terminal_end(void)
{
	if (!t.active)
		return;
	t.active = false;
	let_go();
	delscreen(t.screen);
	give_signals_back();
	close_files();
}

/* ---- what comes from outside */

static void take_size(void)
{
	struct winsize size;

	if (!ioctl(1, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
}

/* As the shell has it that looks at us. */
static void draw_anew(void)
{
	reset_prog_mode();
	curs_set(0);
	take_size();
	clearok(curscr, TRUE);
}

/* Ctrl-Z: like any other program, but with a terminal that others can use. */
static void stop(void)
{
	struct sigaction stop_us = { .sa_handler = SIG_DFL }, ours;
	sigset_t only, before;

	let_go();
	sigaction(SIGTSTP, &stop_us, &ours);
	sigemptyset(&only);
	sigaddset(&only, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &only, &before);
	/* Here we are again. */
	sigprocmask(SIG_SETMASK, &before, NULL);
	sigaction(SIGTSTP, &ours, NULL);
}

/* Has everybody who could press a key gone? */
static bool is_gone(void)
{
	struct pollfd keys = { .fd = fileno(t.keys), .events = POLLIN };

	return poll(&keys, 1, 0) == 1 && (keys.revents & (POLLHUP | POLLERR | POLLNVAL));
}

bool terminal_take(bool *changed)
{
	char byte;

	*changed = false;
	while (read(t.signals[0], &byte, 1) == 1) {
		if (byte == SIGTSTP)
			stop();
		if (byte == SIGWINCH)
			take_size();
		else
			draw_anew();
		*changed = true;
	}
	return !is_gone();
}

static int key_of(wint_t code)
{
	static const struct {
		wint_t code;
		int key;
	} keys[] = {
		{ KEY_UP, KEY_GO_UP },		{ KEY_DOWN, KEY_GO_DOWN },
		{ KEY_LEFT, KEY_GO_LEFT },	{ KEY_RIGHT, KEY_GO_RIGHT },
		{ KEY_PPAGE, KEY_PAGE_UP },	{ KEY_NPAGE, KEY_PAGE_DOWN },
		{ KEY_HOME, KEY_GO_HOME },	{ KEY_END, KEY_GO_END },
		{ KEY_ENTER, KEY_RETURN },	{ KEY_BACKSPACE, KEY_ERASE },
	};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return KEY_OTHER;
}

int terminal_key(void)
{
	wint_t code;

	switch (wget_wch(stdscr, &code)) {
	case KEY_CODE_YES:
		return key_of(code);
	case OK:
		break;
	default:
		return KEY_NONE;
	}
	switch (code) {
	case 27:
		return KEY_ESCAPE;
	case '\r':
	case '\n':
		return KEY_RETURN;
	case 8:
	case 127:
		return KEY_ERASE;
	}
	return (int)code;
}

/* ---- drawing */

void terminal_size(unsigned int *height, unsigned int *width)
{
	getmaxyx(stdscr, *height, *width);
}

static void draw_line(const struct text *text, int y)
{
	size_t i, at = 0;

	move(y, 0);
	for (i = 0; i < text->pieces; i++) {
		attrset(t.style[text->piece[i].style]);
		addnstr(text->bytes + at, (int)text->piece[i].bytes);
		at += text->piece[i].bytes;
	}
	attrset(A_NORMAL);
	if (text->columns < text->width)
		clrtoeol();
}

/* Does it take what we write? If not, wait for nobody: what is watched does not wait either. */
static bool takes_output(void)
{
	struct pollfd output = { .fd = 1, .events = POLLOUT };

	return poll(&output, 1, 0) == 1;
}

void terminal_draw(const struct page *page, int cursor)
{
	unsigned int y, height, width;

	if (!takes_output())
		return;
	terminal_size(&height, &width);
	erase();
	for (y = 0; y < page->n && y < height; y++)
		draw_line(&page->line[y], (int)y);
	curs_set(cursor >= 0);
	if (cursor >= 0)
		move((int)height - 1, cursor);
	refresh();
}
