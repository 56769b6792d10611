/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_REGISTRATION_H
#define UFFDWP_REGISTRATION_H

#include <linux/fs.h>
#include <linux/userfaultfd.h>

long uffdwp_uffd_register(struct file *uffd, struct uffdio_register __user *uarg);
long uffdwp_uffd_unregister(struct file *uffd, struct uffdio_range __user *uarg);

#endif /* UFFDWP_REGISTRATION_H */
