/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_H
#define TOOLS_WATCH_H

int watch_main(int argc, char **argv);

#endif /* TOOLS_WATCH_H */
