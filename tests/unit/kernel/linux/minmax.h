/* SPDX-License-Identifier: GPL-2.0-only */
/* In place of the kernel's header: test_regions.c has what is needed of it. */
