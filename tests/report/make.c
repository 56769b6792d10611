// SPDX-License-Identifier: GPL-2.0-only
/*
 * make NAME FILE [SECONDS]: writes a recording that is made up (made.h), to be looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "made.h"

int main(int argc, char **argv)
{
	const char *name = argc > 2 ? argv[1] : "";
	int err;

	if (!strcmp(name, "server"))
		err = made_server(argv[2]);
	else if (!strcmp(name, "family"))
		err = made_family(argv[2]);
	else if (!strcmp(name, "hostile"))
		err = made_hostile(argv[2]);
	else if (!strcmp(name, "crowd"))
		err = made_crowd(argv[2]);
	else if (!strcmp(name, "day"))
		err = made_day(argv[2], argc > 3 ? (unsigned int)atoi(argv[3]) : 86400);
	else
		err = -EINVAL;
	if (err)
		fprintf(stderr, "make: cannot write server, family, hostile, crowd or day to %s: %s\n",
			argc > 2 ? argv[2] : "a file", strerror(-err));
	return !!err;
}
