/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_SCREEN_H
#define TOOLS_TOP_SCREEN_H

#include <stdbool.h>

#include "top/rows.h"

struct screen;

/**
 * screen_open - take the terminal
 * @screen: out: the screen
 * @interval: seconds between two reports, which keys change
 * @utf8: the terminal knows other characters than those of ASCII
 *
 * What is said on standard error meanwhile is shown, and printed after screen_close(): as much as
 * a pipe has room for.
 *
 * Return: 0; -ENOTTY when that terminal cannot be used; or another negative errno.
 */
int screen_open(struct screen **screen, double *interval, bool utf8);

/* A new report; while it is paused it is not shown. Return: 0 or -ENOMEM. */
int screen_show(struct screen *screen, const struct top_report *report);

/* Take the keys that were pressed. False: it is to end. */
bool screen_take_keys(struct screen *screen);

/* Give the terminal back as it was. NULL is no screen. */
void screen_close(struct screen *screen);

#endif /* TOOLS_TOP_SCREEN_H */
