# SPDX-License-Identifier: GPL-2.0-only
# Verbs for people and scripts. The objects of the module are listed in Kbuild.
#
#	make demo		see it work, from a fresh machine
#	make check		test it
#	make help		all verbs

VERSION := $(shell cat VERSION)
B := build

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
KERNELS ?= 6.1

CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla
ALL_CFLAGS = $(CFLAGS) $(WARNINGS) -std=gnu11 -D_GNU_SOURCE -DUFFDWP_VERSION='"$(VERSION)"' \
	-Iuapi -Ilib -MMD -MP

all: lib tool ## build library and tool
.PHONY: all

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
.PHONY: help

include lib/rules.mk
include tools/rules.mk
include tests/rules.mk

clean: ## remove what was built
	rm -rf $(B)
.PHONY: clean
