// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of "uffdwp top".
 */
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>

#include "arguments.h"
#include "top/options.h"

void top_usage(FILE *to)
{
	fputs("usage: uffdwp top [OPTION...]\n"
	      "\n"
	      "Show processes by how much memory they write. Without -p, --cgroup and -u that is\n"
	      "every process of the machine.\n"
	      "\n"
	      "  -p, --pid PID,...      these processes\n"
	      "      --cgroup PATH      what is in this cgroup and below it: /sys/fs/cgroup/a/b or a/b\n"
	      "  -u, --user USER        processes of this user, a name or a number\n"
	      "  -i, --interval SECONDS time between two reports (1)\n"
	      "  -n, --count N          end after N reports\n"
	      "  -t, --top N            only the N processes that write most\n"
	      "      --plain            tables one below the other, also on a terminal\n"
	      "  -j, --json             a JSON object a line\n"
	      "      --prometheus FILE  also keep metrics there, for node_exporter's textfile collector\n"
	      "  -y, --yes              do not ask before the whole machine is tracked\n"
	      "  -h, --help             this text; on a terminal, key h explains the keys\n"
	      "\n"
	      "Example: uffdwp top --cgroup system.slice/redis-server.service -i 5\n", to);
}

enum { CGROUP = 256, PLAIN, PROMETHEUS };

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "cgroup", required_argument, NULL, CGROUP },
	{ "user", required_argument, NULL, 'u' },
	{ "interval", required_argument, NULL, 'i' },
	{ "count", required_argument, NULL, 'n' },
	{ "top", required_argument, NULL, 't' },
	{ "plain", no_argument, NULL, PLAIN },
	{ "json", no_argument, NULL, 'j' },
	{ "prometheus", required_argument, NULL, PROMETHEUS },
	{ "yes", no_argument, NULL, 'y' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static bool has(const struct top_options *o, pid_t pid)
{
	size_t i;

	for (i = 0; i < o->pids; i++)
		if (o->pid[i] == pid)
			return true;
	return false;
}

static int take_pids(const char *list, struct top_options *o, char *why, size_t size)
{
	char word[16];
	uint64_t number;
	size_t length;

	do {
		length = strcspn(list, ",");
		snprintf(word, sizeof(word), "%.*s", (int)(length < 15 ? length : 15), list);
		if (!argument_number(word, 1, INT_MAX, &number))
			return argument_wrong(why, size, "'%s' is no process id", word);
		if (!has(o, (pid_t)number) && o->pids == TOP_PIDS_MAX)
			return argument_wrong(why, size, "more than %d process ids: use --cgroup or -u",
					      TOP_PIDS_MAX);
		if (!has(o, (pid_t)number))
			o->pid[o->pids++] = (pid_t)number;
		list += length;
	} while (*list++);
	return 0;
}

static int take_user(const char *word, struct top_options *o, char *why, size_t size)
{
	const struct passwd *entry = getpwnam(word);
	uint64_t number;

	if (entry)
		o->user = entry->pw_uid;
	else if (argument_number(word, 0, UINT32_MAX - 1, &number))
		o->user = (uid_t)number;
	else
		return argument_wrong(why, size, "there is no user '%s'", word);
	o->by_user = true;
	return 0;
}

static int take_number(const char *what, const char *word, uint64_t *number, char *why, size_t size)
{
	if (argument_number(word, 1, UINT64_MAX, number))
		return 0;
	return argument_wrong(why, size, "'%s' is no %s: 1 or more", word, what);
}

static int take_text(const char *what, const char *word, const char **text, char *why, size_t size)
{
	if (!*word)
		return argument_wrong(why, size, "the name of the %s is empty", what);
	*text = word;
	return 0;
}

static int take(int option, const char *word, struct top_options *o, char *why, size_t size)
{
	switch (option) {
	case 'p':
		return take_pids(optarg, o, why, size);
	case CGROUP:
		return take_text("cgroup", optarg, &o->cgroup, why, size);
	case 'u':
		return take_user(optarg, o, why, size);
	case 'i':
		if (!argument_seconds(optarg, &o->interval))
			return argument_wrong(why, size, "'%s' is no interval: 0.001 to 86400 seconds",
					      optarg);
		return 0;
	case 'n':
		return take_number("count", optarg, &o->count, why, size);
	case 't':
		return take_number("number of lines", optarg, &o->top, why, size);
	case PLAIN:
		o->plain = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case PROMETHEUS:
		return take_text("file", optarg, &o->prometheus, why, size);
	case 'y':
		o->yes = true;
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

static int check(const struct top_options *o, char *why, size_t size)
{
	if (o->pids && (o->cgroup || o->by_user))
		return argument_wrong(why, size,
				      "give either process ids (-p), or a cgroup or user");
	if (o->json && o->plain)
		return argument_wrong(why, size, "give either --json or --plain, not both");
	return 0;
}

int top_options_parse(int argc, char **argv, struct top_options *options, char *why, size_t size)
{
	int option, err;

	*options = (struct top_options){ .interval = 1 };
	optind = 0;
	opterr = 0;
	/* The colon: tell ':' from '?'. */
	while ((option = getopt_long(argc, argv, "+:p:u:i:n:t:jyh", long_options, NULL)) != -1) {
		err = take(option, argv[optind - 1], options, why, size);
		if (err)
			return err;
	}
	if (options->help)
		return 0;
	if (optind < argc)
		return argument_wrong(why, size, "what is '%s'? A process is given by -p PID",
				      argv[optind]);
	return check(options, why, size);
}

bool top_options_want_all(const struct top_options *options)
{
	return !options->pids && !options->cgroup && !options->by_user;
}
