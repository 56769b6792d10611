// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of C++ functions, by the C++ runtime, which is on each machine that has a C++ program. It
 * is loaded when the first such name is met: a machine without needs no part of it.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "demangle.h"

/* Symbols are somebody else's: a longer one is shown as it is. */
#define LONGEST 4096

typedef char *demangler(const char *symbol, char *buffer, size_t *length, int *status);

static demangler *runtime(void)
{
	static demangler *found;
	static bool looked;
	void *library;

	if (!looked) {
		looked = true;
		library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
		if (library)
			*(void **)&found = dlsym(library, "__cxa_demangle");
	}
	return found;
}

char *demangle(const char *symbol)
{
	int status;

	/* Any other name would be taken for that of a type: "i" for "int". */
	if (strncmp(symbol, "_Z", 2) || strnlen(symbol, LONGEST) == LONGEST || !runtime())
		return NULL;
	return runtime()(symbol, NULL, NULL, &status);
}
