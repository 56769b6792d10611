/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_BLAME_VERBS_H
#define TOOLS_BLAME_VERBS_H

/* Where there is no clang to build their BPF programs with, they say so: without.c */
int blame_main(int argc, char **argv);
int trap_main(int argc, char **argv);
int latency_main(int argc, char **argv);

#endif /* TOOLS_BLAME_VERBS_H */
