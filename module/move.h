/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_MOVE_H
#define UFFDWP_MOVE_H

struct file;

long uffdwp_move(struct file *uffd, unsigned int cmd, unsigned long arg);

#endif /* UFFDWP_MOVE_H */
