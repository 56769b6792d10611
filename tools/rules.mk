# SPDX-License-Identifier: GPL-2.0-only
# The uffdwp command. What needs no kernel is in $(TOOL_PARTS), which unit tests link too.

# blame, trap and latency are BPF programs and what belongs to them: without a compiler for those,
# the rest is built, and these verbs say so.
BPF_CC ?= clang
BPF_PARTS := blame trap latency
HAVE_BPF := $(shell echo 'int f(void) { return 0; }' | \
	$(BPF_CC) -target bpf -x c -c -o /dev/null - 2>/dev/null && \
	pkg-config --exists libbpf libdw libelf zlib && echo yes)
ifeq ($(HAVE_BPF),yes)
TOOL_LEFT_OUT := tools/blame/without.c
TOOL_LIBRARIES := json-c ncursesw libzstd libbpf libdw libelf zlib
else
TOOL_LEFT_OUT := $(filter-out tools/blame/without.c,$(wildcard tools/blame/*.c))
TOOL_LIBRARIES := json-c ncursesw libzstd
endif

TOOL_SOURCES := $(filter-out %.bpf.c $(TOOL_LEFT_OUT),$(sort $(wildcard tools/*.c tools/*/*.c)))
TOOL_OBJECTS := $(patsubst tools/%.c,$(B)/tools/%.o,$(TOOL_SOURCES))
TOOL_PARTS := $(filter-out $(B)/tools/main.o,$(TOOL_OBJECTS))

tool: $(B)/uffdwp $(B)/uffdwp-plot.so ## the uffdwp command
	$(if $(HAVE_BPF),,@echo "  built without BPF (it takes clang, libbpf-dev, libdw-dev, zlib1g-dev): no blame, trap, latency")
.PHONY: tool

$(B)/tools/%.o: tools/%.c VERSION
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itools $(shell pkg-config --cflags $(TOOL_LIBRARIES)) -c -o $@ $<

# Types of the kernel are found by CO-RE, so its headers are not needed: only those of user space.
# What it carries of its sources does not tell where they were.
$(B)/tools/blame/%.bpf.o: tools/blame/%.bpf.c tools/blame/kernel.bpf.h tools/blame/counts.h
	@mkdir -p $(@D)
	$(say) BPF $@
	$(Q)$(BPF_CC) -target bpf -g -O2 -Wall -Wextra \
		-ffile-prefix-map=$(CURDIR)=. -fdebug-compilation-dir=. \
		-Itools/blame -isystem \
		/usr/include/$(shell $(CC) -print-multiarch) $(shell pkg-config --cflags libbpf) -c -o $@ $<

# They are a part of it (.incbin).
$(B)/tools/blame/load.o: $(BPF_PARTS:%=$(B)/tools/blame/%.bpf.o)
$(B)/tools/blame/load.o: ALL_CFLAGS += -Wa,-I$(B)

$(B)/uffdwp: $(TOOL_OBJECTS) $(LIB_STATIC)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(TOOL_LIBRARIES)) -lm

# What "uffdwp report" draws PNG with. It loads this when it is asked for one, so that the command
# itself needs no cairo.
PARTSDIR = $(LIBDIR)/uffdwp
$(B)/tools/report/png.o: ALL_CFLAGS += -DUFFDWP_PARTS='"$(PARTSDIR)"'
$(B)/tools/report/png.o: $(B)/partsdir

# Changes when it is to be installed elsewhere than when it was built.
$(B)/partsdir: force
	@mkdir -p $(@D)
	@echo '$(PARTSDIR)' | cmp -s - $@ || echo '$(PARTSDIR)' >$@

force:
.PHONY: force

$(B)/uffdwp-plot.so: tools/report/plot/plot.c tools/report/picture.h
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itools -fPIC -shared -fvisibility=hidden $(LDFLAGS) -o $@ $< \
		$(shell pkg-config --cflags --libs cairo)

# They are in the page as they are.
$(B)/tools/report/html.o: tools/report/page.css tools/report/page.js

-include $(TOOL_OBJECTS:.o=.d)
