// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live screen of "uffdwp watch", as a person at a terminal sees it.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "vt.h"

#define UFFDWP "/bin/uffdwp"
#define N 64ul

static struct vt vt;

/* Where the target maps what it writes, so that no other mapping is in the line. */
static char *const place = (char *)0x600000000000;
#define PLACE "600000000000"

static volatile sig_atomic_t told;

static void on_told(int number)
{
	told = number;
}

/* Writes so many of 64 pages every 10 ms; when it is told, it executes another program. */
static pid_t writer(size_t pages)
{
	pid_t pid = fork();
	char *p;
	int i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGUSR1, on_told);
	p = mmap(place, N * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (p != place)
		_exit(99);
	madvise(p, N * PAGE, MADV_NOHUGEPAGE);
	touch(p, N, 1);
	for (i = 0; !told; i++) {
		touch(p, pages, i);
		usleep(10000);
	}
	execl("/bin/sleep", "sleep", "1000", (char *)NULL);
	_exit(98);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A watch of a process, with one more option or two. */
static void watch(pid_t pid, const char *option, const char *value)
{
	char number[16];
	char *argv[] = {
		UFFDWP, "watch", "-p", number, "-i", "0.3", (char *)option, (char *)value, NULL,
	};

	snprintf(number, sizeof(number), "%d", (int)pid);
	vt_start(&vt, 24, 80, argv);
}

/* Look at what is printed until it holds, for a minute at most. */
#define wait_to_see(condition)						\
	do {								\
		int see_tries = 3000;					\
									\
		while (!(condition) && --see_tries)			\
			vt_take(&vt, 20);				\
		if (!see_tries) {					\
			vt_print(&vt);					\
			fail_msg("a minute has not shown: %s", #condition); \
		}							\
	} while (0)

static bool sees(const char *text)
{
	return vt_find(&vt, text) >= 0;
}

/* The line of the mapping that is written has these numbers, in this order. */
static bool line_has(const char *what, const char *first, const char *second)
{
	char line[1024], *at;
	const int row = vt_find(&vt, what);

	if (row < 0)
		return false;
	snprintf(line, sizeof(line), "%s ", vt_line(&vt, row));
	at = strstr(line, first);
	return at && strstr(at + strlen(first), second);
}

static void assert_restored(void)
{
	assert_false(vt.alternate);
	assert_true(vt.cursor);
	assert_true(vt_modes_are_restored(&vt));
	if (vt.unknown)
		fail_msg("the terminal does not know ESC %s", vt.first_unknown);
}

static void quit(const char *says)
{
	vt_type(&vt, "q");
	assert_int_equal(vt_wait(&vt), 0);
	assert_restored();
	if (!strstr(vt.normal, says))
		fail_msg("'%s' does not say '%s'", vt.normal, says);
	vt_end(&vt);
}

TEST(it_shows_what_is_written)
{
	pid_t pid = writer(10);

	watch(pid, NULL, NULL);
	wait_to_see(line_has(PLACE, " 64 ", " 10 "));
	assert_true(vt.alternate);
	assert_false(vt.cursor);
	assert_false(vt_modes_are_restored(&vt));
	assert_true(vt.colors);
	/* 10 pages are 40 KiB, in each of the three windows. */
	wait_to_see(line_has(PLACE, " 40K  40K  40K", ""));
	/* Most written is first, right below the names of columns. */
	assert_int_equal(vt_find(&vt, PLACE), vt_find(&vt, "ADDRESS") + 1);
	quit("goes on, nothing of it is protected");
	assert_false(has_registered_memory(pid));
	end(pid);
}

TEST(keys_do_what_the_help_says)
{
	pid_t pid = writer(10);

	watch(pid, NULL, NULL);
	wait_to_see(line_has(PLACE, " 64 ", " 10 "));
	wait_to_see(sees("RATE/s\u25bc"));
	vt_type(&vt, "<");
	wait_to_see(sees("SHARE\u25bc"));
	vt_type(&vt, "r");
	wait_to_see(sees("SHARE\u25b2"));
	vt_type(&vt, ">>");
	wait_to_see(sees("1s\u25bc"));
	vt_type(&vt, "+");
	wait_to_see(sees("every 0.5 s"));
	vt_type(&vt, "--");
	wait_to_see(sees("every 0.1 s"));
	vt_type(&vt, "/stack");
	wait_to_see(sees("/stack") && !sees(PLACE));
	vt_type(&vt, "\r");
	wait_to_see(sees("names that match stack") && sees("[stack]"));
	vt_type(&vt, "\33");
	wait_to_see(sees(PLACE));
	vt_type(&vt, "h");
	wait_to_see(sees("this help"));
	vt_type(&vt, "h");
	wait_to_see(sees(PLACE));
	quit("page writes in");
	end(pid);
}

TEST(one_mapping_fills_the_screen)
{
	pid_t pid = writer(16);

	watch(pid, "-r", PLACE "-600000040000");
	wait_to_see(line_has(PLACE, " 64 ", " 16 "));
	vt_type(&vt, "\r");
	/* The first 16 of 64 columns, and no other. */
	wait_to_see(sees("  1 s ████████████████                                                "
			 "\u2502"));
	assert_true(sees(PLACE "-600000040000, 64 pages tracked"));
	wait_to_see(sees("When: write rate"));
	vt_type(&vt, "\33");
	wait_to_see(sees("ADDRESS"));
	quit("page writes in");
	end(pid);
}

/* The time of the report that is shown, as text. */
static void shown_time(char *text, size_t size)
{
	const int row = vt_find(&vt, " s, every ");

	snprintf(text, size, "%s", row < 0 ? "" : vt_line(&vt, row));
}

TEST(a_pause_stands_still_and_nothing_is_missed)
{
	char before[256], now[256];
	pid_t pid = writer(10);
	int i;

	watch(pid, NULL, NULL);
	wait_to_see(line_has(PLACE, " 64 ", " 10 "));
	vt_type(&vt, " ");
	wait_to_see(sees("PAUSED at "));
	shown_time(before, sizeof(before));
	for (i = 0; i < 50; i++)
		vt_take(&vt, 20);
	shown_time(now, sizeof(now));
	assert_string_equal(before, now);
	vt_type(&vt, " ");
	wait_to_see(!sees("PAUSED") && sees(" s, every "));
	shown_time(now, sizeof(now));
	assert_string_not_equal(before, now);
	quit("page writes in");
	end(pid);
}

TEST(it_fits_into_another_size)
{
	pid_t pid = writer(10);

	watch(pid, NULL, NULL);
	wait_to_see(sees(PLACE));
	assert_false(sees("ADDRESS RANGE"));
	vt_resize(&vt, 40, 120);
	wait_to_see(sees("ADDRESS RANGE") && sees(PLACE "-600000040000"));
	wait_to_see(strstr(vt_line(&vt, 39), "q quit"));
	vt_resize(&vt, 8, 30);
	wait_to_see(sees("30x8 is too small"));
	vt_resize(&vt, 24, 80);
	wait_to_see(sees(PLACE) && !sees("too small"));
	quit("page writes in");
	end(pid);
}

TEST(a_signal_leaves_the_terminal_as_it_was)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	pid_t pid = writer(10);
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		watch(pid, NULL, NULL);
		wait_to_see(sees(PLACE));
		kill(vt.pid, signals[i]);
		assert_int_equal(vt_wait(&vt), 0);
		assert_restored();
		assert_non_null(strstr(vt.normal, "nothing of it is protected"));
		vt_end(&vt);
	}
	end(pid);
}

TEST(so_does_the_end_of_the_target)
{
	pid_t pid = writer(10);

	watch(pid, NULL, NULL);
	wait_to_see(sees(PLACE));
	end(pid);
	assert_int_equal(vt_wait(&vt), 0);
	assert_restored();
	assert_non_null(strstr(vt.normal, "has ended"));
	vt_end(&vt);
}

/* Ctrl-\ would end it by SIGQUIT, and leave the terminal as it is. */
TEST(it_cannot_be_ended_without_leaving_the_screen)
{
	pid_t pid = writer(10);

	watch(pid, NULL, NULL);
	wait_to_see(sees(PLACE));
	vt_type(&vt, "\34 ");
	wait_to_see(sees("PAUSED at"));
	quit("page writes in");
	end(pid);
}

/* From a shell with job control, as people do it. */
TEST(it_is_stopped_and_goes_on)
{
	pid_t pid = writer(10);
	char command[128];
	char *argv[] = { "sh", "-c", command, NULL };

	snprintf(command, sizeof(command),
		 "set -m; " UFFDWP " watch -p %d -i 0.3; echo now; read x; fg", (int)pid);
	vt_start(&vt, 24, 80, argv);
	wait_to_see(line_has(PLACE, " 64 ", " 10 "));
	vt_type(&vt, "\32");
	wait_to_see(strstr(vt.normal, "now"));
	assert_restored();
	vt_type(&vt, "\n");
	wait_to_see(vt.alternate && line_has(PLACE, " 64 ", " 10 "));
	assert_false(vt.cursor);
	quit("page writes in");
	end(pid);
}

TEST(messages_do_not_destroy_the_screen)
{
	pid_t pid = writer(10);

	watch(pid, NULL, NULL);
	wait_to_see(line_has(PLACE, " 64 ", " 10 "));
	kill(pid, SIGUSR1);
	wait_to_see(strstr(vt_line(&vt, 23), "has called execve"));
	assert_int_equal(vt_find(&vt, "uffdwp watch  process"), 0);
	assert_null(strstr(vt.normal, "execve"));
	quit("has called execve, its new memory is watched");
	end(pid);
}

TEST(who_wants_lines_gets_lines)
{
	pid_t pid = writer(10);

	watch(pid, "--plain", "-n2");
	assert_int_equal(vt_wait(&vt), 0);
	assert_non_null(strstr(vt.normal, "address range"));
	assert_false(vt.colors);
	vt_end(&vt);
	setenv("TERM", "dumb", 1);
	watch(pid, "-n2", NULL);
	assert_int_equal(vt_wait(&vt), 0);
	assert_non_null(strstr(vt.normal, "address range"));
	vt_end(&vt);
	setenv("TERM", "xterm-256color", 1);
	end(pid);
}

TEST(without_colours_and_without_utf_8)
{
	pid_t pid = writer(10);

	setenv("NO_COLOR", "1", 1);
	setenv("LC_ALL", "C", 1);
	watch(pid, NULL, NULL);
	wait_to_see(sees(PLACE) && sees("RATE/sv"));
	assert_false(vt.colors);
	quit("page writes in");
	watch(pid, "--color", "always");
	wait_to_see(sees(PLACE));
	assert_true(vt.colors);
	quit("page writes in");
	unsetenv("NO_COLOR");
	setenv("LC_ALL", "C.UTF-8", 1);
	watch(pid, "--color", "never");
	wait_to_see(sees(PLACE));
	assert_false(vt.colors);
	quit("page writes in");
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_shows_what_is_written),
		cmocka_unit_test(keys_do_what_the_help_says),
		cmocka_unit_test(one_mapping_fills_the_screen),
		cmocka_unit_test(a_pause_stands_still_and_nothing_is_missed),
		cmocka_unit_test(it_fits_into_another_size),
		cmocka_unit_test(a_signal_leaves_the_terminal_as_it_was),
		cmocka_unit_test(so_does_the_end_of_the_target),
		cmocka_unit_test(it_cannot_be_ended_without_leaving_the_screen),
		cmocka_unit_test(it_is_stopped_and_goes_on),
		cmocka_unit_test(messages_do_not_destroy_the_screen),
		cmocka_unit_test(who_wants_lines_gets_lines),
		cmocka_unit_test(without_colours_and_without_utf_8),
	};

	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	if (!setlocale(LC_ALL, ""))
		fprintf(stderr, "test_screen: no locale C.UTF-8: tests/vm/suite adds it\n");
	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
