/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_USERS_H
#define TOOLS_TOP_USERS_H

#include <stddef.h>
#include <sys/types.h>

/**
 * user_name - the name of a user
 * @user: number
 * @name: out: its name by human_clean(), or the number
 * @size: of @name
 *
 * The last few are remembered: to ask may take a server on the network.
 */
void user_name(uid_t user, char *name, size_t size);

#endif /* TOOLS_TOP_USERS_H */
