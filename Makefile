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
ALL_KERNELS := $(shell tests/vm/all-kernels)
# KERNELS=all, and for verbs that run on all of them unless they are told otherwise
NAMED_KERNELS = $(if $(filter all,$(KERNELS)),$(ALL_KERNELS),$(KERNELS))
NAMED_OR_ALL_KERNELS = $(if $(filter file,$(origin KERNELS)),$(ALL_KERNELS),$(NAMED_KERNELS))

CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla
ALL_CFLAGS = $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -std=gnu11 -D_GNU_SOURCE -DUFFDWP_VERSION='"$(VERSION)"' \
	-Iuapi -Ilib -MMD -MP

# "make V=1" shows the commands.
Q := $(if $(filter 1,$(V)),,@)
say = @printf '  %-7s %s\n'

all: lib tool examples ## build library, tool and examples
.PHONY: all

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26
.PHONY: help

include lib/rules.mk
include tools/rules.mk
include examples/rules.mk
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

UDEVDIR ?= $(PREFIX)/lib/udev/rules.d
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions

# Several functions share a manual. Each gets a page, which may only name that one.
MANUALS := $(sort $(wildcard lib/man/*.[1-9] tools/man/*.[1-9]))
MAN3_NAMES := $(shell sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([a-z_]*\).*/\1/p' $(filter %.3,$(MANUALS)))
INSTALLED_MANUALS = $(MAN3_NAMES:%=$(MANDIR)/man3/%.3) \
	$(foreach page,$(filter-out %.3,$(MANUALS)),$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))

INSTALLED = $(LIBDIR)/libuffdwp.a $(LIBDIR)/libuffdwp.so $(LIBDIR)/libuffdwp.so.$(SOVERSION) \
	$(LIBDIR)/libuffdwp.so.$(VERSION) $(LIBDIR)/pkgconfig/libuffdwp.pc \
	$(INCLUDEDIR)/uffdwp.h $(INCLUDEDIR)/uffdwp-async.h $(PREFIX)/bin/uffdwp \
	$(INSTALLED_MANUALS) \
	$(COMPLETIONDIR)/uffdwp $(PARTSDIR)/uffdwp-plot.so \
	$(UDEVDIR)/60-uffdwp-async.rules

install: ## library, headers, tool, manuals, udev rule (DESTDIR, PREFIX)
	@$(if $(DESTDIR),:,scripts/deps build)
	$(MAKE) --no-print-directory all
	install -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(INCLUDEDIR)" \
		"$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(UDEVDIR)" "$(DESTDIR)$(COMPLETIONDIR)"
	install -m 644 $(LIB_STATIC) "$(DESTDIR)$(LIBDIR)/"
	install -m 755 $(LIB_SHARED) "$(DESTDIR)$(LIBDIR)/"
	ln -sf libuffdwp.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/libuffdwp.so.$(SOVERSION)"
	ln -sf libuffdwp.so.$(SOVERSION) "$(DESTDIR)$(LIBDIR)/libuffdwp.so"
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@VERSION@|$(VERSION)|' \
		lib/libuffdwp.pc.in >"$(DESTDIR)$(LIBDIR)/pkgconfig/libuffdwp.pc"
	install -m 644 lib/uffdwp.h uapi/uffdwp-async.h "$(DESTDIR)$(INCLUDEDIR)/"
	install -m 755 $(B)/uffdwp "$(DESTDIR)$(PREFIX)/bin/"
	install -d "$(DESTDIR)$(PARTSDIR)"
	install -m 755 $(B)/uffdwp-plot.so "$(DESTDIR)$(PARTSDIR)/"
	scripts/install-manuals "$(DESTDIR)$(MANDIR)" $(MANUALS)
	install -m 644 tools/completion/uffdwp.bash "$(DESTDIR)$(COMPLETIONDIR)/uffdwp"
	install -m 644 tools/60-uffdwp-async.rules "$(DESTDIR)$(UDEVDIR)/"
	$(if $(DESTDIR),,[ "$$(id -u)" != 0 ] || ldconfig)
.PHONY: install

uninstall: ## remove what install has put there
	for file in $(INSTALLED); do rm -f "$(DESTDIR)$$file"; done
	[ ! -d "$(DESTDIR)$(PARTSDIR)" ] || rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(PARTSDIR)"
	$(if $(DESTDIR),,[ "$$(id -u)" != 0 ] || ldconfig)
.PHONY: uninstall

DKMS_NAME = uffdwp-async/$(VERSION)
DKMS_SOURCE = $(DESTDIR)/usr/src/uffdwp-async-$(VERSION)

# An earlier build of the same version would be taken for this one.
dkms-install: ## build and install the module for the running kernel, and each one to come
	@$(if $(DESTDIR),:,scripts/deps dkms)
	$(if $(DESTDIR),,-dkms remove $(DKMS_NAME) --all)
	rm -rf "$(DKMS_SOURCE)"
	install -d "$(DKMS_SOURCE)"
	cp -r Kbuild VERSION dkms.conf module uapi "$(DKMS_SOURCE)/"
	$(if $(DESTDIR),,dkms install $(DKMS_NAME))
.PHONY: dkms-install

dkms-uninstall: ## take it back
	$(if $(DESTDIR),,-dkms remove $(DKMS_NAME) --all)
	rm -rf "$(DKMS_SOURCE)"
.PHONY: dkms-uninstall

# In build/deb, from the files that git knows.
deb: ## Debian packages
	@scripts/deps deb
	rm -rf $(B)/deb
	scripts/sources $(B)/deb/source
	cd $(B)/deb/source && dpkg-buildpackage -us -uc -b
.PHONY: deb

docs: ## all manuals and documents as HTML, in build/docs
	@scripts/deps docs
	@scripts/docs $(B)/docs
.PHONY: docs

clean: ## remove what was built
	rm -rf $(B)
.PHONY: clean
