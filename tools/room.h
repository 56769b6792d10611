/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_TOOLS_ROOM_H
#define UFFDWP_TOOLS_ROOM_H

#include <stdlib.h>

/*
 * An array of @n elements of @size bytes, which has room for @room: with room for one more; or
 * NULL, and then it is as it was.
 */
static inline void *with_room(void *array, size_t n, size_t *room, size_t size)
{
	const size_t wanted = *room ? 2 * *room : 32;
	void *more;

	if (n < *room)
		return array;
	more = reallocarray(array, wanted, size);
	if (more)
		*room = wanted;
	return more;
}

#endif /* UFFDWP_TOOLS_ROOM_H */
