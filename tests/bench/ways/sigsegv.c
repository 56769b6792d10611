// SPDX-License-Identifier: GPL-2.0-only
/*
 * mprotect(), resolved in a handler of SIGSEGV. Every page between others that are still protected
 * is a VMA of its own: more than vm.max_map_count allows, which ways.c has raised.
 */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "way.h"

static void on_segv(int sig, siginfo_t *info, void *context)
{
	const uintptr_t page = (uintptr_t)info->si_addr & ~(PAGE - 1);

	(void)sig;
	(void)context;
	if (page < (uintptr_t)memory || page >= (uintptr_t)memory + len)
		_exit(2);
	noted[notes++] = page;
	mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE);
}

static void attach(void)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
}

static void begin(void)
{
	notes = 0;
	if (mprotect(memory, len, PROT_READ))
		stop("mprotect");
}

static size_t scan(bool reset, bool all)
{
	const size_t n = notes;

	(void)all;
	/* One call for all of it: page by page, there may be more VMAs than are allowed. */
	if (reset)
		begin();
	return n;
}

static void detach(void)
{
	mprotect(memory, len, PROT_READ | PROT_WRITE);
	signal(SIGSEGV, SIG_DFL);
}

static bool always(void)
{
	return true;
}

const struct way way_sigsegv = {
	.name = "sigsegv",
	.title = "mprotect and SIGSEGV",
	.possible = always,
	.attach = attach,
	.begin = begin,
	.scan = scan,
	.detach = detach,
	.handler = true,
	.fails_for_kernel = true,
};
