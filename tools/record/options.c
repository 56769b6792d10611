// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of "uffdwp record".
 */
#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "arguments.h"
#include "record/options.h"

#define DEFAULT_CELLS 512

/* So many that a terabyte has cells of 64 KiB; more would only fill the disk. */
#define MOST_CELLS 65536

void record_usage(FILE *to)
{
	fputs("usage: uffdwp record -p PID [OPTION...]\n"
	      "       uffdwp record --cgroup PATH [OPTION...]\n"
	      "       uffdwp record [OPTION...] -- COMMAND [ARG...]\n"
	      "\n"
	      "Record which memory a process writes, and when, for 'uffdwp report'.\n"
	      "\n"
	      "  -p, --pid PID           process to record; it is not stopped\n"
	      "      --cgroup PATH       what is in this cgroup and below it: /sys/fs/cgroup/a/b or a/b\n"
	      "  -c, --children          also what it forks and executes, and what those do\n"
	      "  -o, --output FILE       the recording (uffdwp.data)\n"
	      "  -i, --interval SECONDS  how exact times are (1)\n"
	      "  -n, --count N           end after N intervals (when the process ends)\n"
	      "  -d, --duration SECONDS  end after so long\n"
	      "  -r, --range START-END   only these addresses, hexadecimal as in /proc/PID/maps\n"
	      "  -m, --name PATTERN      only mappings of this name: heap, stack, anon, *alloc*\n"
	      "      --cells N           how exact places are: parts of a mapping (512)\n"
	      "  -q, --quiet             print errors only\n"
	      "  -h, --help              this text\n"
	      "\n"
	      "Example: uffdwp record -p $(pidof redis-server) -d 60; uffdwp report uffdwp.data\n",
	      to);
}

/* Not letters */
enum { CELLS = 256, CGROUP };

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "cgroup", required_argument, NULL, CGROUP },
	{ "children", no_argument, NULL, 'c' },
	{ "output", required_argument, NULL, 'o' },
	{ "interval", required_argument, NULL, 'i' },
	{ "count", required_argument, NULL, 'n' },
	{ "duration", required_argument, NULL, 'd' },
	{ "range", required_argument, NULL, 'r' },
	{ "name", required_argument, NULL, 'm' },
	{ "cells", required_argument, NULL, CELLS },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* What is recorded. */
static int take_selection(int option, struct selection *what, char *why, size_t size)
{
	uint64_t number;

	switch (option) {
	case 'p':
		if (!argument_number(optarg, 1, INT_MAX, &number))
			return argument_wrong(why, size, "'%s' is no process id", optarg);
		what->pid = (pid_t)number;
		return 0;
	case 'c':
		what->children = true;
		return 0;
	case 'r':
		if (!argument_range(optarg, &what->start, &what->end))
			return argument_wrong(why, size, "'%s' is no range: write it as 7f0000000000-7f0000200000",
					      optarg);
		return 0;
	default:
		what->name = optarg;
		return 0;
	}
}

/* More than a day in whole seconds. */
static bool take_duration(const char *text, double *seconds)
{
	uint64_t whole;

	if (argument_seconds(text, seconds))
		return true;
	if (!argument_number(text, 1, UINT32_MAX, &whole))
		return false;
	*seconds = whole;
	return true;
}

static int take(int option, const char *word, struct record_options *o, char *why, size_t size)
{
	switch (option) {
	case 'p':
	case 'c':
	case 'r':
	case 'm':
		return take_selection(option, &o->what, why, size);
	case CGROUP:
		if (!*optarg)
			return argument_wrong(why, size, "the name of the cgroup is empty");
		o->cgroup = optarg;
		return 0;
	case 'o':
		if (!*optarg || !strcmp(optarg, "-"))
			return argument_wrong(why, size, "a recording needs a file: '%s' is none",
					      optarg);
		o->output = optarg;
		return 0;
	case 'i':
		if (!argument_seconds(optarg, &o->interval))
			return argument_wrong(why, size, "'%s' is no interval: 0.001 to 86400 seconds",
					      optarg);
		return 0;
	case 'n':
		if (!argument_number(optarg, 1, UINT64_MAX, &o->count))
			return argument_wrong(why, size, "'%s' is no count: 1 or more", optarg);
		return 0;
	case 'd':
		if (!take_duration(optarg, &o->duration))
			return argument_wrong(why, size, "'%s' is no duration: 0.001 seconds or more",
					      optarg);
		return 0;
	case CELLS:
		if (!argument_number(optarg, 1, MOST_CELLS, &o->most_cells))
			return argument_wrong(why, size, "'%s' is no number of cells: 1 to %d",
					      optarg, MOST_CELLS);
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case ':':
		return argument_wrong(why, size, "option '%s' needs a value", word);
	default:
		return argument_wrong(why, size, "there is no option '%s'", word);
	}
}

static int check(const struct record_options *o, char *why, size_t size)
{
	const int named = !!o->what.pid + !!o->what.command + !!o->cgroup;

	if (named > 1)
		return argument_wrong(why, size,
				      "give one of a process (-p), a command and a cgroup");
	if (!named)
		return argument_wrong(why, size, "what shall be recorded? Give a process (-p PID), a cgroup (--cgroup PATH) or a command");
	if (o->cgroup && o->what.children)
		return argument_wrong(why, size,
				      "without -c: children in the cgroup are recorded anyhow");
	return 0;
}

int record_options_parse(int argc, char **argv, struct record_options *options, char *why,
			 size_t size)
{
	int option, err;

	*options = (struct record_options){
		.interval = 1, .most_cells = DEFAULT_CELLS, .output = "uffdwp.data",
	};
	optind = 0;
	opterr = 0;
	/* The plus: options behind the command are the command's. The colon: tell ':' from '?'. */
	while ((option = getopt_long(argc, argv, "+:p:co:i:n:d:r:m:qh", long_options, NULL)) !=
	       -1) {
		err = take(option, argv[optind - 1], options, why, size);
		if (err)
			return err;
	}
	if (options->help)
		return 0;
	if (options->duration > 0 && options->duration < options->interval)
		options->interval = options->duration;
	if (optind < argc)
		options->what.command = argv + optind;
	return check(options, why, size);
}
