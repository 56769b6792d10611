// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp: the command for people. Each verb is a file of its own.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "blame/verbs.h"
#include "ourselves.h"
#include "record/record.h"
#include "report/verb.h"
#include "top/top.h"
#include "uffdwp.h"
#include "watch/watch.h"

static const struct {
	const char *verb;
	int (*run)(int argc, char **argv);
	const char *what;
} verbs[] = {
	{ "watch", watch_main, "show which memory a process writes, as it writes" },
	{ "top", top_main, "show processes by how much memory they write" },
	{ "record", record_main, "record which memory a process writes, and when, into a file" },
	{ "report", report_main, "show what was recorded: tables, heat maps, a page" },
	{ "blame", blame_main, "show who writes it: threads, functions, stacks" },
	{ "trap", trap_main, "wait for the next write to some pages, and show who it is" },
	{ "latency", latency_main, "show how long first writes take" },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void usage(FILE *to)
{
	size_t i;

	fputs("usage: uffdwp VERB [OPTION...]\n\n", to);
	for (i = 0; i < VERBS; i++)
		fprintf(to, "  %-10s %s\n", verbs[i].verb, verbs[i].what);
	fputs("\n  --version  print the version\n"
	      "  --help     this text; 'uffdwp VERB --help' tells more\n", to);
}

static int run(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("uffdwp %s\n", uffdwp_version());
		return 0;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	for (i = 0; i < VERBS; i++)
		if (!strcmp(argv[1], verbs[i].verb))
			return verbs[i].run(argc - 1, argv + 1);
	fprintf(stderr, "uffdwp: there is no verb '%s'\n\n", argv[1]);
	usage(stderr);
	return 2;
}

/* What was printed is still in memory, and there may be no room for it where it goes. */
static int finish(int status)
{
	if (status || (!fflush(stdout) && !ferror(stdout)))
		return status;
	fprintf(stderr, "uffdwp: cannot write to standard output: %s\n", strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	ourselves_survive_limits();
	return finish(run(argc, argv));
}
