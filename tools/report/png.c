// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds uffdwp-plot.so: beside the command, as it was built; in ../lib from there; or where it was
 * to be installed. It is not looked for anywhere else, so that nobody can put another one into the
 * way.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report/png.h"

#define PART "uffdwp-plot.so"

/* @where: from the folder that the command is in */
static void *load_near(const char *where, const char **reason)
{
	char path[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);
	void *part;
	char *slash;

	if (len <= 0)
		return NULL;
	path[len] = 0;
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	strcpy(slash + 1, where);
	if (access(path, F_OK))
		return NULL;
	part = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	*reason = part ? NULL : dlerror();
	return part;
}

static void *load_installed(const char **reason)
{
	void *part;

	if (access(UFFDWP_PARTS "/" PART, F_OK))
		return NULL;
	part = dlopen(UFFDWP_PARTS "/" PART, RTLD_NOW | RTLD_LOCAL);
	*reason = part ? NULL : dlerror();
	return part;
}

const struct picture_ops *png_load(char *why, size_t size)
{
	const char *reason = NULL;
	const struct plot *plot;
	void *part;

	part = load_near(PART, &reason);
	if (!part && !reason)
		part = load_near("../lib/uffdwp/" PART, &reason);
	if (!part && !reason)
		part = load_installed(&reason);
	if (!part && reason) {
		snprintf(why, size, "cannot draw PNG: %s. Install the package libcairo2, or let OUT end in .svg",
			 reason);
		return NULL;
	}
	if (!part) {
		snprintf(why, size, "cannot draw PNG: there is no " UFFDWP_PARTS "/" PART ". It is built where the package libcairo2-dev is installed; or let OUT end in .svg");
		return NULL;
	}
	plot = dlsym(part, PLOT_SYMBOL);
	if (plot && plot->version == PLOT_VERSION)
		return &plot->ops;
	snprintf(why, size, "cannot draw PNG: " UFFDWP_PARTS "/" PART " is of another version of uffdwp: install both anew");
	dlclose(part);
	return NULL;
}
