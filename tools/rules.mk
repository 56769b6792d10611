# SPDX-License-Identifier: GPL-2.0-only
# The uffdwp command. What needs no kernel is in $(TOOL_PARTS), which unit tests link too.

TOOL_OBJECTS := $(patsubst tools/%.c,$(B)/tools/%.o,$(sort $(wildcard tools/*.c tools/*/*.c)))
TOOL_PARTS := $(filter-out $(B)/tools/main.o,$(TOOL_OBJECTS))

TOOL_LIBRARIES := json-c ncursesw libzstd

tool: $(B)/uffdwp ## the uffdwp command
.PHONY: tool

$(B)/tools/%.o: tools/%.c VERSION
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itools $(shell pkg-config --cflags $(TOOL_LIBRARIES)) -c -o $@ $<

$(B)/uffdwp: $(TOOL_OBJECTS) $(LIB_STATIC)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(TOOL_LIBRARIES)) -lm

-include $(TOOL_OBJECTS:.o=.d)
