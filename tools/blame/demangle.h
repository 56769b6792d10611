/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_BLAME_DEMANGLE_H
#define TOOLS_BLAME_DEMANGLE_H

/**
 * demangle - the name of a C++ function, as its source has it
 * @symbol: name of its symbol
 *
 * Return: the name, to be freed; or NULL: it is no such name, or libstdc++ is not on this machine.
 */
char *demangle(const char *symbol);

#endif /* TOOLS_BLAME_DEMANGLE_H */
