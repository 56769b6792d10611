/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_STRANGER_H
#define UFFDWP_STRANGER_H

#include <linux/fs.h>

bool uffdwp_stranger_may_fill(unsigned int cmd);
bool uffdwp_stranger_is_refused(struct file *uffd, unsigned int cmd, void __user *uarg, long *ret);

#endif /* UFFDWP_STRANGER_H */
