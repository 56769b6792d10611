/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_DEVICE_H
#define UFFDWP_DEVICE_H

int uffdwp_device_init(void);
void uffdwp_device_exit(void);

#endif /* UFFDWP_DEVICE_H */
