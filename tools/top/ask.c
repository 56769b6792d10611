// SPDX-License-Identifier: GPL-2.0-only
/*
 * The question before the whole machine is tracked.
 */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "human.h"
#include "top/ask.h"

/* Threads of the kernel are no processes to a person. */
static size_t count(const struct pid_list *list, uint64_t *bytes)
{
	struct process_facts facts;
	size_t i, n = 0;

	*bytes = 0;
	for (i = 0; i < list->n; i++) {
		if (list->pid[i] == getpid() || process_read_facts(list->pid[i], &facts) ||
		    facts.kernel)
			continue;
		*bytes += facts.resident;
		n++;
	}
	return n;
}

bool ask_is_yes(const char *answer)
{
	size_t end;

	while (isspace((unsigned char)*answer))
		answer++;
	end = tolower((unsigned char)*answer) != 'y' ? 0 : strncasecmp(answer, "yes", 3) ? 1 : 3;
	if (!end)
		return false;
	for (answer += end; isspace((unsigned char)*answer); answer++)
		;
	return !*answer;
}

int ask_for_all(const struct pid_list *list)
{
	char answer[16], text[16];
	uint64_t bytes;
	size_t n = count(list, &bytes);

	human_bytes(bytes, text, sizeof(text));
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		fprintf(stderr, "uffdwp top: this would track all %zu processes, with %s: choose some with -p, --cgroup or -u, or say --yes\n",
			n, text);
		return 2;
	}
	fprintf(stderr, "Track %zu processes with %s? Their huge pages stay whole, and the first write to\n"
		"each page in an interval takes a fault. [y/N] ", n, text);
	fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) && ask_is_yes(answer))
		return 0;
	fputs("uffdwp top: nothing was tracked\n", stderr);
	return 1;
}
