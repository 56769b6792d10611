// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instead of all other files here, where something is missing that they are built with.
 */
#include <stdio.h>

#include "verbs.h"

static int say_so(const char *verb)
{
	fprintf(stderr, "uffdwp %s: this uffdwp was built without BPF: install clang, libbpf-dev, libdw-dev and zlib1g-dev, and build it again\n",
		verb);
	return 1;
}

int blame_main(int argc, char **argv)
{
	return argc ? say_so(argv[0]) : 1;
}

int trap_main(int argc, char **argv)
{
	return argc ? say_so(argv[0]) : 1;
}

int latency_main(int argc, char **argv)
{
	return argc ? say_so(argv[0]) : 1;
}
