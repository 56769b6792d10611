/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_SELFTEST_H
#define UFFDWP_SELFTEST_H

int uffdwp_selftest(void);

#endif /* UFFDWP_SELFTEST_H */
