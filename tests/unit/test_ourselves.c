// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of signals that end a program, and of those that somebody has us ignore.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "ourselves.h"
#include "screen/terminal.h"
#include "top/screen.h"

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };

#define ENDING (sizeof(ending) / sizeof(ending[0]))

/* Signals are of a whole process: each test has one of its own. Return: as from wait(2). */
static int of_child(void (*child)(int number), int number)
{
	int status;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		/* In the background of a shell SIGINT is ignored. */
		signal(number, SIG_DFL);
		child(number);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* cmocka's assertions would go on with the tests in the child. */
static void expect(bool sure, int where)
{
	if (!sure)
		_exit(where);
}

static bool is_ignored(int number)
{
	struct sigaction action;

	sigaction(number, NULL, &action);
	return action.sa_handler == SIG_IGN;
}

static void raise_caught(int number)
{
	ourselves_catch_signals();
	raise(number);
	expect(!ourselves_interrupted(), 1);
	expect(ourselves_interrupted_by_now() == number, 2);
}

static void a_signal_is_noted_while_we_wait(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ENDING; i++)
		assert_int_equal(of_child(raise_caught, ending[i]), 0);
}

static void raise_ignored(int number)
{
	signal(number, SIG_IGN);
	ourselves_catch_signals();
	expect(is_ignored(number), 1);
	raise(number);
	expect(!ourselves_interrupted_by_now(), 2);
	ourselves_release_signals();
	expect(is_ignored(number), 3);
	raise(number);
}

static void what_is_ignored_stays_so(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ENDING; i++)
		assert_int_equal(of_child(raise_ignored, ending[i]), 0);
}

static void raise_released(int number)
{
	ourselves_catch_signals();
	ourselves_release_signals();
	raise(number);
}

static void what_is_released_ends_us(void **state)
{
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < ENDING; i++) {
		status = of_child(raise_released, ending[i]);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), ending[i]);
	}
}

static void restore_ignored_pipe(int number)
{
	signal(number, SIG_IGN);
	ourselves_catch_signals();
	ourselves_restore_sigpipe();
	expect(is_ignored(number), 1);
}

static void restore_pipe(int number)
{
	ourselves_catch_signals();
	expect(is_ignored(number), 1);
	ourselves_restore_sigpipe();
	expect(!is_ignored(number), 2);
}

static void a_program_that_we_start_has_sigpipe_as_it_was(void **state)
{
	(void)state;
	assert_int_equal(of_child(restore_pipe, SIGPIPE), 0);
	assert_int_equal(of_child(restore_ignored_pipe, SIGPIPE), 0);
}

/* As standard input and output. */
static void have_terminal(void)
{
	const int terminal = posix_openpt(O_RDWR | O_NOCTTY);

	expect(terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal), 10);
	expect(setsid() >= 0, 11);
	expect(dup2(open(ptsname(terminal), O_RDWR), 0) == 0, 12);
	expect(dup2(0, 1) == 1, 13);
	setenv("TERM", "xterm", 1);
	expect(terminal_is_usable(), 14);
}

static void have_screen(int number)
{
	have_terminal();
	expect(terminal_begin(COLOR_NEVER) >= 0, 1);
	raise(number);
	terminal_end();
	expect(!is_ignored(number), 2);
}

static void have_screen_of_top(int number)
{
	struct top_screen *screen;
	double interval = 1;

	have_terminal();
	expect(!top_screen_open(&screen, &interval, false), 1);
	raise(number);
	top_screen_close(screen);
	expect(!is_ignored(number), 2);
}

/* It would leave the terminal as the screen has it. */
static void a_screen_does_not_end_by_sigquit(void **state)
{
	(void)state;
	assert_int_equal(of_child(have_screen, SIGQUIT), 0);
	assert_int_equal(of_child(have_screen_of_top, SIGQUIT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_noted_while_we_wait),
		cmocka_unit_test(what_is_ignored_stays_so),
		cmocka_unit_test(what_is_released_ends_us),
		cmocka_unit_test(a_program_that_we_start_has_sigpipe_as_it_was),
		cmocka_unit_test(a_screen_does_not_end_by_sigquit),
	};

	return cmocka_run_group_tests_name("ourselves", tests, NULL, NULL);
}
