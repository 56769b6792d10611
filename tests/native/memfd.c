// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked to the kernel's selftests: they give flags to memfd_create(2) that Linux has since 6.3,
 * for reasons that have nothing to do with what they test. A kernel that does not know them is
 * asked again without.
 */
#include <errno.h>

/* MFD_NOEXEC_SEAL and MFD_EXEC, not in the headers of an older C library */
#define SINCE_LINUX_6_3 0x18u

int __real_memfd_create(const char *name, unsigned int flags);
int __wrap_memfd_create(const char *name, unsigned int flags);

int __wrap_memfd_create(const char *name, unsigned int flags)
{
	int fd = __real_memfd_create(name, flags);

	if (fd < 0 && errno == EINVAL && (flags & SINCE_LINUX_6_3))
		fd = __real_memfd_create(name, flags & ~SINCE_LINUX_6_3);
	return fd;
}
