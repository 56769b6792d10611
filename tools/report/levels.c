// SPDX-License-Identifier: GPL-2.0-only
/*
 * Colours of the scale. Lightness falls from level to level, from yellow over green to a dark blue,
 * so that it is a scale also for those who see fewer colours, and on paper. A terminal is dark as a
 * rule, and there it rises.
 */
#include "report/levels.h"

const struct level levels[LEVELS] = {
	{ 0,     "nothing",     0xf7f7f7, "",           " ", ' ' },
	{ 0.001, "to 0.1 %",    0xf2e34c, "38;5;60",    "\u00b7", '.' },
	{ 0.003, "to 0.3 %",    0xa9d848, "38;5;61",    "\u2591", ':' },
	{ 0.01,  "to 1 %",      0x55b96c, "38;5;31",    "\u2591", '-' },
	{ 0.03,  "to 3 %",      0x2a9587, "38;5;36",    "\u2592", '+' },
	{ 0.1,   "to 10 %",     0x2b6f8e, "38;5;71",    "\u2592", '*' },
	{ 0.3,   "to 30 %",     0x3a4689, "38;5;149",   "\u2593", '#' },
	{ 1,     "to 100 %",    0x3b0f57, "38;5;227",   "\u2588", '@' },
};

size_t level_of(double share)
{
	size_t level = 1;

	if (share <= 0)
		return 0;
	while (level < LEVELS - 1 && share > levels[level].most * 1.0000001)
		level++;
	return level;
}
