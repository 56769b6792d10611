/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program on a terminal of ours: a pseudo terminal, and behind it as much of an xterm as ncurses
 * uses, so that what a person would see can be asked for.
 */
#ifndef GUEST_VT_H
#define GUEST_VT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

#define VT_ROWS 60
#define VT_COLUMNS 200

struct vt {
	int master;
	int slave;		/* kept open: its modes are asked for when all has ended */
	pid_t pid;
	int rows;
	int columns;
	uint32_t cell[VT_ROWS][VT_COLUMNS];	/* of the alternate screen: 0 is empty */
	int row;
	int column;
	int saved_row;
	int saved_column;
	int top;		/* of the region that scrolls */
	int bottom;
	bool alternate;
	bool cursor;		/* is shown */
	bool colors;		/* some were used */
	uint32_t last;		/* character */
	/* What was printed on the other screen */
	char normal[16384];
	size_t normal_len;
	/* A sequence, or a character, that is not whole yet */
	char pending[64];
	size_t pending_len;
	unsigned int unknown;	/* sequences that were not understood */
	char first_unknown[64];
	struct termios before;	/* modes of the terminal, before the program ran */
};

/* Start a program. TERM and LC_ALL are the caller's. */
void vt_start(struct vt *vt, int rows, int columns, char *const argv[]);

/* Take what the program has printed, for so many milliseconds at most. False: it has ended. */
bool vt_take(struct vt *vt, int milliseconds);

void vt_type(struct vt *vt, const char *keys);
void vt_resize(struct vt *vt, int rows, int columns);

/* A line of the screen, in UTF-8, without spaces at its end. Valid until the next call. */
const char *vt_line(const struct vt *vt, int row);

/* The number of the first line with this in it, or -1. */
int vt_find(const struct vt *vt, const char *text);

void vt_print(const struct vt *vt);

/* Are the modes of the terminal those that they were? */
bool vt_modes_are_restored(const struct vt *vt);

/* Wait for the end of the program. Return: its status, as from wait(2). */
int vt_wait(struct vt *vt);

void vt_end(struct vt *vt);

#endif /* GUEST_VT_H */
