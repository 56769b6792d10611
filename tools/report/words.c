// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times and amounts for people.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "human.h"
#include "report/words.h"

static void two(uint64_t n, const char *unit, uint64_t rest, const char *rest_unit,
		char text[WORDS])
{
	if (rest)
		snprintf(text, WORDS, "%" PRIu64 " %s %" PRIu64 " %s", n, unit, rest, rest_unit);
	else
		snprintf(text, WORDS, "%" PRIu64 " %s", n, unit);
}

void words_length(double seconds, char text[WORDS])
{
	const uint64_t whole = (uint64_t)(seconds + 0.5);

	if (seconds < 60)
		snprintf(text, WORDS, seconds < 10 && fabs(seconds - whole) > 0.05 ? "%.1f s" :
			 "%.0f s", seconds);
	else if (whole < 3600)
		two(whole / 60, "min", whole % 60, "s", text);
	else
		two(whole / 3600, "h", whole % 3600 / 60, "min", text);
}

void words_clock(double seconds, char text[WORDS])
{
	const uint64_t whole = (uint64_t)(seconds + 0.5);

	if (seconds < 10 && fabs(seconds - whole) > 0.0005)
		snprintf(text, WORDS, "%.3g s", seconds);
	else if (seconds < 120 && fabs(seconds - whole) > 0.05)
		snprintf(text, WORDS, "%.1f s", seconds);
	else if (whole < 120)
		snprintf(text, WORDS, "%" PRIu64 " s", whole);
	else if (whole < 3600)
		snprintf(text, WORDS, "%" PRIu64 ":%02" PRIu64, whole / 60, whole % 60);
	else
		snprintf(text, WORDS, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, whole / 3600,
			 whole % 3600 / 60, whole % 60);
}

void words_tick(double seconds, double end, char text[WORDS])
{
	const uint64_t whole = (uint64_t)(seconds + 0.5);

	if (end < 120)
		snprintf(text, WORDS, "%g s", round(seconds * 1000) / 1000);
	else if (end < 3600)
		snprintf(text, WORDS, "%" PRIu64 ":%02" PRIu64, whole / 60, whole % 60);
	else
		snprintf(text, WORDS, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, whole / 3600,
			 whole % 3600 / 60, whole % 60);
}

void words_date(int64_t nanoseconds, char text[WORDS])
{
	const time_t seconds = nanoseconds / 1000000000;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(text, WORDS, "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(text, WORDS, "at an unknown time");
}

void words_pages(double pages, char text[WORDS])
{
	human_bytes(pages * MODEL_PAGE, text, WORDS);
}

void words_process(const struct model *m, uint64_t id, char text[WORDS])
{
	const struct seen_process *process = seen_find(&m->seen, id);

	if (process && strcmp(process->name, process->first_name))
		snprintf(text, WORDS, "process %d (%s, then %s)", (int)process->pid,
			 process->first_name, process->name);
	else if (process)
		snprintf(text, WORDS, "process %d (%s)", (int)process->pid, process->name);
	else
		snprintf(text, WORDS, "another process");
}

double words_step(double least)
{
	const double power = pow(10, floor(log10(least) + 1e-9));

	return least <= power * 1.0001 ? power : least <= 2 * power ? 2 * power :
	       least <= 5 * power ? 5 * power : 10 * power;
}

double words_time_step(double least)
{
	static const double steps[] = {
		1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600,
		43200, 86400,
	};
	size_t i;

	if (least <= 0.5)
		return words_step(least);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i] >= least)
			return steps[i];
	return 86400 * words_step(least / 86400);
}
