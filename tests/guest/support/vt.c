// SPDX-License-Identifier: GPL-2.0-only
/*
 * As much of an xterm as ncurses uses. What it does not understand it counts: a test that sees a
 * screen can rely on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>
#include <wchar.h>

#include "vt.h"

/* ---- the screen */

static void clear_cells(struct vt *vt, int row, int from, int to)
{
	int i;

	for (i = from; i < to && i < VT_COLUMNS; i++)
		vt->cell[row][i] = 0;
}

static void clear_rows(struct vt *vt, int from, int to)
{
	for (; from < to; from++)
		clear_cells(vt, from, 0, VT_COLUMNS);
}

/* Lines [first, last] go up, or down. */
static void scroll(struct vt *vt, int first, int last, int by)
{
	int i;

	for (; by > 0; by--) {
		for (i = first; i < last; i++)
			memcpy(vt->cell[i], vt->cell[i + 1], sizeof(vt->cell[i]));
		clear_rows(vt, last, last + 1);
	}
	for (; by < 0; by++) {
		for (i = last; i > first; i--)
			memcpy(vt->cell[i], vt->cell[i - 1], sizeof(vt->cell[i]));
		clear_rows(vt, first, first + 1);
	}
}

static int limit(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

static void go(struct vt *vt, int row, int column)
{
	vt->row = limit(row, 0, vt->rows - 1);
	vt->column = limit(column, 0, vt->columns - 1);
}

static void new_line(struct vt *vt)
{
	if (vt->row == vt->bottom)
		scroll(vt, vt->top, vt->bottom, 1);
	else if (vt->row < vt->rows - 1)
		vt->row++;
}

/* Also behind the last column, where it waits for the next character. */
static void put(struct vt *vt, uint32_t code)
{
	int width = wcwidth((wchar_t)code);

	if (width <= 0)
		return;
	if (vt->column + width > vt->columns) {
		vt->column = 0;
		new_line(vt);
	}
	vt->cell[vt->row][vt->column] = code;
	if (width == 2)
		vt->cell[vt->row][vt->column + 1] = UINT32_MAX;
	vt->column += width;
	vt->last = code;
}

static void shift_cells(struct vt *vt, int by)
{
	uint32_t *row = vt->cell[vt->row];
	int i;

	if (by > 0) {
		for (i = vt->columns - 1; i >= vt->column + by; i--)
			row[i] = row[i - by];
		clear_cells(vt, vt->row, vt->column, vt->column + by);
		return;
	}
	for (i = vt->column; i < vt->columns + by; i++)
		row[i] = row[i - by];
	clear_cells(vt, vt->row, vt->columns + by, vt->columns);
}

/* ---- sequences */

static void not_known(struct vt *vt)
{
	if (!vt->unknown++)
		memcpy(vt->first_unknown, vt->pending + 1, sizeof(vt->first_unknown) - 1);
}

static void set_mode(struct vt *vt, int mode, bool on)
{
	switch (mode) {
	case 1049:
		vt->alternate = on;
		if (on) {
			clear_rows(vt, 0, VT_ROWS);
			vt->top = 0;
			vt->bottom = vt->rows - 1;
		}
		return;
	case 25:
		vt->cursor = on;
		return;
	/* Keys of the cursor, wrapping, blinking, the meta key: nothing to see of these. */
	case 1: case 7: case 12: case 1034: case 2004:
		return;
	}
	not_known(vt);
}

static void erase_display(struct vt *vt, int what)
{
	if (what == 0) {
		clear_cells(vt, vt->row, vt->column, VT_COLUMNS);
		clear_rows(vt, vt->row + 1, VT_ROWS);
	} else if (what == 1) {
		clear_rows(vt, 0, vt->row);
		clear_cells(vt, vt->row, 0, vt->column + 1);
	} else {
		clear_rows(vt, 0, VT_ROWS);
	}
}

static void erase_line(struct vt *vt, int what)
{
	clear_cells(vt, vt->row, what == 0 ? vt->column : 0,
		    what == 1 ? vt->column + 1 : VT_COLUMNS);
}

static void edit(struct vt *vt, char final, const int *n)
{
	const int count = n[0] ? n[0] : 1;
	int i;

	switch (final) {
	case 'A': go(vt, vt->row - count, vt->column); return;
	case 'B': go(vt, vt->row + count, vt->column); return;
	case 'C': go(vt, vt->row, vt->column + count); return;
	case 'D': go(vt, vt->row, vt->column - count); return;
	case 'G': go(vt, vt->row, count - 1); return;
	case 'd': go(vt, count - 1, vt->column); return;
	case 'H': case 'f': go(vt, count - 1, n[1] ? n[1] - 1 : 0); return;
	case 'J': erase_display(vt, n[0]); return;
	case 'K': erase_line(vt, n[0]); return;
	case 'L': scroll(vt, vt->row, vt->bottom, -count); return;
	case 'M': scroll(vt, vt->row, vt->bottom, count); return;
	case 'S': scroll(vt, vt->top, vt->bottom, count); return;
	case 'T': scroll(vt, vt->top, vt->bottom, -count); return;
	case '@': shift_cells(vt, count); return;
	case 'P': shift_cells(vt, -count); return;
	case 'X': clear_cells(vt, vt->row, vt->column, vt->column + count); return;
	case 'b':
		for (i = 0; i < count; i++)
			put(vt, vt->last);
		return;
	case 'r':
		vt->top = n[0] ? n[0] - 1 : 0;
		vt->bottom = n[1] ? n[1] - 1 : vt->rows - 1;
		go(vt, 0, 0);
		return;
	}
	not_known(vt);
}

static bool is_color(int n)
{
	return (n >= 30 && n <= 38) || (n >= 40 && n <= 48) || n >= 90;
}

/* "ESC [ 1 ; 2 H", whole. */
static void control(struct vt *vt, const char *at, char final)
{
	const bool private = *at == '?';
	int n[8] = { 0 }, parts = 0, i;

	if (*at == '?' || *at == '>')
		at++;
	while (parts < 8) {
		n[parts++] = (int)strtol(at, (char **)&at, 10);
		if (*at != ';')
			break;
		at++;
	}
	if (final == 'm') {
		for (i = 0; i < parts; i++)
			vt->colors = vt->colors || is_color(n[i]);
		return;
	}
	/* Requests, the title, and modes that are not private: nothing to see. */
	if (final == 'c' || final == 't' || final == 'n' ||
	    (!private && (final == 'l' || final == 'h')))
		return;
	if (private && (final == 'h' || final == 'l')) {
		for (i = 0; i < parts; i++)
			set_mode(vt, n[i], final == 'h');
		return;
	}
	edit(vt, final, n);
}

/* Is the sequence that begins with ESC whole? Then it is done. */
static bool escape(struct vt *vt)
{
	const char *p = vt->pending;
	const size_t n = vt->pending_len;
	const char final = p[n - 1];

	if (n < 2)
		return false;
	switch (p[1]) {
	case '[':
		if (n == 2 || final < 0x40 || final > 0x7e)
			return false;
		control(vt, p + 2, final);
		return true;
	case '(': case ')': case '#':
		return n == 3;
	case ']':
		return final == 7 || (final == '\\' && p[n - 2] == 27);
	case '7':
		vt->saved_row = vt->row;
		vt->saved_column = vt->column;
		return true;
	case '8':
		go(vt, vt->saved_row, vt->saved_column);
		return true;
	case 'M':
		if (vt->row == vt->top)
			scroll(vt, vt->top, vt->bottom, -1);
		else
			vt->row--;
		return true;
	case '=': case '>':
		return true;
	}
	not_known(vt);
	return true;
}

static bool character(struct vt *vt)
{
	wchar_t code;
	mbstate_t state = { 0 };
	const size_t n = mbrtowc(&code, vt->pending, vt->pending_len, &state);

	if (n == (size_t)-2)
		return false;
	if (n == (size_t)-1)
		not_known(vt);
	else
		put(vt, (uint32_t)code);
	return true;
}

static void keep_normal(struct vt *vt, char byte)
{
	if (!vt->alternate && byte != '\r' && vt->normal_len < sizeof(vt->normal) - 1)
		vt->normal[vt->normal_len++] = byte;
}

static void take_byte(struct vt *vt, char byte)
{
	if (vt->pending_len == sizeof(vt->pending) - 1) {
		not_known(vt);
		vt->pending_len = 0;
	}
	if (!vt->pending_len) {
		switch (byte) {
		case '\r': vt->column = 0; return;
		case '\n': keep_normal(vt, byte); new_line(vt); return;
		case '\b': go(vt, vt->row, vt->column - 1); return;
		case '\t': go(vt, vt->row, (vt->column / 8 + 1) * 8); return;
		case 7: case 14: case 15: return;
		}
	}
	vt->pending[vt->pending_len++] = byte;
	vt->pending[vt->pending_len] = 0;
	if (*vt->pending != 27)
		keep_normal(vt, byte);
	if (*vt->pending == 27 ? escape(vt) : character(vt))
		vt->pending_len = 0;
}

/* ---- the program */

static void set_size(int fd, int rows, int columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	ioctl(fd, TIOCSWINSZ, &size);
}

void vt_start(struct vt *vt, int rows, int columns, char *const argv[])
{
	memset(vt, 0, sizeof(*vt));
	vt->rows = rows;
	vt->columns = columns;
	vt->bottom = rows - 1;
	vt->cursor = true;
	if (openpty(&vt->master, &vt->slave, NULL, NULL, NULL))
		abort();
	fcntl(vt->master, F_SETFD, FD_CLOEXEC);
	fcntl(vt->slave, F_SETFD, FD_CLOEXEC);
	set_size(vt->slave, rows, columns);
	tcgetattr(vt->slave, &vt->before);
	vt->pid = fork();
	if (vt->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	login_tty(dup(vt->slave));
	execvp(argv[0], argv);
	_exit(126);
}

bool vt_take(struct vt *vt, int milliseconds)
{
	struct pollfd wait = { .fd = vt->master, .events = POLLIN };
	char bytes[4096];
	ssize_t n, i;

	if (poll(&wait, 1, milliseconds) != 1)
		return true;
	n = read(vt->master, bytes, sizeof(bytes));
	for (i = 0; i < n; i++)
		take_byte(vt, bytes[i]);
	return n > 0;
}

void vt_type(struct vt *vt, const char *keys)
{
	if (write(vt->master, keys, strlen(keys)) < 0)
		abort();
}

void vt_resize(struct vt *vt, int rows, int columns)
{
	vt->rows = rows;
	vt->columns = columns;
	vt->top = 0;
	vt->bottom = rows - 1;
	go(vt, vt->row, vt->column);
	set_size(vt->master, rows, columns);
}

const char *vt_line(const struct vt *vt, int row)
{
	static char line[4 * VT_COLUMNS + 1];
	mbstate_t state = { 0 };
	size_t at = 0, end = 0, n;
	int i;

	for (i = 0; i < vt->columns; i++) {
		const uint32_t code = vt->cell[row][i];

		if (code == UINT32_MAX)
			continue;
		n = wcrtomb(line + at, code ? (wchar_t)code : L' ', &state);
		if (n == (size_t)-1)
			continue;
		at += n;
		if (code && code != ' ')
			end = at;
	}
	line[end] = 0;
	return line;
}

int vt_find(const struct vt *vt, const char *text)
{
	int row;

	for (row = 0; row < vt->rows; row++)
		if (strstr(vt_line(vt, row), text))
			return row;
	return -1;
}

void vt_print(const struct vt *vt)
{
	int row;

	printf("+-- %dx%d%s\n", vt->columns, vt->rows, vt->alternate ? "" : ", not in use");
	for (row = 0; row < vt->rows; row++)
		printf("| %s\n", vt_line(vt, row));
	fflush(stdout);
}

bool vt_modes_are_restored(const struct vt *vt)
{
	struct termios now;

	/* Behind what we have written to it ourselves. */
	return !tcgetattr(vt->slave, &now) && now.c_iflag == vt->before.c_iflag &&
	       now.c_oflag == vt->before.c_oflag && now.c_cflag == vt->before.c_cflag &&
	       now.c_lflag == vt->before.c_lflag &&
	       !memcmp(now.c_cc, vt->before.c_cc, sizeof(now.c_cc));
}

int vt_wait(struct vt *vt)
{
	int status = 0, tries = 3000;

	/* As the terminal stays open, its end is not told there. */
	while (!waitpid(vt->pid, &status, WNOHANG) && --tries)
		vt_take(vt, 10);
	if (!tries)
		return -1;
	vt->pid = 0;
	while (vt_take(vt, 0)) {
		struct pollfd more = { .fd = vt->master, .events = POLLIN };

		if (poll(&more, 1, 0) != 1)
			break;
	}
	vt->normal[vt->normal_len] = 0;
	return status;
}

void vt_end(struct vt *vt)
{
	if (vt->pid > 0) {
		kill(vt->pid, SIGKILL);
		waitpid(vt->pid, NULL, 0);
	}
	close(vt->master);
	close(vt->slave);
}
