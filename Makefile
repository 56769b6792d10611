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

deps: ## install the packages that building and testing need
	@scripts/deps
.PHONY: deps

# Headers of the kernel that runs, or of KDIR.
KDIR ?= /lib/modules/$(shell uname -r)/build

module: ## build the module for KDIR (the running kernel), in build/module/here
	@mkdir -p $(B)/module/here
	cp -ru Kbuild VERSION module uapi $(B)/module/here/
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(B)/module/here modules
.PHONY: module

# ---- installing: library, headers, tool, manuals, udev rule. The module goes with dkms-install.

D = $(DESTDIR)
INSTALLED = $(LIBDIR)/libuffdwp.a $(LIBDIR)/libuffdwp.so $(LIBDIR)/libuffdwp.so.$(SOVERSION) \
	$(LIBDIR)/libuffdwp.so.$(VERSION) $(LIBDIR)/pkgconfig/libuffdwp.pc \
	$(INCLUDEDIR)/uffdwp.h $(INCLUDEDIR)/uffdwp-async.h $(PREFIX)/bin/uffdwp \
	$(MANDIR)/man4/uffdwp-async.4 $(MANDIR)/man1/uffdwp.1 $(UDEVDIR)/60-uffdwp-async.rules
UDEVDIR ?= $(PREFIX)/lib/udev/rules.d

install: all ## library, header, tool, manual (DESTDIR, PREFIX)
	install -d $(D)$(LIBDIR)/pkgconfig $(D)$(INCLUDEDIR) $(D)$(PREFIX)/bin $(D)$(MANDIR)/man1 \
		$(D)$(MANDIR)/man4 $(D)$(UDEVDIR)
	install -m 644 $(LIB_STATIC) $(D)$(LIBDIR)/
	install -m 755 $(LIB_SHARED) $(D)$(LIBDIR)/
	ln -sf libuffdwp.so.$(VERSION) $(D)$(LIBDIR)/libuffdwp.so.$(SOVERSION)
	ln -sf libuffdwp.so.$(SOVERSION) $(D)$(LIBDIR)/libuffdwp.so
	install -m 644 $(B)/lib/libuffdwp.pc $(D)$(LIBDIR)/pkgconfig/
	install -m 644 lib/uffdwp.h uapi/uffdwp-async.h $(D)$(INCLUDEDIR)/
	install -m 755 $(B)/uffdwp $(D)$(PREFIX)/bin/
	install -m 644 lib/man/uffdwp-async.4 $(D)$(MANDIR)/man4/
	install -m 644 tools/man/uffdwp.1 $(D)$(MANDIR)/man1/
	install -m 644 tools/60-uffdwp-async.rules $(D)$(UDEVDIR)/
.PHONY: install

uninstall: ## remove what install has put there
	rm -f $(addprefix $(D),$(INSTALLED))
.PHONY: uninstall

DKMS_SOURCE = $(D)/usr/src/uffdwp-async-$(VERSION)

dkms-install: ## hand the module's sources to DKMS and build it for the running kernel
	install -d $(DKMS_SOURCE)
	cp -r Kbuild VERSION dkms.conf module uapi $(DKMS_SOURCE)/
	$(if $(DESTDIR),,dkms install uffdwp-async/$(VERSION))
.PHONY: dkms-install

dkms-uninstall: ## take it back
	dkms remove uffdwp-async/$(VERSION) --all
	rm -rf $(DKMS_SOURCE)
.PHONY: dkms-uninstall

clean: ## remove what was built
	rm -rf $(B)
.PHONY: clean
