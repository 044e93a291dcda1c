# Stafet: one Makefile, no configure. `make run`, `make check`; config.mk has the places.
include config.mk

VARIANT ?=
BUILD := build$(VARIANT)
ROOMS := smtpd pop3d imapd queue deliver auth net service
WARN := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef \
	-Wwrite-strings -Wcast-qual -Wpointer-arith -Wvla -Wimplicit-fallthrough -Werror
WARN_GCC := -Wduplicated-cond -Wduplicated-branches -Wlogical-op
HARDEN ?= -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
SANITIZE ?=
CPPFLAGS += -D_GNU_SOURCE -I. -DSTAFET_HOME='"$(HOME_FOLDER)"' -DVPOPMAIL_HOME='"$(VPOPMAIL_HOME)"'
CFLAGS += -std=c11 -g $(WARN) $(WARN_GCC) $(HARDEN) $(SANITIZE) -fPIE -MMD -MP
LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE)
# libcdb before libskarnet: they share five symbol names with other signatures.
LDLIBS := -l:libcdb.a -l:libskarnet.a -lcrypt

# A file stafet-NAME.c, or one with a vpopmail name, is a program; any other .c is a module.
VTOOLS := vadddomain vdeldomain vadduser vdeluser vpasswd vuserinfo vdominfo valias vchkpw
PROGRAM_SOURCES := $(wildcard $(ROOMS:%=%/stafet-*.c)) $(wildcard $(VTOOLS:%=auth/%.c)) $(wildcard deliver/vdelivermail.c)
PROGRAMS := $(PROGRAM_SOURCES:%.c=$(BUILD)/bin/%)
BINARIES := $(foreach p,$(PROGRAM_SOURCES:%.c=%),$(BUILD)/bin/$(notdir $(p)))
# The other names of stafet-inject.
INJECT_NAMES := $(addprefix $(BUILD)/bin/,sendmail qmail-inject qmail-queue)
SCRIPTS := $(wildcard service/stafet-instance service/stafet-status service/stafet-trace)
ROOM_MODULES = $(filter-out $(PROGRAM_SOURCES),$(wildcard $(1)/*.c))
OBJECT = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB := $(BUILD)/lib/lib.a

all: $(BINARIES) $(INJECT_NAMES) $(SCRIPTS:service/%=$(BUILD)/bin/%)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(LIB): $(call OBJECT,$(wildcard lib/*.c))
	@rm -f $@
	$(AR) rcs $@ $^

define ROOM_RULE
$(BUILD)/$(1)/room.a: $(call OBJECT,$(call ROOM_MODULES,$(1)))
	@mkdir -p $$(@D); rm -f $$@
	$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call ROOM_RULE,$(r))))

# Programs that fork for each connection carry the C library in themselves: a fork and its first page faults cost a fifth less.
FORKING := stafet-smtpd stafet-queue stafet-pop3-login stafet-pop3d stafet-imap-login
$(FORKING:%=$(BUILD)/bin/%): LINK := $(if $(SANITIZE),,-static-pie)
# The same with the C library outside: for preloads of the crash tests, and for the gate on what a program imports.
twins: $(FORKING:%=$(BUILD)/twins/%)

define PROGRAM_RULE
$(BUILD)/bin/$(notdir $(1)): $(BUILD)/$(1).o $(BUILD)/$(dir $(1))room.a $(LIB)
	@mkdir -p $$(@D)
	$(CC) $(LDFLAGS) $$(LINK) -o $$@ $$^ $(LDLIBS)
$(BUILD)/twins/$(notdir $(1)): $(BUILD)/$(1).o $(BUILD)/$(dir $(1))room.a $(LIB)
	@mkdir -p $$(@D)
	$(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS)
endef
$(foreach p,$(PROGRAM_SOURCES:%.c=%),$(eval $(call PROGRAM_RULE,$(p))))

$(INJECT_NAMES): $(BUILD)/bin/stafet-inject
	ln -sf stafet-inject $@

$(SCRIPTS:service/%=$(BUILD)/bin/%): $(BUILD)/bin/%: service/%
	@mkdir -p $(@D)
	install -m 0755 $< $@

# Unit tests: tests/unit/NAME.c (each a TAP program) may use every module of lib and of the rooms.
UNIT_SOURCES := $(wildcard tests/unit/*.c)
UNITS := $(UNIT_SOURCES:tests/unit/%.c=$(BUILD)/tests/unit/%)
ROOM_ARCHIVES := $(ROOMS:%=$(BUILD)/%/room.a)
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(ROOM_ARCHIVES) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(ROOM_ARCHIVES) $(LIB) -Wl,--end-group $(LDLIBS)
# tests/unit/test_ROOM_NAME.c: that room alone, since two rooms may both have a reply() or a session.
define UNIT_RULE
$(BUILD)/tests/unit/test_$(1)_%: $(BUILD)/tests/unit/test_$(1)_%.o $(BUILD)/$(1)/room.a $(LIB)
	@mkdir -p $$(@D)
	$(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS)
endef
$(foreach r,$(ROOMS),$(eval $(call UNIT_RULE,$(r))))
units: $(UNITS)

include tests/targets.mk

clean:
	rm -rf build build-*

.PHONY: all units clean
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
