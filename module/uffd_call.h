/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_UFFD_CALL_H
#define UFFDWP_UFFD_CALL_H

#include <linux/fs.h>

bool uffdwp_uffd_call_concerns_us(const struct file *uffd, unsigned int cmd);
long uffdwp_uffd_call(struct file *uffd, unsigned int cmd, unsigned long arg);

#endif /* UFFDWP_UFFD_CALL_H */
