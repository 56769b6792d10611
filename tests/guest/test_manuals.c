// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs in the manuals of libuffdwp, and in documents, do with the module what is said
 * there. check-manuals has taken them out and compiled them: NAME, and what it prints, NAME.prints,
 * where that is said.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "support.h"

#define FOLDER "/tests/manuals/"
#define MOST 64

/* All of a stream, as text. */
static void read_all(FILE *stream, char *text, size_t room)
{
	const size_t n = fread(text, 1, room - 1, stream);

	text[n] = '\0';
}

static bool read_expected(const char *name, char *text, size_t room)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), FOLDER "%s.prints", name);
	file = fopen(path, "re");
	if (!file)
		return false;
	read_all(file, text, room);
	fclose(file);
	return true;
}

/* What it says, which is to be as expected. */
static void run(const char *name, char *said, size_t room)
{
	char path[512];
	FILE *program;
	int status;

	snprintf(path, sizeof(path), FOLDER "%s 2>&1", name);
	program = popen(path, "re");
	assert_non_null(program);
	read_all(program, said, room);
	status = pclose(program);
	if (status)
		fail_msg("%s: status %d: %s", name, WEXITSTATUS(status), said);
}

/*
 * A page that waits in a batch of another processor's LRU lists reads as written once more, which
 * uffdwp-pages(7) says. So what is said may be more than expected, but not each time.
 */
static void runs(void **state)
{
	char said[4096], expected[4096];
	const char *name = *state;
	bool known = read_expected(name, expected, sizeof(expected));
	int tries = known ? 5 : 1;

	do {
		run(name, said, sizeof(said));
	} while (--tries && strcmp(said, expected));
	if (known)
		assert_string_equal(said, expected);
	else
		print_message("[   INFO   ] %s", said);
}

/* Those without a dot: beside them are their sources, and what they print. */
static size_t find(struct CMUnitTest *tests)
{
	const struct dirent *entry;
	DIR *folder = opendir(FOLDER);
	size_t n = 0;

	while (folder && n < MOST && (entry = readdir(folder)))
		if (!strchr(entry->d_name, '.')) {
			tests[n].name = strdup(entry->d_name);
			tests[n].test_func = runs;
			tests[n].initial_state = (void *)tests[n].name;
			n++;
		}
	if (folder)
		closedir(folder);
	return n;
}

int main(void)
{
	static struct CMUnitTest tests[MOST];
	const size_t n = find(tests);

	if (!n) {
		fprintf(stderr, "test_manuals: no programs in " FOLDER "\n");
		return 1;
	}
	return _cmocka_run_group_tests("manuals", tests, n, NULL, NULL);
}
