/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_MOVE_H
#define UFFDWP_MOVE_H

#include <linux/fs.h>

long uffdwp_move(struct file *uffd, void __user *uarg);

#endif /* UFFDWP_MOVE_H */
