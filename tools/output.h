/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H

#include <stdio.h>

/*
 * A file that is there as a whole or not at all: what has this name now stays until the new one is
 * finished. A symbolic link stays, and so it is with the file that it names. Without a name it is
 * standard output; and what is no file, such as a device or a pipe, is written to as it is.
 */
struct output {
	FILE *to;
	const char *path;	/* or NULL */
	char *target;		/* its name behind all links; NULL: it is no file */
	char *temporary;	/* that it has until it is whole */
};

/* To be told before there is something to write. Return: 0 or a negative errno. */
int output_try(const char *path);

/* Return: 0 or a negative errno. */
int output_open(struct output *output, const char *path);

/* @err: 0, or why it is not to be kept. Return: @err or a negative errno. */
int output_close(struct output *output, int err);

#endif /* TOOLS_OUTPUT_H */
