// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command lines of blame, trap and latency: each takes some of the same options.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <linux/types.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "blame/options.h"

#define PAGE 4096ull

enum {
	BY = 256,
	FOLDED,
	PPROF,
	JSON,
	DEBUGINFOD,
	ON,
	STACK,
	STOP,
};

#define COMMON					\
	{ "pid", required_argument, NULL, 'p' },	\
	{ "help", no_argument, NULL, 'h' }

static const struct option long_of_blame[] = {
	COMMON,
	{ "duration", required_argument, NULL, 'd' },
	{ "interval", required_argument, NULL, 'i' },
	{ "output", required_argument, NULL, 'o' },
	{ "by", required_argument, NULL, BY },
	{ "folded", no_argument, NULL, FOLDED },
	{ "pprof", no_argument, NULL, PPROF },
	{ "json", no_argument, NULL, JSON },
	{ "debuginfod", no_argument, NULL, DEBUGINFOD },
	{ 0 },
};

static const struct option long_of_trap[] = {
	COMMON,
	{ "on", required_argument, NULL, ON },
	{ "count", required_argument, NULL, 'n' },
	{ "stack", no_argument, NULL, STACK },
	{ "stop", no_argument, NULL, STOP },
	{ "debuginfod", no_argument, NULL, DEBUGINFOD },
	{ 0 },
};

static const struct option long_of_latency[] = {
	COMMON,
	{ "duration", required_argument, NULL, 'd' },
	{ "interval", required_argument, NULL, 'i' },
	{ 0 },
};

/* Short options begin with the plus that leaves those of the command alone; see getopt(3). */
static const struct {
	const char *verb;
	const char *letters;
	const struct option *options;
} verbs[] = {
	{ "blame", "+:p:hd:i:o:", long_of_blame },
	{ "trap", "+:p:hn:", long_of_trap },
	{ "latency", "+:p:hd:i:", long_of_latency },
};

static bool is_time(const char *text, double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end != text && !*end && isfinite(*number) && *number >= 0.001 && *number <= 1e6;
}

static bool hexadecimal(const char *text, char **end, uint64_t *number)
{
	errno = 0;
	*number = strtoull(text, end, 16);
	return !errno && *end != text && *text != '-' && *number < UINT64_MAX - PAGE;
}

bool blame_range(const char *text, uint64_t *start, uint64_t *end)
{
	char *rest;

	if (!hexadecimal(text, &rest, start))
		return false;
	*end = *start + 1;
	if (*rest == '-' && !hexadecimal(rest + 1, &rest, end))
		return false;
	if (*rest || *end <= *start)
		return false;
	*start &= ~(PAGE - 1);
	*end = (*end + PAGE - 1) & ~(PAGE - 1);
	return true;
}

static bool by(const char *text, enum blame_by *b)
{
	static const char *const names[] = { "task", "function", "stack", "mapping" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			*b = (enum blame_by)i;
			return true;
		}
	return false;
}

/* One format only: the last one is not silently taken. */
static int format(struct blame_options *a, enum blame_format wanted, char *why, size_t size)
{
	if (a->format != BLAME_TABLE && a->format != wanted)
		return argument_wrong(why, size, "choose one of --folded, --pprof and --json");
	a->format = wanted;
	return 0;
}

static int take(int option, const char *word, struct blame_options *a, bool *by_given, char *why,
		size_t size)
{
	uint64_t number;

	switch (option) {
	case 'p':
		if (!argument_number(optarg, 1, INT_MAX, &number))
			return argument_wrong(why, size, "'%s' is no process id", optarg);
		a->pid = (pid_t)number;
		return 0;
	case 'd':
		if (!is_time(optarg, &a->seconds))
			return argument_wrong(why, size, "'%s' is no duration: 0.001 to 1000000 seconds",
				     optarg);
		return 0;
	case 'i':
		if (!is_time(optarg, &a->interval))
			return argument_wrong(why, size, "'%s' is no interval: 0.001 to 1000000 seconds",
				     optarg);
		return 0;
	case 'n':
		if (!argument_number(optarg, 1, UINT32_MAX, &a->count))
			return argument_wrong(why, size, "'%s' is no count: 1 or more", optarg);
		return 0;
	case 'o':
		a->output = optarg;
		return 0;
	case 'h':
		a->help = true;
		return 0;
	case BY:
		*by_given = true;
		if (!by(optarg, &a->by))
			return argument_wrong(why, size, "--by is one of task, function, stack and mapping, not '%s'",
				     optarg);
		return 0;
	case FOLDED:
		return format(a, BLAME_FOLDED, why, size);
	case PPROF:
		return format(a, BLAME_PPROF, why, size);
	case JSON:
		return format(a, BLAME_JSON, why, size);
	case DEBUGINFOD:
		a->debuginfod = true;
		return 0;
	case ON:
		a->on = optarg;
		return 0;
	case STACK:
		a->stack = true;
		return 0;
	case STOP:
		a->stop = true;
		return 0;
	case ':':
		return argument_wrong(why, size, "option '%s' needs a value", word);
	default:
		return argument_wrong(why, size, "there is no option '%s'", word);
	}
}

static int check(struct blame_options *a, const char *verb, bool by_given, int left, char *why,
		 size_t size)
{
	const bool takes_command = !strcmp(verb, "blame");
	const bool stacks = a->format == BLAME_FOLDED || a->format == BLAME_PPROF;

	if (a->help)
		return 0;
	if (left && !takes_command)
		return argument_wrong(why, size, "there is a word too many: '%s'", a->command[0]);
	if (!a->pid == !left)
		return argument_wrong(why, size, takes_command ? "say either -p PID or -- COMMAND" :
			     "say which process: -p PID");
	if (!strcmp(verb, "trap") && !a->on)
		return argument_wrong(why, size, "say which memory: --on ADDRESS[-END] or --on MAPPING");
	if (stacks && by_given && a->by != BLAME_BY_STACK)
		return argument_wrong(why, size, "--folded and --pprof are made of stacks: leave out --by");
	if (stacks)
		a->by = BLAME_BY_STACK;
	return 0;
}

int blame_options_parse(int argc, char **argv, struct blame_options *a, char *why, size_t size)
{
	bool by_given = false;
	int option, err = 0;
	size_t i = 0;

	*a = (struct blame_options){ .interval = 1, .by = BLAME_BY_FUNCTION, .count = 1 };
	while (strcmp(verbs[i].verb, argv[0]))
		i++;
	optind = 0;
	opterr = 0;
	while (!err && (option = getopt_long(argc, argv, verbs[i].letters, verbs[i].options,
					     NULL)) != -1)
		err = take(option, argv[optind - 1], a, &by_given, why, size);
	if (err)
		return err;
	if (optind < argc)
		a->command = argv + optind;
	return check(a, argv[0], by_given, argc - optind, why, size);
}
