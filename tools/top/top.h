/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_H
#define TOOLS_TOP_H

int top_main(int argc, char **argv);

#endif /* TOOLS_TOP_H */
