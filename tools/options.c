// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of "uffdwp watch".
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define PAGE 4096ull

void watch_usage(FILE *to)
{
	fputs("usage: uffdwp watch -p PID [OPTION...]\n"
	      "       uffdwp watch [OPTION...] -- COMMAND [ARG...]\n"
	      "\n"
	      "Show, at every interval, which memory a process has written.\n"
	      "\n"
	      "  -p, --pid PID          process to watch; it is not stopped\n"
	      "  -c, --children         also what it forks and executes, and what those do\n"
	      "  -i, --interval SECONDS time between two reports (1)\n"
	      "  -n, --count N          end after N reports (when the process ends)\n"
	      "  -r, --range START-END  only these addresses, hexadecimal as in /proc/PID/maps\n"
	      "  -m, --name PATTERN     only mappings of this name: heap, stack, anon, *alloc*\n"
	      "  -g, --by-name          one line for all mappings of a name\n"
	      "  -t, --top N            only the N lines with the most pages written\n"
	      "  -j, --json             a JSON object a line\n"
	      "  -o, --output FILE      reports go there, not to standard output\n"
	      "  -h, --help             this text\n"
	      "\n"
	      "Example: uffdwp watch -p $(pidof redis-server) -i 0.5\n", to);
}

static int wrong(char *why, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static bool whole_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *number >= min && *number <= max;
}

static bool seconds(const char *text, double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end != text && !*end && isfinite(*number) && *number >= 0.001 && *number <= 86400;
}

static bool hexadecimal(const char *text, char **end, uint64_t *number)
{
	errno = 0;
	*number = strtoull(text, end, 16);
	return !errno && *end != text && *text != '-';
}

/* Pages are the smallest thing that is watched, so a range is widened to them. */
static bool range(const char *text, uint64_t *start, uint64_t *end)
{
	char *rest;

	if (!hexadecimal(text, &rest, start) || *rest != '-')
		return false;
	if (!hexadecimal(rest + 1, &rest, end) || *rest)
		return false;
	if (*end <= *start || *end > UINT64_MAX - PAGE)
		return false;
	*start &= ~(PAGE - 1);
	*end = (*end + PAGE - 1) & ~(PAGE - 1);
	return true;
}

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "children", no_argument, NULL, 'c' },
	{ "interval", required_argument, NULL, 'i' },
	{ "count", required_argument, NULL, 'n' },
	{ "range", required_argument, NULL, 'r' },
	{ "name", required_argument, NULL, 'm' },
	{ "by-name", no_argument, NULL, 'g' },
	{ "top", required_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int take(int option, const char *word, struct watch_options *o, char *why, size_t size)
{
	uint64_t number;

	switch (option) {
	case 'p':
		if (!whole_number(optarg, 1, INT_MAX, &number))
			return wrong(why, size, "'%s' is no process id", optarg);
		o->pid = (pid_t)number;
		return 0;
	case 'c':
		o->children = true;
		return 0;
	case 'i':
		if (!seconds(optarg, &o->interval))
			return wrong(why, size, "'%s' is no interval: 0.001 to 86400 seconds",
				     optarg);
		return 0;
	case 'n':
		if (!whole_number(optarg, 1, UINT64_MAX, &o->count))
			return wrong(why, size, "'%s' is no count: 1 or more", optarg);
		return 0;
	case 'r':
		if (!range(optarg, &o->start, &o->end))
			return wrong(why, size, "'%s' is no range: write it as 7f0000000000-7f0000200000",
				     optarg);
		return 0;
	case 'm':
		o->name = optarg;
		return 0;
	case 'g':
		o->by_name = true;
		return 0;
	case 't':
		if (!whole_number(optarg, 1, UINT64_MAX, &o->top))
			return wrong(why, size, "'%s' is no number of lines: 1 or more", optarg);
		return 0;
	case 'o':
		o->output = optarg;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case ':':
		return wrong(why, size, "option '%s' needs a value", word);
	default:
		return wrong(why, size, "there is no option '%s'", word);
	}
}

int watch_options_parse(int argc, char **argv, struct watch_options *options, char *why,
			size_t size)
{
	int option, err;

	*options = (struct watch_options){ .interval = 1 };
	optind = 0;
	opterr = 0;
	/* The plus: options behind the command are the command's. The colon: tell ':' from '?'. */
	while ((option = getopt_long(argc, argv, "+:p:ci:n:r:m:gt:o:jh", long_options, NULL)) !=
	       -1) {
		err = take(option, argv[optind - 1], options, why, size);
		if (err)
			return err;
	}
	if (options->help)
		return 0;
	if (optind < argc)
		options->command = argv + optind;
	if (options->pid && options->command)
		return wrong(why, size, "give either a process (-p) or a command, not both");
	if (!options->pid && !options->command)
		return wrong(why, size, "what shall be watched? Give a process (-p PID) or a command");
	return 0;
}
