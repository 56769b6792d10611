/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_SCREEN_H
#define TOOLS_TOP_SCREEN_H

#include <stdbool.h>

#include "top/rows.h"

struct top_screen;

/**
 * top_screen_open - take the terminal
 * @screen: out: the screen
 * @interval: seconds between two reports, which keys change
 * @utf8: the terminal knows other characters than those of ASCII
 *
 * What is said on standard error meanwhile is shown, and printed by top_screen_close(), as far as
 * there is room for it.
 *
 * Return: 0; -ENOTTY when that terminal cannot be used; or another negative errno.
 */
int top_screen_open(struct top_screen **screen, double *interval, bool utf8);

/* A new report; while it is paused it is not shown. Return: 0 or -ENOMEM. */
int top_screen_show(struct top_screen *screen, const struct top_report *report);

/* Take the keys that were pressed. False: it is to end. */
bool top_screen_take_keys(struct top_screen *screen);

/* Give the terminal back as it was. NULL is no screen. */
void top_screen_close(struct top_screen *screen);

#endif /* TOOLS_TOP_SCREEN_H */
