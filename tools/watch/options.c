// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of "uffdwp watch".
 */
#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "arguments.h"
#include "watch/options.h"

void watch_usage(FILE *to)
{
	fputs("usage: uffdwp watch -p PID [OPTION...]\n"
	      "       uffdwp watch [OPTION...] -- COMMAND [ARG...]\n"
	      "\n"
	      "Show, at every interval, which memory a process has written: live, on a terminal\n"
	      "(press h for help), otherwise as lines.\n"
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
	      "      --prometheus FILE  also keep metrics there, for node_exporter's textfile collector\n"
	      "      --plain            lines, where standard output is a terminal, too\n"
	      "      --screen           the live screen for a command, too: it must not use\n"
	      "                         the terminal\n"
	      "      --color WHEN       auto, always or never\n"
	      "  -h, --help             this text\n"
	      "\n"
	      "Example: uffdwp watch -p $(pidof redis-server) -i 0.5\n", to);
}

/* Options that have no letter */
enum {
	OPTION_PLAIN = 0x100,
	OPTION_SCREEN,
	OPTION_COLOR,
	PROMETHEUS,
};

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
	{ "prometheus", required_argument, NULL, PROMETHEUS },
	{ "plain", no_argument, NULL, OPTION_PLAIN },
	{ "screen", no_argument, NULL, OPTION_SCREEN },
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static bool is_color(const char *word, enum color_choice *color)
{
	static const char *const words[] = {
		[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]))
			continue;
		*color = i;
		return true;
	}
	return false;
}

static int take(int option, const char *word, struct watch_options *o, char *why, size_t size)
{
	uint64_t number;

	switch (option) {
	case 'p':
		if (!argument_number(optarg, 1, INT_MAX, &number))
			return argument_wrong(why, size, "'%s' is no process id", optarg);
		o->what.pid = (pid_t)number;
		return 0;
	case 'c':
		o->what.children = true;
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
	case 'r':
		if (!argument_range(optarg, &o->what.start, &o->what.end))
			return argument_wrong(why, size, "'%s' is no range: write it as 7f0000000000-7f0000200000",
				     optarg);
		return 0;
	case 'm':
		o->what.name = optarg;
		return 0;
	case 'g':
		o->by_name = true;
		return 0;
	case 't':
		if (!argument_number(optarg, 1, UINT64_MAX, &o->top))
			return argument_wrong(why, size, "'%s' is no number of lines: 1 or more",
					     optarg);
		return 0;
	case 'o':
		o->output = optarg;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case PROMETHEUS:
		if (!*optarg)
			return argument_wrong(why, size, "the name of the file is empty");
		o->prometheus = optarg;
		return 0;
	case OPTION_PLAIN:
		o->plain = true;
		return 0;
	case OPTION_SCREEN:
		o->screen = true;
		return 0;
	case OPTION_COLOR:
		if (!is_color(optarg, &o->color))
			return argument_wrong(why, size, "'%s' is no choice of colours: auto, always or never",
					     optarg);
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
		options->what.command = argv + optind;
	if (options->what.pid && options->what.command)
		return argument_wrong(why, size,
				     "give either a process (-p) or a command, not both");
	if (!options->what.pid && !options->what.command)
		return argument_wrong(why, size, "what shall be watched? Give a process (-p PID) or a command");
	if (options->screen && (options->plain || options->json || options->output))
		return argument_wrong(why, size, "--screen is for a terminal: leave out --plain, --json and --output, or --screen");
	return 0;
}
