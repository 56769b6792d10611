/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_ASK_H
#define TOOLS_TOP_ASK_H

#include <stdbool.h>

#include "crowd/processes.h"

/**
 * ask_for_all - shall the whole machine be tracked?
 * @list: its processes
 *
 * Without a terminal nobody is asked, and the answer is no. What to do then is printed.
 *
 * Return: 0 for yes, otherwise the exit status of the program.
 */
int ask_for_all(const struct pid_list *list);

/* Is that a yes? */
bool ask_is_yes(const char *answer);

#endif /* TOOLS_TOP_ASK_H */
