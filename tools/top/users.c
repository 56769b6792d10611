// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of users.
 */
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "human.h"
#include "top/users.h"

#define REMEMBERED 64

struct user {
	bool known;
	uid_t user;
	char name[32];
};

static void ask(struct user *u)
{
	const struct passwd *entry = getpwuid(u->user);

	if (entry && *entry->pw_name)
		human_clean(entry->pw_name, strlen(entry->pw_name), u->name, sizeof(u->name));
	else
		snprintf(u->name, sizeof(u->name), "%u", (unsigned int)u->user);
	u->known = true;
}

void user_name(uid_t user, char *name, size_t size)
{
	static struct user users[REMEMBERED];
	struct user *u = &users[user % REMEMBERED];

	if (!u->known || u->user != user) {
		u->user = user;
		ask(u);
	}
	snprintf(name, size, "%s", u->name);
}
