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

/*
 * Symbols are somebody else's: one that is longer, or whose name could be larger, is shown as it
 * is. The runtime itself has no limit: a symbol of 360 bytes may stand for 10^12.
 */
#define LONGEST 4096
#define LARGEST (16.0 * 1024 * 1024)

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

/* The letter of a reference to what came before, such as S_, S1A_, T0_ or TL0__, is there. */
static bool is_reference(const char *at)
{
	static const char number[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return (*at == 'S' || *at == 'T') && at[1 + strspn(at + 1, number)] == '_';
}

/*
 * It can be: each reference repeats what came before, and so doubles all of it at most; each
 * expansion of a pack (Dp) has its pattern once for each element, and there are not more of these
 * than bytes. What only looks like either, within an identifier, is taken for it: which bytes are
 * identifiers is known to who has parsed all of it.
 */
static bool may_be_too_large(const char *symbol, size_t len)
{
	double largest = (double)len;
	const char *at;

	for (at = symbol; *at && largest <= LARGEST; at++) {
		if (is_reference(at))
			largest *= 2;
		else if (at[0] == 'D' && at[1] == 'p')
			largest *= (double)len;
	}
	return largest > LARGEST;
}

char *demangle(const char *symbol)
{
	const size_t len = strnlen(symbol, LONGEST);
	int status;

	/* Any other name would be taken for that of a type: "i" for "int". */
	if (strncmp(symbol, "_Z", 2) || len == LONGEST || may_be_too_large(symbol, len) ||
	    !runtime())
		return NULL;
	return runtime()(symbol, NULL, NULL, &status);
}
